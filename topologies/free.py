"""The free-capacity index of a pool: where do n chips fit, without looking at every domain.

A pool is a row of equal scale-up domains; a plain pool is one domain. For each number of free chips the
domains that have it are the bits of one whole number, so that "the lowest index with this much free"
costs a few machine words and a copy of the index costs about a microsecond for 8,000 chips.

Behind a switch all free chips of a domain are alike and a count says it all. In a torus they are not, nor where
somebody asks for chips of one node: there the index also knows which chips are free, and a slice is a Box.
"""

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_
from typing import TypeAlias

from topologies.boxes import FreeBoxes
from topologies.tori import Torus

Placement: TypeAlias = tuple[tuple[int, int], ...]
"""Chips of one gang: (domain, chips taken there) pairs."""

_new = object.__new__  # copies are made all the time
_MANY = 64  # positions from which on it is faster to look at every bit than for the lowest one each time


class FreeChips:
    """Free chips of one pool, by domain. Not a policy: it answers, takes and gives back.

    boxes: which chips they are where the domains are tori, or nodes are told apart in them; else None.
    """

    __slots__ = ("_by_domain", "_leaves", "_levels", "_masks", "boxes", "domain_chips", "free")

    def __init__(
        self,
        domains: int,
        domain_chips: int,
        present: bool = True,
        groups: Sequence[int] = (),
        pods: Sequence[int] = (),
        torus: Torus | None = None,
        node_chips: int = 0,
    ) -> None:
        """All chips free, or none of them there yet: then they come by give.

        groups and pods: the domains under the same leaves and under the same spines of a fabric, as bits; every domain
        is in one of them, or there are none. torus: the links of a domain where its chips are not alike. node_chips: of
        a node, where nodes are to be told apart; a domain is one node or some, or a node some domains. Raises
        ValueError for a torus of another size than the domains, for a domain in no group or pod, and for other nodes.
        """
        for leaves in (groups, pods):
            if leaves and (1 << domains) - 1 & ~reduce(or_, leaves):
                raise ValueError(
                    f"found {domains} domains, not all of them under a leaf; allowed: groups that hold all"
                )
        if torus is not None and torus.chips != domain_chips:
            raise ValueError(f"found a torus of {torus.chips} chips; allowed: the {domain_chips} of a domain")
        in_node = max(1, node_chips // domain_chips)
        if node_chips and domain_chips % node_chips and in_node * domain_chips != node_chips:
            raise ValueError(f"found nodes of {node_chips} chips; allowed: whole domains of {domain_chips}, or parts")
        free = domain_chips if present else 0
        fine = 0 < node_chips < domain_chips
        nodes = FreeChips(domains * domain_chips // node_chips, node_chips, present) if fine else None
        self.boxes: FreeBoxes | None = None
        if torus is not None or nodes is not None:
            self.boxes = FreeBoxes(torus, [(1 << free) - 1] * domains, domain_chips, nodes)
        self.domain_chips = domain_chips
        self.free = domains * free
        self._leaves = tuple(groups), tuple(pods), in_node
        self._by_domain = array("l", [free]) * domains
        self._masks = {free: (1 << domains) - 1}  # free chips -> domains, as bits
        self._levels = [free]  # the keys of _masks, rising

    def copy(self) -> "FreeChips":
        """An index of its own with the same free chips, to try things on."""
        twin: FreeChips = _new(FreeChips)
        boxes = self.boxes
        twin.boxes = boxes if boxes is None else boxes.copy()
        twin.domain_chips = self.domain_chips
        twin.free = self.free
        twin._leaves = self._leaves
        twin._by_domain = self._by_domain[:]
        twin._masks = self._masks.copy()
        twin._levels = self._levels[:]
        return twin

    @property
    def domains(self) -> int:
        """The domains of the pool, free or not."""
        return len(self._by_domain)

    @property
    def groups(self) -> tuple[int, ...]:
        """The domains of each leaf group, as bits; none where there is no network."""
        return self._leaves[0]

    @property
    def pods(self) -> tuple[int, ...]:
        """The domains of each pod, as bits; none where the fabric has no pods."""
        return self._leaves[1]

    @property
    def nodes(self) -> "FreeChips | None":
        """The same chips by node, where a domain is more than one and they are told apart; to be read only."""
        return None if self.boxes is None else self.boxes.nodes

    @property
    def node_domains(self) -> int:
        """Domains of a node: 1 also where a domain is more than one."""
        return self._leaves[2]

    @property
    def by_domain(self) -> Sequence[int]:
        """Free chips of every domain; to be read only."""
        return self._by_domain

    def in_domain(self, domain: int) -> int:
        """Free chips of one domain."""
        return self._by_domain[domain]

    def levels(self, chips: int, avoid: int = 0) -> Iterator[tuple[int, int]]:
        """(free chips, domains that have as many, as bits) from so many free chips up, rising; avoid as in fullest."""
        for level in self._levels[bisect_left(self._levels, chips) :]:
            mask = self._masks[level] & ~avoid
            if mask:
                yield level, mask

    def in_domains_of(self, chips: int) -> int:
        """Free chips that lie in domains with at least so many of them."""
        levels = self._levels[bisect_left(self._levels, chips) :]
        return sum([level * self._masks[level].bit_count() for level in levels])

    def fullest(self, chips: int, avoid: int = 0) -> int:
        """The domain with the fewest free chips that still has so many, -1 if there is none; ties to the lowest index.

        avoid: domains that do not count, as bits.
        """
        masks = self._masks
        levels = self._levels
        for at in range(bisect_left(levels, chips), len(levels)):
            mask = masks[levels[at]] & ~avoid if avoid else masks[levels[at]]
            if mask:
                return (mask & -mask).bit_length() - 1
        return -1

    def empty(self, count: int, avoid: int = 0) -> list[int]:
        """The lowest `count` domains that are wholly free; an empty list if there are fewer."""
        mask = self._masks.get(self.domain_chips, 0) & ~avoid
        return lowest(mask, count) if mask.bit_count() >= count else []

    def has_box(self, domain: int, chips: int) -> bool:
        """Whether so many free chips of a domain form a contiguous box; behind a switch any chips do."""
        return self.boxes is None or self.boxes.has_box(domain, chips)

    def slice_in(self, domain: int, chips: int) -> int:
        """So many free chips of a domain; in a torus the best box that is free, the lowest chips where none is.

        Where nodes are told apart behind a switch, those in the fewest of them. In both ValueError if there are fewer.
        """
        return chips if self.boxes is None else self.boxes.slice_in(domain, chips)

    def holds(self, placement: Placement) -> bool:
        """Whether the chips of a placement are free."""
        if self.boxes is not None:
            return self.boxes.holds(placement)
        return all(self._by_domain[domain] >= chips for domain, chips in placement)

    def take(self, placement: Placement) -> None:
        """Hold the chips of a placement; ValueError if they are not free. In a torus a slice is a Box or a domain."""
        if self.boxes is not None:
            self.boxes.change(placement, False)
        self._change(placement, -1)

    def give(self, placement: Placement) -> None:
        """Free the chips of a placement; ValueError if more than a domain's chips would be free."""
        if self.boxes is not None:
            self.boxes.change(placement, True)
        self._change(placement, 1)

    def _change(self, placement: Placement, sign: int) -> None:
        by_domain, masks, levels = self._by_domain, self._masks, self._levels
        for domain, chips in placement:
            was = by_domain[domain]
            now = was + sign * chips
            if not 0 <= now <= self.domain_chips:
                raise ValueError(f"domain {domain} has {self.domain_chips} chips; {now} of them would be free")
            by_domain[domain] = now
            self.free += now - was
            bit = 1 << domain
            left = masks[was] ^ bit
            if left:
                masks[was] = left
            else:
                del masks[was]
                del levels[bisect_left(levels, was)]
            if now in masks:
                masks[now] |= bit
            else:
                masks[now] = bit
                insort(levels, now)


def lowest(bits: int, count: int) -> list[int]:
    """The lowest so many positions of bits that are set; all of them where there are fewer."""
    if count > _MANY:
        return [at for at, bit in enumerate(bin(bits)[:1:-1]) if bit == "1"][:count]
    found: list[int] = []
    while bits and len(found) < count:
        low = bits & -bits
        found.append(low.bit_length() - 1)
        bits ^= low
    return found


def domain_bits(placement: Placement) -> int:
    """The domains of a placement, as bits."""
    bits = 0
    for domain, _ in placement:
        bits |= 1 << domain
    return bits
