"""Gangs that stop for a waiting job: they write a checkpoint on their chips, which are kept for the job meanwhile.

From the decision on, planning sees the job as running: its chips are taken, in the index and under the cap, and so are
those of the gangs that stop, until their checkpoints are written. Then the gangs stop like any other, and the job
starts like any other, in one event.
"""

import math
from bisect import insort
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from outputs.record import POLICY, RECLAIM, RESIZE
from policies.claim import Claim, Pending
from policies.interruptions import Interruptions
from policies.quotas import Quotas
from policies.running import RunningGangs
from policies.view import Release, Start
from scenarios.instants import instant
from sim.clock import Moment, Phase
from sim.gangs import Gang
from topologies.free import Placement
from topologies.placements import handed_over

if TYPE_CHECKING:
    from sim.cluster import Cluster
    from sim.feed import Feed


class _Held(NamedTuple):
    """A claim that waits for checkpoints to be written, and how planning sees its starts."""

    claim: Claim
    due_s: float
    runs: list[Release]

    @property
    def gangs(self) -> Sequence[Gang]:
        """The gangs that write."""
        return cast(Sequence[Gang], self.claim.stops)


class Claims:
    """The claims under way, and the running gangs by rank."""

    def __init__(self, cluster: "Cluster", feed: "Feed", losses: Interruptions, gangs: RunningGangs | None) -> None:
        self.gangs = gangs
        self.malleable: dict[int, Gang] = {}  # by row
        self.jobs = self.chips = 0  # that have left the queue, and that gangs are stopped for
        self._cluster = cluster
        self._feed = feed
        self._losses = losses
        self.rises: list[Release] = []  # power that comes back at the feed when all is written, without chips
        self._held: list[_Held] = []
        self._kept: dict[int, Placement] = {}  # the chips of starts on which no gang is that stops, by pool
        self._freed: list[Release] = []  # the other way round: chips that nobody starts on, as planning sees them end
        self._look_s = math.inf

    @property
    def under_way(self) -> bool:
        """Whether any gang writes."""
        return bool(self._held)

    def add(self, gang: Gang) -> None:
        """A gang starts."""
        if self.gangs is not None:
            self.gangs.add(gang, gang.from_s)
        if gang.job.sizes is not None:
            self.malleable[gang.run.row] = gang

    def remove(self, gang: Gang) -> None:
        """A gang ends or has been stopped."""
        if self.gangs is not None:
            self.gangs.remove(gang)
        self.malleable.pop(gang.run.row, None)

    def look_at(self, time_s: float) -> None:
        """Let a pass follow at a time."""
        clock, time_s = self._cluster.clock, instant(time_s)
        if time_s < self._look_s or self._look_s <= clock.now:
            self._look_s = time_s
            if time_s < math.inf:
                Moment(clock, time_s, Phase.SLICE, lambda _: self._look())

    def make(self, claim: Claim) -> None:
        """Gangs stop for others. A claim without stops waits for those under way."""
        cluster, now_s, write_s = self._cluster, self._cluster.clock.now, self._losses.write_s(claim.grace_s)
        if claim.job is not None:
            cluster.queue.remove(claim.job)
            self.jobs += 1
            self.chips += claim.job.shape.chips
        self._let_go()
        due_s = max([held.due_s for held in self._held] + [instant(now_s + write_s)] * bool(claim.stops))
        for gang in cast(Sequence[Gang], claim.stops):
            gang.halt(now_s)
            cluster.held.unplan(gang.run)
        runs = []
        for job, pool, placement in claim.starts:
            gang_nw = job.shape.gang_nw(pool)
            cluster.held.headroom.take(pool, placement, gang_nw // job.shape.chips)
            if cluster.held.quotas is not None:  # beside the quota of the gangs that stop, which they hold until then
                cluster.held.quotas.start(job.row, job.shape, pool)
            end_s = instant(due_s + job.estimate_s(pool))
            runs.append(Release(end_s, job.row, job.shape.chips, placement, pool, gang_nw))
            insort(cluster.held.running[pool], runs[-1])
        if self.gangs is not None:
            self.gangs.bounds.claim([gang.run for gang in claim.stops], runs)
        held = _Held(claim, due_s, runs)
        self._held.append(held)
        self._keep()
        if due_s > now_s:
            Moment(cluster.clock, due_s, Phase.CHECKPOINT, lambda _: self._written(held))
        else:
            self._finish(held, claim.grace_s)

    def idle(self, pool: int) -> int:
        """Chips of a pool that no gang is on, kept for those that will start."""
        return sum([count for _, count in self._kept.get(pool, ())])

    def cut_short(self, warned_s: float) -> None:
        """Power runs out: all that write stop now, and the jobs wait on."""
        while self._held:
            self._finish(self._held[0], warned_s, starts=False)

    def _look(self) -> None:
        if self._cluster.queue.jobs or any(self._cluster.held.busy):  # else the run may have ended
            self._cluster.look_again()

    def _keep(self) -> None:
        """Keep chips for all that will start, and let planning see when the others of those that stop come free."""
        if not self._held:
            return
        cluster, due_s, left_nw, others = self._cluster, self._held[-1].due_s, 0, dict[int, Placement]()
        stops = [gang.run for held in self._held for gang in held.gangs]
        for pool, free in enumerate(cluster.held.free):
            steps = [
                (
                    [gang.run.placement for gang in held.gangs if gang.run.pool == pool],
                    [run.placement for run in held.runs if run.pool == pool],
                )
                for held in self._held
            ]
            self._kept[pool], others[pool] = handed_over(steps)
            free.take(self._kept[pool])
            if chips := sum([count for _, count in others[pool]]):
                draw_nw = min([run.gang_nw // run.chips for run in stops if run.pool == pool], default=0)
                freed = Release(due_s, -1, chips, others[pool], pool, chips * draw_nw)
                insort(cluster.held.running[pool], freed)
                self._freed.append(freed)
                left_nw -= freed.gang_nw
        left_nw += sum([run.gang_nw for run in stops])
        self.rises = [Release(due_s, -1, 0, (), -1, left_nw)]
        if self.gangs is not None:
            self.gangs.pending = Pending(tuple([gang for held in self._held for gang in held.gangs]), others)

    def _let_go(self) -> None:
        """Take all of that back."""
        for pool, parts in self._kept.items():
            self._cluster.held.free[pool].give(parts)
        for run in self._freed:
            self._cluster.held.unplan(run)
        self._kept, self._freed, self.rises = {}, [], []
        if self.gangs is not None:
            self.gangs.pending = None

    def _written(self, held: _Held) -> None:
        if any(one is held for one in self._held):  # not cut short
            self._cluster.look_again()
            self._finish(held, math.inf)

    def _finish(self, held: _Held, warned_s: float, starts: bool = True) -> None:
        """Stop the gangs, and start the jobs where there is power for them."""
        cluster, claim = self._cluster, held.claim
        self._let_go()
        self._held = [one for one in self._held if one is not held]
        if claim.job is not None:
            self.jobs -= 1
            self.chips -= claim.job.shape.chips
        for run in held.runs:
            cluster.held.unplan(run)
            cluster.held.headroom.give(run.pool, run.placement, run.gang_nw // run.chips)
        if cluster.held.quotas is not None:
            self._give_quota_back(cluster.held.quotas, held)
        for gang in held.gangs:
            insort(cluster.held.running[gang.run.pool], gang.run)
        waiting = {} if claim.job is None else {claim.job.row: claim.job}
        for gang in held.gangs:
            resized = any(gang.run.row == run.row for run in held.runs)
            by = RESIZE if resized else RECLAIM if claim.reclaims else POLICY
            waiting[gang.run.row] = self._feed.stop(gang, warned_s, by)
        for start in claim.starts if starts else ():
            if self._has_power(start):
                job = waiting.pop(start.job.row)._replace(shape=start.job.shape)
                cluster.start(Start(job, start.pool, start.placement), cluster.clock.now)
        for job in waiting.values():
            if self.gangs is not None:
                self.gangs.bounds.drop(job.row)
            cluster.join(job)
        self._keep()

    def _give_quota_back(self, quotas: Quotas, held: _Held) -> None:
        stopping = {gang.run.row for gang in held.gangs}
        for start in held.claim.starts:
            row, shape = start.job.row, start.job.shape
            quotas.end(row, start.pool, shape.chips)
            if row in stopping:  # it changes its size: what it still has is its own
                quotas.hold(row, shape.quota, start.pool, 0)

    def _has_power(self, start: Start) -> bool:
        headroom, shape = self._cluster.held.headroom, start.job.shape
        if self._held:
            headroom = headroom.copy()
        for held in self._held:
            for run in held.runs:  # it draws nothing yet: the gangs that stop for it do
                headroom.give(run.pool, run.placement, run.gang_nw // run.chips)
        gang_nw = shape.gang_nw(start.pool)
        return gang_nw <= headroom.feed_nw and not headroom.overdrawn(
            start.pool, start.placement, gang_nw // shape.chips
        )
