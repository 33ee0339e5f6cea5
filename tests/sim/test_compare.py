"""megawatt compare: runs beside each other, in a table and a picture."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sim.cli import main

SITE = """
name: small
horizon: 1 day
site:
  feed: 40 kW
  battery: {energy: 10 kWh, power: 10 kW}
  curtailment: [{at: 6 hours, for: 3 hours, by: 50 %}]
  price: {synthetic: {mean: 50 USD/MWh, daily: 30 USD/MWh}}
  carbon: 300 gCO2/kWh
fleet: [{pool: dgx, rack: dgx-h100, count: 4}]
workload:
  - {class: a, kind: synthetic, chips: 8, duration: 3 hours, arrivals: {per_hour: 2}}
"""


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(SITE.lstrip())


def megawatt(*words: str) -> Result:
    return CliRunner().invoke(main, words, catch_exceptions=False)


def test_two_policies_stand_beside_each_other_with_their_differences():
    for power in ("reserve", "throttle"):
        assert megawatt("run", "s.yaml", "--policy", f"power={power}", "--out", power, "--no-render").exit_code == 0
    made = megawatt("compare", "reserve", "throttle", "--plot", "both.png", "--from", "2026-01-01T03:00")
    assert made.exit_code == 0, made.output
    lines = made.stdout.splitlines()
    assert lines[0].split() == ["reserve", "throttle"]
    assert [line.split("  ")[0] for line in lines[1:3]] == ["policy", "scenario, seed"]
    assert [line[:9] for line in lines if line.startswith("JCT")] == ["JCT, mean", "JCT, p95 "]
    energy = next(line for line in lines if line.startswith("energy [MWh]"))
    assert "%)" in energy
    assert Path("both.png").read_bytes()[:4] == b"\x89PNG"
    again = megawatt("compare", "reserve", "throttle", "--plot", "both.png")
    assert again.exit_code == 2 and "--plot both.png: exists already" in again.stderr
    assert megawatt("compare", "reserve", "--plot", "both.png", "--force").exit_code == 0


def test_the_power_picture_has_panels_for_state_and_signals():
    assert megawatt("run", "s.yaml", "--policy", "power=throttle", "--out", "run").exit_code == 0
    with_signals = Path("run/power.png").stat().st_size
    plain = SITE.replace("price: {synthetic: {mean: 50 USD/MWh, daily: 30 USD/MWh}}", "price: 50 USD/MWh")
    Path("s.yaml").write_text(plain.lstrip())
    assert megawatt("run", "s.yaml", "--policy", "power=throttle", "--out", "plain").exit_code == 0
    assert with_signals > Path("plain/power.png").stat().st_size > 20_000


@pytest.mark.parametrize("words", [("none",), ("s.yaml",), (".",)])
def test_what_is_no_run_is_refused(words):
    result = megawatt("compare", *words)
    assert result.exit_code == 2
    assert "is no run folder" in result.stderr


def test_a_run_without_power_has_nothing_to_draw():
    Path("plain.yaml").write_text(
        "name: plain\nhorizon: 1 day\nfleet: [{pool: p, rack: plain, chips: 8}]\nworkload:\n"
        "  - {class: a, kind: synthetic, chips: 1, duration: 1 hour, arrivals: {per_hour: 2}}\n"
    )
    assert megawatt("run", "plain.yaml", "--out", "run", "--no-render").exit_code == 0
    assert megawatt("compare", "run").exit_code == 0
    result = megawatt("compare", "run", "--plot", "p.png")
    assert result.exit_code == 2 and "has no power to draw" in result.stderr
    assert not Path("p.png").exists()


def test_runs_of_different_spans_and_sizes_are_drawn_in_one_unit(tmp_path):
    assert megawatt("run", "s.yaml", "--out", "day", "--no-render").exit_code == 0
    large = SITE.replace("feed: 40 kW", "feed: 40 MW").replace("count: 4", "count: 2000").replace("1 day", "3 days")
    Path("s.yaml").write_text(large.lstrip())
    assert megawatt("run", "s.yaml", "--out", "days", "--no-render").exit_code == 0
    assert megawatt("compare", "day", "days", "--plot", "both.png").exit_code == 0


@pytest.mark.parametrize("power", ["shed", "water-fill"])
def test_a_power_policy_by_its_bare_name_is_refused_with_how_to_write_it(power):
    result = megawatt("run", "s.yaml", "--policy", power)
    assert result.exit_code == 2
    assert f"{power!r} is a value of an axis: write power={power}" in result.stderr


def test_a_site_that_looks_like_a_mistake_is_warned_of():
    odd = SITE.replace("by: 50 %", "to: 50 kW").replace("battery:", "pue: {proportional: 1.08}\n  battery:")
    Path("s.yaml").write_text(odd.replace("feed: 40 kW", "feed: 45 kW").lstrip())
    result = megawatt("validate", "s.yaml")
    assert result.exit_code == 0
    assert "warning: site.pue.proportional is what comes on top of IT: 1.08 is a PUE of 2.08" in result.stderr
    assert "warning: site.curtailment.0 takes nothing away from the contract" in result.stderr
