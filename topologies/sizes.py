"""The sizes in which the gangs of a malleable class may run: the one asked for, halved and doubled."""

from collections.abc import Sequence

from topologies.plant import Admit, Plant, Prefer, Shape

NO_SIZE = "its class may not have its size, nor that halved or doubled in a way that it can run"


def sizes_of(
    plant: Plant, job_class: int, asked: Shape, portable: bool, admit: Admit, prefer: Prefer | None
) -> tuple[Shape, ...]:
    """The shapes of a gang by rising size; the asked one alone where its class is not malleable.

    All lie within the class's bounds: the asked one is among them where it does, and there may be none.

    A gang of n chips for which c were asked works n/c e^log2(n/c) times as fast, e the efficiency of a doubling, unless
    the step of a training under a network says how fast it is. Sizes in which it cannot run are left out, and pools
    in which it could not run in the size that it asks for.
    """
    plan = plant.plans[job_class]
    keys = plan.malleable
    if keys is None:
        return (asked,)
    found = [asked] if keys.least <= asked.chips <= keys.most else []
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


def nearest(sizes: Sequence[Shape], chips: int) -> Shape:
    """The size in which a gang that asks for so many chips is to start: the smallest that has them, else the largest.

    sizes: as sizes_of has them, at least one.
    """
    return next((shape for shape in sizes if shape.chips >= chips), sizes[-1])


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
    return [size for size in found if least <= size[0] <= most]
