"""The picture of the power: draw against cap, what the battery and the caps on chips do, and what it costs."""

from collections.abc import Mapping

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from outputs.drawing import COLORS, INK, Floats, Saved, area, dashed, finish, hatched, line, stack
from topologies.power import stored_w

_PER_PERCENT = 100.0
_SIGNALS = {
    "price_usd_per_mwh": ("price", "USD/MWh", COLORS[7]),
    "carbon_g_per_kwh": ("carbon", "gCO2/kWh", COLORS[9]),
    "outdoor_degc": ("outdoors", "degC", COLORS[5]),
}


def power_figure(saved: Saved) -> Figure:
    """The draw at the meter with its parts against the cap; below it speed, battery and signals where there are any."""
    state = [name for name in ("throttle", "battery_soc_j") if _shows(saved, name)]
    signals = [name for name in _SIGNALS if _shows(saved, name)]
    heights = [3.2, *([1.0] if state else []), *[1.0 for _ in signals]]
    figure = Figure(figsize=(11, 5 + 1.5 * (len(heights) - 1)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0].tolist()
    _draw(panels[0], saved, _top_w(saved))
    if state:
        _state(panels[1], saved, state)
    for name, axes in zip(signals, panels[len(panels) - len(signals) :], strict=True):
        _signal(axes, saved, name)
    for axes in panels:
        finish(axes, saved.span, whole=False)
        _legend_above(axes)
        if axes is not panels[-1]:
            axes.set_xlabel("")
    figure.suptitle(saved.title, fontsize=13, x=0.01, ha="left")
    return figure


def compare_figure(runs: Mapping[str, Saved]) -> Figure:
    """The draws of several runs below each other, by name, in one unit; on one time axis where they cover the same."""
    figure = Figure(figsize=(11, 1 + 3 * len(runs)), layout="constrained")
    FigureCanvasAgg(figure)
    spans = {(saved.span.start, saved.span.from_s, saved.span.to_s) for saved in runs.values()}
    panels = figure.subplots(len(runs), 1, sharex=len(spans) == 1, sharey=True, squeeze=False)[:, 0].tolist()
    top_w = max(_top_w(saved) for saved in runs.values())
    named: dict[str, Artist] = {}
    for axes, (name, saved) in zip(panels, runs.items(), strict=True):
        _draw(axes, saved, top_w)
        finish(axes, saved.span, whole=False)
        axes.set_title(f"{name}: {saved.title}", loc="left", fontsize=12)
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            # without the numbers of one run
            named.setdefault(label.split(":")[0] if any(map(str.isdigit, label)) else label, handle)
        if axes is not panels[-1] and len(spans) == 1:
            axes.set_xlabel("")
    del named["feed"]  # a label without a line
    figure.legend(list(named.values()), list(named), loc="outside lower center", ncols=6, fontsize=11)
    return figure


def _shows(saved: Saved, name: str) -> bool:
    """Whether a run has a column with something to see: a signal that changes, a speed below full, a battery in use."""
    values = saved.columns.get(name)
    if values is None:
        return False
    if name == "throttle":
        return bool((values < 1).any())
    in_use = name == "battery_soc_j" and bool(saved.columns["battery_w"].any())
    return in_use or bool((values != values[0]).any())


def _top_w(saved: Saved) -> float:
    feed = saved.columns["feed_w"]
    load = feed + saved.columns.get("battery_w", np.zeros(len(feed)))
    return float(max(load.max(), feed.max(), saved.columns.get("cap_w", np.zeros(0)).max(initial=0.0)))


def _draw(axes: Axes, saved: Saved, top_w: float) -> None:
    cap = saved.columns.get("cap_w", np.zeros(0))
    battery = saved.columns.get("battery_w", np.zeros(len(saved.time_s)))
    unit, size_w = ("MW", 1e6) if top_w >= 1e6 else ("kW", 1e3)
    feed, it = saved.columns["feed_w"] / size_w, saved.columns["it_w"] / size_w
    load = feed + battery / size_w
    parts = [(it, f"IT: mean {saved.mean(it):,.2f} {unit}"), (load - it, "site: cooling and distribution")]
    shown = [(part, label) for part, label in parts if part.any()]
    stack(axes, saved, [part for part, _ in shown], [label for _, label in shown])
    if (battery > 0).any():
        hatched(axes, saved, np.minimum(feed, load), load, COLORS[2], "of it from the battery")
    if (battery < 0).any():
        area(axes, saved, load, np.maximum(feed, load), COLORS[4], "charging")
    axes.plot([], [], color="none", label=f"feed: mean {saved.mean(feed):,.2f}, peak {saved.most(feed):,.2f} {unit}")
    if len(cap):
        room = saved.mean(cap / size_w - feed)
        dashed(
            axes, saved, cap / size_w, f"cap: up to {cap.max() / size_w:,.2f} {unit}, mean headroom {room:,.2f} {unit}"
        )
        falls = saved.dates(saved.time_s[1:][np.diff(cap) < 0])
        if len(falls):
            marks = axes.get_xaxis_transform()
            axes.plot(
                falls, np.full(len(falls), 0.985), "v", color=INK, markersize=5, transform=marks, label="cap falls"
            )
    axes.set_ylim(0, 1.06 * top_w / size_w)
    axes.set_ylabel(f"draw [{unit}]")


def _state(axes: Axes, saved: Saved, names: list[str]) -> None:
    for name in names:
        values = saved.columns[name]
        if name == "throttle":
            speed = _PER_PERCENT * values
            line(axes, saved, speed, COLORS[0], f"speed of the chips in use: mean {saved.mean(speed):,.1f} %")
        else:
            left_s = saved.span.to_s - float(saved.time_s[-1])
            rate_w = stored_w(float(saved.columns["battery_w"][-1]), saved.facts["battery_round_trip"])
            last_j = values[-1] + rate_w * left_s
            charge: Floats = _PER_PERCENT * np.append(values, last_j) / saved.facts["battery_j"]
            # linear between the steps, not constant
            dates = saved.dates(np.append(saved.time_s, saved.span.to_s))
            axes.plot(dates, charge, color=COLORS[2], linewidth=1.4, label="battery: state of charge")
    axes.set_ylim(0, 108)
    axes.set_ylabel("[%]")


def _signal(axes: Axes, saved: Saved, name: str) -> None:
    label, unit, color = _SIGNALS[name]
    values = saved.columns[name]
    line(axes, saved, values, color, f"{label}: mean {saved.mean(values):,.1f}, max {saved.most(values):,.1f} {unit}")
    axes.set_ylabel(f"[{unit}]")


def _legend_above(axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    widest = max(len(label) for label in labels)
    columns = max(1, min(len(labels), 130 // (widest + 6)))
    axes.legend(
        handles, labels, loc="lower left", bbox_to_anchor=(0, 0.98), borderaxespad=0.2, ncols=columns, fontsize=10
    )
