"""Chips, power and quota at all future times, with gangs that run and gangs that are promised a place.

Answers when and where one more gang can start. Does not say who gets the place: that is policies/plan.py.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from heapq import merge

from policies.futures import Futures
from policies.placement import Placer
from policies.promise import Promise, promised, span_end_s
from policies.queue import QueuedJob
from policies.quota_futures import QuotaFutures
from policies.steps import Steps
from policies.view import Release, View
from topologies.plant import Shape


class Outlook:
    """What will be left, as seen from an instant. A gang past its estimate counts as ending next.

    held: by pool and row who is promised a place, or starts there in this pass. one: by pool, whether all its
    processors are alike; chips: how many of them are free over time. feed: the power there, where it is capped.
    """

    __slots__ = ("_domain_chips", "_rises_s", "chips", "feed", "futures", "held", "now_s", "one", "quotas")

    def __init__(self, view: View, placer: Placer) -> None:
        """Nobody is promised anything yet."""
        self.now_s, headroom = view.now_s, view.headroom
        running = [_ahead(runs, self.now_s) for runs in view.running]
        free = [index.copy() for index in view.free]
        self.futures = Futures(self.now_s, free, headroom.copy() if headroom.capped else headroom, running, placer)
        self.one = [index.domains == 1 and index.boxes is None and not headroom.bound_below for index in free]
        self.chips = [
            Steps(self.now_s, index.free, [(run.planned_end_s, run.chips) for run in runs] if one else ())
            for index, runs, one in zip(free, running, self.one, strict=True)
        ]
        self.feed: Steps | None = None
        self._rises_s: list[float] = []
        if headroom.capped:
            rises = [rise._replace(planned_end_s=max(rise.planned_end_s, self.now_s)) for rise in view.rises]
            self._rises_s = [rise.planned_end_s for rise in rises]
            gives = [(run.planned_end_s, run.gang_nw) for run in merge(*running, rises)]
            self.feed = Steps(self.now_s, headroom.feed_nw, gives)
        self.quotas = None if view.quotas is None else QuotaFutures(self.now_s, view.quotas, running)
        self.held: list[dict[int, Promise]] = [{} for _ in free]
        self._domain_chips = [index.domain_chips for index in free]

    def copy(self, now_s: float) -> "Outlook":
        """The same outlook at a later time, to be changed alone."""
        twin: Outlook = object.__new__(Outlook)
        twin.now_s = now_s
        twin.futures = self.futures
        twin.one = self.one
        twin.chips = [steps.copy() for steps in self.chips]
        twin.feed = self.feed and self.feed.copy()
        twin._rises_s = self._rises_s
        twin.quotas = self.quotas and self.quotas.copy()
        twin.held = [held.copy() for held in self.held]
        twin._domain_chips = self._domain_chips
        return twin

    def put(self, promise: Promise, gangs: int = 1) -> None:
        """A gang holds its place; -1: it does not any more."""
        job, pool, start_s, end_s = promise[:4]
        if gangs > 0:
            self.held[pool][job.row] = promise
        else:
            del self.held[pool][job.row]
        if self.one[pool]:
            self.chips[pool].add(start_s, end_s, -gangs * job.shape.chips)
        if self.feed is not None:
            self.feed.add(start_s, end_s, -gangs * promise.takes_nw())
        if self.quotas is not None:
            self.quotas.add(job.shape, pool, start_s, end_s, gangs)

    def put_all(self, promises: Sequence[Promise]) -> bool:
        """Put many at once where pools are plain, without cap or quotas; whether that could be."""
        if self.feed is not None or self.quotas is not None or not all(self.one):
            return False
        chips = []
        for pool, steps in enumerate(self.chips):
            changes = [(start_s, -job.shape.chips) for job, at, start_s, *_ in promises if at == pool]
            changes += [(end_s, job.shape.chips) for job, at, _, end_s, *_ in promises if at == pool]
            chips.append(steps.changed(changes))
            if min(chips[-1].values) < 0 or (changes and min(changes)[0] < self.now_s):
                return False
        self.chips = chips
        for promise in promises:
            self.held[promise.pool][promise.job.row] = promise
        return True

    def holds(self, promise: Promise) -> bool:
        """Whether a gang can have the very place that it was promised."""
        job, pool, start_s, end_s = promise[:4]
        if start_s < self.now_s or not self._allowed(job.shape, pool, start_s, end_s):
            return False
        if self.one[pool]:
            return self.chips[pool].least(start_s, end_s) >= job.shape.chips
        return self.futures.holds(promise, [held.values() for held in self.held])

    def earliest(self, job: QueuedJob, after_s: Sequence[float] = (), before_s: float = math.inf) -> Promise | None:
        """The earliest start of a gang that delays nobody who holds a place, over all its pools; None if not before_s.

        Ties go to the first pool. after_s: for each of them when it could start at the earliest, if that is known.
        """
        found = None
        for pool, least_s in zip(job.shape.pools, after_s or [self.now_s] * len(job.shape.pools), strict=True):
            if least_s >= before_s:
                continue
            promise = (self._on_one if self.one[pool] else self._on_many)(job, pool, least_s, before_s)
            if promise is not None:
                found, before_s = promise, promise.start_s
        return found

    def latest_end_s(self, shape: Shape, now_s: float) -> float:
        """Until when a gang may run that starts now and delays nobody, if it ends before somebody starts; else now.

        The longest time is looked for that ends with a start that is promised: more is taken away there only.
        """
        starts_s = sorted({promise.start_s for held in self.held for promise in held.values()})
        starts_s = starts_s[bisect_right(starts_s, now_s) :]
        before, at, middle = 0, len(starts_s), 0  # so many are known to do, from here on none; often it is the first
        while before < at:
            if any(self._stays(shape, pool, now_s, starts_s[middle]) for pool in shape.pools):
                before = middle + 1
            else:
                at = middle
            middle = (before + at) // 2
        return starts_s[before - 1] if before else now_s

    def _stays(self, shape: Shape, pool: int, start_s: float, end_s: float) -> bool:
        """Whether there is a place for a gang from one time to another."""
        if not self._allowed(shape, pool, start_s, end_s):
            return False
        if self.one[pool]:
            return self.chips[pool].least(start_s, end_s) >= shape.chips
        return self.futures.seat(shape, pool, start_s, end_s, [held.values() for held in self.held]) is not None

    def _on_one(self, job: QueuedJob, pool: int, now_s: float, before_s: float) -> Promise | None:
        """The earliest start in a pool whose processors are all alike."""
        start_s = self._with_room(job.shape, pool, job.estimate_s(pool), now_s, before_s)
        if start_s >= before_s:
            return None
        return promised(job, pool, start_s, ((0, job.shape.chips),), self._domain_chips[pool])

    def _on_many(self, job: QueuedJob, pool: int, now_s: float, before_s: float) -> Promise | None:
        """The earliest start in a pool of domains: when gangs end, running or promised, or at once.

        While the start moves on and no promise begins before the end, nothing is taken away, so that a place that is
        there stays. So of each such stretch of ends the last is tried, and where it has a place they are halved.
        """
        length_s = job.estimate_s(pool)
        found = self._seated(job, pool, now_s, length_s)
        if found is not None or before_s <= math.nextafter(now_s, math.inf):
            return found
        first_s = max(now_s, self.futures.soonest_s(job.shape, pool))
        if first_s >= before_s:
            return None
        if first_s > now_s:
            found = self._seated(job, pool, first_s, length_s)
            if found is not None:
                return found
        whole = self.feed is not None or self.quotas is not None
        held = [promise for pool_held in (self.held if whole else [self.held[pool]]) for promise in pool_held.values()]
        starts_s = self.futures.ends_s(None if whole else pool, first_s, before_s)
        starts_s += [promise.end_s for promise in held if first_s < promise.end_s < before_s]
        starts_s += [rise_s for rise_s in self._rises_s if first_s < rise_s < before_s]
        starts_s.sort()
        known: dict[int, Promise | None] = {}

        def seated(at: int) -> Promise | None:
            if at not in known:
                known[at] = self._seated(job, pool, starts_s[at], length_s)
            return known[at]

        at = 0
        for until in sorted({len(starts_s), *[_ending_by(starts_s, promise.start_s, length_s) for promise in held]}):
            stride = until - at if until < len(starts_s) else 1  # the last stretch is long, and its end far away
            while at < until and seated(min(at + stride, until) - 1) is None:
                at, stride = at + stride, 2 * stride
            if at < until:
                last = min(at + stride, until) - 1
                return seated(bisect_left(range(last), True, at, key=lambda at: seated(at) is not None))
        return None

    def _seated(self, job: QueuedJob, pool: int, start_s: float, length_s: float) -> Promise | None:
        """The gang at a time and in a place there, None where chips, power or quota do not allow it."""
        shape, end_s = job.shape, span_end_s(start_s, length_s)
        if not self._allowed(shape, pool, start_s, end_s):
            return None
        seat = self.futures.seat(shape, pool, start_s, end_s, [held.values() for held in self.held])
        return None if seat is None else promised(job, pool, start_s, seat, self._domain_chips[pool])

    def _allowed(self, shape: Shape, pool: int, start_s: float, end_s: float) -> bool:
        """Whether there is power at the feed and quota for a gang all the time between two times."""
        if self.feed is not None and self.feed.least(start_s, end_s) < shape.gang_nw(pool):
            return False
        if self.quotas is None or shape.quota < 0:
            return True
        return self.quotas.room(shape.quota, pool).least(start_s, end_s) >= shape.chips

    def _with_room(self, shape: Shape, pool: int, length_s: float, start_s: float, before_s: float) -> float:
        """The earliest time from start_s on with enough chips in all, power at the feed and quota for so long."""
        chips, limited = self.chips[pool], self.quotas is not None and shape.quota >= 0
        if self.feed is None and not limited:
            return chips.first(shape.chips, length_s, start_s, before_s)
        needs = [(chips, shape.chips)]
        if self.feed is not None:
            needs.append((self.feed, shape.gang_nw(pool)))
        if self.quotas is not None and limited:
            needs.append((self.quotas.room(shape.quota, pool), shape.chips))
        met = at = 0  # how many in a row agree on a start
        while met < len(needs):
            steps, need = needs[at % len(needs)]
            found_s = steps.first(need, length_s, start_s, before_s)
            if found_s >= before_s:
                return math.inf
            met = met + 1 if found_s == start_s else 1
            start_s, at = found_s, at + 1
        return start_s


def _ending_by(starts_s: list[float], end_s: float, length_s: float) -> int:
    """How many of some starts, rising, end by a time: what begins then takes nothing from them."""
    at = bisect_right(starts_s, end_s - length_s)  # but for rounding
    while at < len(starts_s) and span_end_s(starts_s[at], length_s) <= end_s:
        at += 1
    while at > 0 and span_end_s(starts_s[at - 1], length_s) > end_s:
        at -= 1
    return at


def _ahead(running: Iterable[Release], now_s: float) -> list[Release]:
    """The running gangs, those past their estimates as ending right after now."""
    runs = list(running)
    if not runs or runs[0].planned_end_s > now_s:
        return runs
    soon_s = math.nextafter(now_s, math.inf)
    return sorted([run if run.planned_end_s > soon_s else run._replace(planned_end_s=soon_s) for run in runs])
