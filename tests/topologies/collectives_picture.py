"""Draws docs/images/collectives.png: python tests/topologies/collectives_picture.py docs/images/collectives.png.

The points and the groups are those of test_collectives_fit.py.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator
from test_collectives_fit import (
    B200,
    BLACKWELL_SWITCHES,
    GIB,
    H200,
    KIB,
    MIB,
    NVL72,
    NVL72_RING,
    OUTLIER,
    P6,
    P6_CURVE,
    WITH_NVLS,
    WITH_RING,
    Point,
)

from topologies.collectives import ALL_REDUCES, Group, all_reduce_s, bus_bytes_per_s, ring_all_reduce_s

SIZES = np.geomspace(16 * KIB, 32 * GIB, 400)
TICKS = {32 * KIB: "32 KiB", MIB: "1 MiB", 32 * MIB: "32 MiB", GIB: "1 GiB", 16 * GIB: "16 GiB"}
INSIDE = [  # label, group, all-reduce, points, colour, line, marker
    ("NVL72, switches", NVL72, all_reduce_s, BLACKWELL_SWITCHES[2:], "#009e73", "-", "^"),
    ("8 x B200, switches", B200, all_reduce_s, BLACKWELL_SWITCHES[:2], "#0072b2", "--", "o"),
    ("NVL72, ring", NVL72, ring_all_reduce_s, [NVL72_RING], "#56b4e9", "-", "v"),
    ("8 x H200, switches", H200, all_reduce_s, [WITH_NVLS], "#d55e00", "-", "s"),
    ("8 x H200, ring", H200, ring_all_reduce_s, [WITH_RING], "#cc79a7", "-", "D"),
]
ACROSS = [("ring", "#0072b2", "--"), ("tree", "#009e73", "-."), ("hierarchical", "#d55e00", ":")]


def curve(axes: Axes, group: Group, all_reduce, **style) -> None:
    found = [bus_bytes_per_s(size, all_reduce(size, group), group.ranks, 2) / 1e9 for size in SIZES]
    axes.plot(SIZES, found, **style)


def points(axes: Axes, shown: list[Point], color: str, marker: str, label: str | None = None) -> None:
    area = 240 if marker == "^" else 44  # two points nearly coincide: the lower is drawn larger
    sizes, measured = [point.size_bytes for point in shown], [point.measured for point in shown]
    axes.scatter(sizes, measured, s=area, marker=marker, c=color, edgecolors="white", zorder=4, label=label)


def inside(axes: Axes) -> None:
    for label, group, all_reduce, shown, color, line, marker in INSIDE:
        curve(axes, group, all_reduce, color=color, ls=line, lw=1.6, label=label)
        points(axes, shown, color, marker)
    axes.set_title("in one domain", fontsize=11, loc="left")
    axes.set_ylim(0, 920)


def across(axes: Axes) -> None:
    curve(axes, P6, all_reduce_s, color="#bbbbbb", lw=5, label="the cheapest")
    for name, color, line in ACROSS:
        curve(axes, P6, ALL_REDUCES[name], color=color, ls=line, lw=1.6, label=name)
    points(axes, P6_CURVE, "#222222", "o", "measured")
    axes.scatter(
        [OUTLIER.size_bytes], [OUTLIER.measured], s=44, facecolors="white", edgecolors="#222222", zorder=4,
        label="measured, left out",
    )  # fmt: skip
    axes.set_title("4 x P6-B200 over EFA", fontsize=11, loc="left")
    axes.set_yscale("log")
    axes.set_ylim(0.005, 1000)


def draw(to: Path) -> None:
    figure = Figure(figsize=(11, 4.8), dpi=110)
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2)
    inside(panels[0])
    across(panels[1])
    for axes in panels:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_locator(FixedLocator(list(TICKS)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticklabels(TICKS.values())
        axes.set_xlim(SIZES[0], SIZES[-1])
        axes.set_xlabel("buffer of each chip")
        axes.set_ylabel("bus bandwidth of an all-reduce [GB/s]")
        axes.grid(color="#e6e6e6")
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=9, loc="upper left" if axes is panels[0] else "lower right")
    figure.tight_layout()
    figure.savefig(to)


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
