"""The site's keys and what they come to over a run."""

from pathlib import Path

import numpy as np
import pytest

from scenarios.contract import SiteSteps
from scenarios.errors import ScenarioError
from scenarios.load import Scenario, load

HOUR_S = 3600.0
TEXT = """
name: s
start: {start}
horizon: {horizon}
site:
{site}
fleet: [{{pool: p, rack: dgx-h100, count: 4}}]
workload:
  - {{class: w, kind: synthetic, chips: 1, duration: 1 hour, arrivals: {{per_hour: 1}}, jobs: 10}}
"""


def loaded(folder: Path, site: str, horizon: str = "10 days", start: str = "2026-01-01") -> Scenario:
    path = folder / "s.yaml"
    lines = "\n".join(f"  {line}" for line in site.strip().splitlines())
    path.write_text(TEXT.format(site=lines, horizon=horizon, start=start).lstrip())
    return load(path)


def steps(folder: Path, site: str, seed: int = 0) -> SiteSteps:
    found = loaded(folder, site).site_steps(seed)
    assert found is not None
    return found


def test_phases_raise_the_cap_and_a_curtailment_takes_its_share_of_the_phase(tmp_path):
    got = steps(
        tmp_path,
        "phases: [{at: 0 days, cap: 20 kW}, {at: 2 days, cap: 40 kW}]\n"
        "curtailment: [{at: 47 hours, for: 2 hours, by: 25 %, notice: 30 min}]",
    )
    assert (got.time_s / HOUR_S).tolist() == [0, 46.5, 47, 48, 49]
    assert got.contract_w.tolist() == [20e3, 20e3, 20e3, 40e3, 40e3]
    assert got.cap_w.tolist() == [20e3, 20e3, 15e3, 30e3, 40e3]
    assert got.announced_w.tolist() == [20e3, 15e3, 15e3, 30e3, 40e3]
    assert got.event.tolist() == [-1, -1, 0, 0, -1] and got.events[0].notice_s == 46.5 * HOUR_S


def test_the_lowest_of_overlapping_curtailments_holds_and_none_is_above_the_contract(tmp_path):
    got = steps(
        tmp_path,
        "feed: 30 kW\ncurtailment:\n  - {at: 1 hour, for: 4 hours, to: 20 kW}\n"
        "  - {at: 2 hours, for: 1 hour, to: 10 kW}\n  - {at: 3 hours, for: 1 hour, to: 90 kW}",
    )
    assert dict(zip((got.time_s / HOUR_S).tolist(), got.cap_w.tolist(), strict=True)) == {
        0: 30e3, 1: 20e3, 2: 10e3, 3: 20e3, 4: 20e3, 5: 30e3,
    }  # fmt: skip


def test_random_curtailments_are_those_of_their_seed_and_as_many_as_asked_for(tmp_path):
    site = "feed: 30 kW\ncurtailment: [{per_year: 3000, for: {uniform: [1 min, 9 min]}, by: 50 %}]"
    first, again, other = steps(tmp_path, site, 1), steps(tmp_path, site, 1), steps(tmp_path, site, 2)
    assert first.events == again.events != other.events
    expected = 3000 * 10 / 365.25
    assert abs(len(first.events) - expected) < 4 * expected**0.5
    assert all(60 <= event.to_s - event.from_s <= 540 for event in first.events)


def test_cooling_costs_more_above_the_free_cooling_limit_only(tmp_path):
    got = steps(
        tmp_path,
        "feed: 30 kW\npue: {proportional: 0.1, slope_per_degree: 0.01, free_cooling_below: 20 degC}\n"
        "temperature: {synthetic: {mean: 20 degC, daily: 5 degC, peak_hour: 15}}",
    )
    outdoor = got.outdoor
    assert outdoor.max() == pytest.approx(25, abs=0.2) and outdoor.min() == pytest.approx(15, abs=0.2)
    np.testing.assert_allclose(got.overhead, 1.1 + 0.01 * np.maximum(0, outdoor - 20))
    assert len(got.time_s) >= 240


@pytest.mark.parametrize(
    ("site", "message"),
    [
        ("feed: 30 kW\nphases: [{at: 0 s, cap: 1 MW}]", ":4: site: allowed: exactly one of feed, phases"),
        ("phases: [{at: 1 day, cap: 1 MW}]", ":4: site: phases must begin at 0 days and rise in time"),
        ("feed: 30 kW\npue: {slope_per_degree: 0.01}", ":4: site: pue.slope_per_degree needs a temperature"),
        ("feed: 30 kW\ncurtailment: [{for: 1 hour, by: 10 %}]", "allowed: exactly one of at, per_year"),
        ("feed: 30 kW\ncurtailment: [{at: 1 hour, for: 1 hour}]", "allowed: exactly one of to, by"),
        ("feed: 30 kW\ncurtailment: [{per_year: 2, every: 1 day, for: 1 hour, by: 10 %}]", "every needs one time at"),
        ("feed: 30 kW\ncurtailment: [{at: 1 hour, for: 1 hour, by: 120 %}]", "curtailment.0.by: "),
        ("feed: 30 kW\ncurtailment: [{at: 0 s, every: 1 s, for: 1 s, by: 10 %}]", "more than 100,000 times"),
        ("feed: 30 kW\nbattery: {energy: 20 MW, power: 1 MW}", "site.battery.energy: found '20 MW', which is a power"),
        ("feed: 30 kW\nbattery: {energy: 20 MWh}", "site.battery.power: this key is missing"),
        ("feed: 30 kW\nprice: 80", "site.price: "),
        ("feed: 30 kW\nprice: {file: none.csv, column: price, unit: USD/MWh}", "none.csv"),
    ],
)
def test_a_mistake_is_refused_with_what_is_allowed(tmp_path, site, message):
    with pytest.raises(ScenarioError) as caught:
        loaded(tmp_path, site)
    assert message in str(caught.value)


def test_until_done_goes_with_curtailments_at_given_times_only(tmp_path):
    cut = "feed: 30 kW\ncurtailment: [{at: 1 hour, every: 1 day, for: 1 hour, by: 10 %}]"
    with pytest.raises(ScenarioError, match="until-done goes with curtailments at given times only"):
        loaded(tmp_path, cut, "until-done")
    assert loaded(tmp_path, cut.replace("every: 1 day, ", ""), "until-done").site_steps(0) is not None


def test_the_texas_files_are_read_as_they_are(tmp_path, data):
    grid = data / "traces" / "grid-texas"
    site = f"""
feed: 30 kW
price: {{file: {grid}/US-TEX-ERCO_price_2023.csv.gz, column: Price (USD/MWh), unit: USD/MWh}}
carbon: {{file: {grid}/US-TEX-ERCO_ci_2023.csv.gz, column: Carbon Intensity gCO₂eq/kWh (direct), unit: gCO2/kWh}}
temperature: {{file: {grid}/US-TEX-ERCO_weather_2023.json.gz, column: temperature_2m}}
"""
    got = loaded(tmp_path, site, start="2023-08-01").site_steps(0)
    assert got is not None and len(got.time_s) == 240
    assert np.nanmin(got.price) > 0 and np.nanmax(got.outdoor) > 35
