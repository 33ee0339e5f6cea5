"""Placement by max-min shares: pools in the order of what is due there, all of them allowed, books that are kept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.backfill import greedy, none
from policies.easy import easy
from policies.max_min_placement import MAX_MIN
from policies.time_shares import ROUND_S, TimeShares

FAST_IN_FIRST, ALIKE = (1 / 4, 1.0), (1.0, 1.0)


@pytest.fixture
def two_pools(site):
    """Two chips in each of two pools."""
    return site((1, 2), (1, 2), placer=MAX_MIN)


def pools_of(state, backfill=greedy):
    return {row: pool for row, (pool, _) in state.places(backfill).items()}


def test_who_gains_nothing_from_the_fast_pool_leaves_it_to_who_does(two_pools):
    for pace_s in (ALIKE, ALIKE, FAST_IN_FIRST, FAST_IN_FIRST):
        two_pools.waits(1, 10, pace_s=pace_s)
    assert pools_of(two_pools) == {0: 1, 1: 1, 2: 0, 3: 0}


def test_a_gang_goes_to_a_pool_where_nothing_is_due_to_it_if_no_other_is_free(two_pools):
    two_pools.waits(1, 10, pace_s=FAST_IN_FIRST)
    two_pools.waits(2, 10, pace_s=ALIKE)
    assert pools_of(two_pools) == {0: 0, 1: 1}
    two_pools.apply(two_pools.decide(greedy))
    two_pools.ends(1)
    two_pools.waits(2, 10, pace_s=FAST_IN_FIRST)
    assert pools_of(two_pools) == {2: 1}


def test_the_starts_of_a_pass_count_for_those_after_them(site):
    pools = site((1, 8), (1, 4), placer=MAX_MIN)
    for _ in range(12):
        pools.waits(1, 10, pace_s=ALIKE)
    assert list(pools_of(pools).values()) == [0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0]


def test_running_gangs_count_where_they_run(site):
    pools = site((1, 8), (1, 8), placer=MAX_MIN)
    for _ in range(16):
        pools.waits(1, 10, pace_s=ALIKE)
    pools.apply(pools.decide(greedy))
    for row in (1, 3, 5, 0):  # three of one pool and one of the other, which were filled in turn
        pools.ends(row)
    for _ in range(4):
        pools.waits(1, 10, pace_s=ALIKE)
    assert sorted(pools_of(pools).values()) == [0, 1, 1, 1]


def test_shares_are_computed_anew_once_a_round_and_for_gangs_that_are_new(two_pools):
    books = two_pools.shares
    for _ in range(5):
        two_pools.waits(1, 10, pace_s=ALIKE)
    two_pools.decide(greedy)
    assert books.solved == 1
    two_pools.waits(1, 10, pace_s=ALIKE)
    two_pools.decide(greedy)
    assert books.solved == 1
    two_pools.now_s = ROUND_S
    two_pools.decide(greedy)
    assert books.solved == 2
    two_pools.waits(1, 10, pace_s=FAST_IN_FIRST, submit_s=-1)
    two_pools.decide(greedy)
    assert books.solved == 3
    two_pools.now_s = 3 * ROUND_S
    two_pools.decide(greedy)  # nothing has changed
    assert books.solved == 3


def test_nothing_is_computed_where_there_is_no_choice(two_pools):
    two_pools.runs(2, 50, pool=0)
    two_pools.waits(1, 10, pace_s=ALIKE)
    assert pools_of(two_pools) == {0: 1}
    assert two_pools.shares.solved == 0


def test_when_the_solver_gives_up_the_last_shares_stay_and_it_is_counted(two_pools):
    books = two_pools.shares
    for pace_s in (ALIKE, ALIKE, FAST_IN_FIRST, FAST_IN_FIRST):
        two_pools.waits(1, 10, pace_s=pace_s)
    (shape,) = [shape for shape in two_pools.queue.lanes if shape.pace_s == ALIKE]
    due = books.due_of(shape, two_pools.view())
    assert due == [0, 2]
    books._iterations = 0
    two_pools.now_s = ROUND_S
    for pace_s in (ALIKE, FAST_IN_FIRST, (1.0, 1 / 3), (1.0, 1 / 2)):
        two_pools.waits(1, 10, pace_s=pace_s)
    assert books.due_of(shape, two_pools.view()) == due
    assert books.due_of(shape, two_pools.view()) == due
    assert (books.solved, books.unsolved) == (1, 1)


def test_without_any_shares_the_order_of_the_fleet_stays(two_pools):
    two_pools.shares = TimeShares([1.0], 2, iterations=0)
    for pace_s in (ALIKE, ALIKE, FAST_IN_FIRST, (1.0, 1 / 3), (1.0, 1 / 2)):
        two_pools.waits(1, 10, pace_s=pace_s)
    assert list(pools_of(two_pools).values()) == [0, 0, 1, 1]
    assert two_pools.shares.unsolved == 1


def test_weights_are_those_of_the_classes(site):
    pools = site((1, 2), (1, 2), placer=MAX_MIN)
    pools.shares = TimeShares([1.0, 3.0], 2)
    for job_class in (0, 0, 1, 1):
        pools.waits(2, 10, pace_s=FAST_IN_FIRST, job_class=job_class)
    pools.decide(greedy)
    (light, heavy) = sorted(pools.shares._due, key=lambda kind: kind[1])
    assert sum(pools.shares._due[heavy]) > sum(pools.shares._due[light])


PACES = st.sampled_from([ALIKE, FAST_IN_FIRST, (1.0, 1 / 2)])
JOBS = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 12), PACES), max_size=6)
LATER = st.lists(st.tuples(st.sampled_from([0, 1, 3, 4000]), JOBS), min_size=1, max_size=4)
RUNNING = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 15), st.integers(0, 1)), max_size=5)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(backfill=st.sampled_from([none, greedy, easy]), running=RUNNING, first=JOBS, later=LATER)
def test_passes_decide_alike_twice_and_over_the_arrivals_alone_and_change_nothing(
    backfill, running, first, later, site
):
    state = site((2, 4), (1, 5), placer=MAX_MIN)
    for chips, until_s, pool in running:
        state.runs(chips, until_s, pool=pool)
    for wait_s, arrivals in [(0, first), *later]:
        state.now_s += wait_s
        for chips, estimate_s, pace_s in arrivals:
            state.waits(chips, estimate_s, submit_s=state.now_s, pace_s=pace_s)
        before = state.snapshot()
        decisions = state.decide(backfill)
        assert state.snapshot() == before
        assert state.decide(backfill).starts == decisions.starts
        memo, state.memo = state.memo, None
        assert state.decide(backfill).starts == decisions.starts
        state.memo = memo
        state.apply(decisions)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(running=RUNNING, first=JOBS)
def test_the_gangs_that_start_are_as_many_as_the_books_say_run(running, first, site):
    state = site((2, 4), (1, 5), placer=MAX_MIN)
    for chips, until_s, pool in running:
        state.runs(chips, until_s, pool=pool)
    for chips, estimate_s, pace_s in first:
        state.waits(chips, estimate_s, pace_s=pace_s)
    state.apply(state.decide(greedy))
    for now_s in (0, 5, 10, 20):
        state.goes_on(now_s)
        for pool, runs in enumerate(state.running):
            assert sum(gangs[pool] for gangs in state.shares.running.values()) == len(runs)
    assert not state.shares.running
