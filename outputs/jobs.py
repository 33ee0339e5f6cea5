"""The record's columns to arrays of jobs: one row per job, in the order of submission."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outputs.record import REJECTED, Record

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Jobs:
    """Job columns as arrays of shape (n_jobs,), sorted by submit time, then class, then number; nan is missing."""

    row: Ints  # in the record
    job_class: Ints
    number: Ints
    tenant: Ints  # position in tenant_names
    tenant_names: tuple[str, ...]
    pool: Ints  # position in the plant, NO_POOL, or REJECTED and below
    chips: Ints  # asked for
    held_chips: Ints  # of the last stay of malleable jobs; the same for others
    submit_s: Floats
    start_s: Floats
    end_s: Floats
    work: Floats  # seconds of run time, or tokens
    estimate: Floats
    portable: Bools
    deadline_s: Floats  # infinite where there is none
    over_limit: Bools  # it would run for longer than its time limit allows

    @property
    def started(self) -> Bools:
        """Jobs that got their chips."""
        return np.asarray(~np.isnan(self.start_s))

    @property
    def ended(self) -> Bools:
        """Jobs that left their chips for good."""
        return np.asarray(~np.isnan(self.end_s))

    @property
    def completed(self) -> Bools:
        """Jobs that did their work."""
        return self.ended & ~self.over_limit

    @property
    def killed(self) -> Bools:
        """Jobs that ended at their time limit."""
        return self.ended & self.over_limit

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
    over = [np.zeros(len(table), np.bool_) if table.killed is None else table.killed for _, table in record.tables]
    submit_s = column("submit_s").astype(np.float64)
    number = column("number").astype(np.int64)
    job_class = np.concatenate(classes) if classes else np.empty(0, np.int64)
    order = np.lexsort((job_class, submit_s))
    chips = column("chips").astype(np.int64)
    held = chips.copy()
    if record.meter is not None and record.meter.chips:
        held[list(record.meter.chips)] = list(record.meter.chips.values())
    return Jobs(
        row=order,
        job_class=job_class[order],
        number=number[order],
        tenant=(np.concatenate(tenants) if tenants else np.empty(0, np.int64))[order],
        tenant_names=tuple(names),
        pool=np.array(record.pool, np.int64)[order],
        chips=chips[order],
        held_chips=held[order],
        submit_s=submit_s[order],
        start_s=np.array(record.start_s)[order],
        end_s=np.array(record.end_s)[order],
        work=column("work").astype(np.float64)[order],
        estimate=column("estimate").astype(np.float64)[order],
        portable=column("portable").astype(np.bool_)[order],
        deadline_s=column("deadline_s").astype(np.float64)[order],
        over_limit=(np.concatenate(over) if over else np.empty(0, np.bool_))[order],
    )
