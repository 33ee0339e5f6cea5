"""Means of replications with their confidence intervals, and differences between runs that share their seeds.

An interval is Student's: mean +- t s / sqrt(n), with s^2 = sum (x - mean)^2 / (n - 1) and t the quantile of n - 1
degrees of freedom. Source: Law, Simulation Modeling and Analysis, 5th ed. 2015, 4.5; paired and Welch intervals 10.2.
Sums are made with math.fsum, so that they do not depend on the order of the runs.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Estimate:
    """The mean of some values, and half of its interval; None for what too few values do not give."""

    count: int
    mean: float | None
    half_width: float | None

    @property
    def low(self) -> float | None:
        """Lower end of the interval."""
        return None if self.mean is None or self.half_width is None else self.mean - self.half_width

    @property
    def high(self) -> float | None:
        """Upper end of the interval."""
        return None if self.mean is None or self.half_width is None else self.mean + self.half_width

    @property
    def excludes_zero(self) -> bool:
        """Whether there is an interval and 0 lies outside of it."""
        return self.mean is not None and self.half_width is not None and abs(self.mean) > self.half_width


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """What a point has more than its baseline, over the runs that share their seeds."""

    estimate: Estimate
    relative: float | None  # of the baseline's mean over the same runs; None where that is 0
    unpaired_half_width: float | None  # what the interval would be if the runs did not share their seeds (Welch)


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean of at least one value; that of equal values is the value itself, to the bit."""
    return min(max(math.fsum(values) / len(values), min(values)), max(values))


def variance(values: Sequence[float]) -> float:
    """Unbiased variance of at least two values."""
    centre = mean(values)
    return math.fsum((value - centre) ** 2 for value in values) / (len(values) - 1)


@lru_cache(maxsize=1024)
def t_quantile(confidence: float, freedom: float) -> float:
    """The quantile of Student's t that a two-sided interval takes."""
    from scipy.special import stdtrit  # not scipy.stats, which takes over a second to import

    return float(stdtrit(freedom, (1 + confidence) / 2))


def estimate(values: Sequence[float], confidence: float) -> Estimate:
    """The mean of some values with its interval; a single value has none."""
    count = len(values)
    if not count:
        return Estimate(0, None, None)
    if count == 1:
        return Estimate(1, values[0], None)
    half_width = t_quantile(confidence, count - 1) * math.sqrt(variance(values) / count)
    return Estimate(count, mean(values), half_width)


def paired_difference(values: Sequence[float], base: Sequence[float], confidence: float) -> PairedDifference:
    """What values have more than base; the two are of the same runs, in the same order."""
    differences = [value - other for value, other in zip(values, base, strict=True)]
    found = estimate(differences, confidence)
    centre = mean(base) if base else 0.0
    relative = None if found.mean is None or centre == 0 else found.mean / abs(centre)
    return PairedDifference(found, relative, welch_half_width(values, base, confidence))


def welch_half_width(first: Sequence[float], second: Sequence[float], confidence: float) -> float | None:
    """Half of the interval of the difference of two means of independent runs.

    s^2 = s1^2/n1 + s2^2/n2, degrees of freedom s^4 / ((s1^2/n1)^2 / (n1 - 1) + (s2^2/n2)^2 / (n2 - 1)).
    Source: Welch, Biometrika 34, 1947; Law 2015, 10.2.2.
    """
    if min(len(first), len(second)) < 2:
        return None
    one, two = variance(first) / len(first), variance(second) / len(second)
    if one + two == 0:
        return 0.0
    share = one / (one + two)  # of the variance: its square cannot overflow
    freedom = 1 / (share**2 / (len(first) - 1) + (1 - share) ** 2 / (len(second) - 1))
    return t_quantile(confidence, freedom) * math.sqrt(one + two)


def settled(values: Sequence[float], confidence: float, relative: float) -> bool:
    """Whether enough is known: half of the interval is at most this part of the mean's size.

    Fewer than two values never are; equal values are, also zeros.
    """
    found = estimate(values, confidence)
    if found.mean is None or found.half_width is None:
        return False
    return found.half_width <= relative * abs(found.mean)
