"""Pictures of topologies: every node has a place of its own, and every name is drawn."""

import itertools

import pytest

from outputs.graph_layout import TIERS, cluster, places
from outputs.topology_plot import draw_topology
from scenarios.errors import ScenarioError
from topologies.fabric import Fabric
from topologies.interconnect import FABRICS, names, topology

NVL72 = topology("gb200-nvl72")


@pytest.mark.parametrize("name", names())
def test_every_node_has_a_place_of_its_own(name):
    at = places(topology(name))
    assert set(at) == set(topology(name))
    assert len({(round(x, 6), round(y, 6)) for x, y in at.values()}) == len(at)


@pytest.mark.parametrize("name", names())
def test_every_topology_is_drawn_whatever_the_users_settings(tmp_path, name):
    import matplotlib

    draw_topology(name, tmp_path / "new" / "plain.png")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "lines.linewidth": 9}):
        draw_topology(name, tmp_path / "other.png")
    plain = (tmp_path / "new" / "plain.png").read_bytes()
    assert plain.startswith(b"\x89PNG") and len(plain) > 10_000
    assert plain == (tmp_path / "other.png").read_bytes()


def test_an_unknown_name_leaves_no_picture(tmp_path):
    with pytest.raises(ScenarioError, match="did you mean 'dgx-h100'"):
        draw_topology("dgx-h10", tmp_path / "new" / "picture.png")
    assert not list(tmp_path.iterdir())


def test_the_72_chips_stand_in_two_rows_around_the_18_switches_with_a_gap_after_each_tray():
    at = places(NVL72)
    rows = {height: sorted(x for node, (x, y) in at.items() if y == height) for height in (1.0, 0.0, -1.0)}
    assert [len(row) for row in rows.values()] == [36, 18, 36]
    gaps = [b - a for a, b in itertools.pairwise(rows[1.0])]
    assert [at for at, gap in enumerate(gaps) if gap > 1.5] == list(range(3, 35, 4))


@pytest.mark.parametrize("name", FABRICS)
def test_tiers_stand_above_each_other_and_clusters_beside_each_other(name):
    graph, at = topology(name), places(topology(name))
    form: Fabric = graph.graph["form"]
    for node, kind in graph.nodes(data="kind"):
        assert at[node][1] == TIERS.index(kind)
    clusters = {number for node in graph if (number := cluster(graph, node)) is not None}
    assert len(clusters) == {"leaf-spine": 0, "rail-optimised": form.groups, "fat-tree": form.pods}[name]
    for kind in TIERS:
        own = [(at[node][0], cluster(graph, node) or 0) for node, of in graph.nodes(data="kind") if of == kind]
        assert [number for _, number in sorted(own)] == sorted(number for _, number in own)
