"""The record's columns to a table of jobs: one row per job, in the order of submission."""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outputs.record import NO_POOL, REJECTED, Record
from scenarios.load import Scenario
from topologies.plant import Plant

TOO_LARGE = "larger than every pool"
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
    pool: Ints  # position in the plant, NO_POOL or REJECTED
    chips: Ints
    submit_s: Floats
    start_s: Floats
    end_s: Floats
    estimate_s: Floats

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
        return np.asarray(self.pool == REJECTED)


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
        estimate_s=column("estimate_s").astype(np.float64)[order],
    )


def job_frame(jobs: Jobs, plant: Plant, scenario: Scenario) -> pl.DataFrame:
    """jobs.parquet: the columns that users read; a missing value is null."""
    status = np.select(
        [jobs.rejected, jobs.completed, jobs.started], ["rejected", "completed", "running"], default="waiting"
    )
    class_names = np.array([work.job_class for work in scenario.keys.workload])
    pool_names = np.array([pool.name for pool in plant.pools])
    frame = pl.DataFrame(
        {
            "number": jobs.number,
            "job_class": _names(jobs.job_class, class_names),
            "tenant": _names(jobs.tenant, np.array(jobs.tenant_names)),
            "pool": _names(np.maximum(jobs.pool, 0), pool_names),
            "chips": jobs.chips,
            "submit_s": jobs.submit_s,
            "start_s": jobs.start_s,
            "end_s": jobs.end_s,
            "estimate_s": jobs.estimate_s,
            "status": pl.Series(status),
            "placed": jobs.pool > NO_POOL,
        }
    )
    times = pl.col("start_s", "end_s").fill_nan(None)
    frame = frame.with_columns(times, pool=pl.when("placed").then("pool"))
    return frame.select(
        pl.format("{}/{}", "job_class", "number").alias("job_id"),
        "job_class",
        "tenant",
        "pool",
        "chips",
        "submit_s",
        "start_s",
        "end_s",
        (pl.col("start_s") - pl.col("submit_s")).alias("wait_s"),
        (pl.col("end_s") - pl.col("start_s")).alias("run_s"),
        "estimate_s",
        "status",
        pl.when(pl.col("status") == "rejected").then(pl.lit(TOO_LARGE)).alias("reason"),
        (pl.col("chips") * (pl.col("end_s") - pl.col("start_s"))).alias(
            "work"
        ),  # chip-seconds, what a log or a law of durations asks for
    )


def _names(codes: Ints, names: NDArray[np.str_]) -> pl.Series:
    return pl.Series(names)[codes] if len(codes) else pl.Series([], dtype=pl.String)
