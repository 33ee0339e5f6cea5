"""The simulation: a thin loop over SimPy's events with one scheduling pass an instant. Steppable."""

import math
from collections.abc import Generator, Iterator, Sequence

import simpy

from outputs.record import Record, Timeline
from policies.build import Policy
from scenarios.jobs import JobTable
from scenarios.load import Scenario
from sim.clock import Clock, Moment, Phase
from sim.cluster import Cluster
from topologies.plant import Plant


def arrive(clock: Clock, cluster: Cluster, job_class: int, batches: Iterator[JobTable]) -> Generator[simpy.Event]:
    """The arrivals of one class, a SimPy process.

    Starts at time 0, waits for the next submission, hands in all jobs of that instant; ends with the
    last job or at the horizon, and is never interrupted.
    """
    at_s = -1.0
    for jobs in batches:
        row = cluster.record.add(job_class, jobs)
        columns = (jobs.submit_s, jobs.chips, jobs.work, jobs.estimate, jobs.portable)
        rows = zip(*[column.tolist() for column in columns], strict=True)
        for submit_s, chips, todo, estimate, portable in rows:
            if submit_s > at_s:
                yield Moment(clock, submit_s, Phase.ARRIVAL)
                at_s = submit_s
            cluster.submit(row, job_class, submit_s, chips, todo, estimate, portable)
            row += 1


def deliver(
    clock: Clock, cluster: Cluster, pool: int, deliveries: Sequence[tuple[float, int]]
) -> Generator[simpy.Event]:
    """The deliveries of one pool, a SimPy process that waits for each of them in turn."""
    for time_s, racks in deliveries:
        yield Moment(clock, time_s, Phase.DELIVERY)
        cluster.deliver(pool, racks)


class Simulation:
    """A run in progress. advance() as often as liked, then finish() for the record."""

    def __init__(self, scenario: Scenario, plant: Plant, policy: Policy, seed: int) -> None:
        self.clock = Clock()
        self.record = Record(Timeline.of(len(plant.pools)), scenario.keys.warmup)
        self.cluster = Cluster(self.clock, plant, policy, self.record)
        self.start = scenario.keys.start
        self.end_s = scenario.end_s
        for index, pool in enumerate(plant.pools):
            self.clock.process(deliver(self.clock, self.cluster, index, pool.deliveries))
        for index, work in enumerate(scenario.keys.workload):
            self.clock.process(arrive(self.clock, self.cluster, index, scenario.jobs(work, seed)))

    def advance(self, events: int) -> bool:
        """Let so many more events happen, with their scheduling passes; False when nothing is left to happen.

        An event at the horizon itself still happens.
        """
        clock, cluster = self.clock, self.cluster
        coming = clock.coming
        for done in range(events):
            if cluster.stale and (not coming or coming[0][0] > clock.now):
                cluster.decide()
            if not coming or coming[0][0] > self.end_s:
                self.record.events += done
                return False
            clock.step()
        self.record.events += events
        return True

    def finish(self) -> Record:
        """Close the books: at the horizon, or at the last end for a run until done."""
        self.cluster.close(self.end_s if math.isfinite(self.end_s) else self.clock.now)
        return self.record


def simulate(scenario: Scenario, plant: Plant, policy: Policy, seed: int) -> Record:
    """Run a scenario to its end."""
    simulation = Simulation(scenario, plant, policy, seed)
    while simulation.advance(100_000):
        pass
    return simulation.finish()
