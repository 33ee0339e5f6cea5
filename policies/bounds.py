"""What a waiting job could sit on at most, kept from pass to pass, so that a claim without hope costs next to nothing.

Where thousands wait, nearly all claims fail: not even all gangs that would yield to the job make a place for it. To
find that anew, the chips of each of them are given back to a copy of the index, in every pass.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from heapq import heappop, heappush
from typing import TypeAlias

from policies.claim import Stoppable
from policies.placement import Placer
from policies.queue import Value
from policies.trial import seat_of
from policies.view import Release
from scenarios.instants import instant
from topologies.free import FreeChips
from topologies.plant import Shape

Rank: TypeAlias = tuple[Value, ...]
"""The lowest rank keeps its chips longest; whoever waits takes chips only from ranks strictly above its own."""
MOST = 16  # shapes whose first job has a bound; each costs a microsecond or two at every start and end


class Bound:
    """What is free after the stops under way, and the chips of the gangs that may be stopped for a job, by pool.

    Ranks of gangs must never rise: one that yields no more makes it too large until it is settled, never too small.
    """

    __slots__ = ("_free", "_rank", "_ripening", "_unripe", "_yielding")

    def __init__(self, shape: Shape, rank: Rank, free: Sequence[FreeChips]) -> None:
        self._rank = rank
        self._free = {pool: free[pool].copy() for pool in shape.pools}
        self._yielding: dict[int, Release] = {}  # by row; their chips count as free
        self._unripe: dict[int, Release] = {}  # those that yield too, but keep their chips for their minimum run time
        self._ripening: list[tuple[float, Release]] = []  # a heap

    def start(self, run: Release, rank: Rank, ripe_s: float) -> None:
        """A gang starts on chips that were free."""
        if run.pool in self._free:
            self._free[run.pool].take(run.placement)
            self.hold(run, rank, ripe_s)

    def hold(self, run: Release, rank: Rank, ripe_s: float) -> None:
        """A gang has chips that do not count as free."""
        if run.pool in self._free and rank > self._rank:
            self._unripe[run.row] = run
            heappush(self._ripening, (ripe_s, run))

    def leave(self, run: Release) -> None:
        """A gang leaves its chips, or will."""
        if run.pool in self._free and self._yielding.pop(run.row, None) is None:
            self._unripe.pop(run.row, None)
            self._free[run.pool].give(run.placement)

    def plan(self, run: Release) -> None:
        """Chips are kept for a gang that will start."""
        if run.pool in self._free:
            self._free[run.pool].take(run.placement)

    def covers(self, rank: Rank) -> bool:
        """Whether all that yield to a job of a rank are among those that are kept here."""
        return self._rank <= rank

    def settle(self, rank: Rank, ranks: Mapping[int, Rank]) -> None:
        """Leave out who does not yield to a job of a rank that is covered, by the newest ranks that are known."""
        self._rank = rank
        for row in [row for row in self._yielding if not ranks[row] > self._rank]:
            run = self._yielding.pop(row)
            self._free[run.pool].take(run.placement)
        for row in [row for row in self._unripe if not ranks[row] > self._rank]:
            del self._unripe[row]

    def ripens_s(self, now_s: float) -> float:
        """When the next gang may be stopped; those that may be by now count as free from here on."""
        while self._ripening:
            ripe_s, run = self._ripening[0]
            if self._unripe.get(run.row) is run:
                if ripe_s > now_s:
                    return ripe_s
                self._yielding[run.row] = self._unripe.pop(run.row)
                self._free[run.pool].give(run.placement)
            heappop(self._ripening)
        return math.inf

    def has_seat(self, shape: Shape, placer: Placer) -> bool:
        """Whether a gang would have a seat, power and quotas apart."""
        return any(seat_of(free, placer, shape) is not None for free in self._free.values())


class Bounds:
    """The bounds of the jobs whose claims failed last, one a shape. Whoever comes later in the order has no more hope.

    Claims count as soon as they are made: their gangs have gone, and chips are kept for those that they are for.
    """

    __slots__ = ("_by_shape", "_going", "_min_run_s", "_planned")

    def __init__(self, min_run_s: float) -> None:
        self._by_shape: dict[Shape, Bound] = {}
        self._min_run_s = min_run_s
        self._going: set[int] = set()  # rows
        self._planned: dict[int, Release] = {}  # by row

    def start(self, gang: Stoppable, rank: Rank) -> None:
        """A gang starts."""
        run, ripe_s = gang.run, instant(gang.from_s + self._min_run_s)
        planned = self._planned.pop(run.row, None) is not None
        for bound in self._by_shape.values():
            if planned:
                bound.hold(run, rank, ripe_s)
            else:
                bound.start(run, rank, ripe_s)

    def leave(self, run: Release) -> None:
        """A gang ends or has been stopped."""
        if run.row in self._going:
            self._going.remove(run.row)
            return
        for bound in self._by_shape.values():
            bound.leave(run)

    def claim(self, stops: Iterable[Release], starts: Iterable[Release]) -> None:
        """Gangs will stop so that others can start."""
        for run in stops:
            self.leave(run)
            self._going.add(run.row)
        for run in starts:
            self._planned[run.row] = run
            for bound in self._by_shape.values():
                bound.plan(run)

    def drop(self, row: int) -> None:
        """A gang that was planned does not start, if it has not."""
        run = self._planned.pop(row, None)
        if run is not None:
            for bound in self._by_shape.values():
                bound.leave(run)

    def clear(self) -> None:
        """Chips came or went otherwise than by gangs."""
        self._by_shape.clear()

    def exclude(self, shape: Shape, rank: Rank, placer: Placer, now_s: float) -> float | None:
        """When to look again at a job that certainly has no seat although all gangs went that may be stopped for it.

        Of its shape and rank; None where that is not certain.
        """
        bound = self._by_shape.get(shape)
        if bound is None or not bound.covers(rank):
            return None
        ripens_s = bound.ripens_s(now_s)
        return None if bound.has_seat(shape, placer) else ripens_s

    def failed(
        self,
        shape: Shape,
        rank: Rank,
        free: Sequence[FreeChips],
        above: Iterable[tuple[Rank, Stoppable]],
        ranks: Mapping[int, Rank],
    ) -> None:
        """Remember a job whose claim failed.

        free: by pool, when the stops under way are over. above: the gangs above its rank. ranks: of all running gangs,
        by row, the newest for those above.
        """
        bound = self._by_shape.pop(shape, None)
        if bound is None or not bound.covers(rank):
            bound = Bound(shape, rank, free)
            for above_rank, gang in above:
                if not gang.stopping:
                    bound.hold(gang.run, above_rank, instant(gang.from_s + self._min_run_s))
        else:
            bound.settle(rank, ranks)
        if len(self._by_shape) == MOST:
            del self._by_shape[next(iter(self._by_shape))]  # that of the shape that failed longest ago
        self._by_shape[shape] = bound
