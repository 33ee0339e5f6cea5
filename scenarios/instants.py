"""Instants: simulated time in whole microseconds, each as the float nearest to it, so that equal instants are equal.

Decimal times have no exact floats: 1.1 s + 2.2 s comes out above 3.3 s. So wherever a time is added to another, the sum
is brought back to the grid, and what happens at one microsecond meets on one float. A log in tenths or in milliseconds
then gets the schedule that it gets in whole seconds.
"""

from math import floor

import numpy as np
from numpy.typing import NDArray

TICKS_A_S = 1e6
LAST_S = 4e9
"""About 127 years. Up to here a float holds the ticks and their halves; a later time is left as it is, infinity too."""


def instant(time_s: float) -> float:
    """The instant nearest to a time [s]."""
    return floor(time_s * TICKS_A_S + 0.5) / TICKS_A_S if time_s < LAST_S else time_s


def instants(time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """The instants nearest to some times [s], shape of time_s."""
    return np.where(time_s < LAST_S, np.floor(time_s * TICKS_A_S + 0.5) / TICKS_A_S, time_s)


def ticks(time_s: float) -> int:
    """A finite length of time in whole microseconds, to count how often one fits into another."""
    return floor(time_s * TICKS_A_S + 0.5)


def longest_s(start_s: float, end_s: float) -> float:
    """The longest run that ends by an instant [s]: instant(start_s + length) <= end_s for what is no longer."""
    return end_s - start_s + 0.5 / TICKS_A_S
