"""Jobs that wait for a cheaper or cleaner hour."""

from pathlib import Path

import numpy as np
import pytest

from outputs.metrics import Result, measure
from scenarios.errors import ScenarioError
from sim.run import prepare
from sim.simulation import simulate

HOUR_S = 3600.0
TEXT = """
name: prices
start: 2026-01-01
horizon: 2 days
site: {{feed: 100 kW, price: {{file: prices.csv, column: price, unit: USD/MWh}}}}
fleet: [{{pool: p, rack: dgx-h100, count: {racks}}}]
workload:
  - {{class: a, kind: trace, format: csv, file: jobs.csv{keys}}}
policy: {{power: {{defer: {defer}}}}}
"""
PRICES = [50, 50, 50, 20, 20, 90] + [90] * 30 + [10] * 12  # by the hour


def result(
    folder: Path,
    jobs: list[str],
    defer: str = "{price: 30 USD/MWh, deadline: 20 hours}",
    racks: int = 4,
    keys: str = "",
) -> Result:
    (folder / "jobs.csv").write_text("\n".join(["number,submit_s,chips,run_s", *jobs]) + "\n")
    rows = [f"2026-01-0{1 + at // 24}T{at % 24:02}:00:00Z,{price}" for at, price in enumerate(PRICES)]
    (folder / "prices.csv").write_text("\n".join(["time,price", *rows]) + "\n")
    path = folder / "s.yaml"
    path.write_text(TEXT.format(defer=defer, racks=racks, keys=keys).lstrip())
    scenario, plant, policy = prepare(path)
    return measure(simulate(scenario, plant, policy, 0), plant, scenario)


def starts_h(run: Result) -> list[float | None]:
    return [None if start_s is None else start_s / HOUR_S for start_s in run.jobs["start_s"].to_list()]


def test_a_job_waits_for_a_cheap_hour_or_its_deadline(tmp_path):
    jobs = ["1,0,8,600", "2,3600,8,600", "3,12600,8,600", "4,21600,8,600", "5,100800,8,600"]
    run = result(tmp_path, jobs)
    assert starts_h(run) == [3, 3, 3.5, 6 + 20, 36]
    assert run.summary["waiting_deferred_chip_h"] == pytest.approx(8 * (3 + 2 + 20 + 8))
    assert run.timeline["queue_jobs"].max() == 2


def test_a_class_may_have_a_patience_of_its_own(tmp_path):
    assert starts_h(result(tmp_path, ["1,0,8,600"], keys=", defer_up_to: 1 hour")) == [1]
    assert starts_h(result(tmp_path, ["1,0,8,600"], keys=", defer_up_to: 0 s")) == [0]


def test_a_job_counts_as_waiting_up_to_the_instant_in_which_it_is_let_go(tmp_path):
    # let go after an hour, between two changes of the site; nobody else waits or runs
    run = result(tmp_path, ["1,60,8,600"], keys=", defer_up_to: 90 min")
    line = run.timeline.filter(run.timeline["time_s"] < 60 + 5400)
    assert line.select("time_s", "queue_jobs").rows() == [(0, 0), (60, 1)]
    states = dict(run.capacity.filter(run.capacity["chip_s"] > 0).select("state", "chip_s").rows())
    assert states == {"productive": 8 * 600, "held by policy": 8 * 5400, "no demand": 32 * 172_800 - 8 * 6000}


def test_who_has_not_started_by_the_end_of_a_cheap_hour_waits_for_the_next(tmp_path):
    jobs = ["1,0,8,3600", "2,1,8,3600", "3,2,8,3600", "4,3,8,3600"]
    run = result(tmp_path, jobs, "{price: 30 USD/MWh, deadline: 40 hours}", racks=1)
    assert starts_h(run) == [3, 4, 36, 37]


def test_both_thresholds_must_hold_and_the_signal_must_be_there(tmp_path):
    with pytest.raises(ScenarioError, match=r"policy.power.defer.carbon: needs the site's carbon: set site.carbon"):
        result(tmp_path, ["1,0,8,600"], "{price: 30 USD/MWh, carbon: 300 gCO2/kWh}")
    with pytest.raises(ScenarioError, match="allowed: some of price, carbon, cheapest and cleanest"):
        result(tmp_path, ["1,0,8,600"], "{deadline: 1 hour}")


def test_a_share_of_the_time_counts_as_good_from_the_lowest_price_on(tmp_path):
    # of 48 hours 12 cost 10 and 2 cost 20: a quarter is those of 10, 27 % takes those of 20 in
    assert starts_h(result(tmp_path, ["1,0,8,600"], "{cheapest: 25 %, deadline: 40 hours}")) == [36]
    assert starts_h(result(tmp_path, ["1,0,8,600"], "{cheapest: 27 %, deadline: 40 hours}")) == [3]
    assert starts_h(result(tmp_path, ["1,0,8,600"], "{cheapest: 27 %, price: 15 USD/MWh, deadline: 40 hours}")) == [36]


def test_defer_alone_is_the_cheaper_half_where_the_site_has_no_carbon(tmp_path):
    text = TEXT.replace("policy: {{power: {{defer: {defer}}}}}", "policy: carbon-aware  # {defer}")
    plain = starts_h(result(tmp_path, ["1,21600,8,600"], "{cheapest: 50 %}"))
    path = tmp_path / "s.yaml"
    path.write_text(text.format(defer="", racks=4, keys="").lstrip())
    scenario, plant, policy = prepare(path)
    run = measure(simulate(scenario, plant, policy, 0), plant, scenario)
    assert starts_h(run) == plain
    assert policy.written["power"] == {"defer": {"cheapest": 0.5, "deadline": "1 day"}}


TEXAS = """
name: texas
start: 2023-08-01
horizon: 31 days
seed: 3
site:
  feed: 20 MW
  pue: {{fixed: 200 kW, proportional: 0.06, slope_per_degree: 0.006, free_cooling_below: 18 degC}}
  price: {{file: {grid}/US-TEX-ERCO_price_2023.csv.gz, column: Price (USD/MWh), unit: USD/MWh}}
  carbon: {{file: {grid}/US-TEX-ERCO_ci_2023.csv.gz, column: Carbon Intensity gCO₂eq/kWh (direct), unit: gCO2/kWh}}
  temperature: {{file: {grid}/US-TEX-ERCO_weather_2023.json.gz, column: temperature_2m}}
fleet: [{{pool: blackwell, rack: gb200-nvl72, count: 100}}]
workload:
  - {{class: frontier, kind: training, model: llama3-405b, chips: {{choice: [576, 1152]}}, arrivals: {{per_day: 2}},
     tokens: {{lognormal: {{median: 1e11, sigma: 0.5}}}}, stacks: [cuda], defer_up_to: 0 s}}
  - {{class: tuning, kind: fine-tuning, model: llama3-70b, chips: {{choice: {{32: 0.5, 72: 0.5}}}},
     tokens: {{lognormal: {{median: 2e9, sigma: 0.8}}}}, arrivals: {{per_hour: 10}}, stacks: [cuda]}}
policy: {{preset: easy, power: {power}}}
"""


def test_a_month_of_texas_is_cheaper_and_cleaner_for_a_few_hours_of_delay(tmp_path, data):
    runs = {}
    for name, power in (("now", "reserve"), ("later", "{defer: {price: 60 USD/MWh, deadline: 24 hours}}")):
        path = tmp_path / f"{name}.yaml"
        path.write_text(TEXAS.format(grid=data / "traces" / "grid-texas", power=power).lstrip())
        scenario, plant, policy = prepare(path)
        runs[name] = measure(simulate(scenario, plant, policy, 3), plant, scenario)
    now, later = runs["now"].summary, runs["later"].summary
    assert later["electricity_usd"] < 0.80 * now["electricity_usd"]
    assert later["carbon_g"] < now["carbon_g"]
    assert later["wait_mean_s"] < 2 * HOUR_S
    assert later["trained_tokens"] > 0.995 * now["trained_tokens"]
    # cost and carbon are the integrals of the saved series
    timeline = runs["later"].timeline
    lasts_h = np.diff(np.append(timeline["time_s"].to_numpy(), 31 * 24 * HOUR_S)) / HOUR_S
    mwh = timeline["feed_w"].to_numpy() / 1e6 * lasts_h
    assert later["electricity_usd"] == pytest.approx((mwh * timeline["price_usd_per_mwh"].to_numpy()).sum(), rel=1e-9)
    assert later["carbon_g"] == pytest.approx((mwh * 1e3 * timeline["carbon_g_per_kwh"].to_numpy()).sum(), rel=1e-9)
    assert timeline["price_usd_per_mwh"].max() > 3000 and timeline["outdoor_degc"].max() > 40
