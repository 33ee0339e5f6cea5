"""Whether running jobs are stopped again and again and nobody gets on: what no later stop will change."""

from collections import Counter
from collections.abc import Iterable

from sim.gangs import Gang

STOPS_A_JOB = 100


class Standstill:
    """The stops in a row that kept no work, while nobody ended.

    lasts: so many that each of the jobs that take turns has been stopped a hundred times for nothing, and each that
    runs now at least half as often, so that none of them simply goes on.
    """

    __slots__ = ("_by_row", "lasts", "stops")

    def __init__(self) -> None:
        self.stops = 0
        self.lasts = False
        self._by_row: Counter[int] = Counter()

    @property
    def jobs(self) -> int:
        """How many jobs have been stopped."""
        return len(self._by_row)

    def get_on(self) -> None:
        """Somebody has kept some work, or has ended."""
        if self.stops:
            self.stops, self.lasts = 0, False
            self._by_row.clear()

    def stop(self, row: int, running: Iterable[Gang]) -> None:
        """A job was stopped and has kept no work. running: the gangs that run on."""
        self.stops += 1
        self._by_row[row] += 1
        self.lasts = self.stops >= STOPS_A_JOB * len(self._by_row) and all(
            2 * self._by_row[gang.run.row] >= STOPS_A_JOB for gang in running
        )
