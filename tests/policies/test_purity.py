"""A policy changes nothing that it is shown, whatever it decides."""

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

POOLS = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=2)
GANGS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(1, 4), st.integers(-2, 9)), max_size=6)
JOBS = st.lists(st.tuples(st.integers(1, 10), st.integers(1, 9)), max_size=6)
RULES = st.builds(
    lambda order, backfill: Policy(order, backfill, PACK, RESERVE, {}, {}),
    st.sampled_from([fifo, sjf, Ageing(wfp3), Ageing(unicef), fair_share(9.0), DRF]),
    st.sampled_from([none, greedy, easy, conservative]),
)


def made(site, pools, gangs, order):
    state = site(*pools, order=order)
    for pool, domain, chips, until_s in gangs:
        if pool < len(pools) and domain < pools[pool][0]:
            state.runs(chips, until_s, pool=pool, domain=domain)
    return state


def arrive(state, jobs):
    for chips, estimate_s in jobs:
        if chips <= max(state.sizes):
            state.waits(chips, estimate_s, submit_s=state.now_s, tenant=chips % 3)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(rules=RULES, pools=POOLS, gangs=GANGS, first=JOBS, second=JOBS)
def test_deciding_leaves_the_view_as_it_was(rules, pools, gangs, first, second, site):
    state = made(site, pools, gangs, rules.order)
    for jobs in (first, second):
        arrive(state, jobs)
        before = state.snapshot()
        decisions = decide(state.view(), rules)
        assert state.snapshot() == before
        state.apply(decisions)
        state.now_s += 1


@settings(derandomize=True, deadline=None, max_examples=200)
@given(rules=RULES, pools=POOLS, gangs=GANGS, jobs=JOBS)
def test_deciding_twice_decides_the_same(rules, pools, gangs, jobs, site):
    state = made(site, pools, gangs, rules.order)
    arrive(state, jobs)
    once, again = decide(state.view(), rules), decide(state.view(), rules)
    assert once.starts == again.starts
    assert once.blocked == again.blocked


@settings(derandomize=True, deadline=None, max_examples=200)
@given(rules=RULES, pools=POOLS, gangs=GANGS, chips=st.integers(1, 16))
def test_a_job_alone_in_the_queue_is_decided_as_by_its_backfill(rules, pools, gangs, chips, site):
    state = made(site, pools, gangs, rules.order)
    arrive(state, [(chips, 5)])
    short, full = decide(state.view(), rules), state.decide(rules.backfill)
    assert short.starts == full.starts
    assert short.blocked == full.blocked
