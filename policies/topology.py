"""Placement by topology: where a gang's steps are the shortest, in few domains under few leaves of the fabric."""

from collections.abc import Iterator
from functools import lru_cache, partial
from typing import NamedTuple

from policies.groups import fewest
from policies.placement import Placer, single_chip, sliced
from policies.powered import avoiding
from topologies.domains import even_part
from topologies.free import FreeChips, Placement, domain_bits, lowest
from topologies.headroom import Headroom

_ANYWHERE = (-1,)  # the one group of a pool without a network: all domains


class Cut(NamedTuple):
    """A way to cut a gang: so many equal parts, and one smaller rest in a further domain, 0 for none."""

    part: int
    parts: int
    rest: int


def topology(free: FreeChips, chips: int, avoid: int = 0) -> Placement | None:
    """The fewest domains, then the fewest leaf groups and pods; equal smaller parts where too few domains are empty.

    A gang that fits into one domain goes to the fullest that holds it, in a torus to one with a free box of its size
    if there is one. A larger one takes equal parts of as few domains as can hold it, or else whole domains and one for
    its remainder, in the fewest groups; the last of those
    is the fullest that still holds what is left. If that cannot be it does not wait for whole domains, since to run a
    bit slower now is worth more: it takes the largest equal parts for which enough domains have the chips. Ties go to
    the group with the fewest wholly free domains, then to the lowest index.
    """
    for cut in cuts(chips, free.domain_chips):
        placed = _place(free, cut, avoid)
        if placed is not None:
            return sliced(free, placed)
    return None


def topology_under(
    free: FreeChips, headroom: Headroom, pool: int, chips: int, draw_nw: int, avoid: int
) -> Placement | None:
    """The same where levels below the feed can bind; for each cut the search for few groups goes first.

    That search changes its mind as it is told what to avoid, and may miss a placement. So another one follows that
    always prefers the same domains.
    """
    for cut in cuts(chips, free.domain_chips):
        placed = avoiding(partial(_place, free, cut), headroom, pool, cut.rest or cut.part, draw_nw, avoid)
        if placed is None:
            placed = _place_in_order(free, headroom, pool, cut, draw_nw, avoid)
        if placed is not None:
            return sliced(free, placed)
    return None


@lru_cache(1 << 12)
def cuts(chips: int, domain_chips: int) -> tuple[Cut, ...]:
    """The ways to cut a gang, best first: the fewest domains, in equal parts where that serves; then smaller parts."""
    most = min(chips, domain_chips)
    count, rest = divmod(chips, most)
    smaller = [Cut(part, chips // part, 0) for part in range(most - 1, 0, -1) if chips % part == 0]
    whole = Cut(most, count, rest)
    even = even_part(chips, domain_chips)
    if rest and even is not None:
        return (Cut(even, chips // even, 0), whole, *[cut for cut in smaller if cut.part != even])
    return (whole, *smaller)


def _place(free: FreeChips, cut: Cut, avoid: int) -> Placement | None:
    """Where the parts of a cut sit, None where too few domains have the chips."""
    part, count, rest = cut
    if count == 1 and not rest:
        domain = _domain(free, part, avoid)
        return None if domain < 0 else ((domain, part),)
    able = _able(free, part, avoid)
    if able.bit_count() < count:
        return None
    last = _able(free, rest, avoid) if rest else 0
    if rest and last.bit_count() <= count:
        return None
    if part < free.domain_chips:
        boxed = _with_box(free, able, part)
        able = boxed if boxed.bit_count() >= count else able
    groups = fewest(free.groups or _ANYWHERE, free.pods, able, count, last)
    placed = tuple([(domain, part) for domain in _fullest(free, part, able, groups, count)])
    if not rest:
        return placed
    within = 0
    for group in groups:
        within |= group
    return (*placed, (_domain(free, rest, avoid | ~within | domain_bits(placed)), rest))


def _place_in_order(
    free: FreeChips, headroom: Headroom, pool: int, cut: Cut, draw_nw: int, avoid: int
) -> Placement | None:
    """Where the parts of a cut sit with power at every level: the equal ones by index, then the rest."""
    part, count, rest = cut

    def equal(avoid: int) -> Placement | None:
        found = lowest(_able(free, part, avoid), count)
        return tuple([(domain, part) for domain in found]) if len(found) == count else None

    def alone(avoid: int) -> Placement | None:
        domain = _domain(free, rest, avoid)
        return None if domain < 0 else ((domain, rest),)

    placed = avoiding(equal, headroom, pool, part, draw_nw, avoid)
    if placed is None or not rest:
        return placed
    left = headroom.copy()
    left.take(pool, placed, draw_nw)
    last = avoiding(alone, left, pool, rest, draw_nw, avoid | domain_bits(placed))
    return None if last is None else (*placed, *last)


def _able(free: FreeChips, chips: int, avoid: int) -> int:
    """The domains with at least so many free chips, as bits."""
    bits = 0
    for _, domains in free.levels(chips, avoid):
        bits |= domains
    return bits


def _domain(free: FreeChips, chips: int, avoid: int) -> int:
    """The fullest domain that holds so many chips, in a torus the fullest with a box of them; -1 for none."""
    chosen = 0
    for level, domains in free.levels(chips, avoid):
        boxed = _with_box(free, domains, chips, level)
        chosen = boxed or chosen or domains
        if boxed:
            break
    if free.groups and chosen & (chosen - 1):
        whole = _able(free, free.domain_chips, 0)
        here = [(group & chosen, (group & whole).bit_count()) for group in free.groups if group & chosen]
        chosen = min([(others, domains & -domains) for domains, others in here])[1]
    return (chosen & -chosen).bit_length() - 1


def _with_box(free: FreeChips, domains: int, chips: int, level: int = 0) -> int:
    """Those of some domains that have a contiguous box of so many free chips, as bits.

    level: how many are free in each, where that is known: wholly free domains are all alike.
    """
    if free.boxes is None or (level == free.domain_chips and free.has_box(domains.bit_length() - 1, chips)):
        return domains
    return sum([1 << domain for domain in lowest(domains, domains.bit_count()) if free.has_box(domain, chips)])


def _fullest(free: FreeChips, part: int, able: int, groups: list[int], count: int) -> Iterator[int]:
    """So many of the able domains: group after group, in each of them those with the fewest free chips first."""
    levels = list(free.levels(part))
    for group in groups:
        for _, domains in levels:
            found = lowest(domains & able & group, count)
            count -= len(found)
            yield from found


TOPOLOGY = Placer(topology, single_chip, topology_under, spans=True)
