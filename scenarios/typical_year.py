"""The typical year of an EPW weather file, laid on the scenario's calendar.

Source: EnergyPlus Auxiliary Programs, weather data file format: 8 header lines, the offset from UTC [hours]
in the 9th field of LOCATION, then rows of year, month, day, hour, minute, flags, dry bulb [degC], ...
"""

import calendar
import datetime
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import ScenarioError
from scenarios.files import locate
from scenarios.packed import read_text
from scenarios.signal_files import MOST_BYTES, read_value
from scenarios.signal_keys import DRY_BULB, TEMPERATURE, SignalFile
from scenarios.signal_times import fixed_zone
from scenarios.units import HOUR_S, shown

Floats = NDArray[np.float64]
_HEADER_LINES = 8
_HOURS = 8760
_FEBRUARY_28 = slice(58 * 24, 59 * 24)


def typical_year(file: SignalFile, start: datetime.datetime, end_s: float) -> tuple[Floats, Floats]:
    """Instants [s since 1970 UTC] and dry bulb [degC] of the calendar years around a run, both of shape (n_hours,).

    The years of the file's months are ignored; a February 29 takes February 28. An hour is named by its end.
    """
    path = locate(file.file)
    lines = read_text(path, MOST_BYTES).split("\n")
    zone = _clock(lines[0], path)
    degc = _dry_bulb(lines, path)
    leap_degc = np.concatenate([degc[: _FEBRUARY_28.stop], degc[_FEBRUARY_28], degc[_FEBRUARY_28.stop :]])
    last = (start + datetime.timedelta(seconds=end_s)).year + 1
    instants, values = [], []
    for year in range(start.year - 1, last + 1):  # the clock of the file may be in another year
        values.append(leap_degc if calendar.isleap(year) else degc)
        new_year_s = datetime.datetime(year, 1, 1, tzinfo=zone).timestamp()
        instants.append(new_year_s + HOUR_S * np.arange(len(values[-1]), dtype=np.float64))
    return np.concatenate(instants), np.concatenate(values)


def _clock(line: str, path: Path) -> datetime.timezone:
    fields = line.split(",")
    found = fields[8].strip() if fields[0].strip().upper() == "LOCATION" and len(fields) > 8 else None
    try:
        if found is not None and re.fullmatch(r"[+-]?\d{1,2}(\.\d{1,2})?", found):
            return fixed_zone(datetime.timedelta(hours=float(found)))
    except ValueError:
        pass
    text = f"found {shown(found)} as 9th field of LOCATION; allowed: hours from UTC such as -5.0"
    raise ScenarioError(text, f"{path}:1")


def _dry_bulb(lines: list[str], path: Path) -> Floats:
    """Dry bulb of the hours of a year without February 29 [degC], shape (8760,)."""
    rows = [(number, line.strip()) for number, line in enumerate(lines, 1) if number > _HEADER_LINES and line.strip()]
    values: list[float] = []
    for (number, line), hour in zip(rows, _hours(), strict=False):
        try:
            values.append(_row_dry_bulb(line, hour))
        except ValueError as error:
            raise ScenarioError(str(error), f"{path}:{number}") from None
    if len(rows) != _HOURS:
        raise ScenarioError(f"holds {len(rows)} rows; allowed: the {_HOURS} hours of a typical year", str(path))
    return np.array(values)


def _row_dry_bulb(line: str, hour: tuple[int, int, int]) -> float:
    fields = [field.strip() for field in line.split(",", 7)]
    found = tuple(int(field) for field in fields[1:4] if field.isdecimal())
    if len(fields) < 8 or found != hour:
        wanted = "month {}, day {}, hour {}".format(*hour)
        raise ValueError(f"found {shown(line)}; allowed: {wanted} of a typical year, hours in order")
    try:
        return read_value(fields[6], 1.0, TEMPERATURE)
    except ValueError as error:
        raise ValueError(f"{DRY_BULB}: {error}") from None


def _hours() -> Iterator[tuple[int, int, int]]:
    """Month, day and hour (1 to 24) of the hours of a year without February 29."""
    for day in range(365):
        date = datetime.date(2023, 1, 1) + datetime.timedelta(days=day)
        for hour in range(1, 25):
            yield date.month, date.day, hour
