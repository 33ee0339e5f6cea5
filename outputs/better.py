"""Whether more or less of a metric is better, where its name tells.

A rule for the names of summary.json, by the first pattern that fits what follows the last slash; for
`capacity/STATE_fraction` the slash belongs to the name. What fits none is taken for neither: amounts that a scenario
gives (submitted jobs, the cap), and those whose worth depends on the question (chip-hours held, the draw over the cap).
"""

from collections.abc import Sequence
from fnmatch import fnmatchcase

_MORE, _LESS, _NEITHER = True, False, None

_RULES: Sequence[tuple[str, bool | None]] = (
    ("capacity/productive_fraction", _MORE),
    *((f"capacity/{state}_fraction", _LESS) for state in ("communication", "throttled", "checkpointing")),
    *((f"capacity/{state}_fraction", _LESS) for state in ("lost_work", "restarting", "down", "fragmentation")),
    ("capacity/*", _NEITHER),
    # what goes wrong comes before what it is counted in: lost tokens are tokens
    ("lost_*", _LESS),
    ("rejected_*", _LESS),
    ("killed_*", _LESS),
    ("waiting_*", _LESS),
    ("wait_*", _LESS),
    ("jct_*", _LESS),
    ("*slowdown*", _LESS),
    ("makespan_s", _LESS),
    ("queue_*", _LESS),
    ("deadline_missed_*", _LESS),
    ("preemptions", _LESS),
    ("failures", _LESS),
    ("infeasible_*", _LESS),
    ("beyond_leaf_fraction", _LESS),
    ("communication_*", _LESS),
    ("restarting_*", _LESS),
    ("completed_jobs", _MORE),
    ("utilization_fraction", _MORE),
    ("goodput_*", _MORE),
    ("preferred_level_met_fraction", _MORE),
    ("throttle_mean_fraction", _MORE),  # a mean speed
    ("work_*chip_h", _MORE),
    ("*tokens_per_*", _MORE),
    ("*_per_*token*", _LESS),
    ("*_tokens", _MORE),
    ("revenue_*", _MORE),
    ("margin_*", _MORE),
    ("*_payment_usd", _MORE),  # to the site
    ("*usd", _LESS),
    ("*usd_per_*", _LESS),
    ("carbon_*", _LESS),
    ("energy_jobs_j", _NEITHER),
    ("energy_stored_j", _NEITHER),
    ("energy_*_j", _LESS),
    ("feed_energy_j", _LESS),
    ("feed_mean_w", _LESS),
    ("feed_peak_w", _LESS),
    ("stranded_energy_j", _LESS),
    ("above_cap_energy_j", _LESS),
)


def more_is_better(metric: str) -> bool | None:
    """True where more is better, False where less is, None where the name does not tell."""
    name = metric if metric.startswith("capacity/") else metric.rsplit("/", 1)[-1]
    return next((better for pattern, better in _RULES if fnmatchcase(name, pattern)), None)


def better_words(metric: str) -> str:
    """ "more is better", "less is better" or nothing."""
    better = more_is_better(metric)
    return "" if better is None else "more is better" if better else "less is better"
