"""The picture of where the capacity went: a bar for each pool, its delivered chip-hours by state."""

import math
from collections.abc import Mapping
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from outputs.capacity import ABSENT, RUNNING, STATES
from outputs.drawing import INK
from outputs.saved_capacity import saved_capacity
from scenarios.units import HOUR_S

# running states in the colours of Okabe and Ito, absent racks in greys, idle chips light and hatched
_COLORS: Mapping[str, str] = {
    "productive": "#0072b2",
    "communication": "#e69f00",
    "throttled": "#d55e00",
    "checkpointing": "#f0e442",
    "lost work": "#7d4763",
    "restarting": "#cc79a7",
    "down": "#777777",
    "off": "#bbbbbb",
    "no demand": "#f2f2f2",
    "no portable job": "#a8d8f5",
    "no power": "#f3a77a",
    "fragmentation": "#8fd3bd",
    "held by policy": "#e6cfe0",
}
_HATCHES = {
    "no demand": "..",
    "no portable job": "//",
    "no power": "\\\\",
    "fragmentation": "xx",
    "held by policy": "--",
}
_LEAST_LABELLED = 0.04  # a share that has room for its number


def capacity_figure(folder: Path, title: str) -> Figure:
    """Shares of the delivered chip-hours by state, a bar for each pool and one for all."""
    pools = saved_capacity(folder)
    every = {state: math.fsum(of[state] for of in pools.values()) for state in STATES}
    bars = pools if len(pools) == 1 else {**pools, "all": every}
    figure = Figure(figsize=(11, 2.6 + 0.75 * len(bars)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    total = math.fsum(every.values())
    left = [0.0] * len(bars)
    for state in STATES:
        if not every[state]:
            continue
        shares = [_part(of[state], math.fsum(of.values())) for of in bars.values()]
        label = f"{state} {100 * _part(every[state], total):.1f} %"
        idle = state not in (*RUNNING, *ABSENT)
        axes.barh(
            range(len(bars)),
            shares,
            left=left,
            height=0.7,
            label=label,
            facecolor=_COLORS[state],
            edgecolor="#8a8a8a" if idle else "#ffffff",
            hatch=_HATCHES.get(state),
            linewidth=0.5,
        )
        for at, share in enumerate(shares):
            if share >= _LEAST_LABELLED:
                box = {"facecolor": _COLORS[state], "edgecolor": "none", "pad": 1.5}
                place = (left[at] + share / 2, at)
                text = f"{100 * share:.0f} %"
                axes.text(*place, text, ha="center", va="center", fontsize=11, color=_ink(state), bbox=box)
        left = [start + share for start, share in zip(left, shares, strict=True)]
    for at, of in enumerate(bars.values()):
        axes.text(1.01, at, f"{math.fsum(of.values()) / HOUR_S:,.0f} chip-h", va="center", fontsize=10, color=INK)
    axes.set_yticks(range(len(bars)), list(bars))
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of the delivered chip-hours after the warmup; hatched: idle chips, by the reason")
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.grid(visible=False)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=11)
    figure.suptitle(title, fontsize=13)
    return figure


def _part(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _ink(state: str) -> str:
    """Dark letters on light bars and light ones on dark bars."""
    red, green, blue = to_rgb(_COLORS[state])
    return INK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "#ffffff"
