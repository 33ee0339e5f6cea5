"""The file of a signal to its rows: CSV, and the hourly JSON of Open-Meteo."""

import datetime
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from scenarios.errors import ScenarioError
from scenarios.files import locate
from scenarios.packed import read_text
from scenarios.signal_keys import SignalFile, TimeColumns, file_form
from scenarios.signal_stamps import hour_ending, read_form, repeated
from scenarios.signal_table import Rows, Table, rows_of
from scenarios.signal_times import fixed_zone, read_zone
from scenarios.tables import TextTable, position, read_table
from scenarios.units import shown

MOST_BYTES = 2**27  # unpacked; ten years of five-minute rows
_UNIT_WORDS = {"°C": "degC"}  # Open-Meteo's own


def read_rows(file: SignalFile) -> Rows:
    """The rows of a CSV or JSON file.

    Raises ScenarioError, with the file and line, for what cannot be read and what cannot be.
    """
    path = locate(file.file)
    text = read_text(path, MOST_BYTES)
    table = _json_table(text, file, path) if file_form(file.file) == "json" else _csv_table(text, file, path)
    if not table.values:
        raise ScenarioError("holds no row", str(path))
    return rows_of(table, file.measure)


def _factor(file: SignalFile, unit: str, path: Path) -> float:
    try:
        return file.factor(unit)
    except ValueError as error:
        raise ScenarioError(f"the unit of {file.column}: {error}", str(path)) from None


def _csv_table(text: str, file: SignalFile, path: Path) -> Table:
    keys = file.time if isinstance(file.time, TimeColumns) else TimeColumns(column=file.time or "")
    times = (keys.column or keys.date, keys.hour_ending, keys.quarter, keys.repeated)
    table = _rows_of(text, file, {name for name in (file.column, *times) if name}, path)
    stamps, hours, quarters, flags = (_cells(table, name, path) if name else None for name in times)
    if stamps is None:
        stamps = table.rows["fields"].list.first().to_list()
    lines = table.rows["line"].to_list()
    try:
        form = read_form(stamps, keys.order)
    except ValueError as error:
        raise ScenarioError(str(error), str(path)) from None

    end_of = form.end

    def begin(row: int) -> datetime.datetime:
        moment = form.begin(stamps[row])
        return moment if hours is None else hour_ending(moment, hours[row], quarters and quarters[row])

    return Table(
        where=lambda row: f"{path}:{lines[row]}",
        stamps=stamps if hours is None else [f"{date} {hour}" for date, hour in zip(stamps, hours, strict=True)],
        begin=begin,
        end=None if end_of is None else lambda row: end_of(stamps[row]),
        second=None if flags is None else lambda row: repeated(flags[row]),
        zone=read_zone(file.zone or "UTC"),
        column=file.column,
        values=_cells(table, file.column, path),
        numbers=_numbers(table, file, path),
        factor=_factor(file, file.unit or "", path),
    )


def _rows_of(text: str, file: SignalFile, names: set[str], path: Path) -> TextTable:
    """The rows whose cells equal those of the key where; all must be as wide as the header."""
    keep = file.where or {}
    table = read_table(text, path, names | set(keep))
    if not table.header:
        raise ScenarioError("holds no row", str(path))
    odd = table.rows.filter(pl.col("fields").list.len() != len(table.header))
    if len(odd):
        text = f"found {len(odd['fields'][0])} fields; allowed: {len(table.header)}"
        raise ScenarioError(text, f"{path}:{odd['line'][0]}")
    if not keep:
        return table
    kept = table.rows.filter([table.field(name, str(path)) == value for name, value in keep.items()])
    if not len(kept):
        said = " and ".join(f"{name} {value!r}" for name, value in keep.items())
        raise ScenarioError(f"holds no row of {said}", str(path))
    return replace(table, rows=kept)


def _cells(table: TextTable, name: str, path: Path) -> list[str]:
    return table.rows.select(table.field(name, str(path))).to_series().to_list()


def _numbers(table: TextTable, file: SignalFile, path: Path) -> list[float]:
    try:
        text = table.figures(table.field(file.column, str(path)), file.decimal)
    except ValueError as error:
        raise ScenarioError(f"{error}; allowed: with decimal: comma or point", str(path)) from None
    value = text.cast(pl.Float64, strict=False).fill_null(math.nan)
    return table.rows.select(value).to_series().to_list()


def _json_table(text: str, file: SignalFile, path: Path) -> Table:
    """Source: open-meteo.com/en/docs, JSON return object; its times are local at the one offset that it states."""
    data = _json(text, path)
    hourly = data.get("hourly") if isinstance(data, dict) else None
    if not isinstance(hourly, dict):
        raise ScenarioError("holds no table 'hourly'; allowed: the hourly JSON of Open-Meteo", str(path))
    stamps, values = _json_lists(hourly, file, path)
    units = data.get("hourly_units")
    said = units.get(file.column) if isinstance(units, dict) else None
    form = read_form((), None)  # ISO 8601
    return Table(
        where=lambda row: f"{path}:hourly[{row}]",
        stamps=stamps,
        begin=lambda row: form.begin(stamps[row]),
        end=None,
        second=None,
        zone=_json_zone(data, file, path),
        column=file.column,
        values=values,
        numbers=values,
        factor=_json_factor(_UNIT_WORDS.get(said, said) if isinstance(said, str) else None, file, path),
    )


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


def _json_lists(hourly: dict[str, Any], file: SignalFile, path: Path) -> tuple[list[object], list[object]]:
    names = (file.time if isinstance(file.time, str) else "time", file.column)
    for name in names:
        position(name, list(hourly), f"{path}:hourly")
    stamps, values = (hourly[name] for name in names)
    if not isinstance(stamps, list) or not isinstance(values, list) or len(stamps) != len(values):
        raise ScenarioError(f"allowed: lists of one length as {names[0]} and {names[1]}", f"{path}:hourly")
    return stamps, values


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
