"""Max-min fair shares of time: by hand, against one row a gang, by the conditions of the optimum."""

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from policies.max_min import Group, OverLimit, allocate, rates
from topologies.plant import Shape


def group(*speeds, chips=1, gangs=1, weight=1.0, draws=None, pools=None):
    """Gangs by their throughput in each pool."""
    pools = tuple(range(len(speeds))) if pools is None else pools
    draws = (0,) * len(pools) if draws is None else draws
    return Group(Shape(pools, chips, tuple(1 / speed for speed in speeds), draws), weight, gangs)


def near(values):
    return pytest.approx(np.array(values, float), rel=1e-9, abs=1e-9)


# by hand


def test_three_jobs_share_a_v100_and_a_k80_as_in_the_paper():
    # Each level t is the throughput over half the sum of the row: 40 a / 25 = (12 b + 4 c) / 8 = (100 d + 50 e) / 75.
    # All of both accelerators is used and the third job always runs: a + b + d = 1, c + e = 1, d + e = 1, so d = c,
    # t = 2/3 (1 + c), a = t / 1.6, b = (t - c / 2) / 1.5, and so t (1/1.6 + 1/1.5 + 1) = 5/3, t = 8/11.
    # The paper prints 0.45 0.0, 0.45 0.09 and 0.09 0.91.
    found = allocate([group(40, 10), group(12, 4), group(100, 50)], [1, 1])
    assert found.shares * 11 == near([[5, 0], [5, 1], [1, 10]])
    assert found.levels * 11 == near([8, 8, 8])


def test_on_one_pool_gangs_of_equal_size_have_equal_time_at_whatever_speed():
    found = allocate([group(7, gangs=3), group(0.5, gangs=5)], [2])
    assert found.shares == near([[1 / 4], [1 / 4]])


def test_two_who_are_fast_on_different_pools_have_one_each():
    found = allocate([group(4, 1), group(1, 4)], [1, 1])
    assert found.shares == near([[1, 0], [0, 1]])
    assert found.levels == near([1.6, 1.6])


def test_a_weight_is_a_larger_share():
    found = allocate([group(1, weight=3.0), group(1)], [1])
    assert found.shares == near([[3 / 4], [1 / 4]])
    assert found.levels == near([1 / 4, 1 / 4])


def test_a_gang_of_four_has_as_many_chips_times_time_as_four_single_chips_have_together_where_it_is_one_of_five():
    found = allocate([group(1, chips=4), group(1, gangs=16)], [4])
    assert found.shares == near([[1 / 17 * 4 / 4], [4 / 17]])


def test_what_the_smallest_cannot_use_goes_to_the_next_and_not_to_the_fastest():
    # Four chips: the single one runs all the time, the pair's level 2 X and the quartet's 4 Y share what is left.
    found = allocate([group(1), group(1, chips=2), group(9, chips=4)], [4])
    assert found.levels == near([1, 1.5, 1.5])
    assert found.shares == near([[1], [3 / 4], [3 / 8]])


def test_who_is_held_in_one_pool_does_not_hold_those_down_who_may_use_another():
    held, free = group(1, pools=(0,), gangs=4), group(1, 1)
    found = allocate([held, free], [1, 1])
    assert found.shares == near([[1 / 4, 0], [0, 1]])
    assert found.levels == near([1 / 4, 1])


def test_where_all_have_room_everybody_has_all_the_time_in_its_best_pool_and_nothing_is_solved():
    found = allocate([group(1, 3, gangs=2), group(2, 1, gangs=2)], [2, 2])
    assert found.shares == near([[0, 1], [1, 0]])
    assert found.programs == 0


def test_a_short_feed_is_shared_like_chips():
    # Two chips in each pool, power for 10: all time in the fast pool is 12 and in the other 4. 6 x + 2 (1 - x) = 5.
    found = allocate([group(3, 1, draws=(6, 2), gangs=2)], [2, 2], 10)
    assert found.shares == near([[3 / 4, 1 / 4]])
    assert allocate([group(3, 1, draws=(6, 2), gangs=2)], [2, 2], 12).shares == near([[1, 0]])


def test_a_pool_that_is_too_small_or_not_there_or_too_dear_in_power_is_no_choice():
    shape = group(1, 1, 1, 1, chips=4, draws=(1, 1, 1, 5))
    assert rates([shape], [3, 0, 4, 4], 16) == near([[0, 0, 4, 0]])
    assert allocate([shape, group(1)], [3, 0, 4, 4], 16).shares[0] == near([0, 0, 1, 0])


def test_who_fits_nowhere_has_nothing_and_stops_nobody():
    found = allocate([group(1, chips=9, pools=(0,)), group(1, gangs=4)], [2])
    assert found.levels == near([0, 1 / 2])
    assert allocate([], [4]).shares.shape == (0, 1)
    assert allocate([group(1, chips=3)], [2]).levels == near([0])


# against the program of the paper with a row for every gang


def ungrouped(groups, chips, feed_nw):
    """The highest common level with one row a gang."""
    gangs = [one._replace(gangs=1) for one in groups for _ in range(one.gangs)]
    rate = rates(gangs, chips, feed_nw)
    count, rows, bounds = len(gangs), [], []
    for at in range(count):
        row = np.zeros((count, len(chips)))
        row[at] = rate[at]
        rows.append([*(-row.ravel()), 1])
        bounds.append(0)
        row[at] = 1
        rows.append([*row.ravel(), 0])
        bounds.append(1)
    for pool, there in enumerate(chips):
        row = np.zeros((count, len(chips)))
        row[:, pool] = [one.shape.chips for one in gangs]
        rows.append([*row.ravel(), 0])
        bounds.append(there)
    if feed_nw is not None:
        draws = np.array([[one.shape.gang_nw(pool) for pool in range(len(chips))] for one in gangs], float)
        rows.append([*draws.ravel(), 0])
        bounds.append(feed_nw)
    limits = [(0, None if speed else 0) for speed in rate.ravel()] + [(0, None)]
    result = linprog([0] * rate.size + [-1], np.array(rows), bounds, bounds=limits, method="highs")
    assert result.status == 0
    return -result.fun


@st.composite
def worlds(draw, feeds=True):
    """Groups that may use all pools, the chips of the pools, and a feed or none."""
    pools = draw(st.integers(1, 3))
    speeds = st.tuples(*[st.sampled_from([0.25, 0.5, 1.0, 1.5, 2.0, 3.0])] * pools)
    groups = [
        group(
            *draw(speeds),
            chips=draw(st.sampled_from([1, 2, 3, 4, 8])),
            gangs=draw(st.integers(1, 6)),
            weight=draw(st.sampled_from([0.5, 1.0, 1.0, 3.0])),
            draws=draw(st.tuples(*[st.integers(1, 9)] * pools)),
        )
        for _ in range(draw(st.integers(1, 6)))
    ]
    chips = [draw(st.integers(8, 24)) for _ in range(pools)]
    feed = draw(st.none() | st.integers(8 * 9, 400)) if feeds else None
    return groups, chips, feed


@settings(derandomize=True, deadline=None, max_examples=300)
@given(worlds())
def test_rows_of_gangs_that_are_alike_find_the_level_that_one_row_a_gang_finds(world):
    groups, chips, feed_nw = world
    found = allocate(*world)
    assert found.levels.min() == pytest.approx(ungrouped(groups, chips, feed_nw), rel=1e-9)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(worlds())
def test_shares_keep_every_limit_and_come_to_the_levels(world):
    groups, chips, feed_nw = world
    shares, levels, *_ = allocate(*world)
    assert (shares >= 0).all()
    assert (shares.sum(axis=1) <= 1 + 1e-9).all()
    gangs = np.array([one.gangs for one in groups])
    held = (gangs * np.array([one.shape.chips for one in groups])) @ shares
    assert (held <= np.array(chips) * (1 + 1e-9)).all()
    if feed_nw is not None:
        draws = np.array([[one.shape.gang_nw(pool) for pool in range(len(chips))] for one in groups])
        assert (gangs[:, None] * draws * shares).sum() <= feed_nw * (1 + 1e-9)
    assert (rates(groups, chips, feed_nw) * shares).sum(axis=1) == pytest.approx(levels, rel=1e-9)


def highest(groups, chips, feed_nw, least, raised):
    """The highest level of one group with all others at least at theirs, with a general program of its own."""
    rate = rates(groups, chips, feed_nw)
    gangs = np.array([one.gangs * one.shape.chips for one in groups], float)
    rows, bounds = [], []
    for at in range(len(groups)):
        row = np.zeros_like(rate)
        row[at] = 1
        rows.append(row.ravel())
        bounds.append(1)
        if at != raised:
            row = np.zeros_like(rate)
            row[at] = -rate[at]
            rows.append(row.ravel())
            bounds.append(-least[at] * (1 - 1e-9))
    for pool, there in enumerate(chips):
        row = np.zeros_like(rate)
        row[:, pool] = gangs
        rows.append(row.ravel())
        bounds.append(there)
    if feed_nw is not None:
        draws = np.array([[one.shape.gang_nw(pool) for pool in range(len(chips))] for one in groups], float)
        rows.append((draws * np.array([one.gangs for one in groups])[:, None]).ravel())
        bounds.append(feed_nw)
    aim = np.zeros_like(rate)
    aim[raised] = -rate[raised]
    limits = [(0, None if speed else 0) for speed in rate.ravel()]
    result = linprog(aim.ravel(), np.array(rows), bounds, bounds=limits, method="highs")
    assert result.status == 0
    return -result.fun


@settings(derandomize=True, deadline=None, max_examples=200)
@given(worlds())
def test_no_level_can_rise_unless_one_that_is_as_low_or_lower_falls(world):
    groups, chips, feed_nw = world
    levels = allocate(*world).levels
    for raised, level in enumerate(levels):
        kept = np.where(levels <= level * (1 + 1e-7), levels, 0)
        assert highest(groups, chips, feed_nw, kept, raised) <= level * (1 + 1e-6)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(worlds(), st.floats(0, 30))
def test_where_the_search_begins_changes_nothing_that_is_found(world, begin):
    once, again = allocate(*world), allocate(*world, near=begin)
    assert again.levels == pytest.approx(once.levels, rel=1e-9)
    assert again.first == pytest.approx(once.first, rel=1e-9) or not once.programs


def test_the_same_question_has_the_same_answer_to_the_bit():
    groups = [group(*(1 + at % 7 / 3, 1 + at % 5), chips=1 << at % 5, gangs=1 + at) for at in range(30)]
    once = allocate(groups, [200, 300])
    assert allocate(groups, [200, 300]).shares.tobytes() == once.shares.tobytes()
    assert allocate(groups, [200, 300]).levels.tobytes() == once.levels.tobytes()


def test_thirty_groups_need_a_few_programs_and_fewer_beside_a_level_that_is_near():
    groups = [group(*(1 + at % 7 / 3, 1 + at % 5), chips=1 << at % 8, gangs=1 + at % 11) for at in range(30)]
    found = allocate(groups, [600, 900])
    assert 1 <= found.programs <= 12
    assert allocate(groups, [600, 900], near=found.first).programs <= found.programs


def test_a_program_that_takes_too_many_iterations_is_given_up():
    groups = [group(*(1 + at % 7 / 3, 1 + at % 5), chips=1 << at % 5, gangs=1 + at) for at in range(30)]
    with pytest.raises(OverLimit):
        allocate(groups, [200, 300], iterations=3)


def test_weights_that_spread_over_the_whole_range_are_served_one_after_the_other():
    urgent, common = group(1, weight=1e6, gangs=20), group(1, chips=1024, gangs=4)
    assert allocate([urgent, common], [2048]).shares == near([[1], [(2048 - 20) / 4096]])
    for weight in (1e-15, 1e15):
        few, many = group(1, weight=weight, gangs=3), group(1, gangs=3)
        found = allocate([few, many], [4])
        assert found.shares == near([[1], [1 / 3]] if weight > 1 else [[1 / 3], [1]])


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    worlds(),
    st.lists(st.sampled_from([1e-15, 1e-9, 1e-3, 1.0, 1e6, 1e9, 1e15]), min_size=6, max_size=6),
    st.lists(st.sampled_from([1, 1, 1000, 100_000]), min_size=6, max_size=6),
)
def test_any_weights_that_a_scenario_allows_have_shares_that_keep_the_limits_and_come_to_their_levels(
    world, weights, counts
):
    groups, chips, feed_nw = world
    groups = [one._replace(weight=a, gangs=b) for one, a, b in zip(groups, weights, counts, strict=False)]
    shares, levels, *_ = allocate(groups, chips, feed_nw)
    held = np.array([float(one.gangs * one.shape.chips) for one in groups]) @ shares
    assert (held <= np.array(chips) * (1 + 1e-3)).all()
    rate = rates(groups, chips, feed_nw)
    alone = rate.max(axis=1)
    assert np.abs((rate * shares).sum(axis=1) - levels) / np.where(alone > 0, alone, 1) == pytest.approx(0, abs=1e-5)


def test_levels_rise_with_chips_and_fall_with_gangs():
    def lowest(gangs, chips):
        return allocate([group(2, 1, gangs=gangs), group(1, 1, chips=4)], [chips, 8]).levels.min()

    assert lowest(20, 8) < lowest(20, 12) <= lowest(10, 12) < inf
