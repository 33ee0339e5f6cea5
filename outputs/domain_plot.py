"""The picture of a scale-up domain: all chips, switches and links, with those of one chip set off."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from outputs.drawing import COLORS, INK
from outputs.graph_drawing import (
    GREY,
    LINE,
    PAPER,
    canvas,
    draw_arc,
    draw_box,
    draw_lines,
    draw_links,
    draw_nodes,
    key,
    of_kind,
)
from outputs.graph_layout import ONE_ROW, Place, Places, places, slanted
from outputs.tables import bandwidth
from outputs.topology_table import PLURAL
from topologies.graphs import Sleds, Switched, Topology
from topologies.tori import Torus

CHIP, SWITCH, BETWEEN = COLORS[0], COLORS[1], COLORS[2]
_DIMENSIONS = (("x", COLORS[0]), ("y", COLORS[5]), ("z", COLORS[2]))
_STUB = 0.45  # how much is drawn of a link that closes a ring through all layers
_BAR = 1.9  # height of a rack's switch, which is as wide as its rack


def domain_figure(graph: Topology, title: str) -> Figure:
    """A figure of a scale-up domain."""
    match graph.graph["form"]:
        case Switched() as form:
            return _switched(graph, form, title)
        case Sleds() as form:
            return _sleds(graph, form, title)
    return _torus(graph, title)


def _switched(graph: Topology, form: Switched, title: str) -> Figure:
    """Rows of chips and switches in their trays; the links of one chip and of one switch in colour."""
    at, many = places(graph), form.chips > ONE_ROW
    figure, axes = canvas(title, (13, 6.6) if many else (9, 5.2))
    mine, its = graph.edges("chip 0", data=True), graph.edges(f"switch {form.switches - 1}", data=True)
    draw_links(axes, at, graph.edges, "#dedede" if many else GREY, 0.3 if many else 1.0)
    draw_links(axes, at, [pair[:2] for pair in its], SWITCH, 0.6 if many else 1.6)
    draw_links(axes, at, [pair[:2] for pair in mine], CHIP, 1.3 if many else 1.8)
    entries = []
    for kind, color, marker in (("chip", CHIP, "s"), ("switch", SWITCH, "D")):
        names = of_kind(graph, kind)
        trays = {graph.nodes[name]["tray"] for name in names}
        for tray in trays:
            draw_box(axes, at, [name for name in names if graph.nodes[name]["tray"] == tray], (0.6, 0.1))
        draw_nodes(axes, at, names, color, marker, 80 if many else 400)
        in_trays = f" in {len(trays)} trays" if len(trays) > 1 else ""
        entries.append((marker, color, f"{len(names)} {PLURAL[kind]}{in_trays}"))
    each = " or ".join(str(links) for links in sorted({wire["links"] for *_, wire in mine}))
    own = f"the links of one chip: {each} to every switch, {bandwidth(form.chip_bytes_per_s)} each way in all"
    through = bandwidth(sum(wire["bytes_per_s"] for *_, wire in its))
    entries += [(LINE, CHIP, own), (LINE, SWITCH, f"the links of one switch: to every chip, {through} each way in all")]
    key(figure, entries, 2)
    return figure


def _torus(graph: Topology, title: str) -> Figure:
    """A circle, a grid, or slanted layers; a colour a dimension."""
    form: Torus = graph.graph["form"]
    at, depth = places(graph), len(form.sides)
    figure, axes = canvas(title, {1: (7, 7.2), 2: (7.5, 8)}.get(depth, (8.5, 11)))
    axes.set_aspect("equal")
    for one, other in graph.edges:
        dimension, wraps = _direction(graph, one, other)
        _draw_torus_link(axes, at[one], at[other], dimension, wraps and depth > 1)
    if depth == 3:
        _draw_layers(axes, form)
    draw_nodes(axes, at, list(graph), INK, "s", 130 if depth == 3 else 350)
    axes.autoscale_view()
    entries = [("s", INK, f"{len(graph)} chips" + ("; arcs close the rings" if depth > 1 else ""))]
    for (name, color), side, rate in zip(_DIMENSIONS, form.sides, form.link_bytes_per_s, strict=False):
        ring = "the ring" if depth == 1 else f"{name}: rings of {side}"
        ends = " (dotted ends meet, as the arc at the left does)" if name == "z" else ""
        entries.append((LINE, color, f"{ring}, a link carries {bandwidth(rate)} each way{ends}"))
    key(figure, entries, 1)
    return figure


def _direction(graph: Topology, one: str, other: str) -> tuple[int, bool]:
    """The dimension of a link of a torus, and whether it closes a ring."""
    here, there = graph.nodes[one]["at"], graph.nodes[other]["at"]
    dimension = next(index for index in range(len(here)) if here[index] != there[index])
    return dimension, abs(here[dimension] - there[dimension]) > 1


def _draw_torus_link(axes: Axes, start: Place, end: Place, dimension: int, closes: bool) -> None:
    """A straight link; one that closes a row or column as an arc, one through all layers as its two ends."""
    color = _DIMENSIONS[dimension][1]
    low, high = sorted((start, end), key=lambda place: (place[1], place[0]))
    if not closes:
        draw_lines(axes, [(start, end)], color, 2.0 if dimension < 2 else 1.2)
    elif dimension < 2:
        draw_arc(axes, low, high, color, 0.13, 1.3)
    else:
        draw_lines(axes, [(low, (low[0], low[1] - _STUB)), (high, (high[0], high[1] + _STUB))], color, 1.4, ":")


def _draw_layers(axes: Axes, form: Torus) -> None:
    """A sheet behind each layer with its z; one ring through all layers drawn in full."""
    x, y, z = (side - 1 for side in form.sides)
    for layer in range(z + 1):
        sheet = [(-0.7, -0.6), (x + 0.6, -0.6), (x + 0.7, y + 0.6), (-0.6, y + 0.6)]
        axes.add_patch(Polygon([slanted((*corner, layer)) for corner in sheet], fc=PAPER, ec="none", zorder=0))
        axes.text(slanted((x + 0.3, y, 0))[0], slanted((0, 0, layer))[1], f"z = {layer}", fontsize=12, color=INK)
    draw_arc(axes, slanted((0, 0, 0)), slanted((0, 0, z)), _DIMENSIONS[2][1], 0.2, 2.0)


def _sleds(graph: Topology, form: Sleds, title: str) -> Figure:
    """Two racks, the second a mirror image of the first; the links of one chip in colour."""
    at = places(graph)
    figure, axes = canvas(title, (14, 7.2))
    sled_switches = [node for node in of_kind(graph, "switch") if "sled" in graph.nodes[node]]
    for one, other in graph.edges:
        mine = one == "chip 0"
        draw_lines(axes, [_upright(at, one, other)], CHIP if mine else GREY, 2.4 if mine else 0.6)
    for switch in sled_switches:
        draw_box(axes, at, [switch, *_chips_of(graph, switch)], (0.7, 0.14))
    draw_nodes(axes, at, of_kind(graph, "chip"), CHIP, "s", 45)
    draw_nodes(axes, at, sled_switches, SWITCH, "D", 90)
    left, right = min(x for x, _ in at.values()), max(x for x, _ in at.values())
    for height in (_BAR, -_BAR):
        draw_lines(axes, [((left, height), (right, height))], COLORS[5], 9)
    rates = [bandwidth(rate) for rate in (form.sled_bytes_per_s, form.rack_bytes_per_s, form.peer_bytes_per_s)]
    entries = [("s", CHIP, f"{2 * form.sleds * form.chips} chips"), ("D", SWITCH, "the switches of a sled (grey box)")]
    entries += [(LINE, COLORS[5], "the switches of a rack")]
    ways = f"{rates[0]} each way into its sled, {rates[1]} into its rack, {rates[2]} to its peer in the other rack"
    key(figure, [*entries, (LINE, CHIP, f"the links of one chip: {ways}")], 2)
    axes.autoscale_view()
    return figure


def _upright(at: Places, one: str, other: str) -> tuple[Place, Place]:
    """A link as drawn: to a rack's switch, which is as wide as the rack, straight up or down."""
    return at[one], (at[one][0], at[other][1]) if other.startswith("rack") else at[other]


def _chips_of(graph: Topology, switch: str) -> list[str]:
    return [node for node in graph[switch] if graph.nodes[node]["kind"] == "chip"]
