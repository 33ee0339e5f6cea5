"""Power: what of a job's draw must fit when it starts, and how running jobs share what there is.

Whatever the policy, when the cap falls under the draw the battery comes first, then caps on chips down to the lowest
one, then jobs stop (the least valuable watt first), then racks go off. `shed` leaves out the caps on chips.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from policies.equal import equal
from policies.loads import Allocate
from policies.water_fill import water_fill
from scenarios.contract import Floats, SiteSteps
from topologies.plant import Admit, full


@dataclass(frozen=True, slots=True)
class DeferRule:
    """Jobs may start while price [USD/J] and carbon intensity [gCO2/J] are at or below these, or after deadline_s.

    cheapest, cleanest: shares of the run's time that count as good, from the lowest values on: how the signals are
    distributed over the run is known beforehand, when they come is not.
    """

    price: float | None
    carbon: float | None
    deadline_s: float
    cheapest: float | None = None
    cleanest: float | None = None

    def settled(self, steps: SiteSteps, end_s: float) -> "DeferRule":
        """The rule with thresholds in place of shares, of a run that ends at end_s, infinite where nobody knows."""
        price, carbon = self.price, self.carbon
        if self.cheapest is not None:
            price = min(lowest(steps, steps.price, self.cheapest, end_s), math.inf if price is None else price)
        if self.cleanest is not None:
            carbon = min(lowest(steps, steps.carbon, self.cleanest, end_s), math.inf if carbon is None else carbon)
        return replace(self, price=price, carbon=carbon)

    def good(self, price: float, carbon: float) -> bool:
        """Whether this is an hour to start in."""
        return (self.price is None or price <= self.price) and (self.carbon is None or carbon <= self.carbon)


def lowest(steps: SiteSteps, values: Floats, share: float, end_s: float) -> float:
    """The least value that a series is at or below for a share of the time up to its end, or else to its last step."""
    if len(values) == 1:
        return float(values[0])
    lasts_s = np.diff(steps.time_s, append=end_s if end_s < math.inf else steps.time_s[-1])
    order = np.argsort(values, kind="stable")
    passed = np.cumsum(np.maximum(0.0, lasts_s)[order])
    return float(values[order[np.searchsorted(passed, share * passed[-1] * (1 - 1e-12))]])


@dataclass(frozen=True, slots=True)
class PowerPolicy:
    """admit: what of a chip's draw counts when a job starts. allocate: how running jobs are capped.

    steady: caps are part of daily life, not only of emergencies. sheds: jobs are stopped rather than capped.
    """

    about: str
    admit: Admit
    allocate: Allocate
    steady: bool = False
    sheds: bool = False
    defer: DeferRule | None = None


def least(_draw_nw: int, least_nw: int) -> int:
    """Admit what fits under the lowest cap."""
    return least_nw


def expected(ratio: float) -> Admit:
    """Admit on expected demand: the full draw over `ratio`, but never less than the lowest cap."""

    def admit(draw_nw: int, least_nw: int) -> int:
        return max(least_nw, int(draw_nw / ratio))

    return admit


RESERVE = PowerPolicy("A job starts when its full draw fits; caps only in an emergency.", full, equal)
POWERS: Mapping[str, PowerPolicy] = {
    "reserve": RESERVE,
    "oversubscribe": PowerPolicy(
        "A job starts when its expected draw fits (full draw over ratio, default 1.3); caps are the net.",
        expected(1.3),
        equal,
        steady=True,
    ),
    "throttle": PowerPolicy(
        "A job starts when its draw under the lowest cap fits; all share the power in equal fractions.",
        least,
        equal,
        steady=True,
    ),
    "water-fill": PowerPolicy(
        "As throttle, but caps maximise the value of the work done under every level of the power tree.",
        least,
        water_fill,
        steady=True,
    ),
    "shed": replace(RESERVE, about="As reserve, but a falling cap stops the least valuable jobs.", sheds=True),
    "defer": replace(
        RESERVE, about="As reserve, but jobs wait for a cheap or clean hour; alone for the cleaner half of the time."
    ),
}
