"""Sweeps: how much faster two workers are than one, what the parent process needs, and what pairing gains.

Run: python tests/benchmarks/sweeps.py [speed|memory|pairing]
"""

import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from outputs.comparison import comparison_frame
from outputs.sweep_folder import sweep_of
from scenarios.design import axis
from scenarios.sweep_file import Asked, policies_axis
from sim.planning import plan
from sim.runs import Place, Progress
from sim.sweep import sweep
from sim.workers import Workers

LARGE = """
name: large
horizon: 60 days
fleet: [{pool: gpu, rack: dgx-h100, count: 1024}]
workload:
  - class: mixed
    kind: synthetic
    chips: {choice: {1: 0.6, 2: 0.14, 4: 0.14, 8: 0.1, 16: 0.015, 32: 0.004, 64: 0.001}}
    duration: {lognormal: {median: 4 hours, sigma: 1}}
    arrivals: {per_hour: 150}
    estimate: {factor: {uniform: [1, 3]}}
"""
SMALL = """
name: small
horizon: 4 days
fleet: [{pool: cpus, rack: plain, chips: 4}]
workload:
  - {class: w, kind: synthetic, chips: 1, duration: {exponential: {mean: 1 hour}}, arrivals: {per_hour: 3}}
"""


def run(text: str, asked: dict[str, object], jobs: int, folder: Path) -> Path:
    """Sweep a scenario text with so many workers."""
    folder.mkdir()
    path = folder / "scenario.yaml"
    path.write_text(text)
    planned = plan(Asked(path, **asked), print)  # type: ignore[arg-type]
    return sweep(planned, partial(Workers, jobs), Place(folder / "sweep"), lambda _: None, Progress())


def speed(folder: Path) -> None:
    """Wall time of 32 runs with one worker over that with two."""
    took_s = {}
    for jobs in (1, 2):
        began = time.monotonic()
        run(LARGE, {"replications": 32}, jobs, folder / f"{jobs}-{len(took_s)}-{began}")
        took_s[jobs] = min(time.monotonic() - began, took_s.get(jobs, float("inf")))
        print(f"{jobs} workers: {time.monotonic() - began:.1f} s, {32 / (time.monotonic() - began):.3f} runs/s")
    print(f"two workers do {took_s[1] / took_s[2]:.2f} times the runs of one")


def memory(folder: Path) -> None:
    """Largest resident set of the parent process over 10,000 runs."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    axes = (axis("workload.w.arrivals.per_hour", "1..3:0.02", ""),)
    began = time.monotonic()
    done = run(SMALL, {"axes": axes, "replications": 100}, 2, folder / "memory")
    runs = sweep_of(done).runs.height
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{runs:,} runs in {time.monotonic() - began:.0f} s: {after:.0f} MiB, {before:.0f} MiB before the first")


def pairing(folder: Path) -> None:
    """Half-widths of the difference of two policies, unpaired over paired."""
    axes = (policies_axis(["fifo", "easy", "sjf-easy"], ""),)
    done = run(
        LARGE.replace("per_hour: 150", "per_hour: 400").replace("60 days", "15 days"),
        {"axes": axes, "replications": 10},
        2,
        folder / "pairs",
    )
    frame = comparison_frame(sweep_of(done))
    for metric in ("wait_mean_s", "jct_mean_s", "utilization_fraction", "bounded_slowdown_mean_ratio"):
        for row in frame.filter(frame["metric"] == metric).iter_rows(named=True):
            if row["difference_half_width"]:
                gain = row["unpaired_half_width"] / row["difference_half_width"]
                print(f"{metric}, {row['policy']}: {row['difference']:+.4g}, unpaired over paired interval {gain:.1f}")


def main(parts: Sequence[str]) -> None:
    """Measure the parts that are named, or all."""
    with tempfile.TemporaryDirectory() as name:
        for part in parts or ("speed", "memory", "pairing"):
            print(part)
            {"speed": speed, "memory": memory, "pairing": pairing}[part](Path(name))


if __name__ == "__main__":
    main(sys.argv[1:])
