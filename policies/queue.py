"""The waiting jobs, grouped by shape so that a scheduling pass touches shapes and not jobs."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from heapq import heapify, heappop, heapreplace
from typing import NamedTuple, TypeAlias

from topologies.plant import Shape

OrderKey: TypeAlias = tuple[float, float, int]
"""(value of the order policy, submit_s, row): the lowest goes first, ties in order of submission."""


class QueuedJob(NamedTuple):
    """A waiting job as policies see it. estimate is the user's word, in units of work; nobody knows more yet."""

    row: int
    shape: Shape
    submit_s: float
    estimate: float
    job_class: int = 0

    def estimate_s(self, pool: int) -> float:
        """The user's estimate of the run time in a pool [s]."""
        return self.estimate * self.shape.pace_in(pool)


class Lane:
    """The waiting jobs of one shape, in order."""

    __slots__ = ("estimates", "jobs", "keys", "shape")

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.keys: list[OrderKey] = []
        self.jobs: list[QueuedJob] = []
        self.estimates: list[float] = []  # rising, to know at once that no job is short enough

    def next_ending_by(self, at: int, now_s: float, end_s: float) -> int:
        """The position from `at` on of the first job that could end by end_s in its fastest pool, -1 if there is none.

        The sum is compared, not the difference: a planned end is now + estimate, and rounding must not part equals.
        """
        pace_s = min(self.shape.pace_s)
        if now_s + self.estimates[0] * pace_s > end_s:
            return -1
        jobs = self.jobs
        for index in range(at, len(jobs)):
            if now_s + jobs[index].estimate * pace_s <= end_s:
                return index
        return -1


class Queue:
    """All waiting jobs, by shape; lanes that run empty are dropped."""

    __slots__ = ("chips", "jobs", "lanes")

    def __init__(self) -> None:
        self.lanes: dict[Shape, Lane] = {}
        self.jobs = 0
        self.chips = 0

    def add(self, job: QueuedJob, value: float) -> None:
        """Put a job in its place; value is what the order policy says of it."""
        lane = self.lanes.get(job.shape)
        if lane is None:
            lane = self.lanes[job.shape] = Lane(job.shape)
        key = (value, job.submit_s, job.row)
        if not lane.keys or key > lane.keys[-1]:
            lane.keys.append(key)
            lane.jobs.append(job)
        else:
            at = bisect_left(lane.keys, key)
            lane.keys.insert(at, key)
            lane.jobs.insert(at, job)
        insort(lane.estimates, job.estimate)
        self.jobs += 1
        self.chips += job.shape.chips

    def remove(self, job: QueuedJob, value: float) -> None:
        """Take out a job that was added with this value."""
        lane = self.lanes[job.shape]
        at = bisect_left(lane.keys, (value, job.submit_s, job.row))
        del lane.keys[at]
        del lane.jobs[at]
        if lane.jobs:
            del lane.estimates[bisect_left(lane.estimates, job.estimate)]
        else:
            del self.lanes[job.shape]
        self.jobs -= 1
        self.chips -= job.shape.chips

    def head(self) -> QueuedJob | None:
        """The first job of all."""
        if not self.lanes:
            return None
        return min(self.lanes.values(), key=_first_key).jobs[0]


def _first_key(lane: Lane) -> OrderKey:
    return lane.keys[0]


class Walk:
    """A walk through a queue in order that can leave whole lanes out."""

    __slots__ = ("_heap",)

    def __init__(self, queue: Queue) -> None:
        self._heap = [(lane.keys[0], 0, lane) for lane in queue.lanes.values()]
        heapify(self._heap)

    def __iter__(self) -> Iterator[QueuedJob]:
        """The first job not yet passed, again and again until next, next_ending_by or leave moves on."""
        heap = self._heap
        while heap:
            _, at, lane = heap[0]
            yield lane.jobs[at]

    def next(self) -> None:
        """Go on to the next job; this one's lane stays in the walk."""
        _, at, lane = self._heap[0]
        at += 1
        if at < len(lane.jobs):
            heapreplace(self._heap, (lane.keys[at], at, lane))
        else:
            heappop(self._heap)

    def next_ending_by(self, now_s: float, end_s: float) -> None:
        """Go on; of this lane the next to come up is a job whose estimate ends by end_s."""
        _, at, lane = self._heap[0]
        at = lane.next_ending_by(at + 1, now_s, end_s)
        if at < 0:
            heappop(self._heap)
        else:
            heapreplace(self._heap, (lane.keys[at], at, lane))

    def leave(self) -> None:
        """Go on; nobody of this lane comes up again."""
        heappop(self._heap)
