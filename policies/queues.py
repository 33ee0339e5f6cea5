"""The kinds of orders, and the queue that each kind needs."""

from typing import TypeAlias

from policies.ageing import Ageing
from policies.ageing_queue import AgeingQueue
from policies.fairness import ByTenant
from policies.queue import Queue, StaticOrder
from policies.tenant_queue import TenantQueue
from policies.tenants import Tenants

Order: TypeAlias = StaticOrder | ByTenant | Ageing
"""Static (a function of the job), by tenant (changes with what the tenant holds and has used), or with time."""


def queue_for(order: Order) -> Queue:
    """An empty queue in an order."""
    if isinstance(order, ByTenant):
        return TenantQueue(order)
    return AgeingQueue(order) if isinstance(order, Ageing) else Queue(order)


def tenants_for(order: Order, pools: int) -> Tenants | None:
    """Empty accounts where the order compares tenants; else nobody needs to keep them."""
    return Tenants(pools, order.half_life_s) if isinstance(order, ByTenant) else None
