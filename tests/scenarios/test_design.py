"""The points of a sweep: crossed, zipped and sampled."""

import pytest

from scenarios.design import Axis, axis, design, zipped
from scenarios.errors import ScenarioError

POLICIES = Axis(("policy",), (("fifo",), ("easy",)))


def test_axes_are_crossed_and_the_last_changes_fastest():
    found = design([POLICIES, axis("site.feed", "10..20:10 MW", "")], None, 0)
    assert found.names == ("policy", "site.feed")
    assert found.points == (("fifo", "10 MW"), ("fifo", "20 MW"), ("easy", "10 MW"), ("easy", "20 MW"))
    assert found.units() == {"site.feed": "MW"}


def test_no_axis_is_one_point():
    assert design([], None, 0).points == ((),)


def test_zipped_keys_go_side_by_side_and_are_crossed_with_the_others():
    pair = zipped([axis("a.count", "1,2", ""), axis("b.count", "9,8", "")], "")
    assert design([pair, axis("c", "x,y", "")], None, 0).points == (
        *(("1", "9", "x"), ("1", "9", "y")),
        *(("2", "8", "x"), ("2", "8", "y")),
    )


def test_zipped_keys_need_equally_many_values():
    with pytest.raises(ScenarioError, match=r"found: a has 2, b has 3"):
        zipped([axis("a", "1,2", ""), axis("b", "1,2,3", "")], "--zip")
    with pytest.raises(ScenarioError, match="cannot be zipped"):
        zipped([axis("a", "1..2", ""), axis("b", "1,2", "")], "--zip")


def test_a_latin_hypercube_has_one_value_in_each_part_of_each_span():
    axes = [axis("feed", "10..50 MW", ""), axis("share", "0.0..1.0", "")]
    points = design(axes, 40, 3).points
    assert sorted(int(float(feed.removesuffix(" MW")) - 10) for feed, _ in points) == list(range(40))
    assert sorted(int(40 * float(share)) for _, share in points) == list(range(40))
    assert design(axes, 40, 3).points == points
    assert design(axes, 40, 4).points != points


def test_a_sample_is_crossed_with_the_axes_that_have_values():
    found = design([POLICIES, axis("feed", "10..50 MW", "")], 5, 0)
    assert [point[0] for point in found.points] == ["fifo"] * 5 + ["easy"] * 5
    assert [point[1] for point in found.points[:5]] == [point[1] for point in found.points[5:]]


@pytest.mark.parametrize(
    ("axes", "sample", "said"),
    [
        ([axis("feed", "10..50 MW", "")], None, r"feed: is a range without a step.*--sample 64"),
        ([POLICIES], 8, "--sample: needs a key with a range"),
        ([POLICIES, axis("policy", "sjf,srtf", "")], None, "policy: is varied twice"),
        ([axis(name, "1..900:1", "") for name in "ab"], None, "more than 100,000 points"),
    ],
)
def test_what_is_no_design_is_refused(axes, sample, said):
    with pytest.raises(ScenarioError, match=said):
        design(axes, sample, 0)


def test_only_parameters_whose_values_are_all_numbers_of_one_unit_have_one():
    found = design([POLICIES, axis("a", "1 MW,900 kW", ""), axis("b", "4,x", ""), axis("c", "1,2.5", "")], None, 0)
    assert found.units() == {"c": ""}
