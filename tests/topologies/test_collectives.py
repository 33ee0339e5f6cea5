"""Collective times: the published formulas, their limits, and what more bytes, chips and bandwidth do to them."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies.collectives import (
    ALL_REDUCES,
    Group,
    ScaleOut,
    ScaleUp,
    all_gather_s,
    all_reduce_s,
    all_to_all_s,
    bus_bytes_per_s,
    cheapest_all_reduce,
    hierarchical_all_reduce_s,
    reduce_scatter_s,
    ring_all_reduce_s,
    switch_all_reduce_s,
    tree_all_reduce_s,
)
from topologies.slices import box, switched

UP = ScaleUp(base_s=8e-6, ring_step_s=3e-6, tree_step_s=4e-6, ring_efficiency=0.8)
SWITCHES = replace(UP, switch_s=25e-6, switch_efficiency=1.1)
OUT = ScaleOut(
    base_s=9e-6, ring_step_s=14e-6, tree_step_s=13e-6, post_s=1e-6, ring_efficiency=0.9, hierarchical_efficiency=0.7
)
B_UP, B_NIC = 450e9, 50e9
SERVER = Group(1, switched(8, B_UP), B_NIC, UP, OUT)
NVLS = replace(SERVER, up=SWITCHES)
CLUSTER = Group(4, switched(8, B_UP), B_NIC, UP, OUT)
ONE = Group(1, switched(1, B_UP), B_NIC, SWITCHES, OUT)
COLLECTIVES = [*ALL_REDUCES.values(), all_reduce_s, all_gather_s, reduce_scatter_s, all_to_all_s]
HUGE = 1e18
S = 1e9

sizes = st.floats(0, 1e12)
seconds = st.floats(0, 1e-3)
shares = st.floats(0.1, 1)
rates = st.floats(1e9, 1e12)
ups = st.builds(
    ScaleUp,
    *(seconds, seconds, seconds, shares, seconds, st.one_of(st.just(0.0), shares)),
    short_base_s=seconds,
    short_step_s=seconds,
)
outs = st.builds(ScaleOut, seconds, seconds, seconds, seconds, shares, shares)
slices = st.one_of(
    st.builds(switched, st.integers(1, 72), rates),
    st.builds(
        lambda extents, wraps: box(extents, wraps, (128e9, 128e9, 64e9)),
        st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4)),
        st.tuples(st.booleans(), st.booleans(), st.booleans()),
    ),
)
groups = st.builds(Group, st.integers(1, 64), slices, rates, ups, outs)


# the formulas


@pytest.mark.parametrize("ranks", [2, 3, 8, 72])
def test_a_ring_all_reduce_takes_base_and_2_n_less_1_steps_and_2_n_less_1_nths_of_the_bytes(ranks):
    found_s = ring_all_reduce_s(S, replace(SERVER, slice=switched(ranks, B_UP)))
    assert found_s == pytest.approx(
        8e-6 + 2 * (ranks - 1) * 3e-6 + 2 * (ranks - 1) / ranks * S / (0.8 * B_UP), rel=1e-12
    )


def test_a_ring_all_reduce_worked_by_hand_comes_out():
    lossless = replace(UP, ring_efficiency=1.0)
    group = Group(1, switched(8, 100e9), B_NIC, lossless, OUT)
    assert ring_all_reduce_s(1e9, group) == pytest.approx(8e-6 + 42e-6 + 17.5e-3)


def test_a_ring_across_domains_takes_a_network_step_a_domain_and_the_rails_bandwidth():
    """NCCL: base + (nsteps - nInter) intra + nInter inter, nsteps = 2 (n-1), nInter = 2 (nodes-1)."""
    latency_s = 9e-6 + (62 - 6) * 3e-6 + 6 * 14e-6
    assert ring_all_reduce_s(S, CLUSTER) == pytest.approx(latency_s + 2 * 31 / 32 * S / (0.9 * 8 * B_NIC), rel=1e-12)


def test_a_ring_across_domains_is_no_faster_than_the_links_inside():
    slow = replace(CLUSTER, slice=switched(8, 100e9))
    latency_s = 9e-6 + 56 * 3e-6 + 6 * 14e-6
    assert ring_all_reduce_s(S, slow) == pytest.approx(latency_s + 2 * 31 / 32 * S / (0.8 * 100e9), rel=1e-12)


def test_a_tree_takes_a_chain_in_each_domain_and_the_logarithm_of_the_domains():
    latency_s = 9e-6 + 2 * (7 * 4e-6 + 2 * 13e-6)
    assert tree_all_reduce_s(S, CLUSTER) == pytest.approx(latency_s + 2 * S / (0.9 * 8 * B_NIC), rel=1e-12)
    assert tree_all_reduce_s(S, SERVER) == pytest.approx(8e-6 + 2 * 7 * 4e-6 + 2 * S / (0.8 * B_UP), rel=1e-12)


def test_a_tree_with_switches_skips_the_chain():
    latency_s = 9e-6 + 25e-6 + 2 * 2 * 13e-6
    found_s = tree_all_reduce_s(S, replace(CLUSTER, up=SWITCHES))
    assert found_s == pytest.approx(latency_s + 2 * S / (0.9 * 8 * B_NIC), rel=1e-12)


def test_switches_add_up_in_their_own_latency_and_bus_bandwidth():
    assert switch_all_reduce_s(S, NVLS) == pytest.approx(25e-6 + 2 * 7 / 8 * S / (1.1 * B_UP), rel=1e-12)


@pytest.mark.parametrize("group", [SERVER, replace(CLUSTER, up=SWITCHES)], ids=["no such switches", "many domains"])
def test_switches_that_cannot_add_up_take_for_ever(group):
    assert switch_all_reduce_s(S, group) == math.inf


def test_the_hierarchical_way_takes_the_longer_of_its_phases():
    latency_s = 9e-6 + 2 * 7 * 3e-6 + 2 * 3 * 14e-6
    across_s = 2 * 3 / 4 * S / 8 / (0.7 * B_NIC)
    assert hierarchical_all_reduce_s(S, CLUSTER) == pytest.approx(latency_s + across_s, rel=1e-12)
    inside_s = 2 * 7 / 8 * S / (0.8 * 100e9)
    slow = replace(CLUSTER, slice=switched(8, 100e9))
    assert hierarchical_all_reduce_s(S, slow) == pytest.approx(latency_s + inside_s, rel=1e-12)


def test_the_hierarchical_way_uses_switches_where_they_are_faster():
    latency_s = 9e-6 + 2 * 3 * 14e-6
    fast = replace(CLUSTER, up=SWITCHES, nic_bytes_per_s=1e15)
    found_s = hierarchical_all_reduce_s(S, fast)
    assert found_s == pytest.approx(latency_s + 25e-6 + 2 * 7 / 8 * S / (1.1 * B_UP), rel=1e-12)
    weak = replace(fast, up=replace(SWITCHES, switch_s=1.0))
    assert hierarchical_all_reduce_s(S, weak) == hierarchical_all_reduce_s(S, replace(fast, up=UP))


def test_in_one_domain_the_hierarchical_way_is_the_ring():
    assert hierarchical_all_reduce_s(S, NVLS) == ring_all_reduce_s(S, NVLS)


def test_a_torus_takes_the_steps_of_each_dimension():
    group = Group(1, box((4, 4, 4), (True, True, True), (128e9, 128e9, 64e9)), B_NIC, UP, OUT)
    expected_s = 8e-6 + 2 * 9 * 3e-6 + 2 * 63 / 64 * S / (0.8 * 640e9)
    assert ring_all_reduce_s(S, group) == pytest.approx(expected_s, rel=1e-12)


def test_an_all_gather_is_half_the_ring_of_an_all_reduce():
    assert all_gather_s(S, SERVER) == pytest.approx(8e-6 + 7 * 3e-6 + 7 / 8 * S / (0.8 * B_UP), rel=1e-12)
    assert 2 * all_gather_s(S, SERVER) - 8e-6 == pytest.approx(ring_all_reduce_s(S, SERVER), rel=1e-12)


def test_an_all_gather_across_domains_takes_the_cheaper_of_a_ring_and_the_hierarchical_way():
    ring_s = 9e-6 + 28 * 3e-6 + 3 * 14e-6 + 31 / 32 * S / (0.9 * 8 * B_NIC)
    hierarchical_s = 9e-6 + 7 * 3e-6 + 3 * 14e-6 + 3 / 4 * S / 8 / (0.7 * B_NIC)
    assert all_gather_s(S, CLUSTER) == pytest.approx(min(ring_s, hierarchical_s), rel=1e-12)


@pytest.mark.parametrize("group", [ONE, SERVER, NVLS, CLUSTER])
def test_a_reduce_scatter_takes_as_long_as_an_all_gather(group):
    assert reduce_scatter_s(S, group) == all_gather_s(S, group)


def test_all_to_all_takes_one_step_inside_and_posts_each_message_across():
    assert all_to_all_s(S, SERVER) == pytest.approx(8e-6 + 3e-6 + 7 / 8 * S / (0.8 * B_UP), rel=1e-12)
    across_s = 24 / 32 * S / (0.9 * B_NIC)
    assert all_to_all_s(S, CLUSTER) == pytest.approx(9e-6 + 14e-6 + 24 * 1e-6 + across_s, rel=1e-12)
    inside_s = 7 / 32 * S / (0.8 * B_UP)
    fast = replace(CLUSTER, nic_bytes_per_s=1e15)
    assert all_to_all_s(S, fast) == pytest.approx(9e-6 + 14e-6 + 24 * 1e-6 + inside_s, rel=1e-12)


def test_bus_bandwidth_is_the_rate_times_the_passes_times_n_less_1_nths():
    assert bus_bytes_per_s(8e9, 0.02, 8, passes=2) == pytest.approx(700e9)
    assert bus_bytes_per_s(8e9, 0.02, 8, passes=1) == pytest.approx(350e9)
    assert bus_bytes_per_s(8e9, 0.02, 1, passes=2) == 0


# limits


@pytest.mark.parametrize("collective", COLLECTIVES)
def test_one_chip_has_nobody_to_wait_for(collective):
    assert collective(S, ONE) == 0


def test_nothing_to_send_takes_the_latency_alone():
    assert ring_all_reduce_s(0, CLUSTER) == pytest.approx(9e-6 + 56 * 3e-6 + 6 * 14e-6)
    assert tree_all_reduce_s(0, CLUSTER) == pytest.approx(9e-6 + 2 * (7 * 4e-6 + 2 * 13e-6))
    assert hierarchical_all_reduce_s(0, CLUSTER) == pytest.approx(9e-6 + 14 * 3e-6 + 6 * 14e-6)
    assert switch_all_reduce_s(0, NVLS) == 25e-6
    assert all_to_all_s(0, CLUSTER) == pytest.approx(9e-6 + 14e-6 + 24e-6)


@pytest.mark.parametrize(
    ("collective", "group", "passes", "limit_bytes_per_s"),
    [
        (ring_all_reduce_s, SERVER, 2, 0.8 * B_UP),
        (ring_all_reduce_s, CLUSTER, 2, 0.9 * 8 * B_NIC),
        (tree_all_reduce_s, CLUSTER, 2, 31 / 32 * 0.9 * 8 * B_NIC),
        (switch_all_reduce_s, NVLS, 2, 1.1 * B_UP),
        (hierarchical_all_reduce_s, CLUSTER, 2, 31 / 32 * 4 / 3 * 0.7 * 8 * B_NIC),
        (all_gather_s, SERVER, 1, 0.8 * B_UP),
        (all_to_all_s, SERVER, 1, 0.8 * B_UP),
        (all_to_all_s, CLUSTER, 1, 31 / 24 * 0.9 * B_NIC),
    ],
)
def test_a_huge_buffer_reaches_the_bandwidth_that_the_links_allow(collective, group, passes, limit_bytes_per_s):
    found = bus_bytes_per_s(HUGE, collective(HUGE, group), group.ranks, passes)
    assert found == pytest.approx(limit_bytes_per_s, rel=1e-6)
    assert found <= limit_bytes_per_s


# what holds for every group


@given(groups, sizes)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_the_cheapest_algorithm_is_chosen_and_named(group, size_bytes):
    name, found_s = cheapest_all_reduce(size_bytes, group)
    assert found_s == ALL_REDUCES[name](size_bytes, group) == all_reduce_s(size_bytes, group)
    assert found_s == min(algorithm(size_bytes, group) for algorithm in ALL_REDUCES.values())


@given(groups, sizes, sizes)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_more_bytes_never_take_less_time(group, one, other):
    small, large = sorted((one, other))
    for collective in COLLECTIVES:
        assert 0 <= collective(small, group) <= collective(large, group)


@given(groups, sizes, st.floats(1, 100))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_a_faster_network_never_takes_more_time(group, size_bytes, factor):
    faster = replace(group, nic_bytes_per_s=factor * group.nic_bytes_per_s)
    for collective in COLLECTIVES:
        assert collective(size_bytes, faster) <= collective(size_bytes, group)


@given(groups, sizes, st.floats(0, 1e-3))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_longer_steps_never_take_less_time(group, size_bytes, more_s):
    up = replace(group.up, ring_step_s=group.up.ring_step_s + more_s, tree_step_s=group.up.tree_step_s + more_s)
    out = replace(group.out, ring_step_s=group.out.ring_step_s + more_s, tree_step_s=group.out.tree_step_s + more_s)
    for collective in COLLECTIVES:
        assert collective(size_bytes, replace(group, up=up, out=out)) >= collective(size_bytes, group)


@given(groups, sizes, st.integers(1, 64))
@settings(derandomize=True, deadline=None, max_examples=300)
def test_a_ring_and_a_tree_over_more_domains_never_take_less_time(group, size_bytes, more):
    across = replace(group, domains=group.domains + 1)
    for all_reduce in (ring_all_reduce_s, tree_all_reduce_s, hierarchical_all_reduce_s):
        time_s = all_reduce(size_bytes, across)
        assert all_reduce(size_bytes, replace(across, domains=across.domains + more)) >= time_s * (1 - 1e-12)


@given(groups, sizes)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_no_all_reduce_moves_less_through_a_domains_nics_than_a_sum_over_domains_needs(group, size_bytes):
    """2 (L-1)/L S bytes in and out of a domain: Patarasuk and Yuan, Bandwidth optimal all-reduce, JPDC 69 (2009)."""
    nics_bytes_per_s = group.slice.chips * group.nic_bytes_per_s
    least_s = 2 * (group.domains - 1) / group.domains * size_bytes / nics_bytes_per_s
    for all_reduce in ALL_REDUCES.values():
        assert all_reduce(size_bytes, group) >= least_s * (1 - 1e-12)
