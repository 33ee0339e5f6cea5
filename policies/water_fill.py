"""Water-filling: the fractions that are worth most in all, under every level of the power tree.

Maximise sum n v phi^k over floor <= phi <= 1 where under each level sum n_l range phi <= spare. The problem is concave;
at its optimum (KKT) a group's last nanowatt is worth the prices of the levels above it, n v k phi^(k - 1) = range
sum_l price_l n_l, unless it is worth more at phi = 1 or less at the floor. One level: its price is searched. Several:
a primal-dual interior-point method, whose every step stays within the levels.

Source: Boyd and Vandenberghe, Convex Optimization, 2004, sections 5.5.3 (KKT conditions, water-filling) and 11.7.
"""

from collections.abc import Sequence
from math import inf, log
from operator import mul
from typing import TypeAlias

from policies.loads import Level, Load, at_one_price, sharing_sets, tight_levels, trim

_PRECISION = 1e-9  # of the value: the interior-point method ends when no more can be missing
_MOST_STEPS = 200
_NEXT_TO = 1e-8  # fractions as near to a bound as this are on it if its multiplier says so

Terms: TypeAlias = list[tuple[int, float]]
"""A sparse row or column: (index, factor)."""


def water_fill(loads: Sequence[Load], feed_nw: int | None, limits_nw: Sequence[int]) -> list[float]:
    """The fractions at which the sum of chips * value * speed is the largest that every level holds."""
    fractions = [1.0] * len(loads)
    if limits_nw:
        _fill_levels(loads, fractions, tight_levels(loads, feed_nw, limits_nw))
    elif feed_nw is not None and sum([load.chips * load.full_nw for load in loads]) > feed_nw:
        spare_nw = feed_nw - sum([load.chips * load.base_nw for load in loads])
        moving = {at: load.chips for at, load in enumerate(loads) if load.chips and load.range_nw}
        _fill_level(loads, fractions, Level(spare_nw, moving))
    return fractions


def _fill_levels(loads: Sequence[Load], fractions: list[float], levels: Sequence[Level]) -> None:
    """Floors below a level that holds no more; then levels that share groups together, the others one by one."""
    floors = [load.floor for load in loads]
    settled = {at for level in levels if level.left_nw(loads, floors) <= 0 for at in level.chips}
    for at in settled:
        fractions[at] = floors[at]
    for level in levels:
        level.settle(loads, floors, settled)
    for sharing in sharing_sets([level for level in levels if not level.holds_full(loads)]):
        _fill_level(loads, fractions, sharing[-1])
        if any(level.left_nw(loads, fractions) < 0 for level in sharing):
            for at, fraction in _Interior(loads, sharing).optimum().items():
                fractions[at] = fraction
            for level in sharing:
                trim(loads, fractions, level)


def _fill_level(loads: Sequence[Load], fractions: list[float], level: Level) -> None:
    """Divide what one level may draw; only a group's chips under the level pay its price."""
    parts = []
    for at, chips in level.chips.items():
        load = loads[at]
        shift = 0.0 if chips == load.chips else log(load.chips / chips)
        full_nw = float(chips * load.range_nw)
        parts.append((full_nw, load.full_at + shift, load.floor_at + shift, load.bend, load.floor))
    for at, fraction in zip(level.chips, at_one_price(parts, float(level.spare_nw)), strict=True):
        fractions[at] = fraction
    trim(loads, fractions, level)


class _Interior:
    """The interior-point method for groups under several levels, each group in units of its weight n v.

    State: u, how far above its floor a group is; z, how far below 1; s, what part of its power a level has left; then
    the multipliers of these, the last the prices of the levels. At the optimum the product of each pair is nothing.
    Of one group: w, k and floor; x and y, its u and z, with multipliers a and b.
    """

    def __init__(self, loads: Sequence[Load], levels: Sequence[Level]) -> None:
        levels = sorted(levels, key=lambda level: len(level.chips))  # in this order elimination fills few gaps
        floors = [load.floor for load in loads]
        self.at = list({at: None for level in levels for at in level.chips})
        number = {at: group for group, at in enumerate(self.at)}
        worth = sum([loads[at].chips * loads[at].value for at in self.at])
        self.weights = [loads[at].chips * loads[at].value / worth for at in self.at]
        self.laws = [(loads[at].exponent, floors[at]) for at in self.at]
        self.rows: list[Terms] = []  # of a level: (group, what part of its power the group's range draws)
        self.columns: list[Terms] = [[] for _ in self.at]  # of a group: (level, the same part over the weight)
        for level in levels:
            left_nw = level.left_nw(loads, floors)
            row = [(number[at], chips * loads[at].range_nw / left_nw) for at, chips in level.chips.items()]
            for group, draw in row:
                self.columns[group].append((len(self.rows), draw / self.weights[group]))
            self.rows.append(row)
        self.state = self._start()

    def _start(self) -> list[list[float]]:
        """A state within all levels; its products sum up to some of the value."""
        most = [1.0] * len(self.at)
        for row in self.rows:
            full = sum([draw * (1.0 - self.laws[group][1]) for group, draw in row])
            for group, _ in row:
                most[group] = max(most[group], full)
        u = [0.9 * (1.0 - floor) / full for (_, floor), full in zip(self.laws, most, strict=True)]
        z = [1.0 - floor - x for (_, floor), x in zip(self.laws, u, strict=True)]
        s = [1.0 - sum([draw * u[group] for group, draw in row]) for row in self.rows]
        value = sum([w * (floor + x) ** k for w, (k, floor), x in zip(self.weights, self.laws, u, strict=True)])
        return [u, z, s, [value / 5 / x for x in u], [value / 5 / x for x in z], [value / 5 / len(s) / x for x in s]]

    def optimum(self) -> dict[int, float]:
        """The fractions by position: steps until the gap, and what slopes are off the prices, are next to nothing."""
        length = 0.8
        for _ in range(_MOST_STEPS):
            u, z, s, lower, upper, prices = self.state
            gap, off, value = sum(map(mul, s, prices)), 0.0, 0.0
            eases, pulls = [], []
            groups = zip(self.weights, self.laws, self.columns, u, z, lower, upper, strict=True)
            for w, (k, floor), column, x, y, a, b in groups:
                slope = k * (floor + x) ** (k - 1.0)
                pull = slope - sum([prices[level] * draw for level, draw in column])
                gap += w * (a * x + b * y)
                off += w * (floor + x) * abs(pull + a - b)
                value += w * (floor + x) * slope / k
                eases.append(1.0 / (slope * (1.0 - k) / (floor + x) + a / x + b / y))
                pulls.append(pull)
            if gap + off <= _PRECISION * value:
                break
            cut = 0.01 if length > 0.9 else 0.05 if length > 0.5 else 0.3
            length = self._step(eases, pulls, cut * gap / 3)
        return dict(zip(self.at, self._fractions(), strict=True))

    def _step(self, eases: list[float], pulls: list[float], product: float) -> float:
        """Newton's step towards a common product, or what part of it keeps all positive: its length."""
        u, z, s, lower, upper, prices = self.state
        moves = [e * (pull + product / x - product / y) for e, pull, x, y in zip(eases, pulls, u, z, strict=True)]
        matrix = [{level: x / price} for level, (x, price) in enumerate(zip(s, prices, strict=True))]
        for w, ease, column in zip(self.weights, eases, self.columns, strict=True):
            for place, (level, draw) in enumerate(column):
                row, part = matrix[level], w * ease * draw
                for other, its_draw in column[place:]:
                    row[other] = row.get(other, 0.0) + part * its_draw
        aims = [product / len(s) / price - x for x, price in zip(s, prices, strict=True)]
        to_prices = solved(matrix, [aim + _dot(row, moves) for aim, row in zip(aims, self.rows, strict=True)])
        to_u = [move - e * _dot(column, to_prices) for move, e, column in zip(moves, eases, self.columns, strict=True)]
        changes = [
            to_u,
            [-d for d in to_u],
            [-_dot(row, to_u) for row in self.rows],
            [(product - a * d) / x - a for a, d, x in zip(lower, to_u, u, strict=True)],
            [(product + b * d) / y - b for b, d, y in zip(upper, to_u, z, strict=True)],
            to_prices,
        ]
        pairs = list(zip(self.state, changes, strict=True))
        ends = [-x / d for xs, ds in pairs for x, d in zip(xs, ds, strict=True) if d < 0.0]
        length = min(1.0, 0.995 * min(ends, default=2.0))
        self.state = [[x + length * d for x, d in zip(xs, ds, strict=True)] for xs, ds in pairs]
        return length

    def _fractions(self) -> list[float]:
        """The fractions; on a bound where next to nothing is missing to it and its multiplier holds the group there."""
        u, z, _, lower, upper, _ = self.state
        return [
            1.0 if y < _NEXT_TO and b > y else floor if x < _NEXT_TO * floor and a > x else floor + x
            for (_, floor), x, y, a, b in zip(self.laws, u, z, lower, upper, strict=True)
        ]


def _dot(terms: Terms, values: Sequence[float]) -> float:
    """A sparse row or column times a vector."""
    return sum([factor * values[at] for at, factor in terms])


def solved(matrix: list[dict[int, float]], right: list[float]) -> list[float]:
    """The solution by elimination (in place); a symmetric positive matrix, each row from its diagonal on.

    Where levels that hold the same to the same make rows alike, one is solved and the unknowns of the others are 0.
    """
    least = [1e-15 * row[level] for level, row in enumerate(matrix)]
    for level, row in enumerate(matrix):
        if row[level] < least[level]:
            row[level] = inf
        for other, value in row.items():
            if other != level:
                factor, target = value / row[level], matrix[other]
                right[other] -= factor * right[level]
                for column, its_value in row.items():
                    if column >= other:
                        target[column] = target.get(column, 0.0) - factor * its_value
    for level in reversed(range(len(matrix))):
        row = matrix[level]
        known = sum([value * right[other] for other, value in row.items() if other != level])
        right[level] = (right[level] - known) / row[level]
    return right
