"""The running gangs as preemption sees them: by rank, those that yield first at the end."""

from bisect import bisect_left, insort
from collections.abc import Callable
from enum import Enum
from typing import Protocol, TypeAlias

from policies.order import deadline, fifo, ljf, priority, sjf, smallest_first, srtf
from policies.queue import QueuedJob, StaticOrder, Value
from policies.view import Release

Rank: TypeAlias = tuple[Value, ...]
"""The lowest rank keeps its chips longest; whoever waits takes chips only from ranks strictly above its own."""


class Stoppable(Protocol):
    """A running gang that may be stopped."""

    @property
    def run(self) -> Release:
        """Its chips and its planned end."""

    @property
    def from_s(self) -> float:
        """When it got its chips [s]."""

    @property
    def stopping(self) -> bool:
        """Whether it is being stopped already."""

    def job_at(self, now_s: float) -> QueuedJob:
        """The job as it would wait if it were stopped at a time and lost nothing."""

    def done_s(self, now_s: float) -> float:
        """Run time of work done since it got its chips [s]."""


class Change(Enum):
    """How the rank of a gang moves while it runs."""

    NEVER = "never"
    DOWN = "down"
    ANY = "any"


def change_of(order: StaticOrder) -> Change:
    """How what an order says of a job moves while it runs; of a user's own order nothing is known."""
    if order in (fifo, sjf, ljf, smallest_first, priority, deadline):
        return Change.NEVER
    return Change.DOWN if order is srtf else Change.ANY


class RunningGangs:
    """All running gangs, sorted by what their ranks were when last looked at.

    Where ranks only go down that bounds them from above: a gang whose old rank is not above a job's need not be asked.
    """

    __slots__ = ("_change", "_entries", "_known", "_rank")

    def __init__(self, rank: Callable[[QueuedJob], Rank], change: Change) -> None:
        self._rank = rank
        self._change = change
        self._entries: list[tuple[Rank, int, Stoppable]] = []
        self._known: dict[int, Rank] = {}  # by row

    def add(self, gang: Stoppable, now_s: float) -> None:
        """A gang starts."""
        self._put(self._rank(gang.job_at(now_s)), gang)

    def remove(self, gang: Stoppable) -> None:
        """A gang ends or has been stopped."""
        row = gang.run.row
        del self._entries[bisect_left(self._entries, (self._known.pop(row), row))]

    def after(self, rank: Rank, now_s: float) -> list[tuple[Rank, Stoppable]]:
        """The gangs above a rank and theirs, the highest first; those of equal ranks by their row, the last first."""
        entries = self._entries
        if self._change is Change.ANY:
            below = 0
        else:
            below = len(entries)
            while below and entries[below - 1][0] > rank:
                below -= 1
        if self._change is not Change.NEVER:
            above, entries[below:] = entries[below:], []
            for _, _, gang in above:
                self._put(self._rank(gang.job_at(now_s)), gang)
            below = len(entries)
            while below and entries[below - 1][0] > rank:
                below -= 1
        return [(known, gang) for known, _, gang in reversed(entries[below:])]

    def _put(self, rank: Rank, gang: Stoppable) -> None:
        row = gang.run.row
        self._known[row] = rank
        insort(self._entries, (rank, row, gang), key=lambda entry: entry[:2])
