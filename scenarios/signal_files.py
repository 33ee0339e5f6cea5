"""Rows of a signal's file to instants and SI values: CSV, and the hourly JSON of Open-Meteo.

Every row is checked, also those outside the run: a file with one bad row is a file to look at.
"""

import csv
import datetime
import io
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import ScenarioError, nearest
from scenarios.files import locate
from scenarios.packed import read_text
from scenarios.signal_keys import Measure, SignalFile, file_form
from scenarios.signal_times import fixed_zone, read_instant, read_zone
from scenarios.units import shown

Floats = NDArray[np.float64]
MOST_BYTES = 2**27  # unpacked; ten years of five-minute rows
_UNIT_WORDS = {"°C": "degC"}  # Open-Meteo's own


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file as it stands, and the "file:line" of it."""

    where: str
    stamp: object
    value: object


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file in their order, the clock of its times without offset, and the SI value of its unit."""

    rows: Iterator[Row]
    zone: datetime.tzinfo
    factor: float


def read_rows(file: SignalFile) -> tuple[Floats, Floats]:
    """Instants [s since 1970 UTC], rising strictly, and values [SI] of a CSV or JSON file, both of shape (n_rows,).

    Raises ScenarioError, with the file and line, for what cannot be read and what cannot be.
    """
    path = locate(file.file)
    text = read_text(path, MOST_BYTES)
    table = _json_table(text, file, path) if file_form(file.file) == "json" else _csv_table(text, file, path)
    instants, values = [-math.inf], []
    for row in table.rows:
        try:
            instants.append(_next_instant(row.stamp, table.zone, instants[-1]))
        except ValueError as error:
            raise ScenarioError(f"time: {error}", row.where) from None
        try:
            values.append(read_value(row.value, table.factor, file.measure))
        except ValueError as error:
            raise ScenarioError(f"{file.column}: {error}", row.where) from None
    if not values:
        raise ScenarioError("holds no row", str(path))
    return np.array(instants[1:]), np.array(values)


def _next_instant(stamp: object, zone: datetime.tzinfo, before_s: float) -> float:
    instant_s = read_instant(stamp, zone, before_s)
    if instant_s > before_s:
        return instant_s
    before = datetime.datetime.fromtimestamp(before_s, datetime.UTC).replace(tzinfo=None).isoformat(" ")
    relation = "which is the same instant as" if instant_s == before_s else "which is earlier than"
    utc_by_default = zone is datetime.UTC and datetime.datetime.fromisoformat(str(stamp)).tzinfo is None
    hint = "; a clock with daylight saving needs its name as zone" if utc_by_default else ""
    raise ValueError(f"found {stamp!r}, {relation} the row before ({before} UTC); allowed: rising times{hint}")


def read_value(raw: object, factor: float, measure: Measure) -> float:
    """The SI value of a cell: its number times the factor of its unit; ValueError where it cannot be one."""
    try:
        number = float(raw) if isinstance(raw, str | float) or type(raw) is int else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    value = number * factor
    if not math.isfinite(value):
        raise ValueError(f"found {shown(raw)}; allowed: a finite number")
    if not measure.low <= value <= measure.high:
        raise ValueError(f"found {shown(raw)}; allowed: {measure.allowed}")
    return value


def _factor(file: SignalFile, unit: str, path: Path) -> float:
    try:
        return file.measure.factor(unit)
    except ValueError as error:
        raise ScenarioError(f"the unit of {file.column}: {error}", str(path)) from None


def _position(name: str, header: list[str], where: str) -> int:
    if name not in header:
        text = f"unknown column {name!r}{nearest(name, header)} (allowed: {', '.join(header)})"
        raise ScenarioError(text, where)
    if header.count(name) > 1:
        raise ScenarioError(f"the column {name!r} stands twice in the header", where)
    return header.index(name)


def _csv_table(text: str, file: SignalFile, path: Path) -> Table:
    zone = read_zone(file.zone or "UTC")
    return Table(_csv_rows(text, file, path), zone, _factor(file, file.unit or "", path))


def _csv_rows(text: str, file: SignalFile, path: Path) -> Iterator[Row]:
    # not polars: it names no line where the fields are too many, and fills up where they are too few
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    stamp = value = 0
    try:
        for cells in lines:
            where = f"{path}:{lines.line_num}"
            if not cells:  # a blank line
                continue
            if not header:
                header = [cell.strip() for cell in cells]
                stamp = 0 if file.time is None else _position(file.time, header, where)
                value = _position(file.column, header, where)
            elif len(cells) != len(header):
                raise ScenarioError(f"found {len(cells)} fields; allowed: {len(header)}", where)
            else:
                yield Row(where, cells[stamp].strip(), cells[value].strip())
    except csv.Error as error:
        raise ScenarioError(f"is not CSV: {error}", f"{path}:{lines.line_num}") from None


def _json_table(text: str, file: SignalFile, path: Path) -> Table:
    """Source: open-meteo.com/en/docs, JSON return object; its times are local at the one offset that it states."""
    data = _json(text, path)
    hourly = data.get("hourly") if isinstance(data, dict) else None
    if not isinstance(hourly, dict):
        raise ScenarioError("holds no table 'hourly'; allowed: the hourly JSON of Open-Meteo", str(path))
    rows = _json_rows(hourly, file, path)
    units = data.get("hourly_units")
    said = units.get(file.column) if isinstance(units, dict) else None
    factor = _json_factor(_UNIT_WORDS.get(said, said) if isinstance(said, str) else None, file, path)
    return Table(iter(rows), _json_zone(data, file, path), factor)


def _json_factor(said: str | None, file: SignalFile, path: Path) -> float:
    if said is None and file.unit is None:
        raise ScenarioError(f"does not say the unit of {file.column}; allowed: with the key unit", str(path))
    factor = _factor(file, said or file.unit or "", path)
    if file.unit is not None and _factor(file, file.unit, path) != factor:
        raise ScenarioError(f"says that {file.column} is in {said!r}; found {file.unit!r} as unit", str(path))
    return factor


def _json(text: str, path: Path) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise ScenarioError(f"is not JSON: {error.msg}", f"{path}:{error.lineno}") from None
    except (RecursionError, ValueError) as error:  # ValueError: a whole number of thousands of digits
        raise ScenarioError(f"is not JSON that can be read: {error}", str(path)) from None


def _json_rows(hourly: dict[str, Any], file: SignalFile, path: Path) -> list[Row]:
    names = (file.time or "time", file.column)
    for name in names:
        _position(name, list(hourly), f"{path}:hourly")
    stamps, values = (hourly[name] for name in names)
    if not isinstance(stamps, list) or not isinstance(values, list) or len(stamps) != len(values):
        raise ScenarioError(f"allowed: lists of one length as {names[0]} and {names[1]}", f"{path}:hourly")
    pairs = zip(stamps, values, strict=True)
    return [Row(f"{path}:hourly[{index}]", stamp, value) for index, (stamp, value) in enumerate(pairs)]


def _json_zone(data: Any, file: SignalFile, path: Path) -> datetime.tzinfo:
    if file.zone is not None:
        return read_zone(file.zone)
    offset_s = data.get("utc_offset_seconds")
    try:
        if type(offset_s) is int:
            return fixed_zone(datetime.timedelta(seconds=offset_s))
    except (ValueError, OverflowError):
        pass
    text = f"found {shown(offset_s)} as utc_offset_seconds; allowed: a whole number up to 14 hours, or the key zone"
    raise ScenarioError(text, str(path))
