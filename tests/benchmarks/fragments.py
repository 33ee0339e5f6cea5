"""How many GPUs placements allocate on dgx-h100 nodes, over a mix of 1, 2, 4, 8 and 16 GPUs.

Filling: gangs are drawn and placed where they fit, and none ends, until they have asked for all GPUs (the experiment of
Weng et al., USENIX ATC 2023). Saturated: 1.6 times the load that fits, over 60 days, first in first out.

Run: python tests/benchmarks/fragments.py
"""

import json
import random
import statistics
import subprocess
import tempfile
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
MIX = {1: 0.4, 2: 0.2, 4: 0.15, 8: 0.15, 16: 0.1}
SEEDS = range(4)
SCENARIO = f"""
name: saturated
horizon: 60 days
warmup: 5 days
fleet: [{{pool: h100, rack: dgx-h100, count: {NODES}}}]
workload:
  - {{class: mixed, kind: synthetic, chips: {{choice: {MIX}}}, duration: {{lognormal: {{median: 4 hours, sigma: 1}}}},
     arrivals: {{per_hour: 30}}}}
"""


def filled(name: str, seed: int) -> float:
    """The share of GPUs allocated when as many have been asked for as there are."""
    draw, placer = random.Random(seed), PLACEMENTS[name]
    free, running, waiting, asked = FreeChips(NODES, GPUS), [], Queue(fifo), 0
    while asked < NODES * GPUS:
        chips = draw.choices(list(MIX), list(MIX.values()))[0]
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


def saturated(name: str, seed: int, folder: Path) -> float:
    """The utilization of a run whose queue never ends."""
    words = ["--quiet", "--seed", str(seed), "--policy", f"backfill=none,placement={name}"]
    subprocess.run(megawatt(SCENARIO, folder, *words), check=True, stdout=subprocess.DEVNULL)
    summary: dict[str, float] = json.loads((folder / "out/summary.json").read_text())
    return summary["utilization_fraction"]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            mean = statistics.mean([filled(name, seed) for seed in range(200)])
            runs = [saturated(name, seed, Path(folder)) for seed in SEEDS]
            each = ", ".join([f"{run:.4f}" for run in runs])
            print(f"  {name:14}  filling {mean:.4f}   saturated {statistics.mean(runs):.4f} ({each})")
