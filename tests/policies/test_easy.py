"""EASY on plain processors: the two rules that let a job pass the head, and what they count."""

import pytest

from policies.easy import easy
from policies.order import sjf
from policies.view import HELD, NO_ROOM


@pytest.fixture
def busy(site):
    """Four processors, three of them busy until 100."""
    cpu = site((1, 4))
    cpu.runs(3, 100)
    return cpu


@pytest.mark.parametrize(("estimate_s", "passes"), [(99, True), (100, True), (101, False)])
def test_a_job_passes_if_it_ends_no_later_than_the_shadow_time(estimate_s, passes, busy):
    busy.waits(4, 50)
    busy.waits(1, estimate_s)
    assert busy.starts(easy) == ([1] if passes else [])
    assert busy.reasons(easy) == ({4: NO_ROOM} if passes else {4: NO_ROOM, 1: HELD})


def test_the_shadow_time_counts_from_now(busy):
    busy.now_s = 60
    busy.waits(4, 50)
    busy.waits(1, 41)
    assert busy.starts(easy) == []
    busy.waits(1, 40)
    assert busy.starts(easy) == [2]


def test_a_short_job_passes_behind_a_long_one_of_its_size(busy):
    busy.waits(4, 50)
    for estimate_s in (500, 300, 100, 10):
        busy.waits(1, estimate_s)
    assert busy.starts(easy) == [3]


def test_a_long_job_may_take_what_the_head_leaves_over_and_what_is_left_shrinks(site):
    cpu = site((1, 5))
    cpu.runs(2, 100)
    cpu.waits(4, 50)
    cpu.waits(1, 500)
    cpu.waits(1, 500)
    cpu.waits(1, 100)
    assert cpu.starts(easy) == [1, 3]
    assert cpu.reasons(easy) == {4: NO_ROOM, 1: HELD}


def test_a_short_job_does_not_use_up_what_the_head_leaves_over(site):
    cpu = site((1, 5))
    cpu.runs(2, 100)
    cpu.waits(4, 50)
    cpu.waits(1, 100)
    cpu.waits(1, 500)
    assert cpu.starts(easy) == [1, 2]


def test_all_releases_of_the_shadow_instant_count_for_what_is_left_over(site):
    cpu = site((1, 4))
    cpu.runs(1, 100)
    cpu.runs(1, 100)
    cpu.waits(3, 50)
    cpu.waits(1, 500)
    assert cpu.starts(easy) == [1]


def test_a_release_after_the_shadow_instant_does_not_count(site):
    cpu = site((1, 4))
    cpu.runs(1, 100)
    cpu.runs(1, 101)
    cpu.waits(3, 50)
    cpu.waits(1, 500)
    assert cpu.starts(easy) == []


def test_a_job_past_its_estimate_counts_as_ending_now(busy):
    busy.now_s = 150
    busy.waits(4, 50)
    busy.waits(1, 1)
    assert busy.starts(easy) == []
    assert busy.decide(easy).memo.reservation.shadow_s == 150


def test_all_overdue_jobs_count_for_what_is_left_over(site):
    cpu = site((1, 5), now_s=150)
    cpu.runs(2, 100)
    cpu.runs(2, 120)
    cpu.waits(3, 50)
    cpu.waits(1, 500)
    assert cpu.starts(easy) == [1]


def test_jobs_started_in_this_pass_are_releases_too(site):
    cpu = site((1, 4))
    cpu.waits(3, 80)
    cpu.waits(4, 50)
    cpu.waits(1, 81)
    cpu.waits(1, 80)
    assert cpu.starts(easy) == [0, 3]


def test_nobody_needs_a_reservation_where_nobody_else_fits(busy):
    busy.waits(2, 50)
    busy.waits(3, 1)
    decisions = busy.decide(easy)
    assert decisions.starts == []
    assert decisions.memo.reservation is None


def test_the_order_says_who_is_the_head(site):
    cpu = site((1, 4), order=sjf)
    cpu.runs(3, 100)
    cpu.waits(1, 500)
    cpu.waits(4, 200)
    assert cpu.starts(easy) == []
    first_in = site((1, 4))
    first_in.runs(3, 100)
    first_in.waits(1, 500)
    first_in.waits(4, 200)
    assert first_in.starts(easy) == [0]


def test_the_order_says_who_passes_first(site):
    cpu = site((1, 4), order=sjf)
    cpu.runs(3, 100)
    cpu.waits(4, 5)
    for estimate_s in (90, 70, 70):
        cpu.waits(1, estimate_s)
    assert cpu.starts(easy) == [2]


def test_of_two_heads_submitted_together_the_first_row_is_reserved_for(busy):
    busy.waits(4, 50)
    busy.waits(2, 50)
    busy.waits(1, 100)
    decisions = busy.decide(easy)
    assert decisions.memo.head.row == 0
    assert decisions.memo.reservation.shadow_s == 100


def test_a_job_that_ends_exactly_at_the_shadow_time_may_pass_though_times_are_no_whole_numbers(site):
    now_s, estimate_s = 763774.618976614, 25507.64750491643
    assert now_s + estimate_s - now_s < estimate_s, "these numbers no longer show the rounding"
    one = site((1, 4), now_s=now_s)
    one.waits(3, estimate_s)
    one.waits(4, 50)
    one.waits(1, estimate_s)
    assert sorted(one.places(easy)) == [0, 2]
