"""Which parameters of a sweep make the axes of a picture: those that are numbers, on a grid or scattered."""

from collections.abc import Sequence
from dataclasses import dataclass

from outputs.points import Point, Points, Value


@dataclass(frozen=True, slots=True)
class SweepAxes:
    """The varied parameters by their number."""

    numbers: tuple[int, ...]  # those with most values first
    others: tuple[int, ...]
    scattered: bool  # samples of several numbers, such as a Latin hypercube, and no grid of them


def axes_of(points: Points, varied: Sequence[int]) -> SweepAxes:
    """The axes that a sweep offers."""
    counts = {at: len(points.values_of(at)) for at in varied if points.is_number(at)}
    numbers = tuple(sorted(counts, key=lambda at: (-counts[at], at)))
    others = tuple(at for at in varied if at not in counts)
    cells = 1
    for count in counts.values():
        cells *= count
    there = len({tuple(point.values[at] for at in numbers) for point in points.all})
    return SweepAxes(numbers, others, len(numbers) > 1 and 2 * there < cells)


def grouped(points: Sequence[Point], parameters: Sequence[int]) -> dict[tuple[Value, ...], list[Point]]:
    """Points by their values of some parameters, in the order in which they come."""
    groups: dict[tuple[Value, ...], list[Point]] = {}
    for point in points:
        groups.setdefault(tuple(point.values[at] for at in parameters), []).append(point)
    return groups


def number(value: Value) -> float:
    """The value of a parameter that is a number; nan where a joined sweep has none."""
    return float("nan") if value is None else float(value)
