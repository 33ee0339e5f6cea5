"""The policies that stop running gangs, from a scenario's keys: preemption, scaling and reclaim."""

from collections.abc import Callable
from typing import Any, NamedTuple

from policies.ageing import Ageing
from policies.bounds import Rank
from policies.fairness import ByTenant
from policies.interruptions import Interruptions
from policies.order import fifo
from policies.preemption import Preemption, by_order, by_priority
from policies.queue import QueuedJob
from policies.queues import Order
from policies.reclaim import Reclaim
from policies.rounds import Rounds
from policies.running import Change, RunningGangs, change_of
from policies.scaling import Elastic
from policies.turns import wasted_turns
from scenarios.load import Scenario
from scenarios.stops import Elastic as ElasticKeys
from scenarios.stops import (
    ElasticScaling,
    OrderPreemption,
    PriorityPreemption,
    Slices,
    Stops,
    TimeSlicePreemption,
)
from scenarios.workload import Training
from topologies.plant import Plant


class Stopping(NamedTuple):
    """The two axes and reclaim: the policies, None for none, and of the axes their names and as a scenario has them."""

    preemption: Preemption | None
    scaling: Elastic | None
    reclaim: Reclaim | None
    names: dict[str, str]
    written: dict[str, Any]
    warnings: tuple[str, ...] = ()


def stopping(scenario: Scenario, plant: Plant, names: dict[str, str], order: Order) -> Stopping:
    """What a scenario says of them; ScenarioError for what does not go with its order, its network or each other."""
    kept = scenario.keys.failures
    losses = Interruptions(kept.checkpoint.every, kept.checkpoint.stall, kept.restart)
    preempting, stops = _preemption(scenario, names["preemption"])
    scaling, keys = _scaling(scenario, plant, names["scaling"])
    written: dict[str, Any] = {"preemption": preempting, "scaling": scaling}
    preemption = elastic = wasted = None
    if preempting != "none":
        in_rounds = preempting == "time-slice" and names["backfill"] == "max-min"  # it knows no order
        rank, change = _rank(scenario, preempting, names["order"], fifo if in_rounds else order)
        slice_s = stops.slice if isinstance(stops, Slices) else None
        preemption = (Rounds if in_rounds else Preemption)(
            rank, change, preempting == "priority", stops.min_run, stops.grace, losses, slice_s
        )
        if in_rounds or change is Change.ANY:  # else who stops others is not stopped for them again
            wasted = wasted_turns(preemption)
        written["preemption"] = {preempting: stops.model_dump(by_alias=True)}
    if scaling != "none":
        elastic = Elastic(keys.min_run, losses, names["backfill"] == "greedy")
        written["scaling"] = {scaling: keys.model_dump(by_alias=True)}
    reclaim = _reclaim(scenario, names["backfill"], preemption, losses)
    names = {"preemption": preempting, "scaling": scaling}
    warnings = () if wasted is None else (f"policy.preemption {preempting}: {wasted}",)
    return Stopping(preemption, elastic, reclaim, names, written, warnings)


def running_gangs(preemption: Preemption | None, reclaim: Reclaim | None) -> RunningGangs | None:
    """Empty books of the gangs that may be stopped for others; None where no gang ever is."""
    if preemption is None:
        return None if reclaim is None else RunningGangs(by_priority, Change.NEVER, 0.0)
    return RunningGangs(preemption.rank, preemption.change, preemption.min_run_s)


def _reclaim(scenario: Scenario, backfill: str, preemption: Preemption | None, losses: Interruptions) -> Reclaim | None:
    """The policy by which tenants take back lent quota; None where no tenant does."""
    at = next((at for at, entry in enumerate(scenario.keys.tenants or ()) if entry.reclaim != "never"), None)
    if at is None:
        return None
    if isinstance(preemption, Rounds):
        text = "under max-min with time slices the shares say at each slice who holds which chips, lent or not"
        text += "; allowed: never, another backfill or another preemption"
        raise scenario.error(text, "tenants", at, "reclaim")
    return Reclaim(losses, backfill == "none", backfill in ("greedy", "max-min"))


def _preemption(scenario: Scenario, name: str) -> tuple[str, Stops]:
    """The name of the choice, and its parameters."""
    choice = scenario.keys.policy.preemption
    if isinstance(choice, PriorityPreemption):
        return "priority", choice.priority
    if isinstance(choice, OrderPreemption):
        return "order", choice.order
    if isinstance(choice, TimeSlicePreemption):
        return "time-slice", choice.time_slice
    return name, Slices() if name == "time-slice" else Stops()


def _rank(scenario: Scenario, name: str, order_name: str, order: Order) -> tuple[Callable[[QueuedJob], Rank], Change]:
    """How running gangs are ranked, and how that changes."""
    if name == "priority":
        return by_priority, Change.NEVER
    if isinstance(order, Ageing | ByTenant):
        text = f"{name} compares running gangs by the order: {order_name} changes while they wait"
        text += "; allowed: an order that does not, or preemption: priority"
        raise scenario.error(text, "policy", "preemption")
    return by_order(order), change_of(order)


def _scaling(scenario: Scenario, plant: Plant, name: str) -> tuple[str, ElasticKeys]:
    """The name of the choice, and its parameters."""
    for index, work in enumerate(scenario.keys.workload):
        if plant.network is not None and work.malleable is not None and not isinstance(work, Training):
            text = "under a network only training and fine-tuning can be malleable: their steps say how fast they are"
            raise scenario.error(text, "workload", index, "malleable")
    choice = scenario.keys.policy.scaling
    if isinstance(choice, ElasticScaling):
        return "elastic", choice.elastic
    return name, ElasticKeys()
