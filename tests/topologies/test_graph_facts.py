"""What graphs can do: the bisection of theory is the least cut there is, and all-reduce is as computed by hand."""

import itertools

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from topologies.fabric import Endpoints, Switches, fat_tree, leaf_spine, rail_optimised
from topologies.graph_facts import (
    ENDS,
    allreduce_bytes_per_s,
    best_box,
    bisection_bytes_per_s,
    box_bytes_per_s,
    domain_bytes_per_s,
    facts,
    group_sizes,
)
from topologies.graphs import Sleds, chips_of, ring, sleds, switched, torus
from topologies.interconnect import names, topology
from topologies.tori import Torus

GB = 1e9


def ends_of(graph):
    return [node for node, kind in graph.nodes(data="kind") if kind in ENDS]


def least_cut(graph):
    """Every half of the ends is tried; where there are switches, with the minimum cut between the halves."""
    ends = ends_of(graph)
    joined = nx.Graph()
    joined.add_edges_from((one, other, {"capacity": rate}) for one, other, rate in graph.edges(data="bytes_per_s"))
    return min(cut(joined, half, set(ends) - set(half)) for half in itertools.combinations(ends, len(ends) // 2))


def cut(graph, half, rest):
    if len(graph) == len(half) + len(rest):  # no switches: nothing to choose
        return nx.cut_size(graph, half, rest, weight="capacity")
    held = graph.copy()
    held.add_edges_from(("source", node) for node in half)  # an edge without a capacity holds any amount
    held.add_edges_from(("sink", node) for node in rest)
    return nx.minimum_cut_value(held, "source", "sink")


def spectral_bound(graph):
    """No cut into halves is below N / 4 times the second eigenvalue of the Laplacian. Source: Fiedler (1973)."""
    weights = nx.to_numpy_array(graph, weight="bytes_per_s")
    return len(graph) / 4 * np.linalg.eigvalsh(np.diag(weights.sum(axis=0)) - weights)[1]


def hosts(domains, nics=1):
    return Endpoints(domains, nics, GB, 1e-6)


def box(ports):
    return Switches(ports, 1e-6)


SMALL = {
    "switched, 8": switched(8, 4, 18, 450 * GB, 1e-6, 8, 4),
    "switched, 7": switched(7, 3, 6, 60 * GB, 1e-6, 1, 1),
    "ring of 12": ring(12, 48 * GB, 1e-6),
    "ring of 7": ring(7, 48 * GB, 1e-6),
    "torus 4x4": torus((4, 4), (128 * GB, 128 * GB), 1e-6),
    "torus 4x4, uneven": torus((4, 4), (128 * GB, 50 * GB), 1e-6),
    "torus 3x4": torus((4, 3), (GB, GB), 1e-6),
    "sleds": sleds(Sleds(2, 2, 128 * GB, 160 * GB, 64 * GB), 1e-6),
    "one leaf": leaf_spine(hosts(7), box(20)),
    "leaf-spine": leaf_spine(hosts(8), box(8)),
    "leaf-spine, 2:1": leaf_spine(hosts(8), box(6), 2.0),
    "leaf-spine, 3:1": leaf_spine(hosts(6), box(4), 3.0),
    "rails": rail_optimised(hosts(8, 2), box(8)),
    "rails, 2:1": rail_optimised(hosts(8, 2), box(6), 2.0),
    "rails, one group": rail_optimised(hosts(6, 2), box(12)),
    "fat tree": fat_tree(hosts(8), box(4)),
    "fat tree, one pod": fat_tree(hosts(8), box(8)),
    "fat tree, 2:1 at the spines": fat_tree(hosts(8), box(4), (1.0, 2.0)),
    "fat tree, 2:1 twice": fat_tree(hosts(8), box(3), (2.0, 2.0)),
    "fat tree, rails": fat_tree(hosts(8, 2), box(4), (1.0, 1.0), 2),
}


@pytest.mark.parametrize("name", SMALL)
def test_the_bisection_of_theory_is_the_least_cut_of_all(name):
    known = bisection_bytes_per_s(SMALL[name])
    if name == "torus 3x4":
        assert known is None  # of odd sides only a ring has a theory here
    else:
        assert known == pytest.approx(least_cut(SMALL[name]))


@pytest.mark.parametrize("name", ["trn1-32xl", "trn2-48xl", "trn2-ultraserver"])
def test_no_cut_of_a_trainium_torus_can_be_below_its_bisection(name):
    """Too many halves to try them all: theory's cut is there, and Fiedler's bound says that none is lower."""
    assert spectral_bound(topology(name)) == pytest.approx(bisection_bytes_per_s(topology(name)))


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("dgx-h100", 4 * 450),  # half the chips, all their bandwidth
        ("dgx-b200", 4 * 900),
        ("gb200-nvl72", 36 * 900),
        ("trn1-32xl", 8 * 48),  # 8 links
        ("trn2-48xl", 8 * 128),
        ("trn2-ultraserver", 32 * 64),  # 32 links of the slower dimension
        ("inf2-48xl", 2 * 48),  # 2 links
        ("trn3-gen2", 72 * 64),  # a link a chip between the racks
        ("leaf-spine", 40 * 400 / 2 / 2),  # half the domains, divided by the oversubscription
        ("rail-optimised", 64 * 400 / 2),
        ("fat-tree", 64 * 200 / 2 / 2),
    ],
)
def test_the_bisection_of_what_is_shipped_is_as_computed_by_hand(name, cut):
    assert bisection_bytes_per_s(topology(name)) == pytest.approx(cut * GB)


@pytest.mark.parametrize(
    ("first", "second", "leaf_hosts", "pod_leaves"), [(1, 1, 6, 6), (2, 1, 8, 6), (1, 3, 6, 9), (2, 3, 8, 9)]
)
def test_a_full_fat_tree_carries_half_its_hosts_divided_by_the_oversubscription(first, second, leaf_hosts, pod_leaves):
    domains = 4 * pod_leaves * leaf_hosts  # four pods of 12-port switches
    graph = fat_tree(hosts(domains), box(12), (first, second))
    assert bisection_bytes_per_s(graph) == pytest.approx(domains / 2 * GB / (first * second))
    assert domain_bytes_per_s(graph) == pytest.approx({"leaf": GB, "spine": GB / first, "core": GB / (first * second)})


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 8), st.sampled_from([1, 2]), st.integers(4, 12), st.sampled_from([1.0, 2.0, 3.0]), st.booleans())
def test_where_theory_speaks_of_a_fabric_it_is_right(domains, rails, ports, over, deep):
    try:
        if deep:
            graph = fat_tree(hosts(domains, rails), box(ports), (over, 2.0), rails)
        else:
            graph = rail_optimised(hosts(domains, rails), box(ports), over)
    except ValueError:
        assume(False)
    known = bisection_bytes_per_s(graph)
    assume(known is not None)
    assert known == pytest.approx(least_cut(graph))


# distances


@pytest.mark.parametrize("name", names())
def test_hops_and_latency_are_those_of_the_farthest_of_all_pairs(name):
    graph, found = topology(name), facts(topology(name))
    chips = ends_of(graph)
    hops = dict(nx.all_pairs_shortest_path_length(graph))
    assert found.hops == max(hops[one][other] for one in chips for other in chips)
    times = dict(nx.all_pairs_dijkstra_path_length(graph, weight="latency_s"))
    assert found.latency_s == pytest.approx(max(times[one][other] for one in chips for other in chips))


def test_nodes_and_links_are_counted():
    found = facts(topology("dgx-h100"))
    assert (dict(found.nodes), found.links) == ({"chip": 8, "switch": 4}, 8 * 18)


# all-reduce


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("dgx-h100", {2: 450, 4: 450, 8: 450}),
        ("gb200-nvl72", {2: 900, 4: 900, 8: 900, 16: 900, 32: 900, 64: 900, 72: 900}),
        # a line of 2 is half a ring; 4 a ring; 2 x 4 a line and a ring; 4 x 4 two rings
        ("trn1-32xl", {2: 48, 4: 96, 8: 48 + 96, 16: 2 * 96}),
        ("trn2-48xl", {2: 128, 4: 256, 8: 384, 16: 512}),
        # 16 is one instance; 32 two instances, joined by a line; 64 all, joined by rings of half the bandwidth
        ("trn2-ultraserver", {2: 128, 4: 256, 8: 384, 16: 512, 32: 512 + 64, 64: 512 + 128}),
        ("inf2-48xl", {2: 48, 4: 48, 8: 48, 12: 96}),
        ("trn3-gen2", {2: 288, 4: 288, 8: 288, 16: 288, 32: 288, 64: 288, 128: 352, 144: 352}),
    ],
)
def test_the_all_reduce_bandwidth_of_a_group_is_as_computed_by_hand(name, rates):
    graph = topology(name)
    assert group_sizes(graph) == list(rates)
    assert {size: allreduce_bytes_per_s(graph, size) for size in rates} == {
        size: pytest.approx(rate * GB) for size, rate in rates.items()
    }


FORM = Torus((4, 4, 4), (2.0, 2.0, 1.0))


@pytest.mark.parametrize(
    ("wide", "rate"),
    [((1, 1, 1), 0), ((4, 1, 1), 4), ((3, 1, 1), 2), ((1, 1, 4), 2), ((1, 1, 2), 1), ((2, 2, 2), 5), ((4, 4, 4), 10)],
)
def test_a_box_has_two_rings_in_a_whole_dimension_and_one_on_an_open_line(wide, rate):
    assert box_bytes_per_s(FORM, wide) == rate


@pytest.mark.parametrize(("chips", "best"), [(4, (4, 1, 1)), (8, (4, 2, 1)), (12, (4, 3, 1)), (27, (3, 3, 3))])
def test_the_best_box_of_a_size_closes_as_many_rings_as_it_can(chips, best):
    assert best_box(FORM, chips) == best


@pytest.mark.parametrize("chips", [5, 7, 10, 33, 63])
def test_a_size_that_is_no_box_has_no_place_in_a_torus(chips):
    assert best_box(FORM, chips) is None
    assert allreduce_bytes_per_s(topology("trn2-ultraserver"), chips) is None


@pytest.mark.parametrize("name", [name for name in names() if "chip 0" in topology(name)])
def test_no_group_sends_more_than_the_links_of_its_chips_and_none_is_larger_than_the_domain(name):
    graph = topology(name)
    whole = chips_of(graph.graph["form"])
    for size in range(2, whole + 1):
        rate = allreduce_bytes_per_s(graph, size)
        assert rate is None or rate <= graph.degree("chip 0", weight="bytes_per_s") * (1 + 1e-12)
    assert allreduce_bytes_per_s(graph, 1) is allreduce_bytes_per_s(graph, whole + 1) is None
    assert allreduce_bytes_per_s(graph, whole) == pytest.approx(graph.degree("chip 0", weight="bytes_per_s"))


def test_beyond_a_rack_of_sleds_only_whole_sleds_of_both_racks_have_a_figure():
    graph = topology("trn3-gen2")
    assert allreduce_bytes_per_s(graph, 72) == pytest.approx(288 * GB)
    assert allreduce_bytes_per_s(graph, 76) is None
    assert allreduce_bytes_per_s(graph, 80) == pytest.approx(352 * GB)


# domains of a fabric


def test_a_domain_sends_at_the_speed_of_its_nics_and_less_where_tiers_are_oversubscribed():
    assert domain_bytes_per_s(topology("fat-tree")) == {"leaf": 200 * GB, "spine": 200 * GB, "core": 100 * GB}
    assert domain_bytes_per_s(topology("leaf-spine")) == {"leaf": 400 * GB, "spine": 200 * GB}
    assert domain_bytes_per_s(leaf_spine(hosts(4), box(64))) == {"leaf": GB}


def test_what_is_asked_of_the_wrong_kind_of_graph_is_refused_or_unknown():
    assert allreduce_bytes_per_s(topology("leaf-spine"), 8) is None
    with pytest.raises(TypeError, match="allowed: a fabric"):
        domain_bytes_per_s(topology("dgx-h100"))
