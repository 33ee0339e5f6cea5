"""Preemption: whether who waits may take chips from running gangs, and from which. One claim a pass.

A claim names a waiting job, where it will sit, and the gangs that are stopped for it. They write a checkpoint while
they still hold their chips, and all chips of the claim are kept for the job meanwhile. Whoever is stopped goes back to
the queue. Only ranks strictly above the job's yield, so that nobody takes chips in a circle.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

from policies.claim import Claim, Pending, Stoppable
from policies.interruptions import Interruptions
from policies.placement import Placer
from policies.queue import QueuedJob, StaticOrder
from policies.quotas import Quotas
from policies.running import Change, Rank, RunningGangs
from policies.trial import Trial, seat_under
from policies.view import ROOMLESS, Decisions, Start, View
from topologies.free import FreeChips, Placement
from topologies.headroom import Headroom
from topologies.plant import Shape


class PreemptionKind(NamedTuple):
    """What a scenario can choose; its parameters make a Preemption of it."""

    about: str


def by_priority(job: QueuedJob) -> Rank:
    """Ranks by the priority of the class alone."""
    return (-job.priority,)


def by_order(order: StaticOrder) -> Callable[[QueuedJob], Rank]:
    """Ranks as an order sorts the queue, ties included."""
    return lambda job: (order(job), job.submit_s, job.row)


@dataclass(frozen=True, slots=True)
class Preemption:
    """A preemption policy.

    rank: of a job, waiting or running. change: what ranks do over time. ties: whether some may be equal. min_run_s: a
    gang keeps its chips for so long. grace_s: what a gang is told before it must go; a checkpoint that takes longer is
    not written. slice_s: gangs stop at multiples of it only.
    """

    rank: Callable[[QueuedJob], Rank]
    change: Change
    ties: bool
    min_run_s: float
    grace_s: float
    losses: Interruptions
    slice_s: float | None = None
    alone: ClassVar[bool] = False  # whether gangs may stop although nobody waits

    def cost_s(self, gang: Stoppable, now_s: float) -> float:
        """Chip-seconds that are lost if a gang is stopped: work since its checkpoint, the write, the restart."""
        done_s = gang.done_s(now_s)
        lost_s = done_s - self.losses.kept_s(done_s, self.grace_s)
        return gang.run.chips * (lost_s + self.losses.write_s(self.grace_s) + self.losses.restart_s)

    def decide(self, view: View, placer: Placer, decisions: Decisions) -> None:
        """Add the claim of the first job in the order that can make one, or when to look again."""
        gangs, blocked = view.gangs, decisions.blocked
        if gangs is None or not blocked:
            return
        if self.slice_s is not None:
            slices = round(view.now_s / self.slice_s)
            begin_s = slices * self.slice_s  # may miss the quotient's whole number by a rounding, either way
            decisions.look_s = begin_s if begin_s > view.now_s else (slices + 1) * self.slice_s
            if begin_s != view.now_s:
                return
        trial = _after_stops(view, placer, gangs.pending)
        for start in decisions.starts:
            trial.start(*start)
        started = {start.job.row for start in decisions.starts}
        last = max([self.rank(start.job) for start in decisions.starts], default=())  # below nobody where none starts
        walk = view.queue.walk(view, decisions.starts)
        for job in walk:
            if job.row in started:
                walk.next()
                continue
            walk.leave()
            if blocked.get(job.shape) in ROOMLESS:
                if last > self.rank(job):  # who starts now may have to go when its minimum run time is over
                    decisions.look_s = min(decisions.look_s, view.now_s + self.min_run_s)
                claim = self._claim(view, trial, job, gangs, decisions)
                if claim is not None:
                    decisions.claim = claim
                    return

    def _claim(
        self, view: View, trial: Trial, job: QueuedJob, gangs: RunningGangs, decisions: Decisions
    ) -> Claim | None:
        """The claim of a job, None where all gangs that would yield to it are not enough."""
        now_s, rank, shape = view.now_s, self.rank(job), job.shape
        most = max([trial.free(pool).free for pool in shape.pools]) + gangs.most_after(rank, shape.pools)
        if most < shape.chips:
            return None
        victims, stopping = [], 0
        for above, gang in gangs.after(rank, now_s):
            if gang.stopping:
                stopping += 1
            elif now_s < gang.from_s + self.min_run_s:
                decisions.look_s = min(decisions.look_s, gang.from_s + self.min_run_s)
            else:
                victims.append((above, gang))
        if gangs.pending is not None and stopping == len(gangs.pending.stops):  # they yield to this job too
            found = trial.find(shape)
            if found is not None:
                return Claim(job, (Start(job, *found),), (), self.grace_s)
        if self.ties:
            victims.sort(key=lambda victim: (victim[0], -self.cost_s(victim[1], now_s)), reverse=True)
        stoppable = [gang for _, gang in victims]
        for pool in shape.pools:
            with_stops = _Search(trial, shape, pool, stoppable).claim()
            if with_stops is not None:
                seat, stops = with_stops
                return Claim(job, (Start(job, pool, seat),), stops, self.grace_s)
        return None


def _after_stops(view: View, placer: Placer, pending: Pending | None) -> Trial:
    """What is free when the stops under way are over: nobody who stops from now on goes sooner."""
    if pending is not None:
        free, headroom = [index.copy() for index in view.free], view.headroom.copy()
        for gang in pending.stops:
            headroom.give(gang.run.pool, gang.run.placement, gang.run.gang_nw // gang.run.chips)
        for pool, parts in pending.others.items():
            free[pool].give(parts)
        view = replace(view, free=free, headroom=headroom)
    return Trial(view, placer)


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
            headroom.take(run.pool, run.placement, draw_nw)
            if run.pool == self._pool:
                free.take(run.placement)
                if quotas is not None:
                    quotas.let_go(run.row, run.pool, -run.chips)
            if not self._holds(seat, free, headroom, quotas):
                needed.append(gang)
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
