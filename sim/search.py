"""A search for the point that is best in one metric: Bayesian optimization over paired replications.

Points are suggested in batches of a fixed size, so that the same search makes the same points whatever the number of
workers and after any interruption. What wins among many noisy means has had luck too: the best point is run again with
seeds that the search has not seen, and only those runs say how good it is.

Suggestions: the tree-structured Parzen estimator of Optuna (Bergstra et al., NeurIPS 2011; Akiba et al., KDD 2019).
"""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from outputs.folder import MOST_TABLE_BYTES, table_of
from outputs.joined import undamaged
from outputs.statistics import Estimate, estimate, mean
from outputs.sweep_folder import finish, is_finished, tidy
from outputs.sweep_runs import runs_frame
from scenarios.design import Axis, Design, Open, distinct
from scenarios.errors import unknown
from scenarios.packed import check_file
from scenarios.sweep_file import Asked, names_of
from sim.planning import Values, Warn, base_of, check
from sim.runs import Hire, NoSuchMetricError, Place, Progress, Runs, under_way
from sim.work import Task

if TYPE_CHECKING:
    import optuna

Point = tuple[str, ...]
_TRIED = (0.0, 0.5, 0.999999)  # shares of a span that are tried before anything runs


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: asked.metrics[0], the least or the most of it, over asked.axes."""

    asked: Asked
    least: bool
    trials: int
    batch: int = 4
    confirm: int = 10  # replications of the best point, with seeds of their own

    @property
    def metric(self) -> str:
        """The metric that is to be the best."""
        return self.asked.metrics[0]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    best: the values of the best point by parameter. confirmed: its metric over seeds that the search had not seen; both
    None where every trial failed.
    """

    folder: Path
    best: dict[str, str] | None
    confirmed: Estimate | None


def search(looked: Search, hire: Hire, place: Place, draw: Callable[[Path], object], told: Progress) -> Found:
    """Try points until there are enough trials, confirm the best, and finish the folder, which is that of a sweep too.

    Raises ScenarioError for what makes every run fail, also for a metric that no run has.
    """
    return _Search(looked, told.warn).run(hire, place, draw, told)


class _Search:
    """A search under way: its trials so far, each a point and the mean that it was told for it."""

    def __init__(self, looked: Search, warn: Warn) -> None:
        self._looked = looked
        self._base = base_of(looked.asked, "search")
        self._names = distinct(name for one in looked.asked.axes for name in names_of(one))
        check(looked.asked, self._base, _groups(looked.asked.axes), warn)
        self._points: list[Point] = []
        self._means: list[float | None] = []

    def run(self, hire: Hire, place: Place, draw: Callable[[Path], object], told: Progress) -> Found:
        """Do the search, or read what it came to."""
        folder = place.folder(self._base, self._facts())
        if is_finished(folder):
            tidy(folder)
        else:
            with under_way(folder, self._base, hire, told) as runs:
                self._try(runs)
                if self._best is not None:
                    first = self._looked.asked.replications
                    runs.do(self._tasks([self._best], range(first, first + self._looked.confirm)))
                runs.tell_warnings()

                def written(beside: Path) -> None:
                    self._trials().write_csv(beside / "trials.csv")
                    draw(beside)

                finish(folder, self._frame(runs), written)
        with undamaged([folder]):
            return self._found(folder)

    def _facts(self) -> dict[str, Any]:
        looked, units = self._looked, dict[str, str]()
        for one in looked.asked.axes:  # no point exists yet
            units |= {one.name: one.span.unit} if isinstance(one, Open) else Design(one.names, one.values).units()
        return self._base.facts(looked.asked, self._design([])) | {
            "units": units,
            "replications": looked.asked.replications,
            "search": {
                "goal": "least" if looked.least else "most",
                "over": [_written(one) for one in looked.asked.axes],
                "trials": looked.trials,
                "batch": looked.batch,
                "confirm": looked.confirm,
            },
        }

    def _design(self, points: Sequence[Point]) -> Design:
        return Design(self._names, tuple(points))

    def _tasks(self, points: Sequence[Point], replications: range) -> list[Task]:
        overrides = [self._base.overrides(self._names, point) for point in points]
        return [Task(one, self._base.seed + at) for one in overrides for at in replications]

    def _try(self, runs: Runs) -> None:
        """All trials, batch by batch."""
        import optuna

        looked, replications = self._looked, range(self._looked.asked.replications)
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # constant_liar, in older releases
            sampler = optuna.samplers.TPESampler(seed=self._base.seed % 2**32, constant_liar=True)
        study = optuna.create_study(sampler=sampler, direction="minimize" if looked.least else "maximize")
        worst = math.inf if looked.least else -math.inf
        while len(self._points) < looked.trials:
            count = min(looked.batch, looked.trials - len(self._points))
            trials = [study.ask() for _ in range(count)]
            points = [tuple(value for one in looked.asked.axes for value in _suggested(trial, one)) for trial in trials]
            tasks = self._tasks(list(dict.fromkeys(points)), replications)
            done, left = len(self._points) * len(replications), (looked.trials - len(self._points) - count)
            runs.do(tasks, done, left * len(replications) + looked.confirm)
            values = self._values(points, replications, runs)
            self._points += points
            self._means += values
            for trial, value in zip(trials, values, strict=True):
                # one that failed is the worst there is: Optuna forgets failed trials, and would try their like for ever
                study.tell(trial, worst if value is None else value)

    def _values(self, points: Sequence[Point], replications: range, runs: Runs) -> list[float | None]:
        """The mean of the metric at each point; None where a run failed or lacks it.

        ScenarioError where no run of the search has it.
        """
        keys = [[task.key for task in self._tasks([point], replications)] for point in points]
        wanted = {key for of in keys for key in of}
        found: dict[str, float] = {}
        others, known = set[str](), False
        for line in runs.lines():
            summary = line["summary"] or {}
            others |= summary.keys()
            if self._looked.metric in summary:
                known = True
                if line["key"] in wanted:
                    found[line["key"]] = summary[self._looked.metric]
        if others and not known:
            option = "--minimize" if self._looked.least else "--maximize"
            raise NoSuchMetricError(unknown("metric", self._looked.metric, others), option)
        return [mean([found[key] for key in of]) if all(key in found for key in of) else None for of in keys]

    @property
    def _best(self) -> Point | None:
        """The best point, the first of equal ones."""
        sign = 1 if self._looked.least else -1
        known = [(sign * value, at) for at, value in enumerate(self._means) if value is not None]
        return self._points[min(known)[1]] if known else None

    def _frame(self, runs: Runs) -> pl.DataFrame:
        """A row per run of every point that was tried, the confirming runs of the best among them."""
        points, tried = list(dict.fromkeys(self._points)), self._looked.asked.replications
        counts = [tried + (self._looked.confirm if point == self._best else 0) for point in points]
        tasks = [
            task for point, count in zip(points, counts, strict=True) for task in self._tasks([point], range(count))
        ]
        keys = [task.key for task in tasks]
        return runs_frame(self._design(points), self._base.seed, counts, keys, runs.lines())

    def _trials(self) -> pl.DataFrame:
        """trials.csv: what was tried in which order, and the best mean by then."""
        best: list[float | None] = []
        for value in self._means:
            known = [one for one in (*best[-1:], value) if one is not None]
            best.append((min(known) if self._looked.least else max(known)) if known else None)
        return pl.DataFrame(
            [
                pl.Series("trial", range(1, len(self._points) + 1), pl.Int64),
                *(
                    pl.Series(name, [point[at] for point in self._points], pl.String)
                    for at, name in enumerate(self._names)
                ),
                pl.Series(self._looked.metric, self._means, pl.Float64),
                pl.Series("best_so_far", best, pl.Float64),
            ]
        )

    def _found(self, folder: Path) -> Found:
        """What a finished folder says."""
        check_file(folder / "trials.csv", MOST_TABLE_BYTES)
        trials = pl.read_csv(folder / "trials.csv", infer_schema=False)
        self._points = list(trials.select(self._names).iter_rows())
        self._means = trials[self._looked.metric].cast(pl.Float64).to_list()
        best = self._best
        if best is None:
            return Found(folder, None, None)
        runs = table_of(folder, "runs")
        fresh = runs.filter(pl.col("replication") >= self._looked.asked.replications)
        values = fresh[self._looked.metric].drop_nulls().to_list()
        return Found(folder, dict(zip(self._names, best, strict=True)), estimate(values, self._looked.asked.confidence))


def _groups(axes: Sequence[Axis | Open]) -> list[Values]:
    """The values of each axis to be tried alone: all, or some of a span."""
    return [
        (one.names, one.values) if isinstance(one, Axis) else ((one.name,), [(one.span.at(at),) for at in _TRIED])
        for one in axes
    ]


def _suggested(trial: "optuna.trial.Trial", one: Axis | Open) -> Point:
    """The values of an axis that the next trial should have."""
    if isinstance(one, Axis):
        return one.values[trial.suggest_categorical(" ".join(one.names), range(len(one.values)))]
    return (one.span.at(trial.suggest_float(one.name, 0.0, _TRIED[-1])),)


def _written(one: Axis | Open) -> str:
    """An axis as one line of sweep.json."""
    if isinstance(one, Open):
        return f"{one.name}={one.span.low}..{one.span.high} {one.span.unit}".strip()
    return f"{'+'.join(one.names)}={' | '.join('+'.join(row) for row in one.values)}"
