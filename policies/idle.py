"""Why chips are idle while gangs wait: one walk of the queue under nested relaxations. Pure, by shapes and not jobs.

Each idle chip of a pool gets the first of these reasons that holds, and each waiting chip explains at most one idle
chip of all pools: a gang fits there, whole, where the placement policy would seat it (held by the policy); single
chips that somebody waits for would have power there (fragmentation: only the gang has no place); somebody waits who
may use the pool (no power); somebody waits (no portable job); nobody does (no demand).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from policies.placement import Placer, pack
from policies.trial import seat_of, seat_under
from topologies.free import FreeChips
from topologies.headroom import Headroom
from topologies.plant import Shape


class Idle(NamedTuple):
    """The idle chips of a pool by the reason why they are idle."""

    no_demand: int
    no_portable_job: int
    no_power: int
    fragmentation: int
    held_by_policy: int


def why_idle(
    free: Sequence[FreeChips],
    headroom: Headroom,
    placer: Placer,
    waiting: Mapping[Shape, int],
    held: Mapping[Shape, int],
) -> list[Idle]:
    """The idle chips of each pool by reason, in the order of the pools.

    waiting: the gangs of each shape that wait. held: those of them for which a seat may be free; the others are known
    to have none. Gangs that may use the fewest pools come first, and each pool takes what it can before the next one.
    """
    seated = [0] * len(free)
    left = [pool.free for pool in free]
    feed_nw = headroom.feed_nw
    seats = None
    if held:
        seats = _Seats(free, headroom, placer, held)
        for shape in _least_choice_first(held):
            seats.put(shape, held[shape], seated)
        left = [idle - taken for idle, taken in zip(left, seated, strict=True)]
        feed_nw = seats.feed_nw
    wanted, roomy, most_nw = -sum(seated), not headroom.bound_below, feed_nw // max(1, sum(left))
    for shape, gangs in waiting.items():
        wanted += gangs * shape.chips
        roomy = roomy and len(shape.pools) == len(left) and (not headroom.capped or max(shape.draw_nw) <= most_nw)
    if roomy:  # every chip that anybody waits for may be any that is idle, as far as stacks and power go
        taken = _fill(left, wanted)
        return [Idle(idle, 0, 0, *row) for idle, *row in zip(left, taken, seated, strict=True)]
    demand = {shape: gangs * shape.chips for shape, gangs in waiting.items()}
    if seats is not None:
        free, headroom = seats.free, seats.headroom or headroom
        for shape, chips in seats.found.items():
            demand[shape] -= chips
    order = _least_choice_first(demand)
    room = _with_power(free, headroom, order, left) if headroom.bound_below else None
    fragmented = _put(demand, order, left, room, feed_nw)
    powerless = _put(demand, order, left)
    useless = _fill(left, sum(demand.values()))
    return [Idle(*row) for row in zip(left, useless, powerless, fragmented, seated, strict=True)]


def _fill(left: list[int], wanted: int) -> list[int]:
    """Take chips from one pool after the other; how many each gives."""
    taken = [0] * len(left)
    for pool, idle in enumerate(left):
        taken[pool] = chips = min(idle, wanted)
        left[pool] -= chips
        wanted -= chips
    return taken


def _least_choice_first(shapes: Mapping[Shape, int]) -> list[Shape]:
    return sorted(shapes, key=_choices) if len(shapes) > 1 else list(shapes)


def _choices(shape: Shape) -> int:
    return len(shape.pools)


def _put(
    demand: dict[Shape, int],
    order: Sequence[Shape],
    left: list[int],
    room: Sequence[int] | None = None,
    feed_nw: int | None = None,
) -> list[int]:
    """Put chips that are waited for, one by one, into the pools that their gangs may use; how many each pool takes.

    room: how many it can take at most. feed_nw: what they may draw in all, None for any number.
    """
    taken = [0] * len(left)
    for shape in order:
        wanted = demand[shape]
        if not wanted:
            continue
        for pool, draw_nw in zip(shape.pools, shape.draw_nw, strict=True):
            chips = min(wanted, left[pool] if room is None else min(left[pool], room[pool] - taken[pool]))
            if feed_nw is not None:
                if chips * draw_nw > feed_nw:
                    chips = feed_nw // draw_nw if draw_nw else 0  # below 0 nothing has power
                feed_nw -= max(0, chips) * draw_nw
            if chips > 0:
                taken[pool] += chips
                left[pool] -= chips
                wanted -= chips
        demand[shape] = wanted
    return taken


def _with_power(
    free: Sequence[FreeChips], headroom: Headroom, shapes: Sequence[Shape], left: Sequence[int]
) -> list[int]:
    """Idle chips of each pool that could draw power at once at the levels below the feed, pool by pool.

    Counted with the smallest draw of those who wait for the pool.
    """
    least: dict[int, int] = {}
    for shape in shapes:
        for pool, draw_nw in zip(shape.pools, shape.draw_nw, strict=True):
            least[pool] = min(draw_nw, least.get(pool, draw_nw))
    return [
        headroom.bearable(pool, free[pool].by_domain, least[pool]) if idle and pool in least else 0
        for pool, idle in enumerate(left)
    ]


class _Seats:
    """Chips and power to seat gangs on that the policy holds back: copies, made where they are needed.

    found: the chips of each shape that found a seat. headroom: None while nothing but the feed counts.
    """

    __slots__ = ("_bins", "_own", "_packs", "_placer", "feed_nw", "found", "free", "headroom")

    def __init__(self, free: Sequence[FreeChips], headroom: Headroom, placer: Placer, held: Iterable[Shape]) -> None:
        self.free = list(free)
        self.found: dict[Shape, int] = {}
        self.feed_nw = headroom.feed_nw
        anywhere = all(shape.within is None for shape in held)
        self._packs = placer.place is pack and anywhere and not headroom.bound_below
        self.headroom = headroom.copy() if headroom.bound_below else None
        self._placer = placer
        self._own: set[int] = set()
        self._bins: dict[int, Bins] = {}

    def put(self, shape: Shape, gangs: int, seated: list[int]) -> None:
        """Seat gangs of a shape, pool after pool, and count their chips by pool."""
        total, chips = 0, shape.chips
        for pool, draw_nw in zip(shape.pools, shape.draw_nw, strict=True):
            bins = self._bins.get(pool)
            idle = self.free[pool].free if bins is None else self.free[pool].free - seated[pool]
            most, gang_nw = min(gangs, idle // chips), chips * draw_nw
            if most > 0 and most * gang_nw > self.feed_nw:
                most = self.feed_nw // gang_nw if gang_nw else 0
            if most <= 0:
                continue
            if self._packs and self.free[pool].boxes is None:
                if bins is None:
                    bins = self._bins[pool] = Bins.of(self.free[pool])
                found = bins.pack(chips, most)
            else:
                found = self._seat(shape, pool, draw_nw, most)
            self.feed_nw -= found * gang_nw
            seated[pool] += found * chips
            total += found * chips
            gangs -= found
        self.found[shape] = total

    def _seat(self, shape: Shape, pool: int, draw_nw: int, most: int) -> int:
        """How many gangs of a shape, up to `most`, find a seat in a pool."""
        if pool not in self._own:
            self._own.add(pool)
            self.free[pool] = self.free[pool].copy()
        free = self.free[pool]
        for found in range(most):
            if self.headroom is None:
                placement = seat_of(free, self._placer, shape)
            else:
                placement = seat_under(free, self.headroom, self._placer, shape, pool)
            if placement is None:
                return found
            free.take(placement)
            if self.headroom is not None:
                self.headroom.take(pool, placement, draw_nw)
        return most


class Bins:
    """How many domains have how many free chips: all that `pack` goes by behind switches, many gangs at a time."""

    def __init__(self, size: int, domains: dict[int, int]) -> None:
        self.size = size
        self.domains = domains  # by free chips

    @classmethod
    def of(cls, free: FreeChips) -> "Bins":
        """The domains of a pool."""
        return cls(free.domain_chips, {level: mask.bit_count() for level, mask in free.levels(1)})

    def pack(self, chips: int, most: int) -> int:
        """Seat gangs as `pack` does one after the other, up to `most`; how many found a seat."""
        if chips <= self.size:
            return self._pack_small(chips, most)
        whole, rest = divmod(chips, self.size)
        found = 0
        while found < most and self.domains.get(self.size, 0) >= whole:
            self.domains[self.size] -= whole
            if rest and not self._pack_small(rest, 1):
                self.domains[self.size] += whole
                break
            found += 1
        return found

    def _pack_small(self, chips: int, most: int) -> int:
        domains, found = self.domains, 0
        for level in sorted([level for level in domains if level >= chips]):
            each, count = level // chips, domains[level]
            full = min(count, (most - found) // each)
            self._move(level, level - each * chips, full)
            found += full * each
            if full < count:  # the last one takes what is left
                if found < most:
                    self._move(level, level - (most - found) * chips, 1)
                return most
        return found

    def _move(self, level: int, to: int, count: int) -> None:
        self.domains[level] -= count
        self.domains[to] = self.domains.get(to, 0) + count
