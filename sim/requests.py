"""What jobs ask for: the shape of each class, size and tenant, worked out once, or why no pool could ever hold it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from policies.policy import Policy, never_starts
from policies.queue import Sizes
from policies.quotas import Quotas
from topologies.plant import Plant, Shape
from topologies.sizes import NO_SIZE, nearest, sizes_of

Asked = tuple[Shape | str, Sizes | None]


class Requests:
    """Shapes by what jobs say of themselves. growing: racks that are still to come take power from what is left."""

    def __init__(self, plant: Plant, policy: Policy, quotas: Quotas | None) -> None:
        self.growing = bool(plant.growing) and plant.it_cap_nw is not None
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

    def still_fits(self, shape: Shape, racks: Sequence[int]) -> bool:
        """Whether some pool has the power for a gang beside the idle draw of so many racks of each pool."""
        return any(shape.gang_nw(pool) <= self._plant.left_for(pool, shape.chips, racks) for pool in shape.pools)

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
