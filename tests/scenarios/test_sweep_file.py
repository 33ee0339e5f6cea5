"""Sweep files: what they hold, how options add to them, and what is refused with its line."""

import pytest

from scenarios.design import Axis
from scenarios.errors import ScenarioError
from scenarios.sweep_file import Until, find_sweep, library_sweeps, policies_axis, read_sweep

WHOLE = """\
sweep: feeds
description: Two policies under rising feeds.
scenario: hello
set: {horizon: 5 days, workload.small.chips: {choice: {1: 0.5, 8: 0.5}}}
policies: [fifo, "order=sjf,backfill=easy"]
vary:
  site.feed: 10..30:10 MW
  fleet.dgx.count: [8, 16]
zip:
  - {a.b: [1, 2], c.d: [x, {y: 1}]}
until: 2%
batch: 5
most: 50
metrics: [wait_mean_s]
baseline: policy=fifo
confidence: 0.9
seed: 4
"""


def written(tmp_path, text=WHOLE):
    path = tmp_path / "feeds.yaml"
    path.write_text(text)
    return path


def test_a_sweep_file_holds_all_that_the_options_say(tmp_path):
    asked = read_sweep(written(tmp_path))
    assert (asked.scenario.stem, asked.name) == ("hello", "feeds")
    assert [text for text, _ in asked.settings] == [
        "horizon=5 days",
        "workload.small.chips={choice: {1: 0.5, 8: 0.5}}",
    ]
    assert asked.axes == (
        Axis(("policy",), (("fifo",), ("order=sjf,backfill=easy",))),
        Axis(("site.feed",), (("10 MW",), ("20 MW",), ("30 MW",))),
        Axis(("fleet.dgx.count",), (("8",), ("16",))),
        Axis(("a.b", "c.d"), (("1", "x"), ("2", "{y: 1}"))),
    )
    assert asked.until == Until(0.02, 5, 50)
    assert (asked.metrics, asked.baseline, asked.confidence, asked.seed) == (("wait_mean_s",), "policy=fifo", 0.9, 4)


def test_an_option_takes_the_place_of_the_files_axis_and_policies_come_first(tmp_path):
    asked = read_sweep(written(tmp_path))
    found = asked.with_axes([Axis(("site.feed",), (("5 MW",),)), policies_axis(["easy"], "")])
    assert [one.names for one in found.axes] == [("policy",), ("fleet.dgx.count",), ("a.b", "c.d"), ("site.feed",)]
    assert found.axes[0] == Axis(("policy",), (("easy",),))


def test_batches_end_at_the_most_replications():
    assert Until(0.1, 10, 25).rounds() == [(0, 10), (10, 20), (20, 25)]


def test_shares_may_be_written_in_percent(tmp_path):
    read = read_sweep(written(tmp_path, "sweep: s\nscenario: hello\nconfidence: 99 %\nuntil: 2 %\n"))
    assert (read.confidence, read.until) == (0.99, Until(0.02, 10, 200))


def test_a_scenario_beside_the_sweep_file_goes_before_the_library(tmp_path):
    (tmp_path / "hello").write_text("name: mine\n")
    assert read_sweep(written(tmp_path, "sweep: s\nscenario: hello\n")).scenario == tmp_path / "hello"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sweep: s\nscenario: hallo\n", r"feeds.yaml:2: scenario: no such file.*did you mean 'hello'"),
        ("sweep: s\nscenario: hello\nvari: {}\n", r"feeds.yaml:3: vari: unknown key; did you mean 'vary'"),
        ("sweep: s\nscenario: hello\nvary:\n  a: 3\n", r"feeds.yaml:4: vary.a: found 3; allowed: a list"),
        ("sweep: s\nscenario: hello\nvary: {a: '5..1:1'}\n", r"feeds.yaml:3: found '5..1:1'"),
        ("sweep: s\nscenario: hello\nzip: [{a: [1], b: [1, 2]}]\n", r"feeds.yaml:3: zipped keys need equally"),
        ("sweep: s\nscenario: hello\nreplications: 0\n", r"feeds.yaml:3: replications: found 0"),
        ("sweep: s\nscenario: hello\nuntil: 2 MW\n", r"feeds.yaml:3: until: found '2 MW'"),
        ("sweep: s\nscenario: hello\nuntil: 0\n", r"feeds.yaml:3: until: found 0.*greater than or equal to 0.000001"),
        ("sweep: s\nscenario: hello\nuntil: 2 %\nreplications: 3\n", r"feeds.yaml:4: replications: cannot be used"),
        ("sweep: s\nscenario: hello\nbatch: 3\n", r"feeds.yaml:3: batch: needs until"),
        ("sweep: s\nscenario: hello\nzip: [{}]\n", r"feeds.yaml:3: zip.0: found {}"),
        (f"sweep: s\nscenario: hello\nseed: {2**62 + 1}\n", r"feeds.yaml:3: seed: found \d+; allowed: less than"),
        ("sweep: s\nscenario: hello\nsample: 100001\n", r"feeds.yaml:3: sample: found 100001; allowed: less than"),
        ("sweep: s\nscenario: hello\nconfidence: 95\n", r"feeds.yaml:3: confidence: found 95"),
        ("sweep: s\n", r"feeds.yaml:1: scenario: this key is missing"),
        ("sweep: s\nscenario: hello\npolicies: [easy, easy]\n", r"feeds.yaml:3: holds 'easy' twice"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path, text, said):
    with pytest.raises(ScenarioError, match=said):
        read_sweep(written(tmp_path, text))


def test_a_file_with_the_key_sweep_is_a_sweep_file(tmp_path):
    assert find_sweep(str(written(tmp_path))) == tmp_path / "feeds.yaml"
    scenario = tmp_path / "s.yaml"
    scenario.write_text("name: s\n")
    assert find_sweep(str(scenario)) is None
    assert find_sweep("hello") is None


@pytest.mark.parametrize("path", library_sweeps(), ids=lambda path: path.stem)
def test_the_librarys_sweeps_are_found_by_name_and_can_be_read(path):
    assert find_sweep(path.stem) == path
    assert read_sweep(path).name == path.stem
