"""Caps on chips, stops and racks off, by hand: small sites whose every number can be worked out."""

import math
from pathlib import Path

import pytest

from outputs.metrics import Result, measure
from sim.run import prepare
from sim.simulation import simulate

HOUR_S = 3600.0
# One rack of 10 chips: 100 W idle, 1,000 W at full demand, 1 kW for hosts; nothing is lost on the way.
TEXT = """
name: small
horizon: {horizon}
site:
  feed: {feed}
{site}
fleet: [{{pool: p, rack: r, count: {racks}}}]
workload:
{workload}
policy: {{power: {power}}}
failures: {{restart: {restart}, checkpoint: {{every: 30 min, stall: 20 s}}}}
catalog:
  accelerators:
    c: {{stack: cuda, tdp: 1000 W, idle: 100 W, minimum_cap: {floor}, source: by hand, confidence: high}}
  racks:
    r: {{accelerator: c, chips: 10, domain_chips: 10, node_chips: 10, host: 1 kW, source: by hand, confidence: high}}
"""
JOB = "  - {class: %s, kind: trace, format: csv, file: %s.csv, demand: 1, cap_exponent: 0.5, value: %s}"
IDLE_W, SPAN_W = 2000.0, 900.0  # of a rack; of a busy chip


def result(folder: Path, classes: dict[str, tuple[float, list[str]]], **keys: str) -> Result:
    """Run trace classes (value, rows of number,submit_s,chips,run_s) on the small site."""
    for name, (_, rows) in classes.items():
        (folder / f"{name}.csv").write_text("\n".join(["number,submit_s,chips,run_s", *rows]) + "\n")
    usual = {"horizon": "2 days", "feed": "11 kW", "site": "", "racks": "1", "power": "reserve", "floor": "200 W"}
    workload = "\n".join(JOB % (name, name, value) for name, (value, _) in classes.items())
    path = folder / "s.yaml"
    text = TEXT.format(**{**usual, "restart": "0 s", **keys, "workload": workload})
    path.write_text(text.replace("  feed: REMOVE\n", "").lstrip())
    scenario, plant, policy = prepare(path)
    return measure(simulate(scenario, plant, policy, 0), plant, scenario)


def ends_h(run: Result) -> list[float]:
    return [round(end_s / HOUR_S, 9) for end_s in run.jobs["end_s"].to_list()]


CUT = "  curtailment: [{at: 1 hour, for: 2 hours, to: %s, notice: %s}]"


def test_a_curtailed_job_slows_down_by_the_cap_law_and_finishes_its_work(tmp_path):
    run = result(tmp_path, {"a": (1, ["1,0,10,7200"])}, site=CUT % ("4250 W", "0 s"))
    # 4,250 - 2,000 W for ten chips of 900 W span: a quarter, so half the speed: 1 h done, then 2 h at half speed
    assert ends_h(run) == [3.0]
    assert run.jobs["energy_j"].to_list() == pytest.approx([10 * (1000 + 2 * 325) * HOUR_S])
    assert run.summary["throttle_mean_fraction"] == pytest.approx((48 - 1) / 48)


def test_throttling_admits_under_the_lowest_cap_and_shares_in_equal_fractions(tmp_path):
    jobs = {"a": (1, ["1,0,5,3600"]), "b": (9, ["2,0,5,3600"])}
    assert ends_h(result(tmp_path, jobs, feed="4250 W", power="throttle")) == [2.0, 2.0]
    # reserve lets one of them run after the other, at full speed
    assert ends_h(result(tmp_path, jobs, feed="6500 W", power="reserve")) == [1.0, 2.0]


def test_water_fill_gives_power_where_it_is_worth_most(tmp_path):
    jobs = {"a": (1, ["1,0,5,3600"]), "b": (2, ["2,0,5,3600"])}
    run = result(tmp_path, jobs, feed="4250 W", power="water-fill")
    # v phi^-0.5 is equal, so phi_b = 4 phi_a; 4,500 W (phi_a + phi_b) = 2,250 W would be 0.1 and 0.4, below 1/9
    low, high = 1 / 9, 0.5 - 1 / 9
    end_b = 1 / math.sqrt(high)
    end_a = end_b + (1 - end_b * math.sqrt(low)) / math.sqrt(0.5)
    assert ends_h(run) == pytest.approx([end_a, end_b], rel=1e-6)


def test_oversubscribing_admits_what_is_expected_and_throttles_what_comes(tmp_path):
    jobs = {"a": (1, ["1,0,5,3600"]), "b": (1, ["2,0,5,3600"])}
    run = result(tmp_path, jobs, feed="8 kW", power="{oversubscribe: {ratio: 1.5}}")
    assert ends_h(run) == pytest.approx([1 / math.sqrt(6000 / 9000)] * 2)
    assert ends_h(result(tmp_path, jobs, feed="7900 W", power="{oversubscribe: {ratio: 1.5}}"))[1] > 2 - 1e-9


def test_below_the_lowest_caps_the_least_valuable_job_stops(tmp_path):
    jobs = {"a": (3, ["1,0,5,7200"]), "b": (1, ["2,0,5,7200"])}
    run = result(tmp_path, jobs, site=CUT % ("2600 W", "0 s"))
    # 600 W are not enough for ten chips at 100 W, but for five at 120 W: phi 2/15
    speed = math.sqrt(600 / 4500)
    # b keeps two checkpoints of half an hour, and goes on with a at 3 h
    assert ends_h(run) == pytest.approx([3 + 1 - 2 * speed, 4.0])
    assert run.jobs["preemptions"].to_list() == [0, 1] and run.jobs["lost_chip_s"].to_list() == [0, 0]


def test_what_is_lost_at_a_stop_is_the_work_since_the_last_checkpoint_unless_there_is_notice(tmp_path):
    jobs, cut = {"a": (1, ["1,0,10,14400"])}, "  curtailment: [{at: 80 min, for: 2 hours, to: 2100 W, notice: %s}]"
    lost = result(tmp_path, jobs, site=cut % "19 s")
    assert ends_h(lost) == pytest.approx([80 / 60 + 2 + 3])
    assert lost.jobs["lost_chip_s"].to_list() == pytest.approx([10 * 20 * 60])
    told = result(tmp_path, jobs, site=cut % "20 s")
    assert ends_h(told) == pytest.approx([80 / 60 + 2 + 4 - 80 / 60])
    again = result(tmp_path, jobs, site=cut % "20 s", restart="6 min")
    assert ends_h(again) == pytest.approx([6.1])


def test_shedding_stops_jobs_where_reserve_would_slow_them_down(tmp_path):
    jobs = {"a": (3, ["1,0,5,7200"]), "b": (1, ["2,0,5,7200"])}
    cut = CUT % ("6500 W", "1 min")
    assert ends_h(result(tmp_path, jobs, site=cut, power="shed")) == pytest.approx([2.0, 3.0])  # b when a has ended
    slow = 1 / math.sqrt(0.5)
    assert ends_h(result(tmp_path, jobs, site=cut)) == pytest.approx([1 + slow] * 2)


def test_the_battery_bridges_a_curtailment_before_any_job_slows_down(tmp_path):
    cut = CUT % ("6 kW", "0 s") + "\n  battery: {energy: 5 kWh, power: 5 kW, round_trip: 0.81, charge: 500 W}"
    run = result(tmp_path, {"a": (1, ["1,0,10,7200"])}, site=cut)
    empty_h = 1 + 0.9  # 5 kW out of 5 kWh at 0.9 one way
    speed = math.sqrt(4000 / 9000)
    slow_h = 3 - empty_h
    done_h = 2 - empty_h
    end_h = empty_h + done_h / speed if done_h / speed < slow_h else 3 + done_h - slow_h * speed
    assert ends_h(run) == pytest.approx([end_h])
    assert run.timeline["battery_soc_j"].min() == 0.0
    assert run.timeline["battery_soc_j"].to_list()[-1] == pytest.approx(5 * 3.6e6)  # charged again
    assert run.timeline["feed_w"].max() <= 11e3


def test_racks_go_off_when_nothing_else_helps_and_take_their_time_to_come_back(tmp_path):
    cut = "  curtailment: [{at: 1 hour, for: 1 hour, to: 2500 W, notice: 1 min}]"
    run = result(tmp_path, {"a": (1, ["1,0,20,7200"])}, site=cut, feed="22 kW", racks="2")
    powered = run.timeline["installed_chips/p"].to_list()
    assert min(powered[1:]) == 10 and powered[-1] == 20
    # stopped at 1 h with all its work, the second rack boots for ten minutes from 2 h on
    assert ends_h(run) == pytest.approx([3 + 1 / 6])
    assert "infeasible_s" not in run.summary


def test_what_no_rack_off_can_mend_is_an_infeasible_interval_and_no_clamped_meter(tmp_path):
    site = "  fabric_and_storage: 3 kW\n" + CUT % ("2500 W", "1 min")
    run = result(tmp_path, {"a": (1, ["1,0,5,3600"])}, site=site, feed="15 kW")
    assert run.summary["infeasible_s"] == 2 * HOUR_S
    assert run.summary["infeasible_max_w"] == pytest.approx(500)
    assert run.timeline["feed_w"].min() == pytest.approx(3000)
    assert any("above the cap for 2.00 h, by up to 500 W" in warning for warning in run.warnings)


def test_without_a_cap_every_power_policy_is_the_same(tmp_path):
    jobs = {"a": (1, ["1,0,5,3600"])}
    for power in ("throttle", "water-fill", "oversubscribe"):
        run = result(tmp_path, jobs, power=power, feed="90 kW")
        assert ends_h(run) == [1.0]
        assert run.timeline["feed_w"].max() == pytest.approx(IDLE_W + 5 * SPAN_W)


def test_a_job_that_later_racks_leave_too_little_power_is_rejected_and_blocks_nobody(tmp_path):
    jobs = {"a": (1, ["1,0,9,72000", "2,3600,9,3600", "3,90001,1,3600"])}
    both = result(tmp_path, jobs, feed="13 kW", horizon="4 days", racks="2")
    assert both.jobs["status"].to_list() == ["completed", "completed", "completed"]
    path = tmp_path / "s.yaml"
    grown = path.read_text().replace("count: 2}", "count: 5, delivery: {first: 0 s, every: 6 hours, racks: 1}}")
    path.write_text(grown)
    scenario, plant, policy = prepare(path)
    run = measure(simulate(scenario, plant, policy, 0), plant, scenario)
    assert run.jobs["status"].to_list() == ["completed", "rejected", "completed"]
    assert any("draws more than the feed has for jobs" in warning for warning in run.warnings)


@pytest.mark.parametrize("power", ["reserve", "shed", "throttle"])
def test_a_cap_that_is_low_for_the_whole_run_holds_as_one_that_moves(tmp_path, power):
    cut = "  curtailment: [{at: 0 s, for: %s, to: 5 kW}]"
    run = result(tmp_path, {"a": (1, ["1,0,10,7200"])}, site=cut % "100 days", power=power)
    assert run.timeline["feed_w"].max() <= 5e3
    for_a_day = result(tmp_path, {"a": (1, ["1,0,10,7200"])}, site=cut % "1 day", power=power)
    # reserve and shed start what fits at full draw only, which is after the day
    assert ends_h(for_a_day) == pytest.approx([2 / math.sqrt(3000 / 9000)] if power == "throttle" else [26.0])


def test_constant_heat_counts_against_the_cap(tmp_path):
    site = "  temperature: 38 degC\n  pue: {slope_per_degree: 0.01}"
    hot = result(tmp_path, {"a": (1, ["1,0,8,7200", "2,0,7,7200"])}, site=site)
    # eight chips would draw 1.2 (2,000 + 7,200) W
    assert hot.timeline["feed_w"].max() == pytest.approx((IDLE_W + 7 * SPAN_W) * 1.2)
    assert hot.jobs["status"].to_list() == ["rejected", "completed"]


def test_each_of_two_events_has_a_notice_of_its_own(tmp_path):
    """The second comes without notice in the middle of the first; the job has then known of the first for long."""
    second = "{at: 80 min, for: 1 hour, to: 2100 W}"
    jobs = {"a": (1, ["1,0,10,14400"])}
    both = result(tmp_path, jobs, site=f"  curtailment: [{{at: 1 hour, for: 3 hours, to: 10 kW}}, {second}]")
    # an hour at full speed and 20 minutes at sqrt(8/9); two checkpoints of half an hour are kept
    assert both.jobs["lost_chip_s"].to_list() == pytest.approx([10 * 1200 * math.sqrt(8 / 9)])
    alone = result(tmp_path, jobs, site=f"  curtailment: [{second}]")
    assert alone.jobs["lost_chip_s"].to_list() == pytest.approx([10 * 1200])


def test_a_job_that_a_larger_stop_has_made_good_is_not_stopped(tmp_path):
    """b is worth least but frees too little; once a has stopped, b may stay."""
    jobs = {"a": (2, ["1,0,9,14400"]), "b": (1, ["2,0,1,14400"])}
    cut = "  curtailment: [{at: 80 min, for: 1 hour, to: 3 kW}]"
    run = result(tmp_path, jobs, site=cut, floor="500 W", restart="6 min")
    assert run.jobs["preemptions"].to_list() == [1, 0]
    assert run.stays.filter(job_class="b").height == 1


def test_a_job_may_be_stopped_and_go_on_in_the_same_instant(tmp_path):
    """The small jobs fit again beside the stop of the large one, without a restart to pay: the same end twice."""
    rows = [f"{number},0,1,36000" for number in range(1, 5)]
    jobs = {"a": (2, ["9,0,6,36000"]), "b": (1, rows)}
    for to in range(2000, 7000, 250):
        run = result(tmp_path, jobs, site=f"  curtailment: [{{at: 2 hours, for: 1 hour, to: {to} W, notice: 1 min}}]",
                     power="shed")  # fmt: skip
        assert run.jobs["status"].to_list() == ["completed"] * 5


def test_overlapping_events_pay_once_and_only_within_the_run(tmp_path):
    event = "{at: 30 min, for: 30 min, to: 6500 W, payment: 100 USD/MWh}"
    jobs = {"a": (1, ["1,0,10,7200"])}
    once = result(tmp_path, jobs, site=f"  curtailment: [{event}]").summary
    twice = result(tmp_path, jobs, site=f"  curtailment: [{event}, {event}]").summary
    assert once["curtailed_energy_j"] == pytest.approx(4500 * 1800) == twice["curtailed_energy_j"]
    assert once["curtailment_payment_usd"] == pytest.approx(4500 * 1800 / 3.6e9 * 100)
    assert (once["curtailments"], twice["curtailments"], twice["curtailed_h"]) == (1, 2, 0.5)
    late = f"  curtailment: [{event}, {{at: 10 hours, for: 1 hour, to: 6 kW, payment_per_event: 1000 USD}}]"
    over = result(tmp_path, jobs, site=late, horizon="until-done").summary
    assert (over["curtailments"], over["curtailed_h"]) == (1, 0.5)
    assert over["curtailment_payment_usd"] == pytest.approx(once["curtailment_payment_usd"])


def test_a_stopped_job_that_waits_at_the_end_counts_as_waiting(tmp_path):
    run = result(tmp_path, {"a": (1, ["1,0,10,14400"])}, site=CUT % ("2100 W", "1 min"), horizon="2 hours")
    assert run.jobs["status"].to_list() == ["waiting"]
    assert (run.summary["running_at_end_jobs"], run.summary["waiting_at_end_jobs"]) == (0, 1)
    assert run.summary["work_chip_h"] == pytest.approx(10)


def test_a_smaller_phase_sheds_too_and_loses_no_work(tmp_path):
    jobs = {"a": (3, ["1,0,5,7200"]), "b": (1, ["2,0,5,7200"])}
    phases = "  phases: [{at: 0 s, cap: 11 kW}, {at: 80 min, cap: 6500 W}]"
    for power, stopped in (("shed", [0, 1]), ("reserve", [0, 0])):
        path = tmp_path / power
        path.mkdir()
        run = result(path, jobs, site=phases, feed="REMOVE", power=power)
        assert run.jobs["preemptions"].to_list() == stopped
        assert run.jobs["lost_chip_s"].sum() == 0


def test_reserve_caps_nobody_in_order_to_charge(tmp_path):
    site = CUT % ("2100 W", "0 s") + "\n  battery: {energy: 9 kWh, power: 9 kW, round_trip: 1, charge: 4 kW}"
    run = result(tmp_path, {"a": (1, ["1,0,10,7200"])}, site=site)
    assert run.timeline.filter(run.timeline["time_s"] >= 3 * HOUR_S)["throttle"].min() == 1
    # throttling keeps the charge free first
    slow = result(tmp_path, {"a": (1, ["1,0,10,14400"])}, site=site, power="throttle")
    assert slow.timeline.filter(slow.timeline["time_s"] >= 3 * HOUR_S)["throttle"].min() < 1


def test_a_ramp_counts_from_when_the_load_comes_unless_the_event_was_announced(tmp_path):
    jobs = {"a": (1, ["1,7200,10,7200"])}
    site = "  curtailment: [{at: 1 hour, for: 4 hours, to: 4 kW, notice: %s}]"
    site += "\n  battery: {energy: 90 kWh, power: 8 kW, ramp: 80 W/s}"
    for notice in ("0 s", "1 hour"):  # the event was an hour ago: the lead is no longer there
        run = result(tmp_path, jobs, site=site % notice, power="throttle")
        rises = run.timeline["battery_w"].clip(0.0).diff().to_list()[1:]
        assert max(rises) <= 500 * (1 + 1e-9)


def test_under_easy_the_head_waits_for_the_end_of_a_curtailment_and_no_longer(tmp_path):
    """Long jobs that would keep the head out when the cap is back do not pass it."""
    jobs = {"a": (1, ["1,3660,10,3600", "2,3900,3,72000"])}
    run = result(tmp_path, jobs, site="  curtailment: [{at: 1 hour, for: 2 hours, to: 5 kW}]")
    assert run.jobs["start_s"].to_list() == [3 * HOUR_S, 4 * HOUR_S]


@pytest.mark.parametrize("second_s", [43200, 50000])
def test_a_rejection_leaves_no_trace_in_the_next_pass(tmp_path, second_s):
    jobs = {"a": (1, ["1,43200,10,3600", f"2,{second_s},2,3600"])}
    result(tmp_path, jobs, feed="13 kW", racks="1")
    path = tmp_path / "s.yaml"
    path.write_text(
        path.read_text().replace("count: 1}", "count: 5, delivery: {first: 0 s, every: 6 hours, racks: 1}}")
    )
    scenario, plant, policy = prepare(path)
    run = measure(simulate(scenario, plant, policy, 0), plant, scenario)
    assert run.jobs["status"].to_list()[1] == "completed"
