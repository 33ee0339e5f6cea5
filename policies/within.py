"""A gang in one unit of a level: in one node, domain or leaf group, wherever a placement policy can seat it in one."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from policies.placement import Placer
from scenarios.workload import Level
from topologies.free import FreeChips, Placement
from topologies.levels import Within, in_domain, inside, may_hold, units


class Search(NamedTuple):
    """How a policy seats a gang of so many chips in a pool, given free chips and the domains to avoid as bits.

    powerless: the domains without power for so many more chips, as bits.
    """

    placer: Placer
    chips: int
    place: Callable[[FreeChips, int], Placement | None]
    powerless: Callable[[int], int]

    def may_hold(self, free: FreeChips, level: Level, avoid: int) -> bool:
        """Whether a unit has the chips, or it need not be looked for."""
        part = self._part(free, level)
        return may_hold(free, level, self.chips, part, avoid | self.powerless(part))

    def units(self, free: FreeChips, level: Level, avoid: int) -> Iterator[tuple[FreeChips, int]]:
        """(free chips, domains to avoid) for each unit that may hold the gang, those to be tried first first."""
        part = self._part(free, level)
        return units(free, level, self.chips, part, avoid | self.powerless(part), self.placer.emptiest)

    def _part(self, free: FreeChips, level: Level) -> int:
        """The fewest chips that the gang has in a domain."""
        return self.chips if in_domain(free, level) else self.placer.smallest_part(self.chips, free.domain_chips)


def seat_within(free: FreeChips, within: Within, search: Search, avoid: int) -> Placement | None:
    """Where a gang sits in one unit of the level that it prefers, else of the one that it requires, else anywhere.

    The policy's own choice where that lies in one unit; else its choice in the first unit that it has one in, the
    fullest first, or where it spreads gangs the emptiest. None where no unit of the required level has a place: since
    every unit is tried, a gang that has a place keeps one when more chips or power come free.
    """
    required = within.required
    if required is not None and not search.may_hold(free, required, avoid):
        return None
    own = search.place(free, avoid)
    if own is None:
        return None
    for level in (within.preferred, required):
        if level is None:
            continue
        if _lies_in(free, own, level, required):
            return own
        for only, out in search.units(free, level, avoid):
            found = search.place(only, out)
            if found is not None and _lies_in(free, found, level, required):
                return found
    return None if required is not None else own


def _lies_in(free: FreeChips, placement: Placement, level: Level, required: Level | None) -> bool:
    """Whether a placement lies in one unit of a level, and of the required one, which may be within it."""
    return inside(free, placement, level) and (required in (None, level) or inside(free, placement, required))
