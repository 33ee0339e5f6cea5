"""What stays free through a span of future time: the chips of a pool by domain, and the power at every level.

Running gangs give theirs back at their planned ends; promised gangs take theirs for their spans. Does not decide which
span is asked for: that is policies/plan.py.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Sequence

from policies.placement import Placer
from policies.promise import Promise
from policies.trial import seat_of, seat_under
from policies.view import Release
from topologies.boxes import Box
from topologies.free import FreeChips, Placement, domain_bits
from topologies.headroom import Headroom
from topologies.plant import Shape

_CARRIED = 16  # times at which the free chips of a pool are carried over from pass to pass


class Futures:
    """The plant as the running gangs will leave it, from a pass on. What it has found out once, it keeps."""

    __slots__ = ("_ends", "_free", "_headrooms", "_times", "free", "headroom", "now_s", "placer", "running")

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
        self.free = free
        self.headroom = headroom
        self.running = running
        self._times = [[now_s] for _ in free]  # of each pool: when its free chips are known, rising
        self._free = [[index] for index in free]
        self._headrooms = {now_s: headroom}
        self._ends: dict[tuple[Shape, int], float] = {}

    def carry(self, earlier: "Futures", pool: int, gone: Sequence[Release], come: Sequence[Release]) -> None:
        """Take over what earlier futures of a pool have found out, since when no more than these have gone or come."""
        times_s = [time_s for time_s in earlier._times[pool] if time_s > self.now_s]
        for time_s in times_s[:: len(times_s) // _CARRIED + 1]:
            index = earlier.free_at(pool, time_s).copy()
            for run in come:
                if run.planned_end_s > time_s:
                    index.take(run.placement)
            for run in gone:
                if run.planned_end_s > time_s:
                    index.give(run.placement)
            self._times[pool].append(time_s)
            self._free[pool].append(index)

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
            if self._has_place(shape, pool, self.now_s):
                self._ends[key] = self.now_s
                return self.now_s
            runs = self.running[pool]
            without, at, stride = -1, 0, 1
            while at < len(runs) and not self._has_place(shape, pool, runs[at].planned_end_s):
                without, at, stride = at, at + stride, 2 * stride
            with_place = min(at, len(runs))
            while without + 1 < with_place:
                middle = (without + with_place) // 2
                if self._has_place(shape, pool, runs[middle].planned_end_s):
                    with_place = middle
                else:
                    without = middle
            found = self._ends[key] = runs[with_place].planned_end_s if with_place < len(runs) else math.inf
        return found

    def ends_s(self, pool: int | None, after_s: float, before_s: float) -> list[float]:
        """When running gangs of a pool, None for all of them, end between two times."""
        pools = self.running if pool is None else (self.running[pool],)
        found = []
        for running in pools:
            first = bisect_right(running, after_s, key=_end_s)
            last = bisect_left(running, before_s, first, key=_end_s)
            found += [run.planned_end_s for run in running[first:last]]
        return found

    def _has_place(self, shape: Shape, pool: int, time_s: float) -> bool:
        return seat_of(self.free_at(pool, time_s), self.placer, shape) is not None

    def _left(self, pool: int, start_s: float, beside: Sequence[Promise], whole: int) -> FreeChips:
        """The chips of a pool that are free all the time from a start to the end of the span.

        beside: the promises there in that time. whole: the domains that some take wholly, which are left as they are.
        """
        free = self.free_at(pool, start_s)
        parts = [other for other in beside if other.parts]
        if not parts:
            return free
        if free.boxes is not None:
            return _without_boxes(free, parts)
        by_domain: dict[int, list[tuple[float, float, int]]] = {}
        for other in parts:
            for domain, chips in other.parts:
                if not whole >> domain & 1:
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
        if not taken:
            return free
        less = free.copy()
        less.take(tuple(taken))
        return less

    def power_left(self, start_s: float, end_s: float, others: Collection[Promise]) -> Headroom:
        """The power at every level below the feed that is left all the time from start to end."""
        beside = [other for other in others if other.start_s < end_s and other.end_s > start_s]
        least = None
        for time_s in {start_s, *[other.start_s for other in beside if other.start_s > start_s]}:
            then = self._power_at(time_s).copy()
            for job, pool, start, end, placement, *_ in beside:
                if start <= time_s < end:
                    then.take(pool, placement, job.shape.draw_nw[job.shape.pools.index(pool)])
            least = then if least is None else least.least(then)
        return self.headroom if least is None else least

    def seat(
        self, shape: Shape, pool: int, start_s: float, end_s: float, others: Sequence[Collection[Promise]]
    ) -> Placement | None:
        """Where a gang can stay in a pool from start to end, None where it cannot; others: the promises by pool."""
        beside, whole = _beside(start_s, end_s, others[pool])
        at_start = self.free_at(pool, start_s)
        seat = seat_of(at_start, self.placer, shape, whole)
        if seat is None:
            return None
        free = self._left(pool, start_s, beside, whole)
        if not self.headroom.bound_below:
            return seat if free is at_start else seat_of(free, self.placer, shape, whole)
        power = self.power_left(start_s, end_s, [other for promises in others for other in promises])
        return seat_under(free, power, self.placer, shape, pool, whole)

    def holds(self, promise: Promise, others: Sequence[Collection[Promise]]) -> bool:
        """Whether a gang can stay where it is promised to, beside the others."""
        job, pool, start_s, end_s, placement = promise[:5]
        beside, whole = _beside(start_s, end_s, others[pool])
        if whole & domain_bits(placement):
            return False
        if not self._left(pool, start_s, beside, whole).holds(placement):
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


def _beside(start_s: float, end_s: float, others: Iterable[Promise]) -> tuple[list[Promise], int]:
    """The promises between two times, and the domains that they take wholly, as bits."""
    beside = [other for other in others if other.start_s < end_s and other.end_s > start_s]
    whole = 0
    for other in beside:
        whole |= other.whole
    return beside, whole


def _without_boxes(free: FreeChips, beside: Collection[Promise]) -> FreeChips:
    """In a torus every chip counts that somebody holds at some time of the span."""
    masks: dict[int, int] = {}
    for other in beside:
        for domain, chips in other.parts:
            mask = chips.mask if isinstance(chips, Box) else (1 << free.domain_chips) - 1
            masks[domain] = masks.get(domain, 0) | mask
    less = free.copy()
    assert less.boxes is not None
    held = [(domain, mask & less.boxes.chips[domain]) for domain, mask in masks.items()]
    less.take(tuple([(domain, Box(mask.bit_count(), mask)) for domain, mask in held]))
    return less
