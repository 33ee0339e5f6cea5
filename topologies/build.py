"""A scenario's fleet to a plant: the one place of this room that reads the scenario's keys."""

from scenarios.errors import unknown
from scenarios.load import Scenario
from scenarios.schema import PLAIN, Fleet, RackEntry
from topologies.catalog import table
from topologies.plant import Plant, Pool

MOST_DOMAINS = 10_000_000


def build_plant(scenario: Scenario) -> Plant:
    """The plant of a scenario; ScenarioError for an unknown rack and a class that fits nowhere."""
    plant = Plant(tuple(_pool(scenario, index, fleet) for index, fleet in enumerate(scenario.keys.fleet)))
    largest = max(plant.pools, key=lambda pool: pool.chips)
    for index, work in enumerate(scenario.keys.workload):
        smallest = scenario.smallest_gang(work)
        if smallest > largest.chips:
            raise scenario.error(
                f"every job of this class needs at least {smallest} chips; "
                f"allowed: up to {largest.chips}, the largest pool ({largest.name})",
                *("workload", index, "chips" if work.kind == "synthetic" else "file"),
            )
    return plant


def rack_entry(scenario: Scenario, name: str) -> RackEntry | None:
    """The catalog's entry of a rack, the scenario's own before the shipped one; None for an unknown name."""
    own = scenario.keys.catalog.racks
    if name in own:
        return own[name]
    facts = table("racks").get(name)
    if facts is None:
        return None
    return RackEntry.model_validate(
        {
            "accelerator": facts["accelerator"].text,
            "chips": int(facts["chips"].text),
            "domain_chips": int(facts["domain_chips"].text),
            "source": facts["domain_chips"].source,
            "confidence": facts["domain_chips"].confidence,
        }
    )


def _pool(scenario: Scenario, index: int, fleet: Fleet) -> Pool:
    if fleet.rack == PLAIN:
        return Pool(fleet.pool, PLAIN, PLAIN, 1, 1, fleet.chips or 0)
    entry = rack_entry(scenario, fleet.rack)
    if entry is None:
        names = {PLAIN, *table("racks"), *scenario.keys.catalog.racks}
        raise scenario.error(unknown("rack", fleet.rack, names), "fleet", index, "rack")
    count = fleet.count or 0
    domains = count * (entry.chips // entry.domain_chips)
    if domains > MOST_DOMAINS:
        text = f"found {domains:,} scale-up domains in one pool; allowed: up to {MOST_DOMAINS:,}"
        raise scenario.error(text, "fleet", index, "count")
    return Pool(fleet.pool, fleet.rack, entry.accelerator, count, domains, entry.domain_chips)
