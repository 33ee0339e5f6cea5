"""Distributions and named random streams."""

import math

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from scenarios.distributions import Counts, Durations, Names, Numbers
from scenarios.draws import draw, draw_counts, draw_index, stream
from scenarios.errors import ScenarioError

N = 200_000
WITHIN = 0.01  # of the mean; five standard errors or more of each law below


def law(kind, raw):
    return TypeAdapter(kind).validate_python(raw)


def values(kind, raw, n=N):
    return draw(law(kind, raw), stream(7, "test"), n)


@pytest.mark.parametrize(
    ("raw", "mean"),
    [
        ("2 h", 7_200.0),
        ({"choice": ["1 h", "3 h"]}, 7_200.0),
        ({"choice": {"1 h": 3, "3 h": 1}}, 5_400.0),
        ({"uniform": ["1 h", "2 h"]}, 5_400.0),
        ({"exponential": {"mean": "1 h"}}, 3_600.0),
        ({"lognormal": {"median": "1 h", "sigma": 0.5}}, 3_600.0 * math.exp(0.5**2 / 2)),
        ({"pareto": {"minimum": "1 h", "alpha": 3}}, 3_600.0 * 3 / 2),
        ({"weibull": {"scale": "1 h", "shape": 2}}, 3_600.0 * math.gamma(1.5)),
    ],
    ids=str,
)
def test_a_law_has_its_mean_in_seconds(raw, mean):
    assert values(Durations, raw).mean() == pytest.approx(mean, rel=WITHIN)


@pytest.mark.parametrize(
    ("raw", "median"),
    [
        ({"exponential": {"mean": 2}}, 2 * math.log(2)),
        ({"lognormal": {"median": 2, "sigma": 2}}, 2.0),
        ({"pareto": {"minimum": 2, "alpha": 1}}, 4.0),
        ({"weibull": {"scale": 2, "shape": 0.5}}, 2 * math.log(2) ** 2),
        ({"uniform": [1, 3]}, 2.0),
    ],
    ids=str,
)
def test_a_law_has_its_median_where_the_tail_is_heavy(raw, median):
    assert np.median(values(Numbers, raw)) == pytest.approx(median, rel=0.03)


def test_a_pareto_starts_at_its_minimum():
    assert 2.0 <= values(Numbers, {"pareto": {"minimum": 2, "alpha": 3}}).min() < 2.001


def test_a_constant_is_the_same_each_time():
    assert set(values(Counts, 4, n=10)) == {4.0}


def test_a_whole_number_uniform_includes_both_ends_and_all_between_alike():
    found, times = np.unique(draw_counts(law(Counts, {"uniform": [2, 5]}), stream(1, "x"), 40_000), return_counts=True)
    assert found.tolist() == [2, 3, 4, 5]
    assert times == pytest.approx(10_000, rel=0.05)


def test_a_uniform_of_numbers_is_continuous_even_between_whole_ends():
    drawn = values(Numbers, {"uniform": [1, 3]}, n=1_000)
    assert len(np.unique(drawn)) == 1_000
    assert 1 <= drawn.min() < drawn.max() <= 3


def test_a_choice_is_drawn_by_its_weights_of_any_sum():
    drawn = values(Counts, {"choice": {1: 6, 4: 3, 16: 1}})
    shares = [(drawn == value).mean() for value in (1, 4, 16)]
    assert shares == pytest.approx([0.6, 0.3, 0.1], abs=0.005)


def test_a_choice_of_names_yields_positions_by_their_weights():
    drawn = draw_index(law(Names, {"choice": {"a": 0.9, "b": 0.1}}), stream(1, "x"), 40_000)
    assert set(drawn) == {0, 1}
    assert drawn.mean() == pytest.approx(0.1, abs=0.01)


def test_continuous_counts_are_rounded_and_at_least_one():
    drawn = draw_counts(law(Counts, {"exponential": {"mean": 2}}), stream(1, "x"), 40_000)
    assert drawn.dtype == np.int64
    assert drawn.min() == 1
    assert (drawn == 3).mean() == pytest.approx(math.exp(-2.5 / 2) - math.exp(-3.5 / 2), abs=0.01)


@pytest.mark.parametrize(
    "raw",
    [{"choice": []}, {"choice": {1: 0}}, {"choice": {0: 1}}, {"uniform": [1]}, {"uniform": [0, 4]}, {"zipf": 2}, [1]],
)
def test_a_law_without_sense_is_refused(raw):
    with pytest.raises(ValidationError):
        law(Counts, raw)


def test_a_stream_depends_on_seed_and_name_only():
    first = stream(1, "arrivals of a").random(4)
    stream(1, "arrivals of b").random(100)
    assert stream(1, "arrivals of a").random(4).tolist() == first.tolist()


def test_streams_of_other_names_or_seeds_are_independent():
    rows = [stream(seed, name).standard_normal(10_000) for seed in (1, 2) for name in ("a", "b", "1/a")]
    apart = np.corrcoef(rows) - np.eye(len(rows))
    assert np.abs(apart).max() < 0.05


@pytest.fixture
def empirical(tmp_path):
    """The law of a CSV text with the columns v and perhaps p."""

    def make(text, cdf=None, unit="s"):
        path = tmp_path / "values.csv"
        path.write_text(text)
        return law(Durations, {"empirical": {"file": str(path), "column": "v", "cdf": cdf, "unit": unit}})

    return make


def test_an_empirical_file_without_a_cdf_is_drawn_row_by_row_alike(empirical):
    drawn = draw(empirical("v\n1\n2\n2\n4\n", unit="min"), stream(1, "x"), 40_000)
    assert set(drawn) == {60.0, 120.0, 240.0}
    assert (drawn == 120.0).mean() == pytest.approx(0.5, abs=0.01)


def test_an_empirical_cdf_is_interpolated_between_its_points(empirical):
    drawn = draw(empirical("v,p\n10,0\n20,0.5\n100,1\n", cdf="p"), stream(1, "x"), N)
    assert (drawn <= 20).mean() == pytest.approx(0.5, abs=0.005)
    assert (drawn <= 15).mean() == pytest.approx(0.25, abs=0.005)
    assert drawn.mean() == pytest.approx((15 + 60) / 2, rel=WITHIN)


def test_an_empirical_cdf_that_starts_above_zero_has_that_much_at_its_first_value(empirical):
    drawn = draw(empirical("v,p\n10,0.3\n20,1\n", cdf="p"), stream(1, "x"), 40_000)
    assert (drawn == 10).mean() == pytest.approx(0.3, abs=0.01)


@pytest.mark.parametrize(
    ("text", "cdf", "said"),
    [
        ("w\n1\n", None, "cannot read column 'v'"),
        ("v\n1\n", "p", "cannot read column 'v'"),
        ("v\none\n", None, "cannot read column 'v'"),
        ("", None, "cannot read column 'v'"),
        ("v\n", None, "column 'v' must hold finite numbers above 0"),
        ("v\n1\n-1\n", None, "column 'v' must hold finite numbers above 0"),
        ("v\n1\nnan\n", None, "column 'v' must hold finite numbers above 0"),
        ("v,p\n1,0\n2,0.9\n", "p", "columns 'v' and 'p' must rise together and end at 1"),
        ("v,p\n1,0.5\n2,0.2\n3,1\n", "p", "columns 'v' and 'p' must rise together and end at 1"),
        ("v,p\n1,0\n2,nan\n3,1\n", "p", "columns 'v' and 'p' must rise together and end at 1"),
        ("v,p\n2,0\n1,1\n", "p", "columns 'v' and 'p' must rise together and end at 1"),
    ],
)
def test_an_empirical_file_that_does_not_fit_is_refused_by_its_name(empirical, tmp_path, text, cdf, said):
    with pytest.raises(ScenarioError) as error:
        draw(empirical(text, cdf), stream(1, "x"), 1)
    assert error.value.message.startswith(said)
    assert error.value.where == f"{tmp_path}/values.csv"


def test_an_empirical_file_that_is_missing_is_refused_by_its_name(tmp_path):
    lost = law(Durations, {"empirical": {"file": str(tmp_path / "lost.csv"), "column": "v", "unit": "s"}})
    with pytest.raises(ScenarioError, match=r"lost\.csv: cannot read column 'v'"):
        draw(lost, stream(1, "x"), 1)
