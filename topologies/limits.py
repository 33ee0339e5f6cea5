"""The levels between the feed and the chips that can bind: racks and PDUs, from plain numbers.

A level whose racks stay within its rating at full load never binds and is left out. Idle draws are set aside for
all racks, delivered or not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scenarios.units import whole_above, whole_below
from topologies.power import NW_PER_W

_CAN_BIND = 1 - 1e-12  # a level whose full load is its rating does not bind


@dataclass(frozen=True, slots=True)
class Limit:
    """A level that can bind: what the racks below it may draw beyond their idle draw [nW].

    domains: for each pool the domains below it, as bits.
    """

    name: str
    spare_nw: int
    domains: tuple[int, ...]


class RackLoad(NamedTuple):
    """The racks of a pool that draw power: how many, their domains, draw when idle and at most, and rating [W]."""

    pool: str
    racks: int
    domains_a_rack: int
    idle_w: float
    full_w: float
    rating_w: float


def rack_limits(loads: Sequence[RackLoad]) -> tuple[Limit, ...]:
    """A limit for each rack whose full load is above its rating."""
    return tuple(
        Limit(f"{load.pool} rack {rack}", int((load.rating_w - load.idle_w) * NW_PER_W), _bits(loads, [(pool, rack)]))
        for pool, load in enumerate(loads)
        if load.full_w * _CAN_BIND > load.rating_w
        for rack in range(load.racks)
    )


def pdu_limits(loads: Sequence[RackLoad], count: int, rating_w: float) -> tuple[Limit, ...]:
    """A limit for each PDU whose racks' full load is above its rating; ValueError where even idle racks are."""
    racks = [(pool, rack) for pool, load in enumerate(loads) for rack in range(load.racks)]
    fed: dict[int, list[tuple[int, int]]] = {}
    for rack, pdu in zip(racks, fill_pdus([loads[pool].full_w for pool, _ in racks], count, rating_w), strict=True):
        fed.setdefault(pdu, []).append(rack)
    limits = []
    for pdu, below in fed.items():
        idle_w = sum(loads[pool].idle_w for pool, _ in below)
        if idle_w > rating_w:
            raise ValueError(
                f"PDU {pdu} feeds {len(below)} racks that draw {whole_above(idle_w, 'W')} idle; "
                f"allowed: {whole_below(rating_w, 'W')}"
            )
        if sum(loads[pool].full_w for pool, _ in below) * _CAN_BIND > rating_w:
            limits.append(Limit(f"PDU {pdu}", int((rating_w - idle_w) * NW_PER_W), _bits(loads, below)))
    return tuple(limits)


def fill_pdus(full_w: Sequence[float], count: int, rating_w: float) -> list[int]:
    """The PDU of each rack, racks in order.

    A PDU takes racks up to its rating at full draw. Where what is left is more than the ratings of the PDUs that are
    left, each takes its even share of that, to the nearest whole rack (and its rating binds).
    """
    left_w, load_w, at, places = math.fsum(full_w), 0.0, 0, []
    share_w = left_w / count
    for rack_w in full_w:
        most_w = rating_w if share_w <= rating_w else share_w + rack_w / 2
        enough = load_w + rack_w > most_w * (1 + 1e-9)
        if enough and load_w > 0 and at + 1 < count:
            left_w -= load_w
            at, load_w = at + 1, 0.0
            share_w = left_w / (count - at)
        load_w += rack_w
        places.append(at)
    return places


def _bits(loads: Sequence[RackLoad], racks: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    bits = [0] * len(loads)
    for pool, rack in racks:
        size = loads[pool].domains_a_rack
        bits[pool] |= ((1 << size) - 1) << rack * size
    return tuple(bits)
