"""Which metrics of a sweep are shown first."""

from collections.abc import Sequence

from outputs.sweep_folder import Sweep
from scenarios.errors import ScenarioError, unknown

_OPTION = "--metric"
# what is got, what it is got from, who waits and what it takes; then what says nearly the same
_MAIN = (
    *("trained_tokens", "goodput_fraction", "wait_mean_s", "feed_energy_j"),
    *("utilization_fraction", "jct_mean_s", "electricity_usd", "completed_jobs"),
)
_MOST = 6


def main_metrics(sweep: Sweep, asked: Sequence[str] = ()) -> list[str]:
    """The metrics that are asked for, else those that the sweep was made for, else some that its runs have.

    ScenarioError for one asked for that no run has; one that the sweep was made for may be missing.
    """
    there = sweep.all_metrics
    for name in asked:
        if name not in there:
            raise ScenarioError(unknown("metric", name, there), f"{_OPTION} {name}")
    if asked:
        return list(dict.fromkeys(asked))
    meant = [name for name in dict.fromkeys(sweep.metrics) if name in there]
    if meant:
        return meant
    some = [name for name in _MAIN if name in there and _says_something(sweep, name)]
    return (some or [name for name in there if name != "simulated_s"])[:_MOST]


def _says_something(sweep: Sweep, metric: str) -> bool:
    return bool((sweep.runs[metric].drop_nulls() != 0).any())
