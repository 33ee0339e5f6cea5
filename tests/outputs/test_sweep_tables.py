"""Sweeps as tables: what stands in them, what is left out, and what several sweeps make together."""

import pytest

from outputs.comparison import Comparison
from outputs.main_metrics import main_metrics
from outputs.pareto import front_of, goals_of
from outputs.selection import select
from outputs.sweep_tables import sweep_tables, tables_of
from scenarios.errors import ScenarioError


def texts(sections) -> list[list[str]]:
    """Rows of all tables, as lists of cells."""
    tables = [table for section in sections for table in section.tables]
    return [list(row) for table in tables for row in zip(*(column.cells for column in table.columns), strict=True)]


def heads(section) -> list[list[str]]:
    return [[column.header for column in table.columns] for table in section.tables]


@pytest.fixture
def three(sweep_of_runs):
    """fifo waits 7,200 and 10,800 s; easy 900 s less in each; mine 5,400 and 14,400 s."""
    waits = {"fifo": (7200, 10_800), "easy": (6300, 9900), "mine": (5400, 14_400)}
    return sweep_of_runs(
        ("policy",),
        [
            ((policy,), replication, {"wait_mean_s": float(wait), "trained_tokens": 1e12 * (replication + 1)})
            for policy, found in waits.items()
            for replication, wait in enumerate(found)
        ],
    )


def tables(sweep, metrics, baseline=None, pareto=None, width=None):
    return sweep_tables(Comparison(sweep, baseline), metrics, goals_of(sweep, pareto, metrics), width, "the rest")


def test_means_and_differences_share_a_unit_and_say_which_are_better(three):
    means, differences = tables(three, ["wait_mean_s"])
    assert means.title == "by-hand: 3 points of policy, 6 runs; mean ± half of the 95 % interval"
    assert heads(means) == [["policy", "runs", "wait, mean [h]\nless is better"]]
    # t of one degree of freedom is 12.706: half an hour either side of 2.5 h gives 6.4 h
    assert [row[:2] for row in texts([means])] == [["fifo", "2"], ["easy", "2"], ["mine", "2"]]
    assert [row[2] for row in texts([means])] == ["2.5 ± 6.4", "2.2 ± 6.4", "2.8 ± 15.9"]
    assert differences.title == "paired differences to fifo:"
    assert heads(differences) == [["policy", "pairs", "wait, mean [min]\nless is better"]]
    assert [row[0] for row in texts([differences])] == ["easy", "mine"]
    assert [row[2].split() for row in texts([differences])] == [
        ["-15", "±", "0", "(-10.0", "%)", "better"],
        ["+15", "±", "572", "(+10.0", "%)"],
    ]
    assert differences.note.startswith("better: 0 lies outside")


def test_an_unknown_direction_is_marked_with_a_star(sweep_of_runs):
    runs = [((policy,), at, {"resizes": 10.0 * number}) for number, policy in enumerate("ab") for at in range(2)]
    _, differences = tables(sweep_of_runs(("policy",), runs), ["resizes"])
    assert texts([differences])[0][2].split() == ["+10", "±", "0", "*"]  # relative to nothing
    assert differences.note.startswith("*: 0 lies outside")


def test_one_replication_is_said_to_have_no_intervals(sweep_of_runs):
    sweep = sweep_of_runs(
        ("policy",), [((policy,), 0, {"wait_mean_s": 60.0 * at}) for at, policy in enumerate("ab", 1)]
    )
    means, differences = tables(sweep, ["wait_mean_s"])
    assert means.title.endswith("2 runs; without replications no intervals")
    assert [row[-1] for row in texts([means])] == ["1", "2"]
    assert differences.note.startswith("A single pair has no interval")


def test_metrics_that_do_not_fit_beside_each_other_go_below(three):
    wide = tables(three, ["wait_mean_s", "trained_tokens"])
    narrow = tables(three, ["wait_mean_s", "trained_tokens"], width=50)
    assert [len(section.tables) for section in wide[:2]] == [1, 1]
    assert [len(section.tables) for section in narrow[:2]] == [2, 2]
    for section in narrow[:2]:
        for table in section.tables:
            cells = [[column.header, *column.cells] for column in table.columns]
            widths = [max(len(line) for text in column for line in str(text).splitlines() or [""]) for column in cells]
            assert sum(widths) + 2 * (len(widths) - 1) <= 50


@pytest.fixture
def many(sweep_of_runs):
    """100 points of one run each, waits of 0 to 99 s in a mixed order; point 50 failed."""
    runs = [((at,), 0, "no room" if at == 50 else {"wait_mean_s": float(at * 37 % 100)}) for at in range(100)]
    return sweep_of_runs(("fleet.dgx.count",), runs)


def test_of_many_points_the_best_and_the_worst_are_shown(many):
    chosen = select(Comparison(many), "wait_mean_s")
    waits = [point.values[0] * 37 % 100 for point in chosen.points]
    assert waits == [*range(20), 95, 96, 97, 98, 99]
    assert (chosen.left_out_after, chosen.left_out) == (20, 75)
    means, differences, failed = tables(many, ["wait_mean_s"])
    assert texts([means])[20] == ["...", "...", "..."]
    assert "the rest has the 75 points in between too" in means.note
    assert texts([failed]) == [["50", "0", "no room"]]
    assert differences.title == "paired differences to count 0:"
    assert len(texts([differences])) == 25  # without the baseline, with the dots


def test_of_many_failed_runs_the_first_are_listed(sweep_of_runs):
    sweep = sweep_of_runs(("policy",), [((f"p{at}",), 0, f"message {at}") for at in range(25)])
    head, failed = tables(sweep, [])
    assert head.note == "No run is done." and "25 runs (25 failed)" in head.title
    assert [row[2] for row in texts([failed])] == [f"message {at}" for at in range(10)]
    assert failed.note == "... and 15 more"


def test_the_first_metrics_are_those_asked_for_then_the_sweeps_then_some_that_say_something(sweep_of_runs):
    run = {"simulated_s": 1.0, "wait_mean_s": 1.0, "trained_tokens": 0.0, "goodput_fraction": 0.5, "cap_w": 1.0}
    plain = sweep_of_runs(("policy",), [(("a",), 0, run)])
    assert main_metrics(plain) == ["goodput_fraction", "wait_mean_s"]
    assert main_metrics(plain, ["cap_w", "cap_w"]) == ["cap_w"]
    meant = sweep_of_runs(("policy",), [(("a",), 0, run)], metrics=["cap_w", "nobody_has_it"])
    assert main_metrics(meant) == ["cap_w"]
    with pytest.raises(
        ScenarioError, match="--metric wait_men_s: unknown metric 'wait_men_s'; did you mean 'wait_mean_s'"
    ):
        main_metrics(plain, ["wait_men_s"])


PLACES = {"a": (1.0, 1.0), "b": (2.0, 3.0), "c": (3.0, 3.0), "d": (4.0, 5.0), "e": (2.0, 2.0), "f": (4.0, 5.0)}


@pytest.fixture
def places(sweep_of_runs):
    """Waits and tokens by hand: b, d and f beat c and e; a has the least wait; d and f are equal."""
    runs = [((name,), 0, {"wait_mean_s": x, "trained_tokens": y}) for name, (x, y) in PLACES.items()]
    return sweep_of_runs(("policy",), [*runs, (("g",), 0, {"wait_mean_s": 0.0})])


def test_the_front_worked_by_hand(places):
    front = front_of(Comparison(places), goals_of(places, None, ["trained_tokens", "wait_mean_s"]))
    assert front.goals.metrics == ("wait_mean_s", "trained_tokens")  # what is to be small lies to the right
    assert [point.values[0] for point in front.points] == ["a", "b", "d", "f"]
    assert len(front.pairs) == 6  # g has no tokens
    last = tables(places, ["trained_tokens", "wait_mean_s"])[-1]
    assert last.title.startswith(
        "Pareto front, by the means, for less of wait, mean and more of tokens trained (4 of 6"
    )
    assert [row[0] for row in texts([last])] == ["a", "b", "d", "f"]


def test_signs_turn_the_goals_around(places):
    front = front_of(Comparison(places), goals_of(places, "+wait_mean_s,-trained_tokens", []))
    assert {point.values[0] for point in front.points} == {"d", "f", "c", "e", "a"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("wait_mean_s", "allowed: two metrics"),
        ("wait_mean_s,wait_mean_s", "allowed: two different metrics"),
        ("wait_mean_s,token", "unknown metric 'token'"),
        ("wait_mean_s,cap_w", "write +cap_w or -cap_w"),
    ],
)
def test_goals_that_make_no_front_are_refused(sweep_of_runs, text, message):
    sweep = sweep_of_runs(("policy",), [(("a",), 0, {"wait_mean_s": 1.0, "cap_w": 1.0})])
    with pytest.raises(ScenarioError) as caught:
        goals_of(sweep, text, [])
    assert message in str(caught.value)


def options(folders, metrics=(), pareto=None, baseline=None, confidence=None):
    return tables_of(folders, metrics, pareto, baseline, confidence, width=None)


def test_several_sweeps_are_paired_by_seed_where_they_share_points(sweep_of_runs, save_sweep, tmp_path):
    before = sweep_of_runs(("policy",), [((p,), at, {"wait_mean_s": 10.0 * at}) for p in "ab" for at in range(3)])
    after = sweep_of_runs(
        ("policy",), [((p,), at, {"wait_mean_s": 10.0 * at + 13}) for p in "bc" for at in range(3)], first_seed=101
    )
    folders = [save_sweep(before, tmp_path / "before"), save_sweep(after, tmp_path / "after")]
    means, differences = options(folders, metrics=["wait_mean_s"])
    assert [row[:2] for row in texts([means])] == [["before", "a"], ["before", "b"], ["after", "b"], ["after", "c"]]
    assert differences.title == "paired differences to before, the other parameters equal:"
    # seeds 101 and 102: 13 and 23 in the second, 10 and 20 in the first
    assert [row[:3] for row in texts([differences])] == [["after", "b", "2"]]
    assert texts([differences])[0][3].split() == ["+3", "±", "0", "(+20.0", "%)", "worse"]
    _, turned = options(folders, metrics=["wait_mean_s"], baseline="sweep=after")
    assert texts([turned])[0][:2] == ["before", "b"]


def test_a_parameter_that_one_sweep_has_not_is_left_empty_there(sweep_of_runs, save_sweep, tmp_path):
    one = sweep_of_runs(("site.feed",), [((feed,), 0, {"x": feed}) for feed in (1.0, 2.0)], units={"site.feed": "MW"})
    two = sweep_of_runs(("policy",), [(("easy",), 0, {"x": 5.0})])
    folders = [save_sweep(one, tmp_path / "one"), save_sweep(two, tmp_path / "two")]
    means, differences = options(folders)
    assert texts([means]) == [["one", "1", "-", "1", "1"], ["one", "2", "-", "1", "2"], ["two", "-", "easy", "1", "5"]]
    assert differences.note.startswith("None of these points")


def test_sweeps_that_cannot_be_joined_are_refused(sweep_of_runs, save_sweep, tmp_path):
    mw = sweep_of_runs(("site.feed",), [((1.0,), 0, {"x": 1.0})], units={"site.feed": "MW"})
    kw = sweep_of_runs(("site.feed",), [((1.0,), 0, {"x": 1.0})], units={"site.feed": "kW"})
    folders = [save_sweep(mw, tmp_path / "a" / "s"), save_sweep(kw, tmp_path / "b" / "s")]
    with pytest.raises(ScenarioError, match=r"site\.feed: is in 'MW' in one sweep and in 'kW' in another"):
        options(folders)
    with pytest.raises(ScenarioError, match="is given twice"):
        options([folders[0], tmp_path / "b" / ".." / "a" / "s"])


def test_numbers_and_words_of_one_parameter_meet_as_words(sweep_of_runs, save_sweep, tmp_path):
    numbers = sweep_of_runs(("seats",), [((seats,), 0, {"x": 1.0}) for seats in (1.0, 2.0)])
    words = sweep_of_runs(("seats",), [((seats,), 0, {"x": 2.0}) for seats in ("2", "auto")])
    folders = [save_sweep(numbers, tmp_path / "a" / "s"), save_sweep(words, tmp_path / "b" / "s")]
    means, differences = options(folders)
    assert [row[1] for row in texts([means])] == ["1", "2", "2", "auto"]
    assert texts([means])[0][0] == str(folders[0])  # folders of one name are told apart
    assert [row[1] for row in texts([differences])] == ["2"]


@pytest.mark.parametrize("text", ["99", "0.2", "100%", "95 %x", "high", "nan"])
def test_what_is_no_confidence_is_refused(three, save_sweep, tmp_path, text):
    with pytest.raises(ScenarioError, match=r"allowed: a percentage from 50% to 99\.99%"):
        options([save_sweep(three, tmp_path / "s")], confidence=text)


@pytest.mark.parametrize("text", ["99%", "99 %", "0.99"])
def test_another_confidence_makes_other_intervals(three, save_sweep, tmp_path, text):
    means, _, *_ = options([save_sweep(three, tmp_path / "s")], metrics=["wait_mean_s"], confidence=text)
    assert means.title.endswith("half of the 99 % interval")
    assert texts([means])[0][2] == "2 ± 32"  # t is 63.66


def test_a_damaged_table_is_said_to_be(three, save_sweep, tmp_path):
    folder = save_sweep(three, tmp_path / "s")
    three.runs.with_columns(wait_mean_s=three.runs["policy"]).write_parquet(folder / "runs.parquet")
    with pytest.raises(ScenarioError, match="is damaged"):
        options([folder], metrics=["wait_mean_s"])
