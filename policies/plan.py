"""The plan of all who wait: when and where each starts, over chips and power at all future times.

A plan is made from a view and stands for itself: what happens to the cluster later does not change it. Does not say who
is planned first: that is policies/conservative.py.
"""

import math
from collections.abc import Iterable, Sequence
from heapq import merge

from policies.futures import Futures, Promise
from policies.placement import Placer
from policies.queue import QueuedJob
from policies.quota_futures import QuotaFutures
from policies.steps import Steps
from policies.view import Release, View
from topologies.plant import Shape


class Plan:
    """Promises by row, and beside them the gangs that this plan has let start.

    due_s: the first time at which something planned ends or starts. From then on the plan is to be made anew, since
    what was due would have been told as a release. A gang past its estimate counts as ending next. last: the last
    in the order of those that have been planned.
    """

    __slots__ = ("_barred", "_chips", "_feed", "_futures", "_held", "_one", "_quotas", "due_s", "last", "promises")

    def __init__(self, view: View, placer: Placer) -> None:
        """Nobody is promised anything yet."""
        now_s, headroom = view.now_s, view.headroom
        running = [_ahead(runs, now_s) for runs in view.running]
        free = [index.copy() for index in view.free]
        self._futures = Futures(now_s, free, headroom.copy() if headroom.capped else headroom, running, placer)
        self._chips = [
            Steps(now_s, index.free, [(run.planned_end_s, run.chips) for run in runs])
            for index, runs in zip(free, running, strict=True)
        ]
        self._feed: Steps | None = None
        if headroom.capped:
            rises = [rise._replace(planned_end_s=max(rise.planned_end_s, now_s)) for rise in view.rises]
            gives = [(run.planned_end_s, run.gang_nw) for run in merge(*running, rises)]
            self._feed = Steps(now_s, headroom.feed_nw, gives)
        self._quotas = None if view.quotas is None else QuotaFutures(now_s, view.quotas, running)
        self._held: list[dict[int, Promise]] = [{} for _ in free]  # by pool and row: promised or started
        self._one = [index.domains == 1 and index.boxes is None and not headroom.bound_below for index in free]
        self._barred: dict[tuple[int, int, float], float] = {}  # (pool, chips, length): none of these can start before
        self.due_s = min([runs[0].planned_end_s for runs in running if runs], default=math.inf)
        self.promises: dict[int, Promise] = {}
        self.last: QueuedJob | None = None

    def copy(self) -> "Plan":
        """The same plan, to be changed alone."""
        twin: Plan = object.__new__(Plan)
        twin._futures = self._futures
        twin._chips = [steps.copy() for steps in self._chips]
        twin._feed = self._feed and self._feed.copy()
        twin._quotas = self._quotas and self._quotas.copy()
        twin._held = [held.copy() for held in self._held]
        twin._one = self._one
        twin._barred = {}
        twin.due_s = self.due_s
        twin.last = self.last
        twin.promises = self.promises.copy()
        return twin

    def put(self, promise: Promise, now_s: float) -> None:
        """Promise a gang its place, or let it start there now."""
        job, pool, start_s, end_s, _, _ = promise
        self.promises[job.row] = promise
        if pool < 0:
            return
        self._held[pool][job.row] = promise
        self._chips[pool].add(start_s, end_s, -job.shape.chips)
        if self._feed is not None:
            self._feed.add(start_s, end_s, -promise.takes_nw())
        if self._quotas is not None:
            self._quotas.add(job.shape, pool, start_s, end_s)
        self.due_s = min(self.due_s, start_s if start_s > now_s else end_s)

    def remove(self, promise: Promise) -> None:
        """Take a promise back."""
        job, pool, start_s, end_s, _, _ = promise
        del self.promises[job.row]
        if pool < 0:
            return
        del self._held[pool][job.row]
        self._chips[pool].add(start_s, end_s, job.shape.chips)
        if self._feed is not None:
            self._feed.add(start_s, end_s, promise.takes_nw())
        if self._quotas is not None:
            self._quotas.add(job.shape, pool, start_s, end_s, -1)

    def started(self, promise: Promise) -> None:
        """A gang runs as it was promised: it holds its place and waits no more."""
        del self.promises[promise.job.row]

    def keep(self, promises: Sequence[Promise], now_s: float) -> None:
        """Put promises of an earlier plan, in order, up to the first that chips or power do not allow now."""
        if self._keep_all(promises, now_s):
            return
        others = [held.values() for held in self._held]
        for promise in promises:
            job, pool, start_s, _, _, _ = promise
            if pool >= 0:
                if start_s < now_s or self._with_room(job.shape, pool, promise.length_s, start_s, math.inf) != start_s:
                    return
                if not self._one[pool] and not self._futures.holds(promise, others):
                    return
            self.put(promise, now_s)

    def _keep_all(self, promises: Sequence[Promise], now_s: float) -> bool:
        """Put them all at once where pools are plain, without cap or quotas, if that can be; one by one is slower."""
        if self._feed is not None or self._quotas is not None or not all(self._one):
            return False
        chips = []
        for pool, steps in enumerate(self._chips):
            changes = [(start_s, -job.shape.chips) for job, at, start_s, _, _, _ in promises if at == pool]
            changes += [(end_s, job.shape.chips) for job, at, _, end_s, _, _ in promises if at == pool]
            chips.append(steps.changed(changes))
            if min(chips[-1].values) < 0 or (changes and min(changes)[0] < now_s):
                return False
        self._chips = chips
        for promise in promises:
            self.promises[promise.job.row] = promise
            if promise.pool >= 0:
                self._held[promise.pool][promise.job.row] = promise
                self.due_s = min(self.due_s, promise.start_s if promise.start_s > now_s else promise.end_s)
        return True

    def move(self, promise: Promise, now_s: float, more_s: float) -> float:
        """Move a promise to the earliest start that delays nobody, if that is earlier.

        more_s: from when on there is more than when it was last looked at. Gives the time from which on the move left
        more for others; infinite if there was none.
        """
        job, pool, before_s, _, _, _ = promise
        shape, sooner = job.shape, None
        if before_s <= now_s:
            return math.inf
        if shape.pools == (pool,) and self._one[pool] and self._feed is None and shape.quota < 0:
            if more_s < before_s:  # its own processors are enough for what follows
                sooner = self._sooner_alone(promise, now_s)
        elif more_s < before_s + max([job.estimate_s(at) for at in shape.pools]) and self._may_move(promise, now_s):
            self.remove(promise)
            sooner = self.earliest(job, now_s, before_s)
            self.put(promise, now_s)
        if sooner is None:
            return math.inf
        self.remove(promise)
        self.put(sooner, now_s)
        more_s = before_s if sooner.pool != pool or self._feed is not None else max(before_s, sooner.end_s)
        for key in [key for key, until_s in self._barred.items() if until_s > more_s]:
            del self._barred[key]
        return more_s

    def _sooner_alone(self, promise: Promise, now_s: float) -> Promise | None:
        """The earlier start on processors that are all alike, looked for with the promise in its place.

        A gang as large and long as another of which that is known cannot start before that one does.
        """
        job, pool, before_s, _, seat, length_s = promise
        key = (pool, job.shape.chips, length_s)
        barred_s = self._barred.get(key, now_s)
        after_s = barred_s if barred_s <= before_s else now_s
        start_s = self._chips[pool].first(job.shape.chips, length_s, after_s, before_s, before_s)
        if start_s < before_s:
            end_s = max(start_s + length_s, math.nextafter(start_s, math.inf))
            return Promise(job, pool, start_s, end_s, seat, length_s)
        self._barred[key] = max(before_s, barred_s)
        return None

    def _may_move(self, promise: Promise, now_s: float) -> bool:
        """Whether there are chips for an earlier start, looked at with the promise in its place."""
        job, own, before_s, _, _, _ = promise
        shape = job.shape
        for pool in shape.pools:
            after_s = now_s if self._one[pool] else max(now_s, self._futures.soonest_s(shape, pool))
            known_s = before_s if pool == own else math.inf
            first = self._chips[pool].first
            if after_s < before_s and first(shape.chips, job.estimate_s(pool), after_s, before_s, known_s) < before_s:
                return True
        return False

    def earliest(self, job: QueuedJob, now_s: float, before_s: float = math.inf) -> Promise | None:
        """The earliest start of a gang that delays nobody in the plan, over all its pools; None if not before a time.

        Ties go to the first pool.
        """
        shape, found = job.shape, None
        others = [held.values() for held in self._held]
        for pool in shape.pools:
            length_s = job.estimate_s(pool)
            one = self._one[pool]
            start_s = now_s if one else max(now_s, self._futures.soonest_s(shape, pool))
            while (start_s := self._with_room(shape, pool, length_s, start_s, before_s)) < before_s:
                end_s = max(start_s + length_s, math.nextafter(start_s, math.inf))
                seat = ((0, shape.chips),) if one else self._futures.seat(shape, pool, start_s, end_s, others)
                if seat is not None:
                    found = Promise(job, pool, start_s, end_s, seat, length_s)
                    before_s = start_s
                    break
                start_s = self._next_after(pool, start_s)
        return found

    def _with_room(self, shape: Shape, pool: int, length_s: float, start_s: float, before_s: float) -> float:
        """The earliest time from start_s on with enough chips in all, power at the feed and quota for so long."""
        chips, limited = self._chips[pool], self._quotas is not None and shape.quota >= 0
        if self._feed is None and not limited:
            return chips.first(shape.chips, length_s, start_s, before_s)
        needs = [(chips, shape.chips)]
        if self._feed is not None:
            needs.append((self._feed, shape.gang_nw(pool)))
        if self._quotas is not None and limited:
            needs.append((self._quotas.room(shape.quota, pool), shape.chips))
        met = at = 0  # how many in a row agree on a start
        while met < len(needs):
            steps, need = needs[at % len(needs)]
            found_s = steps.first(need, length_s, start_s, before_s)
            if found_s >= before_s:
                return math.inf
            met = met + 1 if found_s == start_s else 1
            start_s, at = found_s, at + 1
        return start_s

    def _next_after(self, pool: int, time_s: float) -> float:
        """When chips of the pool or power may come free next."""
        next_s = self._chips[pool].next_after(time_s)
        return next_s if self._feed is None else min(next_s, self._feed.next_after(time_s))


def _ahead(running: Iterable[Release], now_s: float) -> list[Release]:
    """The running gangs, those past their estimates as ending right after now."""
    runs = list(running)
    if not runs or runs[0].planned_end_s > now_s:
        return runs
    soon_s = math.nextafter(now_s, math.inf)
    return sorted([run if run.planned_end_s > soon_s else run._replace(planned_end_s=soon_s) for run in runs])
