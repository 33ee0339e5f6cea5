"""The tables of `megawatt show topology`: what a graph can do, and the figures that it is built from."""

from collections.abc import Sequence

from rich.table import Table

from outputs.tables import bandwidth, table
from topologies.catalog import Fact
from topologies.graph_facts import allreduce_bytes_per_s, best_box, domain_bytes_per_s, facts, group_sizes
from topologies.graphs import Sleds, Topology
from topologies.interconnect import FABRICS, accelerator, endpoints, figures, topology
from topologies.tori import Torus

PLURAL = {
    **{"chip": "chips", "switch": "switches"},
    **{"domain": "domains", "leaf": "leaves", "spine": "spines", "core": "cores"},
}
_REACH = {"leaf": "under its leaves", "spine": "to other leaves", "core": "to other pods"}


def topology_tables(name: str) -> list[Table]:
    """The tables of a rack's scale-up domain or of a form of fabric; ScenarioError for an unknown name."""
    graph = topology(name)
    rates = _domain_rates(graph) if name in FABRICS else _allreduce(graph)
    return [_facts(name, graph), rates, _figures(name)]


def about(name: str) -> str:
    """What a topology is in one line: "8 chips (h100-sxm), each on every one of 4 switches"."""
    if name in FABRICS:
        return FABRICS[name]
    graph = topology(name)
    nodes = facts(graph).nodes
    chips = f"{nodes['chip']} chips ({accelerator(name)})"
    match graph.graph["form"]:
        case Torus(sides=(_,)):
            return f"{chips} in a ring"
        case Torus(sides=sides):
            return f"{chips} in a torus of {' x '.join(map(str, sides))}"
        case Sleds() as form:
            return f"{chips} in two racks of {form.sleds} sleds"
    return f"{chips}, each on every one of {nodes['switch']} switches"


def _facts(name: str, graph: Topology) -> Table:
    found = facts(graph)
    rows = [("what it is", about(name)), *((PLURAL[kind], f"{count:,}") for kind, count in found.nodes.items())]
    rows += [("links", f"{found.links:,}"), *((f"  {ends}", text) for ends, text in links(graph).items())]
    rows.append(("farthest pair", f"{found.hops} links, {found.latency_s * 1e6:.3g} us"))
    if found.bisection_bytes_per_s is not None:
        rows.append(("bisection", f"{bandwidth(found.bisection_bytes_per_s)} each way"))
    if name not in FABRICS:
        nics = endpoints(name, 1)
        rows.append(("scale-out NICs", f"{nics.nics} of {bandwidth(nics.link_bytes_per_s)} each way"))
    return table(name, ("", ""), rows)


def links(graph: Topology) -> dict[str, str]:
    """What the edges of a graph carry, by the kinds that they join."""
    rates: dict[str, set[float]] = {}
    counts: dict[str, set[int]] = {}
    for one, other, wire in graph.edges(data=True):
        ends = f"{graph.nodes[one]['kind']} to {graph.nodes[other]['kind']}"
        rates.setdefault(ends, set()).add(wire["bytes_per_s"])
        counts.setdefault(ends, set()).add(wire["links"])
    return {ends: f"{_links(sorted(counts[ends]))}{_span(sorted(found))} each way" for ends, found in rates.items()}


def _links(counts: Sequence[int]) -> str:
    if counts[-1] == 1:
        return ""
    return f"{' or '.join(map(str, counts))} links, "


def _span(rates: Sequence[float]) -> str:
    return " or ".join(bandwidth(rate) for rate in rates)


def _allreduce(graph: Topology) -> Table:
    """The all-reduce bandwidth of the usual groups; in a torus with the box that gives it."""
    form = graph.graph["form"]
    rows = []
    for chips in group_sizes(graph):
        rate = allreduce_bytes_per_s(graph, chips)
        box = best_box(form, chips) if isinstance(form, Torus) else None
        place = "" if box is None else " x ".join(map(str, box))
        rows.append([f"{chips}", "-" if rate is None else bandwidth(rate), place])
    heads = ["chips ", "bandwidth of each ", "box" if isinstance(form, Torus) else ""]
    return table("\nring all-reduce", heads, rows)


def _domain_rates(graph: Topology) -> Table:
    rows = [[_REACH[tier], bandwidth(rate)] for tier, rate in domain_bytes_per_s(graph).items()]
    return table("\nwhen all domains send alike", ["", "bandwidth of each "], rows)


def _figures(name: str) -> Table:
    heads = ["figure", "value", "band", "confidence", "source", "note"]
    rows = [
        [metric.replace("_", " "), f"{fact.value} {fact.unit}", _band(fact), fact.confidence, fact.source, fact.note]
        for metric, fact in figures(name).items()
    ]
    return table("\nbuilt from", heads, rows)


def _band(fact: Fact) -> str:
    return f"{fact.low} to {fact.high}" if fact.low else ""
