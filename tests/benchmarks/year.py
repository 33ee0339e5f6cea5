"""A million jobs over a year on 8,192 chips in two pools at 80 % load, EASY and pack, against bare SimPy.

Run: python tests/benchmarks/year.py
"""

import sys
import tempfile
from pathlib import Path

from measure import HERE, megawatt, ratio

JOBS = 1_000_000
# Mean gang 6.8 chips, mean run time 8.6 h, one job every 31.5 s: 6,590 of 8,192 chips.
SCENARIO = """
name: year
horizon: {days} days
fleet: [{{pool: east, rack: dgx-h100, count: 512}}, {{pool: west, rack: dgx-h100, count: 512}}]
workload:
  - class: mixed
    kind: synthetic
    chips: {{choice: {{1: 0.5, 2: 0.12, 4: 0.12, 8: 0.17, 16: 0.05, 32: 0.025, 64: 0.01, 128: 0.005}}}}
    duration: {{lognormal: {{median: {median} hours, sigma: 1}}}}
    arrivals: {{per_hour: {per_hour}}}
    estimate: {{factor: {{uniform: [1, 3]}}}}
policy: easy
"""
MEAN_CHIPS = 0.5 + 0.24 + 0.48 + 1.36 + 0.8 + 0.8 + 0.64 + 0.64
PER_HOUR = JOBS / (365 * 24)
LOAD = 0.8
MEDIAN_H = LOAD * 8192 / PER_HOUR / MEAN_CHIPS / 1.6487  # the mean of a lognormal is exp(sigma^2 / 2) medians


def scenario(days: float) -> str:
    """The fleet and the arrival rate of the year, over so many days."""
    return SCENARIO.format(days=days, median=round(MEDIAN_H, 4), per_hour=round(PER_HOUR, 4))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        ratio(megawatt(scenario(365), Path(folder)), [sys.executable, str(HERE / "bare_year.py"), str(JOBS)], rounds=3)
