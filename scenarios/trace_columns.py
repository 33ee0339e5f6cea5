"""The fields of a job from the columns of a table: numbers, times and lengths of time as polars expressions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from scenarios.errors import ScenarioError
from scenarios.tables import TextTable
from scenarios.trace_keys import ColumnKeys, Span, TimeColumn
from scenarios.values import LONGEST_S

_STAMP = r"^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?))? ?(?:Z|UTC|([+-])(\d{2}):?(\d{2}))?$"
_FORMS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S%:z", "%Y-%m-%dT%H:%M:%S%:z")
NO_TIME = ("", "None", "Unknown")
_A_DATE = "a time such as 2017-10-09 07:01:55"


@dataclass(frozen=True, slots=True)
class Column:
    """How one field of a job is read: the raw text, the value (null where it cannot be used), what is allowed."""

    name: str
    raw: pl.Expr
    value: pl.Expr
    allowed: str
    label: str = ""  # as messages name it; default: the field's name


@dataclass(frozen=True, slots=True)
class Layout:
    """The fields of a table's jobs, and what else its rows say."""

    columns: list[Column]
    dated: bool = False  # whether submissions are dates
    left_out: Mapping[str, pl.Expr] = field(default_factory=dict)  # rows that are no jobs, by what they are
    noted: Mapping[str, pl.Expr] = field(default_factory=dict)  # rows to be counted in a warning, by what it says
    texts: Mapping[str, pl.Expr] = field(default_factory=dict)  # by which rows may be chosen: status, queue, user, ...


def number(text: pl.Expr) -> pl.Expr:
    """The finite number of a text."""
    value = text.cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def at_least(value: pl.Expr, low: float) -> pl.Expr:
    """A number of seconds from low to the longest time."""
    return pl.when(value.is_between(low, LONGEST_S)).then(value)


def whole(text: pl.Expr, low: int) -> pl.Expr:
    """The whole number of a text, at least low."""
    value = number(text)
    return pl.when((value >= low) & (value == value.floor()) & (value < 2**53)).then(value).cast(pl.Int64)


def moment(table: TextTable, text: pl.Expr) -> pl.Expr:
    """The seconds since 1970 UTC of a column of ISO 8601 dates; without an offset they are UTC."""
    first = table.rows.select(text.alias("text")).filter(~pl.col("text").is_in(NO_TIME)).head(1)
    for form in _FORMS:
        if not first.select(_parsed(pl.col("text"), form).is_null().any()).item():
            quick = _parsed(text, form).dt.epoch("us").cast(pl.Float64) / 1e6
            return quick.fill_null(_by_parts(pl.when(quick.is_null()).then(text)))  # in parts takes ten times as long
    return _by_parts(text)


def _parsed(text: pl.Expr, form: str) -> pl.Expr:
    zone = "UTC" if form.endswith("z") else None
    return text.str.to_datetime(form, strict=False, time_unit="us", time_zone=zone)


def _by_parts(text: pl.Expr) -> pl.Expr:
    parts = text.str.extract_groups(_STAMP)
    day, clock, sign, hours, minutes = (parts.struct.field(str(group)) for group in range(1, 6))
    clock = clock.fill_null("00:00")
    seconds = pl.when(clock.str.len_bytes() == 5).then(pl.lit(":00")).otherwise(pl.lit(""))
    full = pl.concat_str(day, pl.lit("T"), clock, seconds)
    local = full.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", strict=False, time_unit="us").dt.epoch("us")
    offset = (hours.cast(pl.Int64) * 3600 + minutes.cast(pl.Int64) * 60) * pl.when(sign == "-").then(-1).otherwise(1)
    return (local - offset.fill_null(0) * 1_000_000).cast(pl.Float64) / 1e6


def clock_length(text: pl.Expr) -> pl.Expr:
    """The seconds of [days-]hours:minutes:seconds."""
    parts = text.str.extract_groups(r"^(?:(\d+)-)?(\d+):(\d\d):(\d\d(?:\.\d+)?)$")
    days, hours, minutes, seconds = (parts.struct.field(str(group)).cast(pl.Float64) for group in range(1, 5))
    return days.fill_null(0.0) * 86_400 + hours * 3600 + minutes * 60 + seconds


def figures(table: TextTable, name: str, path: str) -> pl.Expr:
    """The texts of a column of numbers, with a decimal point; ScenarioError where a comma may be either."""
    try:
        return table.figures(table.field(name, path))
    except ValueError as error:
        raise ScenarioError(f"{name}: {error}; allowed: without marks of thousands", path) from None


def mapped(table: TextTable, path: str, keys: ColumnKeys, chips: str = "chips") -> Layout:
    """The fields of a job by the columns that keys name; chips: what messages call them."""
    submit, dated = _time(table, keys.submit, path)
    run = _length(table, keys.run, path) if isinstance(keys.run, TimeColumn) else _span(table, keys.run, path)
    allowed = _A_DATE if dated else _seconds(keys.submit)
    size = figures(table, keys.chips, path)
    columns = [
        Column("submit_s", table.field(keys.submit.name, path), submit, allowed, keys.submit.name),
        run,
        Column(
            "chips",
            table.field(keys.chips, path),
            whole(size, 1),
            f"a whole number of {chips} of at least 1",
            keys.chips,
        ),
    ]
    if keys.number is not None:
        text = table.field(keys.number, path)
        columns.insert(0, Column("number", text, whole(text, 0), "a job number", keys.number))
    if keys.estimate is not None:
        asked = _length(table, keys.estimate, path)
        value = pl.when(asked.raw == "").then(run.value).otherwise(asked.value)
        columns.append(Column("estimate_s", asked.raw, value, asked.allowed, asked.label))
    if keys.tenant is not None:
        columns.append(tenant(table.field(keys.tenant, path), keys.tenant))
    texts = {} if keys.tenant is None else {"user": table.field(keys.tenant, path)}
    return Layout(columns, dated, texts=texts)


def tenant(text: pl.Expr, label: str) -> Column:
    """Whose a job is; "unknown" where the cell is empty."""
    return Column("tenant", text, pl.when(text == "").then(pl.lit("unknown")).otherwise(text), "a name", label)


def _time(table: TextTable, key: TimeColumn, path: str) -> tuple[pl.Expr, bool]:
    """The times of a column [s], and whether they are dates: what its first cell with a text is."""
    text = table.field(key.name, path)
    cells = table.rows.select(text.alias("text")).filter(~pl.col("text").is_in(NO_TIME))["text"]
    dated = key.unit is None and len(cells) > 0 and cells.head(1).cast(pl.Float64, strict=False).is_null()[0]
    if dated:
        return moment(table, text), True
    return at_least(number(figures(table, key.name, path)) * key.unit_s, 0), False


def _length(table: TextTable, key: TimeColumn, path: str) -> Column:
    value = at_least(number(figures(table, key.name, path)) * key.unit_s, 0)
    return Column("run_s", table.field(key.name, path), value, _seconds(key), key.name)


def _span(table: TextTable, keys: Span, path: str) -> Column:
    (begin, begin_dated), (end, end_dated) = _time(table, keys.begin, path), _time(table, keys.end, path)
    label = f"{keys.begin.name} to {keys.end.name}"
    if begin_dated != end_dated:
        raise ScenarioError(f"{label}: found dates and numbers; allowed: two of one kind", path)
    raw = pl.concat_str(table.field(keys.begin.name, path), pl.lit(" to "), table.field(keys.end.name, path))
    return Column("run_s", raw, at_least(end - begin, 0), "a start and an end that is not earlier", label)


def _seconds(key: TimeColumn) -> str:
    return f"{'seconds' if key.unit in (None, 's') else key.unit} of at least 0"
