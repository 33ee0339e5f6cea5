"""The contiguous boxes of a torus as bit masks over its chips, best first: what a gang may hold of a domain. Pure.

Chip x + X (y + Y z) stands at (x, y, z) of a torus of X by Y by Z chips. What a box can send: topologies/slices.py.
"""

import itertools
import math
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import NamedTuple, TypeAlias

from topologies.slices import box

Extents: TypeAlias = tuple[int, ...]
"""Chips of a box along each dimension of its torus."""


class Torus(NamedTuple):
    """A ring in each dimension; link_bytes_per_s is that of one link in one direction, a figure a dimension."""

    sides: tuple[int, ...]
    link_bytes_per_s: tuple[float, ...]

    @property
    def chips(self) -> int:
        """Chips of the whole torus."""
        return math.prod(self.sides)


@cache
def boxes(torus: Torus, chips: int) -> tuple[tuple[int, Extents], ...]:
    """All contiguous boxes of so many chips as (chips as bits, extents), best first; none where no box has that size.

    First those with the most ring bandwidth, then the most all-to-all bandwidth, then the fewest ring steps, which is
    the most compact; then by the lowest index of the chip where they start, then the longest along x. A box may run
    across the end of a dimension; one that is as long as a dimension wraps around. Raises ValueError for a side below
    3, on which two links would coincide.
    """
    if min(torus.sides) < 3:
        raise ValueError(f"found a torus of sides {torus.sides}; allowed: at least 3 chips a ring")
    found = []
    for extents in itertools.product(*[range(1, side + 1) for side in torus.sides]):
        if math.prod(extents) != chips:
            continue
        wraps = [extent == side for extent, side in zip(extents, torus.sides, strict=True)]
        sent = box(extents, wraps, torus.link_bytes_per_s)
        worth = (-sent.ring_bytes_per_s, -sent.all_to_all_bytes_per_s, sent.steps)
        for start in itertools.product(
            *[range(1 if wrap else side) for wrap, side in zip(wraps, torus.sides, strict=True)]
        ):
            first = _chip(torus.sides, start)
            found.append(
                ((*worth, first, [-extent for extent in extents]), _mask(torus.sides, start, extents), extents)
            )
    return tuple([(mask, extents) for _, mask, extents in sorted(found)])


@cache
def _extents(torus: Torus, chips: int) -> dict[int, Extents]:
    return dict(boxes(torus, chips))


def extents_of(torus: Torus, mask: int) -> Extents | None:
    """The extents of the box that these chips are; None where they are none."""
    return _extents(torus, mask.bit_count()).get(mask)


@lru_cache(1 << 16)
def best_free(torus: Torus, free: int, chips: int) -> int:
    """The best box of so many chips among those that are free, both as bits; 0 where there is none.

    The answer is kept: the same few patterns of free chips come up again and again.
    """
    for mask, _ in boxes(torus, chips):
        if mask & ~free == 0:
            return mask
    return 0


def _chip(sides: Sequence[int], place: Sequence[int]) -> int:
    """The index of the chip at a place."""
    index = 0
    for side, at in zip(reversed(sides), reversed(place), strict=True):
        index = index * side + at % side
    return index


def _mask(sides: Sequence[int], start: Sequence[int], extents: Extents) -> int:
    """The chips of a box, as bits."""
    lines = [range(at, at + extent) for at, extent in zip(start, extents, strict=True)]
    return sum(1 << _chip(sides, place) for place in itertools.product(*lines))
