"""The runs of a sweep or a search: done by workers, each on disk before it counts, gone on with after any end."""

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from outputs.journal import Journal
from outputs.sweep_folder import begin, begun, copies, is_sweep
from scenarios.errors import ScenarioError
from scenarios.files import Desk
from sim.planning import Base
from sim.work import Outcome, Task
from sim.workers import Executor

_MOST_WARNINGS = 5

Hire = Callable[[str, Desk], Executor]
"""(scenario as find() takes it, the desk of its runs) -> who does them."""


class Progress:
    """What a sweep tells while it goes on; this one keeps it to itself."""

    def start(self, runs: int, done: int) -> None:
        """So many runs are asked for by now, of which so many are done."""

    def ended(self, task: Task, outcome: Outcome) -> None:
        """A run has ended and is on disk."""

    def warn(self, text: str) -> None:
        """Something that the user should know at once."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sweep is saved. out: None for a name of our own; resume: go on with what was begun there."""

    out: Path | None = None
    resume: bool = False
    force: bool = False

    def folder(self, base: Base, facts: Mapping[str, Any]) -> Path:
        """The folder, begun now or before; ScenarioError where it cannot be."""
        there = self.out is None or (self.out.exists() and (is_sweep(self.out) or not self.out.is_dir()))
        if self.resume and there:
            return begun(base.name, self.out, facts)
        return begin(base.name, self.out, self.force, facts, base.scenario_text)


class Runs:
    """What has been done, and who does the rest."""

    def __init__(self, journal: Journal, executor: Executor, told: Progress) -> None:
        self._journal, self._executor, self._told = journal, executor, told

    def do(self, tasks: Sequence[Task], before: int = 0, after: int = 0) -> None:
        """Do what is not done yet of some tasks; before and after: further runs, for the progress alone."""
        by_key = {task.key: task for task in tasks}
        missing = [task for key, task in by_key.items() if key not in self._journal.done]
        self._told.start(before + len(by_key) + after, before + len(by_key) - len(missing))
        for outcomes in self._executor.run(missing):
            self._journal.add(asdict(outcome) for outcome in outcomes)
            for outcome in outcomes:
                self._told.ended(by_key[outcome.key], outcome)

    def lines(self) -> Iterator[dict[str, Any]]:
        """The journal's lines, in the order in which the runs ended."""
        return self._journal.rows()

    def tell_warnings(self) -> None:
        """What the runs warned of, each text once."""
        counts = Counter(text for line in self._journal.rows() for text in line["warnings"])
        for text, count in counts.most_common(_MOST_WARNINGS):
            self._told.warn(f"{text} (in {count:,} of {len(self._journal.done):,} runs)")
        if len(counts) > _MOST_WARNINGS:
            self._told.warn(f"and {len(counts) - _MOST_WARNINGS:,} warnings more")


class NoSuchMetricError(ScenarioError):
    """What a sweep or a search goes by is no metric of any run: nothing that was done is of use."""


@contextmanager
def under_way(folder: Path, base: Base, hire: Hire, told: Progress) -> Iterator[Runs]:
    """The runs of a folder, with its journal open and workers hired. The folder goes where no run has the metric."""
    journal = Journal(folder)
    useless = False
    try:
        executor = hire(base.scenario, Desk(Path.cwd(), copies(folder, base.inputs)))
        try:
            yield Runs(journal, executor, told)
        except KeyboardInterrupt:
            told.warn(f"{len(journal.done):,} runs are done and kept in {folder}; go on with --resume")
            raise
        except NoSuchMetricError:
            useless = True
            raise
        finally:
            executor.close()
    finally:
        journal.close()
        if useless:
            shutil.rmtree(folder)
