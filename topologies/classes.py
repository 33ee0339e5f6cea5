"""How each class of jobs runs in each pool: its rate, its memory, its draw and what a cap does to it."""

from typing import NamedTuple

from scenarios.hardware import AcceleratorEntry
from scenarios.load import Scenario
from scenarios.schema import PLAIN
from scenarios.workload import Training, Work
from topologies.hardware import Hardware
from topologies.levels import Within
from topologies.plant import ClassPlan
from topologies.power import NW_PER_W, busy_chip_w
from topologies.rates import Rated, Trains, rated


def class_plan(scenario: Scenario, index: int, work: Work, hardware: Hardware) -> ClassPlan:
    """How a class runs in every pool; every rack of the fleet is known to be in the catalog."""
    runs = [_runs(scenario, index, work, at, hardware) for at in range(len(scenario.keys.fleet))]
    facts, kind = hardware.tasks, work.kind.replace("-", "_")
    usual: float = getattr(facts, f"{kind}_cap_exponent")
    return ClassPlan(
        stacks=tuple(work.stacks or ()),
        pool_stacks=tuple([run.stack for run in runs]),
        pace_s=tuple([run.pace_s for run in runs]),
        per_gang=isinstance(work, Training),
        smallest=tuple([run.smallest for run in runs]),
        draw_nw=tuple([run.draw_nw for run in runs]),
        busy_w=tuple([run.busy_w for run in runs]),
        span_w=tuple([run.span_w for run in runs]),
        range_nw=tuple([run.range_nw for run in runs]),
        floor=tuple([run.floor for run in runs]),
        exponent=usual if work.cap_exponent is None else work.cap_exponent,
        value=work.value,
        defer_up_to_s=work.defer_up_to,
        peak_to_mean=getattr(facts, f"{kind}_peak_to_mean"),
        priority=work.priority,
        malleable=work.malleable,
        within=None if work.topology is None else Within(work.topology.required, work.topology.preferred),
    )


class _Runs(NamedTuple):
    """A class in one pool: what ClassPlan says of it there."""

    stack: str | None
    pace_s: float
    smallest: int
    draw_nw: int
    busy_w: float
    span_w: float
    range_nw: int
    floor: float


def _runs(scenario: Scenario, index: int, work: Work, at: int, hardware: Hardware) -> _Runs:
    name = scenario.keys.fleet[at].rack
    if name == PLAIN:  # identical processors run no stack and draw nothing
        return _Runs(None if work.stacks else "", 1.0, 1, 0, 0.0, 0.0, 0, 1.0)
    rack = hardware.rack(name, scenario, "fleet", at, "rack")
    chip = hardware.accelerator(rack.accelerator, scenario, "fleet", at, "rack")
    pace_s: float | None = 1.0
    least = 1
    if isinstance(work, Training):
        found = training_rate(scenario, index, work, rack.accelerator, chip, hardware)
        pace_s, least = (None, 1) if found is None else (1.0 / found.tokens_per_s, found.least)
    able = pace_s is not None and (not work.stacks or chip.stack in work.stacks)
    chip_w = max(chip.idle, demand(work, hardware) * chip.tdp)
    draw_nw = round(busy_chip_w(rack, chip.idle, chip_w) * NW_PER_W)
    span_w = chip_w - chip.idle
    return _Runs(
        chip.stack if able else None,
        pace_s or 0.0,
        least,
        draw_nw,
        chip_w + rack.host_per_chip,
        span_w,
        draw_nw - round(busy_chip_w(rack, chip.idle, chip.idle) * NW_PER_W),
        min(1.0, (chip.lowest_cap_w - chip.idle) / span_w) if span_w > 0 else 1.0,
    )


def demand(work: Work, hardware: Hardware) -> float:
    """What a busy chip draws over its TDP [1]: the class's own figure, or that of its kind."""
    usual: float = getattr(hardware.tasks, f"{work.kind.replace('-', '_')}_demand")
    return usual if work.demand is None else work.demand


def training_rate(
    scenario: Scenario, index: int, work: Training, name: str, chip: AcceleratorEntry, hardware: Hardware
) -> Rated | None:
    """How a class trains on an accelerator; None where that cannot be said."""
    model = hardware.model(work.model, scenario, "workload", index, "model")
    usual = model.sequence if work.kind == "training" else hardware.tasks.fine_tuning_sequence
    what = Trains(work.kind, work.model, model, work.sequence or usual, work.precision)
    return rated(what, name, chip, hardware.rates, hardware.tasks)


def lacking(work: Training, chip: AcceleratorEntry) -> list[str]:
    """The fields of an accelerator without which it cannot be said how fast it trains."""
    precision = work.precision or chip.training_precision
    needed: dict[str, object] = {"hbm": chip.hbm, "training_precision": precision}
    if precision is not None:
        needed |= {name: getattr(chip, name) for name in (f"dense_{precision}", f"mfu_{precision}")}
    return [name for name, value in needed.items() if value is None]
