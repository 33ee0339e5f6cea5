"""Free chips and power to try decisions on: a pass plans its starts here, the real ones stay as they are."""

from collections.abc import Iterator, Sequence

from policies.placement import Placer
from policies.powered import avoiding
from policies.queue import QueuedJob
from policies.quotas import Quotas
from policies.spanning import SPANNING
from policies.view import FRAGMENTED, HELD, NO_POWER, NO_ROOM, QUOTA, Blocked, Start, View
from policies.within import Search, seat_within
from topologies.free import FreeChips, Placement, domain_bits
from topologies.headroom import Headroom
from topologies.levels import Within
from topologies.plant import Shape


def find(
    free: Sequence[FreeChips],
    headroom: Headroom,
    placer: Placer,
    shape: Shape,
    not_in: int = -1,
    quotas: Quotas | None = None,
    starts: Sequence[Start] = (),
) -> tuple[int, Placement] | None:
    """The first pool but one that has chips, power, quota and a placement for a gang, and the placement."""
    chips, feed_nw, pools = shape.chips, headroom.feed_nw, placer.pools
    pairs = zip(shape.pools, shape.draw_nw, strict=True) if pools is None else pools(shape, free, starts)
    for pool, draw_nw in pairs:
        if free[pool].free >= chips and chips * draw_nw <= feed_nw and pool != not_in:
            if quotas is not None and not quotas.allows(shape, pool):
                continue
            if headroom.bound_below:
                placement = seat_under(free[pool], headroom, placer, shape, pool)
            else:
                placement = seat_of(free[pool], placer, shape)
            if placement is not None:
                return pool, placement
    return None


def seat_of(free: FreeChips, placer: Placer, shape: Shape, avoid: int = 0) -> Placement | None:
    """Where a gang sits in one pool as far as chips go, outside some domains; None where it has no place."""
    if shape.within is None:
        return placer.place(free, shape.chips, avoid)
    for one, within in _ways(placer, shape.within):
        found = seat_within(free, within, _search(one, shape.chips), avoid)
        if found is not None:
            return found
    return None


def smallest_part(placer: Placer, shape: Shape, free: FreeChips) -> int:
    """The fewest chips that a gang has in a domain, wherever it sits: domains with fewer free ones cannot matter."""
    within = shape.within
    if within is not None and placer.spans and within.spread is not None:
        return SPANNING.smallest_part(shape.chips, free.domain_chips)
    return placer.smallest_part(shape.chips, free.domain_chips)


def _ways(placer: Placer, within: Within) -> Iterator[tuple[Placer, Within]]:
    """How to look for a place in units, and in which, one way after the other."""
    yield placer, within
    if placer.spans and within.spread is not None:
        yield SPANNING, within.spread


def _search(placer: Placer, chips: int) -> Search:
    """A search that goes by chips alone."""
    return Search(placer, chips, lambda only, avoid: placer.place(only, chips, avoid), lambda _: 0)


def seat_under(
    free: FreeChips, headroom: Headroom, placer: Placer, shape: Shape, pool: int, avoid: int = 0
) -> Placement | None:
    """The same with power at every level below the feed."""
    if not headroom.bound_below:
        return seat_of(free, placer, shape, avoid)
    chips, draw_nw = shape.chips, shape.draw_nw[shape.pools.index(pool)]
    if shape.within is None:
        return place(free, headroom, placer, pool, chips, draw_nw, avoid)
    for one, within in _ways(placer, shape.within):
        found = seat_within(free, within, _search_under(headroom, one, pool, chips, draw_nw), avoid)
        if found is not None:
            return found
    return None


def _search_under(headroom: Headroom, placer: Placer, pool: int, chips: int, draw_nw: int) -> Search:
    """A search that goes by power too."""
    return Search(
        placer,
        chips,
        lambda only, avoid: place(only, headroom, placer, pool, chips, draw_nw, avoid),
        lambda part: headroom.full_domains(pool, part, draw_nw),
    )


def place(
    free: FreeChips, headroom: Headroom, placer: Placer, pool: int, chips: int, draw_nw: int, avoid: int
) -> Placement | None:
    """A placement in one pool that no level below the feed is overdrawn by; None where there is none.

    A remainder is placed after the whole domains: it may sit under a level that has too little power for one of those.
    Placers whose parts differ otherwise see to that themselves. So a gang that has a place keeps it when more chips or
    power come free, which planning ahead relies on.
    """
    if not headroom.bound_below:
        return placer.place(free, chips, avoid)
    if placer.under is not None:
        return placer.under(free, headroom, pool, chips, draw_nw, avoid)
    part = placer.smallest_part(chips, free.domain_chips)
    if part in (chips, free.domain_chips):
        return _place_alike(free, headroom, placer, pool, chips, draw_nw, avoid)
    whole = _place_alike(free, headroom, placer, pool, chips - part, draw_nw, avoid)
    if whole is None:
        return None
    left = headroom.copy()
    left.take(pool, whole, draw_nw)
    last = _place_alike(free, left, placer, pool, part, draw_nw, avoid | domain_bits(whole))
    return None if last is None else (*whole, *last)


def _place_alike(
    free: FreeChips, headroom: Headroom, placer: Placer, pool: int, chips: int, draw_nw: int, avoid: int
) -> Placement | None:
    """The same for parts of one size."""
    part = placer.smallest_part(chips, free.domain_chips)
    return avoiding(lambda avoid: placer.place(free, chips, avoid), headroom, pool, part, draw_nw, avoid)


class Trial:
    """The free chips, the headroom and the quotas less the starts planned so far; what must change is copied first."""

    __slots__ = (
        *("_free", "_headroom", "_own", "_own_headroom", "_own_quotas", "_pending", "_quotas"),
        *("placer", "starts"),
    )

    def __init__(self, view: View, placer: Placer) -> None:
        self.placer = placer
        self.starts: list[Start] = []
        self._free = list(view.free)
        self._own = [False] * len(self._free)
        self._headroom = view.headroom
        self._own_headroom = False
        self._quotas = view.quotas
        self._own_quotas = False
        self._pending: Start | None = None

    def free(self, pool: int) -> FreeChips:
        """The free chips of a pool after the planned starts; to be read only."""
        if self._pending is not None:
            self._settle(self._pending)
        return self._free[pool]

    def headroom(self) -> Headroom:
        """The power left after the planned starts; to be read only."""
        if self._pending is not None:
            self._settle(self._pending)
        return self._headroom

    def quotas(self) -> Quotas | None:
        """What is in use of quotas after the planned starts, to be read only; None where nobody has one."""
        if self._pending is not None:
            self._settle(self._pending)
        return self._quotas

    def allows(self, shape: Shape, pool: int) -> bool:
        """Whether quotas allow a gang in a pool after the planned starts."""
        quotas = self.quotas()
        return quotas is None or quotas.allows(shape, pool)

    def fits(self, shape: Shape, pool: int) -> bool:
        """Whether a pool has chips, power and a placement for a gang, whatever its quota."""
        if shape.chips > self.free(pool).free or shape.gang_nw(pool) > self._headroom.feed_nw:
            return False
        return self.seat(shape, pool, 0) is not None

    def find(self, shape: Shape, not_in: int = -1) -> tuple[int, Placement] | None:
        """The first pool but one that has chips, power, quota and a placement for a gang, and the placement."""
        if self._pending is not None:
            self._settle(self._pending)
        return find(self._free, self._headroom, self.placer, shape, not_in, self._quotas, self.starts)

    def seat(self, shape: Shape, pool: int, avoid: int) -> Placement | None:
        """Where a gang sits in one pool outside some domains; None where chips or power do not allow it."""
        if self._pending is not None:
            self._settle(self._pending)
        return seat_under(self._free[pool], self._headroom, self.placer, shape, pool, avoid)

    def start(self, job: QueuedJob, pool: int, placement: Placement) -> None:
        """Plan a start. The chips are taken when somebody looks again, which after the last start is never."""
        if self._pending is not None:
            self._settle(self._pending)
        self._pending = Start(job, pool, placement)
        self.starts.append(self._pending)

    def reason(self, shape: Shape) -> str:
        """Why a gang that found no place has none, in the pools that its quota allows if there are any."""
        reason, quotas = NO_ROOM, self.quotas()
        if quotas is not None and max([self._free[pool].free for pool in shape.pools]) < shape.chips:
            return NO_ROOM
        allowed = shape.pools if quotas is None else [pool for pool in shape.pools if quotas.allows(shape, pool)]
        if not allowed:
            if any(self.fits(shape, pool) for pool in shape.pools):
                return QUOTA
            allowed = shape.pools
        for pool, draw_nw in zip(shape.pools, shape.draw_nw, strict=True):
            if pool not in allowed:
                continue
            free = self._free[pool]
            if free.free >= shape.chips:
                if shape.chips * draw_nw > self._headroom.feed_nw or seat_of(free, self.placer, shape) is not None:
                    return NO_POWER
                reason = FRAGMENTED
        return reason

    def reasons(self, blocked: Blocked) -> Blocked:
        """Why shapes are blocked after all planned starts; a start may have taken the chips they were held for."""
        if not self.starts:
            return blocked
        after = blocked.copy()
        for shape, reason in blocked.items():
            if reason is NO_ROOM and shape.quota < 0:
                continue  # so it stays
            if reason is not HELD or self.find(shape) is None:
                after[shape] = self.reason(shape)
        return after

    def _settle(self, start: Start) -> None:
        self._pending = None
        job, pool, placement = start
        if not self._own[pool]:
            self._own[pool] = True
            self._free[pool] = self._free[pool].copy()
        self._free[pool].take(placement)
        if self._headroom.capped:
            draw_nw = job.shape.draw_nw[job.shape.pools.index(pool)]
            if not self._own_headroom:
                self._own_headroom = True
                self._headroom = self._headroom.copy()
            self._headroom.take(pool, placement, draw_nw)
        if self._quotas is not None and job.shape.quota >= 0:
            if not self._own_quotas:
                self._own_quotas = True
                self._quotas = self._quotas.copy()
            self._quotas.start(job.row, job.shape, pool)
