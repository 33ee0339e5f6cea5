"""The power left under the feed and the levels below it, in whole nanowatts of IT draw."""

from collections.abc import Sequence

from topologies.free import Placement
from topologies.limits import Limit

UNLIMITED_NW = 1 << 100


class Headroom:
    """What may still be drawn under the feed and each lower level that can bind; like FreeChips it takes and gives."""

    __slots__ = ("_limits", "bound_below", "capped", "feed_nw", "spare_nw")

    def __init__(self, feed_nw: int | None, limits: Sequence[Limit]) -> None:
        self.feed_nw = UNLIMITED_NW if feed_nw is None else feed_nw
        self.bound_below = bool(limits)  # a level below the feed can bind
        self.capped = feed_nw is not None or self.bound_below  # else nobody needs to take or give
        self.spare_nw = [limit.spare_nw for limit in limits]
        self._limits = limits

    def copy(self) -> "Headroom":
        """A headroom of its own with the same draws."""
        twin = Headroom(self.feed_nw if self.capped else None, self._limits)
        twin.spare_nw = self.spare_nw[:]
        return twin

    def full_domains(self, pool: int, chips: int, draw_nw: int) -> int:
        """The domains of a pool under levels that have no power left for so many more busy chips, as bits."""
        bits = 0
        for limit, spare_nw in zip(self._limits, self.spare_nw, strict=True):
            if chips * draw_nw > spare_nw:
                bits |= limit.domains[pool]
        return bits

    def overdrawn(self, pool: int, placement: Placement, draw_nw: int) -> int:
        """The domains, as bits, to keep out of so that no level is overdrawn; 0 where a placement fits.

        Of the domains under an overdrawn level the placement may keep the first that its power suffices for.
        """
        bits = 0
        for limit, spare_nw in zip(self._limits, self.spare_nw, strict=True):
            inside, kept = limit.domains[pool], 0
            over = False
            for domain, chips in placement:
                if inside >> domain & 1:
                    spare_nw -= chips * draw_nw
                    if spare_nw >= 0:
                        kept |= 1 << domain
                    else:
                        over = True
            if over:
                bits |= inside & ~kept
        return bits

    def take(self, pool: int, placement: Placement, draw_nw: int) -> None:
        """Draw for a gang."""
        self._change(pool, placement, -draw_nw)

    def give(self, pool: int, placement: Placement, draw_nw: int) -> None:
        """Stop drawing for a gang."""
        self._change(pool, placement, draw_nw)

    def _change(self, pool: int, placement: Placement, by_nw: int) -> None:
        self.feed_nw += by_nw * sum([chips for _, chips in placement])
        if not self._limits:
            return
        for at, limit in enumerate(self._limits):
            inside = limit.domains[pool]
            self.spare_nw[at] += by_nw * sum([chips for domain, chips in placement if inside >> domain & 1])
