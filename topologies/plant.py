"""The plant: what a scenario builds, without anything that changes during a run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from scenarios.schema import PLAIN
from scenarios.workload import Level, Malleable
from topologies.free import FreeChips
from topologies.headroom import UNLIMITED_NW, Headroom
from topologies.levels import Within, told_apart, unit_chips
from topologies.limits import Limit
from topologies.network import Network
from topologies.power import NW_PER_W
from topologies.shape import Shape as Shape

Admit: TypeAlias = Callable[[int, int], int]
"""(draw at full speed, draw under the lowest cap) -> what of it counts when a job starts [nW a chip]."""
Prefer: TypeAlias = Callable[["Plant", int, int, int], float]
"""(plant, class, pool, chips) -> a number; the pool with the lowest is tried first."""
NO_FEED = "draws more than the feed has for jobs"
NO_SPLIT = "its parallelism does not divide the gang"
IN_UNIT = ", and the largest that it may use has"


def full(draw_nw: int, _least_nw: int) -> int:
    """Admit at full speed only."""
    return draw_nw


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
    rental_usd_per_s: float | None = None  # of a chip; nothing for plain processors
    node_chips: int = 0  # of a host; 0 for plain processors

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
    pace_s: seconds a unit of work on one chip. smallest: the fewest chips that hold its model.
    draw_nw: what a busy chip at full speed draws more at its rack's input [nW], of which a cap can take range_nw away.
    floor: the lowest cap as a fraction of that range. exponent: k of the cap law. value: worth of a chip-second.
    defer_up_to_s: how long a job may be held for a better hour, None for the policy's deadline.
    peak_to_mean: planning peak of the draw over its mean. priority: higher goes first, where the order asks for it.
    malleable: the sizes in which its gangs may run.
    within: the units that its gangs may have to sit in, None for anywhere.
    """

    stacks: tuple[str, ...]  # the class's own, the first one is where jobs that are not portable run
    pool_stacks: tuple[str | None, ...]
    pace_s: tuple[float, ...]
    per_gang: bool  # more chips do the work faster (tokens), or hold for the same time (run times)
    smallest: tuple[int, ...]
    draw_nw: tuple[int, ...]
    busy_w: tuple[float, ...]  # what a busy chip itself draws, with its host share, before conversion
    span_w: tuple[float, ...]  # of this what a cap can take away: demand less idle
    range_nw: tuple[int, ...]
    floor: tuple[float, ...]
    exponent: float = 1.0
    value: float = 1.0
    defer_up_to_s: float | None = None
    peak_to_mean: float = 1.0
    priority: int = 0
    malleable: Malleable | None = None
    within: Within | None = None

    def least_nw(self, pool: int) -> int:
        """What a busy chip draws more at its rack's input under the lowest cap [nW]."""
        return self.draw_nw[pool] - self.range_nw[pool] + int(self.floor[pool] * self.range_nw[pool])


@dataclass(frozen=True, slots=True)
class Battery:
    """Storage at the feed, in SI units; what the fields mean stands in the scenario's keys."""

    energy_j: float
    power_w: float
    round_trip: float
    ramp_w_per_s: float  # infinite where it takes up load at once
    initial_j: float
    reserve_j: float
    charge_w: float


@dataclass(frozen=True, slots=True)
class Site:
    """The feed: what the meter adds to the IT draw, and the highest cap of the contract, None where there is none.

    proportional: without what hot weather adds; SiteSteps has that.
    """

    cap_w: float | None
    fixed_w: float
    proportional: float
    other_it_w: float
    battery: Battery | None = None
    rack_boot_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Plant:
    """All pools in the order of the scenario's fleet, the plans of all classes in its order, and the limits."""

    pools: tuple[Pool, ...]
    plans: tuple[ClassPlan, ...]
    site: Site
    it_cap_nw: int | None  # the most that is ever left for IT in a run, as far as every seed has it
    limits: tuple[Limit, ...]
    network: Network | None = None
    draws: bool = field(init=False)  # whether power is accounted; plain processors draw none, a site around them may
    growing: tuple[int, ...] = field(init=False)  # pools that are not all there from the start
    rack_chips: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Derive what the run asks for at every instant."""
        growing = [at for at, pool in enumerate(self.pools) if [time_s for time_s, _ in pool.deliveries] != [0.0]]
        object.__setattr__(self, "draws", self.site.cap_w is not None or any(pool.powered for pool in self.pools))
        object.__setattr__(self, "growing", tuple(growing))
        object.__setattr__(self, "rack_chips", tuple(pool.chips // pool.racks for pool in self.pools))

    @property
    def chips(self) -> int:
        """Chips of all pools when all racks are delivered."""
        return sum(pool.chips for pool in self.pools)

    def free_chips(self, present: bool = False) -> list[FreeChips]:
        """The free-capacity indexes by pool, with no rack delivered yet or all of them."""
        segments = (None,) * len(self.pools) if self.network is None else self.network.segments
        return [
            FreeChips(pool.domains, pool.domain_chips, present, node_chips=nodes)
            if segment is None
            else segment.free_chips(present, nodes)
            for pool, segment, nodes in zip(self.pools, segments, told_apart(self.pools, self.plans), strict=True)
        ]

    def unit_chips(self, pool: int, level: Level) -> int:
        """Chips of the largest unit of a level in a pool."""
        return unit_chips(self.pools[pool], None if self.network is None else self.network.segments[pool], level)

    def headroom(self) -> Headroom:
        """The power left under every limit with all racks off."""
        feed = None if self.it_cap_nw is None else self.it_cap_nw - round(self.site.other_it_w * NW_PER_W)
        return Headroom(feed, self.limits)

    def left_for(self, pool: int, chips: int, powered: Sequence[int]) -> int:
        """What a gang may draw at most [nW]: the highest cap less the idle draw of the powered racks and of its own."""
        if self.it_cap_nw is None:
            return UNLIMITED_NW
        always_nw = round(self.site.other_it_w * NW_PER_W)
        racks = -(-chips // self.rack_chips[pool])
        for at, of in enumerate(self.pools):
            always_nw += of.idle_nw * (max(powered[at], racks) if at == pool else powered[at])
        return self.it_cap_nw - always_nw

    @property
    def racks_at_start(self) -> list[int]:
        """Racks of each pool that are delivered at time 0 and whose idle draw fits under the highest cap."""
        racks, left_nw = list[int](), self.headroom().feed_nw
        for pool in self.pools:
            there = sum(count for time_s, count in pool.deliveries if time_s == 0)
            racks.append(min(there, max(0, left_nw) // pool.idle_nw) if pool.idle_nw else there)
            left_nw -= racks[-1] * pool.idle_nw
        return racks

    def suits(self, job_class: int, pool: int, chips: int) -> bool:
        """Whether a class can split its work over so many chips."""
        speed = None if self.network is None else self.network.speeds[job_class][pool]
        return speed is None or speed.suits(chips)

    def planned_pace_s(self, job_class: int, pool: int, chips: int) -> float:
        """Seconds a unit of work of a gang, at its best seat where there is a network."""
        if self.network is not None:
            pace_s = self.network.planned_pace_s(job_class, pool, chips)
            if pace_s is not None:
                return pace_s
        plan = self.plans[job_class]
        return plan.pace_s[pool] / (chips if plan.per_gang else 1)

    def shape(
        self, job_class: int, chips: int, portable: bool, admit: Admit = full, prefer: Prefer | None = None
    ) -> Shape | str:
        """What a gang of a class and size needs, or the reason why no pool could ever hold it.

        admit: what of a chip's draw counts when it starts. prefer: pools with the lowest number come first.
        """
        plan = self.plans[job_class]
        allowed = plan.stacks if portable else plan.stacks[:1]
        able = [
            at for at, stack in enumerate(plan.pool_stacks) if stack is not None and (not allowed or stack in allowed)
        ]
        wide = [at for at in able if chips <= self.pools[at].chips]
        if not wide:
            return "larger than every pool it may use"
        required = None if plan.within is None else plan.within.required
        if required is not None:
            most = max([self.unit_chips(at, required) for at in able])
            wide = [at for at in wide if chips <= self.unit_chips(at, required)]
            if not wide:
                return f"its class requires one {required}{IN_UNIT} {most} chips"
        deep = [at for at in wide if chips >= plan.smallest[at]]
        if not deep:
            return "its model does not fit into the gang's HBM"
        draw_nw = {at: admit(plan.draw_nw[at], plan.least_nw(at)) for at in deep}
        deep = [at for at in deep if self.suits(job_class, at, chips)]
        if not deep:
            return NO_SPLIT
        powered = self.racks_at_start
        fed = [at for at in deep if chips * draw_nw[at] <= self.left_for(at, chips, powered)]
        if not fed:
            return NO_FEED
        if prefer is not None:
            fed.sort(key=lambda at: prefer(self, job_class, at, chips))
        return Shape(
            tuple(fed),
            chips,
            tuple([self.planned_pace_s(job_class, at, chips) for at in fed]),
            tuple([draw_nw[at] for at in fed]),
            within=plan.within,
        )
