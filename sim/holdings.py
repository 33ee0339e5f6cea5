"""What running gangs hold: chips, power, quotas and shares of time, kept in one place."""

from bisect import bisect_left, insort

from policies.policy import Policy, time_shares_for
from policies.queue import QueuedJob
from policies.queues import tenants_for
from policies.quotas import Quotas
from policies.view import Release
from scenarios.instants import instant
from topologies.free import Placement
from topologies.plant import Plant


class Holdings:
    """What is free and what is held, as policies see it; a gang takes all that it needs, and gives it back, at once."""

    def __init__(self, plant: Plant, policy: Policy) -> None:
        pools = len(plant.pools)
        self.free = plant.free_chips()
        self.headroom = plant.headroom()
        self.busy = [0] * pools  # chips
        self.tenants = tenants_for(policy.order, pools)
        self.quotas = Quotas(policy.quotas) if policy.quotas else None
        self.shares = time_shares_for(policy, plant)
        self.running: list[list[Release]] = [[] for _ in range(pools)]  # by planned end

    def start(self, job: QueuedJob, pool: int, placement: Placement, now_s: float, pace_s: float) -> Release:
        """A gang takes chips; a unit of its work is planned to take so long."""
        row, shape = job.row, job.shape
        draw_nw = shape.draw_nw[shape.pools.index(pool)]
        gang_nw = shape.chips * draw_nw
        self.free[pool].take(placement)
        self.busy[pool] += shape.chips
        if self.headroom.capped:
            self.headroom.take(pool, placement, draw_nw)
        if self.tenants is not None:
            self.tenants.start(row, job.tenant, pool, shape.chips, gang_nw, now_s)
        if self.quotas is not None:
            self.quotas.start(row, shape, pool)
        if self.shares is not None:
            self.shares.start(job, pool, now_s)
        run = Release(instant(now_s + job.estimate * pace_s), row, shape.chips, placement, pool, gang_nw)
        insort(self.running[pool], run)
        return run

    def leave(self, run: Release, now_s: float) -> None:
        """A gang gives back all that it held, because it has ended or has been stopped."""
        pool = run.pool
        self.free[pool].give(run.placement)
        self.busy[pool] -= run.chips
        if self.headroom.capped:
            self.headroom.give(pool, run.placement, run.gang_nw // run.chips)
        if self.tenants is not None:
            self.tenants.end(run.row, pool, run.chips, run.gang_nw, now_s)
        if self.quotas is not None:
            self.quotas.end(run.row, pool, run.chips)
        if self.shares is not None:
            self.shares.stop(run.row, pool, now_s)
        self.unplan(run)

    def unplan(self, run: Release) -> None:
        """A gang does not end as planned."""
        running = self.running[run.pool]
        del running[bisect_left(running, run)]
