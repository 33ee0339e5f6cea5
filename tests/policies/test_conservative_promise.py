"""Conservative's promise on domains, under caps and in tori: nobody starts after the first time it was given."""

import math
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.conservative import conservative
from policies.plan import Plan
from policies.quotas import NO_LIMIT, Quota, Quotas
from policies.registry import PLACEMENTS
from policies.trial import find
from topologies.limits import Limit
from topologies.tori import Torus

RING = Torus((4,), (1e9,))


@st.composite
def plants(draw):
    """What Site takes: pools of domains, draws by pool, a feed and PDUs over neighbours, all of them maybe."""
    torus = draw(st.sampled_from([None, None, RING]))
    size = st.just(4) if torus else st.integers(1, 4)
    pools = draw(st.lists(st.tuples(st.integers(1, 4), size), min_size=1, max_size=2))
    feed, limits = None, []
    if draw(st.booleans()):
        feed = draw(st.integers(8, 40))
        for pool, (domains, _) in enumerate(pools):
            for first in range(0, domains, 2):
                if draw(st.booleans()):
                    mask = (0b11 << first) & ((1 << domains) - 1)
                    limits.append(Limit("PDU", draw(st.integers(4, 20)), tuple(mask * (at == pool) for at in (0, 1))))
    limits = [Limit(limit.name, limit.spare_nw, limit.domains[: len(pools)]) for limit in limits]
    draws = tuple(draw(st.integers(1, 3)) for _ in pools)
    facts = {"torus": torus} if torus else {}
    return {"pools": pools, "draws": draws, "feed": feed, "limits": tuple(limits), **facts}


@st.composite
def with_quotas(draw):
    """The same, and two tenants of a cohort that lends parts of its quotas."""
    plant, rules = draw(plants()), []
    for name in "ab":
        nominal = tuple(draw(st.integers(0, 8)) for _ in plant["pools"])
        own = tuple(draw(st.integers(0, chips)) for chips in nominal)
        rules.append(Quota(name, 0, nominal, (NO_LIMIT,) * len(nominal), own))
    return {**plant, "rules": rules}


def made(site, plant, placement):
    facts = {key: value for key, value in plant.items() if key != "pools"}
    return site(*plant["pools"], placer=PLACEMENTS[placement], **facts)


JOB = st.tuples(st.integers(0, 15), st.integers(1, 12), st.integers(1, 9), st.integers(0, 8))
JOBS = st.lists(JOB, min_size=2, max_size=16)


def could_be_sooner(plan, promise, now_s):
    alone = plan.copy(now_s)
    alone.remove(promise)
    return alone.earliest(promise.job, promise.start_s) is not None


def replay(cluster, jobs, early=True, backfill=conservative):
    """Run (submit, chips, estimate, less) to the end, with passes at arrivals and ends only: promised and started.

    Where there are quotas, jobs of one and two chips have none and the others take turns. Promised: the first time that
    is one; who is over its quota has none.
    """
    empty = [index.copy() for index in cluster.free], cluster.headroom.copy()
    promised, starts, ends, ahead = {}, {}, {}, sorted(jobs)
    less = {}
    while ahead or cluster.queue.jobs or ends:
        cluster.now_s = min([*ends.values(), *[job[0] for job in ahead[:1]]])
        for row in [row for row, end_s in ends.items() if end_s == cluster.now_s]:
            del ends[row]
            cluster.ends(row)
        while ahead and ahead[0][0] == cluster.now_s:
            submit_s, chips, estimate_s, less_s = ahead.pop(0)
            if chips <= max(cluster.sizes):
                quota = -1 if cluster.quotas is None or chips < 3 else chips % 2
                row = cluster.waits(chips, estimate_s, submit_s=submit_s, quota=quota)
                less[row] = min(less_s, estimate_s - 1) if early else 0
                job = cluster.arrived[-1]
                unused = cluster.quotas and Quotas(cluster.quotas.rules)
                if find(*empty, cluster.placer, job.shape, quotas=unused) is None:
                    cluster.queue.remove(cluster.arrived.pop())
        decisions = cluster.decide(backfill)
        for job, pool, _ in decisions.starts:
            starts[job.row] = cluster.now_s
            promised.setdefault(job.row, cluster.now_s)
            ends[job.row] = cluster.now_s + job.estimate_s(pool) - less[job.row]
        cluster.apply(decisions)
        if decisions.plan is not None:
            for row, promise in decisions.plan.promises.items():
                if promise.start_s < math.inf:
                    promised.setdefault(row, promise.start_s)
                assert not could_be_sooner(decisions.plan, promise, cluster.now_s)
        assert ends or ahead or not cluster.queue.jobs, "they wait for nothing"
    return promised, starts


@pytest.mark.parametrize("placement", PLACEMENTS)
@settings(derandomize=True, deadline=None, max_examples=300)
@given(plant=plants(), jobs=JOBS)
def test_nobody_starts_after_the_first_time_it_was_given(placement, plant, jobs, site):
    promised, starts = replay(made(site, plant, placement), jobs)
    assert starts.keys() == promised.keys()
    assert all(starts[row] <= promised[row] for row in starts)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(plant=with_quotas(), jobs=JOBS)
def test_under_quotas_nobody_starts_after_the_first_time_it_was_given(plant, jobs, site):
    promised, starts = replay(made(site, plant, "pack"), jobs)
    assert starts.keys() == promised.keys()
    assert all(starts[row] <= promised[row] for row in starts)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(plant=plants(), jobs=JOBS)
def test_who_keeps_to_its_estimate_starts_at_the_very_time_it_was_given(plant, jobs, site):
    promised, starts = replay(made(site, plant, "pack"), jobs, early=False)
    assert starts == promised


@settings(derandomize=True, deadline=None, max_examples=400)
@given(plant=with_quotas() | plants(), jobs=JOBS, depth=st.integers(1, 4))
def test_who_is_promised_a_time_keeps_it_though_others_are_promised_none(plant, jobs, depth, site):
    promised, starts = replay(made(site, plant, "pack"), jobs, backfill=partial(conservative, depth=depth))
    assert starts.keys() == promised.keys()
    assert all(starts[row] <= promised[row] for row in starts)


LATE = st.tuples(st.integers(0, 15), st.integers(1, 12), st.integers(1, 9), st.integers(-4, 8))


@pytest.mark.parametrize("placement", ["pack", "spread", "topology"])
@settings(derandomize=True, deadline=None, max_examples=300)
@given(plant=plants(), jobs=st.lists(LATE, min_size=2, max_size=16), depth=st.sampled_from([math.inf, math.inf, 2]))
def test_a_plan_that_looks_only_at_what_it_has_gained_promises_what_one_made_anew_does(
    placement, plant, jobs, depth, site
):
    """Whether gangs end before their estimates, at them or after them."""
    backfill = partial(conservative, depth=depth)
    looked = replay(made(site, plant, placement), jobs, backfill=backfill)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Plan, "since", lambda *_: None)
        assert replay(made(site, plant, placement), jobs, backfill=backfill) == looked
