"""Pictures of sweeps: which are drawn, and that what they show is what the comparison says."""

import itertools

import numpy as np
import pytest
from matplotlib.image import imread
from matplotlib.patches import Rectangle

from outputs.comparison import Comparison
from outputs.drawing import COLORS, INK, look
from outputs.heatmap_plot import heatmap_figure
from outputs.pareto import front_of, goals_of
from outputs.pareto_plot import pareto_figure
from outputs.response_plot import response_figure
from outputs.sweep_drawing import wrapped
from outputs.sweep_plot import VERDICTS, comparison_figure, redraw_sweep, render_sweep
from scenarios.errors import ScenarioError

LONG = "order=sjf,backfill=conservative,placement=fragmentation,power=water-fill"


def metrics(policy: str, feed: float, replication: int) -> dict[str, float]:
    """Waits fall with the feed, and under the later policies; all differ a little by replication."""
    wait = 100_000 / feed / (1 + ord(policy[0]) % 7) + 600 * replication
    return {"wait_mean_s": wait, "trained_tokens": 1e12 * feed + 1e10 * replication, "held_chip_h": 5.0}


def swept(sweep_of_runs, policies, feeds, replications, failed=()):
    points = list(itertools.product(policies, feeds))
    runs = [
        (point, r, "no room" if (at, r) in failed else metrics(*point, r))
        for at, point in enumerate(points)
        for r in range(replications)
    ]
    return sweep_of_runs(("policy", "site.feed"), runs, units={"site.feed": "MW"})


def is_drawn(path) -> bool:
    """Whether a picture is large and more than one colour."""
    pixels = imread(path)
    return pixels.shape[0] > 200 and pixels.shape[1] > 500 and len(np.unique(pixels.reshape(-1, 4), axis=0)) > 50


@pytest.mark.parametrize(
    ("policies", "feeds", "replications", "failed", "names"),
    [
        (["fifo", "easy", LONG], [10.0, 20.0], 3, (), ["comparison", "response", "pareto"]),
        ([f"{letter}{LONG}" for letter in "abcdefghijklmnop"], [10.0], 2, ((3, 0),), ["comparison", "pareto"]),
        (["fifo"], [1.0 + at for at in range(200)], 1, ((7, 0),), ["comparison", "response", "pareto"]),
        (["fifo"], [10.0, 20.0], 1, (), ["comparison", "response"]),  # a front of two says nothing
        (["fifo"], [10.0], 4, (), []),
        (["fifo", "easy"], [10.0], 2, ((1, 0), (1, 1)), ["comparison"]),
    ],
)
def test_the_pictures_that_apply_are_drawn(
    sweep_of_runs, save_sweep, tmp_path, policies, feeds, replications, failed, names
):
    folder = save_sweep(swept(sweep_of_runs, policies, feeds, replications, failed), tmp_path / "s")
    made = render_sweep(folder)
    assert [path.name for path in made] == [f"{name}.png" for name in names]
    assert all(is_drawn(path) for path in made)


@pytest.mark.parametrize("samples", [False, True])
def test_two_numbers_have_a_heatmap(sweep_of_runs, save_sweep, tmp_path, samples):
    places = (
        [(float(at), float(at * 7 % 30)) for at in range(30)] if samples else itertools.product(range(1, 5), range(4))
    )
    runs = [((p, *place), r, metrics(p, 1 + place[0], r)) for p in ("a", "b") for place in places for r in range(2)]
    folder = save_sweep(sweep_of_runs(("policy", "site.feed", "load"), runs), tmp_path / "s")
    made = render_sweep(folder, ["wait_mean_s"])
    assert [path.name for path in made] == ["comparison.png", "response.png", "heatmap.png"]
    assert all(is_drawn(path) for path in made)


def test_pictures_are_the_same_whatever_the_users_settings(sweep_of_runs, save_sweep, tmp_path):
    import matplotlib

    folder = save_sweep(swept(sweep_of_runs, "abc", [1.0, 2.0], 2), tmp_path / "s")
    plain = [path.read_bytes() for path in render_sweep(folder)]
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black"}):
        assert [path.read_bytes() for path in render_sweep(folder)] == plain


def test_a_sweep_without_a_run_that_is_done_has_no_pictures(sweep_of_runs, save_sweep, tmp_path):
    folder = save_sweep(sweep_of_runs(("policy",), [(("a",), 0, "no room")]), tmp_path / "s")
    assert render_sweep(folder) == []


def test_wrong_options_are_refused_and_damage_is_told(sweep_of_runs, save_sweep, tmp_path):
    sweep = swept(sweep_of_runs, "abc", [1.0], 2)
    folder = save_sweep(sweep, tmp_path / "s")
    for options, message in (
        ((["wait"], None, None), "unknown metric 'wait'"),
        ((None, "wait_mean_s", None), "allowed: two metrics"),
        ((None, None, "policy=d"), "no point has policy 'd'"),
    ):
        with pytest.raises(ScenarioError, match=message):
            redraw_sweep(folder, *options)
    sweep.runs.with_columns(wait_mean_s=sweep.runs["policy"]).write_parquet(folder / "runs.parquet")
    with pytest.raises(ScenarioError, match="is damaged"):
        redraw_sweep(folder, ["wait_mean_s"], None, None)


@pytest.fixture
def two_policies(sweep_of_runs):
    """b waits an hour less than a in every run; c is not there once, and its differences go both ways."""
    hours = {"a": (10, 20, 30), "b": (9, 19, 29), "c": (11, 19)}
    runs = [((p,), r, {"wait_mean_s": 3600.0 * h}) for p, found in hours.items() for r, h in enumerate(found)]
    return Comparison(sweep_of_runs(("policy",), [*runs, (("c",), 2, "no room")]))


def whiskers(axes) -> list[tuple[float, float, str]]:
    """Means and their interval's lower ends, with their colours, from top to bottom."""
    found = []
    for container in axes.containers:
        point, _, bars = container
        ends = bars[0].get_segments()[0][:, 0] if bars else [np.nan, np.nan]
        found.append((float(point.get_xdata()[0]), float(ends[0]), point.get_color()))
    return found


def test_the_comparison_shows_means_runs_and_differences_in_one_unit(two_policies):
    with look():
        figure = comparison_figure(two_policies, ["wait_mean_s"])
    means, differences = figure.axes
    assert [label.get_text() for label in means.get_yticklabels()] == ["a", "b", "c (1 of 3 failed)"]
    assert means.get_xlabel() == "wait, mean [h], less is better"
    shown = [two_policies.at(point, "wait_mean_s").estimate for point in two_policies.points.all]
    assert [x for x, _, _ in whiskers(means)] == pytest.approx([one.mean / 3600 for one in shown])
    assert [low for _, low, _ in whiskers(means)] == pytest.approx([one.low / 3600 for one in shown])
    assert [color for *_, color in whiskers(means)] == [INK, COLORS[0], COLORS[0]]
    dots = [line for line in means.lines if line.get_marker() == "."]
    assert [list(line.get_xdata()) for line in dots] == [[10, 20, 30], [9, 19, 29], [11, 19]]
    assert differences.get_xlabel() == "paired difference [min]"
    (b, b_low, b_color), (c, c_low, c_color) = whiskers(differences)
    assert (b, b_low, b_color) == (pytest.approx(-60), pytest.approx(-60), VERDICTS["better"])
    assert (c, c_color) == (0.0, VERDICTS[""]) and c_low < 0
    assert any(list(line.get_xdata()) == [0, 0] for line in differences.lines)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["a single run", "baseline: a", "better", "the interval contains 0"]


def test_the_response_has_a_line_with_a_band_for_each_policy_and_a_gap_where_all_failed(sweep_of_runs):
    sweep = swept(sweep_of_runs, "ab", [10.0, 20.0, 40.0], 2, failed=((1, 0), (1, 1)))
    with look():
        figure = response_figure(Comparison(sweep), ["wait_mean_s", "trained_tokens"])
    assert [axes.get_ylabel().split(" [")[0] for axes in figure.axes] == ["wait, mean", "tokens trained"]
    assert figure.axes[-1].get_xlabel() == "site.feed [MW]"
    a, b = figure.axes[1].lines
    assert list(a.get_xdata()) == list(b.get_xdata()) == [10, 20, 40]
    assert np.isnan(a.get_ydata()[1]) and not np.isnan(b.get_ydata()).any()
    assert list(b.get_ydata()) == pytest.approx([10.005, 20.005, 40.005])
    assert len(figure.axes[1].collections) == 2
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]


def test_from_five_lines_on_intervals_are_bars_within_the_panel(sweep_of_runs):
    with look():
        figure = response_figure(Comparison(swept(sweep_of_runs, "abcde", [10.0, 20.0, 40.0], 3)), ["wait_mean_s"])
        figure.draw_without_rendering()
    axes = figure.axes[0]
    assert [line.get_label() for line in axes.lines if line.get_linestyle() == "-"] == list("abcde")
    assert len(axes.collections) == 5
    ends = [segment for bar in axes.collections for segment in bar.get_segments()]
    low, high = min(segment[:, 1].min() for segment in ends), max(segment[:, 1].max() for segment in ends)
    assert axes.get_ylim()[0] < low < high < axes.get_ylim()[1]
    assert axes.get_xlim()[0] < 10 < 40 < axes.get_xlim()[1]


def test_many_lines_are_told_apart_by_policy(sweep_of_runs):
    runs = [((p, load, feed), 0, {"x": feed * load}) for p in "ab" for load in range(1, 11) for feed in range(1, 12)]
    with look():
        figure = response_figure(Comparison(sweep_of_runs(("policy", "load", "feed"), runs)), ["x"])
    assert len(figure.axes[0].lines) == 20
    assert {line.get_color() for line in figure.axes[0].lines} == set(COLORS[:2])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b"]
    assert figure.legends[0].get_title().get_text() == "a line for each policy and load"


def test_the_heatmap_has_a_cell_for_each_pair_with_its_mean_and_hatches_where_all_failed(sweep_of_runs):
    runs = [((x, y), 0, "no room" if (x, y) == (2, 20) else {"x": 1.0 * x * y}) for x in (1, 2, 3) for y in (10, 20)]
    with look():
        figure = heatmap_figure(Comparison(sweep_of_runs(("across", "up"), runs)), "x")
    axes = figure.axes[0]
    texts = {text.get_position(): text.get_text() for text in axes.texts}
    assert texts == {(0, 0): "10", (0, 1): "20", (1, 0): "20", (2, 0): "30", (2, 1): "60"}
    cells = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    assert [cell.get_xy() for cell in cells if cell.get_hatch()] == [(0.5, 0.5)]
    assert len(cells) == 6
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "2", "3"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["10", "20"]


def test_samples_are_dots_in_the_colour_of_their_metric(sweep_of_runs):
    runs = [((at / 7, at * 5 % 17 / 3), 0, {"x": 1.0 * at}) for at in range(17)]
    with look():
        figure = heatmap_figure(Comparison(sweep_of_runs(("across", "up"), runs)), "x")
    dots = figure.axes[0].collections[0]
    assert dots.get_offsets().data.tolist() == [[at / 7, at * 5 % 17 / 3] for at in range(17)]
    assert dots.get_array().tolist() == list(range(17))


def test_the_pareto_picture_joins_the_front_and_names_its_members(sweep_of_runs):
    places = {"a": (1.0, 1.0), "b": (2.0, 3.0), "c": (3.0, 2.0), LONG: (4.0, 5.0)}
    runs = [
        ((name,), r, {"wait_mean_s": x + r, "trained_tokens": y}) for name, (x, y) in places.items() for r in (0, 1)
    ]
    compared = Comparison(sweep_of_runs(("policy",), runs))
    front = front_of(compared, goals_of(compared.sweep, "wait_mean_s,trained_tokens", []))
    with look():
        figure = pareto_figure(compared, front)
    axes = figure.axes[0]
    border = next(line for line in axes.lines if line.get_drawstyle().startswith("steps"))
    assert border.get_drawstyle() == "steps-post"
    assert list(zip(border.get_xdata(), border.get_ydata(), strict=True)) == [(1.5, 1), (2.5, 3), (4.5, 5)]
    pale = {text.get_text(): text.get_color() == "#777777" for text in axes.texts}
    assert pale == {"a": False, "b": False, "1": False, "c": True}
    listed = figure.legends[0].get_texts()[0].get_text()
    assert listed.startswith("1  order=sjf,backfill=conservative,\n") and listed.endswith("power=water-fill")
    assert (axes.get_xlabel(), axes.get_ylabel()[:14]) == ("wait, mean [s], less is better", "tokens trained")


def test_names_in_a_picture_of_a_front_do_not_cover_each_other(sweep_of_runs):
    runs = [((f"policy-{at}",), 0, {"wait_mean_s": 100.0 + at, "trained_tokens": 5.0 + at}) for at in range(12)]
    compared = Comparison(sweep_of_runs(("policy",), runs))
    with look():
        figure = pareto_figure(
            compared, front_of(compared, goals_of(compared.sweep, None, list(compared.sweep.all_metrics)))
        )
        figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert len(boxes) == 12
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_long_labels_are_broken_after_their_commas_and_cut():
    assert wrapped("easy, feed 20 MW") == "easy, feed 20 MW"
    assert wrapped(LONG).splitlines() == [
        "order=sjf,backfill=conservative,",
        "placement=fragmentation,",
        "power=water-fill",
    ]
    assert max(map(len, wrapped("x" * 500).splitlines())) <= 70
    assert len(wrapped(",".join("word" * 6 for _ in range(20))).splitlines()) == 3
