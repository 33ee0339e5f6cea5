"""Which of the pools that may run a gang it tries first; the others are tried after it, in the order of the fleet."""

from topologies.plant import Plant
from topologies.power import NW_PER_W


def energy(plant: Plant, job_class: int, pool: int, chips: int) -> float:
    """What a unit of work adds to the draw at the racks' inputs [J]: idle chips draw their part anyway."""
    added_w = plant.plans[job_class].draw_nw[pool] / NW_PER_W
    return chips * added_w * plant.planned_pace_s(job_class, pool, chips)


def rental(plant: Plant, job_class: int, pool: int, chips: int) -> float:
    """What the chips of a unit of work cost to rent [USD]; where no price is known more than any price."""
    price = plant.pools[pool].rental_usd_per_s
    return float("inf") if price is None else chips * price * plant.planned_pace_s(job_class, pool, chips)
