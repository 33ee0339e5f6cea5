"""A scenario's fleet as built: pools, their domains, and what is refused with its line."""

import pytest

from scenarios.errors import ScenarioError
from scenarios.load import load
from topologies.build import build_plant, rack_entry
from topologies.plant import Plant, Pool

SCENARIO = """name: small
horizon: 1 day
fleet:
{fleet}
workload:
  - class: tuning
    kind: synthetic
    chips: {chips}
    duration: 1 hour
    arrivals: {{per_hour: 1}}
{more}
"""
PLAIN = "  - {pool: cpu, rack: plain, chips: 64}"
DGX = "  - {pool: dgx, rack: dgx-h100, count: 4}"
OWN = "catalog: {{racks: {{{name}: {{accelerator: x1, chips: 72, domain_chips: 36, source: me, confidence: low}}}}}}"


@pytest.fixture
def scenario(tmp_path):
    def read(fleet, chips="1", more=""):
        path = tmp_path / "small.yaml"
        path.write_text(SCENARIO.format(fleet=fleet, chips=chips, more=more))
        return load(path)

    return read


def refused(scenario):
    with pytest.raises(ScenarioError) as caught:
        build_plant(scenario)
    return str(caught.value)


def test_a_plain_pool_is_one_domain_of_all_its_processors(scenario):
    (pool,) = build_plant(scenario(PLAIN)).pools
    assert pool == Pool("cpu", "plain", "plain", 1, 1, 64)
    assert pool.all_free().in_domain(0) == 64


def test_a_pool_of_shipped_racks_has_their_domains(scenario):
    (pool,) = build_plant(scenario(DGX)).pools
    assert pool == Pool("dgx", "dgx-h100", "h100-sxm", 4, 4, 8)
    assert pool.chips == 32
    assert pool.all_free().empty(4) == [0, 1, 2, 3]


def test_the_pools_keep_the_order_of_the_fleet(scenario):
    plant = build_plant(scenario(f"{DGX}\n{PLAIN}"))
    assert [pool.name for pool in plant.pools] == ["dgx", "cpu"]
    assert plant.chips == 96


def test_a_rack_of_the_scenarios_own_catalog_is_built(scenario):
    (pool,) = build_plant(scenario("  - {pool: new, rack: mine, count: 3}", more=OWN.format(name="mine"))).pools
    assert pool == Pool("new", "mine", "x1", 3, 6, 36)


def test_the_scenarios_own_rack_wins_over_the_shipped_one_of_that_name(scenario):
    (pool,) = build_plant(scenario(DGX, more=OWN.format(name="dgx-h100"))).pools
    assert pool == Pool("dgx", "dgx-h100", "x1", 4, 8, 36)


def test_a_rack_entry_is_found_by_name_only(scenario):
    read = scenario(PLAIN)
    assert rack_entry(read, "dgx-h100").domain_chips == 8
    assert rack_entry(read, "dgx-h999") is None


def test_an_unknown_rack_is_refused_with_its_line_and_the_nearest_name(scenario):
    message = refused(scenario(f"{PLAIN}\n  - {{pool: dgx, rack: dgx-h10, count: 4}}"))
    assert "small.yaml:5: fleet" in message
    assert "unknown rack 'dgx-h10'; did you mean 'dgx-h100'? (allowed: " in message
    assert "plain" in message


def test_the_racks_allowed_include_the_scenarios_own(scenario):
    message = refused(scenario("  - {pool: new, rack: mien, count: 3}", more=OWN.format(name="mine")))
    assert "did you mean 'mine'?" in message


@pytest.mark.parametrize("chips", ["65", "{choice: [65, 80]}", "{choice: {80: 1, 65: 2}}", "{uniform: [65, 80]}"])
def test_a_class_with_no_job_that_fits_is_refused_with_its_line(chips, scenario):
    message = refused(scenario(f"{DGX}\n{PLAIN}", chips))
    assert "small.yaml:9: workload" in message
    assert "needs at least 65 chips; allowed: up to 64, the largest pool (cpu)" in message


@pytest.mark.parametrize("chips", ["64", "{choice: [64, 80]}", "{choice: {80: 1, 64: 2}}", "{uniform: [64, 80]}"])
def test_a_class_with_a_job_that_fits_is_accepted(chips, scenario):
    assert build_plant(scenario(f"{DGX}\n{PLAIN}", chips)).chips == 96


def test_a_trace_with_no_job_that_fits_is_refused_with_the_line_of_its_file(scenario, tmp_path):
    (tmp_path / "log.swf").write_text("1 0 -1 10 65 -1 -1 65 10 -1 1 0 0 -1 1 1 -1 -1\n")
    trace = "  - {class: log, kind: trace, format: swf, file: log.swf}"
    message = refused(scenario(PLAIN, more=trace))
    assert "small.yaml:11: workload" in message
    assert "needs at least 65 chips" in message


def test_a_gang_may_use_the_pools_that_hold_it_when_empty():
    plant = Plant((Pool("a", "r", "x", 1, 2, 4), Pool("b", "r", "x", 1, 4, 4), Pool("c", "r", "x", 1, 1, 8)))
    assert plant.pools_for(8) == (0, 1, 2)
    assert plant.pools_for(9) == (1,)
    assert plant.pools_for(17) == ()
