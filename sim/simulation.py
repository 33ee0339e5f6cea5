"""The simulation: a thin loop over SimPy's events with one scheduling pass an instant. Steppable."""

import math
from collections.abc import Generator, Iterator, Sequence
from functools import partial

import numpy as np
import simpy

from outputs.record import Journeys, Meter, Record, Timeline
from policies.faults import PlugInError
from policies.interruptions import Interruptions
from policies.policy import Policy
from scenarios.contract import SiteSteps
from scenarios.instants import instant
from scenarios.jobs import JobTable
from scenarios.load import Scenario
from sim.clock import Clock, Moment, Phase
from sim.cluster import Cluster
from sim.feed import Feed
from sim.unfinished import left_over, stood_still
from topologies.fastest import fastest_pace_s
from topologies.plant import Plant


def arrive(clock: Clock, cluster: Cluster, job_class: int, batches: Iterator[JobTable]) -> Generator[simpy.Event]:
    """The arrivals of one class, a SimPy process.

    Starts at time 0, waits for the next submission, hands in all jobs of that instant; ends with the
    last job or at the horizon, and is never interrupted.
    """
    at_s = -1.0
    for jobs in batches:
        row = cluster.record.add(job_class, jobs)
        for arrival in jobs.arrivals(cluster.requests.tenant_numbers(jobs.tenant_names)):
            if arrival.submit_s > at_s:
                yield Moment(clock, arrival.submit_s, Phase.ARRIVAL)
                at_s = arrival.submit_s
            cluster.submit(row, job_class, arrival)
            row += 1


def deliver(
    clock: Clock, cluster: Cluster, pool: int, deliveries: Sequence[tuple[float, int]]
) -> Generator[simpy.Event]:
    """The deliveries of one pool, a SimPy process that waits for each of them in turn."""
    for time_s, racks in deliveries:
        yield Moment(clock, time_s, Phase.DELIVERY)
        cluster.deliver(pool, racks)


def change_site(clock: Clock, cluster: Cluster, steps: SiteSteps) -> Generator[simpy.Event]:
    """What changes at the site, a SimPy process that waits for each of its steps in turn."""
    for row, time_s in enumerate(steps.time_s.tolist()):
        if row:  # the first holds from the start
            yield Moment(clock, time_s, Phase.SIGNAL)
            cluster.change_site(row)


def end_warmup(clock: Clock, cluster: Cluster, time_s: float) -> Generator[simpy.Event]:
    """The end of the warmup, a SimPy process: meters are read once."""
    yield Moment(clock, time_s, Phase.COMPLETION)
    if cluster.feed is not None:
        cluster.feed.end_warmup()
    if cluster.roads is not None:
        cluster.roads.end_warmup()


class Simulation:
    """A run in progress. advance() as often as liked, then finish() for the record."""

    def __init__(self, scenario: Scenario, plant: Plant, policy: Policy, seed: int) -> None:
        keys, steps = scenario.keys, scenario.site_steps(seed)
        warmup_s = instant(keys.warmup)
        self.clock = Clock()
        self.record = Record(Timeline.of(len(plant.pools)), warmup_s, steps, remarks=[*policy.warnings])
        if (
            policy.power.steady
            or policy.ranks
            or policy.scaling is not None
            or (steps is not None and plant.draws and _moves(steps, plant))
        ):
            self.record.meter = Meter()
        if plant.network is not None:
            self.record.journeys = Journeys()
        losses = Interruptions(keys.failures.checkpoint.every, keys.failures.checkpoint.stall, keys.failures.restart)
        self.end_s = scenario.end_s
        self.cluster = Cluster(self.clock, plant, policy, self.record, losses, self.end_s)
        self.start = keys.start
        self._class_names = [work.job_class for work in keys.workload]
        if (self.record.meter is not None or self.record.journeys is not None) and warmup_s > 0:
            self.clock.process(end_warmup(self.clock, self.cluster, warmup_s))
        if steps is not None:
            self.clock.process(change_site(self.clock, self.cluster, steps))
        for index, pool in enumerate(plant.pools):
            self.clock.process(deliver(self.clock, self.cluster, index, pool.deliveries))
        self._arrivals = [
            self.clock.process(
                arrive(
                    self.clock, self.cluster, index, scenario.jobs(work, seed, partial(fastest_pace_s, plant, index))
                )
            )
            for index, work in enumerate(keys.workload)
        ]

    def advance(self, events: int) -> bool:
        """Let so many more events happen, with their scheduling passes; False when nothing is left to happen.

        An event at the horizon itself still happens. ScenarioError for what a plug-in does wrong.
        """
        try:
            return self._advance(events)
        except PlugInError as error:
            guard = self.cluster.policy.guard
            fault = error if guard is None or guard.fault is None else guard.fault  # SimPy raises copies
            job = "" if fault.job is None else f"job {self.record.job_id(fault.job.row, self._class_names)}"
            raise fault.told(job, self.clock.now) from None

    def _advance(self, events: int) -> bool:
        clock, cluster = self.clock, self.cluster
        if cluster.feed is not None:
            return self._advance_with(cluster.feed, events)
        coming = clock.coming
        for done in range(events):
            while cluster.stale and (not coming or coming[0][0] > clock.now):
                cluster.decide()
            if not coming or coming[0][0] > self.end_s or (self.end_s == math.inf and self._done()):
                self.record.events += done
                return False
            clock.step()
        self.record.events += events
        return True

    def _advance_with(self, feed: Feed, events: int) -> bool:
        """As advance, where the next end of a job moves with the speeds and is no event."""
        clock, cluster, coming, last_s = self.clock, self.cluster, self.clock.coming, self.end_s
        for done in range(events):
            event_s, end_s = (coming[0][0] if coming else math.inf), feed.next_end_s
            while cluster.stale and event_s > clock.now and end_s > clock.now:  # a pass with a claim asks for another
                cluster.decide()
                event_s, end_s = (coming[0][0] if coming else math.inf), feed.next_end_s
            next_s = end_s if end_s <= event_s else event_s
            if next_s > last_s or next_s == math.inf or (last_s == math.inf and self._done_with(feed)):
                self.record.events += done
                return False
            if end_s <= event_s:
                clock.jump(end_s)
                feed.end_due()
            else:
                clock.step()
        self.record.events += events
        return True

    def finish(self) -> Record:
        """Close the books: at the horizon, or at the last end for a run until done."""
        cluster = self.cluster  # where speeds change, events may be left over after the last end
        last_s = self.clock.now if cluster.feed is None and cluster.roads is None else cluster.keeping.changed_s
        self.cluster.close(self.end_s if math.isfinite(self.end_s) else last_s)
        standstill = None if cluster.feed is None else cluster.feed.standstill
        if self.end_s == math.inf:
            self.record.left_over = left_over(cluster, self._class_names)
        elif standstill is not None and standstill.lasts:
            self.record.remarks.append(stood_still(standstill))
        return self.record

    def _done_with(self, feed: Feed) -> bool:
        """Whether all jobs have ended, or nobody who is there gets on and nothing is to come that could change it."""
        if not feed.standstill.lasts:
            return self._done()
        if any(process.is_alive for process in self._arrivals):
            return False
        deferral, now_s = self.cluster.deferral, self.clock.now
        return now_s >= self._settled_s() and not (deferral is not None and deferral.jobs)

    def _settled_s(self) -> float:
        """When the last racks have come and cap and cooling have changed for the last time [s]."""
        settled_s = max([time_s for pool in self.cluster.plant.pools for time_s, _ in pool.deliveries], default=0.0)
        steps = self.record.site
        if steps is not None:
            moved = [np.diff(of) != 0 for of in (steps.cap_w, steps.announced_w, steps.overhead)]
            settled_s = max([settled_s, *steps.time_s[1:][np.any(moved, axis=0)].tolist()])
        return settled_s

    def _done(self) -> bool:
        """Whether all jobs have ended, so that what may still change at the site is of no interest."""
        cluster = self.cluster
        return (
            cluster.record.site is not None
            and not cluster.stale
            and not any(cluster.held.busy)
            and not cluster.queue.jobs
            and not (cluster.deferral is not None and cluster.deferral.jobs)
            and not any(process.is_alive for process in self._arrivals)
        )


def _moves(steps: SiteSteps, plant: Plant) -> bool:
    """Whether the power that jobs may draw is ever another than the one that the plant was built with."""
    site = plant.site
    steady = (steps.announced_w == site.cap_w) & (steps.cap_w == site.cap_w) & (steps.overhead == 1 + site.proportional)
    return site.battery is not None or not steady.all()


def simulate(scenario: Scenario, plant: Plant, policy: Policy, seed: int) -> Record:
    """Run a scenario to its end."""
    simulation = Simulation(scenario, plant, policy, seed)
    while simulation.advance(100_000):
        pass
    return simulation.finish()
