"""The picture of `megawatt show step`: what a step is made of, a bar for each gang."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from outputs.drawing import COLORS, INK, look
from outputs.step_table import StepRow, split_name

_PARTS = (
    ("computing", "compute_s", COLORS[0]),
    ("exchange that layers wait for", "blocking_s", COLORS[1]),
    ("bubble of the pipeline", "bubble_s", COLORS[3]),
    ("exchange in the background, exposed", "background_s", COLORS[5]),
)


def draw_steps(model: str, rows: Sequence[StepRow], picture: Path) -> None:
    """Draw the steps of a model into a PNG: a panel for each rack, shares of the step, and tokens/s of each chip."""
    panels = [(rack, list(of)) for rack, of in groupby(rows, key=lambda row: row.rack)]
    with look():
        inches = sum(0.9 + 0.42 * len(of) for _, of in panels) + 1.1
        figure = Figure(figsize=(12, inches), layout="constrained")
        FigureCanvasAgg(figure)
        ratios = [0.9 + 0.42 * len(of) for _, of in panels]
        axes = figure.subplots(len(panels), 1, squeeze=False, sharex=True, height_ratios=ratios)[:, 0]
        for panel, (rack, of) in zip(axes, panels, strict=True):
            _panel(panel, rack, of)
        axes[-1].set_xlabel("share of the step")
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=2)
        figure.suptitle(f"A training step of {model} (batches of {rows[0].batch:,} sequences)", x=0.01, ha="left")
        picture.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(picture, format="png", dpi=120)


def _panel(axes: Axes, rack: str, rows: Sequence[StepRow]) -> None:
    places = range(len(rows))
    start = [0.0] * len(rows)
    for label, name, color in _PARTS:
        shares = [getattr(row.step, name) / row.step.total_s for row in rows]
        axes.barh(places, shares, left=start, color=color, label=label, height=0.7)
        start = [left + share for left, share in zip(start, shares, strict=True)]
    for at, row in enumerate(rows):
        text = f"{row.step.total_s:,.2f} s, {row.tokens_per_s_per_chip:,.0f} tokens/s/chip"
        axes.text(1.01, at, text, va="center", color=INK, fontsize=11)
        axes.text(0.01, at, split_name(row.split), va="center", color="white", fontsize=10)
    axes.set_title(f"{rack} ({rows[0].basis})", loc="left", fontsize=12)
    axes.set_yticks(list(places), [f"{row.chips:,} chips" for row in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.grid(axis="y", visible=False)
