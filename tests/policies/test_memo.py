"""A pass over the arrivals alone, with the last pass's memo, decides what a pass over the whole queue does."""

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.ageing import Ageing, unicef, wfp3
from policies.backfill import greedy, none
from policies.conservative import conservative
from policies.easy import easy
from policies.fairness import DRF, fair_share
from policies.order import fifo, sjf

ORDERS = st.sampled_from([fifo, sjf, Ageing(wfp3), Ageing(unicef), fair_share(20.0), DRF])
BACKFILLS = st.sampled_from([none, greedy, easy, conservative, partial(conservative, depth=2)])
JOBS = st.lists(st.tuples(st.integers(1, 8), st.integers(1, 12)), max_size=6)
LATER = st.lists(st.tuples(st.integers(0, 5), JOBS), min_size=1, max_size=4)
RUNNING = st.lists(st.tuples(st.integers(1, 5), st.integers(-2, 15)), max_size=5)


def started(decisions):
    return [(start.job.row, start.pool, start.placement) for start in decisions.starts]


@settings(derandomize=True, deadline=None, max_examples=500)
@given(backfill=BACKFILLS, order=ORDERS, running=RUNNING, first=JOBS, later=LATER)
def test_an_incremental_pass_starts_what_a_full_pass_starts(backfill, order, running, first, later, site):
    cpu = site((1, 8), order=order)
    for chips, until_s in running:
        cpu.runs(chips, until_s)
    for wait_s, arrivals in [(0, first), *later]:
        cpu.now_s += wait_s
        for chips, estimate_s in arrivals:
            cpu.waits(chips, estimate_s, submit_s=cpu.now_s, tenant=(chips + estimate_s) % 3)
        decisions = cpu.decide(backfill)
        memo, cpu.memo = cpu.memo, None
        assert started(decisions) == started(cpu.decide(backfill))
        cpu.memo = memo
        cpu.apply(decisions)


@pytest.fixture
def waiting_head(site):
    """Five processors, two busy until 100; the head wants all of them but one and has its reservation."""
    cpu = site((1, 5))
    cpu.runs(2, 100)
    cpu.waits(4, 50)
    cpu.waits(1, 50)
    cpu.apply(cpu.decide(easy))
    assert cpu.memo.reservation.shadow_s == 100
    return cpu


def test_what_the_head_leaves_over_goes_on_shrinking_from_pass_to_pass(waiting_head):
    waiting_head.waits(1, 500)
    decisions = waiting_head.decide(easy)
    assert [start.job.row for start in decisions.starts] == [2]
    waiting_head.apply(decisions)
    waiting_head.waits(1, 500)
    assert waiting_head.starts(easy) == []


def test_an_arrival_is_judged_by_the_time_left_to_the_shadow(waiting_head):
    waiting_head.waits(1, 500)
    waiting_head.apply(waiting_head.decide(easy))
    waiting_head.now_s = 40
    waiting_head.waits(1, 61)
    waiting_head.waits(1, 60)
    assert waiting_head.starts(easy) == [4]


def test_arrivals_that_pass_the_head_go_in_order(site):
    cpu = site((1, 4), order=sjf)
    cpu.runs(3, 100)
    cpu.waits(4, 5)
    cpu.waits(2, 10)
    cpu.apply(cpu.decide(easy))
    cpu.waits(1, 90)
    cpu.waits(1, 70)
    assert cpu.memo.head.row == 0
    assert cpu.starts(easy) == [3]


def test_a_head_that_is_passed_by_an_arrival_in_the_order_loses_its_reservation(site):
    cpu = site((1, 4), order=sjf)
    cpu.runs(2, 100)
    cpu.waits(3, 50)
    cpu.waits(1, 60)
    cpu.apply(cpu.decide(easy))
    cpu.waits(4, 10)
    cpu.waits(1, 500)
    decisions = cpu.decide(easy)
    assert decisions.memo.head.row == 2
    assert decisions.starts == []


def test_a_reservation_whose_time_has_passed_is_made_anew(waiting_head):
    waiting_head.now_s = 130
    waiting_head.waits(1, 1_000)
    decisions = waiting_head.decide(easy)
    assert decisions.memo.reservation.shadow_s == 130
    assert [start.job.row for start in decisions.starts] == [2]
