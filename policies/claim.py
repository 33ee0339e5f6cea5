"""Claims: decisions to stop running gangs so that others, or they themselves in another size, get their chips."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from policies.queue import QueuedJob
from policies.view import Release, Start
from topologies.free import Placement


class Stoppable(Protocol):
    """A running gang that may be stopped."""

    @property
    def run(self) -> Release:
        """Its chips and its planned end."""

    @property
    def job(self) -> QueuedJob:
        """The job as it started, in the size in which it runs."""

    @property
    def from_s(self) -> float:
        """When it got its chips [s]."""

    @property
    def stopping(self) -> bool:
        """Whether it is being stopped already."""

    def job_at(self, now_s: float) -> QueuedJob:
        """The job as it would wait if it were stopped at a time and lost nothing."""

    def left_s(self, now_s: float) -> float:
        """The estimate of the run time that this job has left, in the fastest pool that it may use [s]."""

    def done_s(self, now_s: float) -> float:
        """Run time of work done since it got its chips [s]."""


class Claim(NamedTuple):
    """A decision: these gangs stop, and then these jobs start on these chips.

    job: who waits and gets chips, the first of the starts; None where gangs only change their size or go back to the
    queue. Other starts are of gangs that stop, which go on in another size. stops: empty where those under way are
    enough. grace_s: what the gangs that stop are told before they must go. reclaims: whether it takes back lent quota.
    """

    job: QueuedJob | None
    starts: tuple[Start, ...]
    stops: tuple[Stoppable, ...]
    grace_s: float
    reclaims: bool = False


class Pending(NamedTuple):
    """The stops under way: the gangs, and their chips that nobody will start on, by pool."""

    stops: tuple[Stoppable, ...]
    others: Mapping[int, Placement]
