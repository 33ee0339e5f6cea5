"""Static orders: who goes first, from what does not change while a job waits. The lowest value goes first.

Ties go to the earlier submission, then to the order of the source. Orders that compare tenants are in
policies/fairness.py, those whose values change with time in policies/ageing.py.
"""

import math
from bisect import bisect_right
from dataclasses import dataclass

from policies.queue import QueuedJob
from scenarios.instants import instant


def fifo(job: QueuedJob) -> float:
    """First in, first out: the time of submission [s]."""
    return job.submit_s


def sjf(job: QueuedJob) -> float:
    """Shortest job first: the user's estimate of the whole run time [s] in the fastest pool the job may use."""
    return job.asked_s


def ljf(job: QueuedJob) -> float:
    """Longest job first: by the estimate that sjf takes."""
    return -job.asked_s


def srtf(job: QueuedJob) -> float:
    """Shortest remaining time first: as sjf, but of a job that was stopped only what is left of its estimate [s]."""
    return job.left_s


def smallest_first(job: QueuedJob) -> float:
    """Smallest gang first: the chips it asks for."""
    return job.shape.chips


def priority(job: QueuedJob) -> float:
    """Highest priority of the class first."""
    return -job.priority


def deadline(job: QueuedJob) -> float:
    """Earliest deadline first [s] (Jackson, 1955); jobs without one go last."""
    return job.deadline_s


@dataclass(frozen=True, slots=True)
class LeastAttainedService:
    """Least attained service first, chips times run time, in a few queues (Tiresias: Gu et al., NSDI 2019).

    A job is in the first queue whose threshold [chip-seconds] its service has not reached, and in the last beyond all
    of them. Inside a queue jobs that have run go by their first start, then the others by submission.
    Source: Gu et al., Tiresias, NSDI 2019, section 3.3 (two-dimensional LAS, discretised). Tiresias stops running jobs
    too; an order ranks waiting ones only, so that jobs differ once something else has stopped some of them.
    """

    thresholds: tuple[float, ...]

    def __call__(self, job: QueuedJob) -> tuple[float, float]:
        """(position of the queue, first start [s])."""
        past = job.past
        if past is None:
            return 0.0, math.inf
        return float(bisect_right(self.thresholds, instant(job.shape.chips * past.held_s))), past.first_start_s
