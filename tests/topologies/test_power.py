"""What racks draw: stages and their limit cases, linearity, published full-load figures, and Frontier's two figures."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.hardware import Chassis, RackEntry, Stage
from scenarios.load import load
from topologies import catalog
from topologies.build import build_plant
from topologies.power import (
    NW_PER_W,
    busy_chip_w,
    feed_w,
    hosts_w,
    rack_busbar_w,
    rack_draw_w,
    stage_input_w,
)

RACKS = sorted(catalog.table("racks"))
RATED = [name for name in RACKS if catalog.rack(name).rating is not None]
SOURCED = {"source": "test", "confidence": "low"}
LOSSLESS = Stage()

watts = st.floats(0, 5_000)
loads = st.floats(0, 1e6)
stages = st.builds(
    lambda units, fixed, efficiency: Stage(units=units, fixed=f"{fixed} W", efficiency=efficiency),
    st.integers(1, 6),
    st.integers(0, 50),
    st.floats(0.5, 1),
)


@st.composite
def racks(draw):
    node_chips, nodes, chassis = draw(st.integers(1, 8)), draw(st.integers(1, 6)), draw(st.integers(1, 3))
    shared = Chassis(nodes=nodes, switches=f"{draw(st.integers(0, 2_000))} W", stage=draw(stages))
    return RackEntry(
        accelerator="x",
        chips=node_chips * nodes * chassis,
        domain_chips=node_chips,
        node_chips=node_chips,
        host=f"{draw(st.integers(0, 3_000))} W",
        host_per_chip=f"{draw(st.integers(0, 300))} W",
        fixed=f"{draw(st.integers(0, 10_000))} W",
        node_stage=draw(stages),
        chassis=draw(st.sampled_from([None, shared])),
        rack_stage=draw(stages),
        **SOURCED,
    )


@st.composite
def loaded_racks(draw):
    """A rack with the draw of an idle and of a busy chip."""
    idle_w = draw(watts)
    return draw(racks()), idle_w, idle_w + draw(watts)


def chip_of(rack):
    return catalog.accelerator(rack.accelerator)


def full_w(rack, share=1.0):
    """Draw at the input with every chip busy at a share of its TDP."""
    chip = chip_of(rack)
    return rack_draw_w(rack, chip.idle, rack.chips, max(chip.idle, share * chip.tdp))


# stages


def test_a_stage_without_loss_passes_the_power_on():
    assert stage_input_w(1234.5, LOSSLESS) == 1234.5


def test_a_stage_without_load_draws_its_fixed_losses_only():
    assert stage_input_w(0.0, Stage(units=4, fixed="17 W", efficiency=0.5)) == 4 * 17 / 0.5


def test_a_stage_without_fixed_loss_divides_by_its_efficiency():
    assert stage_input_w(970.0, Stage(units=3, efficiency=0.97)) == pytest.approx(1000.0)


@given(loads, stages)
@settings(derandomize=True, deadline=None)
def test_parallel_converters_share_the_load_and_lose_their_fixed_part_each(output_w, stage):
    one_w = (output_w / stage.units + stage.fixed) / stage.efficiency
    assert stage_input_w(output_w, stage) == pytest.approx(stage.units * one_w)


@given(loads, stages)
@settings(derandomize=True, deadline=None)
def test_no_stage_gives_more_than_it_takes(output_w, stage):
    assert stage_input_w(output_w, stage) >= output_w


# racks


@given(loaded_racks(), st.data())
@settings(derandomize=True, deadline=None, max_examples=200)
def test_a_racks_draw_is_idle_plus_so_much_a_busy_chip(loaded, data):
    rack, idle_w, busy_w = loaded
    busy = data.draw(st.integers(0, rack.chips))
    expected_w = rack_draw_w(rack, idle_w) + busy * busy_chip_w(rack, idle_w, busy_w)
    assert rack_draw_w(rack, idle_w, busy, busy_w) == pytest.approx(expected_w)


@given(loaded_racks())
@settings(derandomize=True, deadline=None, max_examples=200)
def test_a_racks_draw_is_linear_in_its_busy_chips(loaded):
    rack, idle_w, busy_w = loaded
    empty_w, full = rack_draw_w(rack, idle_w), rack_draw_w(rack, idle_w, rack.chips, busy_w)
    middle_w = rack_draw_w(rack, idle_w, rack.chips / 2, busy_w)
    assert middle_w == pytest.approx((empty_w + full) / 2)


@given(loaded_racks(), st.data())
@settings(derandomize=True, deadline=None, max_examples=200)
def test_a_racks_draw_is_that_of_its_nodes_wherever_the_busy_chips_are(loaded, data):
    rack, idle_w, busy_w = loaded
    nodes = rack.chips // rack.node_chips
    busy = data.draw(st.lists(st.integers(0, rack.node_chips), min_size=nodes, max_size=nodes))
    inputs_w = []
    for here in busy:
        chips_w = here * (busy_w + rack.host_per_chip) + (rack.node_chips - here) * idle_w
        inputs_w.append(rack.host + chips_w + rack.node_stage.units * rack.node_stage.fixed)
    inputs_w = [node_w / rack.node_stage.efficiency for node_w in inputs_w]
    if rack.chassis is not None:
        of, stage = rack.chassis.nodes, rack.chassis.stage
        grouped = [sum(inputs_w[at : at + of]) + rack.chassis.switches for at in range(0, nodes, of)]
        inputs_w = [(chassis_w + stage.units * stage.fixed) / stage.efficiency for chassis_w in grouped]
    busbar_w = sum(inputs_w) + rack.fixed
    assert rack_busbar_w(rack, idle_w, sum(busy), busy_w) == pytest.approx(busbar_w)
    last = rack.rack_stage
    expected_w = (busbar_w + last.units * last.fixed) / last.efficiency
    assert rack_draw_w(rack, idle_w, sum(busy), busy_w) == pytest.approx(expected_w)


@given(loaded_racks(), st.data())
@settings(derandomize=True, deadline=None, max_examples=200)
def test_a_racks_draw_is_hosts_and_chips_and_conversion_losses(loaded, data):
    rack, idle_w, busy_w = loaded
    busy = data.draw(st.integers(0, rack.chips))
    chips_w = busy * (busy_w + rack.host_per_chip) + (rack.chips - busy) * idle_w
    parts_w = hosts_w(rack) + chips_w
    draw_w = rack_draw_w(rack, idle_w, busy, busy_w)
    assert draw_w >= parts_w * (1 - 1e-12)
    without_loss = {"node_stage": LOSSLESS, "rack_stage": LOSSLESS}
    if rack.chassis is not None:
        without_loss["chassis"] = rack.chassis.model_copy(update={"stage": LOSSLESS})
    assert rack_draw_w(rack.model_copy(update=without_loss), idle_w, busy, busy_w) == pytest.approx(parts_w)


@given(loaded_racks())
@settings(derandomize=True, deadline=None)
def test_a_busy_chip_never_draws_less_than_an_idle_one(loaded):
    rack, idle_w, busy_w = loaded
    assert busy_chip_w(rack, idle_w, busy_w) >= 0


@given(loaded_racks())
@settings(derandomize=True, deadline=None)
def test_without_losses_and_host_share_a_busy_chip_adds_its_own_draw_less_idle(loaded):
    rack, idle_w, busy_w = loaded
    plain = {"node_stage": LOSSLESS, "rack_stage": LOSSLESS, "chassis": None, "host_per_chip": 0.0}
    assert busy_chip_w(rack.model_copy(update=plain), idle_w, busy_w) == pytest.approx(busy_w - idle_w)


# the feed


def test_without_overheads_the_meter_reads_the_it_draw():
    assert feed_w(5e6, 0.0, 0.0) == 5e6


def test_without_it_draw_the_meter_reads_the_fixed_part():
    assert feed_w(0.0, 2e5, 0.3) == 2e5


def test_the_proportional_part_is_that_share_of_the_it_draw():
    assert feed_w(10e6, 1e6, 0.2) == pytest.approx(13e6)


# the shipped racks against published figures


def test_a_gb200_nvl72_at_full_tdp_draws_120_to_132_kw_at_its_busbar():
    rack = catalog.rack("gb200-nvl72")
    chip = chip_of(rack)
    assert 120e3 <= rack_busbar_w(rack, chip.idle, rack.chips, chip.tdp) <= 132e3


def test_a_dgx_h100_in_training_draws_76_to_82_percent_of_its_nameplate():
    share = full_w(catalog.rack("dgx-h100"), catalog.tasks().training_demand) / 10.2e3
    assert 0.76 <= share <= 0.82


def test_a_dgx_h100_in_training_draws_at_most_the_measured_maximum():
    assert full_w(catalog.rack("dgx-h100"), catalog.tasks().training_demand) <= 8.4e3


def test_a_dgx_b200_at_full_tdp_draws_at_most_its_nameplate():
    assert full_w(catalog.rack("dgx-b200")) <= 14.3e3


@pytest.mark.parametrize(("rack", "tray_w"), [("gb200-nvl72", 6667.0), ("gb300-nvl72", 7500.0)])
def test_a_compute_tray_at_full_tdp_draws_its_published_maximum(rack, tray_w):
    entry = catalog.rack(rack)
    chip = chip_of(entry)
    tray = entry.model_copy(update={"chips": entry.node_chips, "fixed": 0.0})
    assert rack_busbar_w(tray, chip.idle, tray.chips, chip.tdp) == pytest.approx(tray_w, rel=1e-3)


@pytest.mark.parametrize("name", RATED)
def test_a_shipped_rack_at_full_tdp_stays_within_its_rating(name):
    rack = catalog.rack(name)
    assert full_w(rack) <= rack.rating * rack.derating


@pytest.mark.parametrize("name", RACKS)
def test_a_shipped_rack_idles_below_its_draw_in_training(name):
    rack = catalog.rack(name)
    assert 0 < rack_draw_w(rack, chip_of(rack).idle) < full_w(rack, catalog.tasks().training_demand)


# Frontier, as a scenario defines it

FRONTIER = """name: frontier
horizon: 1 day
site: {feed: 40 MW, pue: {fixed: 211836.75 W}}
fleet:
  - {pool: frontier, rack: olympus, count: 74}
workload:
  - {class: hpl, kind: synthetic, chips: 128, duration: 1 h, arrivals: {per_hour: 1}, demand: 1}
catalog:
  accelerators:
    node: {stack: rocm, tdp: 2704.26 W, idle: 626.26 W, source: MODEL.md section 10, confidence: high}
  racks:
    olympus:
      accelerator: node
      chips: 128
      domain_chips: 128
      node_chips: 1
      node_stage: {fixed: 13 W, efficiency: 0.98}
      chassis: {nodes: 16, switches: 1000 W, stage: {units: 4, fixed: 17 W, efficiency: 0.96}}
      source: MODEL.md section 10
      confidence: high
"""


@pytest.fixture
def frontier(tmp_path):
    path = tmp_path / "frontier.yaml"
    path.write_text(FRONTIER, encoding="utf-8")
    return build_plant(load(path))


def metered_mw(plant, busy_racks):
    (pool,) = plant.pools
    nw = pool.racks * pool.idle_nw + busy_racks * plant.rack_chips[0] * plant.plans[0].draw_nw[0]
    return feed_w(plant.site.other_it_w + nw / NW_PER_W, plant.site.fixed_w, plant.site.proportional) / 1e6


def test_frontiers_fixed_part_is_25_cooling_units(frontier):
    assert frontier.site.fixed_w == pytest.approx(25 * 8473.47)


def test_frontier_draws_7_31_mw_idle(frontier):
    assert round(metered_mw(frontier, 0), 2) == 7.31


def test_frontier_draws_28_23_mw_at_peak(frontier):
    assert round(metered_mw(frontier, 74), 2) == 28.23


def test_frontiers_figures_follow_from_its_converters_by_hand(frontier):
    def site_mw(node_w):
        chassis_w = 16 * (node_w + 13) / 0.98 + 4 * 250
        return (8 * 74 * 4 * (chassis_w / 4 + 17) / 0.96 + 25 * 8473.47) / 1e6

    assert metered_mw(frontier, 0) == pytest.approx(site_mw(626.26), rel=1e-12)
    assert metered_mw(frontier, 74) == pytest.approx(site_mw(2704.26), rel=1e-12)
