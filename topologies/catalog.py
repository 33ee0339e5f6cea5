"""The hardware catalog as data: tables of (item, metric, value, low, high, unit, source, confidence) shipped as CSV.

A figure without a published source has ESTIMATE in its source and "estimate" as its confidence. The tables become
the entries of scenarios/hardware.py, which a scenario's own catalog may replace one by one.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from scenarios.hardware import (
    AcceleratorEntry,
    Band,
    InterconnectEntry,
    MeasuredRate,
    ModelEntry,
    RackEntry,
    ScaleOutEntry,
    ScaleUpEntry,
    TaskFacts,
)
from scenarios.network import Parallelism
from scenarios.units import to_si
from topologies.collectives import ScaleOut, ScaleUp

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

    def key_value(self, band: Band = "base") -> Any:
        """The value as a scenario would write it: text with its unit, a number, or a name.

        band: the low or the high end where the figure has one, else the value.
        """
        value = self._text(band)
        if self.unit:
            return f"{value} {self.unit}"
        try:
            number = float(value)
        except ValueError:
            return value
        return int(number) if value.isdigit() else number

    def si_value(self, band: Band = "base") -> float:
        """The value as a number in SI; band as in key_value."""
        return to_si(float(self._text(band)), self.unit)

    def _text(self, band: Band) -> str:
        return {"low": self.low, "base": self.value, "high": self.high}[band] or self.value


@cache
def table(name: str) -> dict[str, dict[str, Fact]]:
    """A catalog table (accelerators, racks, models, tasks, fabric) as item -> metric -> fact."""
    items: dict[str, dict[str, Fact]] = {}
    for row in _rows(name):
        fact = Fact(**row)
        items.setdefault(fact.item, {})[fact.metric] = fact
    return items


def accelerator(name: str, band: Band = "base") -> AcceleratorEntry:
    """A shipped accelerator."""
    return AcceleratorEntry.model_validate(_entry("accelerators", name, set(AcceleratorEntry.model_fields), band))


def model(name: str, band: Band = "base") -> ModelEntry:
    """A shipped model."""
    return ModelEntry.model_validate(_entry("models", name, set(ModelEntry.model_fields), band))


def rack(name: str, band: Band = "base") -> RackEntry:
    """A shipped rack; its stages' efficiencies stand in columns of their own."""
    facts = table("racks")[name]
    entry = _entry("racks", name, set(RackEntry.model_fields), band)
    entry["node_stage"] = {"efficiency": facts["node_efficiency"].key_value(band)}
    entry["rack_stage"] = {"efficiency": facts["rack_efficiency"].key_value(band)}
    return RackEntry.model_validate(entry)


@cache
def rates() -> tuple[MeasuredRate, ...]:
    """The shipped measured training rows."""
    return tuple(MeasuredRate.model_validate(_rate(row)) for row in _rows("training"))


def _rate(row: dict[str, str]) -> dict[str, Any]:
    """A row as a scenario would write it; how the model was split is left out where nobody has said it."""
    numbers = {"sequence": int, "chips": int, "tokens_per_s_per_chip": float, "batch": int}
    degrees = {name: row.pop(name) for name in Parallelism.model_fields}
    entry: dict[str, Any] = {key: numbers.get(key, str)(value) for key, value in row.items() if value}
    if all(degrees.values()):
        entry["parallelism"] = {name: int(value) for name, value in degrees.items()}
    return entry


@cache
def tasks(band: Band = "base") -> TaskFacts:
    """The shipped constants of the kinds of work."""

    def of(item: str, metric: str) -> Any:
        return table("tasks")[item][metric].key_value(band)

    return TaskFacts(
        training_demand=of("training", "demand"),
        fine_tuning_demand=of("fine-tuning", "demand"),
        synthetic_demand=of("synthetic", "demand"),
        trace_demand=of("trace", "demand"),
        training_cap_exponent=of("training", "cap_exponent"),
        fine_tuning_cap_exponent=of("fine-tuning", "cap_exponent"),
        synthetic_cap_exponent=of("synthetic", "cap_exponent"),
        trace_cap_exponent=of("trace", "cap_exponent"),
        training_peak_to_mean=of("training", "peak_to_mean"),
        fine_tuning_peak_to_mean=of("fine-tuning", "peak_to_mean"),
        synthetic_peak_to_mean=of("synthetic", "peak_to_mean"),
        trace_peak_to_mean=of("trace", "peak_to_mean"),
        rack_boot=of("rack", "boot"),
        relative_mfu_of_experts=of("mixture-of-experts", "relative_mfu"),
        bytes_per_parameter=of("training", "bytes_per_parameter"),
        usable_hbm=of("training", "usable_hbm"),
        fine_tuning_sequence=of("fine-tuning", "sequence"),
        fine_tuning_batch=of("fine-tuning", "batch"),
        background_overlap=of("training", "background_overlap"),
        blocking_overlap=of("training", "blocking_overlap"),
        chunk_layers=of("training", "chunk_layers"),
    )


def interconnect(name: str, band: Band = "base") -> InterconnectEntry:
    """What joins the chips of a shipped rack; behind switches a chip has the bandwidth of its accelerator."""
    facts = table("interconnect")[name]
    entry = _entry("interconnect", name, {"nics", "nic_bandwidth", "rails"}, band)
    if facts["form"].value == "torus":
        entry["sides"] = [int(side) for side in facts["sides"].value.split("x")]
        entry["links"] = [
            facts[f"{axis}_bandwidth"].key_value(band) for axis, _ in zip("xyz", entry["sides"], strict=False)
        ]
    else:
        chip = table("accelerators")[table("racks")[name]["accelerator"].value]
        entry["bandwidth"] = chip["scale_up_bandwidth"].key_value(band)
    for side, kind in (("scale_up", ScaleUpEntry), ("scale_out", ScaleOutEntry)):
        constants = table("fabric")[facts[side].value]
        entry[side] = {name: fact.key_value(band) for name, fact in constants.items() if name in kind.model_fields}
    return InterconnectEntry.model_validate(entry)


_BY_SIZE = (
    *("ring_efficiency_2", "ring_efficiency_4"),
    *("all_to_all_efficiency", "all_to_all_efficiency_2", "all_to_all_efficiency_4"),
)


def scale_up(name: str, band: Band = "base") -> ScaleUp:
    """The constants of a shipped kind of links inside a domain."""
    facts = table("fabric")[name]
    switches = "switch" in facts
    return ScaleUp(
        base_s=facts["base"].si_value(band),
        ring_step_s=facts["ring_step"].si_value(band),
        tree_step_s=facts["tree_step"].si_value(band),
        ring_efficiency=facts["ring_efficiency"].si_value(band),
        switch_s=facts["switch"].si_value(band) if switches else 0.0,
        switch_efficiency=facts["switch_efficiency"].si_value(band) if switches else 0.0,
        switch_from=int(facts["switch_from"].value) if switches else 2,
        **{name: facts[name].si_value(band) for name in _BY_SIZE if name in facts},
        short_base_s=facts["short_base"].si_value(band) if "short_base" in facts else 0.0,
        short_step_s=facts["short_step"].si_value(band) if "short_step" in facts else 0.0,
    )


def scale_out(name: str, band: Band = "base") -> ScaleOut:
    """The constants of a shipped kind of network across domains."""
    facts = table("fabric")[name]
    return ScaleOut(
        base_s=facts["base"].si_value(band),
        ring_step_s=facts["ring_step"].si_value(band),
        tree_step_s=facts["tree_step"].si_value(band),
        post_s=facts["post"].si_value(band),
        ring_efficiency=facts["ring_efficiency"].si_value(band),
        hierarchical_efficiency=facts["hierarchical_efficiency"].si_value(band),
    )


def _entry(of: str, name: str, fields: set[str], band: Band) -> dict[str, Any]:
    facts = table(of)[name]
    estimates = [metric for metric, fact in facts.items() if fact.confidence == "estimate"]
    order = ("high", "medium", "low", "estimate")
    lowest = max((fact.confidence for fact in facts.values()), key=order.index)
    entry = {metric: fact.key_value(band) for metric, fact in facts.items() if metric in fields}
    return {**entry, "source": SHIPPED, "confidence": lowest, "estimates": estimates}


def _rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
