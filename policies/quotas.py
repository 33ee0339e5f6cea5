"""Quotas of tenants by pool, with borrowing and lending inside cohorts, and how much of them is in use.

Source: Kueue, Cluster Queue, "Cohort": nominalQuota, borrowingLimit, lendingLimit (kueue.sigs.k8s.io). In each pool a
tenant may use its nominal quota and what it may borrow, as long as the cohort uses no more than all its members share:
of each the part of its quota that it lends. The rest of a member's quota is its own, in use or not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scenarios.tenants import entry_of
from topologies.plant import Shape

NO_LIMIT = 2**62  # more chips than any plant has


class Reclaiming(NamedTuple):
    """How a tenant takes back what it has lent: for lower_only from gangs of a lower priority than the job's alone.

    min_run_s: a gang keeps its chips for so long. grace_s: what it is told before it must go.
    """

    lower_only: bool
    min_run_s: float
    grace_s: float


@dataclass(frozen=True, slots=True)
class Quota:
    """What the gangs of a tenant may hold, in chips by pool.

    cohort: its number; a tenant without one has one alone. most: the nominal quota and what it may borrow. own: the
    part of the nominal quota that it never lends. reclaiming: None where it waits for what it has lent.
    """

    tenant: str
    cohort: int
    nominal: tuple[int, ...]
    most: tuple[int, ...]
    own: tuple[int, ...]
    reclaiming: Reclaiming | None = None


class Quotas:
    """The chips in use under each quota, and what is left of them. A shape names its quota by its position in rules.

    used: by quota and pool. holders: the quotas of running gangs by row. reclaiming: those whose tenants take back what
    they have lent.
    """

    __slots__ = ("_shared", "holders", "reclaiming", "rules", "used")

    def __init__(self, rules: Sequence[Quota]) -> None:
        """Nothing is in use yet."""
        self.rules = rules
        self.reclaiming = [at for at, rule in enumerate(rules) if rule.reclaiming is not None]
        self.used = [[0] * len(rule.nominal) for rule in rules]
        self.holders: dict[int, int] = {}
        self._shared = [[0] * len(rule.nominal) for rule in rules]  # by cohort and pool: what of it is left
        for rule in rules:
            for pool, nominal in enumerate(rule.nominal):
                self._shared[rule.cohort][pool] += nominal - rule.own[pool]

    def copy(self) -> "Quotas":
        """The same use, to be changed alone."""
        return self._twin(self.holders.copy())

    def ahead(self) -> "Quotas":
        """The same use to plan ahead with: it can be changed by take and let_go, no gang starts or ends in it."""
        return self._twin(self.holders)

    def number(self, tenant: str) -> int:
        """The number of a tenant's quota: its own, else that of all others; -1 where it has none."""
        return entry_of(tenant, [rule.tenant for rule in self.rules])

    def room(self, quota: int, pool: int) -> int:
        """Chips of a pool that more gangs under a quota may take."""
        rule, used = self.rules[quota], self.used[quota][pool]
        own, shared = rule.own[pool], self._shared[rule.cohort][pool]
        room = shared if shared > 0 else 0  # below 0 while gangs stop for another one, and both count
        if used < own:
            room += own - used
        return min(rule.most[pool] - used, room)

    def allows(self, shape: Shape, pool: int) -> bool:
        """Whether a gang may start in a pool; what its quota allows no more, it does not until one ends."""
        return shape.quota < 0 or shape.chips <= self.room(shape.quota, pool)

    def cohort(self, quota: int) -> list[int]:
        """The numbers of the others that share with a quota."""
        cohort = self.rules[quota].cohort
        return [at for at, rule in enumerate(self.rules) if rule.cohort == cohort and at != quota]

    def beyond(self, quota: int, pool: int) -> int:
        """Chips of a pool in use under a quota beyond the nominal one; below 0 what is left of that."""
        return self.used[quota][pool] - self.rules[quota].nominal[pool]

    def take(self, quota: int, pool: int, chips: int) -> None:
        """So many more (or fewer) chips of a pool are in use."""
        rule, used = self.rules[quota], self.used[quota]
        was, own = used[pool], rule.own[pool]
        used[pool] = now = was + chips
        self._shared[rule.cohort][pool] -= max(0, now - own) - max(0, was - own)

    def start(self, row: int, shape: Shape, pool: int) -> None:
        """A gang starts."""
        self.hold(row, shape.quota, pool, shape.chips)

    def hold(self, row: int, quota: int, pool: int, chips: int) -> None:
        """A gang under a quota, or -1 for none, has its chips."""
        if quota >= 0:
            self.holders[row] = quota
            self.take(quota, pool, chips)

    def let_go(self, row: int, pool: int, chips: int) -> None:
        """Count a gang no more; who holds what stays known."""
        quota = self.holders.get(row, -1)
        if quota >= 0:
            self.take(quota, pool, -chips)

    def end(self, row: int, pool: int, chips: int) -> None:
        """A gang ends or is stopped."""
        quota = self.holders.pop(row, -1)
        if quota >= 0:
            self.take(quota, pool, -chips)

    def _twin(self, holders: dict[int, int]) -> "Quotas":
        twin: Quotas = object.__new__(Quotas)
        twin.rules, twin.reclaiming, twin.holders = self.rules, self.reclaiming, holders
        twin.used = [chips.copy() for chips in self.used]
        twin._shared = [chips.copy() for chips in self._shared]
        return twin
