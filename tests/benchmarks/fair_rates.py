"""Time of the fair rates of 2,000 flows over 8 of 10,000 links each: python tests/benchmarks/fair_rates.py.

Once with links anywhere, once in 100 parts that share no link; all flows at once, and after a change of one flow.
"""

import time
from collections.abc import Callable

import numpy as np

from topologies.fair_share import connected_flows, fair_rates, refreshed_rates

FLOWS, HOPS, LINKS, PARTS, TIMES = 2_000, 8, 10_000, 100, 50


def median_ms(call: Callable[[], object]) -> float:
    taken_s = []
    for _ in range(TIMES):
        before_s = time.perf_counter()
        call()
        taken_s.append(time.perf_counter() - before_s)
    return 1e3 * float(np.median(taken_s))


def main() -> None:
    rng = np.random.default_rng(1)
    offsets = np.arange(FLOWS + 1) * HOPS
    capacities = rng.uniform(1, 100, LINKS)
    own = rng.integers(0, LINKS // PARTS, (FLOWS, HOPS))
    part = np.repeat(np.arange(PARTS), FLOWS // PARTS)[:, None]
    cases = {"anywhere": rng.integers(0, LINKS, FLOWS * HOPS), "in parts": (part * (LINKS // PARTS) + own).ravel()}
    for name, links in cases.items():
        rates, touched = fair_rates(offsets, links, capacities), links[:HOPS]
        all_ms = median_ms(lambda links=links: fair_rates(offsets, links, capacities))
        again_ms = median_ms(
            lambda rates=rates, touched=touched, links=links: refreshed_rates(
                rates, touched, offsets, links, capacities
            )
        )
        moved = connected_flows(offsets, links, LINKS, touched).sum()
        print(f"{name}: all {all_ms:.2f} ms; one flow changed {again_ms:.2f} ms, {moved} flows moved")


if __name__ == "__main__":
    main()
