"""Several runs beside each other: the metrics that people compare, one column a run."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.table import Table

from outputs.folder import facts_of, summary_of
from outputs.tables import duration, policy_words, power, table
from scenarios.errors import ScenarioError

Show = Callable[[float], str]


def _number(unit: str = "", size: float = 1.0, digits: int = 0) -> Show:
    return lambda value: f"{value / size:,.{digits}f}{unit}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


ROWS: Sequence[tuple[str, str, Show]] = (
    ("simulated", "simulated_s", duration),
    ("utilization", "utilization_fraction", _percent),
    ("goodput", "goodput_fraction", _percent),
    ("jobs completed", "completed_jobs", _number()),
    ("wait, mean", "wait_mean_s", duration),
    ("wait, p95", "wait_p95_s", duration),
    ("JCT, mean", "jct_mean_s", duration),
    ("JCT, p95", "jct_p95_s", duration),
    ("work [chip-h at full speed]", "work_chip_h", _number()),
    ("work by value", "work_value_chip_h", _number()),
    ("tokens trained", "trained_tokens", lambda value: f"{value:.4g}"),
    ("feed, mean", "feed_mean_w", power),
    ("feed, peak", "feed_peak_w", power),
    ("energy [MWh]", "feed_energy_j", _number(size=3.6e9, digits=1)),
    ("rental [USD]", "rental_usd", _number()),
    ("USD per million tokens", "usd_per_million_tokens", _number(digits=3)),
    ("electricity [USD]", "electricity_usd", _number()),
    ("carbon [t]", "carbon_g", _number(size=1e6, digits=1)),
    ("time by the fabric, x", "fabric_slowdown_mean", _number(digits=3)),
    ("time by placement, x", "placement_slowdown_mean", _number(digits=3)),
    ("time by the traffic of others, x", "contention_slowdown_mean", _number(digits=3)),
    ("chip-hours beyond one leaf", "beyond_leaf_fraction", _percent),
    ("speed, mean", "throttle_mean_fraction", _percent),
    ("jobs stopped", "preemptions", _number()),
    ("work lost [chip-h]", "lost_chip_h", _number(digits=1)),
    ("curtailed [MWh]", "curtailed_energy_j", _number(size=3.6e9, digits=2)),
    ("paid for curtailment [USD]", "curtailment_payment_usd", _number()),
)
_DIFFERENCE = 5e-5  # below this two values are shown as equal


def compare_table(folders: Sequence[Path]) -> Table:
    """A row a metric that any run has, a column a run, with differences to the first; ScenarioError for no run."""
    heads, summaries = zip(*[(_head(folder), summary_of(folder)) for folder in folders], strict=True)
    rows = [["policy", *(policy for policy, _ in heads)], ["scenario, seed", *(name for _, name in heads)]]
    for label, metric, show in ROWS:
        if any(metric in summary for summary in summaries):
            rows.append([label, *(_cell(metric, summary, summaries[0], show) for summary in summaries)])
    return table("", ["", *(f"{folder.name} " for folder in folders)], rows)


def _head(folder: Path) -> tuple[str, str]:
    facts = facts_of(folder)
    try:
        return policy_words(facts["policy"]), f"{facts['name']}, {facts['seed']}"
    except (AttributeError, LookupError, TypeError) as error:
        raise ScenarioError(f"is damaged: {type(error).__name__} {error}", str(folder / "run.json")) from None


def _cell(metric: str, summary: Mapping[str, float], first: Mapping[str, float], show: Show) -> str:
    if metric not in summary:
        return "-"
    value, base = summary[metric], first.get(metric, 0.0)
    change = value / base - 1 if base else 0.0
    if abs(change) < _DIFFERENCE:
        return show(value)
    return show(value) + (f" ({change:+.2%})" if change < 10 else f" (x {change + 1:,.0f})")
