"""Recorded logs to job tables, whatever their format.

A row that cannot be replayed is named with its line number and refused, or skipped and counted. Rows
that stand twice are kept as recorded. Blank lines carry nothing and are passed over.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from scenarios.chosen_rows import choose
from scenarios.errors import ScenarioError, unknown
from scenarios.instants import instants
from scenarios.jobs import JobTable
from scenarios.packed import read_text
from scenarios.swf import FIELDS, second_zero
from scenarios.trace_columns import Column
from scenarios.trace_formats import FORMATS
from scenarios.trace_keys import Asked

_FIELDS = ("number", "submit_s", "run_s", "chips", "estimate_s", "tenant")
_NOTHING_ASKED = Asked()
EPOCH = datetime.datetime.fromtimestamp(0, datetime.UTC)
MOST_BYTES = 2**31  # unpacked; the largest public logs are a tenth of that


@dataclass(frozen=True, slots=True)
class TraceFile:
    """A trace as read: its jobs, and what the user should know about it."""

    jobs: JobTable
    warnings: tuple[str, ...]
    start: datetime.datetime | None = None  # the date of second 0, where it is recorded
    facts: Mapping[str, str] = field(default_factory=dict)  # of the machine, by the format's own names


def read_trace(
    name: str, path: Path, on_bad_row: str = "fail", begin: str = "log", asked: Asked = _NOTHING_ASKED
) -> TraceFile:
    """Read a trace; the first job of an absolute clock, or of begin first-job, is submitted at 0 s.

    Raises ScenarioError for an unknown format, an unreadable file, and a bad row unless those are skipped.
    """
    if name not in FORMATS:
        raise ScenarioError(unknown("trace format", name, FORMATS))
    form = FORMATS[name]
    text = read_text(path, MOST_BYTES)
    table = form.rows(text, path)
    if not table.header and not len(table.rows):
        raise ScenarioError("holds no job", str(path))
    layout = form.layout(table, str(path), asked)
    columns = layout.columns
    width = len(table.header) or FIELDS
    fields, warnings = _jobs_only(table.rows, layout.left_out)
    noted = ((fields.filter(is_so), what) for what, is_so in layout.noted.items())
    warnings += [_found(rows, what) for rows, what in noted if len(rows)]
    count = pl.col("fields").list.len()
    rows = fields.select(
        "line",
        "fields",
        *[column.value.alias(column.name) for column in columns],
        bad_width=count != width if table.header else count < width,
    )
    facts = form.facts(text) if form.facts else {}
    if asked.where is not None:
        zero = EPOCH if layout.dated else second_zero(facts)
        first_s = float(np.nanmin(rows["submit_s"].to_numpy())) if layout.dated else 0.0  # of dates: the first job
        rows = choose(rows, asked.where, layout.texts, zero, first_s, str(path))
    bad = rows.filter(pl.any_horizontal("bad_width", *[pl.col(column.name).is_null() for column in columns]))
    if len(bad):
        if on_bad_row == "fail":
            raise _bad_row(path, bad.head(1), columns, width)
        rows = rows.join(bad.select("line"), on="line", how="anti", maintain_order="left")
        why = _fault(bad.head(1), columns, width)
        skipped = f"{_counted(len(bad), 'bad row')} skipped, the first on line {bad['line'][0]}"
        warnings.append(f"{skipped}: {why}" if not len(rows) else skipped)
    if not len(rows):
        raise ScenarioError(
            " that can be replayed: ".join(["holds no job", *filter(None, ["; ".join(warnings)])]), str(path)
        )
    if not table.header:
        warnings += _longer(rows, width)
    warnings += _standing_twice(rows, [column.name for column in columns])
    from_first = layout.dated or begin == "first-job"
    jobs = _table(rows, from_first)
    said = tuple(f"{path.name}: {warning}" for warning in warnings)
    return TraceFile(jobs, said, _start(facts, rows, layout.dated, from_first), facts)


def _jobs_only(rows: pl.DataFrame, left_out: Mapping[str, pl.Expr]) -> tuple[pl.DataFrame, list[str]]:
    """The rows that are jobs, and a line for each kind of the others."""
    warnings = []
    for what, is_so in left_out.items():
        found = rows.filter(is_so)
        if len(found):
            rows = rows.filter(~is_so.fill_null(False))
            warnings.append(_found(found, f"{what} left out"))
    return rows, warnings


def _found(rows: pl.DataFrame, what: str) -> str:
    return f"{_counted(len(rows), 'row')} of {what}, the first on line {rows['line'][0]}"


def _longer(rows: pl.DataFrame, width: int) -> list[str]:
    longer = rows.filter(pl.col("fields").list.len() > width)
    if not len(longer):
        return []
    text = f"{_counted(len(longer), 'row')} of more than {width} fields, of which the first {width} are read"
    return [f"{text}, the first on line {longer['line'][0]}"]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number > 1)}"


def _standing_twice(rows: pl.DataFrame, names: list[str]) -> list[str]:
    different = rows.select(names).n_unique()
    warnings = []
    if different < len(rows):
        warnings.append(f"{len(rows) - different} rows stand twice and are kept as recorded")
    if "number" in names and rows["number"].n_unique() < different:
        jobs = rows.unique(names, keep="first", maintain_order=True)
        again = jobs.filter(~pl.col("number").is_first_distinct())
        numbers = again["number"].n_unique()
        text = f"{numbers} job number{'s stand' if numbers > 1 else ' stands'} for more than one job"
        warnings.append(f"{text}, the first again on line {again['line'][0]}")
    return warnings


def _table(rows: pl.DataFrame, absolute: bool) -> JobTable:
    if "number" not in rows.columns:
        rows = rows.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("number"))
    if "estimate_s" not in rows.columns:
        rows = rows.with_columns(estimate_s=pl.col("run_s"))
    if "tenant" not in rows.columns:
        rows = rows.with_columns(tenant=pl.lit("default"))
    rows = rows.select(_FIELDS).sort("submit_s", maintain_order=True)
    submit_s = rows["submit_s"].to_numpy()
    names = rows["tenant"].unique().sort().to_list()
    tenant = rows["tenant"].cast(pl.Enum(names)).to_physical().to_numpy().astype(np.int64)
    return JobTable(
        number=rows["number"].to_numpy(),
        submit_s=instants(submit_s - submit_s[0] if absolute else submit_s),
        chips=rows["chips"].to_numpy(),
        work=rows["run_s"].to_numpy(),
        estimate=rows["estimate_s"].to_numpy(),
        portable=np.ones(len(rows), np.bool_),
        tenant=tenant,
        deadline_s=np.full(len(rows), np.inf),
        tenant_names=tuple(names),
    )


def _start(facts: Mapping[str, str], rows: pl.DataFrame, absolute: bool, from_first: bool) -> datetime.datetime | None:
    """The date of second 0: the first job's of an absolute clock, or what an SWF header says."""
    first_s = float(rows["submit_s"].to_numpy().min()) if from_first else 0.0
    zero = EPOCH if absolute else second_zero(dict(facts))
    try:
        return zero + datetime.timedelta(seconds=first_s) if zero else None
    except OverflowError:
        return None


def _fault(row: pl.DataFrame, columns: list[Column], width: int) -> str:
    """What is wrong with a bad row, and what is allowed."""
    if row["bad_width"][0]:
        return f"found {len(row['fields'][0])} fields; allowed: {width}"
    column = next(column for column in columns if row[column.name][0] is None)
    raw = row.select(column.raw.alias("raw"))["raw"][0]
    return f"{column.label or column.name}: found {raw!r}; allowed: {column.allowed}"


def _bad_row(path: Path, row: pl.DataFrame, columns: list[Column], width: int) -> ScenarioError:
    hint = "; on_bad_row: skip leaves such rows out"
    return ScenarioError(_fault(row, columns, width) + hint, f"{path}:{row['line'][0]}")
