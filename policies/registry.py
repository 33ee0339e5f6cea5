"""The built-in policies by axis and name, and the presets. Adding one is adding a line here."""

from collections.abc import Mapping

from policies.backfill import Backfill, greedy, none
from policies.conservative import conservative
from policies.easy import easy
from policies.fragmentation import FRAGMENTATION
from policies.order import Order, fifo, sjf
from policies.placement import CHEAPEST, CONTIGUOUS, EFFICIENT, FIRST_FIT, PACK, SPREAD, Placer
from policies.power import POWERS, PowerPolicy
from policies.topology import TOPOLOGY

ORDERS: Mapping[str, Order] = {"fifo": fifo, "sjf": sjf}
BACKFILLS: Mapping[str, Backfill] = {"none": none, "greedy": greedy, "easy": easy, "conservative": conservative}
PLACEMENTS: Mapping[str, Placer] = {
    "pack": PACK,
    "spread": SPREAD,
    "topology": TOPOLOGY,
    "contiguous": CONTIGUOUS,
    "first-fit": FIRST_FIT,
    "fragmentation": FRAGMENTATION,
    "efficient": EFFICIENT,
    "cheapest": CHEAPEST,
}

AXES: Mapping[str, Mapping[str, object]] = {
    "order": ORDERS,
    "backfill": BACKFILLS,
    "placement": PLACEMENTS,
    "power": POWERS,
}
DEFAULTS: Mapping[str, str] = {"order": "fifo", "backfill": "easy", "placement": "pack", "power": "reserve"}
PRESETS: Mapping[str, Mapping[str, str]] = {
    "fifo": {"order": "fifo", "backfill": "none"},
    "fifo-skip": {"order": "fifo", "backfill": "greedy"},
    "sjf": {"order": "sjf", "backfill": "none"},
    "sjf-skip": {"order": "sjf", "backfill": "greedy"},
    "easy": {"order": "fifo", "backfill": "easy"},
    "sjf-easy": {"order": "sjf", "backfill": "easy"},
}


def about(policy: object) -> str:
    """The one line that a policy's docstring opens with."""
    if isinstance(policy, PowerPolicy):
        return policy.about
    if isinstance(policy, Placer) and policy.about is not None:
        return policy.about
    function = policy.place if isinstance(policy, Placer) else policy
    return (function.__doc__ or "").strip().splitlines()[0]
