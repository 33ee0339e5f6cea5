"""The built-in policies by axis and name, and the presets. Adding one is adding a line here."""

from collections.abc import Mapping

from policies.ageing import Ageing, unicef, wfp3
from policies.backfill import Backfill, greedy, none
from policies.by_pairs import by_pairs
from policies.conservative import conservative
from policies.easy import easy
from policies.fairness import DRF, ByTenant, fair_share
from policies.fragmentation import FRAGMENTATION
from policies.max_min_placement import MAX_MIN
from policies.order import LeastAttainedService, deadline, fifo, ljf, priority, sjf, smallest_first, srtf
from policies.placement import CHEAPEST, CONTIGUOUS, EFFICIENT, FIRST_FIT, PACK, SPREAD, Placer
from policies.power import POWERS, PowerPolicy
from policies.preemption import PreemptionKind
from policies.queues import Order
from policies.scaling import ScalingKind
from policies.topology import TOPOLOGY
from scenarios.units import DAY_S, HOUR_S

ORDERS: Mapping[str, Order] = {
    "fifo": fifo,
    "sjf": sjf,
    "ljf": ljf,
    "srtf": srtf,
    "smallest-first": smallest_first,
    "priority": priority,
    "deadline": deadline,
    "las": LeastAttainedService((HOUR_S, 10 * HOUR_S)),
    "wfp3": Ageing(wfp3),
    "unicef": Ageing(unicef),
    "fair-share": fair_share(7 * DAY_S),
    "drf": DRF,
}
BACKFILLS: Mapping[str, Backfill] = {
    "none": none,
    "greedy": greedy,
    "easy": easy,
    "conservative": conservative,
    "max-min": by_pairs,
}
PLACEMENTS: Mapping[str, Placer] = {
    "pack": PACK,
    "spread": SPREAD,
    "topology": TOPOLOGY,
    "contiguous": CONTIGUOUS,
    "first-fit": FIRST_FIT,
    "fragmentation": FRAGMENTATION,
    "efficient": EFFICIENT,
    "cheapest": CHEAPEST,
    "max-min": MAX_MIN,
}

PREEMPTIONS: Mapping[str, PreemptionKind] = {
    "none": PreemptionKind("Running gangs keep their chips until they end."),
    "priority": PreemptionKind(
        "Classes of higher priority take chips from lower ones: the lowest first, then where the least work is lost."
    ),
    "order": PreemptionKind("Who comes first in the order takes chips from who comes last in it."),
    "time-slice": PreemptionKind("As order, but only at the ends of time slices (Gandiva, OSDI 2018)."),
}

SCALINGS: Mapping[str, ScalingKind] = {
    "none": ScalingKind("Every gang keeps the size that it asks for."),
    "elastic": ScalingKind(
        "Malleable gangs start in the size that fits, shrink for who waits, and grow when nobody does."
    ),
}

AXES: Mapping[str, Mapping[str, object]] = {
    "order": ORDERS,
    "backfill": BACKFILLS,
    "placement": PLACEMENTS,
    "power": POWERS,
    "preemption": PREEMPTIONS,
    "scaling": SCALINGS,
}
DEFAULTS: Mapping[str, str] = {
    "order": "fifo",
    "backfill": "easy",
    "placement": "pack",
    "power": "reserve",
    "preemption": "none",
    "scaling": "none",
}


def about(policy: object) -> str:
    """The one line that a policy's docstring opens with."""
    if isinstance(policy, PowerPolicy | PreemptionKind | ScalingKind):
        return policy.about
    function = policy
    if isinstance(policy, Placer):
        if policy.about is not None:
            return policy.about
        function = policy.place
    elif isinstance(policy, ByTenant | Ageing):
        function = policy.share if isinstance(policy, ByTenant) else policy.value
    return (function.__doc__ or "").strip().splitlines()[0]
