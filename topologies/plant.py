"""The plant: what a scenario builds, without anything that changes during a run."""

from dataclasses import dataclass, field
from typing import ClassVar
from weakref import WeakValueDictionary

from scenarios.schema import PLAIN
from topologies.free import FreeChips
from topologies.headroom import UNLIMITED_NW, Headroom
from topologies.limits import Limit
from topologies.power import NW_PER_W


class Shape:
    """What gangs of one class and size need, for each pool they may use, by position.

    pools: positions in the plant. chips: the gang's size. pace_s: seconds a unit of work. draw_nw: what one chip draws
    more at its rack's input when busy [nW]. Equal shapes are one object, so that a queue of shapes looks them up at
    the cost of an address.
    """

    __slots__ = ("__weakref__", "chips", "draw_nw", "pace_s", "pools")
    _known: ClassVar["WeakValueDictionary[tuple[object, ...], Shape]"] = WeakValueDictionary()

    pools: tuple[int, ...]
    chips: int
    pace_s: tuple[float, ...]
    draw_nw: tuple[int, ...]

    def __new__(
        cls, pools: tuple[int, ...], chips: int, pace_s: tuple[float, ...], draw_nw: tuple[int, ...]
    ) -> "Shape":
        """The shape of these needs."""
        key = (pools, chips, pace_s, draw_nw)
        shape = cls._known.get(key)
        if shape is None:
            shape = object.__new__(cls)
            shape.pools, shape.chips, shape.pace_s, shape.draw_nw = key
            cls._known[key] = shape
        return shape

    def __repr__(self) -> str:
        """The shape as it was made."""
        return f"Shape({self.pools}, {self.chips}, {self.pace_s}, {self.draw_nw})"

    def pace_in(self, pool: int) -> float:
        """Seconds a unit of work in a pool of this shape."""
        return self.pace_s[self.pools.index(pool)]

    def gang_nw(self, pool: int) -> int:
        """What the whole gang draws more in a pool of this shape [nW]."""
        return self.chips * self.draw_nw[self.pools.index(pool)]


@dataclass(frozen=True, slots=True)
class Pool:
    """Like racks under one name: `domains` scale-up domains of `domain_chips` chips each, when all are delivered.

    idle_nw: what a powered rack draws at its input with idle chips; of this chip_idle_w is each chip's own and hosts_w
    that of the rack's hosts, switches and fans, before conversion. deliveries: (time [s], racks), rising in time.
    """

    name: str
    rack: str
    accelerator: str
    racks: int
    domains: int
    domain_chips: int
    idle_nw: int
    chip_idle_w: float
    hosts_w: float
    deliveries: tuple[tuple[float, int], ...]

    @property
    def chips(self) -> int:
        """Chips of all racks."""
        return self.domains * self.domain_chips

    @property
    def powered(self) -> bool:
        """Whether the pool draws power at all; plain processors do not."""
        return self.rack != PLAIN

    @property
    def domains_a_rack(self) -> int:
        """Scale-up domains in a rack."""
        return self.domains // self.racks


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """How the gangs of one job class may run.

    stacks: the class's own, empty where it may use every pool. pool_stacks: for each pool the stack it runs, None
    where the class cannot run (no such stack, no rate).
    pace_s: seconds a unit of work on one chip. smallest: the fewest chips that hold its model. draw_nw: as in Shape.
    """

    stacks: tuple[str, ...]  # the class's own, the first one is where jobs that are not portable run
    pool_stacks: tuple[str | None, ...]
    pace_s: tuple[float, ...]
    per_gang: bool  # more chips do the work faster (tokens), or hold for the same time (run times)
    smallest: tuple[int, ...]
    draw_nw: tuple[int, ...]
    busy_w: tuple[float, ...]  # what a busy chip itself draws, with its host share, before conversion


@dataclass(frozen=True, slots=True)
class Site:
    """The feed: what the meter adds to the IT draw, and the cap, None where there is none."""

    cap_w: float | None
    fixed_w: float
    proportional: float
    other_it_w: float


@dataclass(frozen=True, slots=True)
class Plant:
    """All pools in the order of the scenario's fleet, the plans of all classes in its order, and the limits."""

    pools: tuple[Pool, ...]
    plans: tuple[ClassPlan, ...]
    site: Site
    it_cap_nw: int | None
    limits: tuple[Limit, ...]
    draws: bool = field(init=False)  # whether anything draws power; plain processors do not
    growing: tuple[int, ...] = field(init=False)  # pools that are not all there from the start
    rack_chips: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Derive what the run asks for at every instant."""
        growing = [at for at, pool in enumerate(self.pools) if [time_s for time_s, _ in pool.deliveries] != [0.0]]
        object.__setattr__(self, "draws", any(pool.powered for pool in self.pools))
        object.__setattr__(self, "growing", tuple(growing))
        object.__setattr__(self, "rack_chips", tuple(pool.chips // pool.racks for pool in self.pools))

    @property
    def chips(self) -> int:
        """Chips of all pools when all racks are delivered."""
        return sum(pool.chips for pool in self.pools)

    def free_chips(self, present: bool = False) -> list[FreeChips]:
        """The free-capacity indexes by pool, with no rack delivered yet or all of them."""
        return [FreeChips(pool.domains, pool.domain_chips, present) for pool in self.pools]

    def headroom(self) -> Headroom:
        """The power left under every limit with all racks off."""
        feed = None if self.it_cap_nw is None else self.it_cap_nw - round(self.site.other_it_w * NW_PER_W)
        return Headroom(feed, self.limits)

    def _left_for(self, pool: int, chips: int) -> int:
        """What a gang may draw at most [nW]: the cap less what is always drawn, and its own racks' idle draw."""
        if self.it_cap_nw is None:
            return UNLIMITED_NW
        always_nw = round(self.site.other_it_w * NW_PER_W)
        racks = -(-chips // self.rack_chips[pool])
        for at, of in enumerate(self.pools):
            there = sum(count for time_s, count in of.deliveries if time_s == 0)
            always_nw += of.idle_nw * (max(there, racks) if at == pool else there)
        return self.it_cap_nw - always_nw

    def shape(self, job_class: int, chips: int, portable: bool) -> Shape | str:
        """What a gang of a class and size needs, or the reason why no pool could ever hold it."""
        plan = self.plans[job_class]
        allowed = plan.stacks if portable else plan.stacks[:1]
        able = [
            at for at, stack in enumerate(plan.pool_stacks) if stack is not None and (not allowed or stack in allowed)
        ]
        wide = [at for at in able if chips <= self.pools[at].chips]
        if not wide:
            return "larger than every pool it may use"
        deep = [at for at in wide if chips >= plan.smallest[at]]
        if not deep:
            return "its model does not fit into the gang's HBM"
        fed = [at for at in deep if chips * plan.draw_nw[at] <= self._left_for(at, chips)]
        if not fed:
            return "draws more than the feed has for jobs"
        share = chips if plan.per_gang else 1
        return Shape(
            tuple(fed),
            chips,
            tuple([plan.pace_s[at] / share for at in fed]),
            tuple([plan.draw_nw[at] for at in fed]),
        )
