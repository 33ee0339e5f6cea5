"""The catalog's interconnects: every rack has its graph, and its figures agree with those of its chips."""

import re
from pathlib import Path

import networkx as nx
import pytest

from scenarios.errors import ScenarioError
from scenarios.units import to_si
from topologies import catalog
from topologies.graph_facts import allreduce_bytes_per_s, domain_bytes_per_s, facts, group_sizes
from topologies.graphs import chips_of
from topologies.interconnect import FABRICS, accelerator, endpoints, figures, names, switches, topology

RACKS = sorted(catalog.table("racks"))
GB = 1e9


def scale_up(name):
    fact = catalog.table("accelerators")[accelerator(name)]["scale_up_bandwidth"]
    return to_si(float(fact.value), fact.unit)


def test_every_rack_of_the_catalog_has_a_graph_and_so_has_every_form_of_fabric():
    assert set(names()) == {*RACKS, *FABRICS, "trn3-gen2"}


@pytest.mark.parametrize("rack", RACKS)
def test_the_graph_of_a_rack_has_the_chips_of_its_domain(rack):
    assert chips_of(topology(rack).graph["form"]) == catalog.rack(rack).domain_chips


@pytest.mark.parametrize("rack", [rack for rack in RACKS if rack != "trn2-48xl"])
def test_the_links_of_a_chip_add_up_to_the_scale_up_bandwidth_of_its_accelerator(rack):
    assert topology(rack).degree("chip 0", weight="bytes_per_s") == pytest.approx(scale_up(rack))


def test_a_trn2_instance_alone_leaves_the_links_to_other_instances_unused():
    alone = topology("trn2-48xl").degree("chip 0", weight="bytes_per_s")
    assert scale_up("trn2-48xl") - alone == pytest.approx(2 * 64 * GB)


def test_the_aggregate_bandwidth_of_an_nvl72_is_130_tb_per_s_in_both_directions():
    """Source: DGX GB200 documentation."""
    edges = topology("gb200-nvl72").edges(data="bytes_per_s")
    assert 2 * sum(rate for *_, rate in edges) == pytest.approx(130e12, rel=0.01)


@pytest.mark.parametrize(
    ("rack", "tbit_per_s"),
    [("dgx-h100", 3.2), ("dgx-b200", 3.2), ("gb200-nvl72", 28.8), ("trn1-32xl", 0.8), ("trn2-48xl", 3.2)],
)
def test_the_nics_of_a_domain_add_up_to_the_published_sum(rack, tbit_per_s):
    """Source: EC2 accelerated-computing instances (p5, p6-b200, p6e-gb200, trn1, trn2)."""
    ends = endpoints(rack, 3)
    assert ends.domains == 3
    assert ends.nics * ends.link_bytes_per_s * 8 == pytest.approx(tbit_per_s * 1e12)


def test_the_switches_of_the_catalog_have_64_ports():
    assert (switches().ports, switches(16).ports) == (64, 16)


def test_a_graph_is_built_once_and_cannot_be_changed():
    assert topology("dgx-h100") is topology("dgx-h100")
    with pytest.raises(nx.NetworkXError, match="Frozen graph"):
        topology("dgx-h100").add_edge("chip 0", "chip 1")


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(ScenarioError, match="unknown topology 'leaf-spin'; did you mean 'leaf-spine'"):
        topology("leaf-spin")


@pytest.mark.parametrize("name", names())
def test_every_figure_that_a_graph_is_built_from_has_a_source(name):
    found = figures(name)
    assert {"nic_bandwidth", "nic_latency"} <= set(found)
    assert all(fact.source for fact in found.values())


def test_a_switched_domain_names_the_bandwidth_of_its_chips_among_its_figures():
    assert figures("gb300-nvl72")["scale_up_bandwidth"].item == "gb300"
    assert "scale_up_bandwidth" not in figures("trn2-48xl")
    assert "ports" in figures("leaf-spine") and "ports" not in figures("fat-tree")


# the tables of the docs


def rows_of_docs(name):
    """The cells of the last row of a name in docs/interconnect.md."""
    text = (Path(__file__).parents[2] / "docs" / "interconnect.md").read_text(encoding="utf-8")
    row = [line for line in text.splitlines() if line.startswith(f"| {name} |")][-1]
    return [cell.strip() for cell in row.strip("|").split("|")][1:]


def tb_per_s(text):
    value, unit = text.split()
    return float(value) * {"GB/s": 1e-3, "TB/s": 1.0}[unit]


@pytest.mark.parametrize("name", [name for name in names() if name not in FABRICS])
def test_the_docs_say_of_a_domain_what_its_graph_says(name):
    chips, boxes, links, hops, bisection, rates = rows_of_docs(name)
    graph, found = topology(name), facts(topology(name))
    told = (found.nodes["chip"], found.nodes["switch"], found.links, found.hops)
    assert told == tuple(int(cell.replace(",", "")) for cell in (chips, boxes, links, hops))
    assert found.bisection_bytes_per_s == pytest.approx(tb_per_s(bisection) * 1e12)
    said = [re.fullmatch(r"(\d+)(?: to (\d+))?: (\d+)", part) for part in rates.split(", ")]
    for size in group_sizes(graph):
        [rate] = [int(part[3]) for part in said if int(part[1]) <= size <= int(part[2] or part[1])]
        assert allreduce_bytes_per_s(graph, size) == pytest.approx(rate * GB)


@pytest.mark.parametrize("name", FABRICS)
def test_the_docs_say_of_a_fabric_what_its_graph_says(name):
    domains, tiers, links, hops, bisection, rates = rows_of_docs(name)
    graph, found = topology(name), facts(topology(name))
    assert domains == f"{found.nodes['domain']} of {graph.graph['form'].ends.nics} NICs"
    assert tiers == ", ".join(str(found.nodes[kind]) for kind in ("leaf", "spine", "core"))
    assert (found.links, found.hops) == (int(links.replace(",", "")), int(hops))
    assert found.bisection_bytes_per_s == pytest.approx(tb_per_s(bisection) * 1e12)
    assert rates == " / ".join(f"{rate / GB:.0f}" for rate in domain_bytes_per_s(graph).values()) + " GB/s"
