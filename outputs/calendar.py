"""The time axis of a picture: calendar dates that a person reads at a glance."""

import datetime
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.units import DAY_S

_DAYS = (1, 2, 3, 7, 14)
_HOURS = (1, 2, 3, 6, 12)
_MONTHS = (1, 2, 3, 6, 12, 24, 48)
_MINUTES = (1, 2, 5, 10, 15, 30)
_MOST_TICKS = 10


@dataclass(frozen=True, slots=True)
class Span:
    """The time a picture covers [s since the start], and the start as a date (UTC)."""

    start: datetime.datetime
    from_s: float
    to_s: float
    warmup_s: float

    @property
    def counted_s(self) -> float:
        """From when on the numbers of a picture count: after the warmup, unless the picture shows nothing else."""
        return max(self.from_s, self.warmup_s) if self.warmup_s < self.to_s else self.from_s

    def dates(self, time_s: NDArray[np.float64]) -> NDArray[np.datetime64]:
        """Calendar dates (UTC) of times since the start, shape of time_s."""
        milliseconds = np.round(time_s * 1000).astype("timedelta64[ms]")
        return np.asarray(np.datetime64(self.start.replace(tzinfo=None), "ms") + milliseconds)


def date_labels(span: Span) -> tuple[list[datetime.datetime], list[str], str]:
    """Ticks at whole months, days, hours or minutes, their labels, and what the axis is called.

    The year (or the day) stands below the first label and where it changes.
    """
    first, last = span.dates(np.array([span.from_s, span.to_s])).tolist()
    ticks, fine, coarse = ticks_of(first, last)
    labels, shown = [], ""
    for tick in ticks:
        outer = f"{tick:{coarse}}".lstrip("0")
        labels.append(f"{tick:{fine}}".lstrip("0" if fine[1] == "d" else "") + ("" if outer == shown else f"\n{outer}"))
        shown = outer
    return ticks, labels, "date (UTC)" if fine[1] != "H" else "time (UTC)"


def ticks_of(first: datetime.datetime, last: datetime.datetime) -> tuple[list[datetime.datetime], str, str]:
    """Up to ten round times between two, the format of their labels and that of the line below it."""
    length_s = max((last - first).total_seconds(), 1.0)
    day = first.replace(hour=0, minute=0, second=0, microsecond=0)
    if length_s > 70 * DAY_S:
        months = next((step for step in _MONTHS if length_s / (30.4 * DAY_S * step) <= _MOST_TICKS), 96)
        count = 12 * (last.year - first.year) + 13
        starts = [_month(first.year, at) for at in range(0, count, months)]
        return [tick for tick in starts if first <= tick <= last], "%b", "%Y"
    if length_s > 3 * DAY_S:
        days = next((step for step in _DAYS if length_s / (DAY_S * step) <= _MOST_TICKS), 14)
        ticks = [day + datetime.timedelta(days=days * at) for at in range(_MOST_TICKS + 2)]
        return [tick for tick in ticks if first <= tick <= last], "%d %b", "%Y"
    sizes = [60 * step for step in _MINUTES] + [3600 * step for step in _HOURS]
    size_s = next((size for size in sizes if length_s / size <= _MOST_TICKS), 43_200)
    begin_s = (first - day).total_seconds() // size_s * size_s
    ticks = [day + datetime.timedelta(seconds=begin_s + size_s * at) for at in range(_MOST_TICKS + 3)]
    inside = [tick for tick in ticks if first <= tick <= last]
    return inside or [first], "%H:%M", "%d %b %Y"


def _month(year: int, months: int) -> datetime.datetime:
    return datetime.datetime(year + months // 12, months % 12 + 1, 1)
