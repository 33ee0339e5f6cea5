"""What the racks of a run cost to rent: the price of a chip-hour, from delivery to the end, used or not.

A rental price includes the lessor's electricity and building, so that nothing of a site is added to it.
"""

import math

from topologies.plant import Plant


def rental_metrics(plant: Plant, warmup_s: float, end_s: float, tokens: float | None) -> dict[str, float]:
    """rental_usd after the warmup, and usd_per_million_tokens; empty where a pool has no price.

    tokens: trained after the warmup; None where nothing trains.
    """
    cost_usd = []
    for pool, rack_chips in zip(plant.pools, plant.rack_chips, strict=True):
        if not pool.powered or pool.rental_usd_per_s is None or end_s <= warmup_s:  # plain processors have no price
            return {}
        for time_s, racks in pool.deliveries:
            rented_s = max(0.0, end_s - max(time_s, warmup_s))
            cost_usd.append(racks * rack_chips * rented_s * pool.rental_usd_per_s)
    metrics = {"rental_usd": math.fsum(cost_usd)}
    return metrics | ({"usd_per_million_tokens": 1e6 * metrics["rental_usd"] / tokens} if tokens else {})
