"""Pictures of a run, drawn from its saved folder alone.

A series with more steps than the picture has columns is drawn as its mean line in a band from the lowest to the
highest value, so that a year of a million steps is neither a black block nor loses its peaks.
"""

import datetime
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from outputs.folder import facts_of, table_of
from outputs.steps import durations, envelope, integral
from scenarios.units import DAY_S

Floats = NDArray[np.float64]

BINS = 900
MOST_STEPS = 3 * BINS  # up to here every step is drawn
COLORS = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#cc79a7",
    "#56b4e9",
    "#d55e00",
    "#f0e442",
)  # Okabe and Ito: colour-blind safe
INK, PALE = "#222222", "#bbbbbb"
_STYLE: Any = {
    "font.size": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "date.converter": "concise",
    "font.family": ["DejaVu Sans"],
}


@dataclass(frozen=True, slots=True)
class Span:
    """The time a picture covers, in seconds since the start and as calendar dates."""

    start: datetime.datetime
    from_s: float
    to_s: float

    def dates(self, time_s: Floats) -> NDArray[np.datetime64]:
        """Calendar dates (UTC) of times since the start."""
        milliseconds = np.round(time_s * 1000).astype("timedelta64[ms]")
        return np.asarray(np.datetime64(self.start.replace(tzinfo=None), "ms") + milliseconds)


def render(folder: Path) -> list[Path]:
    """Draw the pictures of a saved run into its folder; the files made."""
    facts = facts_of(folder)
    timeline = table_of(folder, "timeline")
    span = Span(datetime.datetime.fromisoformat(facts["start"]), 0.0, float(facts["end_time_s"]))
    if span.to_s <= 0:
        return []
    columns = {name: timeline[name].to_numpy().astype(np.float64) for name in timeline.columns}
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        made = {
            "utilization.png": _utilization(facts["name"], facts["pools"], columns, span),
            "queue.png": _queue(facts["name"], columns, span),
        }
        for name, figure in made.items():
            figure.savefig(folder / name, dpi=120)
    return [folder / name for name in made]


def _utilization(name: str, installed: dict[str, int], columns: dict[str, Floats], span: Span) -> Figure:
    figure, axes = _axes(f"{name}: chips in use", "chips")
    total = float(sum(installed.values()))
    busy = {pool: columns[f"busy_chips/{pool}"] for pool in installed}
    shares = {pool: _mean(columns["time_s"], values, span) / installed[pool] for pool, values in busy.items()}
    labels = [f"{pool} ({100 * shares[pool]:.0f} % of {installed[pool]:,})" for pool in busy]
    _stack(axes, columns["time_s"], list(busy.values()), labels, span)
    axes.axhline(total, color=INK, linewidth=1.4, linestyle=(0, (5, 3)), label=f"installed ({total:,.0f})")
    axes.set_ylim(0, total * 1.06)
    _finish(figure, axes, span)
    return figure


def _queue(name: str, columns: dict[str, Floats], span: Span) -> Figure:
    figure = Figure(figsize=(11, 6.2), layout="constrained")
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1, sharex=True)
    for axes, what, color in ((upper, "jobs", COLORS[0]), (lower, "chips", COLORS[5])):
        values = columns[f"queue_{what}"]
        axes.set_ylabel(f"waiting {what}")
        mean = _mean(columns["time_s"], values, span)
        _line(
            axes, columns["time_s"], values, color, f"waiting {what} (mean {mean:,.1f}, max {values.max():,.0f})", span
        )
        axes.set_ylim(0, max(1.0, values.max() * 1.08))
        axes.legend(loc="lower left", bbox_to_anchor=(0, 0.98), borderaxespad=0.2, ncols=2, fontsize=11)
    figure.suptitle(f"{name}: the queue", x=0.055, ha="left", fontsize=13)
    _dates(lower, span)
    return figure


def _axes(title: str, unit: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(11, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontsize=13)
    axes.set_ylabel(unit)
    return figure, axes


def _stack(axes: Axes, time_s: Floats, series: list[Floats], labels: list[str], span: Span) -> None:
    """Areas on top of each other; beyond MOST_STEPS their bin means, with the total's band."""
    if len(time_s) <= MOST_STEPS:
        edges = span.dates(np.append(time_s, span.to_s))
        tops = np.cumsum([np.append(values, values[-1]) for values in series], axis=0)
    else:
        bins = [envelope(time_s, values, span.from_s, span.to_s, BINS) for values in series]
        edges = span.dates(np.append(bins[0].time_s, span.to_s))
        tops = np.cumsum([np.append(part.mean, part.mean[-1]) for part in bins], axis=0)
    base = np.zeros(len(edges))
    for top, label, color in zip(tops, labels, COLORS, strict=False):
        axes.fill_between(edges, base, top, step="post", color=color, alpha=0.85, linewidth=0, label=label)
        base = top
    if len(time_s) > MOST_STEPS:
        whole = envelope(time_s, np.sum(series, axis=0), span.from_s, span.to_s, BINS)
        _band(axes, edges, whole.low, whole.high, INK, "lowest to highest")


def _line(axes: Axes, time_s: Floats, values: Floats, color: str, label: str, span: Span) -> None:
    if len(time_s) <= MOST_STEPS:
        edges = span.dates(np.append(time_s, span.to_s))
        axes.step(edges, np.append(values, values[-1]), where="post", color=color, linewidth=1.2, label=label)
        return
    part = envelope(time_s, values, span.from_s, span.to_s, BINS)
    edges = span.dates(np.append(part.time_s, span.to_s))
    axes.step(edges, np.append(part.mean, part.mean[-1]), where="post", color=color, linewidth=1.2, label=label)
    _band(axes, edges, part.low, part.high, color, "lowest to highest")


def _band(axes: Axes, edges: NDArray[np.datetime64], low: Floats, high: Floats, color: str, label: str) -> None:
    low, high = np.append(low, low[-1]), np.append(high, high[-1])
    axes.fill_between(edges, low, high, step="post", color=color, alpha=0.22, linewidth=0, label=label)


def _finish(figure: Figure, axes: Axes, span: Span) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(4, len(labels)), fontsize=11)
    _dates(axes, span)


def _dates(axes: Axes, span: Span) -> None:
    ends = span.dates(np.array([span.from_s, span.to_s]))
    axes.set_xlim(ends[0], ends[1])
    locator: Any = mdates.AutoDateLocator(minticks=4, maxticks=10)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_xlabel("date (UTC)" if span.to_s - span.from_s > 3 * DAY_S else "time (UTC)")


def _mean(time_s: Floats, values: Floats, span: Span) -> float:
    return integral(values, durations(time_s, span.from_s, span.to_s)) / (span.to_s - span.from_s)
