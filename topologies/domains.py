"""A pool's scale-up domains as collectives see them, and where a gang sits in them. Pure functions of plain numbers."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from scenarios.hardware import InterconnectEntry
from topologies.boxes import Box
from topologies.collectives import Group, ScaleOut, ScaleUp
from topologies.slices import Slice, box, switched
from topologies.tori import Torus, boxes, extents_of


class Seat(NamedTuple):
    """What of a gang's placement decides how fast it exchanges data.

    block: the largest number of chips of which every slice holds a whole number. sides: of the worst slice's box in a
    torus, empty behind switches, zeros where the slice is no box. level: how far the gang reaches, 0 in a domain, 1
    under the same leaves, 2 in a pod, 3 beyond. least: chips of the smallest slice. under, in_pod: chips in the group
    of leaves, and in the pod, that hold most of them.
    """

    chips: int
    domains: int
    block: int
    sides: tuple[int, ...]
    level: int
    least: int
    under: int
    in_pod: int


class Uplinks(NamedTuple):
    """What the links up from a group of leaves, and from a pod, carry, and what a chip can send [bytes/s]."""

    group_bytes_per_s: float
    pod_bytes_per_s: float
    nic_bytes_per_s: float

    def share(self, seat: Seat, crossing: Callable[[int], float]) -> float:
        """The part of its NICs' bandwidth that a gang which is alone can use [1].

        crossing: of so many of its chips in a group of leaves or a pod, those whose NICs are busy with what leaves it.
        """
        share = 1.0
        if seat.level >= 2:
            share = min(share, self.group_bytes_per_s / max(1.0, self.nic_bytes_per_s * crossing(seat.under)))
        if seat.level == 3:
            share = min(share, self.pod_bytes_per_s / max(1.0, self.nic_bytes_per_s * crossing(seat.in_pod)))
        return share


@dataclass(frozen=True)
class Domain:
    """The domains of a pool: chips behind a switch (bytes/s of each) or in a torus, and what a chip can send outside.

    nic_bytes_per_s: a chip's part of the domain's NICs, one direction.
    """

    chips: int
    bytes_per_s: float
    torus: Torus | None
    nic_bytes_per_s: float
    up: ScaleUp
    out: ScaleOut

    @classmethod
    def of(cls, entry: InterconnectEntry, chips: int, link_bytes_per_s: float | None = None) -> "Domain":
        """The domains of a rack; link_bytes_per_s: of a NIC, by default the rack's own."""
        up, out = entry.scale_up, entry.scale_out
        return cls(
            chips,
            entry.bandwidth or 0.0,
            Torus(tuple(entry.sides), tuple(entry.links or ())) if entry.sides else None,
            entry.nics * (link_bytes_per_s or entry.nic_bandwidth) / chips,
            ScaleUp(
                *(up.base, up.ring_step, up.tree_step, up.ring_efficiency, up.switch, up.switch_efficiency),
                *(up.switch_from, up.ring_efficiency_2, up.ring_efficiency_4),
                *(up.all_to_all_efficiency, up.all_to_all_efficiency_2, up.all_to_all_efficiency_4),
                *(up.short_base, up.short_step),
            ),
            ScaleOut(
                out.base, out.ring_step, out.tree_step, out.post, out.ring_efficiency, out.hierarchical_efficiency
            ),
        )

    def group(self, ranks: int, stride: int, seat: Seat, share: float) -> Group:
        """Chips that nest in larger groups: ranks, of which one in stride chips counts, in a gang's seat.

        As many as are whole in every slice are in one domain. share: of the NICs' bandwidth that is left [1].
        """
        inside = math.gcd(ranks, max(1, seat.block // stride) if seat.block % stride == 0 else 1)
        return Group(ranks // inside, self.slice(inside, seat.sides), share * self.nic_bytes_per_s, self.up, self.out)

    def ring(self, ranks: int, stride: int, seat: Seat, share: float) -> Group:
        """Chips that need not nest: as many as the smallest slice holds count in each domain, as in group."""
        inside = min(ranks, max(1, seat.least // stride))
        domains = -(-ranks // inside)
        return Group(domains, self.slice(inside, seat.sides), share * self.nic_bytes_per_s, self.up, self.out)

    def slice(self, chips: int, sides: tuple[int, ...]) -> Slice:
        """So many chips of a domain: behind the switch, or in the best box within those sides; else in a line."""
        torus = self.torus
        if torus is None:
            return switched(chips, self.bytes_per_s)
        known = self._slices.get((chips, sides))
        if known is None:
            found = [_sent(torus, inner) for inner in _boxes(chips, sides)]
            line = box([chips], [False], [min(torus.link_bytes_per_s)])
            known = max([*found, line], key=lambda one: (one.ring_bytes_per_s, one.all_to_all_bytes_per_s))
            self._slices[chips, sides] = known
        return known

    def best_sides(self, chips: int) -> tuple[int, ...]:
        """The sides of the best box of so many chips; zeros where there is none, empty behind switches."""
        if self.torus is None:
            return ()
        found = boxes(self.torus, chips)
        return found[0][1] if found else (0,) * len(self.torus.sides)

    def sides_of(self, slices: Sequence[int]) -> tuple[int, ...]:
        """The sides of the worst of some slices; zeros where its chips are no box, empty behind switches."""
        if self.torus is None:
            return ()
        return min({self._sides(chips) for chips in slices}, key=self._worth)

    def _sides(self, chips: int) -> tuple[int, ...]:
        if self.torus is None or not isinstance(chips, Box):
            return self.best_sides(chips)
        return extents_of(self.torus, chips.mask) or (0,) * len(self.torus.sides)

    def _worth(self, sides: tuple[int, ...]) -> tuple[float, float]:
        if self.torus is None or not all(sides):
            return 0.0, 0.0
        found = _sent(self.torus, sides)
        return found.ring_bytes_per_s, found.all_to_all_bytes_per_s

    @cached_property
    def _slices(self) -> dict[tuple[int, tuple[int, ...]], Slice]:
        return {}


def even_part(chips: int, domain_chips: int) -> int | None:
    """The equal parts of a gang in few domains, None where whole domains and a rest serve better.

    They serve where a part is a whole number of the blocks that whole domains and the rest have in common, and takes at
    most an eighth more domains: 1024 chips over domains of 72 are 16 parts of 64 and not 14 of 72 and one of 16.
    """
    fewest = -(-chips // domain_chips)
    common = math.gcd(domain_chips, chips % domain_chips)
    for domains in range(fewest, fewest + fewest // 8 + 1):
        part, left = divmod(chips, domains)
        if not left and part % common == 0:
            return part
    return None


def _sent(torus: Torus, sides: tuple[int, ...]) -> Slice:
    wraps = [side == whole for side, whole in zip(sides, torus.sides, strict=True)]
    return box(sides, wraps, torus.link_bytes_per_s)


def _boxes(chips: int, sides: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The sides of all boxes of so many chips within others."""
    if not sides:
        if chips == 1:
            yield ()
        return
    for side in range(1, sides[0] + 1):
        if chips % side == 0:
            for rest in _boxes(chips // side, sides[1:]):
                yield (side, *rest)
