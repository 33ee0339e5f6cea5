"""The shipped catalog: every figure has a source, a confidence, and a unit that the program knows."""

import pytest

from topologies.catalog import FOLDER, table

TABLES = sorted(path.stem for path in FOLDER.glob("*.csv"))
FACTS = [fact for name in TABLES for facts in table(name).values() for fact in facts.values()]
NAMED = {"accelerator"}  # metrics whose value is a name
SI_UNITS = {  # metric -> the SI unit its unit must come out in, by one known figure
    "dense_bf16": ("h100-sxm", 989e12),
    "hbm": ("h100-sxm", 80e9),
    "hbm_bandwidth": ("h100-sxm", 3.35e12),
    "tdp": ("h100-sxm", 700.0),
}


def called(fact):
    return f"{fact.item}.{fact.metric}"


def test_the_catalog_has_accelerators_and_racks():
    assert {"accelerators", "racks"} <= set(TABLES)
    assert table("accelerators")
    assert table("racks")


@pytest.mark.parametrize("fact", FACTS, ids=called)
def test_every_figure_has_a_source_and_a_confidence(fact):
    assert fact.source.strip()
    assert fact.confidence in ("high", "medium", "low", "estimate")
    assert (fact.source == "ESTIMATE") == (fact.confidence == "estimate")


@pytest.mark.parametrize("fact", FACTS, ids=called)
def test_every_figure_is_a_positive_number_in_a_known_unit(fact):
    if fact.metric in NAMED:
        assert fact.text
        assert not fact.unit
    else:
        assert fact.si > 0


@pytest.mark.parametrize("metric", SI_UNITS)
def test_a_figure_comes_out_in_si_units(metric):
    item, value = SI_UNITS[metric]
    assert table("accelerators")[item][metric].si == pytest.approx(value)


@pytest.mark.parametrize("name", TABLES)
def test_no_figure_is_given_twice(name):
    with (FOLDER / f"{name}.csv").open(encoding="utf-8") as file:
        rows = sum(1 for line in file if line.strip()) - 1
    assert sum(len(facts) for facts in table(name).values()) == rows


@pytest.mark.parametrize("rack", table("racks"))
def test_every_rack_is_whole_domains_of_a_listed_accelerator(rack):
    facts = table("racks")[rack]
    assert facts["accelerator"].text in table("accelerators")
    chips, domain_chips = int(facts["chips"].text), int(facts["domain_chips"].text)
    assert chips % domain_chips == 0
