"""The million-job year under a cap that always binds: all caps change at every start and end, against no cap.

About 2,000 gangs run at a time. The cap is 93 % of what they would draw, so speeds change some 2 million times.
Run: python tests/benchmarks/throttle.py [days]
"""

import sys
import tempfile
from pathlib import Path

from measure import megawatt, ratio

# Mean gang 2.9 chips, mean run time 17.6 h, one job every 31.5 s: 2,000 gangs on 5,800 of 8,192 chips.
SCENARIO = """
name: throttle
horizon: {days} days
{site}
fleet: [{{pool: east, rack: dgx-h100, count: 512}}, {{pool: west, rack: dgx-h100, count: 512}}]
workload:
  - class: mixed
    kind: synthetic
    chips: {{choice: {{1: 0.6, 2: 0.14, 4: 0.14, 8: 0.1, 16: 0.015, 32: 0.004, 64: 0.001}}}}
    duration: {{lognormal: {{median: 10.65 hours, sigma: 1}}}}
    arrivals: {{per_hour: 114.155}}
    estimate: {{factor: {{uniform: [1, 3]}}}}
policy: {{preset: easy, power: {power}}}
"""
CAP = "site: {feed: 6.15 MW}"


def command(days: float, site: str, power: str, folder: Path) -> list[str]:
    """The run of the year with a site and a power policy."""
    folder.mkdir()
    return megawatt(SCENARIO.format(days=days, site=site, power=power), folder)


if __name__ == "__main__":
    days = float(sys.argv[1]) if len(sys.argv) > 1 else 365.0
    with tempfile.TemporaryDirectory() as name:
        bare = command(days, "", "reserve", Path(name) / "none")
        for power in ("throttle", "water-fill"):
            print(power)
            ratio(command(days, CAP, power, Path(name) / power), bare, rounds=2, yardstick="no cap")
