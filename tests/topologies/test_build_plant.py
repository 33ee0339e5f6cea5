"""A scenario's fleet as built: pools, their domains, and what is refused with its line."""

import pytest

from scenarios.errors import ScenarioError
from scenarios.load import load
from topologies.build import build_plant
from topologies.hardware import Hardware
from topologies.plant import ClassPlan, Plant, Pool, Site

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
ENTRY = "accelerator: h100-sxm, chips: 72, domain_chips: 36, node_chips: 4, source: me, confidence: low"
OWN = "catalog: {{racks: {{{name}: {{" + ENTRY + "}}}}}}"
DGX_IDLE_W = (1650 + 8 * 72) / 0.94  # hosts and idle chips behind the server's power supplies


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


def own(name):
    return OWN.format(name=name)


def shape(pool):
    """What a pool is made of: names, racks, domains, chips of a domain."""
    return pool.name, pool.rack, pool.accelerator, pool.racks, pool.domains, pool.domain_chips


def test_a_plain_pool_is_one_domain_of_all_its_processors(scenario):
    plant = build_plant(scenario(PLAIN))
    (pool,), (free,) = plant.pools, plant.free_chips()
    assert pool == Pool("cpu", "plain", "plain", 1, 1, 64, 0, 0.0, 0.0, ((0.0, 1),), 0.0)
    assert free.free == 0
    free.give(((0, 64),))
    assert free.in_domain(0) == 64


def test_a_pool_of_shipped_racks_has_their_domains(scenario):
    plant = build_plant(scenario(DGX))
    (pool,), (free,) = plant.pools, plant.free_chips()
    assert pool == Pool(
        "dgx", "dgx-h100", "h100-sxm", 4, 4, 8, round(DGX_IDLE_W * 1e9), 72.0, 1650.0, ((0.0, 4),), 6.88 / 3600, 8
    )
    assert pool.chips == 32
    assert free.empty(1) == []
    free.give(tuple((domain, 8) for domain in range(4)))
    assert free.empty(4) == [0, 1, 2, 3]


def test_the_pools_keep_the_order_of_the_fleet(scenario):
    plant = build_plant(scenario(f"{DGX}\n{PLAIN}"))
    assert [pool.name for pool in plant.pools] == ["dgx", "cpu"]
    assert plant.chips == 96


def test_a_rack_of_the_scenarios_own_catalog_is_built(scenario):
    (pool,) = build_plant(scenario("  - {pool: new, rack: mine, count: 3}", more=own("mine"))).pools
    assert shape(pool) == ("new", "mine", "h100-sxm", 3, 6, 36)


def test_the_scenarios_own_rack_wins_over_the_shipped_one_of_that_name(scenario):
    (pool,) = build_plant(scenario(DGX, more=own("dgx-h100"))).pools
    assert shape(pool) == ("dgx", "dgx-h100", "h100-sxm", 4, 8, 36)


def test_a_rack_of_an_unknown_accelerator_is_refused_with_its_line_and_the_nearest_name(scenario):
    message = refused(
        scenario("  - {pool: new, rack: mine, count: 3}", more=own("mine").replace("h100-sxm", "h100-sxn"))
    )
    assert "small.yaml:4: fleet" in message
    assert "unknown accelerator 'h100-sxn'; did you mean 'h100-sxm'? (allowed: " in message


def test_a_rack_entry_is_found_by_name_only(scenario):
    read = scenario(PLAIN)
    hardware = Hardware(read.keys.catalog, "base")
    assert hardware.rack("dgx-h100", read, "fleet", 0, "rack").domain_chips == 8
    with pytest.raises(ScenarioError, match="unknown rack 'dgx-h999'"):
        hardware.rack("dgx-h999", read, "fleet", 0, "rack")


def test_an_unknown_rack_is_refused_with_its_line_and_the_nearest_name(scenario):
    message = refused(scenario(f"{PLAIN}\n  - {{pool: dgx, rack: dgx-h10, count: 4}}"))
    assert "small.yaml:5: fleet" in message
    assert "unknown rack 'dgx-h10'; did you mean 'dgx-h100'? (allowed: " in message
    assert "plain" in message


def test_the_racks_allowed_include_the_scenarios_own(scenario):
    message = refused(scenario("  - {pool: new, rack: mien, count: 3}", more=own("mine")))
    assert "did you mean 'mine'?" in message


@pytest.mark.parametrize("chips", ["65", "{choice: [65, 80]}", "{choice: {80: 1, 65: 2}}", "{uniform: [65, 80]}"])
def test_a_class_with_no_job_that_fits_is_refused_with_its_line(chips, scenario):
    message = refused(scenario(f"{DGX}\n{PLAIN}", chips))
    assert "small.yaml:9: workload" in message
    reason = "larger than every pool it may use; the largest of its pools has 64 (cpu)"
    assert f"every job of this class needs at least 65 chips and is refused: {reason}" in message


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
    sizes = {"a": (2, 4), "b": (4, 4), "c": (1, 8)}
    pools = tuple(Pool(name, "r", "x", 1, *size, 0, 0.0, 0.0, ((0.0, 1),)) for name, size in sizes.items())
    zeros = (0.0,) * 3
    anywhere = ClassPlan((), ("", "", ""), (1.0,) * 3, False, (1,) * 3, (0,) * 3, zeros, zeros, (0,) * 3, zeros)
    plant = Plant(pools, (anywhere,), Site(None, 0.0, 0.0, 0.0), None, ())
    assert plant.shape(0, 8, True).pools == (0, 1, 2)
    assert plant.shape(0, 9, True).pools == (1,)
    assert plant.shape(0, 17, True) == "larger than every pool it may use"
