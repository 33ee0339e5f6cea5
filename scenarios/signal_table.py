"""The rows of a signal's file, whatever its form, to rising instants and SI values.

Every row is checked, also those outside the run: a file with one bad row is a file to look at.
"""

import datetime
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import ScenarioError
from scenarios.signal_holes import holes, last_step_s
from scenarios.signal_times import instant
from scenarios.signal_units import Measure
from scenarios.units import shown

Floats = NDArray[np.float64]
Moment = Callable[[int], datetime.datetime]


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a file in their order, how their times are read, and the SI value of its unit."""

    where: Callable[[int], str]  # "file:line" of a row
    stamps: Sequence[object]  # as messages show them
    begin: Moment  # of a row; ValueError where it cannot be read
    end: Moment | None  # of a row, where the file says it
    second: Callable[[int], bool] | None  # whether a row says to be of the second pass through a repeated hour
    zone: datetime.tzinfo
    column: str
    values: Sequence[object]  # as messages show them
    numbers: Sequence[object]  # the same, as float reads them
    factor: float


@dataclass(frozen=True, slots=True)
class Rows:
    """Instants [s since 1970 UTC], rising strictly, and values [SI], both of shape (n_rows,); the last ends at to_s."""

    instants: Floats
    values: Floats
    to_s: float
    warnings: tuple[str, ...]


def rows_of(table: Table, measure: Measure) -> Rows:
    """The rows of a table that has some; ScenarioError, with the line, for a time or value that cannot be."""
    instants = np.array(_instants(table))
    values = _values(table, measure)
    return Rows(instants, values, _end(table, instants), tuple(holes(instants, table.zone, table.where)))


def number(raw: object) -> float:
    """The number of a cell; nan where it is none."""
    try:
        return float(raw) if isinstance(raw, str | float) or type(raw) is int else math.nan
    except (ValueError, OverflowError):
        return math.nan


def read_value(raw: object, measure: Measure) -> float:
    """The number of a cell in the measure's own unit; ValueError where it cannot be one."""
    value = number(raw)
    if not measure.low <= value <= measure.high:
        raise ValueError(_not_allowed(raw, value, measure))
    return value


def _not_allowed(raw: object, value: float, measure: Measure) -> str:
    return f"found {shown(raw)}; allowed: {measure.allowed if math.isfinite(value) else 'a finite number'}"


def _instants(table: Table) -> list[float]:
    found = list[float]()
    before_s = -math.inf
    zone, begin, second = table.zone, table.begin, table.second
    for row in range(len(table.stamps)):
        try:
            moment = begin(row)
            now_s = instant(moment, zone, before_s, None if second is None else second(row))
            if now_s <= before_s:
                utc_by_default = zone is datetime.UTC and moment.tzinfo is None
                raise _not_rising(now_s, before_s, utc_by_default, table.stamps[row])
        except ValueError as error:
            text = str(error)
            stamp = "" if text.startswith("found") else f"found {shown(table.stamps[row])}, "
            raise ScenarioError(f"time: {stamp}{text}", table.where(row)) from None
        found.append(now_s)
        before_s = now_s
    return found


def _not_rising(now_s: float, before_s: float, utc_by_default: bool, stamp: object) -> ValueError:
    before = datetime.datetime.fromtimestamp(before_s, datetime.UTC).replace(tzinfo=None).isoformat(" ")
    relation = "which is the same instant as" if now_s == before_s else "which is earlier than"
    hint = "; a clock with daylight saving needs its name as zone" if utc_by_default else ""
    if now_s == before_s and ":" not in str(stamp):
        hint = "; hours in a column beside the date are time: {date: ..., hour_ending: ...}"
    return ValueError(f"{relation} the row before ({before} UTC); allowed: rising times{hint}")


def _end(table: Table, instants: Floats) -> float:
    last = len(instants) - 1
    if table.end is None:
        return float(instants[last]) + last_step_s(np.diff(instants))
    try:
        end_s = instant(table.end(last), table.zone, float(instants[last]))
    except ValueError as error:
        raise ScenarioError(f"time: found {shown(table.stamps[last])}: {error}", table.where(last)) from None
    if end_s <= instants[last]:
        raise ScenarioError(f"time: found {shown(table.stamps[last])}, which ends before it begins", table.where(last))
    return end_s


def _values(table: Table, measure: Measure) -> Floats:
    values: Floats = np.array([number(cell) for cell in table.numbers]) * table.factor
    wrong = np.flatnonzero(~((values >= measure.low) & (values <= measure.high) & np.isfinite(values)))
    if len(wrong):
        row = int(wrong[0])
        text = _not_allowed(table.values[row], float(values[row]), measure)
        raise ScenarioError(f"{table.column}: {text}", table.where(row))
    return values
