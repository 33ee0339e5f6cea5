"""The presets: combinations of axes under one name. An axis that a preset does not name keeps its default."""

from collections.abc import Mapping
from typing import NamedTuple


class Preset(NamedTuple):
    """What a preset stands for, by axis, and where it comes from."""

    axes: Mapping[str, str]
    about: str


PRESETS: Mapping[str, Preset] = {
    "fifo": Preset({"order": "fifo", "backfill": "none"}, "First come, first served: the head blocks."),
    "fifo-skip": Preset({"order": "fifo", "backfill": "greedy"}, "Whoever fits starts, in order; the head can starve."),
    "sjf": Preset({"order": "sjf", "backfill": "none"}, "Shortest estimate first (Conway, Maxwell and Miller, 1967)."),
    "sjf-skip": Preset({"order": "sjf", "backfill": "greedy"}, "Shortest estimate first, and whoever fits starts."),
    "srtf": Preset(
        {"order": "srtf", "backfill": "greedy", "preemption": "order"},
        "Shortest remaining time first, running gangs included (Schrage, 1968).",
    ),
    "tiresias": Preset(
        {"order": "las", "backfill": "greedy", "preemption": "time-slice"},
        "Least attained service in queues, in time slices; knows no run times (Tiresias: Gu et al., NSDI 2019).",
    ),
    "easy": Preset({"order": "fifo", "backfill": "easy"}, "EASY backfilling (Lifka, JSSPP 1995)."),
    "easy-pack": Preset(
        {"order": "fifo", "backfill": "easy", "placement": "pack"}, "The defaults, spelled out: EASY and best fit."
    ),
    "sjf-easy": Preset({"order": "sjf", "backfill": "easy"}, "Shortest estimate first, with EASY backfilling."),
    "elastic": Preset(
        {"order": "fifo", "backfill": "easy", "scaling": "elastic"},
        "EASY, and malleable gangs in the size that the queue leaves them (Feitelson and Rudolph, JSSPP 1996).",
    ),
    "conservative": Preset(
        {"order": "fifo", "backfill": "conservative"},
        "A promise to each of the first who wait (Mu'alem and Feitelson, TPDS 2001).",
    ),
    "fair-share": Preset(
        {"order": "fair-share", "backfill": "easy"}, "Tenants by decayed usage, as Slurm and Maui do (JSSPP 2001)."
    ),
    "drf": Preset({"order": "drf", "backfill": "easy"}, "Dominant resource fairness (Ghodsi et al., NSDI 2011)."),
    "wfp3": Preset({"order": "wfp3", "backfill": "easy"}, "Age against size (Tang et al., Cluster 2009)."),
    "unicef": Preset({"order": "unicef", "backfill": "easy"}, "Small jobs quickly (Tang et al., Cluster 2009)."),
    "gavel": Preset(
        {"backfill": "max-min", "preemption": "time-slice"},
        "Max-min fair shares of time over unlike accelerators, in rounds (Gavel: Narayanan et al., OSDI 2020).",
    ),
    "tokens-per-watt": Preset(
        {"order": "fifo", "backfill": "easy", "placement": "efficient"},
        "Work goes first where it adds the fewest joules; EASY.",
    ),
    "carbon-aware": Preset(
        {"order": "fifo", "backfill": "easy", "power": "defer"},
        "EASY, and jobs wait up to a day for the cleaner half of the time (Wiesner et al., Middleware 2021).",
    ),
    "cost-per-token": Preset(
        {"order": "fifo", "backfill": "easy", "placement": "cheapest"},
        "Work goes first where it is the cheapest to rent; EASY.",
    ),
}
