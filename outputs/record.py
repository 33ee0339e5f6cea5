"""The record of a run: columns that grow in place, tens of bytes a job. The only thing a run leaves behind."""

from __future__ import annotations  # array[float] is only a type on Python 3.11

import math
from array import array
from dataclasses import dataclass, field

from scenarios.jobs import JobTable

NO_POOL = -1
REJECTED = -2  # and below: REJECTED less the position of the reason in Record.reasons


@dataclass(slots=True)
class Timeline:
    """A step series: at each row's time the state becomes the row's; times rise strictly."""

    time_s: array[float]
    queue_jobs: array[int]
    queue_chips: array[int]
    busy_chips: list[array[int]]  # by pool
    installed_chips: list[array[int]]  # powered, by pool; empty for pools that are all there from the start
    it_nw: array[int]  # empty where nothing draws power

    @classmethod
    def of(cls, pools: int) -> Timeline:
        """An empty series for so many pools."""
        busy, installed = [[array("q") for _ in range(pools)] for _ in range(2)]
        return cls(array("d"), array("q"), array("q"), busy, installed, array("q"))


@dataclass(slots=True)
class Record:
    """What happened: the jobs as submitted, their starts and ends by row, and the timeline.

    A row is a job. start_s and end_s are nan until they happen, pool is NO_POOL until the job starts.
    """

    timeline: Timeline
    warmup_s: float = 0.0
    tables: list[tuple[int, JobTable]] = field(default_factory=list)  # (class, jobs) as their batches came
    start_s: array[float] = field(default_factory=lambda: array("d"))
    end_s: array[float] = field(default_factory=lambda: array("d"))
    pool: array[int] = field(default_factory=lambda: array("h"))
    blocked_chip_s: dict[str, float] = field(default_factory=dict)  # waiting chip-seconds after warmup, by reason
    reasons: list[str] = field(default_factory=list)  # why jobs were rejected
    events: int = 0
    passes: int = 0
    end_time_s: float = 0.0

    def reject(self, row: int, reason: str) -> None:
        """Keep that a job was rejected, and why."""
        if reason not in self.reasons:
            self.reasons.append(reason)
        self.pool[row] = REJECTED - self.reasons.index(reason)

    def add(self, job_class: int, jobs: JobTable) -> int:
        """Make rows for a batch of jobs that will be submitted; the row of its first job."""
        first = len(self.start_s)
        self.tables.append((job_class, jobs))
        self.start_s.extend([math.nan] * len(jobs))
        self.end_s.extend([math.nan] * len(jobs))
        self.pool.extend([NO_POOL] * len(jobs))
        return first
