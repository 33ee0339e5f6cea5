"""The queue of orders whose values change with time: lanes in order of submission, ranked anew at each pass.

No order of an earlier pass is relied on. A memo still holds where the job at the head by the values of now is the one
that it names: who could not start then cannot start now, in whatever order they come.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from heapq import heapify, heappop, heapreplace
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from policies.ageing import SHORTEST_S, Ageing
from policies.order import fifo
from policies.queue import Lane, OrderKey, Queue, QueuedJob, Walk, tail
from scenarios.instants import instant, longest_s
from topologies.plant import Shape

if TYPE_CHECKING:
    from policies.view import Start, View

Floats = NDArray[np.float64]
_FEW = 12  # jobs up to which a loop is quicker than numpy


class AgeingLane(Lane):
    """A lane with what its jobs' values are made of, as columns in the order of its jobs.

    since_s: now less this is a job's wait. left_s: the estimate of what is left in its fastest pool.
    """

    __slots__ = ("left_s", "since_s")

    def __init__(self, shape: Shape) -> None:
        super().__init__(shape)
        self.since_s = np.empty(16)
        self.left_s = np.empty(16)

    def values(self, order: Ageing, now_s: float) -> Floats:
        """The values of all jobs, shape (n_jobs,)."""
        n = len(self.jobs)
        wait_s, estimate_s = now_s - self.since_s[:n], np.maximum(self.left_s[:n], SHORTEST_S)
        return np.asarray(order.value(wait_s, estimate_s, self.shape.chips))

    def best(self, order: Ageing, now_s: float) -> tuple[float, int]:
        """The lowest value and its position; of equals the first."""
        if len(self.jobs) > _FEW:
            values = self.values(order, now_s)
            at = int(values.argmin())
            return float(values[at]), at
        return min([(value_of(job, order, now_s), at) for at, job in enumerate(self.jobs)])

    def put(self, at: int, job: QueuedJob) -> None:
        """Take a job in at a position."""
        n = len(self.jobs)
        if n == len(self.since_s):
            self.since_s, self.left_s = np.resize(self.since_s, 2 * n), np.resize(self.left_s, 2 * n)
        for column, value in ((self.since_s, instant(job.submit_s + job.held_s)), (self.left_s, job.left_s)):
            if at < n:
                column[at + 1 : n + 1] = column[at:n]
            column[at] = value
        self.jobs.insert(at, job)
        insort(self.estimates, job.estimate)

    def drop(self, at: int) -> None:
        """Take out the job at a position."""
        n = len(self.jobs)
        for column in (self.since_s, self.left_s):
            column[at : n - 1] = column[at + 1 : n]
        job = self.jobs.pop(at)
        del self.estimates[bisect_left(self.estimates, job.estimate)]


def value_of(job: QueuedJob, order: Ageing, now_s: float) -> float:
    """The value of one job."""
    wait_s = now_s - instant(job.submit_s + job.held_s)
    return float(order.value(wait_s, max(job.left_s, SHORTEST_S), job.shape.chips))


class AgeingQueue(Queue):
    """All waiting jobs, by shape in order of submission."""

    __slots__ = ("_aged", "_ageing", "_ranked", "_ranked_s")

    def __init__(self, order: Ageing) -> None:
        super().__init__(fifo)
        self._ageing = order
        self._aged: dict[Shape, AgeingLane] = {}
        self.lanes = cast(dict[Shape, Lane], self._aged)  # the same lanes, as all queues have them
        self._ranked: list[tuple[OrderKey, int, AgeingLane]] | None = None
        self._ranked_s = 0.0

    def add(self, job: QueuedJob) -> None:
        """Put a job in its place."""
        lane = self._aged.get(job.shape)
        if lane is None:
            lane = self._aged[job.shape] = AgeingLane(job.shape)
        key = (job.submit_s, job.submit_s, job.row)
        at = bisect_left(lane.keys, key)
        lane.keys.insert(at, key)
        lane.put(at, job)
        self.jobs += 1
        self.chips += job.shape.chips
        self._ranked = None

    def remove(self, job: QueuedJob) -> None:
        """Take out a job."""
        lane = self._aged[job.shape]
        at = bisect_left(lane.keys, (job.submit_s, job.submit_s, job.row))
        del lane.keys[at]
        lane.drop(at)
        if not lane.jobs:
            del self._aged[job.shape]
        self.jobs -= 1
        self.chips -= job.shape.chips
        self._ranked = None

    def head(self, view: "View") -> QueuedJob | None:
        """The first job of all by the values of now."""
        if not self._aged:
            return None
        _, at, lane = min(self._rank(view.now_s))
        return lane.jobs[at]

    def walk(self, view: "View", _starts: Sequence["Start"]) -> "AgeingWalk":
        """A walk by the values of now."""
        return AgeingWalk(self._rank(view.now_s), self._ageing, view.now_s)

    def behind(self, _last: QueuedJob, jobs: Sequence[QueuedJob], view: "View") -> Sequence[QueuedJob] | None:
        """Some of the jobs in order; None unless all of them come after everybody else by what holds now."""
        return tail(self, jobs, view)

    def in_order(self, jobs: Sequence[QueuedJob], view: "View", _starts: Sequence["Start"]) -> Iterable[QueuedJob]:
        """Some of the jobs, first to go first."""
        if len(jobs) < 2:
            return jobs
        return sorted(jobs, key=lambda job: (value_of(job, self._ageing, view.now_s), job.submit_s, job.row))

    def _rank(self, now_s: float) -> list[tuple[OrderKey, int, AgeingLane]]:
        """The first job of each lane by the values of now; kept for the other questions of the same pass."""
        if self._ranked is None or self._ranked_s != now_s:
            self._ranked = []
            self._ranked_s = now_s
            for lane in self._aged.values():
                value, at = lane.best(self._ageing, now_s)
                _, submit_s, row = lane.keys[at]
                self._ranked.append(((value, submit_s, row), at, lane))
        return self._ranked


class AgeingWalk(Walk):
    """A walk by the values of one instant; the values of a lane are looked at again only where the walk stays in it."""

    __slots__ = ("_first", "_now_s", "_order", "_values")

    def __init__(self, ranked: Sequence[tuple[OrderKey, int, AgeingLane]], order: Ageing, now_s: float) -> None:
        super().__init__(())
        self._heap = list(ranked)
        heapify(self._heap)
        self._order = order
        self._now_s = now_s
        self._values: dict[Shape, Floats] = {}  # infinite where the walk has passed

    def next(self) -> None:
        """Go on to the next job; this one's lane stays in the walk."""
        lane, values = self._passed()
        self._stay(lane, values)

    def next_ending_by(self, now_s: float, end_s: float) -> None:
        """Go on; of this lane the next to come up is a job whose estimate ends by end_s."""
        _, _, lane = self._heap[0]
        most_s = longest_s(now_s, end_s)
        if lane.estimates[0] * min(lane.shape.pace_s) > most_s:
            heappop(self._heap)
            return
        lane, values = self._passed()
        values[lane.left_s[: len(values)] > most_s] = np.inf
        self._stay(lane, values)

    def _passed(self) -> tuple[AgeingLane, Floats]:
        """The first lane, and its values without the job just passed."""
        _, at, plain = self._heap[0]
        lane = cast(AgeingLane, plain)
        values = self._values.get(lane.shape)
        if values is None:
            values = self._values[lane.shape] = lane.values(self._order, self._now_s)
        values[at] = np.inf
        return lane, values

    def _stay(self, lane: AgeingLane, values: Floats) -> None:
        at = int(values.argmin())
        value = float(values[at])
        if value == np.inf:
            heappop(self._heap)
        else:
            _, submit_s, row = lane.keys[at]
            heapreplace(self._heap, ((value, submit_s, row), at, lane))
