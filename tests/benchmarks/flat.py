"""Cost per job over 3, 36 and 365 days of the same fleet and arrival rate, start-up subtracted.

Run: python tests/benchmarks/flat.py
"""

import json
import tempfile
from pathlib import Path

from measure import cpu_s, megawatt
from year import scenario

ROUNDS = 3

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        start_up_s = min(cpu_s(megawatt(scenario(0.0001), Path(folder)))[0] for _ in range(ROUNDS))
        print(f"  start-up {start_up_s:.2f} s")
        costs = []
        for days in (3, 36, 365):
            runs = ROUNDS if days < 365 else 1
            used_s = min(cpu_s(megawatt(scenario(days), Path(folder)))[0] for _ in range(runs)) - start_up_s
            jobs = json.loads((Path(folder) / "out/summary.json").read_text())["submitted_jobs"]
            costs.append(used_s / jobs * 1e6)
            print(f"  {days:4d} days  {jobs:9,} jobs  {costs[-1]:6.1f} us a job")
        print(f"  largest over smallest {max(costs) / min(costs):.2f}")
