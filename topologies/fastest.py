"""How long a unit of work takes in the fastest pool that a job may use: what its user has in mind."""

import numpy as np
from numpy.typing import NDArray

from scenarios.jobs import JobTable
from topologies.plant import Plant, Shape


def fastest_pace_s(plant: Plant, job_class: int, jobs: JobTable) -> NDArray[np.float64]:
    """Seconds a unit of work in the fastest pool for each job, nan where there is none, shape (n_jobs,).

    Whatever the policy admits: the same jobs say the same under every policy.
    """
    kinds, kind = np.unique(np.stack([jobs.chips, jobs.portable]), axis=1, return_inverse=True)
    shapes = [plant.shape(job_class, chips, bool(portable), nothing) for chips, portable in kinds.T.tolist()]
    pace_s = [min(shape.pace_s) if isinstance(shape, Shape) else np.nan for shape in shapes]
    return np.array(pace_s)[kind.ravel()]


def nothing(_draw_nw: int, _least_nw: int) -> int:
    """Admit whatever a job draws."""
    return 0
