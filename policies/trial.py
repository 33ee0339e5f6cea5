"""Free chips to try decisions on: a pass plans its starts here, the real ones stay as they are."""

from collections.abc import Sequence

from policies.placement import Placer
from policies.queue import QueuedJob, Shape
from policies.view import FRAGMENTED, HELD, NO_ROOM, Blocked, Start
from topologies.free import FreeChips, Placement


class Trial:
    """The free chips of all pools less the starts planned so far; a pool is copied when it must change."""

    __slots__ = ("_free", "_own", "_pending", "_place", "placer", "starts")

    def __init__(self, free: Sequence[FreeChips], placer: Placer) -> None:
        self.placer = placer
        self._place = placer.place
        self.starts: list[Start] = []
        self._free = list(free)
        self._own = [False] * len(free)
        self._pending: Start | None = None

    def free(self, pool: int) -> FreeChips:
        """The free chips of a pool after the planned starts; to be read only."""
        if self._pending is not None:
            self._settle(self._pending)
        return self._free[pool]

    def find(self, shape: Shape) -> tuple[int, Placement] | None:
        """The first pool that has a placement for a gang, and the placement."""
        if self._pending is not None:
            self._settle(self._pending)
        for pool in shape.pools:
            free = self._free[pool]
            if free.free >= shape.chips:
                placement = self._place(free, shape.chips, 0)
                if placement is not None:
                    return pool, placement
        return None

    def start(self, job: QueuedJob, pool: int, placement: Placement) -> None:
        """Plan a start. The chips are taken when somebody looks again, which after the last start is never."""
        if self._pending is not None:
            self._settle(self._pending)
        self._pending = Start(job, pool, placement)
        self.starts.append(self._pending)

    def reason(self, shape: Shape) -> str:
        """Why a gang that found no place has none."""
        room = any(self.free(pool).free >= shape.chips for pool in shape.pools)
        return FRAGMENTED if room else NO_ROOM

    def reasons(self, blocked: Blocked) -> Blocked:
        """Why shapes are blocked after all planned starts; a start may have taken the chips they were held for."""
        if not self.starts:
            return blocked
        return {
            shape: reason if reason is HELD and self.find(shape) is not None else self.reason(shape)
            for shape, reason in blocked.items()
        }

    def _settle(self, start: Start) -> None:
        self._pending = None
        if not self._own[start.pool]:
            self._own[start.pool] = True
            self._free[start.pool] = self._free[start.pool].copy()
        self._free[start.pool].take(start.placement)
