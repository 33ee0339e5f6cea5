"""Catalog entries by name: the scenario's own before the shipped ones."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from scenarios.errors import unknown
from scenarios.hardware import (
    AcceleratorEntry,
    Band,
    Catalog,
    InterconnectEntry,
    MeasuredRate,
    ModelEntry,
    RackEntry,
    TaskFacts,
)
from scenarios.load import Scenario
from scenarios.schema import PLAIN
from topologies import catalog


@dataclass(slots=True)
class Hardware:
    """Looks entries up and remembers which were used, for the resolved scenario."""

    own: Catalog
    band: Band
    accelerators: dict[str, AcceleratorEntry] = field(default_factory=dict)
    racks: dict[str, RackEntry] = field(default_factory=dict)
    models: dict[str, ModelEntry] = field(default_factory=dict)
    interconnects: dict[str, InterconnectEntry] = field(default_factory=dict)

    def accelerator(self, name: str, scenario: Scenario, *key: str | int) -> AcceleratorEntry:
        """An accelerator; ScenarioError at the key that named it where there is none."""
        if name not in self.accelerators:
            _check("accelerator", name, {*self.own.accelerators, *catalog.table("accelerators")}, scenario, *key)
            self.accelerators[name] = self.own.accelerators.get(name) or catalog.accelerator(name, self.band)
        return self.accelerators[name]

    def rack(self, name: str, scenario: Scenario, *key: str | int) -> RackEntry:
        """A rack; ScenarioError at the key that named it where there is none."""
        if name not in self.racks:
            _check("rack", name, {PLAIN, *self.own.racks, *catalog.table("racks")}, scenario, *key)
            self.racks[name] = self.own.racks.get(name) or catalog.rack(name, self.band)
        return self.racks[name]

    def model(self, name: str, scenario: Scenario, *key: str | int) -> ModelEntry:
        """A model; ScenarioError at the key that named it where there is none."""
        if name not in self.models:
            _check("model", name, {*self.own.models, *catalog.table("models")}, scenario, *key)
            self.models[name] = self.own.models.get(name) or catalog.model(name, self.band)
        return self.models[name]

    def interconnect(self, rack: str, scenario: Scenario, *key: str | int) -> InterconnectEntry:
        """What joins the chips of a rack; ScenarioError where nobody has said it."""
        if rack not in self.interconnects:
            own = self.own.interconnects.get(rack)
            if own is None and (rack in self.own.racks or rack not in catalog.table("interconnect")):
                text = f"rack {rack!r} has no interconnect, which a network needs: give it catalog.interconnects.{rack}"
                raise scenario.error(text, *key)
            self.interconnects[rack] = own or catalog.interconnect(rack, self.band)
        return self.interconnects[rack]

    @property
    def stacks(self) -> set[str]:
        """All stacks that an accelerator of the catalog or the scenario runs."""
        shipped = {facts["stack"].value for facts in catalog.table("accelerators").values()}
        return shipped | {entry.stack for entry in self.own.accelerators.values()}

    @property
    def rates(self) -> Iterable[MeasuredRate]:
        """Measured rows."""
        return self.own.rates if self.own.rates is not None else catalog.rates()

    @property
    def tasks(self) -> TaskFacts:
        """Constants of the kinds of work."""
        return self.own.tasks or catalog.tasks(self.band)

    def used(self) -> Catalog:
        """Everything that was looked up, as a scenario's catalog."""
        rates = [rate for rate in self.rates if rate.model in self.models and rate.accelerator in self.accelerators]
        return Catalog(
            accelerators=self.own.accelerators | self.accelerators,  # a class may name the stack of an unused one
            racks=self.racks,
            interconnects=self.interconnects,
            models=self.models,
            rates=rates,
            tasks=self.tasks,
        )


def _check(kind: str, name: str, known: set[str], scenario: Scenario, *key: str | int) -> None:
    if name not in known:
        raise scenario.error(unknown(kind, name, known), *key)
