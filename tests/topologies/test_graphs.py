"""Scale-up graphs: their nodes, links and distances are those of the machines they stand for."""

from collections import Counter

import networkx as nx
import pytest

from topologies.graphs import Sleds, chips_of, ring, sleds, switched, torus

GB = 1e9
HGX = switched(8, 4, 18, 450 * GB, 3e-7, 8, 4)
NVL72 = switched(72, 18, 18, 900 * GB, 3e-7, 4, 2)
FLAT = torus((4, 4), (128 * GB, 128 * GB), 1.5e-6)
DEEP = torus((4, 4, 4), (128 * GB, 128 * GB, 64 * GB), 1.5e-6)
CIRCLE = ring(12, 48 * GB, 1.5e-6)
SLEDS = sleds(Sleds(18, 4, 128 * GB, 160 * GB, 64 * GB), 1e-6)
GRAPHS = {"hgx": HGX, "nvl72": NVL72, "flat": FLAT, "deep": DEEP, "circle": CIRCLE, "sleds": SLEDS}


def chips_in(graph):
    return [node for node, kind in graph.nodes(data="kind") if kind == "chip"]


def each_way(graph, chip):
    """What a chip sends over all its links [bytes/s]."""
    return graph.degree(chip, weight="bytes_per_s")


@pytest.mark.parametrize(
    ("name", "chips", "switches", "edges"),
    [
        ("hgx", 8, 4, 8 * 4),
        ("nvl72", 72, 18, 72 * 18),
        ("flat", 16, 0, 2 * 16),
        ("deep", 64, 0, 3 * 64),
        ("circle", 12, 0, 12),
        ("sleds", 144, 36 + 2, 144 + 144 + 72),
    ],
)
def test_a_graph_has_the_chips_switches_and_links_of_its_machine(name, chips, switches, edges):
    graph = GRAPHS[name]
    kinds = Counter(kind for _, kind in graph.nodes(data="kind"))
    assert (kinds["chip"], kinds["switch"], graph.number_of_edges()) == (chips, switches, edges)
    assert chips_of(graph.graph["form"]) == chips
    assert set(kinds) <= {"chip", "switch"}


@pytest.mark.parametrize(
    ("name", "degree", "gb_per_s"),
    [("hgx", 4, 450), ("nvl72", 18, 900), ("flat", 4, 512), ("deep", 6, 640), ("circle", 2, 96), ("sleds", 3, 352)],
)
def test_every_chip_has_the_same_links_and_sends_what_its_accelerator_can(name, degree, gb_per_s):
    graph = GRAPHS[name]
    for chip in chips_in(graph):
        assert graph.degree(chip) == degree
        assert each_way(graph, chip) == pytest.approx(gb_per_s * GB)


@pytest.mark.parametrize("name", GRAPHS)
def test_every_edge_has_a_bandwidth_a_latency_and_a_count_of_links(name):
    for *_, wire in GRAPHS[name].edges(data=True):
        assert wire["bytes_per_s"] > 0
        assert wire["latency_s"] > 0
        assert wire["links"] >= 1


@pytest.mark.parametrize(
    ("name", "hops"), [("hgx", 2), ("nvl72", 2), ("flat", 4), ("deep", 6), ("circle", 6), ("sleds", 3)]
)
def test_the_farthest_chips_are_as_far_apart_as_theory_says(name, hops):
    graph = GRAPHS[name]
    far = dict(nx.all_pairs_shortest_path_length(graph))
    chips = chips_in(graph)
    assert max(far[one][other] for one in chips for other in chips) == hops


def test_the_nvlinks_of_an_hgx_board_are_shared_out_as_evenly_as_whole_links_can_be():
    shares = sorted(wire["links"] for *_, wire in HGX.edges("chip 3", data=True))
    assert shares == [4, 4, 5, 5]  # the board: 5, 4, 4 and 5
    assert {wire["bytes_per_s"] / wire["links"] for *_, wire in HGX.edges(data=True)} == {25 * GB}


def test_the_72_gpus_stand_in_18_trays_and_the_18_switches_in_9():
    trays = Counter((facts["kind"], facts["tray"]) for _, facts in NVL72.nodes(data=True))
    assert Counter(kind for kind, _ in trays) == {"chip": 18, "switch": 9}
    assert {count for (kind, _), count in trays.items() if kind == "chip"} == {4}


def test_the_neighbours_of_a_chip_in_a_torus_differ_by_one_place_in_one_dimension():
    for one, other in DEEP.edges:
        apart = [abs(a - b) for a, b in zip(DEEP.nodes[one]["at"], DEEP.nodes[other]["at"], strict=True)]
        assert sorted(apart) in ([0, 0, 1], [0, 0, 3])


def test_the_third_dimension_of_an_ultraserver_joins_the_same_place_of_four_instances():
    across = [wire for wire in DEEP.edges(data=True) if wire[2]["bytes_per_s"] == 64 * GB]
    assert len(across) == 64
    assert all(DEEP.nodes[one]["at"][:2] == DEEP.nodes[other]["at"][:2] for one, other, _ in across)
    instances = DEEP.copy()
    instances.remove_edges_from(across)
    parts = [instances.subgraph(part) for part in nx.connected_components(instances)]
    assert len(parts) == 4
    assert all(nx.is_isomorphic(part, FLAT) for part in parts)


def test_a_ring_is_one_circle():
    assert nx.is_isomorphic(CIRCLE, nx.cycle_graph(12))


def test_a_side_on_which_two_links_would_coincide_is_refused():
    with pytest.raises(ValueError, match=r"sides \(4, 2\); allowed: at least 3 chips a ring"):
        torus((4, 2), (GB, GB), 1e-6)


def test_chips_of_two_racks_of_sleds_meet_in_their_sled_their_rack_and_their_peer():
    assert set(SLEDS["chip 5"]) == {"sled switch 1", "rack switch 0", "chip 77"}
    assert set(SLEDS["chip 77"]) == {"sled switch 19", "rack switch 1", "chip 5"}
    assert SLEDS.degree("sled switch 1") == 4
    assert SLEDS.degree("rack switch 1") == 72
