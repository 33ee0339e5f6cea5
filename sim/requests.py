"""What jobs ask for: the shape of each class, size and tenant, worked out once, or why no pool could ever hold it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from policies.policy import Policy, never_starts
from policies.queue import Sizes
from policies.quotas import Quotas
from scenarios.contract import SiteSteps
from topologies.plant import Plant, Shape
from topologies.power import NW_PER_W
from topologies.sizes import NO_SIZE, nearest, sizes_of

Asked = tuple[Shape | str, Sizes | None]


class Requests:
    """Shapes by what jobs say of themselves.

    dwindles: what is left for jobs may become less for good: racks are still to come, or no later step of the site
    allows so much again.
    """

    def __init__(self, plant: Plant, policy: Policy, quotas: Quotas | None, steps: SiteSteps | None) -> None:
        self._less_nw: list[int] = []  # by step: the most power from then on, below that of the plant
        if steps is not None and plant.it_cap_nw is not None and plant.draws:
            cap_nw = plant.it_cap_nw
            less_nw = [max(0, cap_nw - int(most_w * NW_PER_W)) for most_w in steps.most_it_w.tolist()]
            self._less_nw = less_nw if less_nw[-1] else []
        self.dwindles = bool(self._less_nw) or (bool(plant.growing) and plant.it_cap_nw is not None)
        self._lost_nw = self._less_nw[0] if self._less_nw else 0
        self._able: dict[Shape, tuple[int, ...]] = {}
        self._plant = plant
        self._policy = policy
        self._quotas = quotas
        self._tenants: dict[str, int] = {}
        self._quota_of: list[int] = []  # of each tenant by its number, where there are quotas
        self._known: dict[tuple[int, int, bool, int], Asked] = {}

    def tenant_numbers(self, names: tuple[str, ...]) -> NDArray[np.int64]:
        """The numbers of tenants in this run, one a name."""
        known = self._tenants
        numbers = np.array([known.setdefault(name, len(known)) for name in names], np.int64)
        if self._quotas is not None:
            self._quota_of = [self._quotas.number(name) for name in known]
        return numbers

    def asked(self, job_class: int, chips: int, portable: bool, tenant: int) -> Asked:
        """What a job asks for, or the reason why it is rejected, and the sizes in which it may run, None for one."""
        key = (job_class, chips, portable, -1 if self._quotas is None else self._quota_of[tenant])
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._work_out(*key)
        return known

    def change_site(self, row: int) -> bool:
        """A step of the site holds from now on; whether there will never again be as much power as before."""
        if not self._less_nw or self._less_nw[row] == self._lost_nw:
            return False
        self._lost_nw = self._less_nw[row]
        return True

    def still_fits(self, shape: Shape, racks: Sequence[int]) -> bool:
        """Whether a gang may ever have the power that it needs beside the idle draw of so many racks of each pool."""
        able = self._able.get(shape)
        if able is None:  # a pool may have the power at the feed, and a seat or a rating or a quota for it never
            able = self._able[shape] = tuple(
                [pool for pool in shape.pools if never_starts(self._plant, self._policy, shape.only_in(pool)) is None]
            )
        left_for, chips = self._plant.left_for, shape.chips
        return any(shape.gang_nw(pool) + self._lost_nw <= left_for(pool, chips, racks) for pool in able)

    def _work_out(self, job_class: int, chips: int, portable: bool, quota: int) -> Asked:
        plant, policy = self._plant, self._policy
        admit, prefer = policy.power.admit, policy.placer.prefer
        shape = plant.shape(job_class, chips, portable, admit, prefer)
        if isinstance(shape, str):
            return shape, None
        shape = shape.of_quota(quota)
        why = never_starts(plant, policy, shape)
        if why is not None:
            return why, None
        if policy.ranks:
            shape = shape.of_priority(plant.plans[job_class].priority)
        if policy.scaling is None:
            return shape, None
        found = sizes_of(plant, job_class, shape, portable, admit, prefer)
        sizes = tuple([size for size in found if never_starts(plant, policy, size) is None])
        if not sizes:
            return NO_SIZE, None
        first = nearest(sizes, chips)
        return first, Sizes(sizes, first) if len(sizes) > 1 else None
