"""The record's columns to a table of jobs: one row per job, in the order of submission."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outputs.record import REJECTED, Record
from scenarios.load import Scenario
from topologies.plant import Plant
from topologies.power import NW_PER_W

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Jobs:
    """Job columns as arrays of shape (n_jobs,), sorted by submit time, then class, then number; nan is missing."""

    job_class: Ints
    number: Ints
    tenant: Ints  # position in tenant_names
    tenant_names: tuple[str, ...]
    pool: Ints  # position in the plant, NO_POOL, or REJECTED and below
    chips: Ints
    submit_s: Floats
    start_s: Floats
    end_s: Floats
    work: Floats  # seconds of run time, or tokens
    estimate: Floats
    portable: Bools

    @property
    def started(self) -> Bools:
        """Jobs that got their chips."""
        return np.asarray(~np.isnan(self.start_s))

    @property
    def completed(self) -> Bools:
        """Jobs that ended."""
        return np.asarray(~np.isnan(self.end_s))

    @property
    def rejected(self) -> Bools:
        """Jobs that no pool could ever hold."""
        return np.asarray(self.pool <= REJECTED)


def job_columns(record: Record) -> Jobs:
    """The jobs of a record."""
    names = sorted({name for _, table in record.tables for name in table.tenant_names})
    code = {name: at for at, name in enumerate(names)}

    def column(what: str) -> NDArray[np.generic]:
        return np.concatenate([getattr(table, what) for _, table in record.tables]) if record.tables else np.empty(0)

    tenants = [np.array([code[name] for name in table.tenant_names])[table.tenant] for _, table in record.tables]
    classes = [np.full(len(table), job_class) for job_class, table in record.tables]
    submit_s = column("submit_s").astype(np.float64)
    number = column("number").astype(np.int64)
    job_class = np.concatenate(classes) if classes else np.empty(0, np.int64)
    order = np.lexsort((job_class, submit_s))
    return Jobs(
        job_class=job_class[order],
        number=number[order],
        tenant=(np.concatenate(tenants) if tenants else np.empty(0, np.int64))[order],
        tenant_names=tuple(names),
        pool=np.array(record.pool, np.int64)[order],
        chips=column("chips").astype(np.int64)[order],
        submit_s=submit_s[order],
        start_s=np.array(record.start_s)[order],
        end_s=np.array(record.end_s)[order],
        work=column("work").astype(np.float64)[order],
        estimate=column("estimate").astype(np.float64)[order],
        portable=column("portable").astype(np.bool_)[order],
    )


@dataclass(frozen=True, slots=True)
class Held:
    """What jobs held and did up to the end of the run, arrays of shape (n_jobs,); 0 for jobs that did not start.

    pace_s: seconds a unit of work in the pool where the job ran, nan before. chip_w: what one of its chips draws with
    its host share, before conversion. tokens: of training, 0 for other work.
    """

    from_s: Floats
    to_s: Floats
    pace_s: Floats
    chip_w: Floats
    draw_w: Floats  # what one busy chip adds at its rack's input
    tokens: Floats

    def within(self, jobs: Jobs, from_s: float, to_s: float) -> Floats:
        """Chip-seconds held within a window, shape (n_jobs,)."""
        held_s = np.clip(self.to_s, from_s, to_s) - np.clip(self.from_s, from_s, to_s)
        return np.asarray(jobs.chips * held_s)


def held_by(jobs: Jobs, plant: Plant, end_s: float) -> Held:
    """What each job held and did, from its row and the constants of its class and pool."""
    at = np.maximum(jobs.pool, 0)
    plans = plant.plans

    def of(values: list[tuple[float, ...]]) -> Floats:
        return np.asarray(np.array(values, np.float64)[jobs.job_class, at]) if len(jobs.chips) else np.empty(0)

    from_s = np.where(jobs.started, jobs.start_s, 0.0)
    to_s = np.where(jobs.started, np.where(jobs.completed, jobs.end_s, end_s), 0.0)
    trains = np.array([plan.per_gang for plan in plans])[jobs.job_class]
    share = np.where(trains, jobs.chips, 1)
    pace_s = np.where(jobs.started, of([plan.pace_s for plan in plans]) / share, np.nan)
    running = jobs.started & ~jobs.completed
    done = np.ones(len(from_s))
    np.divide(to_s - from_s, jobs.work * pace_s, where=running, out=done)
    tokens = np.where(trains & jobs.started, jobs.work * done, 0.0)
    draw_w = of([plan.draw_nw for plan in plans]) / NW_PER_W
    return Held(from_s, to_s, pace_s, of([plan.busy_w for plan in plans]), draw_w, tokens)


def job_frame(jobs: Jobs, held: Held, plant: Plant, scenario: Scenario, reasons: list[str]) -> pl.DataFrame:
    """jobs.parquet: the columns that users read; a missing value is null."""
    status = np.select(
        [jobs.rejected, jobs.completed, jobs.started], ["rejected", "completed", "running"], default="waiting"
    )
    class_names = np.array([work.job_class for work in scenario.keys.workload])
    stacks = np.array(
        ["+".join(plan.stacks) for plan in plant.plans]
        + [plan.stacks[0] if plan.stacks else "" for plan in plant.plans]
    )
    why = np.where(jobs.rejected, REJECTED - jobs.pool, 0)
    trains = np.array([plan.per_gang for plan in plant.plans])
    energy_j = jobs.chips * held.chip_w * (held.to_s - held.from_s)
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
            "estimate_s": np.where(trains[jobs.job_class], jobs.estimate * held.pace_s, jobs.estimate),
            "status": pl.Series(status),
            "reason": _names(why, np.array([*reasons, ""])),
            "work": np.where(trains[jobs.job_class], jobs.work, jobs.work * jobs.chips),
            "tokens": held.tokens,
            "energy_j": energy_j,
            "trains": trains[jobs.job_class],
        }
    )
    started = pl.col("start_s").is_not_null()
    frame = frame.with_columns(pl.col("start_s", "end_s", "estimate_s").fill_nan(None))
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
        (pl.col("end_s") - pl.col("start_s")).alias("run_s"),
        "estimate_s",
        "status",
        pl.when(pl.col("status") == "rejected").then("reason").alias("reason"),
        "work",  # tokens, or the chip-seconds that a log or a law of durations asks for
        pl.when(pl.col("trains")).then("tokens").alias("tokens"),
        pl.when(started).then("energy_j").alias("energy_j"),
    ]
    left_out = [] if plant.draws else ["energy_j"]
    left_out += [] if trains.any() else ["tokens", "stacks"]
    return frame.select(columns).drop(left_out)


def _names(codes: Ints, names: NDArray[np.str_]) -> pl.Series:
    return pl.Series(names)[codes] if len(codes) else pl.Series([], dtype=pl.String)
