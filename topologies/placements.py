"""Sums and differences of placements."""

from collections.abc import Sequence

from topologies.boxes import Box
from topologies.free import Placement


def handed_over(steps: Sequence[tuple[Sequence[Placement], Sequence[Placement]]]) -> tuple[Placement, Placement]:
    """The idle chips of a pool that must be kept, and those that are left, when gangs take the chips of others.

    steps: one after the other, the placements that come free and those that are then taken. Behind switches the chips
    of a domain are alike, and what is missing up to each step is counted; in a torus each chip is one of its own.
    """
    missing, kept, freed, taken = dict[int, int](), dict[int, int](), dict[int, int](), dict[int, int]()
    for stops, starts in steps:
        touched = dict[int, None]()
        for placements, sign, masks in ((stops, -1, freed), (starts, 1, taken)):
            for domain, chips in [part for placement in placements for part in placement]:
                touched[domain] = None
                missing[domain] = missing.get(domain, 0) + sign * chips
                if isinstance(chips, Box):
                    masks[domain] = masks.get(domain, 0) | chips.mask
        for domain in touched:
            kept[domain] = max(missing[domain], kept.get(domain, 0))
    if freed or taken:
        boxes = [(at, freed.get(at, 0), taken.get(at, 0)) for at in missing]
        return _boxes([(at, on & ~off) for at, off, on in boxes]), _boxes([(at, off & ~on) for at, off, on in boxes])
    left = [(domain, kept[domain] - chips) for domain, chips in missing.items()]
    return _some(list(kept.items())), _some(left)


def _boxes(masks: Sequence[tuple[int, int]]) -> Placement:
    return tuple([(domain, Box(mask.bit_count(), mask)) for domain, mask in masks if mask])


def _some(parts: Sequence[tuple[int, int]]) -> Placement:
    return tuple([(domain, chips) for domain, chips in parts if chips])
