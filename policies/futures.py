"""What stays free through a span of future time: the chips of a pool by domain, and the power at every level.

Running gangs give theirs back at their planned ends; promised gangs take theirs for their spans. Does not decide which
span is asked for: that is policies/plan.py.
"""

import math
from bisect import bisect_right
from collections.abc import Collection, Sequence
from typing import NamedTuple

from policies.placement import Placer
from policies.queue import QueuedJob
from policies.trial import seat_of, seat_under
from policies.view import Release
from topologies.boxes import Box
from topologies.free import FreeChips, Placement
from topologies.headroom import Headroom
from topologies.plant import Shape


class Promise(NamedTuple):
    """The reservation of a waiting gang: a place from a time to another [s]. At infinity it has none, in no pool.

    length_s: the estimate of its run time in that pool.
    """

    job: QueuedJob
    pool: int
    start_s: float
    end_s: float
    placement: Placement
    length_s: float

    def takes_nw(self) -> int:
        """What the gang draws more at the feed."""
        return self.job.shape.gang_nw(self.pool)


class Futures:
    """The plant as the running gangs will leave it, from a pass on. What it has found out once, it keeps."""

    __slots__ = ("_ends", "_free", "_headrooms", "_times", "headroom", "now_s", "placer", "running")

    def __init__(
        self,
        now_s: float,
        free: Sequence[FreeChips],
        headroom: Headroom,
        running: Sequence[Sequence[Release]],
        placer: Placer,
    ) -> None:
        """What is free now and the running gangs by pool, sorted by planned ends, which are later; it keeps these."""
        self.now_s = now_s
        self.placer = placer
        self.headroom = headroom
        self.running = running
        self._times = [[now_s] for _ in free]  # of each pool: when its free chips are known, rising
        self._free = [[index] for index in free]
        self._headrooms = {now_s: headroom}
        self._ends: dict[tuple[Shape, int], float] = {}

    def free_at(self, pool: int, time_s: float) -> FreeChips:
        """The free chips of a pool when all have ended that will by then; to be read only."""
        times, known = self._times[pool], self._free[pool]
        at = bisect_right(times, time_s) - 1
        if times[at] == time_s:
            return known[at]
        running = self.running[pool]
        first = bisect_right(running, times[at], key=_end_s)
        last = bisect_right(running, time_s, key=_end_s)
        if first == last:
            return known[at]
        later = known[at].copy()
        for run in running[first:last]:
            later.give(run.placement)
        times.insert(at + 1, time_s)
        known.insert(at + 1, later)
        return later

    def soonest_s(self, shape: Shape, pool: int) -> float:
        """The earliest time at which a gang has a place beside the running ones alone; infinite where it never has.

        A place that is there stays as more gangs end: so ever longer strides of ends are passed until there is one, and
        the last stride is halved until its first end is left.
        """
        key = (shape, pool)
        found = self._ends.get(key)
        if found is None:
            ends = [self.now_s, *[run.planned_end_s for run in self.running[pool]]]
            without, at, stride = -1, 0, 1
            while at < len(ends) and not self._has_place(shape, pool, ends[at]):
                without, at, stride = at, at + stride, 2 * stride
            with_place = min(at, len(ends))
            while without + 1 < with_place:
                middle = (without + with_place) // 2
                if self._has_place(shape, pool, ends[middle]):
                    with_place = middle
                else:
                    without = middle
            found = self._ends[key] = ends[with_place] if with_place < len(ends) else math.inf
        return found

    def _has_place(self, shape: Shape, pool: int, time_s: float) -> bool:
        return seat_of(self.free_at(pool, time_s), self.placer, shape) is not None

    def left(self, pool: int, start_s: float, end_s: float, others: Collection[Promise]) -> FreeChips:
        """The chips of a pool that are free all the time from start to end, with others promised theirs."""
        free = self.free_at(pool, start_s)
        beside = [other for other in others if other.start_s < end_s and other.end_s > start_s]
        if not beside:
            return free
        if free.boxes is not None:
            return _without_boxes(free, beside)
        by_domain: dict[int, list[tuple[float, float, int]]] = {}
        for other in beside:
            for domain, chips in other.placement:
                by_domain.setdefault(domain, []).append((other.start_s, other.end_s, chips))
        taken = []
        for domain, spans in by_domain.items():
            least = free.in_domain(domain)
            have = least
            for time_s in {max(start_s, start) for start, _, _ in spans}:
                held = sum([chips for start, end, chips in spans if start <= time_s < end])
                then = have if time_s == start_s else self.free_at(pool, time_s).in_domain(domain)
                least = min(least, then - held)
            if least < have:
                taken.append((domain, have - max(0, least)))
        less = free.copy()
        less.take(tuple(taken))
        return less

    def power_left(self, start_s: float, end_s: float, others: Collection[Promise]) -> Headroom:
        """The power at every level below the feed that is left all the time from start to end."""
        beside = [other for other in others if other.start_s < end_s and other.end_s > start_s]
        least = None
        for time_s in {start_s, *[other.start_s for other in beside if other.start_s > start_s]}:
            then = self._power_at(time_s).copy()
            for job, pool, start, end, placement, _ in beside:
                if start <= time_s < end:
                    then.take(pool, placement, job.shape.draw_nw[job.shape.pools.index(pool)])
            least = then if least is None else least.least(then)
        return self.headroom if least is None else least

    def seat(
        self, shape: Shape, pool: int, start_s: float, end_s: float, others: Sequence[Collection[Promise]]
    ) -> Placement | None:
        """Where a gang can stay in a pool from start to end, None where it cannot; others: the promises by pool."""
        free = self.left(pool, start_s, end_s, others[pool])
        if not self.headroom.bound_below:
            return seat_of(free, self.placer, shape)
        power = self.power_left(start_s, end_s, [other for promises in others for other in promises])
        return seat_under(free, power, self.placer, shape, pool)

    def holds(self, promise: Promise, others: Sequence[Collection[Promise]]) -> bool:
        """Whether a gang can stay where it is promised to, beside the others."""
        job, pool, start_s, end_s, placement, _ = promise
        if not self.left(pool, start_s, end_s, others[pool]).holds(placement):
            return False
        if not self.headroom.bound_below:
            return True
        power = self.power_left(start_s, end_s, [other for promises in others for other in promises])
        return not power.overdrawn(pool, placement, job.shape.draw_nw[job.shape.pools.index(pool)])

    def _power_at(self, time_s: float) -> Headroom:
        found = self._headrooms.get(time_s)
        if found is None:
            found = self.headroom.copy()
            for running in self.running:
                for run in running[: bisect_right(running, time_s, key=_end_s)]:
                    found.give(run.pool, run.placement, run.gang_nw // run.chips)
            self._headrooms[time_s] = found
        return found


def _end_s(run: Release) -> float:
    return run.planned_end_s


def _without_boxes(free: FreeChips, beside: Collection[Promise]) -> FreeChips:
    """In a torus every chip counts that somebody holds at some time of the span."""
    masks: dict[int, int] = {}
    for other in beside:
        for domain, chips in other.placement:
            mask = chips.mask if isinstance(chips, Box) else (1 << free.domain_chips) - 1
            masks[domain] = masks.get(domain, 0) | mask
    less = free.copy()
    assert less.boxes is not None
    held = [(domain, mask & less.boxes.chips[domain]) for domain, mask in masks.items()]
    less.take(tuple([(domain, Box(mask.bit_count(), mask)) for domain, mask in held]))
    return less
