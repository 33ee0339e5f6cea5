"""A scenario's site, fleet and classes to a plant: the one place of this room that reads the scenario's keys."""

import itertools
import math
from collections.abc import Sequence

from scenarios.distributions import Choice
from scenarios.errors import unknown
from scenarios.instants import instant
from scenarios.load import Scenario
from scenarios.schema import PLAIN, Delivery, Fleet
from scenarios.site import Site as SiteKeys
from scenarios.units import whole_above, whole_below
from scenarios.workload import Trace, Training, Work
from topologies.build_network import build_network
from topologies.classes import class_plan, lacking
from topologies.hardware import Hardware
from topologies.limits import Limit, RackLoad, pdu_limits, rack_limits
from topologies.plant import IN_UNIT, NO_SPLIT, Battery, ClassPlan, Plant, Pool, Site
from topologies.power import (
    NW_PER_W,
    feed_w,
    hosts_w,
    rack_draw_w,
)

MOST_DOMAINS = 10_000_000
MOST_NW = 9 * 10**18  # the timeline keeps draws as 64-bit whole numbers


def build_plant(scenario: Scenario) -> Plant:
    """The plant of a scenario; ScenarioError for unknown hardware, a feed too small, a class that can never run."""
    hardware = Hardware(scenario.keys.catalog, scenario.keys.uncertainty)
    _check_names(scenario, hardware)
    pools = tuple(_pool(scenario, index, fleet, hardware) for index, fleet in enumerate(scenario.keys.fleet))
    plans = tuple(class_plan(scenario, index, work, hardware) for index, work in enumerate(scenario.keys.workload))
    site = _site(scenario.keys.site, hardware.tasks.rack_boot)
    cap_nw, steps = None, scenario.certain_steps()
    if steps is not None:
        cap_nw = int(float(steps.most_it_w[0]) * NW_PER_W)
    network = build_network(scenario, hardware, pools, plans)
    plant = Plant(pools, plans, site, cap_nw, _limits(scenario, pools, plans, hardware), network)
    _check_full_draw(scenario, plant)
    _check_idle_draw(scenario, plant)
    for index, work in enumerate(scenario.keys.workload):
        _check_topology(scenario, plant, index)
        _check_class(scenario, plant, index, work, hardware)
    return plant


def _site(keys: SiteKeys | None, rack_boot_s: float) -> Site:
    if keys is None:
        return Site(None, 0.0, 0.0, 0.0)
    battery = (
        None
        if keys.battery is None
        else Battery(
            keys.battery.energy,
            keys.battery.power,
            keys.battery.round_trip,
            keys.battery.ramp or math.inf,
            keys.battery.initial * keys.battery.energy,
            keys.battery.reserve * keys.battery.energy,
            keys.battery.power / 10 if keys.battery.charge is None else keys.battery.charge,
        )
    )
    return Site(keys.most_w, keys.pue.fixed, keys.pue.proportional, keys.fabric_and_storage, battery, rack_boot_s)


def used_catalog(scenario: Scenario) -> Hardware:
    """The catalog entries that a scenario uses, for its resolved copy."""
    hardware = Hardware(scenario.keys.catalog, scenario.keys.uncertainty)
    for index, fleet in enumerate(scenario.keys.fleet):
        _pool(scenario, index, fleet, hardware)
    for index, work in enumerate(scenario.keys.workload):
        class_plan(scenario, index, work, hardware)
    if scenario.keys.network is not None:
        for index, fleet in enumerate(scenario.keys.fleet):
            if fleet.rack != PLAIN:
                hardware.interconnect(fleet.rack, scenario, "fleet", index, "rack")
    return hardware


def _pool(scenario: Scenario, index: int, fleet: Fleet, hardware: Hardware) -> Pool:
    if fleet.rack == PLAIN:
        return Pool(fleet.pool, PLAIN, PLAIN, 1, 1, fleet.chips or 0, 0, 0.0, 0.0, ((0.0, 1),), 0.0)
    entry = hardware.rack(fleet.rack, scenario, "fleet", index, "rack")
    chip = hardware.accelerator(entry.accelerator, scenario, "fleet", index, "rack")
    count = fleet.count or 0
    domains = count * (entry.chips // entry.domain_chips)
    if domains > MOST_DOMAINS:
        text = f"found {domains:,} scale-up domains in one pool; allowed: up to {MOST_DOMAINS:,}"
        raise scenario.error(text, "fleet", index, "count")
    return Pool(
        fleet.pool,
        fleet.rack,
        entry.accelerator,
        count,
        domains,
        entry.domain_chips,
        round(rack_draw_w(entry, chip.idle) * NW_PER_W),
        chip.idle,
        hosts_w(entry),
        tuple(_deliveries(count, fleet.delivery, scenario.end_s)),
        chip.rental,
        entry.node_chips,
    )


def _deliveries(count: int, delivery: Delivery | None, end_s: float) -> Sequence[tuple[float, int]]:
    if delivery is None:
        return [(0.0, count)]
    batches: list[tuple[float, int]] = []
    for at in itertools.count():
        time_s, left = instant(delivery.first + at * delivery.every), count - at * delivery.racks
        if left <= 0 or time_s > end_s:
            return batches
        batches.append((time_s, min(delivery.racks, left)))
    return batches


def _limits(
    scenario: Scenario, pools: Sequence[Pool], plans: Sequence[ClassPlan], hardware: Hardware
) -> tuple[Limit, ...]:
    """The levels below the feed that can bind: PDUs and racks whose full load is more than their rating."""
    loads = []
    for at, (pool, fleet) in enumerate(zip(pools, scenario.keys.fleet, strict=True)):
        most_w = max([plan.draw_nw[at] for plan in plans if plan.pool_stacks[at] is not None], default=0) / NW_PER_W
        idle_w = pool.idle_nw / NW_PER_W
        full_w = idle_w + pool.chips // pool.racks * most_w
        entry = None if fleet.rack == PLAIN else hardware.rack(fleet.rack, scenario, "fleet", at, "rack")
        rating_w = entry.rating * entry.derating if entry is not None and entry.rating is not None else math.inf
        if idle_w > rating_w:
            draws, rating = whole_above(idle_w, "W"), whole_below(rating_w, "W")
            text = f"a rack draws {draws} with idle chips; its rating is {rating}"
            raise scenario.error(text, "fleet", at, "rack")
        loads.append(
            RackLoad(pool.name, pool.racks if pool.powered else 0, pool.domains_a_rack, idle_w, full_w, rating_w)
        )
    site = scenario.keys.site
    if site is None or site.pdus is None:
        return rack_limits(loads)
    try:
        pdus = pdu_limits(loads, site.pdus.count, site.pdus.rating * site.pdus.derating)
    except ValueError as error:
        raise scenario.error(str(error), "site", "pdus") from None
    return (*rack_limits(loads), *pdus)


def _check_full_draw(scenario: Scenario, plant: Plant) -> None:
    full_nw = plant.site.other_it_w * NW_PER_W
    for at, pool in enumerate(plant.pools):
        full_nw += pool.racks * pool.idle_nw + pool.chips * max(plan.draw_nw[at] for plan in plant.plans)
    if full_nw >= MOST_NW:
        text = f"the IT draws {full_nw / NW_PER_W / 1e9:,.1f} GW at full load"
        text += f"; allowed: less than {MOST_NW / NW_PER_W / 1e9:g} GW"
        raise scenario.error(text, "fleet")


def _check_idle_draw(scenario: Scenario, plant: Plant) -> None:
    if plant.it_cap_nw is None or plant.site.cap_w is None:
        return
    idle_w = plant.site.other_it_w + sum(pool.racks * pool.idle_nw for pool in plant.pools) / NW_PER_W
    meter_w = feed_w(idle_w, plant.site.fixed_w, plant.site.proportional)
    if meter_w > plant.site.cap_w:
        text = f"the fleet draws {whole_above(meter_w, 'W')} with every chip idle; allowed: at least that feed"
        raise scenario.error(text, "site", "feed")


def gang_sizes(scenario: Scenario, plant: Plant, index: int) -> list[int]:
    """The sizes of a class's gangs that can be judged before the run, rising.

    Of a law without a list of them the smallest that its model fits into; the others are judged job by job.
    """
    work, plan = scenario.keys.workload[index], plant.plans[index]
    sizes = scenario.gang_sizes(work)
    if isinstance(work, Trace) or isinstance(work.chips, int | Choice):
        return sizes
    least = [n for n, stack in zip(plan.smallest, plan.pool_stacks, strict=True) if stack is not None]
    return [max(sizes[0], min(least, default=1))]


def _why_none(work: Training, hardware: Hardware) -> str:
    """What the accelerators of a class's stacks lack."""
    lacks = []
    for name, chip in hardware.accelerators.items():
        fields = lacking(work, chip)
        if chip.stack in work.stacks and fields:
            lacks.append(f"{name} has no {' and no '.join(fields)}")
    return f": {'; '.join(lacks)}" if lacks else ""


def _check_names(scenario: Scenario, hardware: Hardware) -> None:
    """The stacks of all classes and the names in the scenario's own rates must be known."""
    for index, work in enumerate(scenario.keys.workload):
        for stack in work.stacks or ():
            if stack not in hardware.stacks:
                raise scenario.error(unknown("stack", stack, hardware.stacks), "workload", index, "stacks")
    for index, rate in enumerate(scenario.keys.catalog.rates or ()):
        hardware.model(rate.model, scenario, "catalog", "rates", index, "model")
        hardware.accelerator(rate.accelerator, scenario, "catalog", "rates", index, "accelerator")


def _check_topology(scenario: Scenario, plant: Plant, index: int) -> None:
    """Refuse levels that a pool of the class does not have."""
    within = plant.plans[index].within
    for name, level in [] if within is None else within._asdict().items():
        key = ("workload", index, "topology", name)
        if level == "leaf" and plant.network is None:
            text = "leaf needs to know which domains share leaves: set network, such as network: {fabric: leaf-spine}"
            raise scenario.error(text, *key)
        for pool, stack in zip(plant.pools, plant.plans[index].pool_stacks, strict=True):
            if level not in (None, "domain") and stack is not None and not pool.powered:
                have = "no nodes" if level == "node" else "no leaves"
                raise scenario.error(f"pool {pool.name} is of plain processors, which have {have}", *key)
            large, small = max(pool.node_chips, pool.domain_chips), min(pool.node_chips, pool.domain_chips)
            if level == "node" and stack is not None and large % small:
                text = f"nodes of {pool.node_chips} chips and domains of {pool.domain_chips} do not nest in {pool.rack}"
                raise scenario.error(text, *key)


def _check_class(scenario: Scenario, plant: Plant, index: int, work: Work, hardware: Hardware) -> None:
    """Refuse a class none of whose jobs can run, and a listed size that the model does not fit into."""
    sizes = gang_sizes(scenario, plant, index)
    # what a cap on chips could make possible is for the power policy to judge
    reasons = {size: plant.shape(index, size, True, lambda _, least_nw: least_nw) for size in sizes}
    key = ("workload", index, "file" if isinstance(work, Trace) else "chips")
    plan = plant.plans[index]
    if isinstance(work, Training):
        if all(stack is None for stack in plan.pool_stacks):
            text = f"no pool runs {work.kind} of {work.model} on the stacks {', '.join(work.stacks)}"
            raise scenario.error(text + _why_none(work, hardware), "workload", index, "stacks")
        for size, reason in reasons.items():
            if isinstance(reason, str) and "HBM" in reason:
                least = min(n for n, stack in zip(plan.smallest, plan.pool_stacks, strict=True) if stack is not None)
                text = f"found a gang of {size} chips, whose HBM does not hold {work.model}; allowed: at least {least}"
                raise scenario.error(text, *key)
    indivisible = [size for size, reason in reasons.items() if reason == NO_SPLIT]
    if indivisible and isinstance(work, Training) and work.parallelism is not None:
        degrees = work.parallelism
        product = degrees.tensor * degrees.context * degrees.pipeline
        text = f"does not divide a gang of {indivisible[0]} chips: tensor x context x pipeline is {product}"
        raise scenario.error(f"{text}, expert {degrees.expert}", "workload", index, "parallelism")
    if all(isinstance(reason, str) for reason in reasons.values()):
        if any(IN_UNIT in str(reason) for reason in reasons.values()):
            text = f"no gang of this class could ever start, of {sizes[0]} chips or more: {reasons[sizes[0]]}"
            raise scenario.error(text, "workload", index, "topology", "required")
        able = [pool for pool, stack in zip(plant.pools, plan.pool_stacks, strict=True) if stack is not None]
        largest = max(able or plant.pools, key=lambda pool: pool.chips)
        raise scenario.error(
            f"every job of this class needs at least {sizes[0]} chips and is refused: {reasons[sizes[0]]}; "
            f"the largest of its pools has {largest.chips} ({largest.name})",
            *key,
        )
