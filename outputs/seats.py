"""What the seats of gangs and the traffic of others cost: slowdowns by job, and their means."""

import math

import numpy as np

from outputs.jobs import Floats, Jobs
from outputs.record import Journeys
from outputs.stays import Stays, by_kind, by_row, planned_pace_s
from topologies.plant import Plant


def placement_slowdown(journeys: Journeys, jobs: Jobs, plant: Plant) -> Floats:
    """Pace on the last seat over that on the best seat of the pool [1], shape (n_jobs,); nan before the start."""
    planned_s = planned_pace_s(jobs, plant)
    paces_s = np.array(journeys.pace_s)[jobs.row]
    return np.asarray(np.where(jobs.started, paces_s / np.where(planned_s > 0, planned_s, 1.0), np.nan))


def fabric_slowdown(jobs: Jobs, plant: Plant) -> Floats:
    """Pace of the packed gang, alone, over that with links up that carry all [1], shape (n_jobs,); nan before."""

    def ratio(job_class: int, pool: int, chips: int) -> float:
        unbound_s = None if plant.network is None else plant.network.unbound_pace_s(job_class, pool, chips)
        return plant.planned_pace_s(job_class, pool, chips) / unbound_s if unbound_s else 1.0

    return by_kind(jobs, plant, ratio) if len(jobs.chips) else np.empty(0)


def contention_slowdown(journeys: Journeys, jobs: Jobs) -> Floats:
    """Time on chips over that without the traffic of others [1], shape (n_jobs,); nan before the start."""
    return np.asarray(np.where(jobs.started, by_row(journeys.stretch, jobs, 1.0), np.nan))


def seat_metrics(journeys: Journeys, jobs: Jobs, stays: Stays, plant: Plant) -> dict[str, float]:
    """Means over the chip-seconds held after the warmup, of each job by its last stay."""
    last = slice(0, len(stays.last))
    held = stays.chip_s[last]
    total = math.fsum(held.tolist())
    if total == 0:
        return {}

    def mean(values: Floats) -> float:
        return math.fsum((values[stays.last] * held).tolist()) / total

    spread = np.array(journeys.leaves, np.int64)[jobs.row] > 1
    return {
        "fabric_slowdown_mean": mean(fabric_slowdown(jobs, plant)),
        "placement_slowdown_mean": mean(placement_slowdown(journeys, jobs, plant)),
        "contention_slowdown_mean": mean(contention_slowdown(journeys, jobs)),
        "beyond_leaf_fraction": mean(spread.astype(np.float64)),
    }
