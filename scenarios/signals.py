"""The signals of a site as step functions of the scenario's time: constant, from a file, or synthetic."""

import datetime
import itertools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.draws import stream
from scenarios.errors import ScenarioError
from scenarios.files import locate
from scenarios.instants import instants
from scenarios.signal_files import read_rows
from scenarios.signal_keys import Shape, Signal, SignalFile, SyntheticSignal, file_form
from scenarios.signal_table import Rows
from scenarios.typical_year import actual_years, typical_year
from scenarios.units import DAY_S, HOUR_S, YEAR_S

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """A step function of time: values[i] [SI] holds from time_s[i] until the next; arrays of shape (n,).

    time_s is in seconds since the scenario's start and rises strictly; the first is at or before 0, so that
    the series has a value at every time of the run.
    """

    time_s: Floats
    values: Floats
    warnings: tuple[str, ...] = ()  # of the file that it was read from

    def at(self, time_s: Floats) -> Floats:
        """Values at times from the first step on [SI], shape of time_s; ValueError for an earlier time."""
        rows = np.searchsorted(self.time_s, time_s, side="right") - 1
        if np.any(rows < 0):
            raise ValueError(f"a time before the first step of the series, {self.time_s[0]:g} s")
        return self.values[rows]


def signal_series(signal: Signal, name: str, start: datetime.datetime, end_s: float, seed: int) -> Series:
    """The series of a signal over a run from start (UTC) to end_s; only a synthetic one depends on name and seed.

    Raises ScenarioError for a file that is wrong or does not cover the run, and ValueError where the run has
    no end (end_s infinite) but the signal needs one. A file that ends before a run without end holds its last value.
    """
    match signal:
        case SyntheticSignal(synthetic=shape):
            return _synthetic(shape, name, start, end_s, seed)
        case SignalFile() if file_form(signal.file) == "epw":
            if signal.years == "actual":
                return _from_file(signal, actual_years(signal), start, end_s)
            _need_end(end_s, "an EPW file, which is repeated each year,")
            instants, values = typical_year(signal, start, end_s)
            return _inside(instants - start.timestamp(), values, end_s)
        case SignalFile():
            return _from_file(signal, read_rows(signal), start, end_s)
        case _:
            return Series(np.zeros(1), np.array([float(signal)]))


def _need_end(end_s: float, what: str) -> None:
    if not math.isfinite(end_s):
        raise ValueError(f"{what} needs a horizon with an end, such as 365 days, not until-done")


def _inside(time_s: Floats, values: Floats, end_s: float) -> Series:
    """The steps that a run meets, from the one that holds at 0 to the last before the end, without repetitions."""
    time_s = instants(time_s)
    first = int(np.searchsorted(time_s, 0.0, side="right")) - 1
    last = max(first + 1, int(np.searchsorted(time_s, end_s, side="left")))
    time_s, values = time_s[first:last], values[first:last]
    changed = np.concatenate([[True], values[1:] != values[:-1]])
    return Series(time_s[changed], values[changed])


def _from_file(file: SignalFile, rows: Rows, start: datetime.datetime, end_s: float) -> Series:
    origin_s = rows.instants[0] if file.align == "start" else start.timestamp()
    time_s, covered_s = rows.instants - origin_s, rows.to_s - origin_s
    if time_s[0] > 0 or covered_s < (end_s if math.isfinite(end_s) else 0.0):
        covered = (float(time_s[0]), float(covered_s))
        raise ScenarioError(_not_covered(file, start, covered, end_s), str(locate(file.file)))
    return replace(_inside(time_s, rows.values, end_s), warnings=rows.warnings)


def _not_covered(file: SignalFile, start: datetime.datetime, covered_s: tuple[float, float], end_s: float) -> str:
    def date(time_s: float) -> str:
        return (start + datetime.timedelta(seconds=time_s)).replace(tzinfo=None).isoformat(" ", "minutes")

    if file.align == "start":
        return f"covers {covered_s[1] / DAY_S:g} days from its first row on; the run needs {end_s / DAY_S:g}"
    to = f"to {date(end_s)}" if math.isfinite(end_s) else "on"
    hint = "align: start lays the file's first row on the scenario's start, whatever its dates"
    if file.years is not None:
        hint = "years: typical lays it on every year"
    return f"covers {date(covered_s[0])} to {date(covered_s[1])} UTC; the run needs {date(0.0)} {to} ({hint})"


def _synthetic(shape: Shape[Any, Any], name: str, start: datetime.datetime, end_s: float, seed: int) -> Series:
    """Hourly steps from the start on: mean, two cosines and noise, cut to what the measure can be."""
    _need_end(end_s, "a synthetic signal")
    time_s = HOUR_S * np.arange(max(1, math.ceil(end_s / HOUR_S)), dtype=np.float64)
    new_year = start.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    year_s = (start - new_year).total_seconds() + time_s
    peak_s = (shape.peak_day - 1.0) * DAY_S
    seasonal = shape.seasonal * np.cos(2 * np.pi * (year_s - peak_s) / YEAR_S)
    daily = shape.daily * np.cos(2 * np.pi * (year_s / DAY_S - shape.peak_hour / 24))
    noise = shape.noise * _persistent(shape.persistence, stream(seed, f"signal {name}"), len(time_s))
    values = np.clip(shape.mean + seasonal + daily + noise, shape.measure.low, shape.measure.high)
    return _inside(time_s, values, end_s)


def _persistent(persistence: float, rng: np.random.Generator, n: int) -> Floats:
    """Stationary first-order autoregression of mean 0 and standard deviation 1, shape (n,).

    x[k] = r * x[k-1] + sqrt(1 - r**2) * z[k], z standard normal, x[0] = z[0].
    Source: Box, Jenkins, Reinsel: Time Series Analysis, section 3.2 (AR(1) process).
    """
    shock = math.sqrt(1.0 - persistence**2)
    drawn = rng.standard_normal(n).tolist()
    path = itertools.accumulate(drawn[1:], lambda before, z: persistence * before + shock * z, initial=drawn[0])
    return np.fromiter(path, np.float64, n)
