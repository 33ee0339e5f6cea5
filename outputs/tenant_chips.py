"""What the tenants of a scenario's quotas held, and what of it they had borrowed."""

import math

import numpy as np

from outputs.jobs import Bools, Jobs
from outputs.stays import Stays
from scenarios.tenants import Tenant, entry_of
from scenarios.units import HOUR_S
from topologies.plant import Plant


def jobs_of(jobs: Jobs, names: list[str]) -> list[Bools]:
    """The jobs of each entry of tenants, shape (n_jobs,) each."""
    entry = np.array([entry_of(name, names) for name in jobs.tenant_names], np.int64)
    return [np.asarray(entry[jobs.tenant] == at) for at in range(len(names))]


def tenant_chips(
    entry: Tenant, theirs: Bools, stays: Stays, plant: Plant, from_s: float, to_s: float
) -> dict[str, float]:
    """Chip-hours within a window that some jobs held, and that they held beyond the nominal quota of their tenant."""
    mine = theirs[stays.job]
    borrowed_s = []
    for at, pool in enumerate(plant.pools):
        those = mine & (stays.pool == at)
        time_s = np.clip(np.concatenate([stays.from_s[those], stays.to_s[those]]), from_s, to_s)
        chips = np.concatenate([stays.chips[those], -stays.chips[those]])
        order = np.argsort(time_s, kind="stable")
        beyond = np.maximum(0, np.cumsum(chips[order]) - entry.quota.get(pool.name, 0))
        borrowed_s += (beyond[:-1] * np.diff(time_s[order])).tolist()
    return {
        "held_chip_h": stays.total(stays.chip_s, mine) / HOUR_S,
        "borrowed_chip_h": math.fsum(borrowed_s) / HOUR_S,
    }
