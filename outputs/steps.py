"""Step series: the exact integral, the mean over a window, and envelopes that a picture can show."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def durations(time_s: Floats, from_s: float, to_s: float) -> Floats:
    """How long each step lasts within a window [s], shape (n,); the last step lasts to the window's end."""
    edges = np.clip(np.append(time_s, max(to_s, time_s[-1] if len(time_s) else to_s)), from_s, to_s)
    return np.asarray(np.diff(edges))


def integral(values: Floats | NDArray[np.int64], lasts_s: Floats) -> float:
    """Integral of a step series [value s], summed without rounding error (math.fsum)."""
    return math.fsum((values * lasts_s).tolist())


@dataclass(frozen=True, slots=True)
class Envelope:
    """A step series in bins of time: start of each bin [s], and the lowest, mean and highest value in it."""

    time_s: Floats
    low: Floats
    mean: Floats
    high: Floats


def envelope(time_s: Floats, values: Floats, from_s: float, to_s: float, bins: int) -> Envelope:
    """Lowest, time-weighted mean and highest value per bin, shape (bins,) each.

    A bin sees the value it starts with and every change inside it, so that no peak is lost however
    many steps fall into one pixel.
    """
    edges = np.linspace(from_s, to_s, bins + 1)
    first = np.searchsorted(time_s, edges[:-1], side="right")  # first change after each edge
    running = np.concatenate([[0.0], np.cumsum(values * durations(time_s, from_s, to_s))])
    before = np.maximum(first - 1, 0)
    level = values[before]  # the value that holds at each edge
    since = np.clip(time_s[before], from_s, to_s)
    upto = np.append(running[before] + level * (edges[:-1] - since), running[-1])
    mean = np.diff(upto) / np.diff(edges)
    last = np.append(first[1:], np.searchsorted(time_s, to_s, side="right"))
    padded = np.append(values, values[-1])
    low, high = level.copy(), level.copy()
    changes = last > first
    pairs = np.column_stack([first[changes], last[changes]]).ravel()
    if len(pairs):
        low[changes] = np.minimum(low[changes], np.minimum.reduceat(padded, pairs)[::2])
        high[changes] = np.maximum(high[changes], np.maximum.reduceat(padded, pairs)[::2])
    return Envelope(edges[:-1], low, mean, high)
