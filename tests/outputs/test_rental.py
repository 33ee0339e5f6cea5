"""What racks cost to rent, by hand."""

import pytest

from outputs.metrics import measure
from sim.run import prepare
from sim.simulation import simulate

FLEET = """\
name: rented
horizon: 10 days
warmup: 2 days
fleet:
  - {{pool: a, rack: dgx-h100, count: 2}}
  - {{pool: b, rack: {rack}, {size}}}
workload:
  - class: t
    kind: training
    model: llama3-70b
    chips: 16
    tokens: 1e8
    arrivals: {{per_day: 4}}
    stacks: [cuda, neuron]
"""


def summary_of(tmp_path, rack="trn2-48xl", size="count: 3, delivery: {first: 4 days, every: 3 days, racks: 2}"):
    path = tmp_path / "rented.yaml"
    path.write_text(FLEET.format(rack=rack, size=size))
    scenario, plant, policy = prepare(path)
    return measure(simulate(scenario, plant, policy, 0), plant, scenario).summary, plant


def test_chips_are_paid_from_delivery_or_the_end_of_the_warmup_to_the_end(tmp_path):
    summary, plant = summary_of(tmp_path)
    a, b = (pool.rental_usd_per_s * 86_400 for pool in plant.pools)
    chip_days = 2 * 16 * 6 + 1 * 16 * 3  # two racks on day 4, the third on day 7
    assert summary["rental_usd"] == pytest.approx(2 * 8 * 8 * a + chip_days * b, rel=1e-12)
    assert summary["usd_per_million_tokens"] == pytest.approx(
        summary["rental_usd"] / summary["trained_tokens"] * 1e6, rel=1e-12
    )


def test_a_pool_without_a_price_leaves_the_cost_out(tmp_path):
    summary, _ = summary_of(tmp_path, "plain", "chips: 4")
    assert "rental_usd" not in summary
    assert "usd_per_million_tokens" not in summary
