"""EASY's promise on domains: whoever passes, the head can still be placed at its shadow time."""

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.easy import easy

NOW_S = 10


@st.composite
def states(draw):
    """Pools of domains, gangs that run in pieces of them, and two batches of jobs, all on few distinct times."""
    pools = draw(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 4)), min_size=1, max_size=2))
    where = [(pool, domain) for pool, (domains, _) in enumerate(pools) for domain in range(domains)]
    gang = st.tuples(st.sampled_from(where), st.integers(1, 4), st.integers(8, 20))
    job = st.tuples(st.integers(1, max(domains * size for domains, size in pools)), st.integers(1, 12))
    batches = st.tuples(st.lists(job, min_size=2, max_size=8), st.lists(job, max_size=4))
    return pools, draw(st.lists(gang, max_size=8)), draw(batches)


def made(site, pools, gangs):
    state = site(*pools, now_s=NOW_S)
    for (pool, domain), chips, until_s in gangs:
        state.runs(chips, until_s, pool=pool, domain=domain)
    return state


def fits(free_by_domain, size, chips):
    """Whether a gang has a place: one domain, or whole ones and one more for the remainder."""
    whole, rest = divmod(chips, size)
    empty = sum(free == size for free in free_by_domain)
    return empty >= whole and (rest == 0 or sum(free >= rest for free in free_by_domain) > whole)


def free_at(state, pool, time_s):
    """Free chips by domain when every running job ends at its estimate, the overdue ones now."""
    free = [state.free[pool].in_domain(domain) for domain in range(len(state.snapshot()[0][pool]))]
    for run in state.running[pool]:
        if max(run.planned_end_s, state.now_s) <= time_s:
            for domain, chips in run.placement:
                free[domain] += chips
    return free


def earliest(state, pools, head):
    """(time, pool) at which the head has a place for the first time; ties to the first pool."""
    times = {max(run.planned_end_s, state.now_s) for running in state.running for run in running} | {state.now_s}
    return min(
        (time_s, pool)
        for pool in head.shape.pools
        for time_s in times
        if fits(free_at(state, pool, time_s), pools[pool][1], head.shape.chips)
    )


def promise(decisions):
    kept = decisions.memo.reservation
    return kept.head, kept.pool, kept.shadow_s


@settings(derandomize=True, deadline=None, max_examples=400)
@given(state=states())
def test_the_shadow_time_is_the_first_at_which_the_head_has_a_place(state, site):
    pools, gangs, (jobs, _) = state
    racks = made(site, pools, gangs)
    for chips, estimate_s in jobs:
        racks.waits(chips, estimate_s)
    decisions = racks.decide(easy)
    memo = decisions.memo
    if memo is None or memo.reservation is None:
        return
    decisions.starts = [start for start in decisions.starts if start.job.row < memo.head.row]
    racks.apply(decisions)
    assert (memo.reservation.shadow_s, memo.reservation.pool) == earliest(racks, pools, memo.head)


@settings(derandomize=True, deadline=None, max_examples=400)
@given(state=states(), wait_s=st.integers(0, 5))
def test_the_head_has_a_place_at_its_shadow_time_whoever_passed_it(state, wait_s, site):
    pools, gangs, batches = state
    racks = made(site, pools, gangs)
    for batch in batches:
        for chips, estimate_s in batch:
            racks.waits(chips, estimate_s)
        decisions = racks.decide(easy)
        racks.apply(decisions)
        if decisions.memo is not None and decisions.memo.reservation is not None:
            head, pool, shadow_s = promise(decisions)
            assert fits(free_at(racks, pool, shadow_s), pools[pool][1], head.shape.chips)
        racks.now_s += wait_s
