"""From a name to its graph: the scale-up domains of the catalog's racks, and an example of each form of fabric.

The figures are rows of catalog/interconnect.csv. Graphs are built once for each name and frozen.
"""

from collections.abc import Mapping
from functools import cache

import networkx as nx

from scenarios.errors import ScenarioError, unknown
from scenarios.units import to_si
from topologies import catalog
from topologies.catalog import Fact
from topologies.fabric import Endpoints, Switches, fat_tree, leaf_spine, rail_optimised
from topologies.graphs import Sleds, Topology, sleds, switched, torus

FABRICS = {
    "leaf-spine": "40 DGX B200 on switches of 64 ports, oversubscribed 2:1 at the leaves",
    "rail-optimised": "64 DGX B200 on switches of 64 ports, as in NVIDIA's DGX SuperPOD",
    "fat-tree": "64 domains of 4 NICs on switches of only 16 ports, oversubscribed 2:1 at the spines",
}
"""The forms of fabric, with the example that shows each; the last is small enough to be drawn."""


def names() -> list[str]:
    """All names that topology() knows: racks, domains that no rack of the catalog has yet, forms of fabric."""
    return [name for name in catalog.table("interconnect") if name != "fabric"] + list(FABRICS)


@cache
def topology(name: str) -> Topology:
    """The graph of a name; ScenarioError with the nearest one for a name that is unknown."""
    if name not in names():
        raise ScenarioError(unknown("topology", name, names()))
    graph = _example(name) if name in FABRICS else _scale_up(name)
    nx.freeze(graph)
    return graph


def figures(name: str) -> Mapping[str, Fact]:
    """The catalog's rows that the graph of a name is built from; of an example those of its endpoints and switches."""
    table = catalog.table("interconnect")
    if name in FABRICS:
        nics = {metric: fact for metric, fact in table["dgx-b200"].items() if metric.startswith("nic")}
        chosen = ("nics", "ports") if name == "fat-tree" else ()  # the example's own, to be small
        return {metric: fact for metric, fact in (nics | table["fabric"]).items() if metric not in chosen}
    if table[name]["form"].value == "switched":
        return table[name] | {"scale_up_bandwidth": _chip(name)}
    return table[name]


def accelerator(name: str) -> str:
    """The accelerator of a domain."""
    found = catalog.table("racks").get(name) or catalog.table("interconnect")[name]
    return found["accelerator"].value


def endpoints(name: str, domains: int) -> Endpoints:
    """So many domains of a rack of the catalog as the endpoints of a fabric."""
    return Endpoints(domains, _count(name, "nics"), _si(name, "nic_bandwidth"), _si(name, "nic_latency"))


def switches(ports: int | None = None) -> Switches:
    """The catalog's switches, or some with another number of ports."""
    return Switches(_count("fabric", "ports") if ports is None else ports, _si("fabric", "switch_latency"))


def _scale_up(name: str) -> Topology:
    latency_s = _si(name, "link_latency")
    match catalog.table("interconnect")[name]["form"].value:
        case "torus":
            sides = [int(side) for side in catalog.table("interconnect")[name]["sides"].value.split("x")]
            rates = [_si(name, f"{dimension}_bandwidth") for dimension, _ in zip("xyz", sides, strict=False)]
            return torus(sides, rates, latency_s)
        case "sleds":
            rates = [_si(name, f"{level}_bandwidth") for level in ("sled", "rack", "peer")]
            return sleds(Sleds(_count(name, "sleds"), _count(name, "sled_chips"), *rates), latency_s)
    rack = catalog.table("racks")[name]
    chip = _chip(name)
    return switched(
        int(rack["domain_chips"].value),
        _count(name, "switches"),
        _count(name, "links"),
        to_si(float(chip.value), chip.unit),
        latency_s,
        int(rack["node_chips"].value),
        _count(name, "tray_switches"),
    )


def _example(name: str) -> Topology:
    if name == "leaf-spine":
        return leaf_spine(endpoints("dgx-b200", 40), switches(), 2.0)
    if name == "rail-optimised":
        return rail_optimised(endpoints("dgx-b200", 64), switches())
    node = endpoints("dgx-b200", 64)
    return fat_tree(Endpoints(node.domains, 4, node.link_bytes_per_s, node.latency_s), switches(16), (1.0, 2.0))


def _chip(name: str) -> Fact:
    """The bandwidth of all scale-up links of a domain's chip."""
    return catalog.table("accelerators")[accelerator(name)]["scale_up_bandwidth"]


def _count(name: str, metric: str) -> int:
    return int(catalog.table("interconnect")[name][metric].value)


def _si(name: str, metric: str) -> float:
    fact = catalog.table("interconnect")[name][metric]
    return to_si(float(fact.value), fact.unit)
