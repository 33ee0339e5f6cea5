"""Rows that a signal's file lacks: what its last row lasts, and holes, which are warned of but held over."""

import datetime
import statistics
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from scenarios.units import format_quantity

Floats = NDArray[np.float64]
# quarters of an hour to hours is four times: a step that changes, which is no hole; and ENTSO-E's curves of type A03
# leave repeated values out
_MOST_STEPS = 4
_AROUND = 5  # steps on each side that say what is usual there


def last_step_s(steps_s: Floats) -> float:
    """How long the last row holds [s]: the last step, or the one before where the last is a hole; 0 without any."""
    if not len(steps_s):
        return 0.0
    at = len(steps_s) - 1
    return float(steps_s[at - 1] if at and steps_s[at] > _MOST_STEPS * _usual_s(steps_s, at) else steps_s[at])


def holes(instants: Floats, zone: datetime.tzinfo, where: Callable[[int], str]) -> Iterator[str]:
    """Warnings of the rows that are absent between instants [s since 1970 UTC]; where says the line of a row."""
    steps_s = np.diff(instants)
    if len(steps_s) < 2:
        return
    least_s = float(np.min(steps_s))
    wide = [int(at) for at in np.flatnonzero(steps_s > _MOST_STEPS * least_s)]
    found = [at for at in wide if steps_s[at] > _MOST_STEPS * _usual_s(steps_s, at)]
    if found:
        longest = max(found, key=lambda at: float(steps_s[at]))
        many = "the only hole" if len(found) == 1 else f"the longest of {len(found)} holes"
        yield (
            f"{where(longest)}: no row for {format_quantity(float(steps_s[longest]), 's')} after "
            f"{_date(instants[longest])} UTC, {many} of the file; the value before holds"
        )
    lost = [] if isinstance(zone, datetime.timezone) else list(_lost_passes(instants, steps_s, zone))
    lost = [at for at in lost if at not in found]
    if lost:
        times = "" if len(lost) == 1 else f" ({len(lost)} times)"
        yield (
            f"{where(lost[0])}: the second pass of the hour that {zone} repeats has no row after "
            f"{_date(instants[lost[0]])} UTC{times}; the value before holds"
        )


def _usual_s(steps_s: Floats, at: int) -> float:
    """The step around a step [s]: the longer of the medians of those before and after it."""
    sides = (steps_s[max(0, at - _AROUND) : at], steps_s[at + 1 : at + 1 + _AROUND])
    return max(float(statistics.median(side.tolist())) for side in sides if len(side))


def _lost_passes(instants: Floats, steps_s: Floats, zone: datetime.tzinfo) -> Iterator[int]:
    """Steps over a repeated hour that are longer than those around them by just that hour."""
    for at in np.flatnonzero(steps_s > np.min(steps_s)).tolist():
        usual_s = _usual_s(steps_s, at)
        if steps_s[at] <= usual_s:
            continue
        before, after = (datetime.datetime.fromtimestamp(instants[row], zone).utcoffset() for row in (at, at + 1))
        back_s = 0.0 if before is None or after is None else (before - after).total_seconds()
        if back_s > 0 and usual_s <= back_s and steps_s[at] >= usual_s + back_s:
            yield at


def _date(instant_s: float) -> str:
    return datetime.datetime.fromtimestamp(instant_s, datetime.UTC).replace(tzinfo=None).isoformat(" ", "minutes")
