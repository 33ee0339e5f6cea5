"""Gangs that stop for a waiting job: they write a checkpoint on their chips, which are kept for the job meanwhile.

From the decision on, planning sees the job as running: its chips are taken, in the index and under the cap, and so are
the chips of the gangs that stop. When the checkpoints are written all of that is taken back, the gangs stop like any
other, and the job starts like any other, in one event.
"""

import math
from bisect import insort
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, cast

from outputs.record import POLICY
from policies.preemption import Claim, Preemption
from policies.running import RunningGangs
from policies.view import Release, Start
from sim.clock import Moment, Phase
from sim.gangs import Gang
from topologies.free import Placement
from topologies.placements import beyond

if TYPE_CHECKING:
    from sim.cluster import Cluster
    from sim.feed import Feed


class _Held(NamedTuple):
    """A claim that waits for checkpoints: how planning sees its job, and the other chips that are held, by pool."""

    claim: Claim
    run: Release
    others: dict[int, Placement]

    @property
    def gangs(self) -> Sequence[Gang]:
        """The gangs that write."""
        return cast(Sequence[Gang], self.claim.stops)


class Claims:
    """The claims under way, and the running gangs by rank."""

    def __init__(self, cluster: "Cluster", feed: "Feed", preemption: Preemption) -> None:
        self.gangs = RunningGangs(preemption.rank, preemption.change)
        self.jobs = self.chips = 0  # that gangs are stopped for
        self._cluster = cluster
        self._feed = feed
        self._preemption = preemption
        self._held: dict[int, _Held] = {}  # by the row of the job
        self._look_s = math.inf

    def look_at(self, time_s: float) -> None:
        """Let a pass follow at a time."""
        clock = self._cluster.clock
        if time_s < self._look_s or self._look_s <= clock.now:
            self._look_s = time_s
            if time_s < math.inf:
                Moment(clock, time_s, Phase.SLICE, lambda _: self._cluster.look_again())

    def make(self, claim: Claim) -> None:
        """Gangs stop for a job."""
        cluster, (job, pool, placement, _) = self._cluster, claim
        now_s, write_s = cluster.clock.now, self._preemption.write_s
        shape, draw_nw = job.shape, job.shape.draw_nw[job.shape.pools.index(pool)]
        cluster.queue.remove(job)
        by_pool: dict[int, list[Placement]] = {}
        for gang in cast(Sequence[Gang], claim.stops):
            gang.halt(now_s)
            cluster.unplan(gang.run)
            cluster.free[gang.run.pool].give(gang.run.placement)
            by_pool.setdefault(gang.run.pool, []).append(gang.run.placement)
        cluster.free[pool].take(placement)
        others = {at: beyond(held, placement if at == pool else ()) for at, held in by_pool.items()}
        for at, parts in others.items():
            cluster.free[at].take(parts)
        cluster.headroom.take(pool, placement, draw_nw)
        end_s = now_s + write_s + job.estimate_s(pool)
        held = _Held(claim, Release(end_s, job.row, shape.chips, placement, pool, shape.chips * draw_nw), others)
        insort(cluster.running[pool], held.run)
        self._held[job.row] = held
        self.jobs += 1
        self.chips += shape.chips
        if write_s:
            Moment(cluster.clock, now_s + write_s, Phase.CHECKPOINT, lambda _: self._written(job.row))
        else:
            self._finish(held, self._preemption.grace_s)

    def idle(self, pool: int) -> int:
        """Chips of a pool that no gang is on, kept for the jobs."""
        chips = 0
        for held in self._held.values():
            if held.claim.pool == pool:
                chips += held.run.chips
            chips += sum([count for _, count in held.others.get(pool, ())])
            chips -= sum([gang.run.chips for gang in held.gangs if gang.run.pool == pool])
        return chips

    def cut_short(self, warned_s: float) -> None:
        """Power runs out: all that write stop now, and the jobs wait on."""
        for held in list(self._held.values()):
            self._finish(held, warned_s, starts=False)

    def _written(self, row: int) -> None:
        held = self._held.get(row)
        if held is not None:
            self._cluster.look_again()
            self._finish(held, math.inf)

    def _finish(self, held: _Held, warned_s: float, starts: bool = True) -> None:
        cluster, (job, pool, placement, _) = self._cluster, held.claim
        del self._held[job.row]
        self.jobs -= 1
        self.chips -= held.run.chips
        cluster.unplan(held.run)
        cluster.headroom.give(pool, placement, held.run.gang_nw // held.run.chips)
        cluster.free[pool].give(placement)
        for at, parts in held.others.items():
            cluster.free[at].give(parts)
        for gang in held.gangs:
            cluster.free[gang.run.pool].take(gang.run.placement)
            insort(cluster.running[gang.run.pool], gang.run)
        for gang in held.gangs:
            self._feed.stop(gang, warned_s, POLICY)
        draw_nw = held.run.gang_nw // held.run.chips
        power = held.run.gang_nw <= cluster.headroom.feed_nw and not cluster.headroom.overdrawn(
            pool, placement, draw_nw
        )
        if starts and power:
            cluster.start(Start(job, pool, placement), cluster.clock.now)
        else:
            cluster.join(job)
