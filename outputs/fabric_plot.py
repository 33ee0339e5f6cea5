"""The picture of a scale-out fabric: its tiers above each other, pods in boxes, rails in colours."""

import itertools

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from outputs.drawing import COLORS, INK
from outputs.graph_drawing import EDGE, GREY, LINE, canvas, draw_box, draw_links, draw_nodes, key, of_kind
from outputs.graph_layout import TIERS, Places, cluster, places
from outputs.topology_table import PLURAL, links
from topologies.fabric import Fabric
from topologies.graphs import Topology

_COLOR = {"domain": COLORS[0], "leaf": COLORS[2], "spine": COLORS[1], "core": COLORS[5]}
_RAILS = (*COLORS[:6], COLORS[8], COLORS[7])  # no yellow: its lines would not be seen
_WORDS = -2.5  # where the words beside the tiers end


def fabric_figure(graph: Topology, title: str) -> Figure:
    """A figure of a fabric, with the links up from one domain in colour, or those of every rail in its own."""
    form: Fabric = graph.graph["form"]
    at = places(graph)
    tiers = [kind for kind in TIERS if of_kind(graph, kind)]
    figure, axes = canvas(title, (13.5, 2.0 + 1.7 * len(tiers)))
    draw_links(axes, at, graph.edges, GREY, 0.5)
    for number in range(max(form.pods, form.groups)):
        inside = [node for node in graph if cluster(graph, node) == number]
        if inside:
            draw_box(axes, at, inside, (0.9, 0.15))
    for kind in tiers:
        draw_nodes(axes, at, of_kind(graph, kind), _COLOR[kind], "s", 90)
    _say(axes, graph, at, tiers)
    boxes = [("s", EDGE, "a pod")] if form.pods > 1 else []
    if form.rails > 1:
        _draw_rails(axes, graph, at)
        rails = [(LINE, _rail_color(graph, f"leaf {rail}"), f"rail {rail}") for rail in range(form.rails)]
        key(figure, [*rails, *(boxes or [("s", EDGE, "a group; strong lines: one domain")])], 9)
    else:
        draw_links(axes, at, _way_up(graph), COLORS[0], 1.6)
        way = "the links up from one domain" + (", its leaf and one spine" if form.cores else " and its leaf")
        key(figure, [(LINE, COLORS[0], way), *boxes], 2)
    axes.autoscale_view()
    return figure


def _say(axes: Axes, graph: Topology, at: Places, tiers: list[str]) -> None:
    """Beside each tier its size and the links of one of its switches; between two tiers what a line stands for."""
    for kind in tiers:
        node = f"{kind} 0"
        height = at[node][1]
        axes.text(_WORDS, height, f"{len(of_kind(graph, kind))} {PLURAL[kind]}", ha="right", va="bottom", fontsize=12)
        axes.text(_WORDS, height, _ports(graph, node, height, at), ha="right", va="top", fontsize=10, color=INK)
    for height, text in enumerate(links(graph).values()):
        said = "a line is " + text.replace(", ", ",\n")
        axes.text(_WORDS, height + 0.5, said, ha="right", va="center", fontsize=10, color=INK)


def _ports(graph: Topology, node: str, height: float, at: Places) -> str:
    """The links of a node: "40 links down, 20 up"."""
    down = sum(wire["links"] for other, wire in graph[node].items() if at[other][1] < height)
    up = sum(wire["links"] for other, wire in graph[node].items() if at[other][1] > height)
    found = ([f"{down} down"] if down else []) + ([f"{up} up"] if up else [])
    return "links: " + ", ".join(found)


def _draw_rails(axes: Axes, graph: Topology, at: Places) -> None:
    """Every rail in its colour; the links of the first domain stronger."""
    for leaf in of_kind(graph, "leaf"):
        color = _rail_color(graph, leaf)
        below = [(leaf, node) for node in graph[leaf] if graph.nodes[node]["kind"] == "domain"]
        draw_links(axes, at, below, color, 0.5)
        draw_links(axes, at, [pair for pair in below if pair[1] == "domain 0"], color, 3.0)
        draw_nodes(axes, at, [leaf], color, "s", 90)


def _rail_color(graph: Topology, leaf: str) -> str:
    return _RAILS[graph.nodes[leaf]["rail"] % len(_RAILS)]


def _way_up(graph: Topology) -> list[tuple[str, str]]:
    """The links up from the first domain, from its leaf, and from the first spine."""
    found: list[tuple[str, str]] = []
    for low, high in itertools.pairwise(TIERS):
        node = f"{low} 0"
        if node in graph:
            found += [(node, other) for other in graph[node] if graph.nodes[other]["kind"] == high]
    return found
