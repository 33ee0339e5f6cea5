"""What running groups draw and do, at a fraction of their range or at a price, and the levels that bound their draw.

How power is divided among them is in policies/equal.py and policies/water_fill.py. Nothing here changes a group: its
owner sets `chips` and `under` as gangs start and end, and all else of a group stays as it was made.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from math import exp, inf, log, nextafter
from typing import TypeAlias

from topologies.cap_law import speed_at

_LINEAR = 1 - 1e-7  # from this exponent on a curve counts as straight when power is divided


@dataclass(slots=True, eq=False)
class Load:
    """The running gangs of one class, pool and place in the power tree; all get the same cap.

    A chip at the fraction phi draws base_nw + phi range_nw and runs at phi ** exponent of its full speed.

    chips: how many run, maybe none. base_nw: what a busy chip draws beyond an idle one at the lowest chip draw [nW].
    range_nw: what its draw adds up to full demand [nW]. floor: the lowest phi. exponent: k, above 0 and at most 1.
    value: of a chip-second at full speed, above 0. under: chips by the number of each lower limit they sit under.
    least_nw, full_nw: what a chip draws at the floor and at full demand [nW].
    bend: 1 / (1 - k). full_at, floor_at: logarithms of prices [value/s per nW]; up to the first a group is worth its
    full range, from the second on its floor only.
    """

    chips: int
    base_nw: int
    range_nw: int
    floor: float
    exponent: float
    value: float = 1.0
    under: dict[int, int] = field(default_factory=dict)
    least_nw: int = field(init=False)
    full_nw: int = field(init=False)
    bend: float = field(init=False)
    full_at: float = field(init=False)
    floor_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.least_nw = self.draw_nw(self.floor)
        self.full_nw = self.base_nw + self.range_nw
        self.bend = 1 / (1 - self.exponent) if self.exponent < _LINEAR else inf
        self.full_at = log(self.value * self.exponent / self.range_nw) if self.range_nw else inf
        fall = -log(self.floor) if self.floor else inf
        self.floor_at = self.full_at + (fall / self.bend if self.bend < inf else 0.0)

    def draw_nw(self, fraction: float) -> int:
        """What a chip draws beyond an idle one [nW], rounded down."""
        return self.base_nw + int(fraction * self.range_nw)

    def speed(self, fraction: float) -> float:
        """The speed of a chip over its full speed, phi ** k; 1 where a cap changes nothing."""
        return speed_at(fraction, self.exponent) if self.range_nw else 1.0


Allocate: TypeAlias = Callable[[Sequence[Load], int | None, Sequence[int]], list[float]]
"""(loads, what they may draw under the feed or None, what under each lower limit [nW]) -> fractions by position.

No level is overdrawn, by not one nanowatt, unless it cannot even hold its groups at their floors, which they then get.
A group without chips or without a range gets 1.
"""

Part: TypeAlias = tuple[float, float, float, float, float]
"""A group under one level: what all its range there draws [nW], its full_at, its floor_at, its bend, its floor."""


def at_one_price(parts: Sequence[Part], power_nw: float) -> list[float]:
    """The fractions at the price at which the parts draw the power; their floors where it does not even hold those.

    Bisection finds the two marks (where a part leaves 1 or comes to its floor) that the price lies between. A straight
    part (k = 1) falls from 1 to its floor at its mark; at that price it gets what the others leave.
    """
    marks = sorted([part[1] for part in parts] + [part[2] for part in parts])
    low, high = 0, len(marks)
    while low < high:
        middle = (low + high) // 2
        if _draw_nw(parts, marks[middle]) > power_nw:
            low = middle + 1
        else:
            high = middle
    if high == len(marks):
        return [part[4] for part in parts]
    lower, upper = marks[high - 1] if high else -inf, marks[high]
    falling_nw = sum([part[0] * (1.0 - part[4]) for part in parts if part[1] == upper == part[2]])
    left_nw = power_nw - _draw_nw(parts, upper) if falling_nw else inf
    if left_nw >= falling_nw:
        return _at_price(parts, _price_between(parts, power_nw, lower, upper))
    share = left_nw / falling_nw
    return [
        part[4] + share * (1.0 - part[4]) if part[1] == upper == part[2] else fraction
        for part, fraction in zip(parts, _at_price(parts, upper), strict=True)
    ]


def _price_between(parts: Sequence[Part], power_nw: float, lower: float, upper: float) -> float:
    """The price between two marks at which the parts draw the power.

    Newton's method on the logarithm of the draw: convex in that of the price, and straight where all parts have one
    bend. So it climbs from the lower mark and does not pass the root.
    """
    moving, left_nw = [], power_nw
    for part in parts:
        full_nw, full_at, floor_at, _, floor = part
        if full_at >= upper:
            left_nw -= full_nw
        elif floor_at < upper:
            left_nw -= full_nw * floor
        else:
            moving.append(part)
    if not moving:
        return lower
    bends, price, step = [part[3] for part in moving], lower, 1.0
    spread = max(bends) - min(bends)
    while True:
        drawn_nw = slope_nw = 0.0
        for full_nw, full_at, _, bend, _ in moving:
            draw_nw = full_nw * exp(bend * (full_at - price))
            drawn_nw += draw_nw
            slope_nw += bend * draw_nw
        step = log(drawn_nw / max(left_nw, 1e-9)) * drawn_nw / slope_nw
        price += step
        if step * spread < 1e-6:  # what is missing after it is less than the square of that
            return min(price, nextafter(upper, lower))


def _at_price(parts: Sequence[Part], price: float) -> list[float]:
    """The fractions at a price; straight parts are at their floors at their mark."""
    return [
        floor if price >= floor_at else 1.0 if price <= full_at else exp(bend * (full_at - price))
        for _, full_at, floor_at, bend, floor in parts
    ]


def _draw_nw(parts: Sequence[Part], price: float) -> float:
    """What parts draw of their ranges [nW] at a price."""
    drawn_nw = 0.0
    for full_nw, full_at, floor_at, bend, floor in parts:
        if price >= floor_at:
            drawn_nw += full_nw * floor
        elif price <= full_at:
            drawn_nw += full_nw
        else:
            drawn_nw += full_nw * exp(bend * (full_at - price))
    return drawn_nw


@dataclass(slots=True)
class Level:
    """A level of the power tree: what the ranges below it may draw [nW], and the chips of its groups by position."""

    spare_nw: int
    chips: dict[int, int] = field(default_factory=dict)

    def left_nw(self, loads: Sequence[Load], fractions: Sequence[float]) -> int:
        """What it may still draw with its groups at these fractions [nW]; negative where it is overdrawn."""
        drawn_nw = [chips * int(fractions[at] * loads[at].range_nw) for at, chips in self.chips.items()]
        return self.spare_nw - sum(drawn_nw)

    def holds_full(self, loads: Sequence[Load]) -> bool:
        """Whether it holds all its groups, if any, at full demand."""
        return not self.chips or sum([n * loads[at].range_nw for at, n in self.chips.items()]) <= self.spare_nw

    def settle(self, loads: Sequence[Load], fractions: Sequence[float], settled: Iterable[int]) -> None:
        """Take groups out together with what they draw."""
        for at in settled:
            self.spare_nw -= self.chips.pop(at, 0) * int(fractions[at] * loads[at].range_nw)


def tight_levels(loads: Sequence[Load], feed_nw: int | None, limits_nw: Sequence[int]) -> list[Level]:
    """The levels that do not hold all their groups at full demand, the feed last."""
    levels = [Level(spare_nw) for spare_nw in (*limits_nw, feed_nw or 0)]
    for at, load in enumerate(loads):
        moves = load.least_nw < load.full_nw
        for number, chips in (*load.under.items(), (-1, load.chips)) if load.chips else ():
            levels[number].spare_nw -= chips * (load.base_nw if moves else load.full_nw)
            if chips and moves:
                levels[number].chips[at] = chips
    if feed_nw is None:
        levels.pop()
    return [level for level in levels if not level.holds_full(loads)]


def sharing_sets(levels: Sequence[Level]) -> list[list[Level]]:
    """The levels in sets without a group in common; the last level of a set is the last of them all in it."""
    sets: list[tuple[set[int], list[Level]]] = []
    for level in levels:
        groups, sharing, apart = set(level.chips), [level], []
        for other in sets:
            if groups.isdisjoint(other[0]):
                apart.append(other)
            else:
                groups, sharing = groups | other[0], other[1] + sharing
        sets = [*apart, (groups, sharing)]
    return [sharing for _, sharing in sets]


def trim(loads: Sequence[Load], fractions: list[float], level: Level) -> None:
    """Lower fractions by whole nanowatts a chip until a level holds them: the widest ranges first, those at 1 last.

    It takes away the few nanowatts by which floating point overdrew a level; no group goes below its floor.
    """
    excess_nw = -level.left_nw(loads, fractions)
    if excess_nw <= 0:
        return
    for at in sorted(level.chips, key=lambda at: (fractions[at] == 1.0, -level.chips[at] * loads[at].range_nw)):
        load, chips = loads[at], level.chips[at]
        drawn_nw, least_nw = int(fractions[at] * load.range_nw), int(load.floor * load.range_nw)
        new_nw = max(least_nw, drawn_nw + -excess_nw // chips)
        if new_nw < drawn_nw:
            fractions[at] = load.floor if new_nw == least_nw else (new_nw + 0.5) / load.range_nw
            excess_nw -= (drawn_nw - new_nw) * chips
        if excess_nw <= 0:
            return
