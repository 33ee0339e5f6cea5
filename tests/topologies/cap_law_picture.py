"""Draws docs/images/cap-law.png: MEGAWATT_DATA=... python tests/topologies/cap_law_picture.py docs/images/cap-law.png.

The points and the fits are those of test_cap_law_fit.py.
"""

import os
import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from test_cap_law_fit import IDLE_W, SHIPPED_K, Row, binding, by_workload, fitted_k, measured

from topologies.cap_law import throttle

TITLES = {"v100": "V100 (250 W), training", "p100": "P100 (250 W), training", "h200": "H200 (700 W), inference"}
NAMES = {
    "squad": ("BERT base, SQuAD", "#0072b2", "o"),
    "sentiment140": ("BERT base, Sentiment140", "#56b4e9", "s"),
    "imagenet": ("ResNet-50, ImageNet", "#d55e00", "^"),
    "librispeech": ("DeepSpeech2, LibriSpeech", "#009e73", "D"),
    "cifar100": ("ShuffleNet v2, CIFAR-100", "#cc79a7", "v"),
}
H200 = ("LLM and image inference, MLPerf", "#222222", "o")
FITTED, SHIPPED = "law, k fitted to the chip", f"law, k = {SHIPPED_K} as shipped"
HOLLOW = "hollow: limit at or above the demand"
GRID = np.linspace(0.1, 1.4, 521)


def curve(axes: Axes, idle_share: float, exponent: float, name: str, style: str) -> None:
    speeds = [throttle(share, idle_share, 1.0, exponent) for share in GRID]
    axes.plot(GRID, speeds, style, color="#222222", lw=1.6, label=name, zorder=3)


def points(axes: Axes, rows: list[Row], name: tuple[str, str, str]) -> None:
    label, color, marker = name
    for binds in (True, False):
        share = [row.limit_w / row.demand_w for row in rows if row.binds == binds]
        speed = [row.speed for row in rows if row.binds == binds]
        face = color if binds else "none"
        axes.scatter(
            share, speed, s=20, marker=marker, facecolors=face, edgecolors=color, linewidths=0.8, alpha=0.75,
            label=label if binds else None, zorder=2,
        )  # fmt: skip


def panel(axes: Axes, gpu: str, rows: list[Row]) -> None:
    """One chip: its rows, the law as fitted and as shipped, at the median demand of the rows that bind."""
    found = binding(rows)
    fit = fitted_k(found, IDLE_W[gpu])
    idle_share = IDLE_W[gpu] / float(np.median([row.demand_w for row in found]))
    for name, own in by_workload([row for row in rows if not row.light]).items():
        points(axes, own, NAMES.get(name, H200))
    curve(axes, idle_share, fit, FITTED, "-")
    curve(axes, idle_share, SHIPPED_K, SHIPPED, "--")
    axes.set_title(f"{TITLES[gpu]}\nk = {fit:.2f}, {len(found)} points that bind", fontsize=11, loc="left")
    axes.set_xlabel("power limit over demand [W/W]")
    axes.set_xlim(0.3, 1.4)
    axes.set_ylim(0.4, 1.1)
    axes.grid(color="#e6e6e6")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def draw(data: Path, to: Path) -> None:
    figure = Figure(figsize=(11, 5.2), dpi=110)
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 3, sharey=True)
    entries = {HOLLOW: Line2D([], [], ls="", marker="o", mfc="none", mec="#222222", ms=5)}
    for axes, gpu in zip(panels, TITLES, strict=True):
        panel(axes, gpu, measured(data, gpu))
        handles, labels = axes.get_legend_handles_labels()
        entries.update(zip(labels, handles, strict=True))
    panels[0].set_ylabel("speed over speed at the highest limit [1]")
    order = [*(name for name, *_ in (*NAMES.values(), H200)), FITTED, SHIPPED, HOLLOW]
    shown = [entries[name] for name in order]
    figure.legend(shown, order, loc="lower center", ncols=3, frameon=False, fontsize=10, markerscale=1.3)
    figure.tight_layout(rect=(0, 0.17, 1, 1))
    figure.savefig(to)


if __name__ == "__main__":
    draw(Path(os.environ["MEGAWATT_DATA"]), Path(sys.argv[1]))
