"""How many GPUs placements allocate on dgx-h100 nodes, over mixes of 1, 2, 4, 8 and 16 GPUs.

Filling: gangs are drawn and placed where they fit, and none ends, until they have asked for all GPUs (the experiment of
Weng et al., USENIX ATC 2023). Fifo: 1.6 times the load that fits, over 60 days, first in first out. Waiting: gangs of
1 to 8 are 70 % of the GPUs and go first, and gangs of 16 wait for what is left.
The mixes (many singles, as many gangs of each size, few singles) were chosen by runs with other seeds.

Run: python tests/benchmarks/fragments.py
"""

import json
import math
import random
import statistics
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from measure import megawatt

from policies.order import fifo
from policies.queue import Queue, QueuedJob
from policies.registry import PLACEMENTS
from policies.view import Release, View
from topologies.free import FreeChips
from topologies.headroom import Headroom
from topologies.plant import Shape

NAMES = ("first-fit", "pack", "fragmentation")
NODES, GPUS = 64, 8
MIXES = {
    "many singles": {1: 0.4, 2: 0.2, 4: 0.15, 8: 0.15, 16: 0.1},
    "equal": {1: 0.2, 2: 0.2, 4: 0.2, 8: 0.2, 16: 0.2},
    "few singles": {1: 0.1, 2: 0.2, 4: 0.3, 8: 0.3, 16: 0.1},
}
SEEDS = range(100, 112)
STUDENT = 2.201  # 95 %, of eleven degrees of freedom
MEAN_H = 4 * math.exp(0.5)
SCENARIO = f"""
name: saturated
horizon: 60 days
warmup: 5 days
fleet: [{{pool: h100, rack: dgx-h100, count: {NODES}}}]
workload:
"""


def filled(name: str, mix: Mapping[int, float], seed: int) -> float:
    """The share of GPUs allocated when as many have been asked for as there are."""
    draw, placer = random.Random(seed), PLACEMENTS[name]
    free, running, waiting, asked = FreeChips(NODES, GPUS), [], Queue(fifo), 0
    while asked < NODES * GPUS:
        chips = draw.choices(list(mix), list(mix.values()))[0]
        asked += chips
        job = QueuedJob(asked, Shape((0,), chips, (1.0,), (0,)), 0.0, 1.0)
        view = View(0.0, waiting, [free], Headroom(None, ()), [running])
        place = placer.place if placer.seeing is None else placer.seeing(view).place
        found = place(free, chips, 0)
        if found is None:
            waiting.add(job)
        else:
            free.take(found)
            running.append(Release(1.0, asked, chips, found, 0, 0))
    return 1 - free.free / (NODES * GPUS)


def of_class(name: str, mix: Mapping[int, float], load: float, rank: int) -> str:
    """A class of the workload whose gangs are of a mix and ask for a share of all GPUs."""
    mean = sum([chips * part for chips, part in mix.items()]) / sum(mix.values())
    per_hour = load * NODES * GPUS / (mean * MEAN_H)
    return (
        f"  - {{class: {name}, kind: synthetic, priority: {rank}, chips: {{choice: {dict(mix)}}},\n"
        "     duration: {lognormal: {median: 4 hours, sigma: 1}}, "
        f"arrivals: {{per_hour: {per_hour}}}}}\n"
    )


def saturated(name: str, mix: Mapping[int, float], setup: str, seed: int, folder: Path) -> float:
    """The utilization of a run whose queue never ends."""
    small = {chips: part for chips, part in mix.items() if chips <= GPUS}
    workload, axes = {
        "fifo": (of_class("mixed", mix, 1.6, 0), "order=fifo,backfill=none"),
        "waiting": (
            of_class("small", small, 0.7, 1) + of_class("sixteen", {16: 1}, 0.6, 0),
            "order=priority,backfill=greedy",
        ),
    }[setup]
    words = ["--quiet", "--seed", str(seed), "--policy", f"{axes},placement={name}"]
    subprocess.run(megawatt(SCENARIO + workload, folder, *words), check=True, stdout=subprocess.DEVNULL)
    summary: dict[str, float] = json.loads((folder / "out/summary.json").read_text())
    return summary["utilization_fraction"]


def print_row(what: str, shares: Mapping[str, list[float]]) -> None:
    """Mean shares, and what fragmentation allocates more than the others, by pairs of runs of a seed."""
    print(f"  {what:24}", *[f"{name} {100 * statistics.mean(of):.2f} %  " for name, of in shares.items()], end="")
    for other in NAMES[:-1]:
        more = [100 * (ours - theirs) for ours, theirs in zip(shares["fragmentation"], shares[other], strict=True)]
        wide = STUDENT * statistics.stdev(more) / math.sqrt(len(more))
        print(f"  {statistics.mean(more):+.2f} +- {wide:.2f} on {other}", end="")
    print(flush=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for label, mix in MIXES.items():
            print_row(f"{label}, filling", {name: [filled(name, mix, seed) for seed in SEEDS] for name in NAMES})
            for setup in ("fifo", "waiting"):
                runs = {name: [saturated(name, mix, setup, seed, Path(folder)) for seed in SEEDS] for name in NAMES}
                print_row(f"{label}, {setup}", runs)
