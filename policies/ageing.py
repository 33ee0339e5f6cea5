"""Orders whose values change with time while jobs wait: the longer a job has waited, the sooner it goes.

Each is a function of a job's wait [s], of the estimate of what is left of it [s] and of its chips, for one job or, as
arrays of shape (n_jobs,), for many of one size with the same bits. The lowest value goes first, and it must be finite.
Ties go to the earlier submission, then to the order of the source. A wait is all the time since the submission that a
job has not been on its chips; estimates below a second count as one.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Seconds: TypeAlias = float | NDArray[np.float64]
SHORTEST_S = 1.0


@dataclass(frozen=True, slots=True)
class Ageing:
    """An order by values that change while a job waits: value(wait, estimate, chips)."""

    value: Callable[[Seconds, Seconds, int], Seconds]


def wfp3(wait_s: Seconds, estimate_s: Seconds, chips: int) -> Seconds:
    """Highest (wait / estimate)^3 * chips first (WFP: Tang et al., Cluster 2009).

    Large and old jobs first, short ones sooner. Source: Tang, Lan, Desai and Buettner, Fault-aware, utility-based job
    scheduling on Blue Gene/P systems, IEEE Cluster 2009.
    """
    ratio = wait_s / estimate_s
    return -(ratio * ratio * ratio) * chips


def unicef(wait_s: Seconds, estimate_s: Seconds, chips: int) -> Seconds:
    """Highest wait / (log2(chips) * estimate) first (UNICEF: Tang et al., Cluster 2009).

    Small and short jobs first. A single chip counts as two, since its logarithm is 0. Source: as wfp3.
    """
    return -wait_s / (max(1.0, math.log2(chips)) * estimate_s)
