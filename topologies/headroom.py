"""The power left under the feed and the levels below it, in whole nanowatts of IT draw."""

from array import array
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from topologies.free import Placement, domain_bits
from topologies.limits import Limit

UNLIMITED_NW = 1 << 100
_NEVER_FULL_NW = (1 << 63) - 1


class Headroom:
    """What may still be drawn under the feed and each lower level that can bind; like FreeChips it takes and gives."""

    __slots__ = ("_spare_nw", "_tree", "bound_below", "capped", "feed_nw")

    def __init__(self, feed_nw: int | None, limits: Sequence[Limit]) -> None:
        self.feed_nw = UNLIMITED_NW if feed_nw is None else feed_nw
        self.bound_below = bool(limits)  # a level below the feed can bind
        self.capped = feed_nw is not None or self.bound_below  # else nobody needs to take or give
        self._spare_nw = array("q", [*[limit.spare_nw for limit in limits], _NEVER_FULL_NW])
        self._tree = _Tree.of(limits)

    @property
    def spare_nw(self) -> list[int]:
        """The power left under each limit, in their order."""
        return self._spare_nw[:-1].tolist()

    def copy(self) -> "Headroom":
        """A headroom of its own with the same draws."""
        twin = Headroom.__new__(Headroom)
        twin.feed_nw = self.feed_nw
        twin.bound_below = self.bound_below
        twin.capped = self.capped
        twin._spare_nw = self._spare_nw[:]
        twin._tree = self._tree
        return twin

    def least(self, other: "Headroom") -> "Headroom":
        """What both of two headrooms of one plant leave: the smaller power left at the feed and at every level."""
        twin = self.copy()
        twin.feed_nw = min(self.feed_nw, other.feed_nw)
        np.minimum(_numbers(self._spare_nw), _numbers(other._spare_nw), out=_numbers(twin._spare_nw))
        return twin

    def above(self, pool: int, placement: Placement) -> dict[int, int]:
        """The limits that a placement lies under, by position, rising, and how many of its chips do."""
        above, found = self._tree.above[pool], dict[int, int]()
        for domain, chips in placement:
            for at in above.get(domain, ()):
                found[at] = found.get(at, 0) + chips
        return dict(sorted(found.items()))

    def full_domains(self, pool: int, chips: int, draw_nw: int) -> int:
        """The domains of a pool under levels that have no power left for so many more busy chips, as bits."""
        if not self.bound_below:
            return 0
        full = _numbers(self._spare_nw) < chips * draw_nw
        return self._tree.domains_under(pool, full) if np.count_nonzero(full) else 0

    def overdrawn(self, pool: int, placement: Placement, draw_nw: int) -> int:
        """The domains, as bits, to keep out of so that no level is overdrawn; 0 where a placement fits.

        The placement may keep, in its own order, each domain that all levels above have power for. It keeps out of
        the others, and of what else is under a level that had too little.
        """
        if not self.bound_below:
            return 0
        above, left_nw = self._tree.above[pool], self._spare_nw[:]
        short, out = set(), []
        for domain, chips in placement:
            levels, need_nw = above.get(domain, ()), chips * draw_nw
            for at in levels:
                if left_nw[at] < need_nw:
                    short.add(at)
                    out.append((domain, chips))
                    break
            else:
                for at in levels:
                    left_nw[at] -= need_nw
        return self._tree.domains_of(pool, short) & ~domain_bits(placement) | domain_bits(tuple(out)) if out else 0

    def bears(self, pool: int, domain: int, draw_nw: int) -> bool:
        """Whether every level above a domain has so much left."""
        return all(self._spare_nw[at] >= draw_nw for at in self._tree.above[pool].get(domain, ()))

    def bearable(self, pool: int, free: Sequence[int], draw_nw: int) -> int:
        """How many of a pool's free chips, given by domain, could draw so much at once under the levels below the feed.

        Level by level from the finest: each bears min(chips below it, power left / draw), and the levels nest.
        """
        chips = np.array(free, np.float64)
        if self.bound_below and draw_nw > 0:
            able = np.maximum(_numbers(self._spare_nw) // draw_nw, 0)
            for row in self._tree.nested(pool):
                under = chips[: len(row)]  # domains after the last one that a level is above have none
                below = np.bincount(row, under, len(able))
                under *= np.divide(np.minimum(below, able), below, where=below > 0, out=np.zeros(len(able)))[row]
        return round(float(chips.sum()))

    def take(self, pool: int, placement: Placement, draw_nw: int) -> None:
        """Draw for a gang."""
        self._change(pool, placement, -draw_nw)

    def give(self, pool: int, placement: Placement, draw_nw: int) -> None:
        """Stop drawing for a gang."""
        self._change(pool, placement, draw_nw)

    def _change(self, pool: int, placement: Placement, by_nw: int) -> None:
        self.feed_nw += by_nw * sum([chips for _, chips in placement])
        if not self.bound_below:
            return
        above, spare_nw = self._tree.above[pool], self._spare_nw
        for domain, chips in placement:
            for at in above.get(domain, ()):
                spare_nw[at] += by_nw * chips


class _Tree:
    """Which limits are above each domain. It never changes: all headrooms of a plant share one."""

    __slots__ = ("_nested", "_rows", "above", "limits")
    _newest: ClassVar["_Tree | None"] = None

    def __init__(self, limits: Sequence[Limit]) -> None:
        self.limits = limits
        pools = range(len(limits[0].domains) if limits else 0)
        self._rows = [_rows([limit.domains[pool] for limit in limits]) for pool in pools]
        self._nested: list[list[NDArray[np.intp]] | None] = [None for _ in pools]
        self.above = [
            {domain: tuple([at for at in column if at < len(limits)]) for domain, column in enumerate(rows.T.tolist())}
            for rows in self._rows
        ]

    @classmethod
    def of(cls, limits: Sequence[Limit]) -> "_Tree":
        """The tree of these limits, kept for the next headroom of the same plant: thousands take a while to look at."""
        newest = cls._newest
        if newest is None or newest.limits is not limits:
            newest = cls._newest = cls(limits)
        return newest

    def nested(self, pool: int) -> list[NDArray[np.intp]]:
        """The limits above each domain of a pool again, so that each limit is in one row only, the finest first."""
        found, rows = self._nested[pool], self._rows[pool]
        if found is None:
            rank = np.zeros(len(self.limits) + 1, np.intp)
            for of in self._rows:
                for depth, row in enumerate(of):
                    rank[row] = np.maximum(rank[row], depth)
            found = [np.full(rows.shape[1], len(self.limits), np.intp) for _ in range(int(rank.max()) + 1)]
            for row in rows:
                for depth, nested in enumerate(found):
                    here = (rank[row] == depth) & (row < len(self.limits))
                    nested[here] = row[here]
            self._nested[pool] = found
        return found

    def domains_of(self, pool: int, limits: set[int]) -> int:
        """The domains of a pool under a few limits, as bits."""
        bits = 0
        for at in limits:
            bits |= self.limits[at].domains[pool]
        return bits

    def domains_under(self, pool: int, chosen: NDArray[np.bool_]) -> int:
        """The domains of a pool under the limits that are chosen by a flag each, and a last one that is not set."""
        first, *others = self._rows[pool]
        hit = chosen.take(first)
        for row in others:
            hit |= chosen.take(row)
        return int.from_bytes(np.packbits(hit, bitorder="little").tobytes(), "little")


def _rows(masks: Sequence[int]) -> NDArray[np.intp]:
    """The limits above each domain, in as many rows as there are levels; where there are fewer, the count of limits."""
    below = [_positions(mask) for mask in masks]
    depth = np.bincount(np.concatenate(below))
    rows = np.full((depth.max(initial=1), len(depth)), len(masks), np.intp)
    filled = np.zeros(len(depth), np.intp)
    for at, domains in enumerate(below):
        rows[filled[domains], domains] = at
        filled[domains] += 1
    return rows


def _positions(mask: int) -> NDArray[np.intp]:
    """Where a mask has its bits."""
    first = max(0, (mask & -mask).bit_length() - 1)  # a rack's few bits lie anywhere in a long row
    mask >>= first
    flags = np.frombuffer(mask.to_bytes(mask.bit_length() // 8 + 1, "little"), np.uint8)
    return np.flatnonzero(np.unpackbits(flags, bitorder="little")) + first


def _numbers(spare_nw: "array[int]") -> NDArray[np.int64]:
    """The same numbers for numpy, not copied."""
    return np.frombuffer(spare_nw, np.int64)
