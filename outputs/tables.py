"""Tables for the terminal, made with rich."""

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.table import Table

from scenarios.units import DAY_S, HOUR_S


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Table:
    """A plain table, without a header where all are empty; a header that ends in a blank sets its column right."""
    columns = list(columns)
    headed = any(columns)
    made = Table(title=title or None, title_justify="left", box=None, pad_edge=False, show_header=headed)
    for column in columns:
        made.add_column(column.rstrip(), justify="right" if column.endswith(" ") else "left", overflow="fold")
    for row in rows:
        made.add_row(*row)
    return made


def show(made: Table) -> None:
    """Print a table to standard output; into a pipe it is as wide as it needs to be."""
    console = Console(markup=False, highlight=False)
    if console.is_terminal:
        console.print(made)
        return
    wide = Console(markup=False, highlight=False, width=1000)
    with wide.capture() as text:
        wide.print(made)
    wide.file.write("".join(f"{line.rstrip()}\n" for line in text.get().splitlines()))


def summary_table(name: str, summary: Mapping[str, float]) -> Table:
    """What a person wants to know first: busy, who waited, what became of the jobs."""
    rows = [("simulated", duration(summary["simulated_s"]))]
    if "utilization_fraction" in summary:
        rows.append(("utilization", _percent(summary["utilization_fraction"])))
        pools = [key for key in summary if key.endswith("/utilization_fraction")]
        if len(pools) > 1:
            rows += [(f"  {key.split('/')[0]}", _percent(summary[key])) for key in pools]
    rows.append(("jobs submitted", f"{summary['submitted_jobs']:,.0f}"))
    for what in ("completed", "running_at_end", "waiting_at_end", "rejected"):
        if summary[f"{what}_jobs"]:
            rows.append((f"  {what.replace('_', ' ')}", f"{summary[f'{what}_jobs']:,.0f}"))
    if "wait_mean_s" in summary:
        rows.append(("wait", _spread(summary, "wait", "s")))
    if "bounded_slowdown_mean_ratio" in summary:
        rows.append(("bounded slowdown", _spread(summary, "bounded_slowdown", "ratio")))
    if "makespan_s" in summary:
        rows.append(("makespan", duration(summary["makespan_s"])))
    if "queue_mean_jobs" in summary:
        mean, most = summary["queue_mean_jobs"], summary["queue_max_jobs"]
        rows.append(("queue", f"mean {mean:,.1f} jobs, max {most:,.0f}"))
    waiting = {
        key.split("_", 1)[1].removesuffix("_chip_h").replace("_", " "): summary[key]
        for key in summary
        if key.startswith("waiting_") and key.endswith("_chip_h")
    }
    if any(waiting.values()):
        total = sum(waiting.values())
        shares = [f"{reason} {_percent(value / total)}" for reason, value in waiting.items()]
        rows.append(("why jobs waited", ", ".join(shares)))
    return table(name, ("", ""), rows)


def duration(time_s: float) -> str:
    """A time as a person says it: "3.2 h" or "12 days"."""
    for unit, factor in (("days", 2 * DAY_S), ("h", 2 * HOUR_S), ("min", 120.0)):
        if time_s >= factor:
            size = {"days": DAY_S, "h": HOUR_S, "min": 60.0}[unit]
            return f"{time_s / size:,.1f} {unit}"
    return f"{time_s:,.1f} s"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _spread(summary: Mapping[str, float], name: str, unit: str) -> str:
    def shown(value: float) -> str:
        return duration(value) if unit == "s" else f"{value:,.2f}"

    parts = [f"{what} {shown(summary[f'{name}_{what}_{unit}'])}" for what in ("mean", "p50", "p95", "p99", "max")]
    return ", ".join(parts)
