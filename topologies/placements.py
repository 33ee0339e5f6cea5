"""Sums and differences of placements."""

from collections.abc import Sequence

from topologies.boxes import Box
from topologies.free import Placement


def beyond(held: Sequence[Placement], placements: Sequence[Placement]) -> Placement:
    """The chips that gangs hold beyond those of some placements; behind switches all chips of a domain are alike."""
    chips, masks = dict[int, int](), dict[int, int]()
    for parts, sign in [(parts, 1) for parts in held] + [(parts, -1) for parts in placements]:
        for domain, part in parts:
            chips[domain] = chips.get(domain, 0) + sign * part
            if isinstance(part, Box):
                mask = masks.get(domain, 0)
                masks[domain] = mask | part.mask if sign > 0 else mask & ~part.mask
    if masks:
        return tuple([(domain, Box(mask.bit_count(), mask)) for domain, mask in masks.items() if mask])
    return tuple([(domain, left) for domain, left in chips.items() if left > 0])
