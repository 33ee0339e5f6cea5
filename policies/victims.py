"""Which running gangs stop for a waiting one: the first few of those that yield, less those that are not in the way.

Who yields, and in which order, is for policies/preemption.py and policies/reclaim.py.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from policies.claim import Pending, Stoppable
from policies.interruptions import Interruptions
from policies.placement import Placer
from policies.quotas import Quotas
from policies.trial import Trial, seat_under
from policies.view import View
from scenarios.instants import instant
from topologies.free import FreeChips, Placement
from topologies.headroom import Headroom
from topologies.plant import Shape


def stop_cost_s(gang: Stoppable, now_s: float, grace_s: float, losses: Interruptions) -> float:
    """Chip-seconds that are lost if a gang is stopped: work since its checkpoint, the write, the restart."""
    done_s = instant(gang.done_s(now_s))
    lost_s = done_s - losses.kept_s(done_s, grace_s)
    return gang.run.chips * (lost_s + losses.write_s(grace_s) + losses.restart_s)


def sparing(quotas: Quotas, gangs: Sequence[Stoppable], kept: Collection[int]) -> list[Stoppable]:
    """Those of some gangs, in their order, that may all go while some tenants keep what they hold of their quotas.

    A gang of such a tenant goes only if all its chips are beyond the nominal quota.
    """
    if not kept:
        return list(gangs)
    going, beyond = [], dict[tuple[int, int], int]()
    for gang in gangs:
        key = quota, pool = gang.job.shape.quota, gang.run.pool
        if quota in kept:
            left = beyond.get(key, quotas.beyond(quota, pool)) - gang.run.chips
            if left < 0:
                continue
            beyond[key] = left
        going.append(gang)
    return going


def after_stops(view: View, placer: Placer, pending: Pending | None) -> Trial:
    """What is free when the stops under way are over: nobody who stops from now on goes sooner."""
    if pending is not None:
        free, headroom = [index.copy() for index in view.free], view.headroom.copy()
        for gang in pending.stops:
            headroom.give(gang.run.pool, gang.run.placement, gang.run.gang_nw // gang.run.chips)
        for pool, parts in pending.others.items():
            free[pool].give(parts)
        quotas = view.quotas
        if quotas is not None:
            quotas = quotas.ahead()
            for gang in pending.stops:
                quotas.let_go(gang.run.row, gang.run.pool, gang.run.chips)
        view = replace(view, free=free, headroom=headroom, quotas=quotas)
    return Trial(view, placer)


def fewest(
    trial: Trial, shape: Shape, pool: int, gangs: Sequence[Stoppable]
) -> tuple[Placement, tuple[Stoppable, ...]] | None:
    """Where a gang sits in a pool if some of others stop, and which: the first few, less those that need not.

    None where all together make no place.
    """
    return _Search(trial, shape, pool, gangs).claim()


class _Search:
    """Which gangs must go so that a job fits in a pool: the first few of them, less those that are not needed."""

    def __init__(self, trial: Trial, shape: Shape, pool: int, gangs: Sequence[Stoppable]) -> None:
        self._free = trial.free(pool)
        self._headroom = headroom = trial.headroom()
        self._quotas = trial.quotas()
        self._placer = trial.placer
        self._shape = shape
        self._pool = pool
        self._gang_nw = shape.gang_nw(pool)
        # where power is short a gang of any pool may be in the way
        every = headroom.bound_below or self._gang_nw > headroom.feed_nw
        self._gangs = gangs if every else [gang for gang in gangs if gang.run.pool == pool]

    def claim(self) -> tuple[Placement, tuple[Stoppable, ...]] | None:
        """The placement and the gangs that must go."""
        gangs = self._gangs
        here = sum([gang.run.chips for gang in gangs if gang.run.pool == self._pool])
        freed_nw = sum([gang.run.gang_nw for gang in gangs])
        if self._free.free + here < self._shape.chips or self._headroom.feed_nw + freed_nw < self._gang_nw:
            return None
        seat = self._seat(gangs)
        if seat is None:
            return None
        few, many = 0, len(gangs)  # with `few` of them there is no seat, with `many` there is
        while many - few > 1:
            half = (few + many) // 2
            found = self._seat(gangs[:half])
            if found is None:
                few = half
            else:
                many, seat = half, found
        needed = self._needed(seat, gangs[:many])
        return (seat, needed) if needed else None  # a backfill of the user's own may hold back who has a seat

    def _needed(self, seat: Placement, gangs: Sequence[Stoppable]) -> tuple[Stoppable, ...]:
        """The gangs less those without whose stop the seat is free too; who ranks best keeps its chips first."""
        free, headroom, quotas = self._without(gangs)
        needed = []
        for gang in reversed(gangs):
            run = gang.run
            draw_nw = run.gang_nw // run.chips
            if headroom.capped:
                headroom.take(run.pool, run.placement, draw_nw)
            if run.pool == self._pool:
                free.take(run.placement)
                if quotas is not None:
                    quotas.let_go(run.row, run.pool, -run.chips)
            if not self._holds(seat, free, headroom, quotas):
                needed.append(gang)
                if headroom.capped:
                    headroom.give(run.pool, run.placement, draw_nw)
                if run.pool == self._pool:
                    free.give(run.placement)
                    if quotas is not None:
                        quotas.let_go(run.row, run.pool, run.chips)
        return tuple(reversed(needed))

    def _without(self, gangs: Sequence[Stoppable]) -> tuple[FreeChips, Headroom, Quotas | None]:
        """Free chips, power and what is in use of quotas when gangs have gone."""
        free, headroom, quotas = self._free.copy(), self._headroom.copy(), self._quotas and self._quotas.ahead()
        for gang in gangs:
            run = gang.run
            if headroom.capped:
                headroom.give(run.pool, run.placement, run.gang_nw // run.chips)
            if run.pool == self._pool:
                free.give(run.placement)
                if quotas is not None:
                    quotas.let_go(run.row, run.pool, run.chips)
        return free, headroom, quotas

    def _seat(self, gangs: Sequence[Stoppable]) -> Placement | None:
        free, headroom, quotas = self._without(gangs)
        if self._gang_nw > headroom.feed_nw or not self._allowed(quotas):
            return None
        return seat_under(free, headroom, self._placer, self._shape, self._pool)

    def _allowed(self, quotas: Quotas | None) -> bool:
        return quotas is None or quotas.allows(self._shape, self._pool)

    def _holds(self, seat: Placement, free: FreeChips, headroom: Headroom, quotas: Quotas | None) -> bool:
        return (
            free.holds(seat)
            and self._allowed(quotas)
            and self._gang_nw <= headroom.feed_nw
            and not headroom.overdrawn(self._pool, seat, self._gang_nw // self._shape.chips)
        )
