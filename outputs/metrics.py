"""The record to a result: summary numbers and the tables of the run folder.

Job metrics cover the jobs submitted between warmup and the end. Waits are those of jobs that started, completion
times and slowdowns those of jobs that completed; jobs still running or waiting at the end are counted as such.
"""

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outputs.capacity import capacity_frame, capacity_metrics, capacity_of, exchange_metrics, time_of
from outputs.contract_energy import flow_metrics
from outputs.deadlines import deadline_metrics
from outputs.energy import booting_racks, curtailment_metrics, power_columns, power_metrics, powered_racks
from outputs.job_table import caps_frame, job_frame, stays_frame
from outputs.jobs import Bools, Floats, Jobs, job_columns
from outputs.preferences import preference_metrics
from outputs.record import RECLAIM, REJECTED, RESIZE, Record
from outputs.rental import rental_metrics
from outputs.seats import seat_metrics
from outputs.stays import Stays, Work, stays_of, work_of
from outputs.steps import durations, integral
from outputs.tenant_chips import jobs_of, tenant_chips
from policies.view import DEFERRED, FRAGMENTED, HELD, NO_POWER, NO_ROOM, QUOTA
from scenarios.load import Scenario
from scenarios.units import HOUR_S
from scenarios.workload import Training
from topologies.plant import Plant

SLOWDOWN_TAU_S = 10.0  # Feitelson et al., JSSPP 1997: shorter runs would dominate the mean slowdown


@dataclass(frozen=True, slots=True)
class Result:
    """A run's outcome: summary (metric -> number, names end in their unit), tables, and what to warn of."""

    summary: dict[str, float]
    jobs: pl.DataFrame
    timeline: pl.DataFrame
    stays: pl.DataFrame | None  # of runs in which speeds can change
    caps: pl.DataFrame | None
    capacity: pl.DataFrame | None  # of runs that are longer than their warmup
    warnings: list[str]


def measure(record: Record, plant: Plant, scenario: Scenario) -> Result:
    """Everything that is kept of a run."""
    jobs = job_columns(record)
    stays = stays_of(record, jobs, plant)
    work = work_of(record, jobs, stays, plant)
    warmup_s = min(record.warmup_s, record.end_time_s)
    counted = jobs.submit_s >= warmup_s
    summary = {"simulated_s": record.end_time_s, **_job_metrics(jobs, stays, counted, record.end_time_s)}
    summary |= preference_metrics(record, jobs, counted)
    class_names = [keys.job_class for keys in scenario.keys.workload]
    if len(class_names) > 1:
        for at, name in enumerate(class_names):
            mine = counted & (jobs.job_class == at)
            part = _job_metrics(jobs, stays, mine, record.end_time_s) | preference_metrics(record, jobs, mine)
            summary |= {f"{name}/{metric}": value for metric, value in part.items()}
    entries = scenario.keys.tenants or []
    for entry, theirs in zip(entries, jobs_of(jobs, [entry.tenant for entry in entries]), strict=True):
        part = _job_metrics(jobs, stays, counted & theirs, record.end_time_s)
        part |= tenant_chips(entry, theirs, stays, plant, warmup_s, record.end_time_s)
        summary |= {f"tenant/{entry.tenant}/{metric}": value for metric, value in part.items()}
    summary |= _cluster_metrics(record, plant, warmup_s)
    summary |= _work_metrics(jobs, work, plant, scenario)
    summary |= rental_metrics(plant, warmup_s, record.end_time_s, summary.get("trained_tokens"))
    spent = time_of(record, jobs, stays, work, plant)
    capacity = capacity_of(record, plant, stays, spent, warmup_s)
    if capacity is not None:
        summary |= capacity_metrics(capacity, summary["installed_chip_h"])
    if record.journeys is not None:
        summary |= exchange_metrics(stays, spent)
        summary |= seat_metrics(record.journeys, jobs, stays, plant)
    if plant.draws:
        summary |= power_metrics(record, plant, stays, warmup_s)
        summary |= curtailment_metrics(record, plant, warmup_s)
        summary |= flow_metrics(record, plant, stays, spent, warmup_s)
    if record.meter is not None:
        lost_s = stays.chips * stays.lost_s * (stays.to_s >= warmup_s)
        late = [stay.stopped_by for stay in record.meter.segments if stay.to_s >= warmup_s]
        summary["preemptions"] = len(late) - late.count(RESIZE)
        if record.meter.chips:
            summary["resizes"] = late.count(RESIZE)
        if any(entry.reclaim != "never" for entry in entries):
            summary["reclaims"] = late.count(RECLAIM)
        summary["lost_chip_h"] = stays.total(lost_s) / HOUR_S
    reasons = [NO_ROOM, NO_POWER, FRAGMENTED, HELD]
    if plant.it_cap_nw is None and not plant.limits:
        reasons.remove(NO_POWER)
    if entries:
        reasons.append(QUOTA)
    if DEFERRED in record.blocked_chip_s:
        reasons.append(DEFERRED)
    for reason in reasons:
        summary[f"waiting_{reason.replace(' ', '_')}_chip_h"] = record.blocked_chip_s.get(reason, 0.0) / HOUR_S
    warnings = [*scenario.warnings, *_infeasible(summary)]
    for at, reason in enumerate(record.reasons):
        refused = jobs.pool == REJECTED - at
        jobs_were = "1 job was" if refused.sum() == 1 else f"{refused.sum()} jobs were"
        warnings = [*warnings, f"{jobs_were} rejected, of up to {jobs.chips[refused].max()} chips: {reason}"]
    if record.unsolved:
        warnings = [*warnings, f"max-min: the solver gave up {record.unsolved} times and the shares before stayed"]
    warnings += [*record.remarks, *([record.left_over] if record.left_over else [])]
    return Result(
        summary,
        job_frame(record, jobs, stays, work, plant, scenario),
        timeline_frame(record, plant),
        None if record.meter is None else stays_frame(stays, record.meter, jobs, plant, class_names),
        None if record.meter is None else caps_frame(record.meter, plant, class_names),
        None if capacity is None else capacity_frame(capacity, plant),
        warnings,
    )


def _infeasible(summary: dict[str, float]) -> list[str]:
    if "infeasible_s" not in summary:
        return []
    hours, most_w = summary["infeasible_s"] / HOUR_S, summary["infeasible_max_w"]
    return [f"the meter was above the cap for {hours:,.2f} h, by up to {most_w:,.0f} W, with every rack off"]


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
            **{
                f"installed_chips/{pool.name}": powered_racks(record, at) * plant.rack_chips[at]
                for at, pool in enumerate(plant.pools)
                # a cap that moves may switch racks of every pool off
                if at in plant.growing or (record.meter is not None and pool.powered)
            },
            **{
                f"booting_chips/{pool.name}": booting_racks(record, at) * plant.rack_chips[at]
                for at, pool in enumerate(plant.pools)
                if record.timeline.booting[at]
            },
            **(power_columns(record, plant) if plant.draws else {}),
        }
    )


def bounded_slowdown(wait_s: Floats, run_s: Floats) -> Floats:
    """max(1, (wait + run) / max(run, tau)) [1]. Source: Feitelson et al., JSSPP 1997."""
    return np.asarray(np.maximum(1.0, (wait_s + run_s) / np.maximum(run_s, SLOWDOWN_TAU_S)))


def _job_metrics(jobs: Jobs, stays: Stays, counted: Bools, end_s: float) -> dict[str, float]:
    started, completed = counted & jobs.started, counted & jobs.completed
    running = stays.hold(jobs)
    wait_s = jobs.start_s - jobs.submit_s
    metrics = {
        "submitted_jobs": int(counted.sum()),
        "completed_jobs": int(completed.sum()),
        **({"killed_jobs": int((counted & jobs.killed).sum())} if jobs.over_limit.any() else {}),
        "running_at_end_jobs": int((counted & running).sum()),
        "waiting_at_end_jobs": int((counted & ~jobs.ended & ~running & ~jobs.rejected).sum()),
        "rejected_jobs": int((counted & jobs.rejected).sum()),
        **_spread("wait", "s", wait_s[started]),
        **_spread("jct", "s", (jobs.end_s - jobs.submit_s)[completed]),
    }
    held_s = stays.by_job(stays.to_s - stays.from_s, jobs)
    waited_s = (jobs.end_s - jobs.submit_s - held_s)[completed]  # after a stop too
    slowdown = bounded_slowdown(waited_s, held_s[completed])
    metrics |= _spread("bounded_slowdown", "ratio", slowdown)
    ended = counted & jobs.ended
    if ended.any():
        metrics["makespan_s"] = float(jobs.end_s[ended].max() - jobs.submit_s[counted].min())
    return metrics | deadline_metrics(jobs, counted, end_s)


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
    varying = range(len(plant.pools)) if record.meter is not None else plant.growing
    there = [
        integral(powered_racks(record, at), lasts_s) * chips if at in varying else pool.chips * window_s
        for at, (pool, chips) in enumerate(zip(plant.pools, plant.rack_chips, strict=True))
    ]
    metrics = {"installed_chip_h": sum(there) / HOUR_S, "held_chip_h": sum(held) / HOUR_S}
    if sum(there):
        metrics["utilization_fraction"] = sum(held) / sum(there)
    for pool, chip_s, installed_chip_s in zip(plant.pools, held, there, strict=True):
        if installed_chip_s:
            metrics[f"{pool.name}/utilization_fraction"] = chip_s / installed_chip_s
    for what, column in (("jobs", line.queue_jobs), ("chips", line.queue_chips)):
        values: NDArray[np.int64] = np.array(column)
        metrics[f"queue_mean_{what}"] = integral(values, lasts_s) / window_s
        metrics[f"queue_max_{what}"] = float(values[lasts_s > 0].max(initial=0))
    return metrics


def _work_metrics(jobs: Jobs, work: Work, plant: Plant, scenario: Scenario) -> dict[str, float]:
    """Work done after the warmup: chip-hours at full speed, the same by value, and tokens in all and by class."""
    values = [plan.value for plan in plant.plans]
    done = {"work_chip_h": math.fsum(work.chip_s.tolist()) / HOUR_S}
    if any(value != 1 for value in values):
        done["work_value_chip_h"] = math.fsum((work.chip_s * np.array(values)[jobs.job_class]).tolist()) / HOUR_S
    _, tokens = work.tokens(jobs, plant)
    training = [(at, keys) for at, keys in enumerate(scenario.keys.workload) if isinstance(keys, Training)]
    metrics = done | ({"trained_tokens": math.fsum(tokens.tolist())} if training else {})
    for at, keys in training if len(scenario.keys.workload) > 1 else []:
        metrics[f"{keys.job_class}/trained_tokens"] = math.fsum(tokens[jobs.job_class == at].tolist())
    return metrics
