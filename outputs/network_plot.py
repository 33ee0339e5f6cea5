"""The picture of a run's network: what placement and the traffic of others cost the jobs of each class and size."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from outputs.drawing import COLORS, INK
from outputs.folder import table_of

_MOST_BARS = 16
_PARTS = (
    ("as fast as packed and alone on links that carry all", "useful", COLORS[0]),
    ("lost to the fabric", "fabric", COLORS[3]),
    ("lost to placement", "placement", COLORS[1]),
    ("lost to the traffic of others", "traffic", COLORS[5]),
)


def network_figure(folder: Path, facts: Mapping[str, Any], title: str) -> Figure:
    """Shares of the chip-hours of completed jobs, a bar for each class, pool and size with the most of them."""
    kinds = _kinds(table_of(folder, "jobs").filter(pl.col("status") == "completed"))
    shown = kinds.head(_MOST_BARS).sort("job_class", "pool", "chips")
    figure = Figure(figsize=(11, 1.9 + 0.38 * max(2, len(shown))), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    start = [0.0] * len(shown)
    for label, column, color in _PARTS:
        shares = shown[column].to_list()
        axes.barh(range(len(shown)), shares, left=start, color=color, height=0.72, label=label)
        start = [left + share for left, share in zip(start, shares, strict=True)]
    pools = len(facts["pools"]) > 1
    names = []
    for at, row in enumerate(shown.iter_rows(named=True)):
        names.append(f"{row['job_class']} on {row['chips']:,}" + (f", {row['pool']}" if pools else ""))
        text = f"{row['chip_h']:,.0f} chip-h, {row['domains']:,.1f} domains, {row['leaves']:,.1f} leaf groups"
        axes.text(1.01, at, text, va="center", color=INK, fontsize=10)
    axes.set_yticks(range(len(shown)), names)
    axes.set_ylim(max(1, len(shown)) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of the chip-hours of completed jobs")
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.grid(axis="y", visible=False)
    if shown.is_empty():
        axes.text(0.5, 0.5, "no job completed", ha="center", transform=axes.transAxes)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.suptitle(title, fontsize=13)
    return figure


def _kinds(jobs: pl.DataFrame) -> pl.DataFrame:
    """Chip-hours and where they went, by class, pool and size, the largest first."""
    slower = pl.col("fabric_slowdown") * pl.col("placement_slowdown") * pl.col("contention_slowdown")
    held = (pl.col("chips") * pl.col("run_s") / 3600).alias("chip_h")
    parts = jobs.with_columns(held).with_columns(
        (pl.col("chip_h") / slower).alias("useful"),
        (pl.col("chip_h") * (pl.col("fabric_slowdown") - 1) / slower).alias("fabric"),
        (pl.col("chip_h") * (1 - 1 / pl.col("contention_slowdown"))).alias("traffic"),
    )
    sums = parts.group_by("job_class", "pool", "chips").agg(
        pl.col("chip_h", "useful", "fabric", "traffic").sum(), pl.col("domains", "leaves").mean()
    )
    shares = sums.filter(pl.col("chip_h") > 0).with_columns(pl.col("useful", "fabric", "traffic") / pl.col("chip_h"))
    # a seat may be better than the packed one: then nothing is lost to placement, and no more than all is useful
    shares = shares.with_columns(pl.min_horizontal("useful", 1 - pl.col("fabric") - pl.col("traffic")))
    lost = 1 - pl.col("useful") - pl.col("fabric") - pl.col("traffic")
    return shares.with_columns(lost.alias("placement")).sort(
        ["chip_h", "job_class", "pool", "chips"], descending=[True, False, False, False]
    )
