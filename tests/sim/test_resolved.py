"""The resolved scenario says all that the run it came from went by: read again it resolves to itself."""

import pytest

from outputs.resolved import resolved
from policies.build import build_policy
from policies.presets import PRESETS
from policies.registry import AXES
from policies.spec import overrides
from scenarios.load import load
from topologies.build import build_plant

WHOLE = """
name: whole
horizon: 1 day
site: {feed: 100 kW, price: 50 USD/MWh, carbon: {synthetic: {mean: 300 gCO2/kWh, daily: 100 gCO2/kWh}}}
network: {fabric: leaf-spine}
fleet: [{pool: a, rack: dgx-h100, count: 4}]
workload:
  - {class: c, kind: fine-tuning, model: llama3-8b, chips: 8, tokens: 1e8, stacks: [cuda], arrivals: {per_hour: 5}}
"""
BARE = WHOLE.replace("network: {fabric: leaf-spine}\n", "")
PARTS = [f"{axis}={value}" for axis, values in AXES.items() for value in values]


def text_of(path, spec=None):
    scenario = load(path, [(one, "--policy") for one in (overrides(spec) if spec else [])])
    return resolved(scenario, build_policy(scenario, build_plant(scenario)), 1)


@pytest.mark.parametrize("spec", [None, *PRESETS, *PARTS])
def test_every_preset_and_every_policy_resolves_to_itself(spec, tmp_path):
    for number, text in enumerate((WHOLE, BARE)):
        if spec == "placement=contiguous" and text is BARE:
            continue  # it needs a network
        (tmp_path / f"{number}.yaml").write_text(text)
        first = text_of(tmp_path / f"{number}.yaml", spec)
        (tmp_path / "again.yaml").write_text(first)
        assert text_of(tmp_path / "again.yaml") == first


def test_the_parameters_that_a_preset_brings_are_written_out(tmp_path):
    (tmp_path / "whole.yaml").write_text(WHOLE)
    brings = {
        "fair-share": "half_life: 7 days",
        "tiresias": "thresholds",
        "conservative": "depth: 4",
        "elastic": "min_run",
        "carbon-aware": "cleanest: 0.5",
    }
    assert [spec for spec, words in brings.items() if words not in text_of(tmp_path / "whole.yaml", spec)] == []


def test_mapped_columns_and_shares_resolve_to_themselves(tmp_path):
    columns = "{submit: submit_time, chips: gpu_num, run: {from: start_time, to: end_time}, estimate: duration}"
    (tmp_path / "s.yaml").write_text(
        "name: logs\nhorizon: until-done\nfleet: [{pool: a, rack: plain, chips: 64}]\nworkload:\n"
        f"  - {{class: c, kind: trace, format: csv, file: helios-sample.csv, on_bad_row: skip, columns: {columns}}}\n"
        "  - {class: o, kind: trace, format: openb, file: openb-sample.csv, shares: skip}\n"
    )
    first = text_of(tmp_path / "s.yaml")
    (tmp_path / "again.yaml").write_text(first)
    assert text_of(tmp_path / "again.yaml") == first
