"""Orders by tenant and with time, in whole passes: the same starts as sorting everybody anew before each try."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.ageing import SHORTEST_S, Ageing, unicef, wfp3
from policies.backfill import greedy, none
from policies.easy import easy
from policies.fairness import DRF, fair_share
from policies.placement import PACK
from policies.queue import Past
from policies.trial import Trial
from policies.view import NO_ROOM

HALF_LIFE_S = 30.0
GANGS = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 4), st.integers(0, 2)), max_size=5)
JOBS = st.lists(
    st.tuples(st.integers(1, 6), st.integers(1, 20), st.integers(0, 20), st.integers(0, 2)), min_size=1, max_size=40
)
ORDERS = st.sampled_from([Ageing(wfp3), Ageing(unicef), fair_share(HALF_LIFE_S), DRF])


def waiting(state, now_s):
    """All waiting jobs; from now on it is now_s."""
    state.now_s = now_s
    return [job for lane in state.queue.lanes.values() for job in lane.jobs]


def key_now(order, state, job, starts):
    """What the order says of a job after some starts, written out from the definitions."""
    if isinstance(order, Ageing):
        estimate_s = max(SHORTEST_S, job.estimate * min(job.shape.pace_s))
        wait_s = state.now_s - job.submit_s - job.held_s
        if order.value is wfp3:
            value = -((wait_s / estimate_s) ** 3) * job.shape.chips
        else:
            value = -wait_s / (max(1, math.log2(job.shape.chips)) * estimate_s)
        return (round(value, 9), job.submit_s, job.row)
    account = state.tenants.account(job.tenant)
    if order is not DRF:
        return (round(account.used_at(state.now_s, HALF_LIFE_S), 9), job.submit_s, job.row)
    held = list(account.chips)
    for start in starts:
        if start.job.tenant == job.tenant:
            held[start.pool] += start.job.shape.chips
    share = max(mine / size for mine, size in zip(held, state.sizes, strict=True))
    return (share, job.submit_s, job.row)


def by_sorting(order, state, jobs, passes_head):
    """The rows that start if the first of all is looked for anew before each try."""
    trial, left, blocked = Trial(state.view(), PACK), list(jobs), set()
    while left:
        job = min(left, key=lambda job: key_now(order, state, job, trial.starts))
        left.remove(job)
        found = None if job.shape in blocked else trial.find(job.shape)
        if found is not None:
            trial.start(job, *found)
        elif not passes_head:
            break
        else:
            blocked.add(job.shape)
    return [start.job.row for start in trial.starts]


def made(site, order, gangs, jobs):
    state = site((2, 4), (1, 8), order=order)
    for pool, chips, tenant in gangs:
        state.runs(chips, 100, pool=pool, tenant=tenant)
    for chips, estimate_s, submit_s, tenant in jobs:
        past = Past(estimate_s + 5.0, float(submit_s), 5.0) if chips == 3 else None
        state.waits(chips, float(estimate_s), submit_s=float(submit_s), tenant=tenant, past=past)
    return state


@settings(derandomize=True, deadline=None, max_examples=400)
@given(order=ORDERS, gangs=GANGS, jobs=JOBS, now_s=st.integers(26, 60))
def test_a_pass_starts_whom_sorting_anew_before_each_try_would_start(order, gangs, jobs, now_s, site):
    state = made(site, order, gangs, jobs)
    jobs = waiting(state, float(now_s))
    assert state.starts(none) == by_sorting(order, state, jobs, passes_head=False)
    assert state.starts(greedy) == by_sorting(order, state, jobs, passes_head=True)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(order=ORDERS, gangs=GANGS, jobs=JOBS, now_s=st.integers(26, 60))
def test_the_head_and_the_arrivals_stand_as_in_a_walk(order, gangs, jobs, now_s, site):
    state = made(site, order, gangs, jobs)
    jobs = waiting(state, float(now_s))
    expected = sorted(jobs, key=lambda job: key_now(order, state, job, []))
    view = state.view()
    assert state.queue.head(view) is expected[0]
    assert list(state.queue.in_order(jobs, view, [])) == expected
    walk, found = state.queue.walk(view, []), []
    for job in walk:
        found.append(job)
        walk.next()
    assert found == expected


@pytest.mark.parametrize("order", [Ageing(wfp3), Ageing(unicef), fair_share(HALF_LIFE_S), DRF])
def test_under_easy_short_jobs_of_all_tenants_pass_the_head_and_long_ones_do_not(order, site):
    cpu = site((1, 8), order=order, now_s=50.0)
    cpu.runs(5, 100, tenant=3)
    head = cpu.waits(8, 10.0, submit_s=0.0)
    for tenant in range(3):
        cpu.waits(1, 400.0, submit_s=40.0 + tenant, tenant=tenant)
    short = [cpu.waits(1, 50.0, submit_s=45.0 + tenant, tenant=tenant) for tenant in range(3)]
    assert cpu.decide(easy).memo.head.row == head
    assert cpu.starts(easy) == short
    assert cpu.reasons(easy) == {8: NO_ROOM, 1: NO_ROOM}


def test_time_changes_who_is_first(site):
    """A long job that came early against a short one: the short one's ratio of wait to estimate grows faster."""
    cpu = site((1, 4), order=Ageing(wfp3))
    cpu.waits(4, 100.0, submit_s=0.0)
    cpu.waits(4, 10.0, submit_s=90.0)
    for now_s, first in ((95.0, 0), (99.0, 0), (101.0, 1)):
        cpu.now_s = now_s
        assert cpu.starts(none) == [first]


def test_drf_gives_to_the_tenants_in_turn_within_one_pass(site):
    """Ghodsi et al., NSDI 2011: each start raises the dominant share, so that equal tenants take turns."""
    cpu = site((1, 8), order=DRF)
    for tenant in (0, 0, 0, 1, 1, 1):
        cpu.waits(2, 10.0, tenant=tenant)
    assert cpu.starts(none) == [0, 3, 1, 4]


def test_drf_counts_power_where_it_is_the_scarcer(site):
    """Tenant 0 holds 2 of 8 chips but half the feed; tenant 1 holds 3 of 8 chips and little power."""
    cpu = site((1, 8), (1, 8), order=DRF, draws=(10, 1), feed=40)
    cpu.runs(2, 100, pool=0, tenant=0)
    cpu.runs(3, 100, pool=1, tenant=1)
    cpu.waits(1, 10.0, tenant=0, pools=(1,))
    cpu.waits(1, 10.0, tenant=1, pools=(1,))
    assert cpu.starts(none) == [1, 0]


def test_fair_share_forgets_half_of_the_usage_every_half_life(site):
    cpu = site((1, 8), order=fair_share(100.0))
    cpu.runs(4, 100, tenant=0)
    cpu.goes_on(100.0)
    assert cpu.tenants.account(0).used_at(100.0, 100.0) == pytest.approx(400 / math.log(2) * 0.5)
    assert cpu.tenants.account(0).used_at(300.0, 100.0) == pytest.approx(100 / math.log(2) * 0.5)
    assert cpu.tenants.account(0).used_at(100.0, math.inf) == pytest.approx(200 / math.log(2))


def test_fair_share_lets_go_first_who_has_used_least_of_late(site):
    """Tenant 0 had 4 chips over the first 100 s, tenant 1 has 3 since: in time the older usage counts for less."""
    cpu = site((1, 8), order=fair_share(100.0))
    cpu.runs(4, 100, tenant=0)
    cpu.goes_on(100.0)
    cpu.runs(3, 900, tenant=1)
    cpu.waits(1, 10.0, tenant=0, submit_s=0.0)
    cpu.waits(1, 10.0, tenant=1, submit_s=1.0)
    cpu.now_s = 110.0
    assert cpu.starts(none) == [1, 0]
    cpu.now_s = 300.0
    assert cpu.starts(none) == [0, 1]


def test_usage_does_not_depend_on_how_often_it_is_settled(site):
    often, once = site((1, 8), order=fair_share(50.0)).tenants, site((1, 8), order=fair_share(50.0)).tenants
    once.start(1, 0, 0, 4, 0, 10.0)
    often.start(1, 0, 0, 4, 0, 10.0)
    for row, now_s in ((2, 20.0), (3, 35.0), (4, 80.0)):
        often.start(row, 0, 0, 1, 0, now_s)
        often.end(row, 0, 1, 0, now_s)
    assert often.account(0).used_at(90.0, 50.0) == pytest.approx(once.account(0).used_at(90.0, 50.0))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    jobs=st.lists(st.tuples(st.floats(0, 1e6), st.floats(1e-3, 1e6)), min_size=1, max_size=30),
    chips=st.integers(1, 4096),
)
def test_values_of_many_jobs_are_those_of_each_to_the_bit(jobs, chips):
    waits, estimates = np.array([wait for wait, _ in jobs]), np.array([estimate for _, estimate in jobs])
    for value in (wfp3, unicef):
        many = value(waits, estimates, chips)
        assert many.tolist() == [value(wait, estimate, chips) for wait, estimate in jobs]


def test_unicef_takes_a_single_chip_for_two():
    assert unicef(10.0, 5.0, 1) == unicef(10.0, 5.0, 2) == -2.0
    assert unicef(10.0, 5.0, 16) == -0.5


def test_wfp3_is_the_cube_of_the_ratio_times_the_chips():
    assert wfp3(20.0, 10.0, 3) == -24.0
    assert wfp3(0.0, 10.0, 3) == 0.0
