"""Which points of a sweep are shown where there is no room for all."""

from collections.abc import Sequence
from dataclasses import dataclass

from outputs.better import more_is_better
from outputs.comparison import Comparison
from outputs.points import Point

_MOST, _BEST, _WORST = 40, 20, 5


@dataclass(frozen=True, slots=True)
class Selection:
    """The points that are shown: all, or of many the best and the worst by a metric."""

    points: Sequence[Point]
    left_out_after: int | None  # how many are shown before those left out
    left_out: int


def select(compared: Comparison, metric: str) -> Selection:
    """Every point, or of many the best and the worst by a metric; highest first where neither more nor less is better.

    Of many those without the metric are left out.
    """
    every = compared.points.all
    if len(every) <= _MOST:
        return Selection(every, None, 0)
    sign = 1 if more_is_better(metric) is False else -1
    known = [one for one in compared.of(metric) if one.estimate.mean is not None]
    ordered = [one.point for one in sorted(known, key=lambda one: sign * (one.estimate.mean or 0.0))]
    if len(ordered) > _BEST + _WORST:
        ordered = [*ordered[:_BEST], *ordered[-_WORST:]]
    return Selection(ordered, min(_BEST, len(ordered)), len(every) - len(ordered))
