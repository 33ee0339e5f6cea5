"""A sweep's metrics by point: means with intervals, and paired differences to a baseline."""

from dataclasses import dataclass

import polars as pl

from outputs.baseline import Baseline, baseline_of
from outputs.better import more_is_better
from outputs.points import Point, Points
from outputs.statistics import Estimate, PairedDifference, estimate, paired_difference
from outputs.sweep_folder import Sweep

_NO_DIFFERENCE = PairedDifference(Estimate(0, None, None), None, None)


@dataclass(frozen=True, slots=True)
class Compared:
    """A metric at a point."""

    point: Point
    metric: str
    estimate: Estimate
    base: Point | None  # what it is compared to; None where that is the point itself or there is no such point
    difference: PairedDifference


class Comparison:
    """A sweep, its points and what they are compared to."""

    def __init__(self, sweep: Sweep, baseline: str | None = None) -> None:
        self.sweep = sweep
        self.points = Points(sweep)
        self.baseline: Baseline | None = baseline_of(self.points, sweep.baseline if baseline is None else baseline)
        self._by_values = {point.values: point for point in self.points.all}

    def base(self, point: Point) -> Point | None:
        """The point that a point is compared to, where there is one."""
        return None if self.baseline is None else self._by_values.get(self.baseline.of(point.values))

    def of(self, metric: str) -> list[Compared]:
        """A metric at every point, in the order of the points."""
        return [self.at(point, metric) for point in self.points.all]

    def at(self, point: Point, metric: str) -> Compared:
        """A metric at a point."""
        confidence, mine, base = self.sweep.confidence, self.points.by_seed(point, metric), self.base(point)
        known = estimate(list(mine.values()), confidence)
        if base is None or base is point:
            return Compared(point, metric, known, None, _NO_DIFFERENCE)
        theirs = self.points.by_seed(base, metric)
        shared = [seed for seed in mine if seed in theirs]
        pairs = [mine[seed] for seed in shared], [theirs[seed] for seed in shared]
        return Compared(point, metric, known, base, paired_difference(*pairs, confidence))


def verdict(one: Compared) -> str:
    """ "better" or "worse" where the interval of the difference leaves 0 out, "*" where neither can be told."""
    if not one.difference.estimate.excludes_zero:
        return ""
    better = more_is_better(one.metric)
    if better is None:
        return "*"
    return "better" if ((one.difference.estimate.mean or 0.0) > 0) is better else "worse"


def comparison_frame(sweep: Sweep, baseline: str | None = None) -> pl.DataFrame:
    """comparison.csv: a row per point and metric, points in the order of the runs; ScenarioError for a wrong baseline.

    runs counts those that are done and have the metric. A point without a baseline has no `baseline`; the baseline
    itself names it and has no difference. What too few runs do not give is null.
    """
    compared = Comparison(sweep, baseline)
    label = compared.baseline.label if compared.baseline is not None else None
    schema: dict[str, pl.DataType] = {name: sweep.runs.schema[name] for name in sweep.parameters}
    schema |= {"metric": pl.String(), "runs": pl.Int64(), "failed": pl.Int64()}
    schema |= dict.fromkeys(("mean", "half_width", "low", "high"), pl.Float64())
    schema |= {"baseline": pl.String(), "pairs": pl.Int64()}
    differences = ("difference", "difference_half_width", "relative_difference", "unpaired_half_width")
    schema |= dict.fromkeys(differences, pl.Float64())
    metrics = sweep.all_metrics
    rows = [
        _row(compared.at(point, metric), None if compared.base(point) is None else label)
        for point in compared.points.all
        for metric in metrics
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


def _row(one: Compared, baseline: str | None) -> tuple[object, ...]:
    known, other = one.estimate, one.difference
    return (
        *one.point.values,
        *(one.metric, known.count, one.point.failed, known.mean, known.half_width, known.low, known.high),
        *(baseline, other.estimate.count if one.base is not None else None),
        *(other.estimate.mean, other.estimate.half_width, other.relative, other.unpaired_half_width),
    )
