"""Max-min fair shares of time over pools of different accelerators, by linear programs that HiGHS solves.

Source: Narayanan, Santhanam, Kazhamiaka, Phanishayee and Zaharia, Heterogeneity-Aware Cluster Scheduling Policies for
Deep Learning Workloads (Gavel), OSDI 2020: the max-min policy, and its water filling, so that what the worst off cannot
use goes to the next. Here gangs of one shape and weight are one row with a multiplicity: they are alike, so that some
optimum treats them alike. And here the feed may be short too. Does not decide who runs now, and where.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from topologies.plant import Shape

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult

ITERATIONS = 10_000  # of the simplex in one program: a hundred times what tens of shapes take
_TIGHT = 1e-9  # relative; what is nearer to a level than this is at it
_SLACK = 1e-6  # of a gang's time; ten times the tolerance of HiGHS
_ROUNDED = 1e-12  # a sum of parts that is one
_PRICED = 1e-6  # the least part of the level's price by which a group counts as what holds it down
_OVER_LIMIT, _INFEASIBLE = 1, 2  # statuses of scipy.optimize.linprog


class Group(NamedTuple):
    """Gangs of one shape and weight, and how many there are."""

    shape: Shape
    weight: float
    gangs: int


class Allocation(NamedTuple):
    """The shares of time of one gang of each group by pool, shape (n_groups, n_pools), and what they come to.

    levels: for each group its chips times its throughput, over that under an equal share and over its weight; zero
    where no pool that is there can hold it. first: the lowest level at which a group was held for want of chips or
    power. programs: how many were solved.
    """

    shares: NDArray[np.float64]
    levels: NDArray[np.float64]
    first: float = 0.0
    programs: int = 0


class OverLimit(Exception):  # noqa: N818  # it is raised and caught between two calls
    """A program took more iterations than it may."""


def rates(groups: Sequence[Group], chips: Sequence[int], feed_nw: int | None = None) -> NDArray[np.float64]:
    """The level that a gang of each group would have with all its time in a pool; shape (n_groups, n_pools).

    chips * throughput / (throughput under an equal share * weight), zero where it cannot run. The equal share is the
    part of each pool in the chips of all that the gang may use (the paper's X_equal; the chips are its scale factor, so
    that equal levels are equal chips times time and not equal time).
    """
    found = np.zeros((len(groups), len(chips)))
    for row, (shape, weight, _) in zip(found, groups, strict=True):
        able = [
            (pool, 1.0 / pace_s)
            for pool, pace_s, draw_nw in zip(shape.pools, shape.pace_s, shape.draw_nw, strict=True)
            if chips[pool] >= shape.chips and pace_s > 0 and (feed_nw is None or shape.chips * draw_nw <= feed_nw)
        ]
        if able:
            equal = sum([chips[pool] * speed for pool, speed in able]) / sum([chips[pool] for pool, _ in able])
            for pool, speed in able:
                row[pool] = shape.chips * speed / (equal * weight)
    return found


def allocate(
    groups: Sequence[Group],
    chips: Sequence[int],
    feed_nw: int | None = None,
    near: float = 0.0,
    iterations: int = ITERATIONS,
) -> Allocation:
    """The shares of time X whose levels are max-min fair: none can rise but at the cost of one that is as low or lower.

    Of a gang of group g in pool j, with n_g gangs of c_g chips, N_j chips in a pool and power P at the feed,

        maximise t  with  sum_j rate_gj X_gj >= t for all g,  sum_j X_gj <= 1,  X >= 0,
        sum_g n_g c_g X_gj <= N_j,  sum_gj n_g c_g draw_gj X_gj <= P

    and again for those that could have more than t, with the others at their levels, until nobody is left. chips: those
    of each pool that are there. near: a level of which the first t may be close, to look there first; it changes how
    long it takes and not what is found. OverLimit where a program takes more iterations than it may.
    """
    rate = rates(groups, chips, feed_nw)
    alone = rate.max(axis=1, initial=0.0)
    programs = _Programs(groups, rate, alone, chips, feed_nw, iterations)
    shares = _all_best(groups, rate, alone, chips)
    if programs.allow(shares):  # nobody is in anybody's way
        return Allocation(shares, alone, near)
    levels, first = np.zeros(len(groups)), 0.0
    rising = alone > 0
    while rising.any():
        shares, near, full, held = _raise(programs, alone, levels, rising, near)
        levels[full] = alone[full]
        levels[held] = near
        first = first or near
        rising &= ~(full | held)
    return Allocation(shares, levels, first, programs.solved)


def _all_best(
    groups: Sequence[Group], rate: NDArray[np.float64], alone: NDArray[np.float64], chips: Sequence[int]
) -> NDArray[np.float64]:
    """All gangs all the time in their best pools, those first that have the fewest; it may be more than there is."""
    best = (rate >= alone[:, None] * (1 - _TIGHT)) & (rate > 0)
    shares, left = np.zeros_like(rate), np.array(chips, np.float64)
    for at in np.argsort(best.sum(axis=1), kind="stable"):
        wanted = groups[at].gangs * groups[at].shape.chips
        pools = np.flatnonzero(best[at])
        for pool in pools:
            part = min(1.0 - shares[at].sum(), left[pool] / wanted)
            shares[at, pool] = part
            left[pool] -= part * wanted
        if len(pools):
            shares[at, pools[-1]] += 1.0 - shares[at].sum()
    return shares


def _raise(
    programs: "_Programs",
    alone: NDArray[np.float64],
    levels: NDArray[np.float64],
    rising: NDArray[np.bool_],
    near: float,
) -> tuple[NDArray[np.float64], float, NDArray[np.bool_], NDArray[np.bool_]]:
    """The highest common level of the groups that rise, those that run all the time below it, and those held at it.

    A gang that runs all the time in its best pool can rise no more, which is so for small ones long before it is for
    large ones. One program for each would be many: how many groups do so is looked for by halving instead.
    """
    order = np.flatnonzero(rising)
    order = order[np.argsort(alone[order], kind="stable")]
    tops = alone[order]
    few, many = 0, len(order)  # of them so many at least, and at most, run all the time
    count = min(int(np.searchsorted(tops, near * (1 + _TIGHT), side="right")), many)
    kept: tuple[NDArray[np.float64], float, NDArray[np.bool_], NDArray[np.bool_]] | None = None
    while few <= many or kept is None:  # rounding may let them cross
        full = np.zeros(len(alone), np.bool_)
        full[order[:count]] = True
        found = programs.solve(np.where(full, alone, levels), rising & ~full)
        if found is None and not count:  # what was possible is, but for rounding
            found = programs.solve(np.where(full, alone, levels), rising & ~full, _SLACK)
        if found is None and not count:
            raise RuntimeError("max-min: what was found to be possible no longer is")
        if found is None or (count and found[1] < tops[count - 1] * (1 - _TIGHT)):
            many = count - 1
        else:
            kept = (found[0], found[1], full, found[2])
            if count == len(order) or found[1] < tops[count] * (1 - _TIGHT):
                break
            few = count + 1
        count = max(0, (few + many + 1) // 2)
    return kept


class _Programs:
    """The programs of one allocation: they differ in whose level is to rise only.

    The variables are X by group and pool where a gang can run, then the level. Rows are scaled by what they can come
    to, so that one tolerance suits all, and the level is in units of the smallest of those that the groups that are to
    rise have with all their time: HiGHS drops factors of 1e-9 or less, and of these one at least must bound the level.
    """

    def __init__(
        self,
        groups: Sequence[Group],
        rate: NDArray[np.float64],
        alone: NDArray[np.float64],
        chips: Sequence[int],
        feed_nw: int | None,
        iterations: int,
    ) -> None:
        self.solved = 0
        self._iterations = iterations
        self._alone = alone
        self._rows, self._pools = np.nonzero(rate)
        self._shape = rate.shape
        self._rate = rate[self._rows, self._pools]
        count, columns = len(self._rows), np.arange(len(self._rows))
        held = np.array([float(gangs * shape.chips) for shape, _, gangs in groups])[self._rows]
        time = np.zeros((len(groups), count))
        time[self._rows, columns] = 1.0
        use = [np.where(self._pools == pool, held / there, 0.0) for pool, there in enumerate(chips) if there]
        if feed_nw:
            draw = np.zeros(rate.shape)
            for row, (shape, _, _) in zip(draw, groups, strict=True):
                row[list(shape.pools)] = shape.draw_nw
            use.append(held * draw[self._rows, self._pools] / feed_nw)
        self._limits = np.vstack([time, *use])
        self._level = np.zeros((len(groups), count))  # of each group, in parts of what it has with all its time
        self._level[self._rows, columns] = self._rate / alone[self._rows]

    def allow(self, shares: NDArray[np.float64]) -> bool:
        """Whether shares keep all limits."""
        return bool((self._limits @ shares[self._rows, self._pools] <= 1.0 + _ROUNDED).all())

    def solve(
        self, least: NDArray[np.float64], rising: NDArray[np.bool_], slack: float = 0.0
    ) -> tuple[NDArray[np.float64], float, NDArray[np.bool_]] | None:
        """The highest common level of those that rise, with the others at least at theirs; None where these cannot be.

        slack: the part of a gang's time by which its level may be missed. Also the shares, and whom of those
        that rise the level cannot leave behind: their rows have a price. Without anybody who rises the shares
        alone.
        """
        from scipy.optimize import linprog  # takes 0.4 s to import

        ours = np.flatnonzero(self._alone > 0)
        climb = rising[ours]
        alone, count = self._alone[ours], self._limits.shape[1]
        levels = np.zeros((len(ours), count + 1))
        levels[:, :-1] = -self._level[ours]
        unit = float(alone[climb].min()) if climb.any() else 1.0
        levels[climb, -1] = unit / alone[climb]
        limits = np.hstack([self._limits, np.zeros((len(self._limits), 1))])
        bounds = np.concatenate([np.where(climb, 0.0, slack - least[ours] / alone), np.ones(len(limits))])
        aim = np.zeros(count + 1)
        aim[-1] = -1.0 if climb.any() else 0.0
        options = {"maxiter": self._iterations}
        self.solved += 1
        result: OptimizeResult = linprog(aim, np.vstack([levels, limits]), bounds, method="highs-ds", options=options)
        if result.status == _INFEASIBLE:
            return None
        if result.status == _OVER_LIMIT:
            raise OverLimit
        if result.status:
            raise RuntimeError(f"max-min: {result.message}")
        shares = np.zeros(self._shape)
        shares[self._rows, self._pools] = np.clip(result.x[:-1], 0.0, 1.0)
        # the prices of the common level, per unit of it: they add up to one
        prices = -result.ineqlin.marginals[: len(ours)] * levels[:, -1]
        held = np.zeros(len(self._alone), np.bool_)
        held[ours[climb & (prices > _PRICED)]] = True
        return shares, float(result.x[-1]) * unit, held
