"""The sizes in which the gangs of a malleable class may run: the one asked for, halved and doubled."""

from topologies.plant import Admit, Plant, Prefer, Shape


def sizes_of(
    plant: Plant, job_class: int, asked: Shape, portable: bool, admit: Admit, prefer: Prefer | None
) -> tuple[Shape, ...]:
    """The shapes of a gang by rising size, the asked one among them; that one alone where its class is not malleable.

    A gang of n chips for which c were asked works n/c e^log2(n/c) times as fast, e the efficiency of a doubling, unless
    the step of a training under a network says how fast it is. Sizes in which it cannot run are left out, and pools
    in which it could not run in the size that it asks for.
    """
    plan = plant.plans[job_class]
    keys = plan.malleable
    if keys is None:
        return (asked,)
    found = [asked]
    for chips, doublings in _others(asked.chips, keys.least, keys.most):
        shape = plant.shape(job_class, chips, portable, admit, prefer)
        if isinstance(shape, str):
            continue
        slower = 1.0
        if not (plan.per_gang and plant.network is not None):
            slower = keys.efficiency**-doublings * (1.0 if plan.per_gang else asked.chips / chips)
        pools = tuple([pool for pool in shape.pools if pool in asked.pools])
        pace_s = tuple([shape.pace_in(pool) * slower for pool in pools])
        draw_nw = tuple([shape.gang_nw(pool) // chips for pool in pools])
        found.append(asked.in_size(pools, chips, pace_s, draw_nw))
    return tuple(sorted([shape for shape in found if shape.pools], key=lambda shape: shape.chips))


def _others(asked: int, least: int, most: int) -> list[tuple[int, int]]:
    """The other sizes within bounds, and how often the asked one is doubled for each."""
    found, chips, doublings = [], asked, 0
    while chips % 2 == 0 and chips // 2 >= least:
        chips, doublings = chips // 2, doublings - 1
        found.append((chips, doublings))
    chips, doublings = asked * 2, 1
    while chips <= most:
        found.append((chips, doublings))
        chips, doublings = chips * 2, doublings + 1
    return found
