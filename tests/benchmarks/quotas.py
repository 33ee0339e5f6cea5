"""What quotas and reclaim cost: the year's fleet and mix over 12 days, 12 tenants in three cohorts, against no quotas.

Run: python tests/benchmarks/quotas.py [BACKFILL...]
"""

import json
import sys
import tempfile
from pathlib import Path

from measure import cpu_s, megawatt
from orders import TENANTS, text

DAYS, CHIPS = 12, 4096  # of each pool


def quotas(reclaim: str) -> str:
    """Quotas in the ratio of the tenants' jobs that add up to the fleet, each with a tenth of a pool to borrow."""
    entries = ["tenants:"]
    for n in range(1, TENANTS + 1):
        chips = 2 * n * CHIPS // (TENANTS * (TENANTS + 1))
        pools = f"{{east: {chips}, west: {chips}}}"
        entries.append(
            f"  - {{tenant: t{n}, cohort: c{n % 3}, quota: {pools}, borrow: {CHIPS // 10}, reclaim: {reclaim}}}"
        )
    return "\n".join(entries) + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for load in (0.8, 1.1):
            without = text(load).replace("horizon: 36.5 days", f"horizon: {DAYS} days")
            for backfill in sys.argv[1:] or ["none", "greedy", "easy"]:
                used_s = []
                for scenario in (without, without + quotas("never"), without + quotas("any")):
                    command = megawatt(scenario, Path(folder), "--policy", f"backfill={backfill}")
                    used_s.append(min(cpu_s(command)[0] for _ in range(2)))
                summary = json.loads((Path(folder) / "out/summary.json").read_text())
                print(
                    f"  load {load:.0%}  {backfill:8} {used_s[0]:6.2f} s, with quotas {used_s[1]:6.2f} s, "
                    f"{used_s[1] / used_s[0]:5.2f} times   with reclaim {used_s[2] / used_s[0]:5.2f} times, "
                    f"{summary['reclaims']:6,.0f} stops, at most {summary['queue_max_jobs']:6,.0f} waiting",
                    flush=True,
                )
