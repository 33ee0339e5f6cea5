"""Nodes, domains and leaf groups as units that a gang may have to sit in."""

import pytest

from topologies.boxes import Box
from topologies.free import FreeChips
from topologies.levels import inside, may_hold, units
from topologies.tori import Torus

GROUPS = (0b0011, 0b1100)


def listed(free, level, chips, part=1, avoid=0, emptiest=False):
    """The units in order, as the free chips of each domain that is left in them."""
    found = []
    for only, out in units(free, level, chips, part, avoid, emptiest):
        assert out >= 0
        found.append([0 if out >> at & 1 else only.in_domain(at) for at in range(only.domains)])
    return found


@pytest.mark.parametrize(
    ("placement", "in_domain", "in_leaf"),
    [(((2, 3),), True, True), (((2, 8), (3, 1)), False, True), (((1, 8), (2, 8)), False, False)],
)
def test_a_placement_lies_in_one_unit_or_not(placement, in_domain, in_leaf):
    free = FreeChips(4, 8, groups=GROUPS)
    assert inside(free, placement, "domain") is in_domain
    assert inside(free, placement, "node") is in_domain  # where a node is a domain
    assert inside(free, placement, "leaf") is in_leaf


def test_all_domains_are_under_one_leaf_where_there_is_one_group():
    free = FreeChips(4, 8)
    assert inside(free, ((0, 8), (3, 8)), "leaf")
    assert listed(free, "leaf", 9) == [[8, 8, 8, 8]]


def test_chips_of_a_domain_lie_in_one_node_or_not():
    free = FreeChips(2, 12, node_chips=4)
    assert inside(free, ((1, Box(3, 0b0111_0000)),), "node")
    assert not inside(free, ((1, Box(3, 0b0011_1000)),), "node")
    assert not inside(free, ((0, Box(1, 1)), (1, Box(1, 1))), "node")
    assert not inside(free, ((1, 12),), "node")  # a whole domain is three nodes
    assert inside(free, ((1, 12),), "domain")


def test_a_node_of_several_domains_is_a_unit_of_them():
    free = FreeChips(4, 4, node_chips=8)
    assert inside(free, ((2, 4), (3, 1)), "node")
    assert not inside(free, ((1, 4), (2, 4)), "node")
    free.take(((0, 1),))
    assert listed(free, "node", 7) == [[3, 4, 0, 0], [0, 0, 4, 4]]
    assert listed(free, "node", 8) == [[0, 0, 4, 4]]


def test_the_fullest_unit_comes_first_or_the_emptiest():
    free = FreeChips(4, 8, groups=GROUPS)
    free.take(((0, 6), (2, 3), (3, 1)))  # 2, 8, 5 and 7 are free
    assert listed(free, "domain", 3) == [[0, 0, 5, 0], [0, 0, 0, 7], [0, 8, 0, 0]]
    assert listed(free, "domain", 3, emptiest=True) == [[0, 8, 0, 0], [0, 0, 0, 7], [0, 0, 5, 0]]
    assert listed(free, "leaf", 9) == [[2, 8, 0, 0], [0, 0, 5, 7]]
    assert listed(free, "leaf", 9, emptiest=True) == [[0, 0, 5, 7], [2, 8, 0, 0]]
    assert listed(free, "leaf", 12) == [[0, 0, 5, 7]]


def test_domains_that_are_too_full_for_a_part_do_not_count_nor_those_to_avoid():
    free = FreeChips(4, 8, groups=GROUPS)
    free.take(((0, 6), (2, 3), (3, 1)))
    assert listed(free, "leaf", 8, part=6) == [[2, 8, 0, 0]]
    assert listed(free, "leaf", 5, avoid=0b0010) == [[0, 0, 5, 7]]
    assert listed(free, "leaf", 2, avoid=0b0010) == [[2, 0, 0, 0], [0, 0, 5, 7]]
    assert listed(free, "domain", 3, avoid=0b1000) == [[0, 0, 5, 0], [0, 8, 0, 0]]


def test_behind_a_switch_the_domain_of_each_node_is_shown_since_slices_keep_to_one_anyway():
    free = FreeChips(2, 12, node_chips=4)
    free.take(((0, Box(3, 0b0000_0000_0111)), (1, Box(1, 0b1000_0000_0000))))
    assert listed(free, "node", 3) == [[0, 11], [9, 0], [9, 0], [0, 11], [0, 11]]
    assert listed(free, "node", 3, avoid=0b01) == [[0, 11]] * 3
    assert free.slice_in(1, 3).mask == 0b0111_0000_0000


def test_in_a_torus_a_node_is_shown_alone_and_the_index_stays_as_it_is():
    free = FreeChips(2, 16, torus=Torus((4, 4), (1.0, 1.0)), node_chips=8)
    free.take(((0, Box(3, 0b111)),))
    found = list(units(free, "node", 4, 1, avoid=0, emptiest=False))
    assert [(out, only.boxes.chips[0 if out == 0b10 else 1]) for only, out in found] == [
        (0b10, 0b1111_1000),  # the node with five free chips
        (0b10, 0b1111_1111_0000_0000),
        (0b01, 0b1111_1111),
        (0b01, 0b1111_1111_0000_0000),
    ]
    assert (free.in_domain(0), free.in_domain(1)) == (13, 16)


@pytest.mark.parametrize("level", ["node", "domain", "leaf"])
@pytest.mark.parametrize("avoid", [0, 0b01, 0b11])
def test_units_are_there_where_one_may_hold_a_gang(level, avoid):
    for chips in range(1, 14):
        free = FreeChips(2, 12, groups=(0b01, 0b10), node_chips=4)
        free.take(((1, 12),))
        there = list(units(free, level, chips, 1, avoid, emptiest=False))
        assert bool(there) <= may_hold(free, level, chips, 1, avoid)
        assert may_hold(free, level, chips, 1, avoid) <= (chips <= {"node": 4}.get(level, 12))
