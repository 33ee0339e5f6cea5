"""A scenario's policy keys and the command line's: presets, axes, and what is refused."""

import math

import pytest

from policies.backfill import greedy, none
from policies.build import build_policy
from policies.conservative import conservative
from policies.easy import easy
from policies.order import fifo, sjf
from policies.placement import PACK
from policies.presets import PRESETS
from policies.registry import AXES, DEFAULTS, about
from policies.spec import overrides
from scenarios.errors import ScenarioError
from scenarios.load import load
from topologies.build import build_plant

SCENARIO = """name: small
horizon: 1 day
fleet: [{pool: cpu, rack: plain, chips: 4}]
workload:
  - {class: a, kind: synthetic, chips: 1, duration: 1 hour, arrivals: {per_hour: 1}}
"""
MEANT = {
    "fifo": (fifo, none),
    "fifo-skip": (fifo, greedy),
    "sjf": (sjf, none),
    "sjf-skip": (sjf, greedy),
    "easy": (fifo, easy),
    "easy-pack": (fifo, easy),
    "sjf-easy": (sjf, easy),
}


@pytest.fixture
def scenario(tmp_path):
    def read(policy="", spec=None):
        path = tmp_path / "small.yaml"
        path.write_text(SCENARIO + policy)
        return load(path, [(one, "--policy") for one in overrides(spec)] if spec else [])

    return read


def built(scenario):
    return build_policy(scenario, build_plant(scenario))


def chosen(scenario):
    policy = built(scenario)
    assert policy.placer is PACK
    return policy.order, policy.backfill


def test_a_scenario_without_a_policy_is_fifo_with_easy(scenario):
    assert chosen(scenario()) == (fifo, easy)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_names_axes_that_there_are_and_says_what_it_is(preset, scenario):
    axes, about_it = PRESETS[preset]
    assert all(value in AXES[axis] for axis, value in axes.items())
    assert about_it.endswith(".")
    text = "site: {feed: 1 MW, carbon: 300 gCO2/kWh}\n" if "power" in axes else ""
    policy = built(scenario(text, spec=preset))
    assert {axis: policy.names[axis] for axis in axes} == axes


@pytest.mark.parametrize("preset", MEANT)
def test_a_preset_chooses_its_axes(preset, scenario):
    assert chosen(scenario(f"policy: {preset}")) == MEANT[preset]
    assert chosen(scenario(f"policy: {{preset: {preset}}}")) == MEANT[preset]
    assert chosen(scenario(spec=preset)) == MEANT[preset]


def test_an_axis_beside_a_preset_wins(scenario):
    assert chosen(scenario("policy: {preset: sjf-easy, order: fifo}")) == (fifo, easy)
    assert chosen(scenario("policy: {preset: sjf-easy, backfill: none}")) == (sjf, none)


def test_an_axis_alone_changes_its_default_only(scenario):
    assert chosen(scenario("policy: {order: sjf}")) == (sjf, easy)


def test_the_names_are_those_of_the_choice(scenario):
    policy = built(scenario("policy: {preset: sjf-skip, order: fifo}"))
    assert policy.names == {**DEFAULTS, "order": "fifo", "backfill": "greedy"}


def test_a_preset_of_the_file_is_overridden_by_an_axis_of_the_command_line(scenario):
    assert chosen(scenario("policy: sjf-skip", "order=fifo")) == (fifo, greedy)
    assert chosen(scenario("policy: {preset: sjf-skip}", "backfill=easy")) == (sjf, easy)


def test_a_preset_of_the_command_line_replaces_the_policy_of_the_file(scenario):
    assert chosen(scenario("policy: {order: sjf, backfill: none}", "easy")) == (fifo, easy)
    assert chosen(scenario("policy: {order: sjf, backfill: none}", "easy,backfill=greedy")) == (fifo, greedy)


def test_a_policy_option_is_a_list_of_overrides():
    assert overrides("easy") == ["policy=easy"]
    assert overrides("order=sjf,backfill=none") == ["policy.order=sjf", "policy.backfill=none"]
    assert overrides("sjf-easy, order=fifo") == ["policy=sjf-easy", "policy.order=fifo"]


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (
            "policy: sfj",
            "unknown policy 'sfj'; did you mean 'sjf'? (allowed: carbon-aware, conservative, ",
        ),
        ("policy: {order: fif}", "unknown order 'fif'; did you mean 'fifo'? (allowed: deadline, "),
        ("policy: {backfill: gredy}", "did you mean 'greedy'? (allowed: conservative, easy, greedy, max-min, none)"),
        (
            "policy: {placement: random}",
            "unknown placement 'random' (allowed: cheapest, contiguous, efficient, first-fit, fragmentation, max-min, ",
        ),
    ],
)
def test_an_unknown_name_is_refused_with_its_line_the_nearest_and_the_allowed_ones(policy, message, scenario):
    with pytest.raises(ScenarioError) as caught:
        built(scenario(policy))
    assert "small.yaml:6: policy" in str(caught.value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("esay", "unknown policy 'esay'; did you mean 'easy'? (allowed: carbon-aware, conservative, "),
        ("esay", "or axis=value parts such as order=sjf,backfill=none"),
        (
            "ordr=sjf",
            "unknown axis 'ordr'; did you mean 'order'? (allowed: backfill, order, ",
        ),
        ("easy,backfil=none", "unknown axis 'backfil'; did you mean 'backfill'?"),
        ("", "unknown policy ''"),
    ],
)
def test_an_unknown_part_of_a_policy_option_is_refused_with_the_nearest_and_the_allowed_names(spec, message):
    with pytest.raises(ScenarioError) as caught:
        overrides(spec)
    assert str(caught.value).startswith(f"--policy {spec}: ")
    assert message in str(caught.value)


def test_a_preset_after_an_axis_is_refused():
    with pytest.raises(ScenarioError):
        overrides("order=sjf,easy")


def test_an_unknown_name_of_the_command_line_is_refused_with_its_option(scenario):
    with pytest.raises(ScenarioError, match="unknown order 'fif'") as caught:
        built(scenario("policy: easy", "order=fif"))
    assert caught.value.where == "--policy policy.order=fif"


@pytest.mark.parametrize(
    ("text", "written", "depth"),
    [
        ("conservative", 4, 4),
        ("{conservative: {}}", 4, 4),
        ("{conservative: {depth: 30}}", 30, 30),
        ("{conservative: {depth: all}}", "all", math.inf),
    ],
)
def test_conservative_takes_a_depth_in_the_file_and_on_the_command_line(text, written, depth, scenario):
    for made in (scenario(f"policy: {{backfill: {text}}}"), scenario(spec=f"backfill={text}")):
        policy = built(made)
        assert policy.backfill.func is conservative
        assert policy.backfill.keywords == {"depth": depth}
        assert policy.names["backfill"] == "conservative"
        assert policy.written["backfill"] == {"conservative": {"depth": written}}


@pytest.mark.parametrize("found", ["0", "2.5", "true", "every"])
def test_a_depth_that_is_none_is_refused_with_its_line(found, scenario):
    with pytest.raises(ScenarioError) as caught:
        scenario(f"policy: {{backfill: {{conservative: {{depth: {found}}}}}}}")
    assert "policy.backfill.conservative.depth: found " in str(caught.value)
    assert str(caught.value).endswith("allowed: all, or a whole number from 1 on")


@pytest.mark.parametrize("axis", AXES)
def test_every_policy_says_in_one_line_what_it_does(axis):
    lines = [about(policy) for policy in AXES[axis].values()]
    assert all(line.endswith(".") and len(line) > 20 for line in lines)
    assert len(set(lines)) == len(lines)


def test_a_class_whose_gangs_no_rack_could_ever_power_is_refused(tmp_path):
    chip = "{stack: own, idle: 0 W, tdp: 1 kW, source: test, confidence: low}"
    rack = "{accelerator: hot, chips: 8, domain_chips: 8, node_chips: 8, rating: 4 kW, source: test, confidence: low}"
    own = f"catalog: {{accelerators: {{hot: {chip}}}, racks: {{small: {rack}}}}}\n"
    for chips, fits in ((4, True), (5, False)):
        text = SCENARIO.replace("{pool: cpu, rack: plain, chips: 4}", "{pool: hot, rack: small, count: 2}") + own
        (tmp_path / "hot.yaml").write_text(text.replace("chips: 1,", f"demand: 1, chips: {chips},"))
        if fits:
            built(load(tmp_path / "hot.yaml"))
        else:
            with pytest.raises(ScenarioError, match=r"hot\.yaml:5: workload\.a: no job of this class could ever start"):
                built(load(tmp_path / "hot.yaml"))
