"""Where the nodes of a topology stand in a picture: places on a plane, from the graph's form alone."""

import math
from typing import TypeAlias

from topologies.fabric import Fabric
from topologies.graphs import Sleds, Switched, Topology
from topologies.tori import Torus

Place: TypeAlias = tuple[float, float]
Places: TypeAlias = dict[str, Place]
TIERS = ("domain", "leaf", "spine", "core")  # from below
ONE_ROW = 16  # up to here all chips of a switched domain stand in one row, beyond that in two
_TRAY_GAP = 0.7
_SLANT = (0.45, 0.5)  # how far a step in depth goes to the right and up
_LAYER = 2.7  # from one layer of a torus to the next
_WIDTH, _GAP = 100.0, 3.0


def places(graph: Topology) -> Places:
    """A place for every node."""
    match graph.graph["form"]:
        case Switched() as form:
            return _rows(graph, form)
        case Torus(sides=(chips,)):
            angles = [math.pi / 2 - 2 * math.pi * at / chips for at in range(chips)]
            return {f"chip {at}": (math.cos(angle), math.sin(angle)) for at, angle in enumerate(angles)}
        case Torus():
            return {node: slanted(graph.nodes[node]["at"]) for node in graph}
        case Sleds() as form:
            return _two_racks(graph, form)
        case Fabric():
            return _tiers(graph)
    raise TypeError(f"found {graph.graph['form']}; allowed: a form of topologies")


def _rows(graph: Topology, form: Switched) -> Places:
    """Chips in a row, or in one above and one below the switches; a gap after each tray."""
    rows = 1 if form.chips <= ONE_ROW else 2
    found: Places = {}
    for row in range(rows):
        chips = range(row * form.chips // rows, (row + 1) * form.chips // rows)
        first = graph.nodes[f"chip {chips[0]}"]["tray"]
        for column, at in enumerate(chips):
            found[f"chip {at}"] = (column + _TRAY_GAP * (graph.nodes[f"chip {at}"]["tray"] - first), 1.0 - 2.0 * row)
    width = max(x for x, _ in found.values())
    gaps = graph.nodes[f"switch {form.switches - 1}"]["tray"]
    step = (width + 1 - _TRAY_GAP * gaps) / form.switches
    for at in range(form.switches):
        found[f"switch {at}"] = ((at + 0.5) * step - 0.5 + _TRAY_GAP * graph.nodes[f"switch {at}"]["tray"], 0.0)
    return found


def slanted(at: tuple[float, ...]) -> Place:
    """A place of a torus: of two dimensions on a grid seen from above, of three in slanted layers above each other."""
    if len(at) == 2:
        return at[0], at[1]
    x, y, z = at
    return x + _SLANT[0] * y, _SLANT[1] * y + _LAYER * z


def _two_racks(graph: Topology, form: Sleds) -> Places:
    """One rack above and its mirror image below; from outside inwards the rack's switch, the sleds', the chips."""
    pitch = form.chips + 1.4
    found: Places = {}
    for node, facts in graph.nodes.items():
        side = -1 if facts["rack"] else 1
        if facts["kind"] == "chip":
            found[node] = (facts["sled"] * pitch + int(node.split()[-1]) % form.chips, 0.5 * side)
        elif "sled" in facts:
            found[node] = (facts["sled"] * pitch + (form.chips - 1) / 2, 1.1 * side)
        else:
            found[node] = ((form.sleds - 1) * pitch / 2 + (form.chips - 1) / 2, 1.9 * side)
    return found


def cluster(graph: Topology, node: str) -> int | None:
    """The pod of a node of a fabric; without pods its group where there are rails; None where it belongs to none."""
    form, facts = graph.graph["form"], graph.nodes[node]
    if form.pods > 1:
        return facts.get("pod")
    return facts.get("group") if form.rails > 1 else None


def _tiers(graph: Topology) -> Places:
    """Domains at the bottom, each tier above them spread over the same width; a gap after each cluster."""
    found: Places = {}
    last = max(cluster(graph, node) or 0 for node in graph)
    for height, kind in enumerate(TIERS):
        nodes = [node for node, facts in graph.nodes.items() if facts["kind"] == kind]
        for at, node in enumerate(nodes):
            own = cluster(graph, node)
            gaps = last / 2 if own is None else own
            found[node] = ((at + 0.5) / len(nodes) * _WIDTH + _GAP * gaps, float(height))
    return found
