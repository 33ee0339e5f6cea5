"""From contracted to productive energy: what caps took, what was left under them, and what jobs did with theirs."""

import math

import numpy as np

from outputs.capacity import SpentTimes
from outputs.energy import power_columns
from outputs.jobs import Floats
from outputs.record import Record
from outputs.stays import Stays
from outputs.steps import durations, integral
from topologies.plant import Plant


def flow_metrics(record: Record, plant: Plant, stays: Stays, spent: SpentTimes, warmup_s: float) -> dict[str, float]:
    """The parts of a contract's energy that were not drawn, and those of the jobs' energy, after the warmup.

    contract = curtailed contract + stranded + unused + feed - above cap; the jobs' energy is split like the time in
    which their chips were not held back by a cap: that time draws nothing.
    """
    if record.end_time_s <= warmup_s:
        return {}
    return _above_the_meter(record, plant, warmup_s) | _of_jobs(stays, spent)


def _above_the_meter(record: Record, plant: Plant, warmup_s: float) -> dict[str, float]:
    steps, line = record.site, record.timeline
    if steps is None or not np.isfinite(steps.contract_w).all():
        return {}
    time_s = np.array(line.time_s)
    lasts_s = durations(time_s, warmup_s, record.end_time_s)
    columns, contract_w = power_columns(record, plant), steps.contract_w[steps.row_at(time_s)]
    left_w = columns["cap_w"] - columns["feed_w"]
    waits = np.array(line.queue_jobs) > 0
    found = {
        "contract_energy_j": integral(contract_w, lasts_s),
        "curtailed_contract_energy_j": integral(contract_w - columns["cap_w"], lasts_s),
        "stranded_energy_j": integral(np.where(waits, np.maximum(0.0, left_w), 0.0), lasts_s),
        "unused_energy_j": integral(np.where(waits, 0.0, np.maximum(0.0, left_w)), lasts_s),
    }
    above_j = integral(np.maximum(0.0, -left_w), lasts_s)
    return found | ({"above_cap_energy_j": above_j} if above_j else {})


def _of_jobs(stays: Stays, spent: SpentTimes) -> dict[str, float]:
    parts = {
        "productive": spent.productive_s,
        "communication": spent.waiting_s,
        "lost_work": spent.lost_s,
        "restarting": spent.restart_s,
        "checkpointing": spent.checkpoint_s,
    }
    moving_s = np.sum(list(parts.values()), axis=0)
    per_s = np.zeros(len(moving_s))
    np.divide(stays.energy_j, moving_s, where=moving_s > 0, out=per_s)
    return {f"{name}_energy_j": _total(per_s * part_s) for name, part_s in parts.items()}


def _total(values: Floats) -> float:
    return math.fsum(values.tolist())
