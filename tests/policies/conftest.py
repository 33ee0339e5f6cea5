"""What the tests of this room share: a state made by hand, and policies run on it without a simulator."""

from bisect import insort
from itertools import count

import pytest

from policies.max_min_placement import MAX_MIN
from policies.order import fifo
from policies.placement import PACK, pack
from policies.queue import QueuedJob
from policies.queues import queue_for, tenants_for
from policies.quotas import Quotas
from policies.time_shares import TimeShares
from policies.view import Release, View
from topologies.free import FreeChips
from topologies.headroom import Headroom
from topologies.plant import Shape


class Site:
    """Pools given as (domains, chips a domain), with running and waiting gangs; jobs are known by their row.

    draws: what a busy chip draws by pool [nW], under a feed and limits. rules: quotas of tenants. facts: of the domains
    of all pools.
    """

    def __init__(self, *pools, order=fifo, now_s=0, draws=None, feed=None, limits=(), placer=PACK, rules=(), **facts):
        self.now_s, self.placer = now_s, placer
        self.sizes = [domains * size for domains, size in pools]
        self.free = [FreeChips(domains, size, **facts) for domains, size in pools]
        self.draws = (0,) * len(pools) if draws is None else draws
        self.running = [[] for _ in pools]
        self.headroom = Headroom(feed, limits)
        self.queue, self.arrived, self.memo, self.plan = queue_for(order), [], None, None
        self.tenants = tenants_for(order, len(pools))
        self.quotas = Quotas(rules) if rules else None
        self.shares = TimeShares([1.0], len(pools)) if placer is MAX_MIN else None
        self.rows, self.gangs = count(), count(1_000)

    def runs(self, chips, until_s, pool=0, domain=None, tenant=0, quota=-1):
        """A running gang, in one domain or where pack puts it; False where there is no room or power for it."""
        free, draw_nw = self.free[pool], self.draws[pool]
        if domain is None:
            placement = pack(free, chips)
        else:
            placement = ((domain, free.slice_in(domain, chips)),) if free.in_domain(domain) >= chips else None
        if placement is None or self.headroom.overdrawn(pool, placement, draw_nw):
            return False
        if chips * draw_nw > self.headroom.feed_nw:
            return False
        free.take(placement)
        self.headroom.take(pool, placement, draw_nw)
        self.last_row = row = next(self.gangs)
        insort(self.running[pool], Release(until_s, row, chips, placement, pool, chips * draw_nw))
        if self.shares is not None:
            every = tuple(range(len(self.sizes)))
            shape = Shape(every, chips, (1.0,) * len(every), tuple(self.draws))
            self.shares.start(QueuedJob(row, shape, self.now_s, until_s), pool, self.now_s)
        if self.tenants is not None:
            self.tenants.start(row, tenant, pool, chips, chips * draw_nw, self.now_s)
        if self.quotas is not None:
            self.quotas.start(row, Shape((pool,), chips, (1.0,), (draw_nw,), quota=quota), pool)
        return True

    def waits(self, chips, estimate_s, submit_s=0, pools=None, row=None, pace_s=None, quota=-1, within=None, **more):
        """A job that has just joined the queue; its row. within: the units that it may have to sit in."""
        if pools is None:
            pools = tuple(at for at, size in enumerate(self.sizes) if chips <= size)
        draws, apart = tuple(self.draws[at] for at in pools), {"quota": quota, "within": within}
        pace_s = (1.0,) * len(pools) if pace_s is None else pace_s
        shape = Shape(pools, chips, pace_s, draws, priority=more.get("priority", 0), **apart)
        job = QueuedJob(next(self.rows) if row is None else row, shape, submit_s, estimate_s, **more)
        self.queue.add(job)
        self.arrived.append(job)
        if self.shares is not None:
            self.shares.join(job, self.now_s)
        return job.row

    def view(self):
        seen = (self.queue, self.free, self.headroom, self.running, self.arrived, self.memo)
        return View(self.now_s, *seen, plan=self.plan, tenants=self.tenants, quotas=self.quotas, shares=self.shares)

    def decide(self, backfill):
        view = self.view()
        return backfill(view, self.placer if self.placer.seeing is None else self.placer.seeing(view))

    def starts(self, backfill):
        """The rows that start, in order."""
        return [start.job.row for start in self.decide(backfill).starts]

    def places(self, backfill):
        """Where each job that starts goes: row -> (pool, placement)."""
        return {start.job.row: (start.pool, start.placement) for start in self.decide(backfill).starts}

    def reasons(self, backfill):
        """Why the shapes that were tried in vain wait: chips -> reason."""
        return {shape.chips: reason for shape, reason in self.decide(backfill).blocked.items()}

    def apply(self, decisions):
        """Let a pass's decisions happen; the next pass is given its memo."""
        for job, pool, placement in decisions.starts:
            self.queue.remove(job)
            self.free[pool].take(placement)
            self.headroom.take(pool, placement, self.draws[pool])
            end_s = self.now_s + job.estimate_s(pool)
            gang_nw = job.shape.gang_nw(pool)
            insort(self.running[pool], Release(end_s, job.row, job.shape.chips, placement, pool, gang_nw))
            if self.tenants is not None:
                self.tenants.start(job.row, job.tenant, pool, job.shape.chips, gang_nw, self.now_s)
            if self.quotas is not None:
                self.quotas.start(job.row, job.shape, pool)
            if self.shares is not None:
                self.shares.start(job, pool, self.now_s)
        self.arrived, self.memo, self.plan = [], decisions.memo, decisions.plan

    def ends(self, row):
        """A gang ends, as planned or before."""
        for pool, running in enumerate(self.running):
            for run in [run for run in running if run.row == row]:
                running.remove(run)
                self.free[pool].give(run.placement)
                self.headroom.give(pool, run.placement, self.draws[pool])
                if self.tenants is not None:
                    self.tenants.end(row, pool, run.chips, run.gang_nw, self.now_s)
                if self.quotas is not None:
                    self.quotas.end(row, pool, run.chips)
                if self.shares is not None:
                    self.shares.stop(row, pool, self.now_s)
                    self.shares.end(row)
                self.memo = None

    def goes_on(self, now_s):
        """Time goes on to an instant; the gangs that are planned to end by then have ended."""
        self.now_s = now_s
        for pool, running in enumerate(self.running):
            while running and running[0].planned_end_s <= now_s:
                _, row, chips, placement, _, gang_nw = running.pop(0)
                if self.tenants is not None:
                    self.tenants.end(row, pool, chips, gang_nw, now_s)
                if self.quotas is not None:
                    self.quotas.end(row, pool, chips)
                if self.shares is not None:
                    self.shares.stop(row, pool, self.now_s)
                    self.shares.end(row)
                self.free[pool].give(placement)
                self.headroom.give(pool, placement, self.draws[pool])
                self.memo = None

    def snapshot(self):
        """All that a policy was shown, as plain values."""
        free = [[pool.in_domain(at) for at in range(len(pool._by_domain))] for pool in self.free]
        lanes = {
            shape: (list(lane.keys), list(lane.jobs), list(lane.estimates)) for shape, lane in self.queue.lanes.items()
        }
        running = [list(pool) for pool in self.running]
        memo = None if self.memo is None else (self.memo.head, dict(self.memo.blocked))
        promises = None if self.plan is None else dict(self.plan.promises)
        power = (self.headroom.feed_nw, list(self.headroom.spare_nw))
        totals = [pool.free for pool in self.free]
        quotas = None if self.quotas is None else (self.quotas.copy().used, dict(self.quotas.holders))
        return free, totals, power, lanes, self.queue.jobs, running, list(self.arrived), memo, promises, quotas


@pytest.fixture(scope="session")
def site():
    """The class Site: a fixture, so that every test file of this room can reach it."""
    return Site
