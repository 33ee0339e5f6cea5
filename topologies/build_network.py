"""A scenario's network and what its classes exchange to the network of a plant."""

import math
from collections.abc import Sequence

from scenarios.load import Scenario
from scenarios.network import Network as NetworkKeys
from scenarios.schema import PLAIN
from scenarios.workload import Training, Work
from topologies.classes import training_rate
from topologies.domains import Domain
from topologies.fabric import Endpoints, Fabric, Switches, least_rails, three_tiers, two_tiers
from topologies.hardware import Hardware
from topologies.network import Network, Segment
from topologies.plant import ClassPlan, Pool
from topologies.speeds import Direct, Speed
from topologies.trained import Trained, trained

_MOST_GROUPS = 30_000


def build_network(
    scenario: Scenario, hardware: Hardware, pools: Sequence[Pool], plans: Sequence[ClassPlan]
) -> Network | None:
    """The network of a scenario, None without the key; ScenarioError for a fabric that does not hold a pool."""
    keys = scenario.keys.network
    if keys is None:
        return None
    segments: list[Segment | None] = []
    first_link = 0
    for at, pool in enumerate(pools):
        segment = _segment(scenario, keys, hardware, at, pool, first_link) if pool.rack != PLAIN else None
        segments.append(segment)
        first_link += 0 if segment is None else len(segment.capacities)
    speeds = [
        tuple(_speed(scenario, hardware, index, work, plans[index], at, segment) for at, segment in enumerate(segments))
        for index, work in enumerate(scenario.keys.workload)
    ]
    return Network(tuple(segments), tuple(speeds), keys.contention)


def _segment(
    scenario: Scenario, keys: NetworkKeys, hardware: Hardware, at: int, pool: Pool, first_link: int
) -> Segment:
    entry = hardware.interconnect(pool.rack, scenario, "fleet", at, "rack")
    chips = math.prod(entry.sides or ())
    if entry.sides and chips != pool.domain_chips:
        text = f"found a torus of {chips} chips; the domains of {pool.rack} have {pool.domain_chips}"
        raise scenario.error(text, "catalog", "interconnects", pool.rack, "sides")
    ends = Endpoints(pool.domains, entry.nics, keys.link or entry.nic_bandwidth, 0.0)
    try:
        form = _form(keys, ends, entry.rails)
    except ValueError as error:
        key = "rails" if keys.rails is not None and "rails" in str(error) else "fabric"
        raise scenario.error(f"pool {pool.name}: {error}", "network", key) from None
    if form.groups > _MOST_GROUPS:
        text = f"pool {pool.name}: found {form.groups:,} groups of leaves; allowed: up to {_MOST_GROUPS:,}"
        raise scenario.error(text, "network", "ports")
    return Segment(Domain.of(entry, pool.domain_chips, keys.link), form, first_link)


def _form(keys: NetworkKeys, ends: Endpoints, node_nics: int) -> Fabric:
    """The form of a pool's fabric; ValueError where it does not hold the domains."""
    leaf, spine = keys.tiers
    switches = Switches(keys.ports, 0.0, max(keys.ports, keys.spine_ports))
    rails = keys.rails or least_rails(ends, switches, leaf, node_nics if keys.fabric == "rail-optimised" else 1)
    if keys.fabric == "fat-tree":
        return three_tiers(ends, switches, (leaf, spine), rails)
    return two_tiers(ends, switches, leaf, rails)


def _speed(
    scenario: Scenario,
    hardware: Hardware,
    index: int,
    work: Work,
    plan: ClassPlan,
    at: int,
    segment: Segment | None,
) -> Speed | None:
    """The speed of a class in a pool; None where it cannot run there, or exchanges nothing that is known."""
    if segment is None or plan.pool_stacks[at] is None:
        return None
    if work.communication is not None:
        pace_s = plan.pace_s[at]
        return Direct(
            work.communication,
            segment.domain,
            segment.up,
            segment.compact,
            (lambda chips: pace_s / chips) if plan.per_gang else (lambda _: pace_s),
        )
    if not isinstance(work, Training):
        return None
    name = scenario.keys.fleet[at].rack
    rack = hardware.rack(name, scenario, "fleet", at, "rack")
    chip = hardware.accelerator(rack.accelerator, scenario, "fleet", at, "rack")
    rate = training_rate(scenario, index, work, rack.accelerator, chip, hardware)
    if rate is None or chip.hbm is None:
        return None
    home = Domain.of(hardware.interconnect(name, scenario, "fleet", at, "rack"), segment.domain.chips)
    speed = trained(rate, chip.hbm, hardware.tasks, segment, home, work.batch, work.parallelism)
    _check_split(scenario, index, work, speed)
    return speed


def _check_split(scenario: Scenario, index: int, work: Training, speed: Trained) -> None:
    """Refuse a demanded split that no model of this form can have."""
    if work.parallelism is None:
        return
    model = speed.job.model
    heads = None if model.head_width is None else model.attention_width // model.head_width
    most = {
        "tensor": heads,
        "pipeline": model.layers,
        "context": speed.job.sequence,
        "expert": max(1, model.experts),
        "micro_batch": speed.job.batch,
    }
    for name, limit in most.items():
        found = getattr(work.parallelism, name)
        if limit is not None and found > limit:
            text = f"found {found}; allowed: at most {limit} for {work.model} in batches of {speed.job.batch}"
            raise scenario.error(text, "workload", index, "parallelism", name)
