"""The yardstick of year.py: bare SimPy with one process and one timeout a job, no queue, no record."""

import sys

import numpy as np
import simpy


def main(jobs: int) -> None:
    env = simpy.Environment()
    rng = np.random.default_rng(0)

    def job(run_s):
        yield env.timeout(run_s)

    def arrivals():
        gaps, runs = rng.exponential(31.5, jobs), rng.lognormal(10.4, 1, jobs)
        for gap_s, run_s in zip(gaps.tolist(), runs.tolist(), strict=True):
            yield env.timeout(gap_s)
            env.process(job(run_s))

    env.process(arrivals())
    env.run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
