"""Preemption: whether who waits may take chips from running gangs, and from which. One claim a pass.

A claim names a waiting job, where it will sit, and the gangs that are stopped for it. They write a checkpoint while
they still hold their chips, and all chips of the claim are kept for the job meanwhile. Whoever is stopped goes back to
the queue. Only ranks strictly above the job's yield, so that nobody takes chips in a circle.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from policies.bounds import Rank
from policies.claim import Claim, Stoppable
from policies.interruptions import Interruptions
from policies.placement import Placer
from policies.queue import QueuedJob, StaticOrder
from policies.running import Change, RunningGangs
from policies.trial import Trial
from policies.victims import after_stops, fewest, sparing, stop_cost_s
from policies.view import ROOMLESS, Decisions, Start, View
from scenarios.instants import instant
from topologies.free import FreeChips


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
        """Chip-seconds that are lost if a gang is stopped."""
        return stop_cost_s(gang, now_s, self.grace_s, self.losses)

    def decide(self, view: View, placer: Placer, decisions: Decisions) -> None:
        """Add the claim of the first job in the order that can make one, or when to look again."""
        gangs, blocked = view.gangs, decisions.blocked
        if gangs is None or not blocked:
            return
        if self.slice_s is not None:
            slices = round(view.now_s / self.slice_s)
            begin_s = instant(slices * self.slice_s)
            decisions.look_s = begin_s if begin_s > view.now_s else instant((slices + 1) * self.slice_s)
            if begin_s != view.now_s:
                return
        gangs.look(view.now_s)
        trial = after_stops(view, placer, gangs.pending)
        free = [trial.free(pool) for pool in range(len(view.free))]  # before the starts of this pass
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
                    decisions.look_s = min(decisions.look_s, instant(view.now_s + self.min_run_s))
                claim = self._claim(view, trial, free, job, gangs, decisions)
                if claim is not None:
                    decisions.claim = claim
                    return

    def _claim(
        self,
        view: View,
        trial: Trial,
        free: Sequence[FreeChips],
        job: QueuedJob,
        gangs: RunningGangs,
        decisions: Decisions,
    ) -> Claim | None:
        """The claim of a job, None where all gangs that would yield to it are not enough."""
        now_s, rank, shape = view.now_s, self.rank(job), job.shape
        look_s = gangs.bounds.exclude(shape, rank, trial.placer, now_s)
        if look_s is not None:
            decisions.look_s = min(decisions.look_s, look_s)
            return None
        most = max([trial.free(pool).free for pool in shape.pools]) + gangs.most_after(rank, shape.pools)
        if most < shape.chips:
            return None
        victims, stopping = [], 0
        yielding = gangs.after(rank, now_s)
        for above, gang in yielding:
            if gang.stopping:
                stopping += 1
            elif now_s < (ripe_s := instant(gang.from_s + self.min_run_s)):
                decisions.look_s = min(decisions.look_s, ripe_s)
            else:
                victims.append((above, gang))
        if gangs.pending is not None and stopping == len(gangs.pending.stops):  # they yield to this job too
            found = trial.find(shape)
            if found is not None:
                return Claim(job, (Start(job, *found),), (), self.grace_s)
        if self.ties:
            victims.sort(key=lambda victim: (victim[0], -self.cost_s(victim[1], now_s)), reverse=True)
        stoppable, quotas = [gang for _, gang in victims], trial.quotas()
        if quotas is not None:  # who takes back what it has lent would take these back, so that they stop in a circle
            stoppable = sparing(quotas, stoppable, [at for at in quotas.reclaiming if at != shape.quota])
        for pool in shape.pools:
            with_stops = fewest(trial, shape, pool, stoppable)
            if with_stops is not None:
                seat, stops = with_stops
                return Claim(job, (Start(job, pool, seat),), stops, self.grace_s)
        gangs.failed(shape, rank, free, yielding)
        return None
