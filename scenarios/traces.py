"""Recorded logs to job tables: the Standard Workload Format, Philly and our own job CSV, read with polars.

A row that cannot be replayed is named with its line number and refused, or skipped and counted. Rows
that stand twice are kept as recorded. Blank lines carry nothing and are passed over.
"""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl

from scenarios.errors import ScenarioError, unknown
from scenarios.instants import instants
from scenarios.jobs import JobTable
from scenarios.packed import read_text
from scenarios.swf import FIELD, FIELDS, LEFT_OUT, header_facts, second_zero
from scenarios.tables import TextTable, read_table
from scenarios.values import LONGEST_S

CSV_COLUMNS = ("number", "submit_s", "chips", "run_s", "estimate_s", "tenant")
_FIELDS = ("number", "submit_s", "run_s", "chips", "estimate_s", "tenant")
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


def _swf(table: TextTable) -> list[Column]:
    """Fields 1, 2, 4, 8 or else 5, 9 or else 4, and 12; see scenarios.swf."""
    del table
    field = FIELD
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


def _philly(table: TextTable) -> list[Column]:
    """Source: Jeon et al., Analysis of Large-Scale Multi-Tenant GPU Clusters, ATC 2019 (a published subset)."""
    stamp, length, chips, tenant = _named(table, "timestamp", "duration", "num_gpus", "cluster")
    length = table.figures(length)
    time = stamp.str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False).dt.epoch("us").cast(pl.Float64) / 1e6
    return [
        Column("submit_s", stamp, time, "a time such as 2017-10-09 07:01:55"),
        Column("run_s", length, _at_least(length, 0), "seconds of at least 0"),
        Column("chips", chips, _whole(chips, 1), "a whole number of GPUs of at least 1"),
        Column("tenant", tenant, tenant, "a virtual cluster"),
    ]


def _csv(table: TextTable) -> list[Column]:
    """Our own job table, as `megawatt trace` writes it; estimate_s and tenant may be left out."""
    number, submit, chips, run = map(table.figures, _named(table, *CSV_COLUMNS[:4]))
    columns = [
        Column("number", number, _whole(number, 0), "a job number"),
        Column("submit_s", submit, _at_least(submit, 0), "seconds of at least 0"),
        Column("run_s", run, _at_least(run, 0), "seconds of at least 0"),
        Column("chips", chips, _whole(chips, 1), "a whole number of chips of at least 1"),
    ]
    if "estimate_s" in table.header:
        (estimate,) = map(table.figures, _named(table, "estimate_s"))
        columns.append(Column("estimate_s", estimate, _at_least(estimate, 0), "seconds of at least 0"))
    if "tenant" in table.header:
        (tenant,) = _named(table, "tenant")
        columns.append(Column("tenant", tenant, tenant, "a name"))
    return columns


def _named(table: TextTable, *names: str) -> list[pl.Expr]:
    header = table.header
    for name in names:
        if name not in header:
            raise ScenarioError(f"the header lacks the column {name!r} (found: {', '.join(header)[:200]})")
        if header.count(name) > 1:
            raise ScenarioError(f"the column {name!r} stands twice in the header")
    return [pl.col("fields").list.get(header.index(name), null_on_oob=True) for name in names]


def _words(text: str, path: Path) -> TextTable:
    """Rows of words without a header; blank lines and lines that begin with ; are passed over."""
    del path
    lines = pl.DataFrame({"text": text.split("\n")}).with_row_index("line", offset=1)
    lines = lines.filter(~pl.col("text").str.contains(r"^\s*(;|$)"))
    return TextTable([], 1, " ", lines.select("line", pl.col("text").str.extract_all(r"\S+").alias("fields")))


@dataclass(frozen=True, slots=True)
class Format:
    """A trace format: its columns, rows and one-line description, whether its clock is absolute, what is no job."""

    columns: Callable[[TextTable], list[Column]]
    rows: Callable[[str, Path], TextTable]
    absolute: bool
    about: str
    left_out: Mapping[str, pl.Expr] = field(default_factory=dict)
    facts: Callable[[str], dict[str, str]] | None = None


FORMATS = {
    "swf": Format(
        _swf,
        _words,
        False,
        "Standard Workload Format, 18 fields (Parallel Workloads Archive)",
        LEFT_OUT,
        header_facts,
    ),
    "philly": Format(_philly, read_table, True, "Microsoft Philly 2017: timestamp,duration,num_gpus,gpu_time,cluster"),
    "csv": Format(_csv, read_table, False, "our own job table: " + ",".join(CSV_COLUMNS)),
}


@dataclass(frozen=True, slots=True)
class TraceFile:
    """A trace as read: its jobs, and what the user should know about it."""

    jobs: JobTable
    warnings: tuple[str, ...]
    start: datetime.datetime | None = None  # the date of second 0, where it is recorded
    facts: Mapping[str, str] = field(default_factory=dict)  # of the machine, by the format's own names


def read_trace(name: str, path: Path, on_bad_row: str = "fail", begin: str = "log") -> TraceFile:
    """Read a trace; the first job of an absolute clock, or of begin first-job, is submitted at 0 s.

    Raises ScenarioError for an unknown format, an unreadable file, and a bad row unless those are skipped.
    """
    if name not in FORMATS:
        raise ScenarioError(unknown("trace format", name, FORMATS))
    form = FORMATS[name]
    text = read_text(path, MOST_BYTES)
    table = form.rows(text, path)
    try:
        columns = form.columns(table)
    except ScenarioError as error:
        raise ScenarioError(error.message, f"{path}:{table.header_line}") from None
    width = len(table.header) or FIELDS
    fields, warnings = _jobs_only(table.rows, form.left_out)
    count = pl.col("fields").list.len()
    rows = fields.select(
        "line",
        "fields",
        *[column.value.alias(column.name) for column in columns],
        bad_width=count != width if table.header else count < width,
    )
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
    from_first = form.absolute or begin == "first-job"
    facts = form.facts(text) if form.facts else {}
    jobs = _table(rows, from_first)
    said = tuple(f"{path.name}: {warning}" for warning in warnings)
    return TraceFile(jobs, said, _start(facts, rows, form.absolute, from_first), facts)


def _jobs_only(rows: pl.DataFrame, left_out: Mapping[str, pl.Expr]) -> tuple[pl.DataFrame, list[str]]:
    """The rows that are jobs, and a line for each kind of the others."""
    warnings = []
    for what, is_so in left_out.items():
        found = rows.filter(is_so)
        if len(found):
            rows = rows.filter(~is_so.fill_null(False))
            warnings.append(f"{_counted(len(found), 'row')} of {what} left out, the first on line {found['line'][0]}")
    return rows, warnings


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
    zero = datetime.datetime.fromtimestamp(0, datetime.UTC) if absolute else second_zero(dict(facts))
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
    return f"{column.name}: found {raw!r}; allowed: {column.allowed}"


def _bad_row(path: Path, row: pl.DataFrame, columns: list[Column], width: int) -> ScenarioError:
    hint = "; on_bad_row: skip leaves such rows out"
    return ScenarioError(_fault(row, columns, width) + hint, f"{path}:{row['line'][0]}")
