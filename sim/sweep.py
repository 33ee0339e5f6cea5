"""A sweep, from its plan to a finished folder: the same bytes whatever the order of the runs and whoever does them.

Replication r of every point has the seed of the sweep plus r, and so the same random streams: differences between
points are differences of paired runs.
"""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from outputs.main_metrics import main_metrics
from outputs.statistics import settled
from outputs.sweep_folder import finish, is_finished, sweep_from, tidy
from outputs.sweep_runs import runs_frame
from scenarios.errors import unknown
from scenarios.sweep_file import Until
from sim.planning import Plan
from sim.runs import Hire, NoSuchMetricError, Place, Progress, Runs, under_way


def sweep(planned: Plan, hire: Hire, place: Place, draw: Callable[[Path], object], told: Progress) -> Path:
    """Do all runs of a sweep that are not done yet, and finish its folder.

    draw: makes tables and pictures in the folder it is given, which holds runs.parquet. ScenarioError where the folder
    cannot be written; what is done by then is kept.
    """
    folder = place.folder(planned.base, planned.facts)
    if is_finished(folder):
        tidy(folder)
        return folder
    with under_way(folder, planned.base, hire, told) as runs:
        replications = _do(planned, runs, told)
        runs.tell_warnings()
        finish(folder, _frame(planned, runs, replications), draw)
    return folder


def _do(planned: Plan, runs: Runs, told: Progress) -> int:
    """Do what is not done yet; the number of replications that it took."""
    rule = planned.asked.until
    rounds = [(0, planned.asked.replications)] if rule is None else rule.rounds()
    total = 0
    for first, total in rounds:
        runs.do(planned.tasks(range(first, total)), before=first * len(planned.points))
        if rule is not None and _settled(planned, runs, total, rule):
            break
    else:
        if rule is not None:
            told.warn(f"after {total} replications some means are not known to {rule.relative:.3g} of themselves yet")
    return total


def _settled(planned: Plan, runs: Runs, replications: int, rule: Until) -> bool:
    """Whether every point's mean is known well enough; points none of whose runs has the metric do not count."""
    frame = _frame(planned, runs, replications)
    found = sweep_from(planned.facts, frame)
    metrics = main_metrics(found)
    if not metrics:
        return True  # every run failed
    if planned.asked.metrics and metrics[0] != planned.asked.metrics[0]:
        raise NoSuchMetricError(unknown("metric", planned.asked.metrics[0], found.all_metrics), "--metric")
    values = frame[metrics[0]].to_list()
    by_point = [values[at : at + replications] for at in range(0, len(values), replications)]
    known = [[value for value in point if value is not None] for point in by_point]
    return all(settled(point, planned.asked.confidence, rule.relative) for point in known if point)


def _frame(planned: Plan, runs: Runs, replications: int) -> pl.DataFrame:
    keys = [task.key for task in planned.tasks(range(replications))]
    counts = [replications] * len(planned.points)
    return runs_frame(planned.design, planned.base.seed, counts, keys, runs.lines())
