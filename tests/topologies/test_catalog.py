"""The shipped catalog: every figure has a source, a confidence, and a unit that the program knows."""

import csv
from dataclasses import fields

import pytest
from pydantic import ValidationError

from scenarios.hardware import AcceleratorEntry
from scenarios.units import to_si
from topologies.catalog import FOLDER, accelerator, model, rack, rates, scale_out, scale_up, table, tasks

TABLES = ("accelerators", "fabric", "interconnect", "models", "racks", "tasks")
SCALE_UP = ("nvlink4", "nvlink5", "neuronlink")
SCALE_OUT = ("efa", "infiniband")
FACTS = [fact for name in TABLES for facts in table(name).values() for fact in facts.values()]
NAMED = {
    "accelerator",
    "stack",
    "training_precision",
    "form",
    "sides",
    "scale_up",
    "scale_out",
}  # metrics whose value is a name
MAYBE_NONE = {"experts", "experts_per_token", "fixed"}  # metrics that an item may have none of
SI_UNITS = {  # metric -> the SI unit its unit must come out in, by one known figure
    "dense_bf16": ("h100-sxm", 989e12),
    "hbm": ("h100-sxm", 80e9),
    "hbm_bandwidth": ("h100-sxm", 3.35e12),
    "tdp": ("h100-sxm", 700.0),
}
CONFIDENCES = ("high", "medium", "low", "estimate")
BANDS = ("low", "base", "high")


def called(fact):
    return f"{fact.item}.{fact.metric}"


def si(fact):
    return to_si(float(fact.value), fact.unit)


def test_the_catalog_has_accelerators_and_racks():
    files = {path.stem for path in FOLDER.glob("*.csv")}
    assert files == {*TABLES, "training"}, "a table that no test here reads"
    assert table("accelerators")
    assert table("racks")


@pytest.mark.parametrize("fact", FACTS, ids=called)
def test_every_figure_has_a_source_and_a_confidence(fact):
    assert fact.source.strip()
    assert fact.confidence in CONFIDENCES
    assert ("ESTIMATE" in fact.source) == (fact.confidence == "estimate")


@pytest.mark.parametrize("fact", FACTS, ids=called)
def test_every_figure_is_a_positive_number_in_a_known_unit(fact):
    if fact.metric in NAMED:
        assert fact.value
        assert not fact.unit
    elif fact.metric in MAYBE_NONE:
        assert si(fact) >= 0
    else:
        assert si(fact) > 0


@pytest.mark.parametrize("fact", [fact for fact in FACTS if fact.low or fact.high], ids=called)
def test_a_band_holds_its_figure(fact):
    assert float(fact.low) <= float(fact.value) <= float(fact.high)


@pytest.mark.parametrize("metric", SI_UNITS)
def test_a_figure_comes_out_in_si_units(metric):
    item, value = SI_UNITS[metric]
    assert si(table("accelerators")[item][metric]) == pytest.approx(value)
    if metric != "hbm_bandwidth":  # which no entry has
        assert getattr(accelerator(item), metric) == pytest.approx(value)


@pytest.mark.parametrize("name", TABLES)
def test_no_figure_is_given_twice(name):
    with (FOLDER / f"{name}.csv").open(encoding="utf-8") as file:
        rows = sum(1 for line in file if line.strip()) - 1
    assert sum(len(facts) for facts in table(name).values()) == rows


@pytest.mark.parametrize("name", table("racks"))
def test_every_rack_is_whole_domains_of_a_listed_accelerator(name):
    facts = table("racks")[name]
    assert facts["accelerator"].value in table("accelerators")
    chips, domain_chips = int(facts["chips"].value), int(facts["domain_chips"].value)
    assert chips % domain_chips == 0
    assert (rack(name).chips, rack(name).domain_chips) == (chips, domain_chips)


@pytest.mark.parametrize(
    ("of", "entry"),
    [("accelerators", accelerator), ("racks", rack), ("models", model)],
    ids=lambda of: getattr(of, "__name__", of),
)
def test_an_entry_names_its_estimates_and_is_as_sure_as_its_least_sure_figure(of, entry):
    for name, facts in table(of).items():
        estimates = {metric for metric, fact in facts.items() if fact.confidence == "estimate"}
        assert set(entry(name).estimates) == estimates
        sure = [CONFIDENCES.index(fact.confidence) for fact in facts.values()]
        assert entry(name).confidence == CONFIDENCES[max(sure)]


def test_every_measured_rate_is_sourced_and_positive_and_of_a_listed_model_and_accelerator():
    with (FOLDER / "training.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == len(rates())
    for rate in rates():
        assert rate.source.strip()
        assert rate.confidence in CONFIDENCES
        assert ("ESTIMATE" in rate.source) == (rate.confidence == "estimate")
        assert rate.tokens_per_s_per_chip > 0
        assert rate.model in table("models")
        assert rate.accelerator in table("accelerators")


def test_no_rate_is_given_twice():
    keys = [(rate.task, rate.model, rate.accelerator, rate.precision, rate.sequence, rate.chips) for rate in rates()]
    assert len(set(keys)) == len(keys)


def test_the_constants_of_the_kinds_of_work_are_those_of_the_table():
    facts = table("tasks")
    for kind in ("training", "fine-tuning", "synthetic", "trace"):
        for metric in ("demand", "cap_exponent", "peak_to_mean"):
            field = f"{kind.replace('-', '_')}_{metric}"
            assert getattr(tasks(), field) == si(facts[kind][metric])
    assert tasks().rack_boot == si(facts["rack"]["boot"]) == 600.0


@pytest.mark.parametrize("band", BANDS)
def test_the_ends_of_the_bands_are_constants_that_an_entry_may_hold(band):
    assert tasks(band).training_cap_exponent == {"low": 0.3, "base": 0.56, "high": 0.75}[band]
    for name in table("accelerators"):
        chip = accelerator(name, band)
        assert chip.minimum_cap is not None
        assert chip.idle <= chip.minimum_cap == chip.lowest_cap_w <= chip.tdp


@pytest.mark.parametrize("band", BANDS)
def test_every_kind_of_links_and_of_network_is_read_from_its_rows_in_si(band):
    assert {*SCALE_UP, *SCALE_OUT} == set(table("fabric"))
    names = {  # field -> metric
        "base_s": "base",
        "ring_step_s": "ring_step",
        "tree_step_s": "tree_step",
        "post_s": "post",
        "switch_s": "switch",
        "short_base_s": "short_base",
        "short_step_s": "short_step",
    }
    for name in table("fabric"):
        found = scale_up(name, band) if name in SCALE_UP else scale_out(name, band)
        facts = dict(table("fabric")[name])
        for field in fields(found):
            fact = facts.pop(names.get(field.name, field.name), None)
            assert getattr(found, field.name) == (field.default if fact is None else fact.si_value(band))
        assert not facts, "a figure that nothing reads"


def test_a_step_of_nvlink_is_3_4_microseconds_and_only_nvlink_adds_up_in_its_switches():
    assert scale_up("nvlink5").ring_step_s == pytest.approx(3.4e-6)
    assert [scale_up(name).switch_efficiency > 0 for name in SCALE_UP] == [True, True, False]


def own(**keys):
    raw = {"stack": "cuda", "tdp": "1 kW", "idle": "100 W", "source": "me", "confidence": "low", **keys}
    return AcceleratorEntry.model_validate(raw)


def test_a_chip_without_a_minimum_cap_takes_three_tenths_of_tdp_and_never_less_than_idle():
    assert own().lowest_cap_w == pytest.approx(300)
    assert own(idle="400 W").lowest_cap_w == 400
    assert own(minimum_cap="250 W").lowest_cap_w == 250


@pytest.mark.parametrize("watts", ["100 W", "1 kW"])
def test_a_minimum_cap_may_be_at_either_end_of_idle_and_tdp(watts):
    assert own(minimum_cap=watts).minimum_cap in (100, 1000)


@pytest.mark.parametrize("watts", ["99", "1001"])
def test_a_minimum_cap_below_idle_or_above_tdp_is_refused(watts):
    allowed = rf"found a minimum_cap of {watts} W; allowed: from idle \(100 W\) to tdp \(1000 W\)"
    with pytest.raises(ValidationError, match=allowed):
        own(minimum_cap=f"{watts} W")
