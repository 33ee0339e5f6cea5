"""A scenario's policy keys to a policy: the one place of this room that reads the scenario's keys."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from policies.backfill import Backfill
from policies.build_backfill import build_backfill
from policies.build_quotas import build_quotas, check_starts
from policies.fairness import fair_share
from policies.faults import PlugIn
from policies.guard import Guard
from policies.order import LeastAttainedService
from policies.placement import Placer
from policies.plug_ins import Finder
from policies.policy import Policy, never_starts, starts
from policies.power import POWERS, RESERVE, DeferRule, PowerPolicy, expected
from policies.presets import PRESETS
from policies.queues import Order
from policies.registry import AXES, DEFAULTS, ORDERS, PLACEMENTS
from policies.stopping import stopping
from policies.view import Decisions, View
from policies.watchdog import Watchdog
from scenarios.errors import ScenarioError, unknown
from scenarios.load import Scenario
from scenarios.plug_ins import PLUGGABLE, Parameters
from scenarios.policy import (
    Defer,
    Deferred,
    FairShareOrder,
    LasOrder,
    Oversubscribed,
)
from scenarios.policy import Policy as PolicyKeys
from scenarios.units import format_quantity
from scenarios.values import Keys
from topologies.plant import Plant
from topologies.sizes import NO_SIZE, sizes_of


def build_policy(scenario: Scenario, plant: Plant) -> Policy:
    """The policy of a scenario: the defaults, then its preset, then its axes.

    ScenarioError for unknown names, for plug-ins that are none, and for a class none of whose gangs could ever start.
    """
    keys = scenario.keys.policy
    names = dict(DEFAULTS)
    if keys.preset is not None:
        if keys.preset not in PRESETS:
            raise scenario.error(unknown("policy", keys.preset, PRESETS), "policy")
        names.update(PRESETS[keys.preset].axes)
    plug_ins, watchdog = dict[str, PlugIn](), Watchdog(keys.plug_in_limit)
    finder = Finder(watchdog)
    for axis, known in AXES.items():
        choice = getattr(keys, axis)
        if isinstance(choice, str) and choice in known:
            names[axis] = choice
        elif isinstance(choice, Keys):
            continue  # a built-in policy with parameters
        elif axis in PLUGGABLE and choice is not None:
            plug_ins[axis] = _plug_in(scenario, finder, axis, choice, known)
        elif isinstance(choice, str):
            raise scenario.error(unknown(axis, choice, known), "policy", axis)
    order, written_order = _order(scenario, names)
    backfill, written_backfill = build_backfill(scenario.keys.policy.backfill, names)
    power, written = _power(scenario, names)
    written |= written_order | written_backfill
    if plant.it_cap_nw is None and not plant.limits:
        power = RESERVE  # nothing caps the draw, so all power policies are the same
    if names["placement"] == "contiguous" and plant.network is None:
        text = "contiguous needs to know how chips are joined: set network, such as network: {fabric: leaf-spine}"
        raise scenario.error(text, "policy", "placement")
    if names["placement"] == "cheapest":
        for index, pool in enumerate(plant.pools):
            if pool.rental_usd_per_s is None:
                text = f"cheapest needs what {pool.accelerator} costs: give it rental in catalog.accelerators"
                raise scenario.error(text, "fleet", index, "rack")
    policy = Policy(order, backfill, PLACEMENTS[names["placement"]], power, names, written)
    policy = replace(policy, quotas=build_quotas(scenario, plant))
    if plug_ins:
        policy = _with_plug_ins(policy, plug_ins, watchdog)
    stops = stopping(scenario, plant, names, policy.order)
    policy = replace(
        policy,
        names={**policy.names, **stops.names},
        written={**policy.written, **stops.written},
        preemption=stops.preemption,
        scaling=stops.scaling,
        reclaim=stops.reclaim,
        warnings=stops.warnings,
    )
    check_starts(scenario, plant, lambda *gang: _never(plant, policy, *gang))
    return policy


def _plug_in(
    scenario: Scenario, finder: Finder, axis: str, choice: str | dict[str, Parameters], known: Mapping[str, object]
) -> PlugIn:
    """The policy of the user's own on an axis; where its file is not to blame, the scenario's line is named."""
    try:
        return finder.find(axis, choice, known)
    except ScenarioError as error:
        if error.where:
            raise
        raise scenario.error(error.message, "policy", axis) from None


def _with_plug_ins(policy: Policy, plug_ins: Mapping[str, PlugIn], watchdog: Watchdog) -> Policy:
    """The policy with plug-ins on some axes and checks around them."""
    guard = Guard(list(plug_ins.values()), watchdog)
    written = {axis: plug_in.written for axis, plug_in in plug_ins.items()}
    policy = replace(
        policy,
        names={**policy.names, **{axis: plug_in.name for axis, plug_in in plug_ins.items()}},
        written={**policy.written, **written, "plug_in_limit": format_quantity(watchdog.limit_s, "s")},
    )
    if "order" in plug_ins:
        policy = replace(policy, order=guard.order(plug_ins["order"]))
    if "backfill" in plug_ins:
        policy = replace(policy, backfill=_of_the_user(plug_ins["backfill"], policy.order))
    if "placement" in plug_ins:
        policy = replace(policy, placer=guard.placer(plug_ins["placement"]))
    guard.built_in = lambda view, placer, unwatched=policy: starts(view, unwatched, placer)
    return replace(policy, guard=guard)


def _of_the_user(plug_in: PlugIn, order: Order) -> Backfill:
    """A backfill that is told the order too: built-in ones have no use for it, since the queue knows its order."""

    def backfill(view: View, placer: Placer) -> Decisions:
        answer: Decisions = plug_in.policy(view, order, placer)
        return answer

    return backfill


def _never(plant: Plant, policy: Policy, job_class: int, chips: int, quota: int) -> str | None:
    """Why gangs of a size can never start; None where they can."""
    shape = plant.shape(job_class, chips, True, policy.power.admit, policy.placer.prefer)
    if isinstance(shape, str):
        return shape
    why = never_starts(plant, policy, shape.of_quota(quota))
    if why is None and policy.scaling is not None:
        sizes = sizes_of(plant, job_class, shape, True, policy.power.admit, policy.placer.prefer)
        return None if sizes else NO_SIZE
    return why


def _order(scenario: Scenario, names: dict[str, str]) -> tuple[Order, dict[str, Any]]:
    """The order with its parameters, and how a scenario would write it."""
    choice = scenario.keys.policy.order
    if not isinstance(choice, LasOrder | FairShareOrder):
        choice = PolicyKeys(order=names["order"]).order  # a preset's name with its parameters, if it has some
    if isinstance(choice, LasOrder):
        names["order"] = "las"
        return LeastAttainedService(tuple(choice.las.thresholds)), {"order": _dump(choice)}
    if isinstance(choice, FairShareOrder):
        names["order"] = "fair-share"
        return fair_share(choice.fair_share.half_life), {"order": _dump(choice)}
    return ORDERS[names["order"]], {"order": names["order"]}


def _power(scenario: Scenario, names: dict[str, str]) -> tuple[PowerPolicy, dict[str, Any]]:
    """The power policy with its parameters, and all axes as a scenario would write them."""
    choice = scenario.keys.policy.power
    written: dict[str, Any] = dict(names)
    if isinstance(choice, Oversubscribed):
        names["power"] = "oversubscribe"
        ratio = choice.oversubscribe.ratio
        return replace(POWERS["oversubscribe"], admit=expected(ratio)), written | {"power": _dump(choice)}
    if isinstance(choice, Deferred):
        names["power"] = "defer"
    if names["power"] == "defer":
        defer = choice.defer if isinstance(choice, Deferred) else _cleaner_half(scenario)
        _need_signals(scenario, defer)
        rule = DeferRule(defer.price, defer.carbon, defer.deadline, defer.cheapest, defer.cleanest)
        return replace(POWERS["defer"], defer=rule), written | {"power": {"defer": _dump(defer)}}
    return POWERS[names["power"]], written


def _cleaner_half(scenario: Scenario) -> Defer:
    """What defer alone stands for: the cleaner half of the time, the cheaper one where the site has no carbon."""
    site = scenario.keys.site
    if site is not None and site.carbon is None and site.price is not None:
        return Defer(cheapest=0.5)
    return Defer(cleanest=0.5)


def _need_signals(scenario: Scenario, defer: Defer) -> None:
    for key, signal in (("price", "price"), ("carbon", "carbon"), ("cheapest", "price"), ("cleanest", "carbon")):
        if getattr(defer, key) is not None and getattr(scenario.keys.site, signal, None) is None:
            text = f"needs the site's {signal}: set site.{signal}"
            raise scenario.error(text, "policy", "power", "defer", key)


def _dump(keys: Keys) -> dict[str, Any]:
    return keys.model_dump(by_alias=True, exclude_none=True)
