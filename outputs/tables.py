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


def room() -> int | None:
    """How many characters a line of the terminal holds; None where the output is no terminal."""
    console = Console()
    return console.width if console.is_terminal else None


def summary_table(name: str, summary: Mapping[str, float]) -> Table:
    """What a person wants to know first: busy, who waited and why, what became of the jobs, and what it drew."""
    rows = [("simulated", duration(summary["simulated_s"])), *_busy(summary)]
    rows.append(("jobs submitted", f"{summary['submitted_jobs']:,.0f}"))
    fates = ("completed", "killed", "running_at_end", "waiting_at_end", "rejected")
    counts = {what: summary.get(f"{what}_jobs", 0) for what in fates}
    rows += [(f"  {what.replace('_', ' ')}", f"{count:,.0f}") for what, count in counts.items() if count]
    if "wait_mean_s" in summary:
        rows.append(("wait", _spread(summary, "wait", "s")))
    if "jct_mean_s" in summary:
        rows.append(("JCT", _spread(summary, "jct", "s")))
    if "bounded_slowdown_mean_ratio" in summary:
        rows.append(("bounded slowdown", _spread(summary, "bounded_slowdown", "ratio")))
    if "makespan_s" in summary:
        rows.append(("makespan", duration(summary["makespan_s"])))
    if "queue_mean_jobs" in summary:
        mean, most = summary["queue_mean_jobs"], summary["queue_max_jobs"]
        rows.append(("queue", f"mean {mean:,.1f} jobs, max {most:,.0f}"))
    waited = _shares(summary, "waiting_", "_chip_h")
    if waited:
        rows.append(("why jobs waited", waited))
    if "placement_slowdown_mean" in summary:
        placed, shared = summary["placement_slowdown_mean"], summary["contention_slowdown_mean"]
        beyond = f"{100 * summary['beyond_leaf_fraction']:.1f} % of chip-hours beyond one leaf"
        bound = summary["fabric_slowdown_mean"]
        text = f"time x {bound:.3f} by the fabric, x {placed:.3f} by placement, x {shared:.3f} by the traffic of others"
        rows.append(("network", f"{text}; {beyond}"))
    if summary.get("trained_tokens"):
        rows.append(("tokens trained", f"{summary['trained_tokens']:.4g}"))
    return table(name, ("", ""), [*rows, *_stops(summary), *_power(summary)])


def _busy(summary: Mapping[str, float]) -> list[tuple[str, str]]:
    if "utilization_fraction" not in summary:
        return []
    pools = [key for key in summary if key.endswith("/utilization_fraction")]
    each = [(f"  {key.split('/')[0]}", _percent(summary[key])) for key in pools]
    return [("utilization", _percent(summary["utilization_fraction"])), *(each if len(each) > 1 else [])]


def _power(summary: Mapping[str, float]) -> list[tuple[str, str]]:
    if "feed_mean_w" not in summary:
        return []
    mean, peak = f"mean {power(summary['feed_mean_w'])}", f"peak {power(summary['feed_peak_w'])}"
    if "cap_w" in summary:
        if "feed_mean_fraction" in summary:
            mean += f" ({_percent(summary['feed_mean_fraction'])})"
            peak += f" ({_percent(summary['feed_peak_fraction'])})"
        peak += f" of {power(summary['cap_w'])}"
    parts = f"{energy(summary['feed_energy_j'])}: {_shares(summary, 'energy_', '_j')}"
    return [("feed", f"{mean}, {peak}"), ("energy", parts), *_moving(summary), *_costs(summary)]


def _stops(summary: Mapping[str, float]) -> list[tuple[str, str]]:
    """How often running jobs were stopped, whether anything draws power or not."""
    if not summary.get("preemptions"):
        return []
    back = f", {summary['reclaims']:,.0f} of them for tenants' own quota" if summary.get("reclaims") else ""
    lost = f"{summary['lost_chip_h']:,.1f} chip-h lost"
    return [("stops", f"{summary['preemptions']:,.0f} of running jobs{back}, {lost}")]


def _moving(summary: Mapping[str, float]) -> list[tuple[str, str]]:
    """What a feed that moves did to the jobs."""
    rows = []
    if summary.get("throttle_mean_fraction", 1.0) < 1:
        rows.append(("under caps", f"mean speed {_percent(summary['throttle_mean_fraction'])}"))
    if "curtailments" in summary:
        less = f"{energy(summary['curtailed_energy_j'])} less"
        paid = f", {summary['curtailment_payment_usd']:,.0f} USD paid" if summary["curtailment_payment_usd"] else ""
        rows.append(
            ("curtailed", f"{summary['curtailments']:,.0f} times, {summary['curtailed_h']:,.1f} h, {less}{paid}")
        )
    return rows


def _costs(summary: Mapping[str, float]) -> list[tuple[str, str]]:
    rows = []
    if "rental_usd" in summary:
        tokens = summary.get("usd_per_million_tokens")
        each = "" if tokens is None else f", {tokens:,.3g} USD per million tokens"
        rows.append(("rental", f"{summary['rental_usd']:,.0f} USD{each}"))
    if "electricity_usd" in summary:
        mean = f"{summary.get('electricity_usd_per_mwh', 0.0):,.2f} USD/MWh"
        rows.append(("electricity", f"{summary['electricity_usd']:,.0f} USD, mean {mean}"))
    if "carbon_g" in summary:
        rows.append(
            ("carbon", f"{summary['carbon_g'] / 1e6:,.1f} t, mean {summary.get('carbon_g_per_kwh', 0.0):,.1f} gCO2/kWh")
        )
    return rows


def _shares(summary: Mapping[str, float], prefix: str, suffix: str) -> str:
    """The metrics of a family as shares of their sum; empty where all are 0."""
    parts = {
        key.removeprefix(prefix).removesuffix(suffix).replace("_", " "): value
        for key, value in summary.items()
        if key.startswith(prefix) and key.endswith(suffix)
    }
    total = sum(parts.values())
    return ", ".join(f"{what} {_percent(value / total)}" for what, value in parts.items()) if total else ""


def power(draw_w: float) -> str:
    """A power as a person says it: "30.00 MW" or "8.4 kW"."""
    return f"{draw_w / 1e6:,.2f} MW" if draw_w >= 1e6 else f"{draw_w / 1e3:,.1f} kW"


def energy(energy_j: float) -> str:
    """An energy as a person says it: "237.0 MWh" or "30.1 kWh"."""
    return f"{energy_j / 3.6e9:,.1f} MWh" if energy_j >= 3.6e9 else f"{energy_j / 3.6e6:,.1f} kWh"


def bandwidth(bytes_per_s: float) -> str:
    """A bandwidth as a person says it: "450 GB/s" or "32.4 TB/s"."""
    return f"{bytes_per_s / 1e12:,.4g} TB/s" if bytes_per_s >= 1e12 else f"{bytes_per_s / 1e9:,.4g} GB/s"


def duration(time_s: float) -> str:
    """A time as a person says it: "3.2 h" or "12 days"."""
    for unit, factor in (("days", 2 * DAY_S), ("h", 2 * HOUR_S), ("min", 120.0)):
        if time_s >= factor:
            size = {"days": DAY_S, "h": HOUR_S, "min": 60.0}[unit]
            return f"{time_s / size:,.1f} {unit}"
    return f"{time_s:,.1f} s"


def _percent(share: float) -> str:
    return f"{round(100 * share, 1) + 0.0:.1f} %"  # + 0.0: no minus before a zero


def _spread(summary: Mapping[str, float], name: str, unit: str) -> str:
    def shown(value: float) -> str:
        return duration(value) if unit == "s" else f"{value:,.2f}"

    parts = [f"{what} {shown(summary[f'{name}_{what}_{unit}'])}" for what in ("mean", "p50", "p95", "p99", "max")]
    return ", ".join(parts)


def policy_words(axes: Mapping[str, str]) -> str:
    """A policy in a few words: one an axis, but nothing for gangs that nobody stops or resizes."""
    return ", ".join([word for axis, word in axes.items() if word != "none" or axis not in ("preemption", "scaling")])
