"""What a policy is: one choice an axis, and a scheduling pass under it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policies.backfill import Backfill
from policies.by_pairs import by_pairs
from policies.guard import Guard
from policies.max_min_placement import MAX_MIN
from policies.placement import Placer
from policies.power import PowerPolicy
from policies.preemption import Preemption
from policies.queues import Order
from policies.quotas import Quota, Quotas
from policies.reclaim import Reclaim
from policies.scaling import Elastic
from policies.time_shares import ROUND_S, TimeShares
from policies.trial import find, seat_of
from policies.view import Decisions, Start, View
from topologies.plant import Plant, Shape

NO_RATING = "a rack's or a PDU's rating leaves its gang too little power"
OVER_QUOTA = "more than its tenant's quota and what it may borrow, in every pool that could hold it"
NO_PLACE = "its size has no place in a pool it may use, however empty (in a torus: it forms no contiguous box)"


@dataclass(frozen=True, slots=True)
class Policy:
    """One choice an axis; names says them in a word each, written as a scenario would, with their parameters."""

    order: Order
    backfill: Backfill
    placer: Placer
    power: PowerPolicy
    names: Mapping[str, str]
    written: Mapping[str, Any]
    guard: Guard | None = None  # where a policy is a plug-in
    preemption: Preemption | None = None
    scaling: Elastic | None = None
    quotas: tuple[Quota, ...] = ()  # of tenants, in the order of the scenario
    reclaim: Reclaim | None = None
    warnings: tuple[str, ...] = ()

    @property
    def ranks(self) -> bool:
        """Whether running gangs are stopped for the sake of others by what they are."""
        return self.preemption is not None or self.reclaim is not None

    @property
    def acts_alone(self) -> bool:
        """Whether a pass may decide something although nobody waits."""
        return self.scaling is not None or (self.preemption is not None and self.preemption.alone)


def decide(view: View, policy: Policy) -> Decisions:
    """One scheduling pass: who starts now and where, and why the others do not."""
    placer = placer_in(view, policy)
    due = Decisions() if policy.reclaim is None else policy.reclaim.decide(view, placer)
    if due.starts or due.claim is not None:
        return due
    decisions = starts(view, policy, placer)
    if policy.preemption is not None:
        policy.preemption.decide(view, placer, decisions)
    if policy.scaling is not None:
        policy.scaling.decide(view, placer, decisions)
    decisions.look_s = min(decisions.look_s, due.look_s)
    return decisions


def starts(view: View, policy: Policy, placer: Placer) -> Decisions:
    """Who starts in a pass in the size asked for, before anybody is stopped or resized."""
    if policy.guard is not None:
        return policy.guard.decide(view, policy.backfill, placer)
    if view.queue.jobs == 1 and view.arrived and policy.backfill is not by_pairs:  # under others it starts if it fits
        (job,) = view.arrived
        found = find(view.free, view.headroom, placer, job.shape, quotas=view.quotas)
        if found is not None:
            return Decisions([Start(job, *found)])
    return policy.backfill(view, placer)


def placer_in(view: View, policy: Policy) -> Placer:
    """Where a policy seats gangs at an instant."""
    return policy.placer if policy.placer.seeing is None else policy.placer.seeing(view)


def time_shares_for(policy: Policy, plant: Plant) -> TimeShares | None:
    """Empty books of shares of time where the policy goes by them; the weight of a class is its value."""
    by_job = policy.backfill is by_pairs
    if policy.placer is not MAX_MIN and not by_job:
        return None
    rounds_s = ROUND_S if policy.preemption is None else policy.preemption.slice_s or ROUND_S
    return TimeShares([plan.value for plan in plant.plans], len(plant.pools), rounds_s, by_job)


def never_starts(plant: Plant, policy: Policy, shape: Shape) -> str | None:
    """Why a gang has no place, quota or too little power, with nothing else running; None where it starts."""
    free, headroom = plant.free_chips(present=True), plant.headroom()
    if find(free, headroom, policy.placer, shape) is not None:
        allowed = find(free, headroom, policy.placer, shape, quotas=Quotas(policy.quotas)) is not None
        return None if allowed else OVER_QUOTA
    places = [seat_of(free[pool], policy.placer, shape) for pool in shape.pools]
    if any(places):
        return NO_RATING
    required = None if shape.within is None else shape.within.required
    return NO_PLACE if required is None else NO_PLACE.replace("no place", f"no place within one {required}")
