"""How often the 95 % intervals of small sweeps contain the truth: the mean wait of M/M/4 at 50 % load, by Erlang C.

2,000 sweeps of 10 replications each, the seeds from 1 on, none used twice. What was chosen before the first run: a run
drops its first 2 hours, 40 times the 175 s in which the queue forgets that it began empty, the relaxation time
1 / (c mu (1 - sqrt(rho))^2), and then counts about 2,000 jobs, so that the mean of a run is little skewed (single waits
have a skewness of 5). Runs end with their last job, so that no wait is cut off. The interval is that of
the sweeps, from the metric of the summary. By chance alone the figure of 2,000 sweeps has a standard error of 0.5 %;
93.5 to 96.5 % are asked for. 20 minutes on one core.
Run: nice python tests/benchmarks/coverage.py [SWEEPS [PROCESSES]]
"""

import math
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from pathlib import Path

from outputs.metrics import measure
from outputs.statistics import Estimate, estimate, mean
from policies.policy import Policy
from scenarios.load import Scenario
from sim.run import prepare
from sim.simulation import simulate
from topologies.plant import Plant

SWEEPS, REPLICATIONS, CONFIDENCE = 2000, 10, 0.95
SERVERS, LOAD, SERVICE_S = 4, 2.0, 60.0
WARMUP_H, JOBS = 2, 2240
PER_HOUR = LOAD * 3600 / SERVICE_S

TEXT = f"""
name: coverage
horizon: until-done
warmup: {WARMUP_H} hours
fleet: [{{pool: servers, rack: plain, chips: {SERVERS}}}]
workload:
  - class: c
    kind: synthetic
    chips: 1
    duration: {{exponential: {{mean: {SERVICE_S} s}}}}
    arrivals: {{per_hour: {PER_HOUR}}}
    jobs: {JOBS}
policy: fifo
"""


def erlang_c_wait_s() -> float:
    """Mean wait of M/M/c [s]. Source: Erlang 1917; Kleinrock, Queueing Systems I, 1975, 3.5."""
    tail = LOAD**SERVERS / math.factorial(SERVERS) / (1 - LOAD / SERVERS)
    waits = tail / (sum(LOAD**k / math.factorial(k) for k in range(SERVERS)) + tail)
    return waits * SERVICE_S / (SERVERS - LOAD)


@cache
def prepared(path: Path) -> tuple[Scenario, Plant, Policy]:
    """The scenario, read once a process."""
    return prepare(path)


def one_sweep(path: Path, number: int) -> Sequence[float]:
    """The mean waits of a sweep's replications [s]."""
    scenario, plant, policy = prepared(path)
    seeds = range(number * REPLICATIONS + 1, (number + 1) * REPLICATIONS + 1)
    return [measure(simulate(scenario, plant, policy, seed), plant, scenario).summary["wait_mean_s"] for seed in seeds]


def contains(found: Estimate, truth: float) -> bool:
    """Whether the interval holds the truth."""
    return found.low is not None and found.high is not None and found.low <= truth <= found.high


def skewness(values: Sequence[float]) -> float:
    """Third standardised moment [1]."""
    centre = mean(values)
    second, third = (math.fsum((value - centre) ** power for value in values) / len(values) for power in (2, 3))
    return third / second**1.5


def main(sweeps: int, processes: int) -> None:
    """Print the coverage, and what the runs were like."""
    truth = erlang_c_wait_s()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "coverage.yaml"
        path.write_text(TEXT)
        with ProcessPoolExecutor(processes) as pool:
            waits = list(pool.map(partial(one_sweep, path), range(sweeps), chunksize=10))
    found = [estimate(values, CONFIDENCE) for values in waits]
    every = [wait for values in waits for wait in values]
    overall = estimate(every, CONFIDENCE)
    hits = sum(contains(interval, truth) for interval in found)
    half_s = mean([interval.half_width for interval in found if interval.half_width is not None])
    share, error = hits / sweeps, math.sqrt(CONFIDENCE * (1 - CONFIDENCE) / sweeps)
    print(f"  {share:.2%} of {sweeps:,} intervals of {REPLICATIONS} runs contain the mean wait (+- {error:.2%})")
    low = sum(interval.high is not None and interval.high < truth for interval in found)
    print(f"  {low} lie below it, {sweeps - hits - low} above; half-width {half_s:.3f} s on average")
    print(f"  Erlang C {truth:.4f} s, mean of all runs {overall.mean:.4f} +- {overall.half_width:.4f} s")
    print(f"  skewness of the mean wait of a run {skewness(every):.2f}")


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:]]
    main(*(words + [SWEEPS, 1][len(words) :]))
