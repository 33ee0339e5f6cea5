"""What the chips of one domain can send each other: behind a switch, or in a contiguous box of a torus. Pure functions.

Line rates only; how much of them a collective gets is in topologies/collectives.py.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slice:
    """The chips of a group inside one domain.

    steps: those of one pass of a ring over all chips. ring_bytes_per_s: what each chip sends in its rings, one
    direction. all_to_all_bytes_per_s: what each chip sends when all send to all others.
    """

    chips: int
    steps: int
    ring_bytes_per_s: float
    all_to_all_bytes_per_s: float


def switched(chips: int, bytes_per_s: float) -> Slice:
    """Chips behind a non-blocking switch, with so many bytes/s from each into it."""
    return Slice(chips, chips - 1, bytes_per_s, bytes_per_s)


def box(extents: Sequence[int], wraps: Sequence[bool], link_bytes_per_s: Sequence[float]) -> Slice:
    """A contiguous box of a torus: chips, whether they wrap around, and bytes/s of a link one way, by dimension.

    Rings: B = sum over the dimensions of more than one chip of r_d b_d, with r_d = 2 directed rings where the
    dimension wraps around and 1 on an open line; one pass takes sum (k_d - 1) steps. This is the most that the links
    allow, reached by several schedules at once, each with its own order of the dimensions.
    Source: Sack and Gropp, Collective Algorithms for Multiported Torus Networks, ACM TOPC 1(2), 2015.

    All to all: S bytes of each chip put S floor(k_d/2) ceil(k_d/2) / (k_d r_d) on the busiest link of dimension d.
    Source: Dally and Towles, Principles and Practices of Interconnection Networks, 2004, chapter 3.
    """
    chips = math.prod(extents)
    if chips == 1:
        return Slice(1, 0, math.inf, math.inf)
    used = [
        (extent, (2 if wrap else 1) * rate)
        for extent, wrap, rate in zip(extents, wraps, link_bytes_per_s, strict=True)
        if extent > 1
    ]
    busiest_s_per_byte = max((extent // 2) * (extent - extent // 2) / (extent * rate) for extent, rate in used)
    return Slice(
        chips=chips,
        steps=sum(extent - 1 for extent, _ in used),
        ring_bytes_per_s=sum(rate for _, rate in used),
        all_to_all_bytes_per_s=(chips - 1) / chips / busiest_s_per_byte,
    )
