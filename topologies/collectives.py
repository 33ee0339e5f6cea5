"""How long collective operations take: all-reduce, all-gather, reduce-scatter, all-to-all. Pure functions.

Each time is a latency and a bandwidth term. docs/collectives.md says how far they are from measurements. What a chip
can send is not known here: topologies/slices.py says it for a domain; across domains it is given as bytes/s.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from topologies.slices import Slice

_SHORT_SHARE = 0.5  # of the bytes on a link: a flag of 4 bytes goes with every 4, which saves waiting


@dataclass(frozen=True, slots=True)
class ScaleUp:
    """The constants of the links inside a domain.

    base_s: before the first step. ring_step_s, tree_step_s: one step. ring_efficiency: bytes in a ring over the line
    rate [1]. switch_s: latency of an all-reduce that the switches add up, base included; switch_efficiency: its bus
    bandwidth over the line rate [1], above 1 where adding up saves bytes, 0 where the switches cannot; switch_from: for
    so many chips and more. all_to_all_efficiency: bytes in an all-to-all over the line rate [1], None for that of a
    ring. Efficiencies are those of 8 chips and more; those of 2 and of 4 may be others, None for the next larger ones.
    short_base_s, short_step_s: base and step of a ring for short buffers, of whose bytes half are flags; a step of 0
    where there is none.
    """

    base_s: float
    ring_step_s: float
    tree_step_s: float
    ring_efficiency: float
    switch_s: float = 0.0
    switch_efficiency: float = 0.0
    switch_from: int = 2
    ring_efficiency_2: float | None = None
    ring_efficiency_4: float | None = None
    all_to_all_efficiency: float | None = None
    all_to_all_efficiency_2: float | None = None
    all_to_all_efficiency_4: float | None = None
    short_base_s: float = 0.0
    short_step_s: float = 0.0

    def ring(self, chips: int) -> float:
        """Bytes in a ring of so many chips over the line rate [1]."""
        return _by_chips(chips, self.ring_efficiency_2, self.ring_efficiency_4, self.ring_efficiency)

    def all_to_all(self, chips: int) -> float:
        """Bytes in an all-to-all of so many chips over the line rate [1]."""
        if self.all_to_all_efficiency is None:
            return self.ring(chips)
        return _by_chips(chips, self.all_to_all_efficiency_2, self.all_to_all_efficiency_4, self.all_to_all_efficiency)

    def adds_up(self, chips: int) -> bool:
        """Whether switches add up for so many chips."""
        return self.switch_efficiency > 0 and chips >= self.switch_from


def _by_chips(chips: int, pair: float | None, four: float | None, more: float) -> float:
    """An efficiency known for 2, 4 and 8 chips, in straight lines over log2 of the chips between them [1]."""
    four = more if four is None else four
    pair = four if pair is None else pair
    if chips <= 2:
        return pair
    if chips >= 8:
        return more
    doublings = math.log2(chips)
    return pair + (doublings - 1) * (four - pair) if chips <= 4 else four + (doublings - 2) * (more - four)


@dataclass(frozen=True, slots=True)
class ScaleOut:
    """The constants of the network across domains.

    base_s: before the first step. ring_step_s, tree_step_s: one step. post_s: to post one message. ring_efficiency:
    bytes over the line rate in a ring, a tree or all-to-all [1]; hierarchical_efficiency: in hierarchical ones [1].
    """

    base_s: float
    ring_step_s: float
    tree_step_s: float
    post_s: float
    ring_efficiency: float
    hierarchical_efficiency: float


@dataclass(frozen=True, slots=True)
class Group:
    """Chips that run a collective together: equal slices of one or more domains.

    nic_bytes_per_s: what each chip can send across domains, one direction; any number in one domain.
    """

    domains: int
    slice: Slice
    nic_bytes_per_s: float
    up: ScaleUp
    out: ScaleOut

    @property
    def ranks(self) -> int:
        """All chips."""
        return self.domains * self.slice.chips

    @property
    def base_s(self) -> float:
        """The time before the first step [s]: of the network where the group crosses it."""
        return self.up.base_s if self.domains == 1 else self.out.base_s

    @property
    def ring_bytes_per_s(self) -> float:
        """What a ring or a tree over all chips moves [bytes/s]: the least of the links in a domain and its NICs."""
        rates = []
        if self.slice.chips > 1:
            rates.append(self.up.ring(self.slice.chips) * self.slice.ring_bytes_per_s)
        if self.domains > 1:
            rates.append(self.out.ring_efficiency * self.slice.chips * self.nic_bytes_per_s)
        return min(rates, default=math.inf)


def ring_all_reduce_s(size_bytes: float, group: Group) -> float:
    """Time of an all-reduce in a ring over all chips [s].

    t = base + 2 (L s a_up + (L-1) a_out) + 2 (n-1)/n S/B, with L domains of m chips, n = L m, and s steps in a slice
    (m-1 behind a switch). Across domains the ring runs on every rail: B = min(B_up, m B_nic), each with its efficiency.
    In one domain short buffers go with short_base, short_step and B/2 where that is faster.
    Source: NVIDIA/nccl-tests doc/PERFORMANCE.md; latency NVIDIA/nccl src/graph/tuning.cc.
    """
    return _ring_s(2, size_bytes, group)


def tree_all_reduce_s(size_bytes: float, group: Group) -> float:
    """Time of an all-reduce in two trees, up and down, with a chain or the switches in each domain [s].

    t = base + 2 (s a_up + log2(L) a_out) + 2 S/B, with B as for the ring. With the switches, 2 s a_up becomes
    switch_s, and B_up carries 2 (m-1)/m S.
    Source: NVIDIA/nccl src/graph/tuning.cc; Sanders, Speck and Traeff, Two-tree algorithms for full bandwidth
    broadcast, reduction and scan, Parallel Computing 35 (2009).
    """
    if group.ranks == 1:
        return 0.0
    steps_s = 2 * math.log2(group.domains) * group.out.tree_step_s
    chain_s = 2 * group.slice.steps * group.up.tree_step_s + 2 * size_bytes / group.ring_bytes_per_s
    if group.domains == 1 or not _switches(group):
        return group.base_s + steps_s + chain_s
    rails_s = 2 * size_bytes / (group.out.ring_efficiency * group.slice.chips * group.nic_bytes_per_s)
    return group.base_s + steps_s + min(chain_s, group.up.switch_s + max(_in_switches_s(size_bytes, group), rails_s))


def switch_all_reduce_s(size_bytes: float, group: Group) -> float:
    """Time of an all-reduce that the switches of one domain add up [s]; infinite where they cannot.

    t = switch_s + 2 (m-1)/m S / (B_up efficiency).
    Source: latency NVIDIA/nccl src/graph/tuning.cc (NVLS); the efficiency is fitted.
    """
    if group.ranks == 1:
        return 0.0
    if group.domains > 1 or not _switches(group):
        return math.inf
    return group.up.switch_s + _in_switches_s(size_bytes, group)


def hierarchical_all_reduce_s(size_bytes: float, group: Group) -> float:
    """Time of an all-reduce that reduces in each domain, then across domains chip by chip, and gathers again [s].

    t = base + 2 (s a_up + (L-1) a_out) + max(2 (m-1)/m S/B_up, 2 (L-1)/L (S/m)/B_nic): the phases overlap. Inside a
    domain in rings, or in the switches (switch_s for 2 s a_up) where that is faster. In one domain it is the ring.
    Source: NVIDIA/nccl-tests doc/PERFORMANCE.md for each phase; Cho et al., BlueConnect, MLSys 2019, for the phases.
    """
    return _hierarchical_s(2, size_bytes, group)


ALL_REDUCES: dict[str, Callable[[float, Group], float]] = {
    "ring": ring_all_reduce_s,
    "tree": tree_all_reduce_s,
    "switch": switch_all_reduce_s,
    "hierarchical": hierarchical_all_reduce_s,
}


def cheapest_all_reduce(size_bytes: float, group: Group) -> tuple[str, float]:
    """The fastest algorithm for a buffer of each chip [bytes] and its time [s]; of equals the first of ALL_REDUCES."""
    times = {name: time_s(size_bytes, group) for name, time_s in ALL_REDUCES.items()}
    name = min(times, key=times.__getitem__)
    return name, times[name]


def all_reduce_s(size_bytes: float, group: Group) -> float:
    """Time of an all-reduce by the fastest algorithm [s]."""
    return cheapest_all_reduce(size_bytes, group)[1]


def all_gather_s(size_bytes: float, group: Group) -> float:
    """Time until every chip has the whole buffer, of which each had a part [s]; size_bytes is the whole.

    The faster of a ring over all chips and the hierarchical way, with (n-1)/n for the all-reduce's 2 (n-1)/n and one
    step for two. Source: NVIDIA/nccl-tests doc/PERFORMANCE.md.
    """
    return min(_ring_s(1, size_bytes, group), _hierarchical_s(1, size_bytes, group))


def reduce_scatter_s(size_bytes: float, group: Group) -> float:
    """Time until every chip has its part of the sum of all buffers [s]: an all-gather backwards, as long as one."""
    return all_gather_s(size_bytes, group)


def all_to_all_s(size_bytes: float, group: Group) -> float:
    """Time until every chip has sent an equal part of its buffer to each chip [s], as experts exchange tokens.

    In a domain t = base + a_up + (n-1)/n S/B_up. Across domains, all messages at once, each posted on its own:
    t = base + a_out + (n-m) post + max((m-1)/n S/B_up, (n-m)/n S/B_nic).
    Source: NVIDIA/nccl-tests doc/PERFORMANCE.md; post: NVIDIA/nccl src/graph/tuning.cc (net overhead).
    """
    ranks, chips = group.ranks, group.slice.chips
    if ranks == 1:
        return 0.0
    inside_bytes_per_s = group.up.all_to_all(chips) * group.slice.all_to_all_bytes_per_s
    inside_s = (chips - 1) / ranks * size_bytes / inside_bytes_per_s
    if group.domains == 1:
        return group.base_s + group.up.ring_step_s + inside_s
    away = ranks - chips
    across_s = away / ranks * size_bytes / (group.out.ring_efficiency * group.nic_bytes_per_s)
    return group.base_s + group.out.ring_step_s + away * group.out.post_s + max(inside_s, across_s)


def bus_bytes_per_s(size_bytes: float, time_s: float, ranks: int, passes: int) -> float:
    """Bus bandwidth [bytes/s]: S/t passes (n-1)/n, passes 2 for an all-reduce and 1 for the others.

    Source: NVIDIA/nccl-tests doc/PERFORMANCE.md.
    """
    return size_bytes / time_s * passes * (ranks - 1) / ranks


def _ring_s(passes: int, size_bytes: float, group: Group) -> float:
    ranks, domains = group.ranks, group.domains
    if ranks == 1:
        return 0.0
    steps_s = domains * group.slice.steps * group.up.ring_step_s + (domains - 1) * group.out.ring_step_s
    sending_s = (ranks - 1) / ranks * size_bytes / group.ring_bytes_per_s
    long_s = group.base_s + passes * (steps_s + sending_s)
    if domains > 1 or not group.up.short_step_s:
        return long_s
    short_steps_s = group.slice.steps * group.up.short_step_s
    return min(long_s, group.up.short_base_s + passes * (short_steps_s + sending_s / _SHORT_SHARE))


def _hierarchical_s(passes: int, size_bytes: float, group: Group) -> float:
    domains, chips = group.domains, group.slice.chips
    if domains == 1:
        return _ring_s(passes, size_bytes, group)
    across_bytes_per_s = group.out.hierarchical_efficiency * group.nic_bytes_per_s
    across_s = passes * (domains - 1) / domains * size_bytes / chips / across_bytes_per_s
    steps_s = passes * (domains - 1) * group.out.ring_step_s
    return (
        group.base_s
        + steps_s
        + min(latency_s + max(inside_s, across_s) for latency_s, inside_s in _inside(passes, size_bytes, group))
    )


def _inside(passes: int, size_bytes: float, group: Group) -> Iterator[tuple[float, float]]:
    """The ways to reduce and gather in each domain: latency [s] and time of the bytes [s]."""
    chips = group.slice.chips
    if chips == 1:
        yield 0.0, 0.0
        return
    rate = group.up.ring(chips) * group.slice.ring_bytes_per_s
    yield passes * group.slice.steps * group.up.ring_step_s, passes * (chips - 1) / chips * size_bytes / rate
    if passes == 2 and _switches(group):
        yield group.up.switch_s, _in_switches_s(size_bytes, group)


def _switches(group: Group) -> bool:
    return group.slice.chips > 1 and group.up.adds_up(group.slice.chips)


def _in_switches_s(size_bytes: float, group: Group) -> float:
    chips = group.slice.chips
    rate = group.up.switch_efficiency * group.slice.ring_bytes_per_s
    return 2 * (chips - 1) / chips * size_bytes / rate
