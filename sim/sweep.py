"""A sweep, from its plan to a finished folder: every run on disk before it counts, in any order, on any workers.

Replication r of every point has the seed of the sweep plus r, and so the same random streams: differences between
points are differences of paired runs.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import polars as pl

from outputs.journal import Journal
from outputs.main_metrics import main_metrics
from outputs.statistics import settled
from outputs.sweep_folder import begin, begun, copies, finish, is_finished, is_sweep, sweep_from, tidy
from outputs.sweep_runs import runs_frame
from scenarios.files import Desk
from scenarios.sweep_file import Until
from sim.planning import Plan
from sim.work import Outcome, Task
from sim.workers import Executor

_MOST_WARNINGS = 5

Hire = Callable[[str, Desk], Executor]
"""(scenario as find() takes it, the desk of its runs) -> who does them."""


class Progress:
    """What a sweep tells while it goes on; this one keeps it to itself."""

    def start(self, runs: int, done: int) -> None:
        """So many runs are asked for by now, of which so many were done before."""

    def ended(self, task: Task, outcome: Outcome) -> None:
        """A run has ended and is on disk."""

    def warn(self, text: str) -> None:
        """Something that the user should know at once."""


def sweep(
    planned: Plan,
    hire: Hire,
    out: Path | None,
    resume: bool,
    force: bool,
    draw: Callable[[Path], object],
    told: Progress,
) -> Path:
    """Do all runs of a sweep that are not done yet, and finish its folder.

    draw: makes tables and pictures in the folder it is given, which holds runs.parquet. ScenarioError where the folder
    cannot be written; what is done by then is kept.
    """
    folder = _folder(planned, out, resume, force)
    if is_finished(folder):
        tidy(folder)
        return folder
    desk = Desk(Path.cwd(), copies(folder, planned.inputs))
    journal = Journal(folder)
    executor = hire(planned.scenario, desk)
    try:
        replications = _run(planned, journal, executor, told)
        _tell_warnings(journal, told)
        finish(folder, _frame(planned, journal, replications), draw)
    except KeyboardInterrupt:
        told.warn(f"{len(journal.done):,} runs are done and kept in {folder}; go on with --resume")
        raise
    finally:
        executor.close()
        journal.close()
    return folder


def _folder(planned: Plan, out: Path | None, resume: bool, force: bool) -> Path:
    name = planned.facts["name"]
    if resume and not (out is not None and (not out.exists() or (out.is_dir() and not is_sweep(out)))):
        return begun(name, out, planned.facts)
    return begin(name, out, force, planned.facts, planned.scenario_text)


def _run(planned: Plan, journal: Journal, executor: Executor, told: Progress) -> int:
    """Do what is not done yet; the number of replications that it took."""
    rule = planned.asked.until
    rounds = [(0, planned.asked.replications)] if rule is None else rule.rounds()
    total = 0
    for first, total in rounds:
        tasks = {task.key: task for task in planned.tasks(range(first, total))}
        missing = [task for key, task in tasks.items() if key not in journal.done]
        told.start(len(planned.points) * total, len(planned.points) * total - len(missing))
        for outcomes in executor.run(missing):
            journal.add(asdict(outcome) for outcome in outcomes)
            for outcome in outcomes:
                told.ended(tasks[outcome.key], outcome)
        if rule is not None and _settled(planned, journal, total, rule):
            break
    else:
        if rule is not None:
            told.warn(f"after {total} replications some means are not known to {rule.relative:.3g} of themselves yet")
    return total


def _tell_warnings(journal: Journal, told: Progress) -> None:
    """What the runs warned of, each text once."""
    counts = Counter(text for line in journal.rows() for text in line["warnings"])
    for text, count in counts.most_common(_MOST_WARNINGS):
        told.warn(f"{text} (in {count:,} of {len(journal.done):,} runs)")
    if len(counts) > _MOST_WARNINGS:
        told.warn(f"and {len(counts) - _MOST_WARNINGS:,} warnings more")


def _settled(planned: Plan, journal: Journal, replications: int, rule: Until) -> bool:
    """Whether every point's mean is known well enough; points none of whose runs has the metric do not count."""
    runs = _frame(planned, journal, replications)
    metrics = main_metrics(sweep_from(planned.facts, runs))
    if not metrics:
        return True  # every run failed
    values = runs[metrics[0]].to_list()
    by_point = [values[at : at + replications] for at in range(0, len(values), replications)]
    known = [[value for value in point if value is not None] for point in by_point]
    return all(settled(point, planned.asked.confidence, rule.relative) for point in known if point)


def _frame(planned: Plan, journal: Journal, replications: int) -> pl.DataFrame:
    keys = [task.key for task in planned.tasks(range(replications))]
    return runs_frame(planned.design, planned.seed, replications, keys, journal.rows())
