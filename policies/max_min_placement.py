"""Placement by max-min fair shares of time: which pool a gang goes to follows from what gangs like it are due there.

Source: as policies/max_min.py; the paper's priorities, share of time due over share had, here of the gangs of one shape
at an instant: pools in which the fewest of those run that are due there come first. All pools stay allowed: chips that
nobody else wants now are used, and a gang that does not fit anywhere goes on not fitting until chips are released.
"""

import math
from collections.abc import Iterable, Sequence

from policies.placement import PACK, Placer, pack, pack_smallest_part
from policies.view import Start, View
from topologies.free import FreeChips
from topologies.plant import Shape


def seeing(view: View) -> Placer:
    """The placement in view of the gangs that run and wait; without the books of their shares, pack."""
    books = view.shares
    if books is None:
        return PACK

    def pools(shape: Shape, free: Sequence[FreeChips], starts: Sequence[Start]) -> Iterable[tuple[int, int]]:
        pairs = tuple(zip(shape.pools, shape.draw_nw, strict=True))
        if sum([free[pool].free >= shape.chips for pool in shape.pools]) < 2:
            return pairs  # there is no choice
        due, here = books.due_of(shape, view), books.running_of(shape)
        for job, pool, _ in starts:
            if job.shape is shape:
                here[pool] += 1

        def over_due(pair: tuple[int, int]) -> tuple[float, float]:
            pool, _ = pair
            if due[pool] <= 0:
                return 0.0, 0.0
            return -due[pool] / here[pool] if here[pool] else -math.inf, -due[pool]

        return sorted(pairs, key=over_due)

    return Placer(pack, pack_smallest_part, pools=pools, spans=True)


MAX_MIN = PACK._replace(
    seeing=seeing,
    about="As pack, in the pool that is due the most gangs like it for those that run there, by max-min fair shares.",
)
