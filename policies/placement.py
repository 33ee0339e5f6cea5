"""Placement: on which chips a gang sits. A function from free chips and a size to a placement.

Here are those that look at domains only; policies/topology.py also looks at the fabric above them.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from policies.preference import energy, rental
from policies.view import Start, View
from topologies.free import FreeChips, Placement, domain_bits, lowest
from topologies.headroom import Headroom
from topologies.plant import Prefer, Shape

Place: TypeAlias = Callable[[FreeChips, int, int], Placement | None]
"""(free chips, gang size, domains to avoid as bits) -> placement, None where the gang does not fit.

A gang that has a place keeps one when more chips come free: planning ahead relies on it.
"""
PlaceUnder: TypeAlias = Callable[[FreeChips, Headroom, int, int, int, int], Placement | None]
"""(free chips, headroom, pool, gang size, draw of a chip [nW], avoid) -> placement that overdraws no level, or None."""


Pools: TypeAlias = Callable[[Shape, Sequence[FreeChips], Sequence[Start]], Iterable[tuple[int, int]]]
"""(shape, free chips, starts of the pass so far) -> its pools, all of them, each with the draw of a chip [nW]."""


class Placer(NamedTuple):
    """A placement policy: where a gang sits, and the smallest part of it that it puts into one domain.

    smallest_part(gang size, domain size) tells planning that a domain with fewer free chips cannot matter. under: the
    same where levels below the feed can bind; None where it is enough to place first the equal parts of a gang and
    then its remainder, of the smallest size. A gang whose parts can be cut otherwise needs one of its own, which must
    find a place wherever there is one: only then does a gang keep it when more power comes free. prefer: which pools
    are tried first, by default in the order of the fleet. about: a line, where place's own does not say it. seeing:
    what takes its place in a pass where it matters who runs and waits; None where only free chips do. emptiest: of the
    units that a class's topology allows, the one with the most free chips is tried first, not the one with the fewest.
    pools: the pools of a shape with its draws there in the order in which they are tried, where each pass has its own.
    spans: a gang that only prefers one node or domain is spread over several where this finds no place for it.
    """

    place: Place
    smallest_part: Callable[[int, int], int]
    under: PlaceUnder | None = None
    prefer: Prefer | None = None
    about: str | None = None
    seeing: "Callable[[View], Placer] | None" = None
    emptiest: bool = False
    pools: Pools | None = None
    spans: bool = False


def pack(free: FreeChips, chips: int, avoid: int = 0) -> Placement | None:
    """One domain, the fullest that still fits; a larger gang takes whole empty domains and one for its remainder.

    The remainder goes to the fullest domain that fits it. A gang never spreads otherwise. Ties go to the
    lowest index. In a torus a slice is the best box that is free, or the lowest free chips where none is.
    """
    size = free.domain_chips
    if chips <= size:
        domain = free.fullest(chips, avoid)
        return None if domain < 0 else ((domain, chips if free.boxes is None else free.slice_in(domain, chips)),)
    whole, rest = divmod(chips, size)
    empty = free.empty(whole, avoid)
    if not empty:
        return None
    placed = tuple([(domain, size) for domain in empty])
    if rest:
        last = free.fullest(rest, avoid | domain_bits(placed))
        if last < 0:
            return None
        placed = (*placed, (last, rest))
    return placed if free.boxes is None else sliced(free, placed)


def whole_domains(free: FreeChips, chips: int, avoid: int) -> tuple[Placement, int] | None:
    """The first empty domains for as much of a gang as fills them, and its remainder; None where they are too few."""
    size = free.domain_chips
    whole, rest = divmod(chips, size)
    placed = tuple([(domain, size) for domain in free.empty(whole, avoid)])
    return None if len(placed) < whole else (placed, rest)


def first_fit(free: FreeChips, chips: int, avoid: int = 0) -> Placement | None:
    """The first domain by index that fits; a larger gang takes the first empty ones, and for its remainder one more."""
    found = whole_domains(free, chips, avoid)
    if found is None:
        return None
    placed, rest = found
    if rest:
        able = 0
        for _, domains in free.levels(rest, avoid | domain_bits(placed)):
            able |= domains
        if not able:
            return None
        placed = (*placed, ((able & -able).bit_length() - 1, rest))
    return sliced(free, placed)


def contiguous(free: FreeChips, chips: int, avoid: int = 0) -> Placement | None:
    """As pack, but in a torus every slice is a contiguous box: a domain without a free one of its size does not count.

    Sizes that form no box in the torus, alone or as a remainder, never fit.
    """
    if free.boxes is None:
        return pack(free, chips, avoid)
    whole, rest = divmod(chips, free.domain_chips)
    placed: Placement = tuple([(domain, free.domain_chips) for domain in free.empty(whole, avoid)])
    if len(placed) < whole:
        return None
    if rest:
        last = fullest_with_box(free, rest, avoid | domain_bits(placed))
        if last < 0:
            return None
        placed = (*placed, (last, rest))
    return sliced(free, placed)


def spread(free: FreeChips, chips: int, avoid: int = 0) -> Placement | None:
    """As few chips in each domain as possible, in as many domains; those with the most free chips give one more first.

    Ties go to the lowest index. No domain gives less than another but for want of free chips, or for one chip.
    """
    levels = list(free.levels(1, avoid))
    left, able = chips, sum([domains.bit_count() for _, domains in levels])
    for level, domains in levels:
        if level * able >= left:
            break
        left -= level * domains.bit_count()  # these give all that they have
        able -= domains.bit_count()
    else:
        return None
    most = -(-left // able)
    give_most = left - (most - 1) * able
    placed: list[tuple[int, int]] = []
    for level, domains in reversed(levels):
        if level < most:
            placed += [(domain, level) for domain in lowest(domains, domains.bit_count())]
            continue
        found = lowest(domains, domains.bit_count() if most > 1 else give_most)
        placed += [(domain, most) for domain in found[:give_most]]
        placed += [(domain, most - 1) for domain in found[give_most:]]
        give_most = max(0, give_most - len(found))
    return sliced(free, tuple(sorted(placed)))


def spread_under(
    free: FreeChips, headroom: Headroom, pool: int, chips: int, draw_nw: int, avoid: int
) -> Placement | None:
    """The same where levels below the feed can bind: chip by chip, round after round, where there is power.

    Levels nest, so that no chip that has found its place has to move for another one.
    """
    placed = spread(free, chips, avoid)
    if placed is None or not headroom.overdrawn(pool, placed, draw_nw):
        return placed
    left, given, most = headroom.copy(), dict[int, int](), 0
    able = [domain for _, bits in reversed(list(free.levels(1, avoid))) for domain in lowest(bits, bits.bit_count())]
    while able and chips:
        giving, able, most = able, [], most + 1
        for domain in giving:
            if chips and free.in_domain(domain) >= most and left.bears(pool, domain, draw_nw):
                left.take(pool, ((domain, 1),), draw_nw)
                given[domain] = most
                able.append(domain)
                chips -= 1
    return None if chips else sliced(free, tuple(sorted(given.items())))


def fullest_with_box(free: FreeChips, chips: int, avoid: int) -> int:
    """The fullest domain with a contiguous box of so many free chips, -1 if there is none; ties to the lowest index."""
    for _, domains in free.levels(chips, avoid):
        for domain in lowest(domains, domains.bit_count()):
            if free.has_box(domain, chips):
                return domain
    return -1


def sliced(free: FreeChips, placed: Placement) -> Placement:
    """A placement of counts with its chips: the same where they are alike, boxes in a torus."""
    return placed if free.boxes is None else tuple([(at, free.slice_in(at, chips)) for at, chips in placed])


def pack_smallest_part(chips: int, domain_chips: int) -> int:
    """The fewest chips that pack puts into one domain: the whole gang, its remainder, or a whole domain."""
    return chips if chips <= domain_chips else chips % domain_chips or domain_chips


def single_chip(_chips: int, _domain_chips: int) -> int:
    """The smallest part where any free chip may matter."""
    return 1


PACK = Placer(pack, pack_smallest_part, spans=True)
FIRST_FIT = Placer(first_fit, pack_smallest_part, spans=True)
CONTIGUOUS = Placer(contiguous, pack_smallest_part)
EFFICIENT = PACK._replace(prefer=energy, about="As pack, in the pool that adds the fewest joules to a unit of work.")
CHEAPEST = PACK._replace(
    prefer=rental, about="As pack, in the pool whose chips cost the least to rent for a unit of work."
)
SPREAD = Placer(spread, single_chip, spread_under, emptiest=True)
