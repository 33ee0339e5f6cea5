"""Placement and EASY's promise, whatever the parts of a gang: where levels bind, where chips are boxes, to the end."""

from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.easy import easy
from policies.placement import SPREAD
from policies.registry import PLACEMENTS
from policies.topology import TOPOLOGY
from policies.trial import place
from topologies.free import FreeChips
from topologies.headroom import Headroom
from topologies.limits import Limit
from topologies.tori import Torus

SIZE, DRAW_NW = 4, 2
TORI = [Torus((4, 4), (48e9, 48e9)), Torus((3, 3), (1.0, 2.0)), Torus((12,), (96e9,))]


@st.composite
def limits(draw, domains, chips):
    """Racks of two domains above their rating, and PDUs over two racks."""
    racks = [0b11 << at & (1 << domains) - 1 for at in range(0, domains, 2)]
    pdus = [0b1111 << at & (1 << domains) - 1 for at in range(0, domains, 4)]
    spare = st.integers(0, 2 * chips).map(lambda busy: busy * DRAW_NW)
    return tuple(Limit("rack", draw(spare), (mask,)) for mask in [*racks, *pdus] if draw(st.booleans()))


@st.composite
def pools(draw):
    """Free chips by domain, half of them all of a domain; levels that bind; leaf groups that lie across the levels."""
    free_by_domain = draw(st.lists(st.one_of(st.just(SIZE), st.integers(0, SIZE)), min_size=1, max_size=5))
    of = [draw(st.integers(0, 2)) for _ in free_by_domain]
    groups = [sum(1 << at for at, group in enumerate(of) if group == number) for number in range(3)]
    return free_by_domain, draw(limits(len(free_by_domain), SIZE)), tuple(group for group in groups if group)


def powered(bound, parts):
    return all(
        sum(taken for at, taken in parts if limit.domains[0] >> at & 1) * DRAW_NW <= limit.spare_nw for limit in bound
    )


def cut_evenly(free_by_domain, chips):
    """All placements of equal parts, of one size or another, and of whole domains and a remainder."""
    domains = range(len(free_by_domain))
    for part in range(1, min(chips, SIZE) + 1):
        parts, rest = divmod(chips, part)
        if rest and part < SIZE:
            continue
        for chosen in combinations([at for at in domains if free_by_domain[at] >= part], parts):
            for last in [at for at in domains if at not in chosen and free_by_domain[at] >= rest] if rest else [None]:
                yield [*[(at, part) for at in chosen], *([(last, rest)] if rest else [])]


def cut_anyhow(free_by_domain, chips):
    for taken in product(*[range(have + 1) for have in free_by_domain]):
        if sum(taken) == chips:
            yield list(enumerate(taken))


@pytest.mark.parametrize(("placer", "ways"), [(SPREAD, cut_anyhow), (TOPOLOGY, cut_evenly)])
@settings(derandomize=True, deadline=None, max_examples=250)
@given(state=pools())
def test_a_gang_is_placed_wherever_chips_and_power_allow_it(placer, ways, state):
    free_by_domain, bound, groups = state
    free, headroom = FreeChips(len(free_by_domain), SIZE, groups=groups), Headroom(None, bound)
    free.take(tuple((at, SIZE - have) for at, have in enumerate(free_by_domain) if have < SIZE))
    for chips in range(1, sum(free_by_domain) + 1):
        found = place(free, headroom, placer, 0, chips, DRAW_NW, 0)
        exists = [way for way in ways(free_by_domain, chips) if powered(bound, way)]
        assert (found is not None) is bool(exists)
        if found is not None:
            assert sum(taken for _, taken in found) == chips
            assert powered(bound, found)
            assert free.holds(found)
            if placer is SPREAD:
                assert max(taken for _, taken in found) == min(max(taken for _, taken in way) for way in exists)
            else:
                assert len(found) == min(map(len, exists))


@st.composite
def runs(draw):
    """A pool behind switches or of tori, in groups or not, with or without levels that bind, and batches of jobs."""
    torus = draw(st.sampled_from([None, None, *TORI]))
    size = SIZE if torus is None else torus.chips
    domains = draw(st.integers(1, 5))
    groups = draw(st.sampled_from([(), (0b00011, 0b11100)]))
    bound = draw(st.one_of(st.just(()), limits(domains, size)))
    job = st.tuples(st.integers(1, domains * size), st.integers(1, 12))
    small = st.tuples(st.integers(1, size), st.integers(1, 12))
    batches = draw(st.lists(st.lists(st.one_of(job, small, small), max_size=5), min_size=1, max_size=6))
    return torus, domains, size, groups, bound, batches, draw(st.integers(1, 5))


@pytest.mark.parametrize("name", PLACEMENTS)
@settings(derandomize=True, deadline=None, max_examples=250)
@given(run=runs())
def test_no_head_starts_after_the_first_time_it_was_promised(name, run, site):
    """The gangs run as long as their estimates say."""
    torus, domains, size, groups, bound, batches, every_s = run
    placer = PLACEMENTS[name]
    facts = {"groups": groups, "torus": torus}
    state = site((domains, size), draws=(DRAW_NW,), limits=bound, placer=placer, **facts)
    fresh = FreeChips(domains, size, **facts), Headroom(None, bound)
    arrivals = {at * every_s: batch for at, batch in enumerate(batches)}
    promised_s = {}
    while arrivals or state.queue.jobs:
        for chips, estimate_s in arrivals.pop(state.now_s, ()):
            if place(*fresh, placer, 0, chips, DRAW_NW, 0) is not None:
                state.waits(chips, estimate_s, submit_s=state.now_s)
        decisions = state.decide(easy)
        state.apply(decisions)
        for start in decisions.starts:
            assert sum(taken for _, taken in start.placement) == start.job.shape.chips
            assert state.now_s <= promised_s.get(start.job.row, state.now_s)
        assert min(state.headroom.spare_nw, default=0) >= 0
        if decisions.memo is not None and decisions.memo.reservation is not None:
            promised_s.setdefault(decisions.memo.head.row, decisions.memo.reservation.shadow_s)
        ahead = [*arrivals, *[running[0].planned_end_s for running in state.running if running]]
        assert ahead or not state.queue.jobs, "the head waits for nothing"
        if ahead:
            state.goes_on(min(ahead))
