"""What the pictures of a run share: the saved run, its look, and how series of many steps are drawn.

A series with more steps than the picture has columns is drawn as its mean in a band from the lowest to the highest
value, so that a year of a million steps is neither a black block nor loses its peaks.
"""

import contextlib
import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from outputs.calendar import Span, date_labels
from outputs.folder import facts_of, table_of
from outputs.steps import durations, envelope, integral
from outputs.tables import policy_words
from scenarios.errors import ScenarioError
from scenarios.units import DAY_S
from topologies.power import stored_w

Floats = NDArray[np.float64]

BINS = 360
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
LAST_S = 8000 * 365.2425 * DAY_S  # pictures end before the calendar of matplotlib does, in the year 9999
MOST_STEPS = 5 * BINS  # up to here every step is drawn
# Okabe and Ito, distinct for the colour-blind; then darker and lighter ones for fleets of many pools
COLORS = (
    *("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442"),
    *("#003f63", "#8a5f00", "#005c43", "#7d4763", "#a8d8f5", "#f3a77a", "#999999"),
)
INK, BAND = "#222222", "#9a9a9a"
STYLE: Any = {
    "font.size": 12,
    "font.family": ["DejaVu Sans"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "axes.axisbelow": True,
    "legend.frameon": False,
}


@contextlib.contextmanager
def look() -> Iterator[None]:
    """Our style, whatever the user's own settings."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


@dataclass(frozen=True, slots=True)
class Saved:
    """What a run folder says: its facts and its timeline."""

    facts: dict[str, Any]
    columns: dict[str, Floats]
    span: Span

    @property
    def time_s(self) -> Floats:
        """Times of the steps since the start [s]."""
        return self.columns["time_s"]

    def dates(self, time_s: Floats) -> NDArray[np.datetime64]:
        """Times since the start as dates."""
        return self.span.dates(time_s)

    @property
    def title(self) -> str:
        """The run, its policy and its seed, so that two pictures can be told apart."""
        policy = policy_words(self.facts["policy"])
        return f"{self.facts['name']} ({policy}; seed {self.facts['seed']})"

    def mean(self, values: Floats) -> float:
        """Mean of a step series after the warmup."""
        lasts_s = durations(self.time_s, self.span.counted_s, self.span.to_s)
        return integral(values, lasts_s) / (self.span.to_s - self.span.counted_s)

    def most(self, values: Floats) -> float:
        """Highest value of a step series after the warmup."""
        lasts_s = durations(self.time_s, self.span.counted_s, self.span.to_s)
        return float(values[lasts_s > 0].max(initial=0))


def read(folder: Path, since: datetime.datetime | None, until: datetime.datetime | None) -> Saved:
    """A saved run, or a part of it; ScenarioError where there is none."""
    facts, timeline = facts_of(folder), table_of(folder, "timeline")
    start = datetime.datetime.fromisoformat(facts["start"])
    end_s = float(facts["end_time_s"])
    from_s = 0.0 if since is None else (since - start).total_seconds()
    to_s = end_s if until is None else (until - start).total_seconds()
    if not 0 <= from_s < to_s <= end_s and (since or until):
        last = start + datetime.timedelta(seconds=end_s)
        raise ScenarioError(
            f"allowed: --from before --to, from {start:%Y-%m-%dT%H:%M} to {last:%Y-%m-%dT%H:%M}", str(folder)
        )
    time_s = timeline["time_s"].to_numpy()
    first, last_row = (
        max(int(np.searchsorted(time_s, from_s, "right")) - 1, 0),
        int(np.searchsorted(time_s, to_s, "right")),
    )
    rows = timeline.slice(first, last_row - first)
    columns = {name: rows[name].to_numpy().astype(np.float64).copy() for name in rows.columns}
    if "battery_soc_j" in columns and len(time_s):  # what is stored moves on within a row
        soc_j, rate_w = columns["battery_soc_j"], stored_w(float(columns["battery_w"][0]), facts["battery_round_trip"])
        soc_j[0] += rate_w * max(0.0, from_s - float(columns["time_s"][0]))
    columns["time_s"] = np.maximum(columns["time_s"], from_s)
    return Saved(facts, columns, Span(start, from_s, to_s, float(facts["warmup_s"])))


def dashed(axes: Axes, saved: Saved, values: Floats, label: str) -> None:
    """A limit as a dashed step line, drawn where it changes."""
    changes = np.flatnonzero(np.diff(values, prepend=np.nan))
    edges = saved.span.dates(np.append(saved.time_s[changes], saved.span.to_s))
    steps = np.append(values[changes], values[-1])
    axes.step(edges, steps, where="post", color=INK, linewidth=1.4, linestyle=(0, (5, 3)), label=label)


def figure_of(title: str, label: str) -> tuple[Figure, Axes]:
    """A figure of one panel, its title at the left."""
    figure = Figure(figsize=(11, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontsize=13)
    axes.set_ylabel(label)
    return figure, axes


def stack(axes: Axes, saved: Saved, series: Sequence[Floats], labels: Sequence[str]) -> None:
    """Areas on top of each other; beyond MOST_STEPS their bin means, with the band of their sum."""
    span, many = saved.span, len(saved.time_s) > MOST_STEPS
    if many:
        bins = [envelope(saved.time_s, values, span.from_s, span.to_s, BINS) for values in series]
        times, parts = bins[0].time_s, [part.mean for part in bins]
    else:
        times, parts = saved.time_s, list(series)
    edges = span.dates(np.append(times, span.to_s))
    base = np.zeros(len(edges))
    for at, (part, label) in enumerate(zip(parts, labels, strict=True)):
        top = base + np.append(part, part[-1])
        color = COLORS[at % len(COLORS)]
        axes.fill_between(edges, base, top, step="post", color=color, linewidth=0, label=label)
        base = top
    if many:
        whole = envelope(saved.time_s, np.sum(series, axis=0), span.from_s, span.to_s, BINS)
        _band(axes, edges, base[:-1], whole.high, BAND, 0.35, "pale: lowest to highest")
        _band(axes, edges, whole.low, base[:-1], "#ffffff", 0.35, None)


def area(axes: Axes, saved: Saved, low: Floats, high: Floats, color: str, label: str) -> None:
    """The area between two step series; beyond MOST_STEPS between their bin means."""
    _band(axes, *_binned(saved, low, high), color, 1.0, label)


def _binned(saved: Saved, low: Floats, high: Floats) -> tuple[NDArray[np.datetime64], Floats, Floats]:
    """The edges and two step series, as bin means beyond MOST_STEPS."""
    span, times = saved.span, saved.time_s
    if len(times) > MOST_STEPS:
        bins = [envelope(times, values, span.from_s, span.to_s, BINS) for values in (low, high)]
        times, low, high = bins[0].time_s, bins[0].mean, bins[1].mean
    return span.dates(np.append(times, span.to_s)), low, high


def hatched(axes: Axes, saved: Saved, low: Floats, high: Floats, color: str, label: str) -> None:
    """As area, in hatches that let show what lies below."""
    edges, low, high = _binned(saved, low, high)
    low, high = np.append(low, low[-1]), np.append(high, high[-1])
    axes.fill_between(
        edges, low, high, step="post", facecolor="none", edgecolor=color, hatch="////", linewidth=0, label=label
    )


def line(axes: Axes, saved: Saved, values: Floats, color: str, label: str) -> None:
    """A step series as a line; beyond MOST_STEPS its bin means in a band from lowest to highest."""
    span = saved.span
    if len(saved.time_s) <= MOST_STEPS:
        edges = span.dates(np.append(saved.time_s, span.to_s))
        axes.step(edges, np.append(values, values[-1]), where="post", color=color, linewidth=1.2, label=label)
        return
    part = envelope(saved.time_s, values, span.from_s, span.to_s, BINS)
    edges = span.dates(np.append(part.time_s, span.to_s))
    axes.step(edges, np.append(part.mean, part.mean[-1]), where="post", color=color, linewidth=1.4, label=label)
    _band(axes, edges, part.low, part.high, color, 0.3, "pale: lowest to highest")


def _band(
    axes: Axes, edges: NDArray[np.datetime64], low: Floats, high: Floats, color: str, alpha: float, label: str | None
) -> None:
    low, high = np.append(low, low[-1]), np.append(high, high[-1])
    axes.fill_between(edges, low, high, step="post", color=color, alpha=alpha, linewidth=0, label=label)


def legend(figure: Figure, axes: Axes) -> None:
    """The legend below the panel, in as many columns as fit."""
    handles, labels = axes.get_legend_handles_labels()
    widest = max(len(label) for label in labels)
    columns = max(1, min(4, 110 // (widest + 6)))
    figure.legend(handles, labels, loc="outside lower center", ncols=columns, fontsize=11)


def say_if_empty(axes: Axes, series: Sequence[Floats], text: str) -> None:
    """Words in the place of a picture that would be empty."""
    if not any(values.any() for values in series):
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", color=INK)


def finish(axes: Axes, span: Span, whole: bool = True) -> None:
    """Ticks, dates and the warmup, once all is drawn."""
    axes.yaxis.set_major_locator(MaxNLocator(nbins=7, integer=whole))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if whole else f"{value:,g}"))
    if span.warmup_s > span.from_s:
        ends = span.dates(np.array([span.from_s, min(span.warmup_s, span.to_s)]))
        axes.axvspan(ends[0], ends[1], color="#ffffff", alpha=0.6, zorder=3, linewidth=0)
        axes.text(ends[0], 0.02, " warmup", transform=axes.get_xaxis_transform(), fontsize=10, zorder=4)
    axes.set_xlim(*span.dates(np.array([span.from_s, span.to_s])))
    ticks, labels, caption = date_labels(span)
    axes.set_xticks(np.array(ticks, "datetime64[ms]"), labels)
    axes.set_xlabel(caption)
