"""A scenario's tenants to quotas by pool, and what is wrong with them."""

from collections.abc import Callable

from policies.quotas import NO_LIMIT, Quota, Reclaiming
from scenarios.errors import unknown
from scenarios.load import Scenario
from scenarios.tenants import OTHERS, ReclaimLower, Tenant, entry_of
from topologies.build import gang_sizes
from topologies.plant import Plant

Never = Callable[[int, int, int], str | None]
"""(class, chips, quota) -> why such gangs can never start; None where they can."""


def build_quotas(scenario: Scenario, plant: Plant) -> tuple[Quota, ...]:
    """The quotas in the order of the scenario's tenants; ScenarioError for pools and tenants that there are not."""
    entries = scenario.keys.tenants or []
    known = {name for work in scenario.keys.workload for name in scenario.tenants(work)}
    pools = [pool.name for pool in plant.pools]
    cohorts: dict[tuple[str, ...], int] = {}
    quotas = []
    for index, entry in enumerate(entries):
        if entry.tenant not in known and entry.tenant != OTHERS:
            raise scenario.error(unknown("tenant", entry.tenant, [*known, OTHERS]), "tenants", index, "tenant")
        _check_pools(scenario, index, entry, pools)
        key = (entry.tenant, "alone") if entry.cohort is None else (entry.cohort,)
        quotas.append(_quota(entry, cohorts.setdefault(key, len(cohorts)), pools))
    return tuple(quotas)


def quota_numbers(scenario: Scenario, job_class: int) -> list[int]:
    """The quotas that gangs of a class may count against, -1 for none."""
    entries = [entry.tenant for entry in scenario.keys.tenants or ()]
    return sorted({entry_of(name, entries) for name in scenario.tenants(scenario.keys.workload[job_class])})


def check_starts(scenario: Scenario, plant: Plant, never: Never) -> None:
    """ScenarioError for a class, and for a tenant, none of whose gangs could ever start."""
    of_tenant: dict[int, list[str | None]] = {}
    for index in range(len(scenario.keys.workload)):
        sizes, reasons = gang_sizes(scenario, plant, index), list[str | None]()
        for number in quota_numbers(scenario, index):
            found = [never(index, size, number) for size in sizes]
            reasons += found
            of_tenant.setdefault(number, []).extend(found)
        if None not in reasons:
            raise scenario.error(f"no job of this class could ever start: {reasons[0]}", "workload", index)
    for number, reasons in sorted(of_tenant.items()):
        if number >= 0 and None not in reasons:
            text = f"no job of this tenant could ever start: {reasons[0]}"
            raise scenario.error(text, "tenants", number, "quota")


def _check_pools(scenario: Scenario, index: int, entry: Tenant, pools: list[str]) -> None:
    for key in ("quota", "borrow", "lend"):
        named = getattr(entry, key)
        for pool in named if isinstance(named, dict) else ():
            if pool not in pools:
                raise scenario.error(unknown("pool", pool, pools), "tenants", index, key, pool)


def _quota(entry: Tenant, cohort: int, pools: list[str]) -> Quota:
    nominal = tuple([entry.quota.get(pool, 0) for pool in pools])
    borrows = [entry.borrows(pool) for pool in pools]
    alone = entry.cohort is None
    return Quota(
        entry.tenant,
        cohort,
        nominal,
        tuple([NO_LIMIT if more is None else chips + more for chips, more in zip(nominal, borrows, strict=True)]),
        tuple([0 if alone else chips - entry.lends(pool) for chips, pool in zip(nominal, pools, strict=True)]),
        _reclaiming(entry),
    )


def _reclaiming(entry: Tenant) -> Reclaiming | None:
    if isinstance(entry.reclaim, str):  # never: the other words stand for their defaults
        return None
    stops = entry.reclaim.stops
    return Reclaiming(isinstance(entry.reclaim, ReclaimLower), stops.min_run, stops.grace)
