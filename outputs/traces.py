"""A recorded log as a table for the terminal and as the project's own job table."""

import os
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from rich.table import Table

from outputs.tables import duration, table
from scenarios.errors import ScenarioError
from scenarios.jobs import JobTable
from scenarios.trace_formats import CSV_COLUMNS
from scenarios.traces import TraceFile


def trace_table(name: str, trace: TraceFile) -> Table:
    """What a log holds: jobs, span, sizes, run times, and the load it would put on a cluster."""
    jobs = trace.jobs
    work = float(np.sum(jobs.chips * jobs.work))
    span_s = float(jobs.submit_s[-1] - jobs.submit_s[0])
    rows = [
        ("jobs", f"{len(jobs):,}"),
        ("start", trace.start.strftime("%Y-%m-%dT%H:%M:%S") if trace.start else "not recorded"),
        ("first job at", duration(float(jobs.submit_s[0]))),
        ("submitted over", duration(span_s)),
        ("chips a job", f"mean {jobs.chips.mean():,.1f}, max {jobs.chips.max():,}"),
        ("run time", f"mean {duration(float(jobs.work.mean()))}, max {duration(float(jobs.work.max()))}"),
        ("run past their estimate", f"{int(np.sum(jobs.work > jobs.estimate)):,}"),
        ("tenants", f"{len(jobs.tenant_names):,}"),
        ("mean load", f"{work / span_s:,.1f} chips" if span_s else "-"),
    ]
    return table(name, ("", ""), [*rows, *trace.facts.items(), *_keys(trace)])


def _keys(trace: TraceFile) -> list[tuple[str, str]]:
    """Lines to paste into a scenario: the machine as a pool, and the date of second 0."""
    procs = trace.facts.get("MaxProcs", "")
    lines = []
    if procs.isdecimal() and int(procs):
        lines.append(("as a fleet", f"fleet: [{{pool: nodes, rack: plain, chips: {int(procs)}}}]"))
    if trace.start and trace.facts:
        lines.append(("as a start", f"start: {trace.start:%Y-%m-%dT%H:%M:%SZ}"))
    return lines


def check_replaceable(out: Path, force: bool, option: str = "--out") -> None:
    """ScenarioError where a file may not be written: it exists without force, or is no plain file at all."""
    if out.is_symlink() or (out.exists() and not out.is_file()):
        raise ScenarioError("is a link, a folder or a device and will not be replaced", f"{option} {out}")
    if out.exists() and not force:
        raise ScenarioError("exists already; choose another file, or --force to replace it", f"{option} {out}")


def write_csv(jobs: JobTable, out: Path) -> None:
    """Write the job table, which the trace format csv reads back; the file appears whole or not at all."""
    tenant = pl.Series(np.array(jobs.tenant_names)[jobs.tenant])
    columns = (jobs.number, jobs.submit_s, jobs.chips, jobs.work, jobs.estimate, tenant)
    frame = pl.DataFrame(dict(zip(CSV_COLUMNS, columns, strict=True)))
    out.parent.mkdir(parents=True, exist_ok=True)
    descriptor, beside = tempfile.mkstemp(prefix=".megawatt.", dir=out.parent)
    os.close(descriptor)
    try:
        frame.write_csv(beside)
        Path(beside).chmod(0o644)
        Path(beside).replace(out)
    finally:
        Path(beside).unlink(missing_ok=True)
