"""Time of one flow that goes and comes back among others that share links: python tests/benchmarks/shares.py.

Once with room for all demands, and once with 300 flows over 200 links of which a third are full; beside it, the time of
the fair rates of all flows at once.
"""

import random
import time

import numpy as np

from topologies.fair_share import fair_rates
from topologies.shares import Shares

FLOWS, LINKS, TIMES = 300, 200, 500
Flow = tuple[tuple[int, ...], float, float]


def flows_over(rng: random.Random, fewest: int, most: int) -> list[Flow]:
    """Each over so many links, with weight and demand."""
    return [
        (
            tuple(rng.sample(range(LINKS), rng.randint(fewest, most))),
            rng.choice([1.0, 2.0, 4.0]),
            rng.uniform(1e9, 1e11),
        )
        for _ in range(FLOWS)
    ]


def again_us(shares: Shares, flows: list[Flow], rng: random.Random) -> list[float]:
    """Times of a removal and an addition of the same flow [us]."""
    taken_us = []
    for flow in rng.choices(range(FLOWS), k=TIMES):
        before_s = time.perf_counter()
        shares.remove(flow)
        shares.add(flow, *flows[flow])
        taken_us.append(1e6 * (time.perf_counter() - before_s))
    return taken_us


def filled(capacities: list[float], flows: list[Flow]) -> Shares:
    shares = Shares(capacities)
    for flow, (links, weight, demand) in enumerate(flows):
        shares.add(flow, links, weight, demand)
    return shares


def at_once_us(capacities: list[float], flows: list[Flow]) -> float:
    """Median time of all rates at once [us]."""
    offsets = np.cumsum([0, *(len(links) for links, _, _ in flows)])
    links = np.array([link for links, _, _ in flows for link in links])
    weights, demands = np.array([flow[1] for flow in flows]), np.array([flow[2] for flow in flows])
    taken_us = []
    for _ in range(TIMES // 10):
        before_s = time.perf_counter()
        fair_rates(offsets, links, np.array(capacities), weights, demands)
        taken_us.append(1e6 * (time.perf_counter() - before_s))
    return float(np.median(taken_us))


def main() -> None:
    rng = random.Random(1)
    for links in (4, 8, 16):
        flows = flows_over(rng, links, links)
        taken_us = again_us(filled([1e15] * LINKS, flows), flows, rng)
        print(f"room for all, {links:2d} links a flow: median {np.median(taken_us):.1f} us for both")
    for most in (8, 30):
        flows = flows_over(rng, 2, most)
        loads = [sum(demand for links, _, demand in flows if link in links) for link in range(LINKS)]
        part = [rng.uniform(0.5, 0.9) if link % 3 == 0 else 1.5 for link in range(LINKS)]
        capacities = [1e9 + load * of for load, of in zip(loads, part, strict=True)]
        taken_us = again_us(filled(capacities, flows), flows, rng)
        print(
            f"a third full, 2 to {most:2d} links a flow: median {np.median(taken_us):.0f} us, mean"
            f" {np.mean(taken_us):.0f} us for both; all at once {at_once_us(capacities, flows):.0f} us"
        )


if __name__ == "__main__":
    main()
