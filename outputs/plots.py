"""Pictures of a run, drawn from its saved folder alone."""

import contextlib
import datetime
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from outputs.capacity_plot import capacity_figure
from outputs.drawing import (
    COLORS,
    EPOCH,
    LAST_S,
    Saved,
    dashed,
    figure_of,
    finish,
    legend,
    line,
    look,
    read,
    say_if_empty,
    stack,
)
from outputs.network_plot import network_figure
from outputs.power_plot import compare_figure, power_figure
from scenarios.errors import ScenarioError


def render(folder: Path, since: datetime.datetime | None = None, until: datetime.datetime | None = None) -> list[Path]:
    """Draw the pictures of a saved run into its folder; the files made.

    since, until: only this part of the run, in files of their own.
    """
    saved = read(folder, since, until)
    if not _drawable(saved):
        return []
    with look():
        made = {"utilization": _utilization(saved), "queue": _queue(saved)}
        if "feed_w" in saved.columns:
            made["power"] = power_figure(saved)
        if since is None and until is None:  # these know no times
            if saved.facts.get("fabric"):
                made["network"] = network_figure(folder, saved.facts, saved.title)
            if (folder / "capacity.parquet").exists():
                made["capacity"] = capacity_figure(folder, saved.title)
        part = "".join(f"_{end:%Y%m%dT%H%M}" for end in (since, until) if end is not None)
        for name, figure in made.items():
            figure.savefig(folder / f"{name}{part}.png", dpi=120)
    return [folder / f"{name}{part}.png" for name in made]


def redraw(folder: Path, since: datetime.datetime | None, until: datetime.datetime | None) -> list[Path]:
    """As render, for a folder that may have been damaged since it was saved: then ScenarioError."""
    with _undamaged(folder):
        return render(folder, since, until)


def compare(
    folders: Sequence[Path], picture: Path, since: datetime.datetime | None, until: datetime.datetime | None
) -> None:
    """Draw the power of several saved runs into one picture; ScenarioError where one has none."""
    runs = {}
    for folder in folders:
        with _undamaged(folder):
            saved = read(folder, since, until)
            if "feed_w" not in saved.columns or not _drawable(saved):
                raise ScenarioError("has no power to draw", str(folder))
            runs[str(folder)] = saved
    with look():
        picture.parent.mkdir(parents=True, exist_ok=True)
        compare_figure(runs).savefig(picture, format="png", dpi=120)


def _drawable(saved: Saved) -> bool:
    """Whether there is anything to see, and within the calendar of matplotlib."""
    return 0.01 <= saved.span.to_s - saved.span.from_s <= LAST_S - (saved.span.start - EPOCH).total_seconds()


@contextlib.contextmanager
def _undamaged(folder: Path) -> Iterator[None]:
    try:
        yield
    except (ArithmeticError, LookupError, TypeError, ValueError, RecursionError, pl.exceptions.PolarsError) as error:
        raise ScenarioError(f"is damaged: {type(error).__name__} {error}", str(folder)) from None


def _utilization(saved: Saved) -> Figure:
    figure, axes = figure_of(saved.title, "chips in use")
    installed = saved.facts["pools"]
    busy = [saved.columns[f"busy_chips/{pool}"] for pool in installed]
    there = [
        saved.columns.get(f"installed_chips/{pool}", np.full(len(saved.time_s), chips))
        for pool, chips in installed.items()
    ]
    labels = []
    for pool, values, powered in zip(installed, busy, there, strict=True):
        share = saved.mean(values) / saved.mean(powered) if saved.mean(powered) else 0.0
        labels.append(f"{pool}: {100 * share:.1f} % of {installed[pool]:,}")
    stack(axes, saved, busy, labels)
    total = np.sum(there, axis=0)
    dashed(axes, saved, total, f"delivered and powered: {total[-1]:,.0f}")
    axes.set_ylim(0, max(1.0, total.max()) * 1.06)
    say_if_empty(axes, busy, "no chip was ever in use")
    legend(figure, axes)
    finish(axes, saved.span)
    return figure


def _queue(saved: Saved) -> Figure:
    figure = Figure(figsize=(11, 6.2), layout="constrained")
    FigureCanvasAgg(figure)
    upper, lower = figure.subplots(2, 1, sharex=True)
    panels = ((upper, "jobs", "waiting jobs", COLORS[0]), (lower, "chips", "chips they ask for", COLORS[5]))
    for axes, what, label, color in panels:
        values = saved.columns[f"queue_{what}"]
        text = f"{label}: mean {saved.mean(values):,.1f}, max {saved.most(values):,.0f}"
        line(axes, saved, values, color, text)
        axes.set_ylabel(label)
        axes.set_ylim(0, max(1.0, values.max() * 1.08))
        axes.legend(loc="lower left", bbox_to_anchor=(0, 0.98), borderaxespad=0.2, ncols=2, fontsize=11)
        say_if_empty(axes, [values], "no job ever waited")
        finish(axes, saved.span)
    upper.set_xlabel("")
    figure.suptitle(saved.title, fontsize=13)
    return figure
