"""A scenario's policy keys to a policy: the one place of this room that reads the scenario's keys."""

from collections.abc import Mapping
from dataclasses import dataclass

from policies.backfill import Backfill
from policies.order import Order
from policies.placement import Placer
from policies.registry import AXES, BACKFILLS, DEFAULTS, ORDERS, PLACEMENTS, PRESETS
from policies.trial import find
from policies.view import Decisions, Start, View
from scenarios.errors import ScenarioError, unknown
from scenarios.load import Scenario
from topologies.plant import Plant, Shape


@dataclass(frozen=True, slots=True)
class Policy:
    """One choice an axis; names is how the choices are written in a scenario."""

    order: Order
    backfill: Backfill
    placer: Placer
    names: Mapping[str, str]


def decide(view: View, policy: Policy) -> Decisions:
    """One scheduling pass: who starts now and where, and why the others do not."""
    if view.queue.jobs == 1 and view.arrived:  # the one waiting job, and it fits: the same under every policy
        (job,) = view.arrived
        found = find(view.free, view.headroom, policy.placer, job.shape)
        if found is not None:
            return Decisions([Start(job, *found)])
    return policy.backfill(view, policy.order, policy.placer)


def can_ever_start(plant: Plant, policy: Policy, shape: Shape) -> bool:
    """Whether a gang has a place, and its power at every level, with nothing else running."""
    return find(plant.free_chips(present=True), plant.headroom(), policy.placer, shape) is not None


def build_policy(scenario: Scenario, plant: Plant) -> Policy:
    """The policy of a scenario: the defaults, then its preset, then its axes.

    ScenarioError for unknown names, and for a class none of whose gangs could ever start under it.
    """
    keys = scenario.keys.policy
    names = dict(DEFAULTS)
    if keys.preset is not None:
        if keys.preset not in PRESETS:
            raise scenario.error(unknown("policy", keys.preset, PRESETS), "policy")
        names.update(PRESETS[keys.preset])
    for axis, known in AXES.items():
        name = getattr(keys, axis)
        if name is not None:
            if name not in known:
                raise scenario.error(unknown(axis, name, known), "policy", axis)
            names[axis] = name
    policy = Policy(ORDERS[names["order"]], BACKFILLS[names["backfill"]], PLACEMENTS[names["placement"]], names)
    for index, work in enumerate(scenario.keys.workload):
        shapes = [plant.shape(index, size, True) for size in scenario.gang_sizes(work)]
        if not any(isinstance(shape, Shape) and can_ever_start(plant, policy, shape) for shape in shapes):
            text = "no job of this class could ever start: a rack's or a PDU's rating leaves its gang too little power"
            raise scenario.error(text, "workload", index)
    return policy


def overrides(spec: str) -> list[str]:
    """A --policy SPEC as KEY=VALUE overrides: a preset's name and/or axis=value parts, joined by commas.

    A preset replaces the scenario's policy, an axis only its own value. ScenarioError for what is neither.
    """
    found = []
    for at, part in enumerate(spec.split(",")):
        axis, separator, value = part.strip().partition("=")
        if separator and axis in AXES and value.strip():
            found.append(f"policy.{axis}={value.strip()}")
        elif not separator and at == 0 and axis in PRESETS:
            found.append(f"policy={axis}")
        else:
            if axis in PRESETS and not separator:
                raise ScenarioError(f"the preset {axis!r} must come first", f"--policy {spec}")
            if separator and axis in AXES:
                raise ScenarioError(unknown(axis, value.strip(), AXES[axis]), f"--policy {spec}")
            kind, names = ("axis", AXES) if separator else ("policy", PRESETS)
            hint = "" if separator else "; or axis=value parts such as order=sjf,backfill=none"
            raise ScenarioError(unknown(kind, axis, names) + hint, f"--policy {spec}")
    return found
