"""Hardware by name, and which gangs may run where: stacks, memory, power, and what is refused with its line."""

import math

import pytest

from scenarios.errors import ScenarioError
from scenarios.load import load
from topologies import catalog
from topologies.build import build_plant, used_catalog
from topologies.power import NW_PER_W, rack_draw_w
from topologies.rates import roofline_tokens_per_s

HEAD = """name: small
horizon: 1 day
fleet: [{fleet}]
workload:
  - {{class: llm, {work}, arrivals: {{per_hour: 1}}}}
{more}
"""
DGX = "{pool: dgx, rack: dgx-h100, count: 16}"
TRN = "{pool: trn, rack: trn2-ultraserver, count: 4}"
TRAIN = "kind: training, model: llama3-70b, tokens: 1e9"
BOTH = f"{TRAIN}, chips: 64, stacks: [cuda, neuron]"
HOLD = "kind: synthetic, duration: 1 hour, demand: 1, chips: "
MINE = "{stack: cuda, tdp: 1 kW, idle: 100 W, source: me, confidence: low}"
MINE_RACK = "{accelerator: mine, chips: 8, domain_chips: 8, node_chips: 8, source: me, confidence: low}"


@pytest.fixture
def built(tmp_path):
    def build(work, *fleet, more=""):
        path = tmp_path / "small.yaml"
        path.write_text(HEAD.format(fleet=", ".join(fleet), work=work, more=more), encoding="utf-8")
        return build_plant(load(path))

    return build


@pytest.fixture
def refused(built):
    def message(*args, **keys):
        with pytest.raises(ScenarioError) as caught:
            built(*args, **keys)
        return str(caught.value)

    return message


def idle_w(rack):
    entry = catalog.rack(rack)
    return rack_draw_w(entry, catalog.accelerator(entry.accelerator).idle)


# stacks


def test_a_class_for_cuda_alone_never_gets_a_neuron_pool(built):
    plant = built(f"{TRAIN}, chips: 64, stacks: [cuda]", TRN, DGX)
    assert plant.plans[0].pool_stacks == (None, "cuda")
    assert plant.shape(0, 64, True).pools == plant.shape(0, 64, False).pools == (1,)


def test_a_portable_job_may_use_the_pools_of_all_its_stacks(built):
    assert built(BOTH, TRN, DGX).shape(0, 64, True).pools == (0, 1)


@pytest.mark.parametrize(("stacks", "pool"), [("cuda, neuron", 1), ("neuron, cuda", 0)])
def test_a_job_that_is_not_portable_uses_the_first_stack_only(stacks, pool, built):
    plant = built(f"{TRAIN}, chips: 64, stacks: [{stacks}]", TRN, DGX)
    assert plant.shape(0, 64, False).pools == (pool,)


def test_work_without_stacks_runs_on_every_pool(built):
    plant = built(f"{HOLD} 8", TRN, DGX, "{pool: cpu, rack: plain, chips: 64}")
    assert plant.shape(0, 8, False).pools == (0, 1, 2)


def test_token_work_never_runs_on_plain_processors(built):
    plant = built(BOTH, "{pool: cpu, rack: plain, chips: 6400}", DGX)
    assert plant.shape(0, 64, True).pools == (1,)


def test_a_chip_that_does_not_train_is_left_out(built):
    plant = built(BOTH, "{pool: inf, rack: inf2-48xl, count: 100}", DGX)
    assert plant.plans[0].pool_stacks == (None, "cuda")


def test_a_class_whose_stacks_no_pool_runs_is_refused_with_its_line(refused):
    message = refused(f"{TRAIN}, chips: 64, stacks: [neuron]", DGX)
    assert "small.yaml:5" in message
    assert "no pool runs training of llama3-70b on the stacks neuron" in message


# rates


def test_a_gang_of_measured_work_goes_at_the_measured_rate(built):
    assert built(BOTH, DGX).shape(0, 64, True).pace_in(0) == pytest.approx(1 / (64 * 1664))


def test_work_that_nobody_measured_goes_at_the_roofline(built):
    model, chip = catalog.model("llama3-70b"), catalog.accelerator("h100-sxm")
    rate = roofline_tokens_per_s(model, chip, "fp8", 2048, catalog.tasks())
    plant = built(f"{BOTH}, sequence: 2048", DGX)
    assert plant.shape(0, 64, True).pace_in(0) == pytest.approx(1 / (64 * rate))


def test_a_scenarios_own_rates_replace_the_measured_rows(built):
    row = "{task: training, model: llama3-70b, accelerator: h100-sxm, precision: fp8, sequence: 8192, chips: 64"
    more = f"catalog: {{rates: [{row}, tokens_per_s_per_chip: 1000, source: me, confidence: low}}]}}"
    assert built(BOTH, DGX, more=more).shape(0, 64, True).pace_in(0) == pytest.approx(1 / 64_000)


def test_work_in_run_times_takes_as_long_on_any_number_of_chips(built):
    plant = built(f"{HOLD} 8", DGX)
    assert plant.shape(0, 8, True).pace_s == plant.shape(0, 64, True).pace_s == (1.0,)


# memory


def test_a_gang_that_does_not_hold_the_model_is_refused_with_its_line_and_the_least_gang(refused):
    message = refused(f"{TRAIN}, chips: 8, stacks: [cuda]", DGX)
    assert "small.yaml:5" in message
    assert "found a gang of 8 chips, whose HBM does not hold llama3-70b; allowed: at least 16" in message


def test_a_listed_size_that_does_not_hold_the_model_is_refused(refused):
    assert "found a gang of 8 chips" in refused(f"{TRAIN}, chips: {{choice: [8, 64]}}, stacks: [cuda]", DGX)


def test_the_least_gang_is_accepted(built):
    assert built(f"{TRAIN}, chips: 16, stacks: [cuda]", DGX).shape(0, 16, True).chips == 16


def test_a_gang_gets_only_the_pools_whose_memory_holds_the_model(built):
    plant = built(f"{TRAIN}, chips: 16, stacks: [cuda, neuron]", "{pool: trn1, rack: trn1-32xl, count: 4}", DGX)
    assert plant.plans[0].smallest[0] > 16
    assert plant.shape(0, 16, True).pools == (1,)


# power


def test_a_pools_idle_draw_is_that_of_its_rack(built):
    assert built(f"{HOLD} 8", DGX).pools[0].idle_nw == round(idle_w("dgx-h100") * NW_PER_W)


def test_a_busy_chip_draws_by_its_class_demand_and_never_below_idle(built):
    low = built("kind: synthetic, duration: 1 h, chips: 8, demand: 0.01", DGX).plans[0]
    full = built(f"{HOLD} 8", DGX).plans[0]
    assert low.busy_w == (pytest.approx(72 + 115),)
    assert low.draw_nw == (round(115 / 0.94 * NW_PER_W),)
    assert full.draw_nw == (round((700 + 115 - 72) / 0.94 * NW_PER_W),)


def test_a_gang_larger_than_the_feed_is_refused(refused):
    message = refused(f"{HOLD} 128", DGX, more="site: {feed: 50 kW}")
    assert "small.yaml:5" in message
    assert "draws more than the feed" in message


def test_a_shape_leaves_out_pools_where_its_gang_draws_more_than_the_feed(built):
    plant = built(f"{HOLD} 64", DGX, "{pool: b200, rack: dgx-b200, count: 8}", more="site: {feed: 120 kW}")
    assert plant.shape(0, 64, True).pools == (0,)


def test_a_gang_larger_than_every_pool_is_refused(refused):
    assert "needs at least 129 chips and is refused: larger than every pool" in refused(f"{HOLD} 129", DGX)


def test_a_feed_below_the_idle_draw_is_refused_at_the_feed(refused):
    message = refused(f"{HOLD} 1", DGX, more="site:\n  feed: 30 kW")
    assert "small.yaml:7: site.feed" in message
    assert f"the fleet draws {math.ceil(16 * idle_w('dgx-h100')):,} W with every chip idle" in message


@pytest.mark.parametrize("beside", ["fabric_and_storage: 3 kW", "pue: {fixed: 3 kW}", "pue: {proportional: 0.1}"])
def test_what_stands_beside_the_racks_counts_against_the_feed(beside, built, refused):
    feed_kw = 16 * idle_w("dgx-h100") / 1e3 + 2
    assert built(f"{HOLD} 1", DGX, more=f"site: {{feed: {feed_kw} kW}}").draws
    assert "with every chip idle" in refused(f"{HOLD} 1", DGX, more=f"site: {{feed: {feed_kw} kW, {beside}}}")


def test_the_it_cap_is_what_the_overheads_leave_of_the_feed(built):
    site = "site: {feed: 1 MW, pue: {fixed: 100 kW, proportional: 0.2}, fabric_and_storage: 50 kW}"
    plant = built(f"{HOLD} 1", DGX, more=site)
    assert plant.it_cap_nw == 750_000 * NW_PER_W
    assert plant.headroom().feed_nw == 700_000 * NW_PER_W


def test_a_rack_that_idles_above_its_rating_is_refused(refused):
    more = f"catalog: {{accelerators: {{mine: {MINE}}}, racks: {{own: {MINE_RACK[:-1]}, rating: 700 W}}}}}}"
    message = refused(f"{HOLD} 8", "{pool: a, rack: own, count: 2}", more=more)
    assert "a rack draws 800 W with idle chips; its rating is 700 W" in message
    assert "small.yaml:3" in message


def test_a_derated_rack_leaves_its_share_of_the_rating(built):
    rack = f"{MINE_RACK[:-1]}, rating: 5 kW, derating: 0.8}}"
    more = f"catalog: {{accelerators: {{mine: {MINE}}}, racks: {{own: {rack}}}}}"
    plant = built(f"{HOLD} 1", "{pool: a, rack: own, count: 2}", more=more)
    assert [limit.spare_nw for limit in plant.limits] == [3_200 * NW_PER_W] * 2


def test_pdus_with_idle_racks_above_their_rating_are_refused_at_the_pdus(refused):
    message = refused(f"{HOLD} 1", DGX, more="site: {feed: 1 MW, pdus: {count: 1, rating: 30 kW}}")
    assert "site.pdus" in message
    assert "PDU 0 feeds 16 racks" in message


# names


def test_an_unknown_rack_is_refused_with_the_nearest_name(refused):
    message = refused(f"{HOLD} 8", "{pool: a, rack: dgx-h10, count: 1}")
    assert "small.yaml:3" in message
    assert "unknown rack 'dgx-h10'; did you mean 'dgx-h100'? (allowed: " in message


def test_an_unknown_model_is_refused_with_the_nearest_name(refused):
    message = refused("kind: training, model: llama3-70, tokens: 1e9, chips: 64, stacks: [cuda]", DGX)
    assert "small.yaml:5" in message
    assert "unknown model 'llama3-70'; did you mean 'llama3-70b'? (allowed: " in message


def test_an_unknown_accelerator_is_refused_where_its_rack_is_used(refused):
    rack = MINE_RACK.replace("mine", "h100-smx")
    message = refused(f"{HOLD} 8", "{pool: a, rack: own, count: 1}", more=f"catalog: {{racks: {{own: {rack}}}}}")
    assert "small.yaml:3" in message
    assert "unknown accelerator 'h100-smx'; did you mean 'h100-sxm'?" in message


def test_a_scenarios_own_entry_wins_over_the_shipped_one_of_its_name(built):
    own = MINE.replace("1 kW", "750 W")
    plant = built(f"{HOLD} 8", DGX, more=f"catalog: {{accelerators: {{h100-sxm: {own}}}}}")
    assert plant.plans[0].draw_nw == (round((750 + 115 - 100) / 0.94 * NW_PER_W),)


def test_the_used_catalog_names_what_was_looked_up_and_nothing_else(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(HEAD.format(fleet=DGX, work=BOTH, more=""), encoding="utf-8")
    used = used_catalog(load(path)).used()
    assert (set(used.accelerators), set(used.racks), set(used.models)) == ({"h100-sxm"}, {"dgx-h100"}, {"llama3-70b"})
    assert {(rate.model, rate.accelerator) for rate in used.rates} == {("llama3-70b", "h100-sxm")}


def test_a_class_of_run_times_may_be_bound_to_stacks_too(built):
    pools = (DGX, "{pool: trn, rack: trn2-48xl, count: 8}")
    assert built(f"{HOLD} 8", *pools).shape(0, 8, True).pools == (0, 1)
    assert built(f"stacks: [neuron], {HOLD} 8", *pools).shape(0, 8, True).pools == (1,)


def test_a_fleet_beyond_what_the_timeline_can_keep_is_refused(refused):
    assert "GW at full load; allowed: less than 9 GW" in refused(
        f"{HOLD} 8", "{pool: dgx, rack: dgx-h100, count: 2000000}"
    )


# names and laws


def test_unknown_and_doubled_stacks_are_refused(refused):
    message = refused(f"{TRAIN}, chips: 64, stacks: [cudda]", DGX)
    assert "small.yaml:5: workload.llm.stacks: unknown stack 'cudda'; did you mean 'cuda'?" in message
    assert "workload.llm.stacks: found a stack twice" in refused(f"{TRAIN}, chips: 64, stacks: [cuda, cuda]", DGX)


def test_a_rate_of_an_unknown_model_or_accelerator_is_refused(refused):
    row = "{{task: training, model: {}, accelerator: {}, precision: fp8, sequence: 8192, chips: 64, source: me,"
    more = "catalog: {{rates: [" + row + " tokens_per_s_per_chip: 1000, confidence: low}}]}}"
    assert "catalog.rates.0.model: unknown model 'llama9'" in refused(BOTH, DGX, more=more.format("llama9", "h100-sxm"))
    wrong = more.format("llama3-70b", "h1000-sxm")
    assert "catalog.rates.0.accelerator: unknown accelerator 'h1000-sxm'" in refused(BOTH, DGX, more=wrong)


def test_what_an_accelerator_lacks_for_training_is_named(refused):
    more = f"catalog: {{accelerators: {{mine: {MINE}}}, racks: {{my-rack: {MINE_RACK}}}}}"
    message = refused(f"{TRAIN}, chips: 8, stacks: [cuda]", "{pool: p, rack: my-rack, count: 4}", more=more)
    assert "on the stacks cuda: mine has no hbm and no training_precision" in message


def test_a_law_without_a_list_of_sizes_is_judged_job_by_job(built):
    plant = built(f"{TRAIN}, chips: {{lognormal: {{median: 32, sigma: 1}}}}, stacks: [cuda]", DGX)
    assert plant.shape(0, 8, True) == "its model does not fit into the gang's HBM"
    assert plant.shape(0, 16, True).pools == (0,)


def test_a_measured_rate_in_the_other_precision_wins_over_a_roofline(built):
    work = "kind: training, model: gpt-oss-120b, tokens: 1e9, chips: 64, stacks: [cuda], sequence: 4096"
    assert built(work, DGX).shape(0, 64, True).pace_in(0) == pytest.approx(1 / (64 * 5824))
    assert built(f"{work}, precision: fp8", DGX).shape(0, 64, True).pace_in(0) < 1 / (64 * 5824)


def test_only_classes_that_can_run_in_a_pool_make_its_racks_bind(built):
    """The rack holds the neuron class at full load; a hotter class for cuda never runs there."""
    rack = "{accelerator: mine, chips: 8, domain_chips: 8, node_chips: 8, rating: 5 kW, source: me, confidence: low}"
    mine = "{stack: mine, tdp: 1 kW, idle: 100 W, source: me, confidence: low}"
    more = f"""  - {{class: hot, {HOLD} 1, stacks: [cuda], arrivals: {{per_hour: 1}}}}
catalog: {{accelerators: {{mine: {mine}}}, racks: {{my-rack: {rack}}}}}"""
    cool = "kind: synthetic, duration: 1 hour, demand: 0.5, chips: 1, stacks: [mine]"
    assert built(cool, "{pool: p, rack: my-rack, count: 1}", DGX, more=more).limits == ()


def test_racks_that_come_after_the_end_are_warned_of(tmp_path):
    late = "{pool: late, rack: dgx-h100, count: 9, delivery: {first: 20 hours, every: 3 hours, racks: 2}}"
    path = tmp_path / "small.yaml"
    path.write_text(HEAD.format(fleet=f"{DGX}, {late}", work=f"{HOLD} 8", more=""), encoding="utf-8")
    assert load(path).warnings == ["only 4 of the 9 racks of late are delivered by the end"]


@pytest.mark.parametrize("feed", ["240 W", "1.23 kW", "29.99 kW"])
def test_the_feed_that_a_message_names_is_enough_for_idle_chips(feed, refused):
    own = f"catalog: {{accelerators: {{mine: {MINE}}}, racks: {{own: {MINE_RACK}}}}}"
    fleet = "{pool: a, rack: own, count: 1}"
    site = f"site: {{feed: {feed}, fabric_and_storage: 29499.3 W}}"
    message = refused(f"{HOLD} 1", fleet, more=f"{site}\n{own}")
    assert "the fleet draws 30,300 W with every chip idle; allowed: at least that feed" in message
    message = refused(f"{HOLD} 1", fleet, more=f"{site.replace(feed, '30300 W')}\n{own}")
    assert "draws more than the feed has for jobs" in message  # 0.7 W are left
