"""Gangs that have to sit, or like to sit, in one unit: where they go, why they wait, and who may pass them."""

import pytest

from policies.backfill import greedy, none
from policies.conservative import conservative
from policies.easy import easy
from policies.idle import why_idle
from policies.placement import CONTIGUOUS, PACK, SPREAD, Placer, single_chip
from policies.registry import PLACEMENTS
from policies.topology import TOPOLOGY
from topologies.boxes import Box
from topologies.headroom import Headroom
from topologies.levels import Within
from topologies.limits import Limit
from topologies.tori import Torus

LEAF, DOMAIN, NODE = Within("leaf"), Within("domain"), Within("node")
LEAVES = {"groups": (0b0011, 0b1100)}
BACKFILLS = [none, greedy, easy, conservative]


@pytest.mark.parametrize("backfill", BACKFILLS)
@pytest.mark.parametrize("within", [LEAF, Within(preferred="leaf"), Within("leaf", "domain")])
def test_a_gang_goes_under_one_leaf_where_pack_would_go_under_two(backfill, within, site):
    state = site((4, 8), **LEAVES)
    state.runs(1, 100, domain=0)
    anywhere = state.waits(16, 10)
    assert state.places(backfill)[anywhere] == (0, ((1, 8), (2, 8)))
    state = site((4, 8), **LEAVES)
    state.runs(1, 100, domain=0)
    together = state.waits(16, 10, within=within)
    assert state.places(backfill)[together] == (0, ((2, 8), (3, 8)))


@pytest.mark.parametrize("backfill", BACKFILLS)
def test_a_gang_that_requires_a_leaf_waits_for_one_and_one_that_prefers_it_does_not(backfill, site):
    state = site((4, 8), **LEAVES)
    state.runs(1, 100, domain=0)
    state.runs(1, 100, domain=3)
    state.waits(16, 10, within=LEAF)
    assert state.starts(backfill) == []
    assert state.reasons(backfill) == {16: "fragmented"}
    state.goes_on(100)
    assert state.starts(backfill) == [0]
    state = site((4, 8), **LEAVES)
    state.runs(1, 100, domain=0)
    state.runs(1, 100, domain=3)
    state.waits(16, 10, within=Within(preferred="leaf"))
    assert state.places(backfill) == {0: (0, ((1, 8), (2, 8)))}


def test_a_placements_own_choice_stays_where_it_lies_in_one_unit(site):
    state = site((4, 8), placer=PLACEMENTS["first-fit"], **LEAVES)
    state.runs(1, 100, domain=2)
    state.waits(4, 10, within=LEAF)
    assert state.places(greedy) == {0: (0, ((0, 4),))}  # and not the fullest leaf


@pytest.mark.parametrize(
    ("placer", "placement"),
    [(PACK, ((2, 4),)), (TOPOLOGY, ((2, 4),)), (SPREAD, ((0, 4),)), (PLACEMENTS["first-fit"], ((0, 4),))],
)
def test_one_domain_is_the_fullest_that_holds_a_gang_or_under_spread_the_emptiest(placer, placement, site):
    state = site((3, 8), placer=placer)
    state.runs(2, 100, domain=1)
    state.runs(4, 100, domain=2)
    state.waits(4, 10, within=DOMAIN)
    assert state.places(greedy) == {0: (0, placement)}


def test_spread_stays_under_the_emptiest_leaf(site):
    state = site((4, 8), placer=SPREAD, **LEAVES)
    state.runs(1, 100, domain=0)
    state.waits(6, 10, within=LEAF)
    assert state.places(greedy) == {0: (0, ((2, 3), (3, 3)))}


def test_topology_cuts_a_gang_smaller_rather_than_leave_a_required_leaf(site):
    state = site((4, 8), placer=TOPOLOGY, **LEAVES)
    for domain, chips in ((0, 2), (1, 2), (3, 6)):
        state.runs(chips, 100, domain=domain)
    state.waits(12, 10, within=LEAF)
    assert state.places(greedy) == {0: (0, ((0, 6), (1, 6)))}


def test_a_gang_may_prefer_a_domain_within_a_leaf_that_it_requires(site):
    both = Within("leaf", "domain")
    state = site((4, 8), placer=SPREAD, **LEAVES)
    state.waits(8, 10, within=both)
    assert state.places(greedy) == {0: (0, ((0, 8),))}
    state = site((4, 8), placer=SPREAD, **LEAVES)
    for domain in range(4):
        state.runs(2, 100, domain=domain)
    state.waits(8, 10, within=both)
    assert state.places(greedy) == {0: (0, ((0, 4), (1, 4)))}


# nodes of 4 in domains of 12
RACK = {"node_chips": 4}


def half_full(site, **facts):
    """A rack with two free chips in each node, and one whose last node has three."""
    state = site((2, 12), **RACK, **facts)
    state.free[0].take(((0, Box(6, 0b0011_0011_0011)), (1, Box(5, 0b0001_0011_0011))))
    return state


@pytest.mark.parametrize("placer", PLACEMENTS.values())
def test_a_gang_that_requires_a_node_waits_though_its_domain_has_the_chips(placer, site):
    state = half_full(site, placer=placer)
    state.waits(4, 10, within=NODE)
    assert state.reasons(greedy) == {4: "fragmented"}
    state.waits(4, 10, within=Within(preferred="node"))
    assert state.starts(greedy) == [1]
    state = half_full(site, placer=placer)
    state.waits(3, 10, within=NODE)
    ((pool, ((domain, chips),)),) = state.places(greedy).values()
    assert (pool, domain, chips, chips.mask) == (0, 1, 3, 0b1110_0000_0000)


def test_a_gang_of_more_chips_than_a_node_has_never_starts_in_one(site):
    state = site((2, 12), **RACK)
    state.waits(5, 10, within=NODE)
    state.waits(5, 10, within=Within(preferred="node"))
    assert state.starts(greedy) == [1]


def test_a_gang_may_require_a_node_of_several_domains(site):
    state = site((4, 4), node_chips=8)
    state.runs(1, 100, domain=0)
    state.waits(8, 10, within=NODE)
    assert state.places(greedy) == {0: (0, ((2, 4), (3, 4)))}


ULTRASERVER = Torus((4, 4, 4), (128e9, 128e9, 64e9))


CORNERS = 0b1000_0000_0000_0001  # of a plane: 14 chips are left, but no box of 12 among them
PLANES = [CORNERS << at for at in (0, 16, 32, 48)]


def test_in_a_torus_a_gang_stays_in_its_node_though_a_box_across_nodes_is_free(site):
    found = []
    for within in (None, NODE):
        state = site((1, 64), torus=ULTRASERVER, node_chips=16)
        state.free[0].take(((0, Box(8, sum(PLANES))),))
        state.waits(12, 10, within=within)
        ((_, ((_, chips),)),) = state.places(greedy).values()
        found.append([part for _, part in state.free[0].boxes.by_node(((0, chips),))])
    assert found == [[6, 6], [12]]


def test_contiguous_takes_a_node_that_has_a_box_and_waits_for_one(site):
    state = site((1, 64), torus=ULTRASERVER, node_chips=16, placer=CONTIGUOUS)
    state.free[0].take(((0, Box(6, sum(PLANES[:3]))),))
    state.waits(12, 10, within=NODE)
    ((_, ((_, chips),)),) = state.places(greedy).values()
    assert chips.mask & 0xFFFF_FFFF_FFFF == 0
    state = site((1, 64), torus=ULTRASERVER, node_chips=16, placer=CONTIGUOUS)
    state.free[0].take(((0, Box(8, sum(PLANES))),))
    state.waits(12, 10, within=NODE)
    assert state.reasons(greedy) == {12: "fragmented"}


# Power: a PDU over each leaf.


def pdus(*spare_nw):
    return tuple(Limit("PDU", spare, (mask,)) for spare, mask in zip(spare_nw, LEAVES["groups"], strict=True))


@pytest.mark.parametrize("placer", PLACEMENTS.values())
def test_a_gang_goes_under_the_leaf_that_has_power_for_it(placer, site):
    state = site((4, 8), draws=(1,), limits=pdus(15, 16), placer=placer, **LEAVES)
    state.waits(16, 10, within=LEAF)
    assert state.places(greedy) == {0: (0, ((2, 8), (3, 8)))}


def test_a_gang_has_no_power_where_one_unit_has_the_chips_but_none_the_power(site):
    state = site((4, 8), draws=(1,), limits=pdus(12, 12), **LEAVES)
    state.waits(16, 10, within=LEAF)
    assert state.reasons(greedy) == {16: "no power"}
    state.waits(16, 10, within=Within(preferred="leaf"))
    assert state.places(greedy) == {1: (0, ((0, 8), (2, 8)))}


@pytest.mark.parametrize("placer", PLACEMENTS.values())
def test_one_domain_or_node_with_power_is_found(placer, site):
    state = site((4, 8), draws=(1,), limits=pdus(3, 4), placer=placer, node_chips=4, **LEAVES)
    state.waits(4, 10, within=DOMAIN)
    ((_, ((domain, _),)),) = state.places(greedy).values()
    assert domain == 2
    state = site((4, 8), draws=(1,), limits=pdus(3, 4), placer=placer, node_chips=4, **LEAVES)
    state.waits(4, 10, within=NODE)
    ((_, ((domain, chips),)),) = state.places(greedy).values()
    assert domain in (2, 3)
    assert chips.mask in (0b1111, 0b1111_0000)


# Planning ahead


def test_the_head_has_its_leaf_reserved_and_a_long_job_goes_elsewhere(site):
    state = site((4, 8), **LEAVES)
    state.runs(1, 100, domain=0)  # when it ends, the first leaf is free
    state.runs(1, 200, domain=3)
    head = state.waits(16, 50, within=LEAF)
    short, long = state.waits(8, 90, submit_s=1), state.waits(8, 500, submit_s=2)
    decisions = state.decide(easy)
    assert decisions.memo.head.row == head
    assert (decisions.memo.reservation.shadow_s, decisions.memo.reservation.seat) == (100, ((0, 8), (1, 8)))
    places = {start.job.row: start.placement for start in decisions.starts}
    assert places == {short: ((1, 8),), long: ((2, 8),)}


def test_everybody_has_a_unit_in_the_plan(site):
    state = site((4, 8), **LEAVES)
    state.runs(1, 100, domain=0)
    state.runs(1, 200, domain=3)
    first, second = state.waits(16, 50, within=LEAF), state.waits(16, 50, submit_s=1, within=LEAF)
    preferring = state.waits(9, 10, submit_s=2, within=Within(preferred="leaf"))
    plan = state.decide(conservative).plan
    promised = {row: (promise.start_s, promise.placement) for row, promise in plan.promises.items()}
    assert promised == {first: (100, ((0, 8), (1, 8))), second: (150, ((0, 8), (1, 8)))}
    assert state.places(conservative)[preferring][1] == ((1, 8), (0, 1))


def test_idle_chips_that_form_no_unit_are_fragmented(site):
    state = site((4, 8), **LEAVES)
    state.runs(1, 100, domain=0)
    state.runs(1, 100, domain=3)
    state.waits(16, 10, within=LEAF)
    (shape,) = state.queue.lanes
    idle = why_idle(state.free, state.headroom, PACK, {shape: 1}, {})
    assert idle[0]._asdict() | {"no_demand": 14, "fragmentation": 16} == idle[0]._asdict()
    held = why_idle(state.free, Headroom(None, ()), PACK, {shape: 1}, {shape: 1})  # a seat may be free, but is not
    assert held == idle
    state.goes_on(100)
    assert why_idle(state.free, state.headroom, PACK, {shape: 3}, {shape: 3})[0].held_by_policy == 32


def test_a_placement_of_the_users_own_is_asked_without_units_first_and_then_for_each(site):
    asked = []

    def last(free, chips, avoid):
        """The last wholly free domains."""
        asked.append(avoid)
        able = [at for at in range(free.domains) if free.in_domain(at) == 8 and not avoid >> at & 1]
        return tuple((at, 8) for at in able[-(chips // 8) :]) if len(able) >= chips // 8 else None

    state = site((5, 8), placer=Placer(last, single_chip), groups=(0b00011, 0b11100))
    state.runs(8, 100, domain=3)
    state.runs(8, 100, domain=2)
    state.waits(16, 10, within=LEAF)
    assert state.places(greedy) == {0: (0, ((0, 8), (1, 8)))}
    assert asked == [0, 0b11100]
