"""Power and energy of a run: the draw at the meter as a step series, and where each joule went."""

import math

import numpy as np
from numpy.typing import NDArray

from outputs.jobs import Held, Jobs
from outputs.record import Record
from outputs.steps import durations, integral
from topologies.plant import Plant
from topologies.power import NW_PER_W

Floats = NDArray[np.float64]


def power_columns(record: Record, plant: Plant) -> dict[str, Floats]:
    """feed_w, it_w and, where there is a contract, cap_w of the timeline, shape (n_rows,)."""
    it_w = np.array(record.timeline.it_nw) / NW_PER_W
    site = plant.site
    columns = {"feed_w": it_w * (1.0 + site.proportional) + site.fixed_w, "it_w": it_w}
    if site.cap_w is not None:
        columns["cap_w"] = np.full(len(it_w), site.cap_w)
    return columns


def power_metrics(record: Record, plant: Plant, jobs: Jobs, held: Held, warmup_s: float) -> dict[str, float]:
    """Peak and mean draw, and the energy after the warmup by where it went.

    The parts are computed from job rows and the constants of the plant, not from the timeline: jobs (their chips and
    host share), idle chips, hosts and switches, conversion, other IT, and the site (cooling and distribution).
    """
    end_s = record.end_time_s
    if end_s <= warmup_s:
        return {}
    line, site = record.timeline, plant.site
    lasts_s = durations(np.array(line.time_s), warmup_s, end_s)
    columns = power_columns(record, plant)
    feed_j = integral(columns["feed_w"], lasts_s)
    metrics = {
        "feed_peak_w": float(columns["feed_w"][lasts_s > 0].max()),
        "feed_mean_w": feed_j / (end_s - warmup_s),
        "feed_energy_j": feed_j,
    }
    if site.cap_w is not None:
        metrics["cap_w"] = site.cap_w
        metrics["feed_peak_fraction"] = metrics["feed_peak_w"] / site.cap_w
        metrics["feed_mean_fraction"] = metrics["feed_mean_w"] / site.cap_w
    chip_s = held.within(jobs, warmup_s, end_s)
    jobs_j = math.fsum((chip_s * held.chip_w).tolist())
    idle_j = hosts_j = racks_j = 0.0
    for at, pool in enumerate(plant.pools):
        racks = (
            np.array(line.installed_chips[at]) / plant.rack_chips[at]
            if at in plant.growing
            else np.full(len(lasts_s), pool.racks)
        )
        rack_s = integral(racks, lasts_s)
        busy_chip_s = math.fsum(chip_s[jobs.pool == at].tolist())
        idle_j += (rack_s * plant.rack_chips[at] - busy_chip_s) * pool.chip_idle_w
        hosts_j += rack_s * pool.hosts_w
        racks_j += rack_s * pool.idle_nw / NW_PER_W + math.fsum((chip_s * held.draw_w)[jobs.pool == at].tolist())
    other_j = site.other_it_w * (end_s - warmup_s)
    return metrics | {
        "energy_jobs_j": jobs_j,
        "energy_idle_chips_j": idle_j,
        "energy_hosts_j": hosts_j,
        "energy_conversion_j": racks_j - jobs_j - idle_j - hosts_j,
        "energy_other_it_j": other_j,
        "energy_site_j": (racks_j + other_j) * site.proportional + site.fixed_w * (end_s - warmup_s),
    }
