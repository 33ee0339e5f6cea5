"""The cap law and its inverse: limit cases, the inverse, and how speed moves with each quantity."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from topologies.cap_law import throttle

IDLE_W, DEMAND_W, K = 72.0, 630.0, 0.56
WATTS = st.floats(0, 2_000)
EXPONENTS = st.floats(0.05, 1)


@pytest.mark.parametrize("cap_w", [DEMAND_W, 700.0, 1e9])
def test_a_cap_at_or_above_the_demand_costs_nothing(cap_w):
    assert throttle(cap_w, IDLE_W, DEMAND_W, K) == 1


@pytest.mark.parametrize("cap_w", [IDLE_W, 10.0, 0.0])
def test_a_cap_at_or_below_the_idle_draw_leaves_no_speed(cap_w):
    assert throttle(cap_w, IDLE_W, DEMAND_W, K) == 0


def test_an_exponent_of_one_shares_speed_as_the_dynamic_power():
    assert throttle(0.5 * (IDLE_W + DEMAND_W), IDLE_W, DEMAND_W, 1.0) == pytest.approx(0.5)


def test_a_figure_worked_by_hand_comes_out():
    assert throttle(150.0, 50.0, 450.0, 0.5) == pytest.approx(0.5)


def test_work_that_draws_no_more_than_idle_runs_at_full_speed_or_not_at_all():
    assert throttle(72.0, 72.0, 72.0, K) == 1
    assert throttle(71.0, 72.0, 72.0, K) == 0


@given(WATTS, WATTS, WATTS, WATTS, EXPONENTS)
def test_more_watts_never_slow_a_chip(one_w, other_w, idle_w, demand_w, exponent):
    low_w, high_w = sorted((one_w, other_w))
    assert 0 <= throttle(low_w, idle_w, demand_w, exponent) <= throttle(high_w, idle_w, demand_w, exponent) <= 1


@given(WATTS, WATTS, WATTS, WATTS, EXPONENTS)
def test_more_demand_under_one_cap_is_never_faster(cap_w, idle_w, one_w, other_w, exponent):
    low_w, high_w = sorted((one_w, other_w))
    assert throttle(cap_w, idle_w, low_w, exponent) >= throttle(cap_w, idle_w, high_w, exponent)


@given(WATTS, WATTS, WATTS, EXPONENTS, EXPONENTS)
def test_a_larger_exponent_is_never_faster(cap_w, idle_w, demand_w, one, other):
    small, large = sorted((one, other))
    assert throttle(cap_w, idle_w, demand_w, small) >= throttle(cap_w, idle_w, demand_w, large)


@given(st.floats(80, 600), st.floats(81, 630), st.floats(0.05, 0.99))
def test_equal_watts_cost_more_speed_the_lower_the_cap(one_w, other_w, exponent):
    low_w, high_w = sorted((one_w, other_w))
    assume(high_w - low_w > 1)
    middle_w = 0.5 * (low_w + high_w)
    low, middle, high = (throttle(watts, IDLE_W, DEMAND_W, exponent) for watts in (low_w, middle_w, high_w))
    assert middle - low >= high - middle
