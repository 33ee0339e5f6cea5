"""The state of the cluster, and the only module that changes it: submissions, starts and ends of jobs."""

from bisect import bisect_left, insort
from collections.abc import Callable
from typing import cast

import simpy

from outputs.record import REJECTED, Record
from policies.build import Policy, decide
from policies.queue import Queue, QueuedJob, Shape
from policies.view import HELD, Memo, Release, Start, View
from sim.clock import Clock, Phase
from topologies.plant import Plant


class JobEnd(simpy.Event):
    """The end of a running job. A timeout with a callback: a process a job would cost four events, not one."""

    def __init__(
        self, clock: Clock, time_s: float, ended: Callable[[simpy.Event], None], pool: int, run: Release
    ) -> None:
        self.env = clock
        self.callbacks = [ended]
        self._ok = True
        self._value = None
        self.pool = pool
        self.run = run
        clock.put(self, time_s, Phase.COMPLETION)


class Cluster:
    """Free chips, the queue and the running jobs; every change is kept in the record."""

    def __init__(self, clock: Clock, plant: Plant, policy: Policy, record: Record) -> None:
        self.clock = clock
        self.plant = plant
        self.policy = policy
        self.record = record
        self.free = [pool.all_free() for pool in plant.pools]
        self.busy = [0] * len(plant.pools)
        self.queue = Queue()
        self.running: list[list[Release]] = [[] for _ in plant.pools]
        self.stale = False  # something happened since the last pass that may let a job start
        self.ended_jobs = 0
        self._run_s: dict[int, float] = {}  # run times of waiting jobs, by row; no policy sees them
        self._shapes: dict[int, Shape | None] = {}
        self._arrived: list[QueuedJob] = []
        self._memo: Memo | None = None
        self._changed_s = 0.0  # the last instant with a change, kept in the timeline at the next one
        self._passed_s = 0.0
        self._waiting_chips: dict[str, int] = {}

    def submit(self, row: int, submit_s: float, chips: int, run_s: float, estimate_s: float) -> None:
        """A job joins the queue, or is rejected where no pool could ever hold it."""
        if chips not in self._shapes:
            pools = self.plant.pools_for(chips)
            self._shapes[chips] = Shape(pools, chips) if pools else None
        shape = self._shapes[chips]
        if shape is None:
            self.record.pool[row] = REJECTED
            return
        self._turn()
        job = QueuedJob(row, shape, submit_s, estimate_s)
        self.queue.add(job, self.policy.order(job))
        self._run_s[row] = run_s
        self._arrived.append(job)
        self.stale = True

    def decide(self) -> None:
        """One scheduling pass, to be called once at the end of an instant at which something happened."""
        now_s = self.clock.now
        self.stale = False
        self._count_waiting(now_s)
        view = View(now_s, self.queue, self.free, self.running, self._arrived, self._memo)
        decisions = decide(view, self.policy)
        self._arrived = []
        self._memo = decisions.memo
        self.record.passes += 1
        for start in decisions.starts:
            self._start(start, now_s)
        waiting: dict[str, int] = {}
        if self.queue.jobs:
            for shape, lane in self.queue.lanes.items():
                reason = decisions.blocked.get(shape, HELD)
                waiting[reason] = waiting.get(reason, 0) + shape.chips * len(lane.jobs)
        self._waiting_chips = waiting

    def close(self, end_s: float) -> None:
        """Bring the record up to the end of the run."""
        self._count_waiting(end_s)
        self._keep()
        self.record.end_time_s = end_s

    def _start(self, start: Start, now_s: float) -> None:
        job, pool, placement = start
        row, shape = job.row, job.shape
        self.queue.remove(job, self.policy.order(job))
        self.free[pool].take(placement)
        self.busy[pool] += shape.chips
        run = Release(now_s + job.estimate_s, row, shape.chips, placement)
        insort(self.running[pool], run)
        self.record.start_s[row] = now_s
        self.record.pool[row] = pool
        JobEnd(self.clock, now_s + self._run_s.pop(row), self._end, pool, run)

    def _end(self, event: simpy.Event) -> None:
        ended = cast(JobEnd, event)
        pool, run = ended.pool, ended.run
        self._turn()
        self.free[pool].give(run.placement)
        self.busy[pool] -= run.chips
        running = self.running[pool]
        del running[bisect_left(running, run)]
        self.record.end_s[run.row] = self.clock.now
        self.ended_jobs += 1
        self._memo = None
        if self.queue.jobs:
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

    def _count_waiting(self, now_s: float) -> None:
        if self._waiting_chips:
            total = self.record.blocked_chip_s
            lasted_s = max(0.0, now_s - max(self._passed_s, self.record.warmup_s))
            for reason, chips in self._waiting_chips.items():
                total[reason] = total.get(reason, 0.0) + chips * lasted_s
        self._passed_s = now_s
