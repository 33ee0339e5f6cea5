"""The record to a result: summary numbers and the tables of the run folder.

Job metrics cover the jobs submitted between warmup and the end. Waits are those of jobs that started,
slowdowns those of jobs that completed; jobs still running or waiting at the end are counted as such.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outputs.jobs import Bools, Floats, Jobs, job_columns, job_frame
from outputs.record import REJECTED, Record
from outputs.steps import durations, integral
from policies.view import FRAGMENTED, HELD, NO_ROOM
from scenarios.load import Scenario
from scenarios.units import HOUR_S
from topologies.plant import Plant

SLOWDOWN_TAU_S = 10.0  # Feitelson et al., JSSPP 1997: shorter runs would dominate the mean slowdown


@dataclass(frozen=True, slots=True)
class Result:
    """A run's outcome: summary (metric -> number, names end in their unit), tables, and what to warn of."""

    summary: dict[str, float]
    jobs: pl.DataFrame
    timeline: pl.DataFrame
    warnings: list[str]


def measure(record: Record, plant: Plant, scenario: Scenario) -> Result:
    """Everything that is kept of a run."""
    jobs = job_columns(record)
    warmup_s = min(scenario.keys.warmup, record.end_time_s)
    counted = jobs.submit_s >= warmup_s
    summary = {"simulated_s": record.end_time_s, **_job_metrics(jobs, counted)}
    class_names = [work.job_class for work in scenario.keys.workload]
    if len(class_names) > 1:
        for at, name in enumerate(class_names):
            part = _job_metrics(jobs, counted & (jobs.job_class == at))
            summary |= {f"{name}/{metric}": value for metric, value in part.items()}
    summary |= _cluster_metrics(record, plant, warmup_s)
    summary |= {
        f"waiting_{reason.replace(' ', '_')}_chip_h": record.blocked_chip_s.get(reason, 0.0) / HOUR_S
        for reason in (NO_ROOM, FRAGMENTED, HELD)
    }
    warnings = scenario.warnings
    rejected = int(jobs.rejected.sum())
    if rejected:
        largest = max(pool.chips for pool in plant.pools)
        most = int(jobs.chips[jobs.rejected].max())
        jobs_were = "1 job was" if rejected == 1 else f"{rejected} jobs were"
        warnings = [*warnings, f"{jobs_were} rejected: up to {most} chips, the largest pool has {largest}"]
    return Result(summary, job_frame(jobs, plant, scenario), timeline_frame(record, plant), warnings)


def timeline_frame(record: Record, plant: Plant) -> pl.DataFrame:
    """timeline.parquet: the step series, a row per instant at which something changed."""
    line = record.timeline
    busy = {f"busy_chips/{pool.name}": np.array(of) for pool, of in zip(plant.pools, line.busy_chips, strict=True)}
    return pl.DataFrame(
        {
            "time_s": np.array(line.time_s),
            "queue_jobs": np.array(line.queue_jobs),
            "queue_chips": np.array(line.queue_chips),
            **busy,
        }
    )


def bounded_slowdown(wait_s: Floats, run_s: Floats) -> Floats:
    """max(1, (wait + run) / max(run, tau)) [1]. Source: Feitelson et al., JSSPP 1997."""
    return np.asarray(np.maximum(1.0, (wait_s + run_s) / np.maximum(run_s, SLOWDOWN_TAU_S)))


def _job_metrics(jobs: Jobs, counted: Bools) -> dict[str, float]:
    started, completed = counted & jobs.started, counted & jobs.completed
    wait_s = jobs.start_s - jobs.submit_s
    metrics = {
        "submitted_jobs": int(counted.sum()),
        "completed_jobs": int(completed.sum()),
        "running_at_end_jobs": int((started & ~completed).sum()),
        "waiting_at_end_jobs": int((counted & ~started & ~jobs.rejected).sum()),
        "rejected_jobs": int((counted & (jobs.pool == REJECTED)).sum()),
        **_spread("wait", "s", wait_s[started]),
    }
    slowdown = bounded_slowdown(wait_s[completed], (jobs.end_s - jobs.start_s)[completed])
    metrics |= _spread("bounded_slowdown", "ratio", slowdown)
    if completed.any():
        metrics["makespan_s"] = float(jobs.end_s[completed].max() - jobs.submit_s[counted].min())
    return metrics


def _spread(name: str, unit: str, values: Floats) -> dict[str, float]:
    """Mean, median, tail quantiles and maximum; nothing where there is no value."""
    if not len(values):
        return {}
    p50, p95, p99 = np.percentile(values, [50, 95, 99]).tolist()
    return {
        f"{name}_mean_{unit}": float(values.mean()),
        f"{name}_p50_{unit}": p50,
        f"{name}_p95_{unit}": p95,
        f"{name}_p99_{unit}": p99,
        f"{name}_max_{unit}": float(values.max()),
    }


def _cluster_metrics(record: Record, plant: Plant, warmup_s: float) -> dict[str, float]:
    line, end_s = record.timeline, record.end_time_s
    lasts_s = durations(np.array(line.time_s), warmup_s, end_s)
    window_s = end_s - warmup_s
    if window_s <= 0:
        return {}
    held = [integral(np.array(busy), lasts_s) for busy in line.busy_chips]
    metrics = {
        "installed_chips": float(plant.chips),
        "held_chip_h": sum(held) / HOUR_S,
        "utilization_fraction": sum(held) / (plant.chips * window_s),
    }
    for pool, chip_s in zip(plant.pools, held, strict=True):
        metrics[f"{pool.name}/utilization_fraction"] = chip_s / (pool.chips * window_s)
    for what, column in (("jobs", line.queue_jobs), ("chips", line.queue_chips)):
        values: NDArray[np.int64] = np.array(column)
        metrics[f"queue_mean_{what}"] = integral(values, lasts_s) / window_s
        metrics[f"queue_max_{what}"] = float(values[lasts_s > 0].max(initial=0))
    return metrics
