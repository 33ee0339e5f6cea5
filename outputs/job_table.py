"""jobs.parquet and caps.parquet as users read them: one row per job, one per change of a cap."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outputs.jobs import Ints, Jobs
from outputs.record import REJECTED, RESIZE, Journeys, Meter, Record
from outputs.seats import contention_slowdown, fabric_slowdown, placement_slowdown
from outputs.stays import Stays, Work, planned_pace_s
from scenarios.load import Scenario
from topologies.plant import Plant


def job_frame(record: Record, jobs: Jobs, stays: Stays, work: Work, plant: Plant, scenario: Scenario) -> pl.DataFrame:
    """jobs.parquet: the columns that users read; a missing value is null."""
    class_names = np.array([work.job_class for work in scenario.keys.workload])
    stacks = np.array(
        ["+".join(plan.stacks) for plan in plant.plans]
        + [plan.stacks[0] if plan.stacks else "" for plan in plant.plans]
    )
    why = np.where(jobs.rejected, REJECTED - jobs.pool, 0)
    trains = np.array([plan.per_gang for plan in plant.plans])
    moving = record.meter is not None
    run_s = np.where(jobs.ended, stays.by_job(stays.to_s - stays.from_s, jobs), np.nan)
    status = np.select(
        [jobs.rejected, jobs.completed, jobs.killed, stays.hold(jobs)],
        ["rejected", "completed", "killed", "running"],
        default="waiting",
    )
    frame = pl.DataFrame(
        {
            "number": jobs.number,
            "job_class": _names(jobs.job_class, class_names),
            "tenant": _names(jobs.tenant, np.array(jobs.tenant_names)),
            "stacks": _names(jobs.job_class + np.where(jobs.portable, 0, len(plant.plans)), stacks),
            "pool": _names(np.maximum(jobs.pool, 0), np.array([pool.name for pool in plant.pools])),
            "chips": jobs.chips,
            "submit_s": jobs.submit_s,
            "start_s": jobs.start_s,
            "end_s": jobs.end_s,
            "estimate_s": np.where(trains[jobs.job_class], jobs.estimate * planned_pace_s(jobs, plant), jobs.estimate),
            "deadline_s": jobs.deadline_s,
            "status": pl.Series(status),
            "reason": _names(why, np.array([*record.reasons, ""])),
            "work": np.where(trains[jobs.job_class], jobs.work, jobs.work * jobs.chips),
            "tokens": work.tokens(jobs, plant)[0],
            "energy_j": stays.by_job(stays.whole_j, jobs),
            "run_s": run_s,
            "preemptions": _stops(stays, record.meter, jobs, resizes=False),
            "resizes": _stops(stays, record.meter, jobs, resizes=True),
            "lost_chip_s": stays.by_job(stays.chips * stays.lost_s, jobs),
            "trains": trains[jobs.job_class],
            **_seats(record.journeys, jobs, plant),
        }
    )
    started = pl.col("start_s").is_not_null()
    frame = frame.with_columns(pl.col("start_s", "end_s", "run_s", "estimate_s").fill_nan(None))
    frame = frame.with_columns(pl.when(pl.col("deadline_s").is_finite()).then("deadline_s").alias("deadline_s"))
    columns = [
        pl.format("{}/{}", "job_class", "number").alias("job_id"),
        "job_class",
        "tenant",
        pl.when(pl.col("stacks") != "").then("stacks").alias("stacks"),
        pl.when(started).then("pool").alias("pool"),
        "chips",
        "submit_s",
        "start_s",
        "end_s",
        (pl.col("start_s") - pl.col("submit_s")).alias("wait_s"),
        "run_s",  # on chips
        "estimate_s",
        *(["deadline_s"] if np.isfinite(jobs.deadline_s).any() else []),
        "status",
        pl.when(pl.col("status") == "rejected").then("reason").alias("reason"),
        "work",  # tokens, or the chip-seconds that a log or a law of durations asks for
        pl.when(pl.col("trains")).then("tokens").alias("tokens"),
        pl.when(started).then("energy_j").alias("energy_j"),
        *(["preemptions", "lost_chip_s"] if moving else []),
        *(["resizes"] if record.meter is not None and record.meter.chips else []),
        *(_SEATS if record.journeys is not None else []),
    ]
    left_out = [] if plant.draws else ["energy_j"]
    left_out += [] if trains.any() else ["tokens", "stacks"]
    return frame.select(columns).drop(left_out)


def _stops(stays: Stays, meter: Meter | None, jobs: Jobs, resizes: bool) -> Ints:
    """How often each job was stopped, for a change of its size or else for others."""
    by = [] if meter is None else [stay.stopped_by == RESIZE for stay in meter.segments]
    return np.bincount(stays.job[len(stays.last) :][np.array(by, np.bool_) == resizes], minlength=len(jobs.chips))


_SEATS = ("domains", "leaves", "fabric_slowdown", "placement_slowdown", "contention_slowdown")


def _seats(journeys: Journeys | None, jobs: Jobs, plant: Plant) -> dict[str, pl.Series]:
    """Where gangs sat last: scale-up domains and groups of leaves, and how much longer it took for that.

    fabric_slowdown: of the packed gang, alone, over links that carry all; placement_slowdown: over the packed gang;
    contention_slowdown: over the same seat with nobody else's
    traffic, 1 where the gang shared no links.
    """
    if journeys is None:
        return {}
    slowdown = placement_slowdown(journeys, jobs, plant)
    stretch = contention_slowdown(journeys, jobs)
    counts = {name: np.array(getattr(journeys, name), np.int64)[jobs.row] for name in ("domains", "leaves")}
    return {name: pl.Series(count).replace(0, None) for name, count in counts.items()} | {
        "fabric_slowdown": pl.Series(fabric_slowdown(jobs, plant)).fill_nan(None),
        "placement_slowdown": pl.Series(slowdown).fill_nan(None),
        "contention_slowdown": pl.Series(stretch).fill_nan(None),
    }


def caps_frame(meter: Meter, plant: Plant, class_names: list[str]) -> pl.DataFrame:
    """caps.parquet: the caps of running gangs, a row per change; what has none has its full draw.

    cap_fraction is the share of the range between idle and full draw that a chip may use; levels names the PDUs and
    racks above the gangs whose caps these are, where those can bind.
    """
    group = np.array(meter.cap_group, np.int64)
    job_class, pool, levels = zip(*meter.groups, strict=True) if meter.groups else ((), (), ())
    exponent = np.array([plant.plans[at].exponent for at in job_class])
    fraction = np.array(meter.cap_fraction)
    return pl.DataFrame(
        {
            "time_s": np.array(meter.cap_time_s),
            "job_class": _coded(group, [class_names[at] for at in job_class]),
            "pool": _coded(group, [plant.pools[at].name for at in pool]),
            "levels": _coded(group, ["+".join(names) for names in levels]),
            "cap_fraction": fraction,
            "throttle": fraction ** exponent[group] if len(group) else fraction,
        }
    )


def _coded(codes: Ints, names: list[str]) -> pl.Series:
    """Names by code as categories: millions of rows of a few names, at a byte or four each."""
    enum = pl.Enum(sorted(set(names)))
    return pl.Series(names, dtype=enum).gather(codes) if len(codes) else pl.Series([], dtype=enum)


def stays_frame(stays: Stays, meter: Meter, jobs: Jobs, plant: Plant, class_names: list[str]) -> pl.DataFrame:
    """stays.parquet: a row per stay of a job on its chips; jobs that a falling cap has stopped have several.

    placement: "domain:chips" for each scale-up domain, where a level below the feed can bind.
    """
    frame = pl.DataFrame(
        {
            "number": jobs.number[stays.job],
            "job_class": _names(jobs.job_class[stays.job], np.array(class_names)),
            "pool": _names(stays.pool, np.array([pool.name for pool in plant.pools])),
            "chips": stays.chips,
            "from_s": stays.from_s,
            "to_s": stays.to_s,
            "energy_j": stays.whole_j,
            "lost_s": stays.lost_s,
            "stopped_by": pl.Series(
                [None] * len(stays.last) + [stay.stopped_by for stay in meter.segments], dtype=pl.String
            ),
        }
    )
    if plant.limits:
        placements = [meter.placements[row] for row in jobs.row[stays.last].tolist()]
        placements += [stay.placement for stay in meter.segments]
        places = [" ".join([f"{domain}:{chips}" for domain, chips in placement]) for placement in placements]
        frame = frame.with_columns(pl.Series("placement", places, pl.String))
    return frame.select(pl.format("{}/{}", "job_class", "number").alias("job_id"), pl.exclude("number")).sort(
        "from_s", "job_id"
    )


def _names(codes: Ints, names: NDArray[np.str_]) -> pl.Series:
    return pl.Series(names)[codes] if len(codes) else pl.Series([], dtype=pl.String)
