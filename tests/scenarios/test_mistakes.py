"""A user's mistakes: each is refused at its file, line and key path, with what was found and what is allowed."""

import pytest

from scenarios.errors import ScenarioError, nearest, unknown

GOOD = """\
name: a
horizon: 7 days
warmup: 1 day
fleet:
  - {pool: cpu, rack: plain, chips: 8}
  - {pool: gpu, rack: dgx-h100, count: 2}
workload:
  - class: w
    kind: synthetic
    chips: 1
    duration: 1 hour
    arrivals: {per_hour: 4}
  - {class: log, kind: synthetic, chips: 1, duration: 1 hour, arrivals: {per_day: 4}}
"""

A_TIME = "allowed: a time with its unit, such as '30 days'"
KINDS = "choice, uniform, exponential, lognormal, pareto, weibull, empirical as {kind: parameters}"
# (as written well, as written wrongly, the line of the mistake, the message)
MISTAKES = [
    ("warmup:", "warmpu:", 3, "warmpu: unknown key; did you mean 'warmup'? (allowed: name, description, start, "),
    ("    chips: 1", "    chip: 1", 10, "workload.w.chip: unknown key; did you mean 'chips'? (allowed: class, "),
    ("per_hour", "per_hours", 12, "workload.w.arrivals.per_hours: unknown key; did you mean 'per_hour'?"),
    ("class: w", "job_class: w", 8, "workload.0.job_class: unknown key; did you mean 'class'?"),
    ("7 days", "2 MW", 2, f"horizon: found '2 MW', which is a power; {A_TIME}"),
    ("7 days", "604800", 2, f"horizon: found 604800 (a bare number); {A_TIME}"),
    ("7 days", "7 dayz", 2, f"horizon: found '7 dayz': unknown unit 'dayz'; {A_TIME}"),
    ("7 days", ".nan", 2, f"horizon: found nan (a bare number); {A_TIME}"),
    ("7 days", "true", 2, f"horizon: found True (bool); {A_TIME}"),
    ("7 days", "0 s", 2, "horizon: found '0 s'; allowed: more than 0 s"),
    ("7 days", "until-done", 2, "horizon: until-done needs an end to every drawn class: give the class w"),
    ("1 day\n", "-1 day\n", 3, "warmup: found '-1 day'; allowed: at least 0 s"),
    (
        "1 day\n",
        "7 days\n",
        3,
        "warmup: found 7 days of a horizon of 7 days; allowed: a warmup short",
    ),
    ("1 hour\n", "3600\n", 11, f"workload.w.duration: found 3600 (a bare number); {A_TIME}"),
    ("1 hour\n", "0 h\n", 11, "workload.w.duration: found '0 h'; allowed: more than 0 s"),
    (
        "1 hour\n",
        "{lognorm: 3}\n",
        11,
        f"workload.w.duration: found {{'lognorm': 3}}; did you mean 'lognormal'?; allowed: a value, or one of {KINDS}",
    ),
    ("1 hour\n", "{lognormal: {median: 1 h}}\n", 11, "workload.w.duration.lognormal.sigma: this key is missing"),
    ("1 hour\n", "{exponential: {mean: 2}}\n", 11, "workload.w.duration.exponential.mean: found 2 (a bare number); "),
    ("    chips: 1", "    chips: -1", 10, "workload.w.chips: found -1; allowed: greater than or equal to 1"),
    ("    chips: 1", "    chips: true", 10, "workload.w.chips: found True; allowed: a whole number"),
    ("    chips: 1", "    chips: '4'", 10, "workload.w.chips: found '4'; allowed: a whole number"),
    ("    chips: 1", "    chips: 4.0", 10, "workload.w.chips: found 4.0; allowed: a whole number"),
    ("    chips: 1", "    chips: {uniform: [4, 2]}", 10, "workload.w.chips.uniform: found low 4 above high 2; "),
    (
        "    chips: 1",
        "    chips: {choice: [1, 0]}",
        10,
        "workload.w.chips.choice.1: found 0; allowed: greater than or ",
    ),
    ("per_hour: 4", "per_hour: .nan", 12, "workload.w.arrivals.per_hour: found nan; allowed: a finite number"),
    ("per_hour: 4", "per_hour: .inf", 12, "workload.w.arrivals.per_hour: found inf; allowed: a finite number"),
    ("per_hour: 4", "per_hour: '4'", 12, "workload.w.arrivals.per_hour: found '4'; allowed: a number"),
    ("per_hour: 4", "per_hour: 4, per_day: 4", 12, "workload.w.arrivals: allowed: exactly one of per_hour, per_day"),
    ("{per_hour: 4}", "{}", 12, "workload.w.arrivals: allowed: exactly one of per_hour, per_day"),
    ("{per_hour: 4}", "{per_hour: 4, daily_peak_to_mean: 3}", 12, "workload.w.arrivals.daily_peak_to_mean: found 3; "),
    ("chips: 8}", "chips: -8}", 5, "fleet.cpu.chips: found -8; allowed: greater than or equal to 1"),
    ("chips: 8}", "count: 8}", 5, "fleet.cpu: rack 'plain' takes the key 'chips' and not 'count'"),
    ("count: 2}", "count: 2, chips: 2}", 6, "fleet.gpu: rack 'dgx-h100' takes the key 'count' and not 'chips'"),
    ("count: 2}", "count: '2'}", 6, "fleet.gpu.count: found '2'; allowed: a whole number"),
    ("pool: gpu", "pool: cpu", 4, "fleet: the name cpu is used twice"),
    ("pool: gpu", "pool: g p u", 6, "fleet.g p u.pool: found 'g p u'; allowed: letters, digits, - and _"),
    ("class: log", "class: w", 7, "workload: the name w is used twice"),
    (
        "    kind: synthetic\n",
        "    kind: sintetic\n",
        9,
        "workload.w.kind: found 'sintetic'; allowed: kind: synthetic, ",
    ),
    ("    kind: synthetic\n", "", 8, "workload.w: found {'class': 'w', "),
    ("    duration: 1 hour\n", "", 8, "workload.w.duration: this key is missing"),
    ("name: a\n", "", 1, "name: this key is missing"),
    ("name: a", "name: 3", 1, "name: found 3; allowed: text"),
    ("name: a", "name: a\nseed: -1", 2, "seed: found -1; allowed: greater than or equal to 0"),
    ("name: a", "name: a\nseed: true", 2, "seed: found True; allowed: a whole number"),
    (
        "name: a",
        "name: a\nstart: soon",
        2,
        "start: found 'soon'; allowed: a date such as 2026-01-01 or 2026-01-01T06:00:00",
    ),
    (
        "name: a",
        "name: a\npolicy: {odrer: fifo}",
        2,
        "policy.odrer: unknown key; did you mean 'order'? (allowed: preset, ",
    ),
    ("name: a", "name: a\npolicy: [fifo]", 2, "policy: found ['fifo']; allowed: keys such as preset, order, "),
    (
        "name: a",
        "name: a\ncatalog: {racks: {r: 4}}",
        2,
        "catalog.racks.r: found 4; allowed: keys such as source, confidence, ",
    ),
    (
        "    chips: 1",
        "    chips:\n      choice:\n        2: -1",
        12,
        "workload.w.chips.choice.2: found -1; allowed: greater",
    ),
    ("    chips: 1", "    tenant: {choice: {a: 1e308}}\n    chips: 1", 10, "workload.w.tenant.choice.a: found 1e+308"),
    ("{per_hour: 4}", "{per_hour: 4, weekend: 1e308}", 12, "workload.w.arrivals.weekend: found 1e+308; allowed: less"),
    ("7 days", "1e300 days", 2, "horizon: found '1e300 days'; allowed: at most 1,000 years"),
    ("name: a", "start: 2026-13-45\nname: a", 1, "start: found '2026-13-45'; allowed: a date such as 2026-01-01"),
    ("name: a", "start: 0001-01-01\nname: a", 1, "start: found '0001-01-01 00:00:00'; allowed: a date from 1900"),
    ("name: a", f"seed: 0x{'f' * 5000}\nname: a", 1, "seed: found a very large whole number; allowed: "),
    ("warmup: 1 day", "5: x", 3, "5: unknown key (allowed: "),
]


@pytest.mark.parametrize(("good", "bad", "line", "said"), MISTAKES, ids=[case[1].strip() for case in MISTAKES])
def test_a_mistake_is_refused_at_its_line_and_key_with_what_is_allowed(loaded, tmp_path, good, bad, line, said):
    assert good in GOOD, "the table names a text that the scenario lacks"
    with pytest.raises(ScenarioError) as error:
        loaded(GOOD.replace(good, bad, 1))
    assert error.value.where == f"{tmp_path}/s.yaml:{line}"
    assert error.value.message.startswith(said)


def test_the_scenario_without_the_mistakes_is_accepted(loaded):
    assert loaded(GOOD).keys.horizon == 604_800.0


def test_the_first_of_several_mistakes_is_told_with_the_number_of_the_others(loaded):
    with pytest.raises(ScenarioError, match=r"s.yaml:2: horizon: found '2 MW'.* \(2 more in this file\)$"):
        loaded(
            GOOD.replace("7 days", "2 MW")
            .replace("    chips: 1", "    chips: 0")
            .replace("per_hour: 4", "per_hour: -4")
        )


def test_a_mistake_in_an_override_is_refused_by_its_option(loaded):
    with pytest.raises(ScenarioError) as error:
        loaded(GOOD, "fleet.cpu.chips=-3")
    assert error.value.where == "--set fleet.cpu.chips=-3"
    assert error.value.message == "fleet.cpu.chips: found -3; allowed: greater than or equal to 1"


def test_a_misspelt_key_of_an_override_is_refused_with_the_nearest_name(loaded):
    with pytest.raises(ScenarioError) as error:
        loaded(GOOD, "workload.w.durration=2 h")
    assert error.value.where == "--set workload.w.durration=2 h"
    assert error.value.message.startswith("workload.w.durration: unknown key; did you mean 'duration'?")


@pytest.mark.parametrize("name", ['"a\\0b"', "x" * 300, "."])
def test_a_name_that_no_file_can_have_is_no_file(loaded, name):
    log = f"\n  - {{class: t, kind: trace, format: swf, file: {name}}}\n"
    with pytest.raises(ScenarioError, match=r"s\.yaml:14: workload\.t\.file: no such file"):
        loaded(GOOD.rstrip() + log)


def test_weights_with_numbers_as_keys_can_be_overridden(loaded):
    law = GOOD.replace("chips: 1\n    duration", "chips: {choice: {1: 0.5, 8: 0.5}}\n    duration")
    assert loaded(law, "workload.w.chips.choice.8=3").keys.workload[0].chips.choice == {1: 0.5, 8: 3.0}


def test_a_path_of_an_override_is_not_endless(loaded):
    with pytest.raises(ScenarioError, match="has more than 24 levels"):
        loaded(GOOD, ".".join("a" * 3000) + "=1")


def test_a_domain_must_divide_its_rack(loaded):
    rack = "{accelerator: x, chips: 10, domain_chips: 4, node_chips: 1, source: ESTIMATE, confidence: low}"
    with pytest.raises(
        ScenarioError, match=r"catalog\.racks\.r: found 10 chips in domains of 4; allowed: whole domains"
    ):
        loaded(GOOD + f"catalog: {{racks: {{r: {rack}}}}}\n")


def test_no_name_is_suggested_for_a_word_like_none():
    assert nearest("xyz", ["fifo", "sjf"]) == ""
    assert nearest("fido", ["fifo", "sjf"]) == "; did you mean 'fifo'?"
    assert (
        unknown("policy", "fido", ["sjf", "fifo"]) == "unknown policy 'fido'; did you mean 'fifo'? (allowed: fifo, sjf)"
    )
