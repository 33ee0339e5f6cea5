"""Jobs that wait outside the queue for a cheaper or cleaner hour, each until its own deadline."""

import math
from collections.abc import Callable

from policies.power import DeferRule
from policies.queue import QueuedJob
from scenarios.contract import SiteSteps
from scenarios.instants import instant
from sim.clock import Clock, Moment, Phase
from topologies.plant import Plant, Shape


class Deferral:
    """Who is held, and until when; what is let go is handed to `release`."""

    def __init__(
        self,
        clock: Clock,
        plant: Plant,
        rule: DeferRule,
        steps: SiteSteps,
        end_s: float,
        release: Callable[[QueuedJob], None],
    ) -> None:
        self.clock = clock
        self.jobs: dict[int, QueuedJob] = {}  # by row
        self.chips = 0
        self.shapes: dict[Shape, int] = {}  # how many of each wait
        self.good = False
        self._plans = plant.plans
        self._rule = rule.settled(steps, end_s)
        self._steps = steps
        self._release = release
        self._timed: set[int] = set()
        self.change(0)

    def change(self, row: int) -> None:
        """The next row of the site's steps holds; a good hour lets everybody go."""
        self.good = self._rule.good(float(self._steps.price[row]), float(self._steps.carbon[row]))
        if self.good:
            for held in list(self.jobs):
                self._let_go(held)

    def holds(self, job: QueuedJob) -> bool:
        """Take a job that should wait; False where it may start now."""
        if self.good:
            return False
        own_s = self._plans[job.job_class].defer_up_to_s
        until_s = instant(job.submit_s + (self._rule.deadline_s if own_s is None else own_s))
        if until_s <= self.clock.now:
            return False
        if until_s < math.inf and job.row not in self._timed:
            self._timed.add(job.row)
            Moment(self.clock, until_s, Phase.SIGNAL, lambda _: self._let_go(job.row))
        self.jobs[job.row] = job
        self.chips += job.shape.chips
        self.shapes[job.shape] = self.shapes.get(job.shape, 0) + 1
        return True

    def _let_go(self, row: int) -> None:
        job = self.jobs.get(row)
        if job is not None:
            self._release(job)  # first: this ends an instant in which it waited here
            del self.jobs[row]
            self.chips -= job.shape.chips
            self.shapes[job.shape] -= 1
            if not self.shapes[job.shape]:
                del self.shapes[job.shape]
