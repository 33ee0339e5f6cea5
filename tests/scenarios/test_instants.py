"""Instants: the grid of whole microseconds on which simulated time lies."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scenarios.instants import LAST_S, instant, instants, longest_s, ticks

MICROSECONDS = st.integers(0, int(LAST_S * 1e6) // 3)


@given(MICROSECONDS, MICROSECONDS)
def test_the_sum_of_two_decimal_times_is_the_float_that_its_digits_are_read_to(first, second):
    assert instant(first / 1e6 + second / 1e6) == (first + second) / 1e6
    assert instant((first + second) / 1e6) == (first + second) / 1e6


@given(st.floats(0, 1e12) | st.just(math.inf))
def test_arrays_are_brought_to_the_same_instants_as_single_times(time_s):
    assert instants(np.array([time_s])).tolist() == [instant(time_s)]


def test_what_lies_beyond_the_grid_is_left_as_it_is():
    assert instant(math.inf) == math.inf
    assert instant(LAST_S + 0.1234567) == LAST_S + 0.1234567


@given(MICROSECONDS, MICROSECONDS, st.integers(-2, 2))
def test_a_run_is_no_longer_than_the_longest_exactly_where_its_end_is_no_later(start, length, beyond):
    start_s, length_s, end_s = start / 1e6, length / 1e6, (start + length + beyond) / 1e6
    assert (length_s <= longest_s(start_s, end_s)) == (instant(start_s + length_s) <= end_s) == (beyond >= 0)


def test_three_tenths_hold_three_times_a_tenth():
    assert ticks(0.3) // ticks(0.1) == 3
