"""The plan of all who have a reservation: when and where each starts, and what there is to gain for them.

A plan is made from a view and stands for itself: what happens to the cluster later does not change it. Does not say who
is planned first: that is policies/conservative.py.
"""

import math
from bisect import insort
from collections.abc import Sequence

from policies.domain_futures import DomainFutures
from policies.gains import ANYWHERE, Gain, domains_of, ended
from policies.outlook import Outlook
from policies.placement import Placer
from policies.promise import Promise, promised
from policies.queue import QueuedJob
from policies.trial import smallest_part
from policies.view import Release, View
from scenarios.instants import instant
from topologies.free import domain_bits
from topologies.plant import Shape


class Plan:
    """Promises by row, and beside them the gangs that this plan has let start.

    due_s: the first time at which something planned ends or starts. From then on the plan is to be looked at anew,
    since what was due would have been told as a release. last: the last in the order of those that have been planned.
    """

    __slots__ = (
        *("_barred", "_come", "_domains", "_free", "_headroom", "_outlook", "_rises", "_running"),
        *("due_s", "last", "promises"),
    )

    def __init__(self, view: View, placer: Placer) -> None:
        """Nobody is promised anything yet."""
        self._outlook = Outlook(view, placer)
        self._running = [list(runs) for runs in view.running]  # and those that this plan has let start
        self._come: list[list[Release]] = [[] for _ in self._running]  # these alone
        self._free = [index.free for index in view.free]
        self._headroom = view.headroom.copy()
        self._rises = tuple(view.rises)
        self._domains = DomainFutures(self._outlook)
        self._barred: dict[tuple[int, int, float], float] = {}  # (pool, chips, length): none of these can start before
        ends_s = [runs[0].planned_end_s for runs in self._outlook.futures.running if runs]
        self.due_s = min(ends_s, default=math.inf)
        self.promises: dict[int, Promise] = {}
        self.last: QueuedJob | None = None

    def copy(self, now_s: float) -> "Plan":
        """The same plan at a later time before anything in it is due, to be changed alone."""
        twin: Plan = object.__new__(Plan)
        twin._outlook = self._outlook.copy(now_s)
        twin._running = [runs.copy() for runs in self._running]
        twin._come = [runs.copy() for runs in self._come]
        twin._free = self._free.copy()
        twin._headroom = self._headroom.copy()
        twin._rises = self._rises
        twin._domains = self._domains.copy(twin._outlook)
        twin._barred = {}
        twin.due_s = self.due_s
        twin.last = self.last
        twin.promises = self.promises.copy()
        return twin

    def put(self, promise: Promise) -> None:
        """Promise a gang its place, or let it start there now."""
        self.promises[promise.job.row] = promise
        if promise.pool >= 0:
            self._outlook.put(promise)
            self._domains.forget(promise)
            now = promise.start_s <= self._outlook.now_s
            self.due_s = min(self.due_s, promise.end_s if now else promise.start_s)

    def remove(self, promise: Promise) -> None:
        """Take a promise back."""
        del self.promises[promise.job.row]
        if promise.pool >= 0:
            self._outlook.put(promise, -1)
            self._domains.forget(promise)

    def started(self, promise: Promise) -> None:
        """A gang runs as it was promised: it holds its place and waits no more."""
        job, pool, _, end_s, placement = promise[:5]
        chips, gang_nw = job.shape.chips, promise.takes_nw()
        del self.promises[job.row]
        run = Release(end_s, job.row, chips, placement, pool, gang_nw)
        insort(self._running[pool], run)
        self._come[pool].append(run)
        self._free[pool] -= chips
        if self._headroom.capped:
            self._headroom.take(pool, placement, gang_nw // chips)
        self._domains.started(run)

    def since(self, view: View) -> list[Gain] | None:
        """What there is more in a later view; None where more has happened than that gangs have ended."""
        if tuple(view.rises) != self._rises:
            return None
        gains, headroom, now_s = list[Gain](), self._headroom.copy(), view.now_s
        for pool, (before, after) in enumerate(zip(self._running, view.running, strict=True)):
            gone = ended(before, after)
            if gone is None or (after and after[0].planned_end_s <= now_s):
                return None
            if view.free[pool].free != self._free[pool] + sum([run.chips for run in gone]):
                return None
            for run in gone:
                if headroom.capped:
                    headroom.give(pool, run.placement, run.gang_nw // run.chips)
                gains.append(Gain(pool, domains_of(run.placement), now_s, run))
        more_nw = view.headroom.feed_nw - headroom.feed_nw
        if more_nw < 0 or view.headroom.spare_nw != headroom.spare_nw:
            return None
        return [*gains, Gain(ANYWHERE, (), now_s)] if more_nw else gains

    def follow(self, old: "Plan", promises: Sequence[Promise], gains: Sequence[Gain]) -> list[Gain]:
        """Put promises that an earlier plan made and that hold, since there is only more: the places of others in it.

        gains: what there is more besides.
        """
        for promise in promises:
            self.put(promise)
        gone = [gain.run for gain in gains if gain.run is not None]
        self._domains.follow(old._domains, gone)
        for pool, come in enumerate(old._come):
            ended_here = [run for run in gone if run.pool == pool]
            self._outlook.futures.carry(old._outlook.futures, pool, ended_here, come)
        dropped = [promise for row, promise in old.promises.items() if row not in self.promises]
        return [self._left_by(promise, promise.start_s) for promise in dropped if promise.pool >= 0]

    def keep(self, promises: Sequence[Promise]) -> None:
        """Put promises of an earlier plan, in order, up to the first that chips or power do not allow now."""
        if self._keep_all(promises):
            return
        for promise in promises:
            if promise.pool >= 0 and not self._outlook.holds(promise):
                return
            self.put(promise)

    def _keep_all(self, promises: Sequence[Promise]) -> bool:
        """Put them all at once where pools are plain, without cap or quotas, if that can be; one by one is slower."""
        if not self._outlook.put_all([promise for promise in promises if promise.pool >= 0]):
            return False
        for promise in promises:
            self.promises[promise.job.row] = promise
            if promise.pool >= 0:
                now = promise.start_s <= self._outlook.now_s
                self.due_s = min(self.due_s, promise.end_s if now else promise.start_s)
        return True

    def earliest(self, job: QueuedJob, before_s: float = math.inf) -> Promise | None:
        """The earliest start of a gang that delays nobody, over all its pools; None if not before a time."""
        return self._outlook.earliest(job, (), before_s)

    def latest_end_s(self, shape: Shape) -> float:
        """Until when a gang may run that starts now and delays nobody, if it ends before somebody starts; else now."""
        return self._outlook.latest_end_s(shape, self._outlook.now_s)

    def move(self, promise: Promise, gains: Sequence[Gain]) -> Gain | None:
        """Move a promise to the earliest start that delays nobody, if that is earlier; what it leaves to others.

        gains: what there is more than when it was last looked at. Without that it could not move.
        """
        job, pool, before_s = promise[:3]
        outlook, shape = self._outlook, job.shape
        if before_s <= outlook.now_s:
            return None
        if shape.pools == (pool,) and outlook.one[pool] and outlook.feed is None and shape.quota < 0:
            least_s = min([gain.from_s for gain in gains if gain.pool in (pool, ANYWHERE)], default=math.inf)
            sooner = self._sooner_alone(promise) if least_s < before_s else None
        else:
            after_s = self._after_s(promise, gains)
            if min(after_s) >= before_s:
                return None
            self.remove(promise)
            sooner = outlook.earliest(job, after_s, before_s)
            self.put(promise)
        if sooner is None:
            return None
        self.remove(promise)
        self.put(sooner)
        if pool < 0:
            return None
        same = sooner.pool == pool and outlook.one[pool] and outlook.feed is None
        left = self._left_by(promise, max(before_s, sooner.end_s) if same else before_s)
        for key in [key for key, until_s in self._barred.items() if until_s > left.from_s]:
            del self._barred[key]
        return left

    def _left_by(self, promise: Promise, from_s: float) -> Gain:
        """The gain where a gang will not be as it was promised."""
        everywhere = self._outlook.feed is not None
        return Gain(ANYWHERE if everywhere else promise.pool, domains_of(promise.placement), from_s)

    def _sooner_alone(self, promise: Promise) -> Promise | None:
        """The earlier start on processors that are all alike, looked for with the promise in its place.

        A gang as large and long as another of which that is known cannot start before that one does.
        """
        job, pool, before_s, _, seat, length_s = promise[:6]
        now_s, key = self._outlook.now_s, (pool, job.shape.chips, length_s)
        barred_s = self._barred.get(key, now_s)
        after_s = barred_s if barred_s <= before_s else now_s
        start_s = self._outlook.chips[pool].first(job.shape.chips, length_s, after_s, before_s, before_s)
        if start_s < before_s:
            return promised(job, pool, start_s, seat, job.shape.chips)
        self._barred[key] = max(before_s, barred_s)
        return None

    def _after_s(self, promise: Promise, gains: Sequence[Gain]) -> list[float]:
        """Before when a promise cannot start in each of its pools; its start where there is nothing to gain for it.

        What it has to find before its start is a domain that gained and has room for the smallest part of it.
        """
        job, own, before_s = promise[:3]
        outlook, found_s = self._outlook, list[float]()
        now_s, futures = outlook.now_s, outlook.futures
        anywhere = outlook.feed is not None or futures.headroom.bound_below or job.shape.quota >= 0
        for pool in job.shape.pools:
            length_s, after_s = job.estimate_s(pool), before_s
            part = smallest_part(futures.placer, job.shape, futures.free[pool])
            mine = domain_bits(promise.placement) if pool == own else 0
            for gain in gains:
                if gain.from_s >= instant(after_s + length_s):
                    continue
                if anywhere or gain.pool == ANYWHERE or outlook.one[pool]:
                    after_s = now_s
                    break
                if gain.pool == pool:
                    for domain in gain.domains:
                        steps, known_s = self._domains.free(pool, domain), before_s if mine >> domain & 1 else math.inf
                        after_s = min(after_s, steps.first(part, length_s, now_s, after_s, known_s))
            found_s.append(after_s)
        return found_s
