"""The record of a run: columns that grow in place, tens of bytes a job. The only thing a run leaves behind."""

from __future__ import annotations  # array[float] is only a type on Python 3.11

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from scenarios.contract import SiteSteps
from scenarios.jobs import JobTable
from topologies.free import Placement

NO_POOL = -1
POWER, POLICY = "power", "policy"  # what stops a job: a falling cap, or the preemption of the policy
RESIZE = "resize"  # or it goes on at once in another size
RECLAIM = "reclaim"  # or a tenant takes back the quota that it has lent
REJECTED = -2  # and below: REJECTED less the position of the reason in Record.reasons


@dataclass(slots=True)
class Timeline:
    """A step series: at each row's time the state becomes the row's; times rise strictly."""

    time_s: array[float]
    queue_jobs: array[int]
    queue_chips: array[int]
    busy_chips: list[array[int]]  # by pool
    powered: list[list[tuple[float, int]]]  # by pool: (from [s], racks), as racks were switched on and off
    booting: list[list[tuple[float, int]]]  # of these those that are coming up
    it_nw: array[int]  # empty where nothing draws power
    battery_w: array[float]  # given at the meter, below 0 while charging; empty without a battery
    soc_j: array[float]
    throttle: array[float]  # mean speed of the chips in use; empty where speeds cannot change

    @classmethod
    def of(cls, pools: int) -> Timeline:
        """An empty series for so many pools."""
        busy = [array("q") for _ in range(pools)]
        powered: list[list[tuple[float, int]]] = [[] for _ in range(pools)]
        booting: list[list[tuple[float, int]]] = [[] for _ in range(pools)]
        instants = array("d"), array("q"), array("q")
        return cls(*instants, busy, powered, booting, array("q"), array("d"), array("d"), array("d"))


class Spent(NamedTuple):
    """How the time of a stay on its chips went, after the warmup [s]; what is lost at its end is part of worked_s.

    computing: the part of worked_s in which the chips compute, as the step of its seat has it; the rest is exchange
    that they wait for and the bubble. packed: what worked_s would be at the best seat of the pool, over what it was.
    """

    throttled_s: float = 0.0  # what caps took
    traffic_s: float = 0.0  # what the traffic of others took
    restart_s: float = 0.0
    worked_s: float = 0.0  # at full speed and alone
    computing: float = 1.0
    packed: float = 1.0
    checkpoint_s: float = 0.0  # the last checkpoint before a stop


class Segment(NamedTuple):
    """A stay of a job on its chips that ended before its work was done, what it drew and lost, and what ended it."""

    row: int
    pool: int
    chips: int
    from_s: float
    to_s: float
    energy_j: float
    counted_j: float  # of this up to the end of the warmup
    lost_s: float  # of run time since the last checkpoint
    placement: Placement
    stopped_by: str  # POWER, POLICY, RESIZE or RECLAIM
    spent: Spent


@dataclass(slots=True)
class Meter:
    """What runs with changing speeds keep besides: readings by job, and the caps as they changed.

    energy_j: of the job's last stay, chips with their host share before conversion. done: work done, in the class's
    units; work_s: the same in seconds at full speed. counted_*: the same at the end of the warmup. resumed_s: begin of
    the last stay of jobs that were stopped before, infinite while they wait. worked_s, throttled_s, traffic_s,
    restart_s, checkpoint_s: how the time of the last stay went, as in Spent. cap_*: a row per change of a group's cap,
    as a fraction of its range above idle. placements: where gangs sat, kept where levels below it can bind. chips,
    scaled: of malleable jobs the size of the last stay, and what a chip did over that in the size asked for.
    """

    energy_j: array[float] = field(default_factory=lambda: array("d"))
    done: array[float] = field(default_factory=lambda: array("d"))
    work_s: array[float] = field(default_factory=lambda: array("d"))
    worked_s: array[float] = field(default_factory=lambda: array("d"))
    throttled_s: array[float] = field(default_factory=lambda: array("d"))
    traffic_s: dict[int, float] = field(default_factory=dict)
    restart_s: dict[int, float] = field(default_factory=dict)
    checkpoint_s: dict[int, float] = field(default_factory=dict)
    counted_j: dict[int, float] = field(default_factory=dict)
    counted_done: dict[int, float] = field(default_factory=dict)
    counted_work_s: dict[int, float] = field(default_factory=dict)
    segments: list[Segment] = field(default_factory=list)
    resumed_s: dict[int, float] = field(default_factory=dict)
    placements: dict[int, Placement] = field(default_factory=dict)
    chips: dict[int, int] = field(default_factory=dict)
    scaled: dict[int, float] = field(default_factory=dict)
    groups: list[tuple[int, int, list[str]]] = field(default_factory=list)  # (class, pool, levels above)
    cap_time_s: array[float] = field(default_factory=lambda: array("d"))
    cap_group: array[int] = field(default_factory=lambda: array("i"))
    cap_fraction: array[float] = field(default_factory=lambda: array("d"))

    def add_group(self, job_class: int, pool: int, levels: list[str]) -> int:
        """Make a group of gangs that share a cap; its number."""
        self.groups.append((job_class, pool, levels))
        return len(self.groups) - 1

    def cap(self, time_s: float, group: int, fraction: float) -> None:
        """Keep that a group's cap has changed."""
        self.cap_time_s.append(time_s)
        self.cap_group.append(group)
        self.cap_fraction.append(fraction)


@dataclass(slots=True)
class Journeys:
    """What runs with a network keep of where gangs sat, by row: domains and groups of leaves, 0 before the start.

    pace_s: seconds a unit of work on the last seat, alone, at full speed. stretch: time on chips over that alone, of
    gangs that have shared links. computing: the part of pace_s in which the chips compute. done, before: shares of the
    work done at the end of the run, and at that of the warmup, by gangs that shared links then, and traffic_s: what
    the traffic of others took after the warmup [s]; only where nothing else changes speeds.
    """

    pace_s: array[float] = field(default_factory=lambda: array("d"))
    domains: array[int] = field(default_factory=lambda: array("i"))
    leaves: array[int] = field(default_factory=lambda: array("i"))
    computing: array[float] = field(default_factory=lambda: array("d"))
    stretch: dict[int, float] = field(default_factory=dict)
    traffic_s: dict[int, float] = field(default_factory=dict)
    done: dict[int, float] = field(default_factory=dict)
    before: dict[int, float] = field(default_factory=dict)


@dataclass(slots=True)
class Record:
    """What happened: the jobs as submitted, their starts and ends by row, and the timeline.

    A row is a job. start_s and end_s are nan until they happen, pool is NO_POOL until the job starts. preferred_met:
    whether the last seat of a job lies in one unit of the level that its class prefers, where it prefers one.
    """

    timeline: Timeline
    warmup_s: float = 0.0
    site: SiteSteps | None = None
    meter: Meter | None = None
    journeys: Journeys | None = None
    tables: list[tuple[int, JobTable]] = field(default_factory=list)  # (class, jobs) as their batches came
    start_s: array[float] = field(default_factory=lambda: array("d"))
    end_s: array[float] = field(default_factory=lambda: array("d"))
    pool: array[int] = field(default_factory=lambda: array("h"))
    preferred_met: dict[int, bool] = field(default_factory=dict)
    blocked_chip_s: dict[str, float] = field(default_factory=dict)  # waiting chip-seconds after warmup, by reason
    idle_chip_s: list[list[float]] = field(default_factory=list)  # by pool, as in Idle, while anyone waited
    reasons: list[str] = field(default_factory=list)  # why jobs were rejected
    events: int = 0
    passes: int = 0
    unsolved: int = 0  # times that the solver of the max-min shares gave up
    end_time_s: float = 0.0
    left_over: str | None = None  # what a run until done leaves behind
    remarks: list[str] = field(default_factory=list)  # what else the user should know

    def reject(self, row: int, reason: str) -> None:
        """Keep that a job was rejected, and why."""
        if reason not in self.reasons:
            self.reasons.append(reason)
        self.pool[row] = REJECTED - self.reasons.index(reason)

    def job_id(self, row: int, class_names: Sequence[str]) -> str:
        """What users call a job: its class and its number in it."""
        for job_class, jobs in self.tables:
            if row < len(jobs):
                return f"{class_names[job_class]}/{jobs.number[row]}"
            row -= len(jobs)
        raise ValueError(f"found the row {row} beyond the last job; allowed: rows of jobs that were submitted")

    def add(self, job_class: int, jobs: JobTable) -> int:
        """Make rows for a batch of jobs that will be submitted; the row of its first job."""
        first = len(self.start_s)
        self.tables.append((job_class, jobs))
        self.start_s.extend([math.nan] * len(jobs))
        self.end_s.extend([math.nan] * len(jobs))
        self.pool.extend([NO_POOL] * len(jobs))
        if self.meter is not None:
            self.meter.energy_j.extend([0.0] * len(jobs))
            self.meter.done.extend([0.0] * len(jobs))
            self.meter.work_s.extend([0.0] * len(jobs))
            self.meter.worked_s.extend([0.0] * len(jobs))
            self.meter.throttled_s.extend([0.0] * len(jobs))
        if self.journeys is not None:
            self.journeys.pace_s.extend([math.nan] * len(jobs))
            self.journeys.domains.extend([0] * len(jobs))
            self.journeys.leaves.extend([0] * len(jobs))
            self.journeys.computing.extend([1.0] * len(jobs))
        return first
