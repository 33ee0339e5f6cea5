"""The hardware catalog as data: tables of (item, metric, value, low, high, unit, source, confidence) shipped as CSV.

A figure without a published source has ESTIMATE in its source and "estimate" as its confidence. The tables become
the entries of scenarios/hardware.py, which a scenario's own catalog may replace one by one.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from scenarios.hardware import AcceleratorEntry, MeasuredRate, ModelEntry, RackEntry, TaskFacts

FOLDER = Path(__file__).parent / "catalog"
SHIPPED = "the shipped catalog (megawatt show ... --sources)"


@dataclass(frozen=True, slots=True)
class Fact:
    """One catalog row as written; low and high are empty where no band is known."""

    item: str
    metric: str
    value: str
    low: str
    high: str
    unit: str
    source: str
    confidence: str
    note: str

    @property
    def key_value(self) -> Any:
        """The value as a scenario would write it: text with its unit, a number, or a name."""
        if self.unit:
            return f"{self.value} {self.unit}"
        try:
            number = float(self.value)
        except ValueError:
            return self.value
        return int(number) if self.value.isdigit() else number


@cache
def table(name: str) -> dict[str, dict[str, Fact]]:
    """A catalog table (accelerators, racks, models, tasks) as item -> metric -> fact."""
    items: dict[str, dict[str, Fact]] = {}
    for row in _rows(name):
        fact = Fact(**row)
        items.setdefault(fact.item, {})[fact.metric] = fact
    return items


def accelerator(name: str) -> AcceleratorEntry:
    """A shipped accelerator."""
    return AcceleratorEntry.model_validate(_entry("accelerators", name, set(AcceleratorEntry.model_fields)))


def model(name: str) -> ModelEntry:
    """A shipped model."""
    return ModelEntry.model_validate(_entry("models", name, set(ModelEntry.model_fields)))


def rack(name: str) -> RackEntry:
    """A shipped rack; its stages' efficiencies stand in columns of their own."""
    facts = table("racks")[name]
    entry = _entry("racks", name, set(RackEntry.model_fields))
    entry["node_stage"] = {"efficiency": facts["node_efficiency"].key_value}
    entry["rack_stage"] = {"efficiency": facts["rack_efficiency"].key_value}
    return RackEntry.model_validate(entry)


@cache
def rates() -> tuple[MeasuredRate, ...]:
    """The shipped measured training rows."""
    numbers = {"sequence": int, "chips": int, "tokens_per_s_per_chip": float}
    return tuple(
        MeasuredRate.model_validate({key: numbers.get(key, str)(value) for key, value in row.items()})
        for row in _rows("training")
    )


@cache
def tasks() -> TaskFacts:
    """The shipped constants of the kinds of work."""
    facts = table("tasks")
    return TaskFacts(
        training_demand=float(facts["training"]["demand"].value),
        fine_tuning_demand=float(facts["fine-tuning"]["demand"].value),
        synthetic_demand=float(facts["synthetic"]["demand"].value),
        trace_demand=float(facts["trace"]["demand"].value),
        relative_mfu_of_experts=float(facts["mixture-of-experts"]["relative_mfu"].value),
        bytes_per_parameter=float(facts["training"]["bytes_per_parameter"].value),
        usable_hbm=float(facts["training"]["usable_hbm"].value),
        fine_tuning_sequence=int(facts["fine-tuning"]["sequence"].value),
    )


def _entry(of: str, name: str, fields: set[str]) -> dict[str, Any]:
    facts = table(of)[name]
    estimates = [metric for metric, fact in facts.items() if fact.confidence == "estimate"]
    order = ("high", "medium", "low", "estimate")
    lowest = max((fact.confidence for fact in facts.values()), key=order.index)
    entry = {metric: fact.key_value for metric, fact in facts.items() if metric in fields}
    return {**entry, "source": SHIPPED, "confidence": lowest, "estimates": estimates}


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
