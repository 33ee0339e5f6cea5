"""The state of the cluster, and the only module that changes it: submissions, starts, stops and ends of jobs."""

from collections.abc import Sequence
from typing import cast

import simpy

from outputs.record import Record
from policies.interruptions import Interruptions
from policies.plan import Plan
from policies.policy import Policy, decide
from policies.queue import QueuedJob
from policies.queues import queue_for
from policies.view import Decisions, Memo, Release, Start, View
from scenarios.contract import no_site
from scenarios.instants import instant
from scenarios.jobs import Arrival
from sim.claims import Claims
from sim.clock import Clock
from sim.deferral import Deferral
from sim.ends import JobEnd
from sim.feed import Feed
from sim.holdings import Holdings
from sim.keeping import Keeping
from sim.requests import Requests
from sim.traffic import Roads, Traffic
from sim.yard import Yard
from topologies.levels import inside
from topologies.plant import NO_FEED, Plant
from topologies.power import NW_PER_W


class Cluster:
    """Free chips, power, the queue and the running jobs; every change is kept in the record."""

    def __init__(
        self, clock: Clock, plant: Plant, policy: Policy, record: Record, losses: Interruptions, end_s: float
    ) -> None:
        self.clock = clock
        self.plant = plant
        self.policy = policy
        self.record = record
        self.held = Holdings(plant, policy)
        self.idle_nw = self.it_nw = round(plant.site.other_it_w * NW_PER_W)
        self.queue = queue_for(policy.order)
        self.requests = Requests(plant, policy, self.held.quotas, record.site)
        self.stale = False  # something happened since the last pass that may let a job start
        self.ended_jobs = 0
        self.yard = Yard(self)
        self.feed: Feed | None = None  # where the power can change
        self.deferral: Deferral | None = None
        site, rule = record.site, policy.power.defer
        if record.meter is not None:
            steps = site or no_site()
            self.feed = Feed(self, clock, plant, policy, record.meter, steps, losses)
        self.claims = None if self.feed is None else self.feed.claims
        if site is not None and rule is not None:
            self.deferral = Deferral(clock, plant, rule, site, end_s, self._let_go)
        self.traffic: Traffic | None = None  # where seats decide speeds
        self.roads: Roads | None = None  # where nothing but traffic changes them
        if plant.network is not None and record.journeys is not None:
            self.traffic = Traffic(plant.network, record.journeys)
            if self.feed is None:
                self.roads = Roads(clock, self.end, record.journeys)
            self.traffic.runs = self.feed or self.roads
        self.keeping = Keeping(self)
        self._work: dict[int, float] = {}  # of waiting jobs, by row; no policy sees it
        self._arrived: list[QueuedJob] = []
        self._dwindled = False  # there may be less power for jobs from now on than there was
        self._memo: Memo | None = None
        self._plan: Plan | None = None

    def deliver(self, pool: int, racks: int) -> None:
        """Racks arrive; each is powered as soon as its idle draw fits under the cap."""
        self.look_again()
        self.yard.deliver(pool, racks)

    def submit(self, row: int, job_class: int, arrival: Arrival) -> None:
        """A job joins the queue, or is rejected where no pool could ever hold it."""
        submit_s, chips, work, estimate, portable, tenant, deadline_s = arrival
        shape, sizes = self.requests.asked(job_class, chips, portable, tenant)
        if isinstance(shape, str):
            self.record.reject(row, shape)
            return
        if self.requests.dwindles and not self.requests.still_fits(shape, self.yard.racks):
            self.record.reject(row, NO_FEED)
            return
        self.keeping.turn()
        self.stale = True
        urgency = self.plant.plans[job_class].priority
        job = QueuedJob(row, shape, submit_s, estimate, job_class, tenant, urgency, deadline_s, None, sizes)
        self._work[row] = work
        if self.deferral is None or not self.deferral.holds(job):
            self.join(job)

    def change_site(self, row: int) -> None:
        """The next row of the site's steps holds: cap, cooling, price or carbon."""
        self.look_again()
        self._dwindled |= self.requests.change_site(row)
        if self.feed is not None:
            self.feed.change(row)
        if self.deferral is not None:
            self.deferral.change(row)
            self._hold_back(self.deferral)

    def look_again(self) -> None:
        """Something changes at this instant, and a pass must follow."""
        self.keeping.turn()
        self.stale = True

    def forget(self) -> None:
        """Chips have come or gone, and what the last pass found holds no more."""
        self._memo = None
        if self.claims is not None and self.claims.gangs is not None:
            self.claims.gangs.bounds.clear()

    def decide(self) -> None:
        """One scheduling pass, to be called once at the end of an instant at which something happened."""
        now_s = self.clock.now
        self.keeping.count_waiting(now_s)
        if self.feed is not None:
            self.feed.before_pass()
        if self.yard.dark:
            self._dwindled |= self.yard.power_on()
        if self._dwindled and self.requests.dwindles:
            self._reject_what_no_longer_fits()
        self._dwindled = False
        self.stale = False  # only here: a gang that has just been stopped has joined the queue
        if self.queue.jobs or self.policy.acts_alone:
            decisions = decide(self.view(), self.policy)
            self._arrived = []
            self._memo = decisions.memo
            self._plan = decisions.plan
            self.record.passes += 1
            for start in decisions.starts:
                self.queue.remove(start.job)
                self.start(start, now_s)
            if self.claims is not None:
                self._claim(self.claims, decisions, now_s)
            self.keeping.note(decisions.blocked)
        else:
            self.keeping.note({})
        if self.traffic is not None and self.traffic.unsettled:
            self.traffic.settle()
        if self.feed is not None:
            self.feed.after_pass()

    def view(self) -> View:
        """What a policy sees now."""
        rises: Sequence[Release] = () if self.feed is None else self.feed.rises
        if self.claims is not None:
            rises = sorted([*rises, *self.claims.rises])
        held = self.held
        view = View(
            *(self.clock.now, self.queue, held.free, held.headroom, held.running),
            *(self._arrived, self._memo, rises, self._plan, held.tenants),
            quotas=held.quotas,
            shares=held.shares,
        )
        if self.claims is not None:
            view.gangs, view.malleable = self.claims.gangs, self.claims.malleable.values()
        return view

    def admit(self, by_nw: int) -> None:
        """So much more (or less) than before may be drawn by what starts."""
        self.held.headroom.feed_nw += by_nw
        self._memo = None

    def draw_idle(self, by_nw: int) -> None:
        """So much more (or less) is drawn by idle racks."""
        self.held.headroom.feed_nw -= by_nw
        self.idle_nw += by_nw
        self.it_nw += by_nw
        self._memo = None

    def end(self, run: Release) -> None:
        """A job has done its work."""
        self._release(run)
        if self.held.shares is not None:
            self.held.shares.end(run.row)
        if self.feed is None:
            self.it_nw -= run.gang_nw
        self.record.end_s[run.row] = self.clock.now
        self.ended_jobs += 1
        moved = self.traffic is not None and self.traffic.unsettled
        waits = self.queue.jobs or (self.deferral is not None and self.deferral.jobs)
        if waits or self.yard.dark or self.feed is not None or moved:
            self.stale = True

    def take_back(self, run: Release, work_left: float) -> None:
        """A gang stops with so much left to do."""
        self._release(run)
        self._work[run.row] = work_left

    def close(self, end_s: float) -> None:
        """Bring the record up to the end of the run."""
        self.keeping.close(end_s)
        if self.feed is not None:
            self.feed.close(end_s)
        if self.roads is not None:
            self.roads.close(end_s)
        if self.held.shares is not None:
            self.record.unsolved = self.held.shares.unsolved
        self.record.end_time_s = end_s

    def _let_go(self, job: QueuedJob) -> None:
        self.look_again()
        self.join(job)

    def join(self, job: QueuedJob) -> None:
        """A job goes to its place in the queue."""
        if self.requests.dwindles and not self.requests.still_fits(job.shape, self.yard.racks):
            self.record.reject(job.row, NO_FEED)
            return
        self.queue.add(job)
        if self.held.shares is not None:
            self.held.shares.join(job, self.clock.now)
        self._arrived.append(job)

    def _hold_back(self, deferral: Deferral) -> None:
        """Jobs that have not started by the end of a good hour wait for the next one."""
        for job in [job for lane in self.queue.lanes.values() for job in lane.jobs]:
            if deferral.holds(job):
                self.queue.remove(job)
        self._look_at_all()

    def _reject_what_no_longer_fits(self) -> None:
        """Jobs that newer racks, or a site that gets worse, leave too little power would block the queue for good."""
        for shape, lane in list(self.queue.lanes.items()):
            if not self.requests.still_fits(shape, self.yard.racks):
                for job in list(lane.jobs):
                    self.queue.remove(job)
                    self.record.reject(job.row, NO_FEED)
        self._look_at_all()

    def _look_at_all(self) -> None:
        """The next pass looks at the whole queue: some that arrived have left it otherwise than by a start."""
        self._arrived = []
        self._memo = None

    def _claim(self, claims: Claims, decisions: Decisions, now_s: float) -> None:
        """What a pass decided besides starts in the sizes that were asked for."""
        claims.look_at(decisions.look_s)
        for job, start in decisions.smaller:
            self.queue.remove(job)
            self.start(start, now_s)
        if decisions.claim is not None:
            claims.make(decisions.claim)
        if decisions.claim is not None or decisions.smaller:
            self._memo = self._plan = None
            self.stale = True  # there may be more of them
        if any(start.job.sizes is not None for start in decisions.starts):
            self.stale = True  # they may grow, now or later

    def start(self, start: Start, now_s: float) -> None:
        """A job that has left the queue gets its chips."""
        job, pool, placement = start
        row, shape = job.row, job.shape
        pace_s = shape.pace_in(pool)
        if self.traffic is not None:
            pace_s = self.traffic.start(row, job.job_class, pool, placement, pace_s)
        run = self.held.start(job, pool, placement, now_s, pace_s)
        self.record.pool[row] = pool
        if shape.within is not None and shape.within.preferred is not None:
            self.record.preferred_met[row] = inside(self.held.free[pool], placement, shape.within.preferred)
        work = self._work.pop(row)
        if self.feed is not None:
            self.feed.start(run, job, work, pace_s)
            return
        self.it_nw += run.gang_nw
        self.record.start_s[row] = now_s
        if self.roads is not None and self.traffic is not None and self.traffic.sends(row):
            self.roads.start(run, work * pace_s)
            return
        JobEnd(self.clock, instant(now_s + work * pace_s), self._ended, run)

    def _ended(self, event: simpy.Event) -> None:
        self.end(cast(JobEnd, event).run)

    def _release(self, run: Release) -> None:
        self.keeping.turn()
        if self.traffic is not None:
            self.traffic.end(run.row)
        self.held.leave(run, self.clock.now)
        self._memo = None
