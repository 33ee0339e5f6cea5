"""Equal parts of a gang with power at every level: the search that keeps out of what would be overdrawn."""

from collections.abc import Callable

from topologies.free import Placement
from topologies.headroom import Headroom


def avoiding(
    place: Callable[[int], Placement | None], headroom: Headroom, pool: int, part: int, draw_nw: int, avoid: int
) -> Placement | None:
    """A placement that overdraws no level; place finds one outside of the domains that it is given.

    part: the fewest chips in a domain. Each try keeps the domains that have power and looks for others. Where all
    parts are equal and place always prefers the same domains, this finds a placement if there is one.
    """
    avoid |= headroom.full_domains(pool, part, draw_nw)
    while (placement := place(avoid)) is not None:
        overdrawn = headroom.overdrawn(pool, placement, draw_nw)
        if not overdrawn:
            return placement
        avoid |= overdrawn
    return None
