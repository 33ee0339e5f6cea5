"""The Pareto front of a sweep: the points that no other beats in one metric without losing in the other.

The front is that of the means. A point whose interval reaches the front may belong to it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from outputs.better import more_is_better
from outputs.comparison import Compared, Comparison
from outputs.points import Point
from outputs.sweep_folder import Sweep
from scenarios.errors import ScenarioError, unknown

_OPTION = "--pareto"
LEAST_POINTS = 3  # with two there is nothing to see that the table does not say


@dataclass(frozen=True, slots=True)
class Goals:
    """Two metrics, and whether more of each is better."""

    metrics: tuple[str, str]
    more: tuple[bool, bool]


@dataclass(frozen=True, slots=True)
class Front:
    """The points that have both metrics, and which of them nobody beats, in the order of the first metric."""

    goals: Goals
    pairs: Sequence[tuple[Compared, Compared]]
    members: Sequence[tuple[Compared, Compared]]

    @property
    def points(self) -> list[Point]:
        """The members."""
        return [one.point for one, _ in self.members]


def goals_of(sweep: Sweep, text: str | None, metrics: Sequence[str]) -> Goals | None:
    """What --pareto X,Y asks for, else two of the metrics; None where fewer than two tell which way is better.

    X is drawn to the right, Y upwards. A sign says which way is better: +X more, -X less.
    """
    if text is not None:
        return _asked_for(sweep, text)
    known = [(metric, more) for metric in metrics if (more := more_is_better(metric)) is not None]
    if len(known) < 2:
        return None
    first = known[0]
    other = next((one for one in known[1:] if one[1] is not first[1]), known[1])
    right, up = (first, other) if other[1] and not first[1] else (other, first)
    return Goals((right[0], up[0]), (right[1], up[1]))


def _asked_for(sweep: Sweep, text: str) -> Goals:
    where = f"{_OPTION} {text}"
    names = [part.strip() for part in text.split(",")]
    if len(names) != 2:
        raise ScenarioError("allowed: two metrics, such as feed_energy_j,trained_tokens", where)
    found = [_goal(name, sweep, where) for name in names]
    (right, right_more), (up, up_more) = found
    if right == up:
        raise ScenarioError("allowed: two different metrics", where)
    return Goals((right, up), (right_more, up_more))


def _goal(name: str, sweep: Sweep, where: str) -> tuple[str, bool]:
    sign, name = (name[0], name[1:]) if name[:1] in ("+", "-") else ("", name)
    if name not in sweep.all_metrics:
        raise ScenarioError(unknown("metric", name, sweep.all_metrics), where)
    more = more_is_better(name) if not sign else sign == "+"
    if more is None:
        raise ScenarioError(f"whether more or less of {name} is better cannot be told: write +{name} or -{name}", where)
    return name, more


def front_of(compared: Comparison, goals: Goals) -> Front:
    """The front; points without one of the metrics are left out."""
    both = list(zip(*(compared.of(metric) for metric in goals.metrics), strict=True))
    pairs = [(one, two) for one, two in both if one.estimate.count and two.estimate.count]
    costs = [_costs(pair, goals) for pair in pairs]
    members: list[int] = []
    best = math.inf
    ordered = sorted(range(len(pairs)), key=lambda at: costs[at])
    for at in ordered:
        x, y = costs[at]
        if y < best or (members and costs[members[-1]] == (x, y)):  # equals beat nobody
            members.append(at)
            best = y
    return Front(goals, pairs, [pairs[at] for at in members])


def _costs(pair: tuple[Compared, Compared], goals: Goals) -> tuple[float, float]:
    """Both means as costs: less is better."""
    x, y = ((one.estimate.mean or 0.0) * (-1 if more else 1) for one, more in zip(pair, goals.more, strict=True))
    return x, y
