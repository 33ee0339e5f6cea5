"""Recorded logs to job tables: the Standard Workload Format, Philly and our own job CSV, read with polars.

A row that cannot be replayed is named with its line number and refused, or skipped and counted. Rows
that stand twice are kept as recorded. Blank lines carry nothing and are passed over.
"""

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from scenarios.errors import ScenarioError, unknown
from scenarios.instants import instants
from scenarios.jobs import JobTable
from scenarios.packed import read_text
from scenarios.values import LONGEST_S

CSV_COLUMNS = ("number", "submit_s", "chips", "run_s", "estimate_s", "tenant")
_FIELDS = ("number", "submit_s", "run_s", "chips", "estimate_s", "tenant")
_SWF_FIELDS = 18
MOST_BYTES = 2**31  # unpacked; the largest public logs are a tenth of that


@dataclass(frozen=True, slots=True)
class Column:
    """How one field of a job is read: the raw text, the value (null where it cannot be used), what is allowed."""

    name: str
    raw: pl.Expr
    value: pl.Expr
    allowed: str


def _number(text: pl.Expr) -> pl.Expr:
    value = text.cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def _at_least(text: pl.Expr, low: float) -> pl.Expr:
    return pl.when(_number(text).is_between(low, LONGEST_S)).then(_number(text))


def _whole(text: pl.Expr, low: int) -> pl.Expr:
    value = _number(text)
    return pl.when((value >= low) & (value == value.floor()) & (value < 2**53)).then(value).cast(pl.Int64)


def _swf(header: list[str]) -> list[Column]:
    """Source: Feitelson, Parallel Workloads Archive, the standard workload format; -1 is a missing value."""
    del header
    field = [pl.col("fields").list.get(i, null_on_oob=True) for i in range(_SWF_FIELDS)]
    procs = pl.when(_number(field[7]) <= 0).then(field[4]).otherwise(field[7])
    request = _number(field[8])
    estimate = pl.when(request <= 0).then(_number(field[3])).when(request <= LONGEST_S).then(request)
    user = _number(field[11])
    return [
        Column("number", field[0], _whole(field[0], 0), "a job number"),
        Column("submit_s", field[1], _at_least(field[1], 0), "seconds of at least 0"),
        Column("run_s", field[3], _at_least(field[3], 0), "seconds of at least 0"),
        Column("chips", procs, _whole(procs, 1), "a whole number of processors of at least 1"),
        Column("estimate_s", field[8], estimate, "seconds, or -1 where it is missing"),
        Column("tenant", field[11], pl.when(user >= 0).then(field[11]).otherwise(pl.lit("unknown")), "a user"),
    ]


def _philly(header: list[str]) -> list[Column]:
    """Source: Jeon et al., Analysis of Large-Scale Multi-Tenant GPU Clusters, ATC 2019 (a published subset)."""
    stamp, length, chips, tenant = _named(header, "timestamp", "duration", "num_gpus", "cluster")
    time = stamp.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False).dt.epoch("us").cast(pl.Float64) / 1e6
    return [
        Column("submit_s", stamp, time, "a time such as 2017-10-09 07:01:55"),
        Column("run_s", length, _at_least(length, 0), "seconds of at least 0"),
        Column("chips", chips, _whole(chips, 1), "a whole number of GPUs of at least 1"),
        Column("tenant", tenant, tenant, "a virtual cluster"),
    ]


def _csv(header: list[str]) -> list[Column]:
    """Our own job table, as `megawatt trace` writes it; estimate_s and tenant may be left out."""
    number, submit, chips, run = _named(header, *CSV_COLUMNS[:4])
    columns = [
        Column("number", number, _whole(number, 0), "a job number"),
        Column("submit_s", submit, _at_least(submit, 0), "seconds of at least 0"),
        Column("run_s", run, _at_least(run, 0), "seconds of at least 0"),
        Column("chips", chips, _whole(chips, 1), "a whole number of chips of at least 1"),
    ]
    if "estimate_s" in header:
        (estimate,) = _named(header, "estimate_s")
        columns.append(Column("estimate_s", estimate, _at_least(estimate, 0), "seconds of at least 0"))
    if "tenant" in header:
        (tenant,) = _named(header, "tenant")
        columns.append(Column("tenant", tenant, tenant, "a name"))
    return columns


def _named(header: list[str], *names: str) -> list[pl.Expr]:
    missing = [name for name in names if name not in header]
    if missing:
        raise ScenarioError(f"the header lacks the column {missing[0]!r} (found: {', '.join(header)[:200]})")
    return [pl.col("fields").list.get(header.index(name), null_on_oob=True) for name in names]


@dataclass(frozen=True, slots=True)
class Format:
    """A trace format: its columns, whether its clock is absolute, how lines split, its one-line description."""

    columns: Callable[[list[str]], list[Column]]
    split: pl.Expr
    has_header: bool
    absolute: bool
    about: str


_WORDS = pl.col("text").str.extract_all(r"\S+")
_COMMAS = pl.col("text").str.strip_chars().str.replace_all(r"\s*,\s*", ",").str.split(",")
FORMATS = {
    "swf": Format(_swf, _WORDS, False, False, "Standard Workload Format, 18 fields (Parallel Workloads Archive)"),
    "philly": Format(
        _philly, _COMMAS, True, True, "Microsoft Philly 2017: timestamp,duration,num_gpus,gpu_time,cluster"
    ),
    "csv": Format(_csv, _COMMAS, True, False, "our own job table: " + ",".join(CSV_COLUMNS)),
}


@dataclass(frozen=True, slots=True)
class TraceFile:
    """A trace as read: its jobs, and what the user should know about it."""

    jobs: JobTable
    warnings: tuple[str, ...]
    start: datetime.datetime | None = None  # the date of the log's second 0, where it is recorded


def read_trace(name: str, path: Path, on_bad_row: str = "fail") -> TraceFile:
    """Read a trace; the first job of an absolute clock is submitted at 0 s, a relative clock is kept.

    Raises ScenarioError for an unknown format, an unreadable file, and a bad row unless those are skipped.
    """
    if name not in FORMATS:
        raise ScenarioError(unknown("trace format", name, FORMATS))
    form = FORMATS[name]
    text = read_text(path, MOST_BYTES)
    lines = pl.DataFrame({"text": text.split("\n")}).with_row_index("line", offset=1)
    lines = lines.filter(~pl.col("text").str.contains(r"^\s*(;|$)"))
    header: list[str] = []
    header_line = 1
    if form.has_header and len(lines):
        header_line = lines["line"][0]
        header = [cell.strip() for cell in str(lines["text"][0]).split(",")]
        lines = lines.slice(1)
    try:
        columns = form.columns(header)
    except ScenarioError as error:
        raise ScenarioError(error.message, f"{path}:{header_line}") from None
    fields = lines.with_columns(form.split.alias("fields"))
    width = len(header) if form.has_header else _SWF_FIELDS
    rows = fields.select(
        "line",
        "fields",
        *[column.value.alias(column.name) for column in columns],
        bad_width=pl.col("fields").list.len() != width,
    )
    bad = rows.filter(pl.any_horizontal("bad_width", *[pl.col(column.name).is_null() for column in columns]))
    warnings = []
    if len(bad):
        if on_bad_row == "fail":
            raise _bad_row(path, bad.head(1), columns, width)
        rows = rows.join(bad.select("line"), on="line", how="anti", maintain_order="left")
        warnings.append(f"{path.name}: {len(bad)} bad rows skipped, the first on line {bad['line'][0]}")
    if not len(rows):
        raise ScenarioError("holds no job", str(path))
    twice = len(rows) - rows.select([column.name for column in columns]).n_unique()
    if twice:
        warnings.append(f"{path.name}: {twice} rows stand twice and are kept as recorded")
    return TraceFile(_table(rows, form.absolute), tuple(warnings), _start(text, rows, form.absolute))


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


def _start(text: str, rows: pl.DataFrame, absolute: bool) -> datetime.datetime | None:
    """The date of second 0: the first job's of an absolute clock, or what an SWF header says."""
    header = re.search(r"^;\s*UnixStartTime:\s*(\d{1,12})\s*$", text[:20_000], re.MULTILINE)
    if absolute:
        return datetime.datetime.fromtimestamp(float(rows["submit_s"].to_numpy().min()), datetime.UTC)
    return datetime.datetime.fromtimestamp(int(header[1]), datetime.UTC) if header else None


def _bad_row(path: Path, row: pl.DataFrame, columns: list[Column], width: int) -> ScenarioError:
    where = f"{path}:{row['line'][0]}"
    found = row["fields"][0].to_list()
    hint = "; on_bad_row: skip leaves such rows out"
    if row["bad_width"][0]:
        return ScenarioError(f"found {len(found)} fields; allowed: {width}{hint}", where)
    column = next(column for column in columns if row[column.name][0] is None)
    raw = row.select(column.raw.alias("raw"))["raw"][0]
    return ScenarioError(f"{column.name}: found {raw!r}; allowed: {column.allowed}{hint}", where)
