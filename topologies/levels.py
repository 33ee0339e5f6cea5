"""The levels of a pool at which a gang may have to sit in one unit: a node, a scale-up domain, the domains of a leaf.

Which units there are and where a gang lies in one; not which one is best: that is policies/within.py.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from scenarios.workload import Level
from topologies.boxes import Box
from topologies.free import FreeChips, Placement, domain_bits

if TYPE_CHECKING:
    from topologies.network import Segment
    from topologies.plant import ClassPlan, Pool


class Within(NamedTuple):
    """In one unit of which level the gangs of a class have to sit, and in one of which they do if there is one free."""

    required: Level | None = None
    preferred: Level | None = None

    @property
    def spread(self) -> "Within | None":
        """Where a gang may sit that finds no place in one node or domain and only prefers it, one leaf first.

        None for a gang that may not leave a domain, or says nothing of one.
        """
        if self.preferred not in ("node", "domain") or self.required not in (None, "leaf"):
            return None
        return Within("leaf") if self.required else Within(preferred="leaf")


def unit_chips(pool: "Pool", segment: "Segment | None", level: Level) -> int:
    """Chips of the largest unit of a level in a pool with that fabric."""
    group = pool.domains if segment is None else segment.form.group
    sizes = {"node": pool.node_chips, "domain": pool.domain_chips, "leaf": group * pool.domain_chips}
    return min(sizes[level], pool.chips)


def told_apart(pools: Sequence["Pool"], plans: Sequence["ClassPlan"]) -> list[int]:
    """Chips of a node by pool, 0 where no class that may use the pool asks for one."""
    ask = [plan.pool_stacks for plan in plans if plan.within is not None and "node" in plan.within]
    return [pool.node_chips if any(stacks[at] is not None for stacks in ask) else 0 for at, pool in enumerate(pools)]


def in_domain(free: FreeChips, level: Level) -> bool:
    """Whether a unit of a level is a domain or less in this pool."""
    return level == "domain" or (level == "node" and free.node_domains == 1)


def inside(free: FreeChips, placement: Placement, level: Level) -> bool:
    """Whether a placement lies in one unit of a level."""
    if level == "node" and free.boxes is not None and free.boxes.nodes is not None:
        return len(placement) == 1 and len(free.boxes.by_node(placement)) == 1
    if len(placement) == 1:
        return True
    if in_domain(free, level):
        return False
    if level == "node":
        return len({domain // free.node_domains for domain, _ in placement}) == 1
    bits = domain_bits(placement)
    return not free.groups or any(not bits & ~group for group in free.groups)


def may_hold(free: FreeChips, level: Level, chips: int, part: int, avoid: int) -> bool:
    """Whether a unit of a level has the chips for a gang; as in units, to be asked before a place is looked for."""
    if level == "node" and free.nodes is not None:
        return free.nodes.fullest(chips) >= 0
    if in_domain(free, level):
        return free.fullest(chips, avoid) >= 0
    return bool(_wide_units(free, level, chips, part, avoid, False))


def units(
    free: FreeChips, level: Level, chips: int, part: int, avoid: int, emptiest: bool
) -> Iterator[tuple[FreeChips, int]]:
    """(free chips, domains to avoid) to look for a gang of so many chips in each unit that may hold it.

    The unit with the fewest free chips comes first, or with the most; ties go to the lowest index. part: the fewest
    chips that the gang has in a domain; domains with fewer free ones do not count. avoid: domains to avoid anyway.
    """
    every = (1 << free.domains) - 1
    if level == "node" and free.nodes is not None:
        yield from _nodes(free, free.nodes, chips, avoid, emptiest)
    elif in_domain(free, level):
        for domain in _by_level(free, chips, avoid, emptiest):
            yield free, every ^ 1 << domain
    else:
        for unit in _wide_units(free, level, chips, part, avoid, emptiest):
            yield free, every & ~unit | avoid


def _by_level(free: FreeChips, chips: int, avoid: int, emptiest: bool) -> Iterator[int]:
    """The domains with so many free chips, or the nodes of an index of nodes."""
    levels = list(free.levels(chips, avoid))
    for _, domains in reversed(levels) if emptiest else levels:
        left = domains
        while left:
            low = left & -left
            yield low.bit_length() - 1
            left ^= low


def _nodes(
    free: FreeChips, nodes: FreeChips, chips: int, avoid: int, emptiest: bool
) -> Iterator[tuple[FreeChips, int]]:
    """The domain of each node, where slices lie in the fullest node anyway; in a torus with no chips of other nodes."""
    every, node_chips = (1 << free.domains) - 1, nodes.domain_chips
    of_domain = free.domain_chips // node_chips
    for node in _by_level(nodes, chips, 0, emptiest):
        domain, at = divmod(node, of_domain)
        if free.boxes is None or avoid >> domain & 1:
            continue
        only = free
        others = free.boxes.chips[domain] & ~(((1 << node_chips) - 1) << at * node_chips)
        if others and free.boxes.torus is not None:
            only = free.copy()
            only.take(((domain, Box(others.bit_count(), others)),))
        yield only, every ^ 1 << domain


def _wide_units(free: FreeChips, level: Level, chips: int, part: int, avoid: int, emptiest: bool) -> list[int]:
    """The units of several domains that have so many chips in domains with a part's chips free, as bits."""
    levels = list(free.levels(part, avoid))
    if sum([have * domains.bit_count() for have, domains in levels]) < chips:
        return []
    size = free.node_domains
    if level == "node":
        groups: tuple[int, ...] = tuple([((1 << size) - 1) << at for at in range(0, free.domains, size)])
    else:
        groups = free.groups or ((1 << free.domains) - 1,)
    found = [0] * len(groups)
    for have, domains in levels:
        for at, group in enumerate(groups):
            found[at] += have * (domains & group).bit_count()
    order = sorted([(-have if emptiest else have, at) for at, have in enumerate(found) if have >= chips])
    return [groups[at] for _, at in order]
