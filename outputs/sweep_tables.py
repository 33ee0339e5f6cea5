"""A sweep as tables for the terminal: means, paired differences, the Pareto front and what failed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from outputs.better import better_words
from outputs.comparison import Compared, Comparison, verdict
from outputs.joined import joined, undamaged, with_confidence
from outputs.main_metrics import main_metrics
from outputs.pareto import LEAST_POINTS, Front, Goals, front_of, goals_of
from outputs.point_labels import Labels
from outputs.points import Point
from outputs.scales import Scale, digits, metric_label, scale_of, spread_text
from outputs.selection import Selection, select
from outputs.sweep_folder import FAILED, Sweep
from outputs.tables import table

_MOST_FAILED = 10
_GAP = 2  # blanks between columns


@dataclass(frozen=True, slots=True)
class Section:
    """Tables under a title, and what is to be said below them."""

    title: str
    tables: Sequence[Table] = ()
    note: str = ""


def tables_of(
    folders: Sequence[Path],
    metrics: Sequence[str],
    pareto: str | None,
    baseline: str | None,
    confidence: str | None,
    width: int | None,
) -> list[Section]:
    """The tables of a saved sweep, or of several as one; ScenarioError for what is none and for wrong options."""
    with undamaged(folders):
        sweep = with_confidence(joined(folders), confidence)
        compared, chosen = Comparison(sweep, baseline), main_metrics(sweep, metrics)
        rest = f"{folders[0]}/comparison.csv" if len(folders) == 1 else "runs.parquet of each"
        return sweep_tables(compared, chosen, goals_of(sweep, pareto, chosen), width, rest)


def sweep_tables(
    compared: Comparison, metrics: Sequence[str], goals: Goals | None, width: int | None, rest: str
) -> list[Section]:
    """The tables of a sweep; as many metrics side by side as the width has room for.

    rest: where the points are that are left out.
    """
    labels, failed = Labels(compared.points), _failed(compared.sweep, Labels(compared.points))
    if not metrics:
        return [Section(headline(compared), note="No run is done."), *failed]
    chosen = select(compared, metrics[0])
    made = [_means(compared, labels, metrics, chosen, width, rest)]
    made += _differences(compared, labels, metrics, chosen, width)
    if goals is not None:
        made += _front(front_of(compared, goals), labels, compared)
    return made + failed


def headline(compared: Comparison) -> str:
    """What the sweep is: its points, its runs and the confidence of its intervals."""
    sweep = compared.sweep
    runs, failed = sweep.runs.height, int((sweep.runs["status"] == FAILED).sum())
    points = f"{len(compared.points.all):,} point{'' if len(compared.points.all) == 1 else 's'}"
    of = f" of {', '.join(sweep.parameters)}" if sweep.parameters else ""
    counts = f"{runs:,} runs" + (f" ({failed:,} failed)" if failed else "")
    most = max((len(point.rows) for point in compared.points.all), default=0)
    spread = (
        f"mean ± half of the {percent(sweep.confidence)} interval" if most > 1 else "without replications no intervals"
    )
    return f"{sweep.name}: {points}{of}, {counts}; {spread}"


def percent(confidence: float) -> str:
    """A confidence as "95 %"."""
    return f"{100 * confidence:.6g} %"


@dataclass(frozen=True, slots=True)
class _Column:
    head: str
    cells: Sequence[str]

    @property
    def width(self) -> int:
        return max(len(text) for text in (*self.head.splitlines(), *self.cells))


def _point_columns(compared: Comparison, labels: Labels, points: Sequence[Point]) -> tuple[list[str], list[list[str]]]:
    """The parameters that vary, and the runs."""
    heads = [labels.head(at) + (" " if compared.points.is_number(at) else "") for at in labels.varied]
    rows = [[labels.value(at, point.values[at]) for at in labels.varied] for point in points]
    for row, point in zip(rows, points, strict=True):
        row.append(f"{len(point.rows):,}" + (f" ({point.failed:,} failed)" if point.failed else ""))
    return [*heads, "runs "], rows


def _mean_column(compared: Comparison, metric: str, points: Sequence[Point]) -> _Column:
    found = [compared.at(point, metric).estimate for point in points]
    scale = scale_of(metric, (one.mean for one in found if one.mean is not None))
    places = digits(found, scale)
    return _Column(_head(scale, metric), [spread_text(one, scale, places) for one in found])


def _difference_column(compared: Comparison, metric: str, points: Sequence[Point]) -> _Column:
    found = [compared.at(point, metric) for point in points]
    scale = scale_of(metric, (one.difference.estimate.mean or 0.0 for one in found))
    places = digits([one.difference.estimate for one in found], scale)
    return _Column(_head(scale, metric), [_difference_cell(one, scale, places) for one in found])


def _head(scale: Scale, metric: str) -> str:
    return "\n".join(text for text in (scale.head, better_words(metric)) if text)


def _difference_cell(one: Compared, scale: Scale, places: int) -> str:
    text = spread_text(one.difference.estimate, scale, places, signed=True)
    if one.difference.relative is not None:
        text += f" ({100 * one.difference.relative:+.1f} %)"
    return f"{text} {verdict(one):6}" if one.difference.estimate.mean is not None else text


def _means(
    compared: Comparison, labels: Labels, metrics: Sequence[str], chosen: Selection, width: int | None, rest: str
) -> Section:
    heads, rows = _point_columns(compared, labels, chosen.points)
    columns = [_mean_column(compared, metric, chosen.points) for metric in metrics]
    note = ""
    if chosen.left_out:
        way = better_words(metrics[0]) or "highest first"
        note = f"The best and the worst by {metric_label(metrics[0])} ({way}); "
        note += f"{rest} has the {chosen.left_out:,} points in between too."
    return Section(headline(compared), _tables(heads, rows, columns, chosen.left_out_after, width), note)


def _differences(
    compared: Comparison, labels: Labels, metrics: Sequence[str], chosen: Selection, width: int | None
) -> list[Section]:
    baseline = compared.baseline
    if baseline is None or len(compared.points.all) < 2:
        return []
    other = [at for at in labels.varied if at not in baseline.values]
    title = f"paired differences to {labels.baseline(baseline)}" + (", the other parameters equal" if other else "")
    points = [point for point in chosen.points if compared.base(point) not in (None, point)]
    if not points:
        return [Section(f"{title}:", note="None of these points has such a point to be compared to.")]
    after = chosen.left_out_after
    if after is not None:
        after = sum(point in points for point in chosen.points[:after])
    heads, rows = _point_columns(compared, labels, points)
    rows = [[*row[:-1], f"{_pairs(compared, point):,}"] for row, point in zip(rows, points, strict=True)]
    columns = [_difference_column(compared, metric, points) for metric in metrics]
    shown = [compared.at(point, metric) for metric in metrics for point in points]
    return [Section(f"{title}:", _tables([*heads[:-1], "pairs "], rows, columns, after, width), _note(shown))]


def _note(shown: Sequence[Compared]) -> str:
    marks = sorted({verdict(one) for one in shown} - {""})
    if marks:
        return f"{', '.join(marks)}: 0 lies outside of the interval (no correction for many comparisons)."
    if any(one.difference.estimate.half_width is not None for one in shown):
        return "The intervals of all differences contain 0."
    if all(one.difference.estimate.mean is None for one in shown):
        return "No run of these points has its pair."
    return "A single pair has no interval: chance alone may have made these differences."


def _pairs(compared: Comparison, point: Point) -> int:
    """Replications that the point shares with its baseline."""
    base, seeds = compared.base(point), compared.sweep.runs["seed"]
    return 0 if base is None else len({seeds[at] for at in point.rows} & {seeds[at] for at in base.rows})


def _tables(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    columns: Sequence[_Column],
    left_out_after: int | None,
    width: int | None,
) -> list[Table]:
    """One table, or several where the columns do not fit beside each other."""
    texts = [[head.strip(), *(row[at] for row in rows)] for at, head in enumerate(heads)]
    room = None if width is None else width - sum(max(map(len, each)) + _GAP for each in texts)
    made = []
    for part in _parts(columns, room):
        body = [[*row, *(column.cells[at] for column in part)] for at, row in enumerate(rows)]
        if left_out_after is not None:
            body.insert(left_out_after, ["..."] * len(body[0]))
        made.append(table("", [*heads, *(f"{column.head} " for column in part)], body))
    return made


def _parts(columns: Iterable[_Column], room: int | None) -> list[list[_Column]]:
    parts: list[list[_Column]] = [[]]
    left = room
    for column in columns:
        if left is not None and parts[-1] and column.width + _GAP > left:
            parts.append([])
            left = room
        parts[-1].append(column)
        left = None if left is None else left - column.width - _GAP
    return parts


def _front(front: Front, labels: Labels, compared: Comparison) -> list[Section]:
    if len(front.pairs) < LEAST_POINTS:
        return []
    columns = []
    for metric, found in zip(front.goals.metrics, zip(*front.members, strict=True), strict=True):
        scale = scale_of(metric, (one.estimate.mean or 0.0 for one in found))
        places = digits([one.estimate for one in found], scale)
        columns.append((scale.head, [spread_text(one.estimate, scale, places) for one in found]))
    rows = [
        [*(labels.value(at, point.values[at]) for at in labels.varied), *(cells[number] for _, cells in columns)]
        for number, point in enumerate(front.points)
    ]
    wanted = " and ".join(
        f"{'more' if more else 'less'} of {metric_label(metric)}"
        for metric, more in zip(front.goals.metrics, front.goals.more, strict=True)
    )
    heads = [labels.head(at) + (" " if compared.points.is_number(at) else "") for at in labels.varied]
    title = f"Pareto front, by the means, for {wanted} ({len(front.members)} of {len(front.pairs)} points):"
    return [Section(title, [table("", [*heads, *(f"{head} " for head, _ in columns)], rows)])]


def _failed(sweep: Sweep, labels: Labels) -> list[Section]:
    failed = sweep.runs.filter(sweep.runs["status"] == FAILED)
    if not failed.height:
        return []
    names = [sweep.parameters[at] for at in labels.varied]
    rows = []
    for row in failed.head(_MOST_FAILED).select(*names, "replication", "error").iter_rows():
        values = [labels.value(at, value) for at, value in zip(labels.varied, row, strict=False)]
        rows.append([*values, str(row[-2]), str(row[-1] or "")])
    heads = [*(labels.head(at) for at in labels.varied), "replication ", "message"]
    more = failed.height - _MOST_FAILED
    return [Section("failed runs:", [table("", heads, rows)], f"... and {more:,} more" if more > 0 else "")]
