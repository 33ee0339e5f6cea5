"""Order: who goes first. A function from a waiting job to a number; the lowest number goes first.

Ties go to the earlier submission, then to the order of the source. Both orders here are static: the
value of a job does not change while it waits.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from policies.queue import QueuedJob

Order: TypeAlias = Callable[[QueuedJob], float]


def fifo(job: QueuedJob) -> float:
    """First in, first out: the time of submission [s]."""
    return job.submit_s


def sjf(job: QueuedJob) -> float:
    """Shortest job first: the user's estimate of the run time [s] in the fastest pool the job may use."""
    return job.estimate * min(job.shape.pace_s)


def in_order(jobs: Sequence[QueuedJob], order: Order) -> Sequence[QueuedJob]:
    """The jobs, first to go first."""
    if len(jobs) < 2:
        return jobs
    return sorted(jobs, key=lambda job: (order(job), job.submit_s, job.row))
