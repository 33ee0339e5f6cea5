"""Placement over several domains of gangs that only prefer to sit in one: where the chips are, in few domains.

It takes the place of a placement policy that keeps such gangs in one domain, where that has found no place.
"""

from policies.placement import Placer, single_chip, sliced
from topologies.free import FreeChips, Placement, domain_bits, lowest
from topologies.headroom import Headroom


def spanning(free: FreeChips, chips: int, avoid: int = 0) -> Placement | None:
    """The fewest domains: those with the most free chips, and for the rest the fullest that still holds it.

    Ties go to the lowest index. There is a place wherever so many chips are free.
    """
    placed: list[tuple[int, int]] = []
    for level, domains in reversed(list(free.levels(1, avoid))):
        for domain in lowest(domains, domains.bit_count()):
            if level >= chips:
                last = free.fullest(chips, avoid | domain_bits(tuple(placed)))
                return sliced(free, (*placed, (last, chips)))
            placed.append((domain, level))
            chips -= level
    return None


def spanning_under(
    free: FreeChips, headroom: Headroom, pool: int, chips: int, draw_nw: int, avoid: int
) -> Placement | None:
    """The same where levels below the feed can bind: of each domain as many chips as have power.

    Levels nest, so that no chip that has found its place has to move for another one.
    """
    placed = spanning(free, chips, avoid)
    if placed is None or not headroom.overdrawn(pool, placed, draw_nw):
        return placed
    left, given = headroom.copy(), dict[int, int]()
    for level, domains in reversed(list(free.levels(1, avoid))):
        for domain in lowest(domains, domains.bit_count()):
            while chips and given.get(domain, 0) < level and left.bears(pool, domain, draw_nw):
                left.take(pool, ((domain, 1),), draw_nw)
                given[domain] = given.get(domain, 0) + 1
                chips -= 1
    return None if chips else sliced(free, tuple(given.items()))


SPANNING = Placer(spanning, single_chip, spanning_under)
