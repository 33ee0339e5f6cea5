"""Means, intervals and paired differences against printed tables and sums worked by hand."""

import math
import random

import pytest
from scipy.stats import ttest_ind

from outputs.statistics import estimate, mean, paired_difference, settled, t_quantile, welch_half_width


@pytest.mark.parametrize(
    ("freedom", "confidence", "value"),
    # Student's table as printed in Law, Simulation Modeling and Analysis, 2015, table T.1
    [(1, 0.90, 6.314), (4, 0.90, 2.132), (4, 0.95, 2.776), (9, 0.95, 2.262), (9, 0.99, 3.250), (29, 0.95, 2.045)],
)
def test_the_quantiles_are_those_of_students_table(freedom, confidence, value):
    assert t_quantile(confidence, freedom) == pytest.approx(value, abs=5e-4)


def test_an_interval_worked_by_hand():
    """1, 2, 3, 4, 5: mean 3, variance 10 / 4, half-width 2.776 sqrt(2.5 / 5)."""
    found = estimate([1.0, 2.0, 3.0, 4.0, 5.0], 0.95)
    assert (found.count, found.mean) == (5, 3.0)
    assert found.half_width == pytest.approx(2.7764 * math.sqrt(0.5), rel=1e-4)
    assert found.low == pytest.approx(3 - found.half_width) and found.high == pytest.approx(3 + found.half_width)


def test_a_single_run_has_a_mean_and_no_interval_and_none_has_neither():
    one = estimate([7.0], 0.95)
    assert (one.count, one.mean, one.half_width, one.low, one.high) == (1, 7.0, None, None, None)
    assert (estimate([], 0.95).mean, estimate([], 0.95).half_width) == (None, None)
    assert not one.excludes_zero


def test_equal_values_have_an_interval_of_no_width_whatever_their_binary_rounding():
    assert sum([0.1] * 3) / 3 != 0.1
    for count in range(2, 30):
        assert estimate([0.1] * count, 0.95).half_width == 0.0


def test_sums_do_not_depend_on_the_order_of_the_runs():
    values = [1e16, 1.0, -1e16, 3.0, 0.1]
    orders = [random.Random(seed).sample(values, 5) for seed in range(20)]
    assert {(mean(order), estimate(order, 0.95).half_width) for order in orders} == {
        (4.1 / 5, estimate(values, 0.95).half_width)
    }


def test_paired_differences_worked_by_hand():
    """12 13 14 17 less 10 12 13 15: 2 1 1 2, so 1.5 on average with variance 1 / 3; t of 3 degrees is 3.182."""
    found = paired_difference([12.0, 13.0, 14.0, 17.0], [10.0, 12.0, 13.0, 15.0], 0.95)
    assert (found.estimate.count, found.estimate.mean) == (4, 1.5)
    assert found.estimate.half_width == pytest.approx(3.1824 * math.sqrt(1 / 12), rel=1e-4)
    assert found.relative == pytest.approx(1.5 / 12.5)
    assert found.estimate.excludes_zero
    # were they not paired: variances 14 / 3 and 13 / 3, so s^2 = 27 / 12
    freedom = 2.25**2 / ((14 / 12) ** 2 / 3 + (13 / 12) ** 2 / 3)
    assert found.unpaired_half_width == pytest.approx(t_quantile(0.95, freedom) * 1.5)
    assert found.unpaired_half_width > 3 * found.estimate.half_width


def test_a_difference_is_relative_to_the_size_of_the_baseline():
    assert paired_difference([-8.0, -8.0], [-10.0, -10.0], 0.95).relative == pytest.approx(0.2)
    assert paired_difference([1.0, 3.0], [0.0, 0.0], 0.95).relative is None


def test_the_welch_interval_is_that_of_scipy():
    draws = random.Random(3)
    first, second = [draws.gauss(20, 3) for _ in range(15)], [draws.gauss(23, 2) for _ in range(9)]
    theirs = ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert welch_half_width(first, second, 0.95) == pytest.approx((theirs.high - theirs.low) / 2)
    assert welch_half_width([1.0], second, 0.95) is None
    assert welch_half_width([1.0, 1.0], [2.0, 2.0], 0.95) == 0.0


def test_welch_of_equal_sizes_and_spreads_is_the_pooled_interval():
    """Then the degrees of freedom are 2 (n - 1)."""
    first, second = [1.0, 2.0, 3.0, 4.0], [11.0, 12.0, 13.0, 14.0]
    assert welch_half_width(first, second, 0.95) == pytest.approx(2.4469 * math.sqrt(2 * (5 / 3) / 4), rel=1e-4)


@pytest.mark.parametrize(
    ("values", "relative", "enough"),
    [
        ([], 1.0, False),
        ([5.0], 1.0, False),
        ([0.0, 0.0], 0.01, True),
        ([3.0, 3.0, 3.0], 0.0, True),
        ([-1.0, 1.0], 1e9, False),  # nothing is small beside a mean of zero
        ([1.0, 2.0, 3.0, 4.0, 5.0], 0.66, True),  # 1.9635 / 3 is 0.6545
        ([1.0, 2.0, 3.0, 4.0, 5.0], 0.65, False),
        ([-1.0, -2.0, -3.0, -4.0, -5.0], 0.66, True),
    ],
)
def test_the_sequential_rule(values, relative, enough):
    assert settled(values, 0.95, relative) is enough


def test_intervals_of_normal_values_contain_their_mean_as_often_as_they_say():
    """4,000 intervals of five values: 90 % +- 4 standard errors of 0.47 %; the seed was chosen before the first run."""
    draws = random.Random(1)
    hits = 0
    for _ in range(4000):
        found = estimate([draws.gauss(10, 3) for _ in range(5)], 0.90)
        hits += found.low <= 10 <= found.high
    assert hits / 4000 == pytest.approx(0.90, abs=0.019)
