"""comparison.csv, worked by hand."""

import math
from dataclasses import replace

import polars as pl
import pytest

from outputs.comparison import comparison_frame
from outputs.statistics import t_quantile
from scenarios.errors import ScenarioError

HALF = t_quantile(0.95, 2) / math.sqrt(3)  # times the standard deviation of three values


@pytest.fixture
def policies(sweep_of_runs):
    """Waits of fifo 10 20 30 and of easy 8 19 27: differences -2 -1 -3. Two feeds; at 30 MW easy failed once."""
    waits = {
        ("fifo", 20.0): (10, 20, 30),
        ("easy", 20.0): (8, 19, 27),
        ("fifo", 30.0): (4, 5, 6),
        ("easy", 30.0): (1, 3),
    }
    runs = [
        (values, replication, {"wait_mean_s": float(wait)})
        for values, found in waits.items()
        for replication, wait in enumerate(found)
    ]
    runs.append((("easy", 30.0), 2, "the horizon is over"))
    return sweep_of_runs(("policy", "site.feed"), runs, units={"site.feed": "MW"})


def row(frame: pl.DataFrame, **values) -> dict:
    return frame.row(
        by_predicate=pl.all_horizontal(pl.col(name) == value for name, value in values.items()), named=True
    )


def test_a_row_worked_by_hand(policies):
    found = row(comparison_frame(policies), policy="easy", **{"site.feed": 20.0})
    assert (found["metric"], found["runs"], found["failed"], found["mean"]) == ("wait_mean_s", 3, 0, 18.0)
    assert found["half_width"] == pytest.approx(HALF * math.sqrt(91))
    assert (found["low"], found["high"]) == (18 - found["half_width"], 18 + found["half_width"])
    assert (found["baseline"], found["pairs"], found["difference"]) == ("policy=fifo", 3, -2.0)
    assert found["difference_half_width"] == pytest.approx(HALF * 1.0)
    assert found["relative_difference"] == pytest.approx(-0.1)
    assert found["unpaired_half_width"] > 8 * found["difference_half_width"]


def test_points_stand_in_the_order_of_their_runs_and_metrics_in_that_of_the_table(sweep_of_runs):
    runs = [((policy,), 0, {"wait_mean_s": 1.0, "goodput_fraction": 0.5}) for policy in ("z", "a", "m")]
    frame = comparison_frame(sweep_of_runs(("policy",), runs))
    assert frame["policy"].to_list() == ["z", "z", "a", "a", "m", "m"]
    assert frame["metric"].to_list() == ["wait_mean_s", "goodput_fraction"] * 3


def test_a_failed_run_leaves_its_pair_out(policies):
    found = row(comparison_frame(policies), policy="easy", **{"site.feed": 30.0})
    assert (found["runs"], found["failed"], found["pairs"]) == (2, 1, 2)
    assert (found["mean"], found["difference"]) == (2.0, -2.5)  # 1 less 4 and 3 less 5
    assert found["relative_difference"] == pytest.approx(-2.5 / 4.5)  # of the baseline in those two


def test_the_baseline_itself_is_named_and_has_no_difference(policies):
    found = row(comparison_frame(policies), policy="fifo", **{"site.feed": 20.0})
    assert found["baseline"] == "policy=fifo"
    assert found["pairs"] is found["difference"] is found["relative_difference"] is None


def test_the_first_policy_at_equal_parameters_is_the_baseline_else_the_first_point(sweep_of_runs, policies):
    frame = comparison_frame(policies)
    assert frame["difference"].to_list() == [None, -2.0, None, -2.5]
    feeds = sweep_of_runs(("site.feed",), [((feed,), 0, {"x": feed}) for feed in (10.0, 20.0, 40.0)])
    frame = comparison_frame(feeds)
    assert frame["difference"].to_list() == [None, 10.0, 30.0]
    assert set(frame["baseline"]) == {"site.feed=10"}
    one = sweep_of_runs(("policy", "seats"), [(("fifo", seats), 0, {"x": 1.0 * seats}) for seats in (1, 2)])
    assert comparison_frame(one)["difference"].to_list() == [None, 1.0]
    assert set(comparison_frame(one)["baseline"]) == {"policy=fifo,seats=1"}


@pytest.mark.parametrize(
    ("text", "label", "differences"),
    [
        ("policy=easy", "policy=easy", [2.0, None, 2.5, None]),
        ("site.feed=30", "site.feed=30", [15.0, 11.5, None, None]),
        ("site.feed=30 MW", "site.feed=30", [15.0, 11.5, None, None]),
        ("site.feed=3e1MW", "site.feed=30", [15.0, 11.5, None, None]),
        ("site.feed=20,policy=fifo", "site.feed=20,policy=fifo", [None, -2.0, -15.0, -13.0]),
    ],
)
def test_a_baseline_of_ones_own(policies, text, label, differences):
    frame = comparison_frame(policies, text)
    assert set(frame["baseline"]) == {label}
    assert frame["difference"].to_list() == differences
    assert comparison_frame(policies, label)["difference"].to_list() == differences  # the label reads back


def test_a_value_may_hold_commas_and_signs(sweep_of_runs):
    spec = "order=sjf,backfill=none"
    runs = [((spec, 1), 0, {"x": 1.0}), (("easy", 1), 0, {"x": 3.0}), (("easy", 2), 0, {"x": 4.0})]
    sweep = sweep_of_runs(("policy", "seats"), runs)
    frame = comparison_frame(sweep, f"policy={spec}")
    assert frame["difference"].to_list() == [None, 2.0, None]
    assert frame["baseline"].to_list() == [f"policy={spec}"] * 2 + [None]  # nobody ran it with two seats
    assert comparison_frame(sweep, f"policy={spec},seats=1")["difference"].to_list() == [None, 2.0, 3.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fifo", "allowed: KEY=VALUE parts"),
        ("polcy=fifo", "unknown parameter 'polcy'; did you mean 'policy'?"),
        ("policy=fifo,site.fed=20", "unknown parameter 'site.fed'; did you mean 'site.feed'?"),
        ("policy=esy", "no point has policy 'esy'; did you mean 'easy'? (allowed: fifo, easy)"),
        ("site.feed=21", "no point has site.feed '21'"),
        ("site.feed=21", "(allowed: 20, 30 in MW)"),
        ("policy=fifo,policy=easy", "names policy twice"),
        ("", "allowed: KEY=VALUE parts"),
    ],
)
def test_a_wrong_baseline_is_refused(policies, text, message):
    with pytest.raises(ScenarioError) as caught:
        comparison_frame(policies, text)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"--baseline {text}")


def test_values_that_never_stand_together_are_refused(sweep_of_runs):
    sweep = sweep_of_runs(("policy", "seats"), [(("fifo", 1), 0, {"x": 1.0}), (("easy", 2), 0, {"x": 3.0})])
    with pytest.raises(ScenarioError, match="no point of the sweep has these values together"):
        comparison_frame(sweep, "policy=fifo,seats=2")


def test_a_metric_that_only_some_runs_have(sweep_of_runs):
    runs = [
        (("a",), 0, {"wait_mean_s": 1.0}),
        (("a",), 1, {"wait_mean_s": 2.0, "lost_chip_h": 3.0}),
        (("b",), 0, {"wait_mean_s": 4.0, "lost_chip_h": 5.0}),
        (("b",), 1, {"wait_mean_s": 4.0, "lost_chip_h": 7.0}),
        (("c",), 0, {"wait_mean_s": 4.0}),
    ]
    frame = comparison_frame(sweep_of_runs(("policy",), runs))
    lost = {policy: row(frame, policy=policy, metric="lost_chip_h") for policy in "abc"}
    assert [lost[policy]["runs"] for policy in "abc"] == [1, 2, 0]
    assert (lost["b"]["mean"], lost["b"]["pairs"], lost["b"]["difference"]) == (6.0, 1, 4.0)
    assert lost["b"]["difference_half_width"] is None  # one pair
    assert (lost["c"]["mean"], lost["c"]["pairs"], lost["c"]["difference"]) == (None, 0, None)


def test_a_point_whose_runs_all_failed_is_kept_with_its_failures(sweep_of_runs):
    runs = [(("a",), 0, {"x": 1.0}), (("b",), 0, "no power"), (("b",), 1, "no power")]
    found = row(comparison_frame(sweep_of_runs(("policy",), runs)), policy="b")
    assert (found["runs"], found["failed"], found["mean"]) == (0, 2, None)
    assert comparison_frame(sweep_of_runs(("policy",), runs[1:])).height == 0  # no run, no metric


def test_the_bytes_depend_on_the_runs_alone_and_numbers_read_back(policies, tmp_path):
    frame = comparison_frame(policies)
    frame.write_csv(tmp_path / "a.csv")
    comparison_frame(policies).write_csv(tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    back = pl.read_csv(tmp_path / "a.csv", infer_schema_length=None)
    for name in ("mean", "half_width", "low", "difference", "difference_half_width", "unpaired_half_width"):
        assert back[name].to_list() == frame[name].to_list()


def test_the_worked_example_of_the_docs(sweep_of_runs):
    waits = {"fifo": (10, 14, 18, 22), "easy": (9, 12, 17, 20)}
    runs = [((p,), r, {"wait_mean_s": 1.0 * hours}) for p, found in waits.items() for r, hours in enumerate(found)]
    fifo, easy = comparison_frame(sweep_of_runs(("policy",), runs)).to_dicts()
    assert (fifo["mean"], easy["mean"], easy["difference"]) == (16, 14.5, -1.5)
    assert fifo["half_width"] == pytest.approx(3.182 * 5.164 / 2, abs=2e-3)
    assert easy["half_width"] == pytest.approx(3.182 * 4.933 / 2, abs=2e-3)
    assert easy["difference_half_width"] == pytest.approx(3.182 * 0.577 / 2, abs=2e-3)
    assert easy["unpaired_half_width"] == pytest.approx(8.7, abs=0.05)


def test_the_baseline_that_the_sweep_was_made_with_holds_until_another_is_asked_for(policies):
    made = replace(policies, baseline="policy=easy")
    assert set(comparison_frame(made)["baseline"]) == {"policy=easy"}
    assert set(comparison_frame(made, "policy=fifo")["baseline"]) == {"policy=fifo"}
