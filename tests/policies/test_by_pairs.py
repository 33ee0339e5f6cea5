"""Backfill by pairs: the least of what is due goes first, every chip that can be used is, books by gang are kept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.by_pairs import by_pairs
from policies.time_shares import ROUND_S, TimeShares

ALIKE, FAST_IN_FIRST = (1.0, 1.0), (1 / 4, 1.0)
PAPER = ((1 / 40, 1 / 10), (1 / 12, 1 / 4), (1 / 100, 1 / 50))  # shares of 5/11 0, 5/11 1/11 and 1/11 10/11


@pytest.fixture
def pools(site):
    """Makes pools with accounts of gangs."""

    def made(*sizes):
        state = site(*sizes)
        state.shares = TimeShares([1.0], len(sizes), by_job=True)
        return state

    return made


def pools_of(state):
    return {row: pool for row, (pool, _) in state.places(by_pairs).items()}


def stop(state, job, pool):
    """A running gang goes back to the queue."""
    (run,) = [run for run in state.running[pool] if run.row == job.row]
    state.running[pool].remove(run)
    state.free[pool].give(run.placement)
    state.shares.stop(job.row, pool, state.now_s)
    state.queue.add(job)
    state.shares.join(job, state.now_s)
    state.memo = None


def test_pairs_that_were_never_served_go_by_their_shares(pools):
    state = pools((1, 1), (1, 1))
    for pace_s in PAPER:
        state.waits(1, 10, pace_s=pace_s)
    assert [(start.job.row, start.pool) for start in state.decide(by_pairs).starts] == [(2, 1), (0, 0)]


def test_who_has_had_the_least_of_what_is_due_goes_first_in_each_pool(pools):
    state = pools((1, 1), (1, 1))
    for pace_s in PAPER:
        state.waits(1, 100_000, pace_s=pace_s)
    decisions = state.decide(by_pairs)
    jobs = {start.job.row: start.job for start in decisions.starts}
    state.apply(decisions)
    state.now_s = ROUND_S
    stop(state, jobs[0], 0)
    stop(state, jobs[2], 1)
    # V100: 1 has had nothing, 2 neither but is due less; K80: 1 has had nothing, 2 has had all for 10/11
    assert pools_of(state) == {1: 0, 2: 1}
    state.apply(state.decide(by_pairs))
    state.now_s = 2 * ROUND_S
    stop(state, state.shares.accounts.by_row[1].job, 0)
    stop(state, jobs[2], 1)
    # V100: 2 has had nothing there, and goes there at once; K80: 1 has had nothing there
    assert pools_of(state) == {2: 0, 1: 1}


def test_a_pool_without_a_share_is_used_when_nobody_who_has_one_waits(pools):
    state = pools((1, 1), (1, 1))
    state.waits(1, 10, pace_s=(1.0, 1 / 9))
    state.waits(1, 10, pace_s=(1.0, 1 / 9), pools=(0, 1))
    state.waits(1, 10, pace_s=(1.0,), pools=(0,))
    assert len(pools_of(state)) == 2
    alone = pools((1, 1), (1, 1))
    alone.waits(1, 10, pace_s=FAST_IN_FIRST)
    alone.apply(alone.decide(by_pairs))
    alone.waits(1, 10, pace_s=FAST_IN_FIRST, row=7)
    assert pools_of(alone) == {7: 1}


def test_what_a_gang_is_due_counts_from_its_submission_at_the_shares_of_each_time(pools):
    state = pools((1, 1))
    state.waits(1, 100_000, pace_s=(1.0,), pools=(0,))
    state.apply(state.decide(by_pairs))
    state.now_s = ROUND_S
    state.waits(1, 100_000, pace_s=(1.0,), pools=(0,))
    state.decide(by_pairs)
    (kind,) = state.shares.running
    assert state.shares.earned_s(kind, ROUND_S) == [ROUND_S]  # alone it was due all the time
    assert state.shares.earned_s(kind, 3 * ROUND_S) == [2 * ROUND_S]  # and then half
    assert state.shares.accounts.by_row[0].had_s(0, 3 * ROUND_S) == 3 * ROUND_S
    assert state.shares.accounts.by_row[1].had_s(0, 3 * ROUND_S) == 0


def test_who_has_left_the_queue_otherwise_than_by_a_start_has_no_account_in_the_next_round(pools):
    state = pools((1, 1))
    state.runs(1, 1_000)
    row = state.waits(1, 10)
    state.decide(by_pairs)
    state.queue.remove(state.shares.accounts.by_row[row].job)
    state.now_s = ROUND_S
    state.decide(by_pairs)
    assert row not in state.shares.accounts.by_row


def test_a_view_without_accounts_is_a_fault_and_says_when(site):
    state = site((1, 1))
    state.waits(1, 10)
    with pytest.raises(RuntimeError, match="0 s: a backfill by pairs needs a view with accounts"):
        state.decide(by_pairs)


PACES = st.sampled_from([ALIKE, FAST_IN_FIRST, (1.0, 1 / 2)])
JOBS = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 12), PACES), max_size=6)
LATER = st.lists(st.tuples(st.sampled_from([0, 1, 3, 4000]), JOBS), min_size=1, max_size=4)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(first=JOBS, later=LATER)
def test_passes_decide_alike_twice_and_over_the_arrivals_alone_and_leave_no_chips_that_somebody_could_use(
    first, later, site
):
    state = site((2, 4), (1, 5))
    state.shares = TimeShares([1.0], 2, by_job=True)
    for wait_s, arrivals in [(0, first), *later]:
        state.now_s += wait_s
        for chips, estimate_s, pace_s in arrivals:
            state.waits(chips, estimate_s, submit_s=state.now_s, pace_s=pace_s)
        before = state.snapshot()
        decisions = state.decide(by_pairs)
        assert state.snapshot() == before
        assert state.decide(by_pairs).starts == decisions.starts
        memo, state.memo = state.memo, None
        assert state.decide(by_pairs).starts == decisions.starts
        state.memo = memo
        state.apply(decisions)
        for shape, lane in state.queue.lanes.items():
            assert shape in decisions.blocked
            assert lane.jobs
            assert all(state.placer.place(state.free[pool], shape.chips, 0) is None for pool in shape.pools)
