"""Which pool portable work goes to first: as the numbers say, and only then."""

import json

import pytest

from policies.build import build_policy
from scenarios.errors import ScenarioError
from scenarios.load import load
from sim.run import run
from topologies import catalog
from topologies.build import build_plant

SCENARIO = """
name: s
horizon: 20 days
fleet: [{{pool: blackwell, rack: dgx-b200, count: 40}}, {{pool: trainium, rack: trn2-ultraserver, count: 5}}]
workload:
  - {{class: t, kind: fine-tuning, model: llama3-70b, chips: 32, tokens: 1e9, arrivals: {{per_day: 2}},
     stacks: [cuda, neuron], precision: bf16}}
policy: {{placement: {placement}}}
catalog: {{accelerators: {{trainium2: {trainium}}}}}
"""


@pytest.fixture
def scenario(tmp_path):
    def write(placement, **changes):
        trainium = catalog.accelerator("trainium2").model_dump(mode="json", exclude_none=True) | changes
        path = tmp_path / "s.yaml"
        path.write_text(SCENARIO.format(placement=placement, trainium=json.dumps(trainium)))
        return path

    return write


def first_pool(path):
    scenario = load(path)
    plant = build_plant(scenario)
    policy = build_policy(scenario, plant)
    shape = plant.shape(0, 32, True, policy.power.admit, policy.placer.prefer)
    assert sorted(shape.pools) == [0, 1]
    return plant.pools[shape.pools[0]].name


def by_hand(path, cost):
    """The pool with the lowest cost of a token; cost(accelerator, watts at the rack, chip-seconds a token)."""
    plant = build_plant(load(path))
    costs = [cost(at, plant.plans[0].draw_nw[at] / 1e9) * plant.plans[0].pace_s[at] for at in range(len(plant.pools))]
    return plant.pools[costs.index(min(costs))].name


@pytest.mark.parametrize("rental", ["0.05 USD/h", "1 USD/h", "2.235 USD/h", "4 USD/h", "40 USD/h"])
def test_the_cheapest_tokens_come_first(rental, scenario):
    path = scenario("cheapest", rental=rental)
    prices = (14.24 / 3600, float(rental.split()[0]) / 3600)
    assert first_pool(path) == by_hand(path, lambda at, _watts: prices[at])


@pytest.mark.parametrize("tdp", ["160 W", "300 W", "500 W", "900 W"])
def test_the_tokens_that_draw_the_least_come_first(tdp, scenario):
    path = scenario("efficient", tdp=tdp, idle="100 W")
    assert first_pool(path) == by_hand(path, lambda _at, watts: watts)


def test_both_ways_come_up_in_these_tests(scenario):
    prices = {first_pool(scenario("cheapest", rental=f"{price} USD/h")) for price in (0.05, 40)}
    draws = {first_pool(scenario("efficient", tdp=tdp, idle="100 W")) for tdp in ("160 W", "900 W")}
    assert prices == draws == {"blackwell", "trainium"}


def test_pack_goes_by_the_fleet(scenario):
    assert first_pool(scenario("pack", rental="0.05 USD/h")) == "blackwell"


def test_work_goes_where_it_is_preferred_while_there_is_room(scenario, tmp_path):
    held = {}
    for price in (0.05, 40):
        path = scenario("cheapest", rental=f"{price} USD/h")
        saved = run(path, (), 0, tmp_path / str(price), force=False, pictures=False, progress=lambda _: None)
        held[price] = saved.result.summary["trainium/utilization_fraction"]
    assert held[0.05] > 0
    assert held[40] == 0


def test_a_price_that_nobody_has_given_is_asked_for(tmp_path):
    own = catalog.accelerator("h100-sxm").model_dump(mode="json", exclude_none=True)
    del own["rental"]
    path = tmp_path / "s.yaml"
    path.write_text(SCENARIO.format(placement="cheapest", trainium=json.dumps(own)).replace("trainium2:", "b200-sxm:"))
    loaded = load(path)
    with pytest.raises(ScenarioError, match="cheapest needs what b200-sxm costs"):
        build_policy(loaded, build_plant(loaded))
