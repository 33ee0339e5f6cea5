"""The free-capacity index where nodes are told apart: which chips are free, and how many of each node."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies.boxes import Box, fewest_nodes
from topologies.free import FreeChips
from topologies.tori import Torus

ULTRASERVER = Torus((4, 4, 4), (128e9, 128e9, 64e9))


@st.composite
def histories(draw):
    """Chips of a domain and of a node, maybe a torus; starts (domain, chips) and ends (which gang)."""
    size, node, torus = draw(st.sampled_from([(12, 4, None), (72, 4, None), (6, 3, None), (64, 16, ULTRASERVER)]))
    start = st.tuples(st.integers(0, 2), st.integers(1, size))
    small = st.tuples(st.integers(0, 2), st.integers(1, node))
    return size, node, torus, draw(st.lists(st.one_of(small, small, start, st.integers(0, 30)), max_size=40))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(histories())
def test_the_nodes_have_the_free_chips_that_the_domains_have(history):
    size, node, torus, steps = history
    index = FreeChips(3, size, torus=torus, node_chips=node)
    held = []
    for step in steps:
        if isinstance(step, int):
            if held:
                index.give((held.pop(step % len(held)),))
        elif step[1] <= index.in_domain(step[0]):
            part = step[0], index.slice_in(*step)
            assert part[1] == step[1] == part[1].mask.bit_count()
            assert index.holds((part,))
            index.take((part,))
            assert not index.holds((part,))
            held.append(part)
        taken = [sum(part.mask for at, part in held if at == domain) for domain in range(3)]
        whole = (1 << node) - 1
        expected = [node - (mask >> at & whole).bit_count() for mask in taken for at in range(0, size, node)]
        assert list(index.nodes.by_domain) == expected
        assert list(index.by_domain) == [size - mask.bit_count() for mask in taken]


@settings(derandomize=True, max_examples=300)
@given(st.integers(0, (1 << 12) - 1), st.integers(1, 12))
def test_behind_a_switch_a_slice_is_in_the_fewest_nodes(free, chips):
    taken = fewest_nodes(free, chips, 3)
    nodes = [free >> at & 0b111 for at in range(0, 12, 3)]
    assert taken & ~free == 0
    assert taken.bit_count() == min(chips, free.bit_count())
    if chips <= free.bit_count():
        least = min(n for n in range(1, 5) if any(sum(map(int.bit_count, c)) >= chips for c in combinations(nodes, n)))
        assert sum(taken >> at & 0b111 > 0 for at in range(0, 12, 3)) == least


def test_a_slice_goes_to_the_fullest_node_that_holds_it_and_fills_the_emptiest_first():
    assert fewest_nodes(0b1111_0111_0011, 2, 4) == 0b0000_0000_0011
    assert fewest_nodes(0b1111_0111_0011, 3, 4) == 0b0000_0111_0000
    assert fewest_nodes(0b1111_0111_0011, 6, 4) == 0b1111_0000_0011
    assert fewest_nodes(0b1111_0111_0011, 7, 4) == 0b1111_0111_0000


def test_a_copy_has_nodes_of_its_own_and_a_change_that_fails_leaves_them():
    index = FreeChips(2, 8, node_chips=4)
    twin = index.copy()
    twin.take(((1, Box(3, 0b0111_0000)),))
    assert list(index.nodes.by_domain) == [4, 4, 4, 4]
    assert list(twin.nodes.by_domain) == [4, 4, 4, 1]
    with pytest.raises(ValueError, match="held already"):
        twin.take(((0, Box(2, 0b11)), (1, Box(2, 0b0011_0000))))
    assert list(twin.nodes.by_domain) == [4, 4, 4, 1]
    twin.take(((0, 8),))  # a whole domain needs no Box
    assert list(twin.nodes.by_domain) == [0, 0, 4, 1]


def test_chips_that_are_not_there_yet_come_by_domain():
    index = FreeChips(2, 8, present=False, node_chips=4)
    assert index.nodes.free == 0
    index.give(((1, 8),))
    assert list(index.nodes.by_domain) == [0, 0, 4, 4]


@pytest.mark.parametrize(("node_chips", "nodes", "node_domains"), [(0, None, 1), (8, None, 1), (16, None, 2)])
def test_nodes_of_whole_domains_need_no_chips(node_chips, nodes, node_domains):
    index = FreeChips(4, 8, node_chips=node_chips)
    assert (index.boxes, index.nodes, index.node_domains) == (None, nodes, node_domains)


@pytest.mark.parametrize("node_chips", [3, 12])
def test_nodes_that_do_not_nest_with_domains_are_refused(node_chips):
    with pytest.raises(ValueError, match=f"found nodes of {node_chips} chips; allowed: whole domains of 8, or parts"):
        FreeChips(4, 8, node_chips=node_chips)
