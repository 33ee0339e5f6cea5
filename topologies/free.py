"""The free-capacity index of a pool: where do n chips fit, without looking at every domain.

A pool is a row of equal scale-up domains; a plain pool is one domain. For each number of free chips the
domains that have it are the bits of one whole number, so that "the lowest index with this much free"
costs a few machine words and a copy of the index costs about a microsecond for 8,000 chips.
"""

from array import array
from bisect import bisect_left, insort
from typing import TypeAlias

Placement: TypeAlias = tuple[tuple[int, int], ...]
"""Chips of one gang: (domain, chips taken there) pairs."""


class FreeChips:
    """Free chips of one pool, by domain. Not a policy: it answers, takes and gives back."""

    __slots__ = ("_by_domain", "_levels", "_masks", "domain_chips", "free")

    def __init__(self, domains: int, domain_chips: int, present: bool = True) -> None:
        """All chips free, or none of them there yet: then they come by give."""
        free = domain_chips if present else 0
        self.domain_chips = domain_chips
        self.free = domains * free
        self._by_domain = array("l", [free]) * domains
        self._masks = {free: (1 << domains) - 1}  # free chips -> domains, as bits
        self._levels = [free]  # the keys of _masks, rising

    def copy(self) -> "FreeChips":
        """An index of its own with the same free chips, to try things on."""
        twin = FreeChips.__new__(FreeChips)
        twin.domain_chips = self.domain_chips
        twin.free = self.free
        twin._by_domain = self._by_domain[:]
        twin._masks = self._masks.copy()
        twin._levels = self._levels[:]
        return twin

    def in_domain(self, domain: int) -> int:
        """Free chips of one domain."""
        return self._by_domain[domain]

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
        if mask.bit_count() < count:
            return []
        found = []
        for _ in range(count):
            low = mask & -mask
            found.append(low.bit_length() - 1)
            mask ^= low
        return found

    def take(self, placement: Placement) -> None:
        """Hold the chips of a placement; ValueError if they are not free."""
        self._change(placement, -1)

    def give(self, placement: Placement) -> None:
        """Free the chips of a placement; ValueError if more than a domain's chips would be free."""
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


def domain_bits(placement: Placement) -> int:
    """The domains of a placement, as bits."""
    bits = 0
    for domain, _ in placement:
        bits |= 1 << domain
    return bits
