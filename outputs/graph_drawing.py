"""What the pictures of topologies share: lines, arcs, nodes and boxes at the places that graph_layout gives them."""

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path

from outputs.graph_layout import Place, Places
from topologies.graphs import Topology

GREY, PAPER, EDGE = "#b5b5b5", "#eeeeee", "#c4c4c4"
LINE = "-"


def canvas(title: str, size: tuple[float, float]) -> tuple[Figure, Axes]:
    """A figure of one panel without scales, its title at the left."""
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_axis_off()
    figure.suptitle(title, fontsize=13, x=0.01, ha="left")
    return figure, axes


def of_kind(graph: Topology, kind: str) -> list[str]:
    """The nodes of a kind."""
    return [node for node, facts in graph.nodes.items() if facts["kind"] == kind]


def draw_lines(axes: Axes, segments: Iterable[Sequence[Place]], color: str, width: float, style: str = "-") -> None:
    """Straight lines from place to place."""
    axes.add_collection(LineCollection(list(segments), colors=color, linewidths=width, linestyles=style, zorder=1))


def draw_links(axes: Axes, at: Places, pairs: Iterable[tuple[str, str]], color: str, width: float) -> None:
    """The links between pairs of nodes."""
    draw_lines(axes, ((at[one], at[other]) for one, other in pairs), color, width)


def draw_arc(axes: Axes, start: Place, end: Place, color: str, bulge: float, width: float) -> None:
    """A curve that leaves the straight line to its left by three quarters of bulge times its length."""
    (x, y), (dx, dy) = start, (end[0] - start[0], end[1] - start[1])
    bend = [(x + share * dx - bulge * dy, y + share * dy + bulge * dx) for share in (0.2, 0.8)]
    curve = Path([start, *bend, end], [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4])
    axes.add_patch(PathPatch(curve, fc="none", ec=color, lw=width, zorder=1))


def draw_nodes(axes: Axes, at: Places, names: Sequence[str], color: str, marker: str, size: float) -> None:
    """Nodes of one kind."""
    xs, ys = zip(*(at[name] for name in names), strict=True)
    axes.scatter(xs, ys, s=size, marker=marker, color=color, edgecolors="white", linewidths=0.8, zorder=3)


def draw_box(axes: Axes, at: Places, names: Iterable[str], pad: Place) -> None:
    """A pale box around nodes that stand in one tray, sled or pod."""
    xs, ys = zip(*(at[name] for name in names), strict=True)
    corner = (min(xs) - pad[0], min(ys) - pad[1])
    size = (max(xs) + pad[0] - corner[0], max(ys) + pad[1] - corner[1])
    style = "round,pad=0,rounding_size=0.06"
    axes.add_patch(FancyBboxPatch(corner, *size, boxstyle=style, fc=PAPER, ec=EDGE, lw=0.8, zorder=0))


def key(figure: Figure, entries: Sequence[tuple[str, str, str]], columns: int) -> None:
    """The legend below, in rows of so many: (a marker, or LINE; its colour; the text)."""
    handles = [
        Line2D([], [], color=color, lw=2.2) if marker == LINE else Line2D([], [], ls="", marker=marker, color=color)
        for marker, color, _ in entries
    ]
    texts = [text for *_, text in entries]
    figure.legend(handles, texts, loc="outside lower left", ncols=columns, fontsize=11, markerscale=1.6)
