"""The waiting jobs, grouped by shape so that a scheduling pass touches shapes and not jobs.

The queue here is that of static orders: what the order says of a job does not change while it waits.
"""

import math
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush, heapreplace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from scenarios.instants import instant, longest_s
from topologies.plant import Shape

if TYPE_CHECKING:
    from policies.view import Start, View

Value: TypeAlias = float | tuple[float, ...]
OrderKey: TypeAlias = tuple[Value, float, int]
"""(value of the order policy, submit_s, row): the lowest goes first, ties in order of submission."""


class Past(NamedTuple):
    """What a job that has run before and was stopped has behind it.

    asked: its estimate when it was submitted, in units of work. held_s: time on its chips so far, in all its stays.
    """

    asked: float
    first_start_s: float
    held_s: float


class Sizes(NamedTuple):
    """The sizes in which a malleable job may run, rising, and the one that it asks for or the nearest in its bounds."""

    shapes: tuple[Shape, ...]
    asked: Shape


class QueuedJob(NamedTuple):
    """A waiting job as policies see it. estimate is the user's word, in units of work; nobody knows more yet.

    Of a job that was stopped the estimate is what is left of it, and past says the rest. tenant: a number of the run.
    priority: of its class, higher is more urgent. deadline_s: when it should have ended, infinite for never. sizes:
    where it may run in others than its shape.
    """

    row: int
    shape: Shape
    submit_s: float
    estimate: float
    job_class: int = 0
    tenant: int = 0
    priority: int = 0
    deadline_s: float = math.inf
    past: Past | None = None
    sizes: Sizes | None = None

    def estimate_s(self, pool: int) -> float:
        """The user's estimate of the run time in a pool [s]."""
        return self.estimate * self.shape.pace_in(pool)

    @property
    def held_s(self) -> float:
        """Time on its chips before it was stopped, in all its stays [s]."""
        return 0.0 if self.past is None else self.past.held_s

    @property
    def asked_s(self) -> float:
        """The estimate of the whole run time at its submission, in the fastest pool that the job may use [s]."""
        return (self.estimate if self.past is None else self.past.asked) * min(self.shape.pace_s)

    @property
    def left_s(self) -> float:
        """The estimate of the run time that is left, in the fastest pool that the job may use [s]."""
        return instant(self.estimate * min(self.shape.pace_s))


StaticOrder: TypeAlias = Callable[[QueuedJob], Value]


class Lane:
    """The waiting jobs of one shape, in order."""

    __slots__ = ("estimates", "jobs", "keys", "shape")

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.keys: list[OrderKey] = []
        self.jobs: list[QueuedJob] = []
        self.estimates: list[float] = []  # rising, to know at once that no job is short enough

    def next_ending_by(self, at: int, now_s: float, end_s: float) -> int:
        """The position from `at` on of the first job that could end by end_s in its fastest pool, -1 for none."""
        pace_s, most_s = min(self.shape.pace_s), longest_s(now_s, end_s)
        if self.estimates[0] * pace_s > most_s:
            return -1
        jobs = self.jobs
        for index in range(at, len(jobs)):
            if jobs[index].estimate * pace_s <= most_s:
                return index
        return -1


class Queue:
    """All waiting jobs under a static order, by shape; lanes that run empty are dropped."""

    __slots__ = ("_order", "chips", "jobs", "lanes")

    def __init__(self, order: StaticOrder) -> None:
        self._order = order
        self.lanes: dict[Shape, Lane] = {}
        self.jobs = 0
        self.chips = 0

    def add(self, job: QueuedJob) -> None:
        """Put a job in its place."""
        lane = self.lanes.get(job.shape)
        if lane is None:
            lane = self.lanes[job.shape] = Lane(job.shape)
        key = (self._order(job), job.submit_s, job.row)
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

    def remove(self, job: QueuedJob) -> None:
        """Take out a job."""
        lane = self.lanes[job.shape]
        at = bisect_left(lane.keys, (self._order(job), job.submit_s, job.row))
        del lane.keys[at]
        del lane.jobs[at]
        if lane.jobs:
            del lane.estimates[bisect_left(lane.estimates, job.estimate)]
        else:
            del self.lanes[job.shape]
        self.jobs -= 1
        self.chips -= job.shape.chips

    def head(self, _view: "View") -> QueuedJob | None:
        """The first job of all."""
        if not self.lanes:
            return None
        return min(self.lanes.values(), key=first_key).jobs[0]

    def walk(self, _view: "View", _starts: Sequence["Start"]) -> "Walk":
        """A walk through the queue as it stands; starts are those of the pass, which grow while it walks."""
        return Walk(self.lanes.values())

    def waiting(self, job: QueuedJob) -> QueuedJob | None:
        """The job that waits and equals another one, None where there is none."""
        lane = self.lanes.get(job.shape) if isinstance(job.shape, Shape) else None
        if lane is None:
            return None
        at = bisect_left(lane.keys, (self._order(job), job.submit_s, job.row))
        return lane.jobs[at] if at < len(lane.jobs) and lane.jobs[at] == job else None

    def behind(self, last: QueuedJob, jobs: Sequence[QueuedJob], _view: "View") -> Sequence[QueuedJob] | None:
        """Some of the jobs in order; None unless all of them come after everybody else, the last of whom is given."""
        keyed = sorted([((self._order(job), job.submit_s, job.row), job) for job in jobs])
        if keyed and keyed[0][0] < (self._order(last), last.submit_s, last.row):
            return None
        return [job for _, job in keyed]

    def in_order(self, jobs: Sequence[QueuedJob], view: "View", starts: Sequence["Start"]) -> Iterable[QueuedJob]:
        """Some of the jobs, first to go first; starts as for a walk."""
        del view, starts
        if len(jobs) < 2:
            return jobs
        return sorted(jobs, key=lambda job: (self._order(job), job.submit_s, job.row))


def tail(queue: Queue, jobs: Sequence[QueuedJob], view: "View") -> Sequence[QueuedJob] | None:
    """Some of the jobs in order where nobody else comes after any of them; None elsewhere."""
    if not jobs:
        return jobs
    found = list(queue.walk(view, ()).through())[-len(jobs) :]
    return found if {job.row for job in found} == {job.row for job in jobs} else None


def first_key(lane: Lane) -> OrderKey:
    """The key of a lane's first job."""
    return lane.keys[0]


class Walk:
    """A walk through lanes in order that can leave whole lanes out."""

    __slots__ = ("_heap",)

    def __init__(self, lanes: Iterable[Lane]) -> None:
        self._heap = [(lane.keys[0], 0, lane) for lane in lanes]
        heapify(self._heap)

    def __iter__(self) -> Iterator[QueuedJob]:
        """The first job not yet passed, again and again until next, next_ending_by or leave moves on."""
        heap = self._heap
        while heap:
            _, at, lane = heap[0]
            yield lane.jobs[at]

    def through(self) -> Iterator[QueuedJob]:
        """All jobs, one after the other."""
        for job in self:
            yield job
            self.next()

    def __bool__(self) -> bool:
        """Whether anybody is left."""
        return bool(self._heap)

    def first(self) -> QueuedJob:
        """The first job not yet passed."""
        _, at, lane = self._heap[0]
        return lane.jobs[at]

    def first_key(self) -> OrderKey:
        """Its key."""
        return self._heap[0][0]

    def enter_ending_by(self, lane: Lane, now_s: float, end_s: float) -> None:
        """Take another lane in, from its first job whose estimate ends by end_s."""
        at = lane.next_ending_by(0, now_s, end_s)
        if at >= 0:
            heappush(self._heap, (lane.keys[at], at, lane))

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
