"""Placement: on which chips a gang sits. A function from free chips and a size to a placement."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from topologies.free import FreeChips, Placement, domain_bits

Place: TypeAlias = Callable[[FreeChips, int, int], Placement | None]
"""(free chips, gang size, domains to avoid as bits) -> placement, None where the gang does not fit."""


class Placer(NamedTuple):
    """A placement policy: where a gang sits, and the smallest part of it that it puts into one domain.

    smallest_part(gang size, domain size) tells planning that a domain with fewer free chips cannot matter.
    """

    place: Place
    smallest_part: Callable[[int, int], int]


def pack(free: FreeChips, chips: int, avoid: int = 0) -> Placement | None:
    """One domain, the fullest that still fits; a larger gang takes whole empty domains and one for its remainder.

    The remainder goes to the fullest domain that fits it. A gang never spreads otherwise. Ties go to the
    lowest index.
    """
    size = free.domain_chips
    if chips <= size:
        domain = free.fullest(chips, avoid)
        return None if domain < 0 else ((domain, chips),)
    whole, rest = divmod(chips, size)
    empty = free.empty(whole, avoid)
    if not empty:
        return None
    placed = tuple([(domain, size) for domain in empty])
    if rest == 0:
        return placed
    last = free.fullest(rest, avoid | domain_bits(placed))
    return None if last < 0 else (*placed, (last, rest))


def pack_smallest_part(chips: int, domain_chips: int) -> int:
    """The fewest chips that pack puts into one domain: the whole gang, its remainder, or a whole domain."""
    return chips if chips <= domain_chips else chips % domain_chips or domain_chips


PACK = Placer(pack, pack_smallest_part)
