"""What max-min shares of time cost relative to fifo: the year's fleet and mix over nine days (25,000 jobs).

At 110 % load the programs bind, and every round stops most gangs. tiresias takes the same machinery of stops.
Run: python tests/benchmarks/max_min.py [POLICY...]
"""

import json
import sys
import tempfile
from pathlib import Path

from measure import cpu_s, megawatt
from year import LOAD, MEDIAN_H, scenario

DAYS = 9
POLICIES = ("fifo", "fifo-skip", "fifo-skip,placement=max-min", "fifo-skip,backfill=max-min", "tiresias", "gavel")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for load in (0.8, 1.1):
            print(f"  load {load:.0%}")
            text = scenario(DAYS).replace(f"{round(MEDIAN_H, 4)} hours", f"{round(MEDIAN_H * load / LOAD, 4)} hours")
            fifo_s = 0.0
            for name in dict.fromkeys(["fifo", *(sys.argv[1:] or POLICIES)]):
                used_s = cpu_s(megawatt(text, Path(folder), "--policy", name))[0]
                fifo_s = fifo_s or used_s
                summary = json.loads((Path(folder) / "out/summary.json").read_text())
                jobs, stops = summary["submitted_jobs"], summary.get("preemptions", 0)
                print(
                    f"  {name:28} {used_s:6.2f} s  {used_s / fifo_s:5.2f} times fifo   {jobs:7,} jobs, at most "
                    f"{summary['queue_max_jobs']:5,.0f} waiting, {stops:7,.0f} stops",
                    flush=True,
                )
