"""A quantity that changes in steps over future time: how much of it is free, and when enough of it stays free."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from scenarios.instants import instant


class Steps:
    """A whole number as a function of time: values[i] from times[i] on to the next, the last one for good."""

    __slots__ = ("times", "values")

    def __init__(self, now_s: float, value: int, changes: Iterable[tuple[float, int]] = ()) -> None:
        """The value now, and (time [s], by how much it changes) rising in time, none of them before now."""
        times, values = [now_s], [value]
        for time_s, by in changes:
            value += by
            if time_s == times[-1]:
                values[-1] = value
            else:
                times.append(time_s)
                values.append(value)
        self.times = times
        self.values = values

    def copy(self) -> "Steps":
        """The same steps, to be changed alone."""
        twin: Steps = object.__new__(Steps)
        twin.times = self.times[:]
        twin.values = self.values[:]
        return twin

    def changed(self, changes: list[tuple[float, int]]) -> "Steps":
        """Steps of their own with more changes, in any order, none of them before the first."""
        values = self.values
        own = [
            (time_s, after - before) for time_s, before, after in zip(self.times[1:], values, values[1:], strict=False)
        ]
        return Steps(self.times[0], values[0], sorted(own + changes))

    def add(self, start_s: float, end_s: float, by: int) -> None:
        """Change the value between two times, none of them before the first."""
        times, values = self.times, self.values
        first = bisect_left(times, start_s)
        if first == len(times) or times[first] != start_s:
            times.insert(first, start_s)
            values.insert(first, values[first - 1])
        last = bisect_left(times, end_s, first)
        if last == len(times) or times[last] != end_s:
            times.insert(last, end_s)
            values.insert(last, values[last - 1])
        for at in range(first, last):
            values[at] += by

    def least(self, start_s: float, end_s: float) -> int:
        """What is there all the time between two times, the first not before the first step."""
        times = self.times
        first = bisect_right(times, start_s) - 1
        return min(self.values[first : bisect_left(times, end_s, first + 1)])

    def first(self, need: int, length_s: float, after_s: float, before_s: float, known_s: float = math.inf) -> float:
        """The earliest time from after_s on at which so much is there, and stays so long; infinite if not before_s.

        From known_s on there is enough, whatever the steps say.
        """
        times, values = self.times, self.values
        count = len(times)
        at = bisect_right(times, after_s) - 1
        start_s = after_s
        while start_s < before_s:
            if values[at] >= need:
                end_s = min(instant(start_s + length_s), known_s)
                at += 1
                while at < count and times[at] < end_s and values[at] >= need:
                    at += 1
                if at == count or times[at] >= end_s:
                    return start_s
            at += 1
            while at < count and values[at] < need:
                at += 1
            if at == count:
                return math.inf
            start_s = times[at]
        return math.inf
