"""The weather of an EPW file: a year laid on each year of the scenario's calendar, or years with their own dates.

Source: EnergyPlus Auxiliary Programs, weather data file format: 8 header lines, the offset from UTC [hours]
in the 9th field of LOCATION, then rows of year, month, day, hour, minute, flags, dry bulb [degC], ...; a row is
named by its end, and an hour may have several.
"""

import calendar
import datetime
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import ScenarioError
from scenarios.files import locate
from scenarios.packed import read_text
from scenarios.signal_files import MOST_BYTES
from scenarios.signal_keys import DRY_BULB, SignalFile
from scenarios.signal_table import Rows, read_value
from scenarios.signal_times import fixed_zone
from scenarios.signal_units import TEMPERATURE
from scenarios.units import DAY_S, shown

Floats = NDArray[np.float64]
_HEADER_LINES = 8
_DAYS = 365
_FEBRUARY_28 = 58  # days before it


@dataclass(frozen=True, slots=True)
class _Weather:
    """Dry bulb [degC] of whole days, shape (n_days, rows a day), and the year of the first row as the file says it."""

    zone: datetime.timezone
    year: int
    degc: Floats

    def instants(self, year: int, days: int) -> Floats:
        """The begins of the rows of so many days from a new year on [s since 1970 UTC]."""
        rows = self.degc.shape[1]
        new_year_s = datetime.datetime(year, 1, 1, tzinfo=self.zone).timestamp()
        since_s: Floats = DAY_S / rows * np.arange(days * rows, dtype=np.float64)
        return new_year_s + since_s


def typical_year(file: SignalFile, start: datetime.datetime, end_s: float) -> tuple[Floats, Floats]:
    """Instants [s since 1970 UTC] and dry bulb [degC] of the calendar years around a run, both of shape (n_rows,).

    The years that the file names are ignored. Its February 29, or else February 28, is that of leap years.
    """
    weather = _weather(file, actual=False)
    degc = weather.degc
    leap = len(degc) > _DAYS
    extra = degc[_FEBRUARY_28 + leap : _FEBRUARY_28 + leap + 1]
    common_degc = np.delete(degc, _FEBRUARY_28 + 1, axis=0) if leap else degc
    leap_degc = np.concatenate([common_degc[: _FEBRUARY_28 + 1], extra, common_degc[_FEBRUARY_28 + 1 :]])
    last = (start + datetime.timedelta(seconds=end_s)).year + 1
    instants, values = [], []
    for year in range(start.year - 1, last + 1):  # the clock of the file may be in another year
        values.append((leap_degc if calendar.isleap(year) else common_degc).ravel())
        instants.append(weather.instants(year, len(values[-1]) // degc.shape[1]))
    return np.concatenate(instants), np.concatenate(values)


def actual_years(file: SignalFile) -> Rows:
    """The rows of a file of one or more whole years with their own dates."""
    weather = _weather(file, actual=True)
    instants = weather.instants(weather.year, len(weather.degc))
    return Rows(instants, weather.degc.ravel(), float(instants[-1] + DAY_S / weather.degc.shape[1]), ())


def _weather(file: SignalFile, actual: bool) -> _Weather:
    path = locate(file.file)
    lines = read_text(path, MOST_BYTES).split("\n")
    zone = _clock(lines[0], path)
    rows = [(number, line.strip()) for number, line in enumerate(lines, 1) if number > _HEADER_LINES and line.strip()]
    an_hour = _rows_an_hour(rows)
    first = rows[0][1].split(",")[0].strip() if rows else ""
    year = int(first) if re.fullmatch(r"1[6-9]\d\d|2\d{3}", first) else 0
    if actual and not year:
        raise ScenarioError(f"found {shown(first)} as year; allowed with years: actual: its own year", str(path))
    leap = any(re.match(r"\d+,\s*0?2,\s*29,", line) for _, line in rows[: 60 * 24 * an_hour])
    values: list[float] = []
    hours = _hours(year if actual else 2024 if leap else 2023, endless=actual)
    wanted = (hour for hour in hours for _ in range(an_hour))
    for (number, line), hour in zip(rows, wanted, strict=False):
        try:
            values.append(_row_dry_bulb(line, hour, actual))
        except ValueError as error:
            raise ScenarioError(str(error), f"{path}:{number}") from None
    a_day = 24 * an_hour
    whole = a_day * (_DAYS + leap)
    if not actual and len(rows) != whole:
        what = "hours" if an_hour == 1 else f"rows, {an_hour} an hour,"
        raise ScenarioError(f"holds {len(rows)} rows; allowed: the {whole} {what} of a typical year", str(path))
    if len(rows) % a_day:
        raise ScenarioError(f"holds {len(rows)} rows; allowed: whole days of {a_day} rows", str(path))
    return _Weather(zone, year, np.array(values).reshape(-1, a_day))


def _rows_an_hour(rows: list[tuple[int, str]]) -> int:
    """How many rows name the first hour; 1 where they do not divide it."""
    hours = [line.split(",", 4)[1:4] for _, line in rows[:61]]
    many = sum(1 for _ in itertools.takewhile(lambda hour: hour == hours[0], hours))
    return many if many and 60 % many == 0 else 1


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


def _row_dry_bulb(line: str, hour: tuple[int, int, int, int], actual: bool) -> float:
    fields = [field.strip() for field in line.split(",", 7)]
    found = tuple(int(field) for field in fields[:4] if field.isdecimal())
    if len(fields) < 8 or found[not actual :] != hour[not actual :]:
        wanted = "month {}, day {}, hour {}".format(*hour[1:])
        year = f"year {hour[0]}, {wanted} of actual years" if actual else f"{wanted} of a typical year"
        raise ValueError(f"found {shown(line)}; allowed: {year}, hours in order")
    try:
        return read_value(fields[6], TEMPERATURE)
    except ValueError as error:
        raise ValueError(f"{DRY_BULB}: {error}") from None


def _hours(year: int, endless: bool) -> Iterator[tuple[int, int, int, int]]:
    """Year, month, day and hour (1 to 24) of a year's hours, or of all from it on."""
    date = datetime.date(year, 1, 1)
    while endless or date.year == year:
        for hour in range(1, 25):
            yield date.year, date.month, date.day, hour
        date += datetime.timedelta(days=1)
