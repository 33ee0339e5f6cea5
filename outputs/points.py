"""The points of a sweep: its runs by their parameters, in the order of the table of runs."""

from dataclasses import dataclass

from outputs.sweep_folder import DONE, Sweep

Value = str | float | bool | None  # of a parameter; None in a sweep that has no such parameter


@dataclass(frozen=True, slots=True)
class Point:
    """The runs that differ by their seed alone."""

    values: tuple[Value, ...]  # of the sweep's parameters
    rows: tuple[int, ...]  # of its runs that are done
    failed: int


class Points:
    """A sweep by points, with the metrics of their runs by seed."""

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self._seeds: list[int] = sweep.runs["seed"].to_list()
        self._columns: dict[str, list[float | None]] = {}
        rows: dict[tuple[Value, ...], list[int]] = {}
        failed: dict[tuple[Value, ...], int] = {}
        statuses = sweep.runs["status"].to_list()
        for at, values in enumerate(self._parameters()):
            done = rows.setdefault(values, [])
            if statuses[at] == DONE:
                done.append(at)
            else:
                failed[values] = failed.get(values, 0) + 1
        self.all = [Point(values, tuple(done), failed.get(values, 0)) for values, done in rows.items()]

    def _parameters(self) -> list[tuple[Value, ...]]:
        names = list(self.sweep.parameters)
        return self.sweep.runs.select(names).rows() if names else [()] * self.sweep.runs.height

    def by_seed(self, point: Point, metric: str) -> dict[int, float]:
        """A metric of the point's runs that are done and have it, by their seed."""
        if metric not in self._columns:
            self._columns[metric] = self.sweep.runs[metric].to_list()
        column = self._columns[metric]
        found = ((self._seeds[at], column[at]) for at in point.rows)
        return {seed: float(value) for seed, value in found if value is not None}

    def values_of(self, parameter: int) -> list[Value]:
        """The different values of a parameter, as they come."""
        return list(dict.fromkeys(point.values[parameter] for point in self.all))

    def is_number(self, parameter: int) -> bool:
        """Whether the values of a parameter are numbers."""
        return self.sweep.runs[self.sweep.parameters[parameter]].dtype.is_numeric()


def value_text(value: Value) -> str:
    """A value as it is written on the command line: numbers so that they read back, without a useless ".0"."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)
