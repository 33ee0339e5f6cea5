"""Passes under quotas, by hand: who waits for its quota blocks nobody, and a head keeps the quota it has."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.ageing import Ageing, unicef, wfp3
from policies.backfill import greedy, none
from policies.conservative import conservative
from policies.easy import easy
from policies.fairness import DRF, fair_share
from policies.order import fifo, sjf
from policies.placement import PACK
from policies.policy import Policy, decide
from policies.power import RESERVE
from policies.quotas import NO_LIMIT, Quota
from policies.trial import find
from policies.view import HELD, NO_ROOM, QUOTA
from topologies.limits import Limit

ALL = [none, greedy, easy, conservative]


def alone(*chips):
    """A tenant without a cohort, with so many chips in each pool."""
    return Quota("t", 0, chips, chips, (0,) * len(chips))


@pytest.mark.parametrize("backfill", ALL)
def test_who_waits_for_its_quota_alone_blocks_nobody(backfill, site):
    cpu = site((1, 8), rules=[alone(4)])
    cpu.runs(3, 100, quota=0)
    cpu.waits(2, 10, quota=0)
    cpu.waits(3, 500)
    assert cpu.starts(backfill) == [1]
    assert cpu.reasons(backfill) == {2: QUOTA}


@pytest.mark.parametrize("backfill", ALL)
def test_a_job_alone_in_the_queue_waits_for_its_quota_too(backfill, site):
    cpu = site((1, 8), rules=[alone(4)])
    cpu.runs(3, 100, quota=0)
    cpu.waits(2, 10, quota=0)
    decisions = decide(cpu.view(), Policy(fifo, backfill, PACK, RESERVE, {}, {}))
    assert decisions.starts == [] and list(decisions.blocked.values()) == [QUOTA]


@pytest.mark.parametrize("backfill", ALL)
def test_starts_of_one_pass_count_against_the_quota(backfill, site):
    cpu = site((1, 8), rules=[alone(4)])
    for _ in range(3):
        cpu.waits(2, 10, quota=0)
    assert cpu.starts(backfill) == [0, 1]
    assert cpu.reasons(backfill) == {2: QUOTA}


@pytest.mark.parametrize("backfill", ALL)
def test_a_gang_goes_to_the_pool_where_its_tenant_has_room(backfill, site):
    pools = site((1, 8), (1, 8), rules=[alone(4, 4)])
    pools.runs(3, 100, pool=0, quota=0)
    pools.waits(2, 10, quota=0)
    assert {row: pool for row, (pool, _) in pools.places(backfill).items()} == {0: 1}


def test_behind_a_head_that_waits_for_chips_nobody_starts_under_none(site):
    cpu = site((1, 8), rules=[alone(4)])
    cpu.runs(3, 100, quota=0)
    cpu.waits(2, 10, quota=0)
    cpu.waits(8, 10)
    cpu.waits(1, 10)
    assert cpu.starts(none) == []
    assert cpu.reasons(none) == {2: QUOTA, 8: NO_ROOM}
    cpu.apply(cpu.decide(none))
    cpu.waits(1, 10, submit_s=1)
    assert cpu.starts(none) == []


@pytest.mark.parametrize(("backfill", "passes"), [(none, False), (greedy, True), (easy, True), (conservative, True)])
def test_who_waits_for_quota_is_passed_by_its_own_tenant_where_jobs_may_pass_at_all(backfill, passes, site):
    cpu = site((1, 8), rules=[alone(4)])
    cpu.runs(3, 100, quota=0)
    cpu.waits(2, 10, quota=0)
    cpu.waits(1, 10, quota=0)
    cpu.waits(1, 10)
    assert cpu.starts(backfill) == ([1, 2] if passes else [2])


def lacking_both(site, own_until_s, others_until_s):
    """Eight processors; row 0 wants 4 of them, 3 of its quota of 5 are in use, and only 3 processors are free."""
    cpu = site((1, 8), rules=[alone(5)])
    cpu.runs(3, own_until_s, quota=0)
    cpu.runs(2, others_until_s)
    cpu.waits(4, 10, quota=0)
    cpu.waits(1, 500)
    return cpu


@pytest.mark.parametrize("backfill", [none, easy])
def test_who_lacks_chips_and_quota_is_a_head_where_its_quota_comes_no_later_than_the_chips(backfill, site):
    """Its own gang ends last or first. When it ends first, that brings the chips too."""
    assert lacking_both(site, own_until_s=50, others_until_s=40).starts(backfill) == [1]
    assert lacking_both(site, own_until_s=40, others_until_s=50).starts(backfill) == ([] if backfill is none else [1])


@pytest.mark.parametrize("backfill", [none, easy])
def test_who_could_wait_for_chips_in_one_of_its_pools_is_a_head(backfill, site):
    """In pool 0 there are chips without quota; in pool 1 both come when its own gang ends."""
    pools = site((1, 4), (1, 4), rules=[alone(0, 4)])
    pools.runs(2, 10, pool=1, quota=0)
    pools.waits(4, 10, quota=0)
    pools.waits(3, 500, pools=(1, 0), quota=-1)
    pools.waits(2, 500, pools=(1,), quota=-1)
    assert pools.starts(backfill) == ([] if backfill is none else [1])


def test_under_easy_the_reservation_goes_to_the_first_that_quota_allows(site):
    cpu = site((1, 8), rules=[alone(4)])
    cpu.runs(3, 100, quota=0)
    cpu.runs(3, 50)
    cpu.waits(2, 10, quota=0)
    cpu.waits(5, 10)
    cpu.waits(1, 500)
    decisions = cpu.decide(easy)
    assert decisions.memo.head.row == 1
    assert decisions.memo.reservation.shadow_s == 50
    assert [start.job.row for start in decisions.starts] == []
    assert {shape.chips: reason for shape, reason in decisions.blocked.items()} == {2: QUOTA, 5: NO_ROOM, 1: HELD}


@pytest.mark.parametrize(("quota", "estimate_s", "passes"), [(4, 3, True), (4, 13, False), (5, 13, True)])
def test_a_job_passes_if_the_head_has_its_quota_at_the_shadow_time(quota, estimate_s, passes, site):
    """At 10 there are 8 chips for the head's 4, and room for a longer job beside it; of a quota of 4 there is none."""
    cpu = site((1, 8), rules=[alone(quota)])
    cpu.runs(6, 10)
    cpu.waits(4, 5, quota=0)
    cpu.waits(1, estimate_s, quota=0)
    assert cpu.starts(easy) == ([1] if passes else [])
    assert cpu.reasons(easy) == ({4: NO_ROOM} if passes else {4: NO_ROOM, 1: HELD})


def test_long_jobs_leave_the_head_its_quota_from_pass_to_pass_also_those_of_its_cohort(site):
    """The cohort has 8 in all: beside the head's 6 the other may have 2."""
    cpu = site((1, 12), rules=[Quota(name, 0, (4,), (NO_LIMIT,), (0,)) for name in "ab"])
    cpu.runs(8, 10)
    cpu.waits(6, 5, quota=0)
    cpu.waits(1, 30, quota=1)
    decisions = cpu.decide(easy)
    assert [start.job.row for start in decisions.starts] == [1]
    cpu.apply(decisions)
    cpu.waits(2, 30, quota=1)
    cpu.waits(1, 30, quota=1)
    cpu.waits(1, 30, quota=1)
    cpu.waits(1, 30)
    assert cpu.starts(easy) == [3, 5]


RULES = [alone(4, 0), Quota("u", 1, (4, 4), (4, 4), (0, 0))]


@pytest.mark.parametrize("limits", [(), (Limit("PDU", 100, (1, 1)),)])
def test_a_long_job_goes_to_another_pool_only_where_its_quota_allows(limits, site):
    """In pool 0 it would take the head's chips, and pool 1 is no pool of the first tenant."""
    for quota, places in ((0, {}), (1, {1: (1, ((0, 1),))})):
        pools = site((1, 4), (1, 4), draws=(1, 1), limits=limits, rules=RULES)
        pools.runs(2, 10, pool=0)
        pools.waits(4, 5, pools=(0,))
        pools.waits(1, 500, quota=quota)
        assert pools.places(easy) == places


@pytest.mark.parametrize("limits", [(), (Limit("PDU", 100, (0b11, 1)),)])
def test_a_long_job_that_leaves_the_head_chips_but_no_quota_goes_to_another_pool(limits, site):
    """The head will sit in a domain of pool 0; the other has room for a long one, but not in a quota of 4 there."""
    pools = site((2, 4), (1, 3), draws=(1, 1), limits=limits, rules=[alone(4, 4)])
    pools.runs(3, 10, pool=0, domain=0)
    pools.runs(3, 10, pool=0, domain=1)
    pools.waits(4, 5, quota=0)
    pools.waits(1, 500, quota=0)
    pools.waits(1, 500)
    assert {row: pool for row, (pool, _) in pools.places(easy).items()} == {1: 1, 2: 0}


def test_while_a_head_waits_for_racks_everybody_may_have_its_quota(site):
    cpu = site((1, 8), rules=[alone(8)])
    cpu.free[0].take(((0, 4),))  # not delivered yet
    cpu.waits(8, 5, quota=0)
    cpu.waits(2, 3, quota=0)
    decisions = cpu.decide(easy)
    assert decisions.memo.reservation.shadow_s == math.inf
    assert [start.job.row for start in decisions.starts] == [1]


@pytest.mark.parametrize("limits", [(), (Limit("PDU", 100, (1, 1)),)])
def test_the_shadow_time_is_when_chips_and_quota_are_there(limits, site):
    """Pool 0 has the chips at 5 and never the quota; pool 1 has the chips at 10 and the quota at 20."""
    pools = site((1, 8), (1, 8), draws=(1, 1), limits=limits, rules=[alone(0, 8), alone(0, 8)])
    pools.runs(8, 5, pool=0)
    pools.runs(1, 20, pool=1, quota=0)
    pools.runs(6, 10, pool=1)
    pools.waits(8, 5, quota=0)
    pools.waits(1, 500, pools=(1,))
    decisions = pools.decide(easy)
    assert decisions.starts == []
    assert (decisions.memo.reservation.pool, decisions.memo.reservation.shadow_s) == (1, 20)


def test_under_conservative_a_reservation_is_where_quota_is_there_too(site):
    """Chips are free for both at once, but of their quota of 6 there is 1 left until 20."""
    cpu = site((1, 16), rules=[alone(6)])
    cpu.runs(5, 20, quota=0)
    cpu.runs(3, 10)
    cpu.waits(4, 5, quota=0)
    cpu.waits(3, 5, quota=0)
    cpu.waits(4, 100)
    decisions = cpu.decide(conservative)
    assert [start.job.row for start in decisions.starts] == [2]
    promises = decisions.plan.promises
    assert [promises[row].start_s for row in (0, 1)] == [20, 25]
    assert {shape.chips: reason for shape, reason in decisions.blocked.items()} == {4: QUOTA, 3: QUOTA}
    cpu.apply(decisions)
    cpu.ends(1_001)  # so that the plan is made anew with what has been promised
    cpu.waits(1, 21, quota=0)
    cpu.waits(2, 5, quota=0)
    decisions = cpu.decide(conservative)
    assert [start.job.row for start in decisions.starts] == [3]
    assert decisions.plan.promises[4].start_s == 21


def test_under_conservative_lending_counts_over_time(site):
    """b lends 2 of its 4, which a holds until 20. Then a takes one again, and b one more than its own 2, for 5 each."""
    rules = [Quota("a", 0, (4,), (NO_LIMIT,), (0,)), Quota("b", 0, (4,), (NO_LIMIT,), (2,))]
    cpu = site((1, 12), rules=rules)
    cpu.runs(4, 30, quota=0)
    cpu.runs(2, 20, quota=0)
    cpu.waits(1, 5, quota=0)
    cpu.waits(3, 5, quota=1)
    cpu.waits(2, 20, quota=1)
    cpu.waits(2, 21, quota=1)
    decisions = cpu.decide(conservative)
    assert [start.job.row for start in decisions.starts] == [2]
    assert [decisions.plan.promises[row].start_s for row in (0, 1, 3)] == [20, 20, 25]


ORDERS = st.sampled_from([fifo, sjf, Ageing(wfp3), Ageing(unicef), fair_share(20.0), DRF])
CHIPS = st.integers(0, 8)
LIMITS = st.none() | CHIPS


@st.composite
def rules(draw, pools):
    """Two tenants of a cohort and one alone."""
    found = []
    for cohort in (0, 0, 1):
        nominal = tuple(draw(CHIPS) for _ in range(pools))
        borrow, lend = ([draw(LIMITS) if cohort == 0 else 0 for _ in nominal] for _ in range(2))
        most = tuple(NO_LIMIT if more is None else chips + more for chips, more in zip(nominal, borrow, strict=True))
        own = tuple(0 if n is None or cohort else max(0, chips - n) for chips, n in zip(nominal, lend, strict=True))
        found.append(Quota(f"t{len(found)}", cohort, nominal, most, own))
    return found


@st.composite
def states(draw):
    """Pools, the second maybe under a PDU, with quotas, running gangs and batches of jobs."""
    pools = draw(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), min_size=1, max_size=2))
    gang = st.tuples(st.integers(0, len(pools) - 1), st.integers(1, 4), st.integers(1, 12), st.integers(-1, 2))
    jobs = st.lists(st.tuples(st.integers(1, 8), st.integers(1, 12), st.integers(-1, 2)), max_size=6)
    batches = st.lists(st.tuples(st.integers(0, 4), jobs), min_size=1, max_size=4)
    limits = (Limit("PDU", draw(st.integers(1, 8)), (1, 1)[: len(pools)]),) if draw(st.booleans()) else ()
    facts = {"draws": (1,) * len(pools), "limits": limits, "rules": draw(rules(len(pools)))}
    return pools, facts, draw(st.lists(gang, max_size=5)), draw(batches)


def made(site, pools, facts, gangs, order):
    state = site(*pools, order=order, **facts)
    for pool, chips, until_s, quota in gangs:
        if quota < 0 or chips <= state.quotas.room(quota, pool):
            state.runs(chips, until_s, pool=pool, quota=quota)
    return state


def arrive(state, jobs):
    for chips, estimate_s, quota in jobs:
        if chips <= max(state.sizes):
            state.waits(chips, estimate_s, submit_s=state.now_s, tenant=quota + 1, quota=quota)


def exceeded(state):
    """Whether the gangs that run hold more than some quota or cohort has, recounted from them."""
    by_row = state.quotas.holders
    for pool, running in enumerate(state.running):
        shared = {}
        for number, rule in enumerate(state.quotas.rules):
            used = sum(run.chips for run in running if by_row.get(run.row) == number)
            if used > rule.most[pool]:
                return True
            beyond = max(0, used - rule.own[pool]) - (rule.nominal[pool] - rule.own[pool])
            shared[rule.cohort] = shared.get(rule.cohort, 0) + beyond
        if max(shared.values()) > 0:
            return True
    return False


@pytest.mark.parametrize("backfill", ALL)
@settings(derandomize=True, deadline=None, max_examples=300)
@given(order=ORDERS, state=states())
def test_no_pass_exceeds_a_limit_and_who_could_start_is_not_said_to_wait_for_quota(backfill, order, state, site):
    pools, facts, gangs, batches = state
    cluster = made(site, pools, facts, gangs, order)
    policy = Policy(order, backfill, PACK, RESERVE, {}, {})
    for wait_s, jobs in batches:
        cluster.goes_on(cluster.now_s + wait_s)
        arrive(cluster, jobs)
        before = cluster.snapshot()
        decisions = decide(cluster.view(), policy)
        assert cluster.snapshot() == before
        cluster.apply(decisions)
        assert not exceeded(cluster)
        for shape, reason in decisions.blocked.items():
            allowed = any(cluster.quotas.allows(shape, pool) for pool in shape.pools)
            fits = find(cluster.free, cluster.headroom, PACK, shape) is not None
            assert (reason == QUOTA) == (fits and not allowed)
        kept = None if decisions.memo is None else decisions.memo.reservation
        if kept is not None and kept.shadow_s < math.inf:
            later = cluster.quotas.copy()
            for run in cluster.running[kept.pool]:
                if max(run.planned_end_s, cluster.now_s) <= kept.shadow_s:
                    later.end(run.row, kept.pool, run.chips)
            assert later.allows(kept.head.shape, kept.pool)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(backfill=st.sampled_from(ALL), order=ORDERS, quotas=rules(1), gangs=states())
def test_an_incremental_pass_under_quotas_starts_what_a_full_pass_starts(backfill, order, quotas, gangs, site):
    _, _, running, batches = gangs
    cpu = made(site, [(1, 8)], {"rules": quotas}, [(0, *gang[1:]) for gang in running], order)
    for wait_s, jobs in batches:
        cpu.now_s += wait_s
        arrive(cpu, jobs)
        decisions = cpu.decide(backfill)
        memo, cpu.memo = cpu.memo, None
        full = cpu.decide(backfill)
        assert [(start.job.row, start.pool) for start in decisions.starts] == [
            (start.job.row, start.pool) for start in full.starts
        ]
        cpu.memo = memo
        cpu.apply(decisions)
