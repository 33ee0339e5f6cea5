"""What quotas will leave over future time, with running and promised gangs until their planned ends."""

from collections.abc import Iterable, Sequence

from policies.quotas import Quotas
from policies.steps import Steps
from policies.view import Release
from topologies.plant import Shape


class QuotaFutures:
    """The use of quotas from a pass on. What is lent by one member and what is left to others are no sums of gangs.

    So the room under a quota is worked out when somebody asks, and kept until a gang of its cohort is added.
    """

    __slots__ = ("_changes", "_now_s", "_quotas", "_rooms")

    def __init__(self, now_s: float, quotas: Quotas, running: Sequence[Iterable[Release]]) -> None:
        """What is in use now, and the running gangs by pool, which end later."""
        self._now_s = now_s
        self._quotas = quotas.ahead()
        self._changes: dict[tuple[int, int], dict[tuple[float, int], int]] = {}  # by cohort and pool: (time, quota)
        self._rooms: dict[tuple[int, int], dict[int, Steps]] = {}  # by cohort and pool, by quota
        for pool, runs in enumerate(running):
            for run in runs:
                quota = quotas.holders.get(run.row, -1)
                if quota >= 0:
                    self._change(quota, pool, run.planned_end_s, -run.chips)

    def copy(self) -> "QuotaFutures":
        """The same, to be changed alone."""
        twin: QuotaFutures = object.__new__(QuotaFutures)
        twin._now_s, twin._quotas = self._now_s, self._quotas
        twin._changes = {key: changes.copy() for key, changes in self._changes.items()}
        twin._rooms = {key: rooms.copy() for key, rooms in self._rooms.items()}
        return twin

    def add(self, shape: Shape, pool: int, start_s: float, end_s: float, gangs: int = 1) -> None:
        """A gang holds its quota between two times; -1: it does not any more."""
        if shape.quota >= 0:
            self._change(shape.quota, pool, start_s, gangs * shape.chips)
            self._change(shape.quota, pool, end_s, -gangs * shape.chips)

    def room(self, quota: int, pool: int) -> Steps:
        """Chips of a pool that more gangs under a quota may hold, over time; to be read only."""
        cohort = self._quotas.rules[quota].cohort
        rooms = self._rooms.setdefault((cohort, pool), {})
        if quota not in rooms:
            left = self._quotas.ahead()
            now = room = left.room(quota, pool)
            steps = []
            for (time_s, who), chips in sorted(self._changes.get((cohort, pool), {}).items()):
                left.take(who, pool, chips)
                before, room = room, left.room(quota, pool)
                steps.append((time_s, room - before))
            rooms[quota] = Steps(self._now_s, now, steps)
        return rooms[quota]

    def _change(self, quota: int, pool: int, time_s: float, chips: int) -> None:
        key = (self._quotas.rules[quota].cohort, pool)
        changes = self._changes.setdefault(key, {})
        changes[time_s, quota] = changes.get((time_s, quota), 0) + chips
        self._rooms.pop(key, None)
