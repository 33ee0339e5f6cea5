"""Random runs of gangs that require or prefer units: none ever spans two that it may not, and promises are kept."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.backfill import greedy
from policies.conservative import conservative
from policies.easy import easy
from policies.registry import PLACEMENTS
from policies.trial import place, seat_under
from topologies.boxes import Box
from topologies.free import FreeChips
from topologies.headroom import Headroom
from topologies.levels import Within
from topologies.limits import Limit
from topologies.plant import Shape
from topologies.tori import Torus

DRAW_NW = 2
LEVELS = ("node", "domain", "leaf")
WITHIN = [
    None,
    *[Within(required) for required in LEVELS],
    *[Within(None, preferred) for preferred in LEVELS],
    *[Within(required, preferred) for required, preferred in product(LEVELS, LEVELS[:2]) if required != preferred],
]
# (chips of a domain, of a node, torus): nodes in domains, domains that are nodes, nodes of two domains, boxes
FORMS = [(6, 2, None), (4, 4, None), (3, 6, None), (16, 8, Torus((4, 4), (48e9, 48e9)))]


@st.composite
def runs(draw):
    """A pool in groups or not, levels of power that bind or not, and batches of jobs (chips, estimate, units)."""
    size, node, torus = draw(st.sampled_from(FORMS))
    domains = draw(st.integers(1, 5))
    groups = draw(st.sampled_from([(), (0b00011, 0b11100)]))
    racks = [0b11 << at & (1 << domains) - 1 for at in range(0, domains, 2)]
    spare = st.integers(0, 2 * size).map(lambda busy: busy * DRAW_NW)
    limits = [Limit("rack", draw(spare), (mask,)) for mask in racks if draw(st.integers(0, 3)) == 0]
    small, large = st.integers(1, size), st.integers(1, domains * size)
    job = st.tuples(st.one_of(small, small, large), st.integers(1, 12), st.sampled_from(WITHIN))
    batches = draw(st.lists(st.lists(job, max_size=5), min_size=1, max_size=6))
    facts = {"groups": groups, "torus": torus, "node_chips": node}
    return (domains, size), tuple(limits), facts, batches, draw(st.integers(1, 5))


def units_of(placement, level, size, facts):
    """The units of a level that a placement has chips in, counted chip by chip where domains have several nodes."""
    node = facts["node_chips"]
    if level == "domain":
        return {domain for domain, _ in placement}
    if level == "leaf":
        return {
            next((at for at, group in enumerate(facts["groups"]) if group >> domain & 1), 0) for domain, _ in placement
        }
    found = set()
    for domain, chips in placement:
        mask = chips.mask if isinstance(chips, Box) else (1 << chips) - 1
        found |= {(domain * size + chip) // node for chip in range(size) if mask >> chip & 1}
    return found


def replay(run, name, backfill, site, after):
    """Run to the end with gangs that take as long as they say; after(state, decisions) looks at each pass."""
    pool, limits, facts, batches, every_s = run
    placer = PLACEMENTS[name]
    state = site(pool, draws=(DRAW_NW,), limits=limits, placer=placer, **facts)
    empty = FreeChips(*pool, **facts), Headroom(None, limits)
    arrivals = {at * every_s: batch for at, batch in enumerate(batches)}
    while arrivals or state.queue.jobs:
        for chips, estimate_s, within in arrivals.pop(state.now_s, ()):
            shape = Shape((0,), chips, (1.0,), (DRAW_NW,), within=within)
            if seat_under(*empty, placer, shape, 0) is not None:
                state.waits(chips, estimate_s, submit_s=state.now_s, within=within)
        decisions = state.decide(backfill)
        state.apply(decisions)
        for start in decisions.starts:
            assert sum(taken for _, taken in start.placement) == start.job.shape.chips
            within = start.job.shape.within
            if within is not None and within.required is not None:
                assert len(units_of(start.placement, within.required, pool[1], facts)) == 1
        assert min(state.headroom.spare_nw, default=0) >= 0
        after(state, decisions)
        ahead = [*arrivals, *[running[0].planned_end_s for running in state.running if running]]
        assert ahead or not state.queue.jobs, "somebody waits for nothing"
        if ahead:
            state.goes_on(min(ahead))


@pytest.mark.parametrize("name", PLACEMENTS)
@settings(derandomize=True, deadline=None, max_examples=150)
@given(run=runs())
def test_under_easy_no_head_starts_after_the_first_time_it_was_promised(name, run, site):
    promised_s = {}

    def after(state, decisions):
        for start in decisions.starts:
            assert state.now_s <= promised_s.get(start.job.row, state.now_s)
        if decisions.memo is not None and decisions.memo.reservation is not None:
            promised_s.setdefault(decisions.memo.head.row, decisions.memo.reservation.shadow_s)

    replay(run, name, easy, site, after)


@pytest.mark.parametrize("name", PLACEMENTS)
@settings(derandomize=True, deadline=None, max_examples=80)
@given(run=runs())
def test_under_conservative_nobody_starts_at_another_time_than_the_first_promised(name, run, site):
    promised_s = {}

    def after(state, decisions):
        for start in decisions.starts:
            assert promised_s.get(start.job.row, state.now_s) == state.now_s
        for row, promise in decisions.plan.promises.items() if decisions.plan is not None else ():
            promised_s.setdefault(row, promise.start_s)

    replay(run, name, conservative, site, after)


@pytest.mark.parametrize("name", PLACEMENTS)
@settings(derandomize=True, deadline=None, max_examples=150)
@given(run=runs())
def test_under_greedy_who_only_prefers_never_waits_with_a_place_and_who_requires_never_with_one_in_a_unit(
    name, run, site
):
    pool, _, facts, _, _ = run

    def after(state, _decisions):
        for shape in state.queue.lanes:
            required = None if shape.within is None else shape.within.required
            if shape.within is not None and shape.within.spread is not None and required is None:
                # spread over domains, it only waits for chips, or for power where that can be short
                assert name == "contiguous" or shape.chips > state.free[0].free or state.headroom.bound_below
            anywhere = place(state.free[0], state.headroom, state.placer, 0, shape.chips, DRAW_NW, 0)
            if required is None:
                assert anywhere is None
            elif anywhere is not None:
                assert len(units_of(anywhere, required, pool[1], facts)) > 1

    replay(run, name, greedy, site, after)


def alone(free, level, unit, size, facts):
    """The free chips of one unit, with all others taken."""
    left = free.copy()
    for domain in range(free.domains):
        if free.boxes is None:
            chips = free.in_domain(domain)
            if chips and units_of(((domain, 1),), level, size, facts) != {unit}:
                left.take(((domain, chips),))
            continue
        bits = [1 << at for at in range(size) if free.boxes.chips[domain] >> at & 1]
        out = [bit for bit in bits if units_of(((domain, Box(1, bit)),), level, size, facts) != {unit}]
        left.take(((domain, Box(len(out), sum(out))),) if out else ())
    return left


@pytest.mark.parametrize("name", PLACEMENTS)
@settings(derandomize=True, deadline=None, max_examples=150)
@given(run=runs())
def test_a_gang_misses_its_preferred_unit_only_where_no_unit_alone_would_hold_it(name, run, site):
    (domains, size), _, facts, _, _ = run
    every_chip = tuple((at, size) for at in range(domains))

    def after(state, decisions):
        if len(decisions.starts) != 1:  # only then it is known what was free before
            return
        ((job, _, placement),) = decisions.starts
        within = job.shape.within
        if within is None or within.preferred is None:
            return
        if len(units_of(placement, within.preferred, size, facts)) > 1:
            free, headroom = state.free[0].copy(), state.headroom.copy()
            free.give(placement)
            headroom.give(0, placement, DRAW_NW)
            for unit in units_of(every_chip, within.preferred, size, facts):
                only = alone(free, within.preferred, unit, size, facts)
                seat = place(only, headroom, state.placer, 0, job.shape.chips, DRAW_NW, 0)
                if seat is not None:  # it is no place for a gang that may not reach so far
                    assert within.required is not None
                    assert len(units_of(seat, within.required, size, facts)) > 1

    replay(run, name, greedy, site, after)
