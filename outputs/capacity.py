"""Where the capacity went: each delivered chip-second after the warmup in one state, each state computed on its own.

docs/capacity.md says what the states are. What stays on chips were spent on comes from the books of the run, why chips
were idle from its scheduling passes and, while nobody waited, from the timeline.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outputs.energy import booting_racks, powered_racks
from outputs.jobs import Floats, Jobs
from outputs.record import Record, Spent
from outputs.stays import Stays, Work, by_row, planned_pace_s
from outputs.steps import durations, integral
from policies.idle import Idle
from scenarios.units import HOUR_S
from topologies.plant import Plant

RUNNING = ("productive", "communication", "throttled", "checkpointing", "lost work", "restarting")
ABSENT = ("down", "off")
IDLE = tuple(name.replace("_", " ") for name in Idle._fields)
STATES = (*RUNNING, *ABSENT, *IDLE)

Capacity = list[dict[str, float]]
"""By pool: state -> chip-seconds."""


@dataclass(frozen=True, slots=True)
class SpentTimes:
    """How the time of stays went after the warmup [s], arrays of shape (n_stays,); as Spent, with lost_s apart."""

    throttled_s: Floats
    traffic_s: Floats
    restart_s: Floats
    checkpoint_s: Floats
    kept_s: Floats  # worked at full speed and alone, and not lost
    lost_s: Floats
    computing: Floats
    packed: Floats

    @property
    def productive_s(self) -> Floats:
        """Computing that was kept [s]."""
        return self.kept_s * self.computing

    @property
    def waiting_s(self) -> Floats:
        """Exchange that chips waited for, bubbles, and what the traffic of others took [s]."""
        return self.kept_s * (1.0 - self.computing) + self.traffic_s


def time_of(record: Record, jobs: Jobs, stays: Stays, work: Work, plant: Plant) -> SpentTimes:
    """What the stays of a run were spent on."""
    rows, meter, journeys = jobs.row[stays.last], record.meter, record.journeys
    cut = [] if meter is None else [stay.spent for stay in meter.segments]

    def column(of_last: Floats, of_cut: Callable[[Spent], float]) -> Floats:
        return np.concatenate([of_last, np.array([of_cut(spent) for spent in cut])]) if cut else of_last

    ones, planned_s = np.ones(len(rows)), planned_pace_s(jobs, plant)[stays.last]
    if journeys is None:
        computing = packed = ones
    else:
        computing, pace_s = np.array(journeys.computing)[rows], np.array(journeys.pace_s)[rows]
        packed = np.divide(planned_s, pace_s, where=pace_s > 0, out=ones.copy())
    if meter is not None:
        worked_s, throttled_s = np.array(meter.worked_s)[rows], np.array(meter.throttled_s)[rows]
        parts = (meter.traffic_s, meter.restart_s, meter.checkpoint_s)
        if journeys is None and meter.scaled:
            computing = by_row(meter.scaled, jobs, 1.0)[stays.last]
        traffic_s, restart_s, checkpoint_s = (by_row(part, jobs, 0.0)[stays.last] for part in parts)
    else:
        worked_s, throttled_s = work.counted[stays.last] * planned_s / packed, np.zeros(len(rows))
        traffic_s = restart_s = checkpoint_s = throttled_s
        if journeys is not None:
            traffic_s = by_row(journeys.traffic_s, jobs, 0.0)[stays.last]
    worked_s = column(worked_s, lambda spent: spent.worked_s)
    lost_s = np.minimum(stays.lost_s, worked_s)  # the end of a stay, so that what is lost first is after the warmup
    return SpentTimes(
        column(throttled_s, lambda spent: spent.throttled_s),
        column(traffic_s, lambda spent: spent.traffic_s),
        column(restart_s, lambda spent: spent.restart_s),
        column(checkpoint_s, lambda spent: spent.checkpoint_s),
        worked_s - lost_s,
        lost_s,
        column(computing, lambda spent: spent.computing),
        column(packed, lambda spent: spent.packed),
    )


def capacity_of(record: Record, plant: Plant, stays: Stays, spent: SpentTimes, warmup_s: float) -> Capacity | None:
    """The chip-seconds of each pool by state; None for a run that ends within its warmup."""
    if record.end_time_s <= warmup_s:
        return None
    line = record.timeline
    time_s = np.array(line.time_s)
    lasts_s = durations(time_s, warmup_s, record.end_time_s)
    calm_s = lasts_s * (np.array(line.queue_jobs) == 0)  # nobody waits, not even for a better hour
    parts = {
        "productive": spent.productive_s,
        "communication": spent.waiting_s,
        "throttled": spent.throttled_s,
        "lost work": spent.lost_s,
        "restarting": spent.restart_s,
        "checkpointing": spent.checkpoint_s,
    }
    found = []
    for at, pool in enumerate(plant.pools):
        states = dict.fromkeys(STATES, 0.0)
        here = stays.pool == at
        for state, part_s in parts.items():
            if part_s.any():
                states[state] = math.fsum((stays.chips * part_s)[here].tolist())
        chips = plant.rack_chips[at]
        powered, booting = powered_racks(record, at), _booting(record, at)
        delivered = _delivered(pool.deliveries, time_s)
        states["down"] = integral(booting, lasts_s) * chips
        states["off"] = integral(delivered - powered, lasts_s) * chips
        for state, chip_s in zip(IDLE, record.idle_chip_s[at], strict=True):
            states[state] = chip_s
        idle = (powered - booting) * chips - np.array(line.busy_chips[at])
        states["no demand"] += integral(idle, calm_s)
        found.append(states)
    return found


def capacity_frame(capacity: Capacity, plant: Plant) -> pl.DataFrame:
    """capacity.parquet: a row for each pool and state."""
    rows = [
        (pool.name, state, chip_s)
        for pool, states in zip(plant.pools, capacity, strict=True)
        for state, chip_s in states.items()
    ]
    return pl.DataFrame(rows, {"pool": pl.String, "state": pl.String, "chip_s": pl.Float64}, orient="row")


def capacity_metrics(capacity: Capacity, installed_chip_h: float) -> dict[str, float]:
    """The delivered chip-hours, the shares of them by state, and the productive share of the powered ones."""
    sums = {state: math.fsum(states[state] for states in capacity) for state in STATES}
    delivered_s = math.fsum(sums.values())
    metrics = {"delivered_chip_h": delivered_s / HOUR_S}
    if installed_chip_h:
        metrics["goodput_fraction"] = sums["productive"] / HOUR_S / installed_chip_h
    if delivered_s:
        metrics |= {
            f"capacity/{state.replace(' ', '_')}_fraction": chip_s / delivered_s for state, chip_s in sums.items()
        }
    return metrics


def exchange_metrics(stays: Stays, spent: SpentTimes) -> dict[str, float]:
    """What of the waiting for exchange the seats of gangs caused (over the best ones), and the traffic of others."""
    placement_s = spent.kept_s * np.maximum(0.0, 1.0 - spent.packed)
    return {
        "communication_placement_chip_h": stays.total(stays.chips * placement_s) / HOUR_S,
        "communication_traffic_chip_h": stays.total(stays.chips * spent.traffic_s) / HOUR_S,
    }


def _booting(record: Record, pool: int) -> NDArray[np.int64]:
    if not record.timeline.booting[pool]:
        return np.zeros(len(record.timeline.time_s), np.int64)
    return booting_racks(record, pool)


def _delivered(deliveries: tuple[tuple[float, int], ...], time_s: Floats) -> NDArray[np.int64]:
    """Racks that have come, at each time."""
    racks = np.cumsum([0, *[count for _, count in deliveries]])
    return np.asarray(racks[np.searchsorted([at_s for at_s, _ in deliveries], time_s, side="right")])
