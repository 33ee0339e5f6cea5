"""What each order costs relative to fifo: the year's fleet and mix over 36.5 days (100,000 jobs), 12 tenants, EASY.

At the year's 80 % load queues are short; at 110 % they grow to the end of the run, to thousands of jobs.
Run: python tests/benchmarks/orders.py [ORDER...]
"""

import json
import sys
import tempfile
from pathlib import Path

from measure import cpu_s, megawatt
from year import LOAD, MEDIAN_H, scenario

from policies.registry import ORDERS

DAYS, TENANTS, ROUNDS = 36.5, 12, 1
MORE = (
    f"    tenant: {{choice: {{{', '.join(f't{n}: {n}' for n in range(1, TENANTS + 1))}}}}}\n"
    "    deadline: {lognormal: {median: 2 days, sigma: 1}}\n"
)


def text(load: float) -> str:
    """The year's scenario at a load, with what the orders look at."""
    made = scenario(DAYS).replace(f"{round(MEDIAN_H, 4)} hours", f"{round(MEDIAN_H * load / LOAD, 4)} hours")
    return made.replace("policy: easy\n", MORE + "policy: easy\n")


if __name__ == "__main__":
    names = list(dict.fromkeys(["fifo", *(sys.argv[1:] or ORDERS)]))
    with tempfile.TemporaryDirectory() as folder:
        for load in (0.8, 1.1):
            print(f"  load {load:.0%}")
            fifo_s = 0.0
            for name in names:
                command = megawatt(text(load), Path(folder), "--policy", f"order={name}")
                used_s = min(cpu_s(command)[0] for _ in range(ROUNDS))
                fifo_s = fifo_s or used_s
                summary = json.loads((Path(folder) / "out/summary.json").read_text())
                jobs, most = summary["submitted_jobs"], summary["queue_max_jobs"]
                print(
                    f"  {name:15} {used_s:6.2f} s  {used_s / fifo_s:5.2f} times fifo   {jobs:8,} jobs, "
                    f"at most {most:6,.0f} waiting, mean wait {summary['wait_mean_s'] / 3600:6.2f} h",
                    flush=True,
                )
