"""Scale-out fabrics: published ones come out as published; all keep to their ports and their oversubscription."""

from collections import Counter

import networkx as nx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from topologies.fabric import Endpoints, Switches, fat_tree, leaf_spine, rail_optimised

NIC = 50e9
BUILDERS = {
    "leaf-spine": lambda ends, switches, over, rails: leaf_spine(ends, switches, over[0]),
    "rail-optimised": lambda ends, switches, over, rails: rail_optimised(ends, switches, over[0], rails),
    "fat-tree": lambda ends, switches, over, rails: fat_tree(ends, switches, over, rails),
}


def ends(domains, nics=8):
    return Endpoints(domains, nics, NIC, 1.35e-6)


def switches(ports=64):
    return Switches(ports, 5e-7)


def kinds(graph):
    return Counter(kind for _, kind in graph.nodes(data="kind"))


def links(graph, node, kind):
    """Links of a node to nodes of a kind."""
    return sum(wire["links"] for other, wire in graph[node].items() if graph.nodes[other]["kind"] == kind)


@pytest.mark.parametrize(
    ("nodes", "leaves", "spines", "cores"),
    [
        (64, 16, 8, 0),
        (128, 32, 16, 0),
        (256, 64, 32, 0),
        (512, 128, 128, 64),
        (1024, 256, 256, 128),
        (2048, 512, 512, 256),
    ],
)
def test_a_superpod_has_as_many_switches_as_nvidia_says(nodes, leaves, spines, cores):
    """Source: NVIDIA DGX SuperPOD B200 Reference Architecture, switches by nodes; 64 ports, rail-optimised."""
    build = fat_tree if cores else rail_optimised
    graph = build(ends(nodes), switches(), (1.0, 1.0), 8) if cores else build(ends(nodes), switches())
    found = kinds(graph)
    assert (found["leaf"], found["spine"], found["core"]) == (leaves, spines, cores)
    group = [node for node, facts in graph.nodes(data=True) if facts["kind"] == "domain" and facts["group"] == 0]
    assert len(group) == 32  # a scalable unit


@pytest.mark.parametrize(("oversubscription", "down", "up"), [(1, 32, 32), (2, 40, 20), (3, 48, 16), (7, 56, 8)])
def test_a_leaf_has_so_many_links_down_for_one_up(oversubscription, down, up):
    graph = leaf_spine(ends(56), switches(), oversubscription)
    assert links(graph, "leaf 0", "domain") == down
    assert links(graph, "leaf 0", "spine") == up


def test_a_spine_of_a_fat_tree_is_oversubscribed_by_its_own_ratio():
    graph = fat_tree(ends(64, 4), switches(16), (1.0, 2.0))
    assert (links(graph, "leaf 0", "domain"), links(graph, "leaf 0", "spine")) == (8, 8)
    assert (links(graph, "spine 0", "leaf"), links(graph, "spine 0", "core")) == (8, 4)
    assert kinds(graph) == {"domain": 64, "leaf": 32, "spine": 32, "core": 8}


def test_all_nics_of_a_domain_are_on_one_leaf_or_one_on_each_rail():
    packed, rails = leaf_spine(ends(64), switches()), rail_optimised(ends(64), switches())
    assert dict(packed["domain 9"]) == {"leaf 2": {"bytes_per_s": 8 * NIC, "latency_s": 1.35e-6, "links": 8}}
    assert [rails.nodes[leaf]["rail"] for leaf in rails["domain 9"]] == list(range(8))
    assert {wire["links"] for wire in rails["domain 9"].values()} == {1}


def test_nic_j_of_all_domains_of_a_group_meets_on_the_leaf_of_rail_j():
    graph = rail_optimised(ends(64), switches())
    below = {node for node in graph["leaf 11"] if graph.nodes[node]["kind"] == "domain"}
    assert below == {f"domain {at}" for at in range(32, 64)}
    assert graph.nodes["leaf 11"]["rail"] == 3


@pytest.mark.parametrize(
    ("graph", "hops"),
    [
        (leaf_spine(ends(4), switches()), 2),
        (leaf_spine(ends(64), switches()), 4),
        (rail_optimised(ends(64), switches()), 4),
        (fat_tree(ends(64, 4), switches(16)), 6),
    ],
)
def test_domains_are_two_links_apart_for_each_tier(graph, hops):
    far = nx.single_source_shortest_path_length(graph, "domain 0")
    assert max(count for node, count in far.items() if graph.nodes[node]["kind"] == "domain") == hops


def test_a_single_leaf_needs_no_spine_and_a_single_pod_no_core():
    assert kinds(leaf_spine(ends(4), switches())) == {"domain": 4, "leaf": 1}
    assert kinds(fat_tree(ends(16, 4), switches(16))) == {"domain": 16, "leaf": 8, "spine": 8}


# what cannot be built


def test_a_domain_that_does_not_fit_under_a_leaf_is_refused():
    with pytest.raises(ValueError, match=r"a leaf of 64 ports takes 32 NICs; a domain brings 72 \(more rails: fewer\)"):
        leaf_spine(ends(4, 72), switches())
    assert kinds(rail_optimised(ends(4, 72), switches(), rails=4))["leaf"] == 16


def test_more_leaves_than_a_spine_has_ports_are_refused():
    assert kinds(leaf_spine(ends(256), switches()))["leaf"] == 64
    with pytest.raises(ValueError, match="two tiers with spines of 64 ports take 64 leaves; needed: 65"):
        leaf_spine(ends(257), switches())


def test_more_pods_than_a_core_has_ports_are_refused():
    with pytest.raises(ValueError, match="three tiers of 4-port switches take 4 pods; needed: 5"):
        fat_tree(ends(17, 1), switches(4))


def test_rails_that_the_nics_do_not_divide_into_are_refused():
    with pytest.raises(ValueError, match="found 8 NICs a domain on 3 rails; allowed: a divisor of the NICs"):
        rail_optimised(ends(8), switches(), rails=3)


def test_an_oversubscription_below_1_is_refused():
    with pytest.raises(ValueError, match=r"found an oversubscription of 0\.5; allowed: at least 1"):
        leaf_spine(ends(8), switches(), 0.5)


def test_more_rails_than_a_spine_has_links_down_are_refused():
    with pytest.raises(ValueError, match="a spine of 4 ports has too few for the leaves of 8 rails"):
        fat_tree(ends(8), switches(4), (1.0, 1.0), 8)


# any fabric


@st.composite
def fabrics(draw):
    """A fabric of any form and size, or nothing where it cannot be built."""
    rails = draw(st.sampled_from([1, 2, 4]))
    asked = ends(draw(st.integers(1, 60)), rails * draw(st.integers(1, 3)))
    box, over = switches(draw(st.integers(4, 40))), draw(st.tuples(*2 * [st.sampled_from([1.0, 1.5, 2.0, 3.0, 7.0])]))
    try:
        return BUILDERS[draw(st.sampled_from(sorted(BUILDERS)))](asked, box, over, rails), asked, box, over
    except ValueError:
        assume(False)


@settings(deadline=None, max_examples=200)
@given(fabrics())
def test_every_fabric_is_whole_and_keeps_to_its_ports_and_its_oversubscription(made):
    graph, asked, box, over = made
    assert kinds(graph)["domain"] == asked.domains
    assert nx.is_connected(graph)
    for node, kind in graph.nodes(data="kind"):
        used = graph.degree(node, weight="links")
        if kind == "domain":
            assert used == asked.nics
        else:
            assert used <= box.ports
        if kind in ("leaf", "spine"):
            below, above = {"leaf": ("domain", "spine"), "spine": ("leaf", "core")}[kind]
            down, up = links(graph, node, below), links(graph, node, above)
            assert up == 0 or down <= up * over[kind == "spine"] + 1e-9
    for *_, wire in graph.edges(data=True):
        assert wire["bytes_per_s"] == wire["links"] * NIC > 0
        assert wire["latency_s"] in (asked.latency_s, box.latency_s)


@settings(deadline=None, max_examples=100)
@given(fabrics())
def test_the_switches_of_a_tier_share_the_links_below_them_evenly(made):
    graph, *_ = made
    form = graph.graph["form"]
    assume(form.full)
    for kind in ("spine", "core"):
        tier = [node for node, of in graph.nodes(data="kind") if of == kind]
        assert len({links(graph, node, {"spine": "leaf", "core": "spine"}[kind]) for node in tier}) <= 1
