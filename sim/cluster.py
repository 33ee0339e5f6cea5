"""The state of the cluster, and the only module that changes it: deliveries, submissions, starts and ends of jobs."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable
from typing import cast

import simpy

from outputs.record import Record
from policies.build import Policy, can_ever_start, decide
from policies.queue import Queue, QueuedJob
from policies.view import HELD, Memo, Release, Start, View
from sim.clock import Clock, Phase
from topologies.plant import Plant, Shape
from topologies.power import NW_PER_W


class JobEnd(simpy.Event):
    """The end of a running job. A timeout with a callback: a process a job would cost four events, not one."""

    def __init__(self, clock: Clock, time_s: float, ended: Callable[[simpy.Event], None], run: Release) -> None:
        self.env = clock
        self.callbacks = [ended]
        self._ok = True
        self._value = None
        self.run = run
        clock.put(self, time_s, Phase.COMPLETION)


class Cluster:
    """Free chips, power, the queue and the running jobs; every change is kept in the record."""

    def __init__(self, clock: Clock, plant: Plant, policy: Policy, record: Record) -> None:
        self.clock = clock
        self.plant = plant
        self.policy = policy
        self.record = record
        self.free = plant.free_chips()
        self.headroom = plant.headroom()
        self.busy = [0] * len(plant.pools)
        self.racks = [0] * len(plant.pools)  # powered
        self.queue = Queue()
        self.running: list[list[Release]] = [[] for _ in plant.pools]
        self.stale = False  # something happened since the last pass that may let a job start
        self.ended_jobs = 0
        self._dark: deque[int] = deque()  # pools of delivered racks that wait for power, in order of delivery
        self._it_nw = round(plant.site.other_it_w * NW_PER_W)
        self._work: dict[int, float] = {}  # of waiting jobs, by row; no policy sees it
        self._shapes: dict[tuple[int, int, bool], Shape | str] = {}
        self._arrived: list[QueuedJob] = []
        self._memo: Memo | None = None
        self._changed_s = 0.0  # the last instant with a change, kept in the timeline at the next one
        self._draws = plant.draws
        self._growing = plant.growing
        self._passed_s = 0.0
        self._waiting_chips: dict[str, int] = {}

    def deliver(self, pool: int, racks: int) -> None:
        """Racks arrive; each is powered as soon as its idle draw fits under the cap."""
        self._turn()
        self._dark.extend([pool] * racks)
        self.stale = True

    def submit(
        self, row: int, job_class: int, submit_s: float, chips: int, work: float, estimate: float, portable: bool
    ) -> None:
        """A job joins the queue, or is rejected where no pool could ever hold it."""
        key = (job_class, chips, portable)
        shape = self._shapes.get(key)
        if shape is None:
            shape = self.plant.shape(job_class, chips, portable)
            if isinstance(shape, Shape) and not can_ever_start(self.plant, self.policy, shape):
                shape = "a rack's or a PDU's rating leaves it too little power"
            self._shapes[key] = shape
        if isinstance(shape, str):
            self.record.reject(row, shape)
            return
        self._turn()
        job = QueuedJob(row, shape, submit_s, estimate)
        self.queue.add(job, self.policy.order(job))
        self._work[row] = work
        self._arrived.append(job)
        self.stale = True

    def decide(self) -> None:
        """One scheduling pass, to be called once at the end of an instant at which something happened."""
        now_s = self.clock.now
        self.stale = False
        self._count_waiting(now_s)
        if self._dark:
            self._power_racks()
        if self.queue.jobs:
            view = View(now_s, self.queue, self.free, self.headroom, self.running, self._arrived, self._memo)
            decisions = decide(view, self.policy)
            self._arrived = []
            self._memo = decisions.memo
            self.record.passes += 1
            for start in decisions.starts:
                self._start(start, now_s)
            waiting: dict[str, int] = {}
            reason_of = decisions.blocked.get
            for shape, lane in self.queue.lanes.items():
                reason = reason_of(shape, HELD)
                chips = shape.chips * len(lane.jobs)
                if reason in waiting:
                    waiting[reason] += chips
                else:
                    waiting[reason] = chips
            self._waiting_chips = waiting

    def close(self, end_s: float) -> None:
        """Bring the record up to the end of the run."""
        self._count_waiting(end_s)
        self._keep()
        self.record.end_time_s = end_s

    def _power_racks(self) -> None:
        """Switch on delivered racks while their idle draw fits; they come before jobs."""
        while self._dark:
            pool = self._dark[0]
            idle_nw, size = self.plant.pools[pool].idle_nw, self.plant.pools[pool].domains_a_rack
            if idle_nw > self.headroom.feed_nw:
                return
            self._dark.popleft()
            self.headroom.feed_nw -= idle_nw
            self._it_nw += idle_nw
            first = self.racks[pool] * size
            chips = self.plant.pools[pool].domain_chips
            self.free[pool].give(tuple([(domain, chips) for domain in range(first, first + size)]))
            self.racks[pool] += 1
            self._memo = None

    def _start(self, start: Start, now_s: float) -> None:
        job, pool, placement = start
        row, shape = job.row, job.shape
        at = shape.pools.index(pool)
        pace_s, draw_nw = shape.pace_s[at], shape.draw_nw[at]
        self.queue.remove(job, self.policy.order(job))
        self.free[pool].take(placement)
        self.busy[pool] += shape.chips
        gang_nw = shape.chips * draw_nw
        self._it_nw += gang_nw
        if self.headroom.capped:
            self.headroom.take(pool, placement, draw_nw)
        run = Release(now_s + job.estimate * pace_s, row, shape.chips, placement, pool, gang_nw)
        insort(self.running[pool], run)
        self.record.start_s[row] = now_s
        self.record.pool[row] = pool
        JobEnd(self.clock, now_s + self._work.pop(row) * pace_s, self._end, run)

    def _end(self, event: simpy.Event) -> None:
        run = cast(JobEnd, event).run
        pool = run.pool
        self._turn()
        self.free[pool].give(run.placement)
        self.busy[pool] -= run.chips
        self._it_nw -= run.gang_nw
        if self.headroom.capped:
            self.headroom.give(pool, run.placement, run.gang_nw // run.chips)
        running = self.running[pool]
        del running[bisect_left(running, run)]
        self.record.end_s[run.row] = self.clock.now
        self.ended_jobs += 1
        self._memo = None
        if self.queue.jobs or self._dark:
            self.stale = True

    def _turn(self) -> None:
        """Before the first change of an instant: the state so far goes into the timeline."""
        if self.clock.now > self._changed_s:
            self._keep()
            self._changed_s = self.clock.now

    def _keep(self) -> None:
        timeline, queue = self.record.timeline, self.queue
        timeline.time_s.append(self._changed_s)
        timeline.queue_jobs.append(queue.jobs)
        timeline.queue_chips.append(queue.chips)
        for pool, column in enumerate(timeline.busy_chips):
            column.append(self.busy[pool])
        if self._draws:
            timeline.it_nw.append(self._it_nw)
        for pool in self._growing:
            timeline.installed_chips[pool].append(self.racks[pool] * self.plant.rack_chips[pool])

    def _count_waiting(self, now_s: float) -> None:
        if now_s > self._passed_s and self._waiting_chips:
            total = self.record.blocked_chip_s
            lasted_s = max(0.0, now_s - max(self._passed_s, self.record.warmup_s))
            for reason, chips in self._waiting_chips.items():
                total[reason] = total.get(reason, 0.0) + chips * lasted_s
        self._passed_s = now_s
