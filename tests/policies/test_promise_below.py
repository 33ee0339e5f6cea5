"""EASY's promise where PDUs and racks bind: against a search through all placements, and to the end of a run."""

from itertools import combinations

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from policies.easy import easy
from policies.placement import PACK
from policies.trial import place
from topologies.free import FreeChips
from topologies.headroom import Headroom
from topologies.limits import Limit

NOW_S = 10
FEED_NW = 50


@st.composite
def plants(draw):
    """Pools of racks as (domains, chips a domain), draws by pool, racks above their rating, and PDUs over the racks."""
    racks = draw(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 2), st.integers(1, 4)), min_size=1, max_size=2))
    pools = [(count * domains, size) for count, domains, size in racks]
    draws = tuple(draw(st.integers(1, 3)) for _ in racks)
    masks = [
        tuple((1 << domains) - 1 << rack * domains if at == pool else 0 for at in range(len(racks)))
        for pool, (count, domains, _) in enumerate(racks)
        for rack in range(count)
    ]
    spare = st.integers(2, 24)
    limits = [Limit("rack", draw(spare), mask) for mask in masks if draw(st.booleans())]
    while masks:
        fed = [masks.pop(0) for _ in range(min(len(masks), draw(st.integers(1, 4))))]
        if draw(st.booleans()):
            limits.append(Limit("PDU", draw(spare), tuple(map(sum, zip(*fed, strict=True)))))
    return pools, draws, tuple(limits)


@st.composite
def states(draw, batches=2):
    """A plant, gangs that run in pieces of it, and batches of jobs, all on few distinct times."""
    plant = draw(plants())
    pools = plant[0]
    where = [(pool, domain) for pool, (domains, _) in enumerate(pools) for domain in range(domains)]
    gangs = st.lists(st.tuples(st.sampled_from(where), st.integers(1, 4), st.integers(8, 20)), max_size=8)
    jobs = st.lists(
        st.tuples(st.integers(1, max(domains * size for domains, size in pools)), st.integers(1, 12)),
        min_size=2,
        max_size=6,
    )
    return plant, draw(gangs), [draw(jobs) for _ in range(batches)]


def made(site, plant, gangs):
    pools, draws, limits = plant
    state = site(*pools, now_s=NOW_S, draws=draws, feed=FEED_NW, limits=limits)
    for (pool, domain), chips, until_s in gangs:
        state.runs(chips, until_s, pool=pool, domain=domain)
    return state


def could_ever_start(plant, chips):
    pools, draws, limits = plant
    return any(
        searched(limits, [limit.spare_nw for limit in limits], pool, [size] * domains, size, chips, draws[pool])
        and chips * draws[pool] <= FEED_NW
        for pool, (domains, size) in enumerate(pools)
    )


def arrive(state, plant, jobs):
    for chips, estimate_s in jobs:
        if could_ever_start(plant, chips):
            state.waits(chips, estimate_s, submit_s=state.now_s)


def searched(limits, spare_nw, pool, free, size, chips, draw_nw):
    """Whether any choice of whole domains and one more for the remainder has the chips, and power at every level."""
    whole, rest = divmod(chips, size)
    domains = range(len(free))
    for full in combinations([domain for domain in domains if free[domain] == size], whole):
        for last in [at for at in domains if at not in full and free[at] >= rest] if rest else [None]:
            parts = [(domain, size) for domain in full] + ([(last, rest)] if rest else [])
            if all(
                sum(count for domain, count in parts if limit.domains[pool] >> domain & 1) * draw_nw <= left
                for limit, left in zip(limits, spare_nw, strict=True)
                if limit.domains[pool]
            ):
                return True
    return False


def seated(state, plant, head, pool, time_s):
    """Whether the head has a place in a pool when every running gang has ended as planned, the overdue ones now."""
    pools, draws, limits = plant
    domains, size = pools[pool]
    free = [state.free[pool].in_domain(domain) for domain in range(domains)]
    feed_nw, spare_nw = state.headroom.feed_nw, state.headroom.spare_nw
    for run in [run for running in state.running for run in running]:
        if max(run.planned_end_s, state.now_s) <= time_s:
            feed_nw += run.gang_nw
            for domain, chips in run.placement:
                if run.pool == pool:
                    free[domain] += chips
                for at, limit in enumerate(limits):
                    if limit.domains[run.pool] >> domain & 1:
                        spare_nw[at] += chips * draws[run.pool]
    if head.shape.gang_nw(pool) > feed_nw:
        return False
    return searched(limits, spare_nw, pool, free, size, head.shape.chips, draws[pool])


@settings(derandomize=True, deadline=None, max_examples=500)
@given(plant=plants(), takes=st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5), st.integers(1, 4)), max_size=8))
def test_a_gang_is_placed_wherever_chips_and_power_allow_it(plant, takes):
    pools, draws, limits = plant
    headroom, free = Headroom(None, limits), [FreeChips(*pool) for pool in pools]
    for pool, domain, chips in takes:
        gang = ((domain, chips),)
        if pool < len(pools) and domain < pools[pool][0] and free[pool].in_domain(domain) >= chips:
            free[pool].take(gang)
            if not headroom.overdrawn(pool, gang, draws[pool]):
                headroom.take(pool, gang, draws[pool])
    for pool, (domains, size) in enumerate(pools):
        left = [free[pool].in_domain(domain) for domain in range(domains)]
        for chips in range(1, domains * size + 1):
            found = place(free[pool], headroom, PACK, pool, chips, draws[pool], 0)
            exists = searched(limits, headroom.spare_nw, pool, left, size, chips, draws[pool])
            assert (found is not None) is exists
            assert found is None or sum(count for _, count in found) == chips
            assert found is None or headroom.overdrawn(pool, found, draws[pool]) == 0


@settings(derandomize=True, deadline=None, max_examples=200)
@given(state=states())
def test_the_shadow_time_is_the_first_with_chips_and_power_at_every_level(state, site):
    plant, gangs, (jobs, _) = state
    racks = made(site, plant, gangs)
    arrive(racks, plant, jobs)
    decisions = racks.decide(easy)
    memo = decisions.memo
    assume(memo is not None and memo.reservation is not None)
    decisions.starts = [start for start in decisions.starts if start.job.row < memo.head.row]
    racks.apply(decisions)
    times = {max(run.planned_end_s, racks.now_s) for running in racks.running for run in running}
    assert (memo.reservation.shadow_s, memo.reservation.pool) == min(
        (time_s, pool)
        for pool in memo.head.shape.pools
        for time_s in times | {racks.now_s}
        if seated(racks, plant, memo.head, pool, time_s)
    )


@settings(derandomize=True, deadline=None, max_examples=500)
@given(state=states(batches=3), wait_s=st.integers(0, 5))
def test_the_head_has_chips_and_power_at_its_shadow_time_whoever_passed_it(state, wait_s, site):
    plant, gangs, batches = state
    racks = made(site, plant, gangs)
    for batch in batches:
        arrive(racks, plant, batch)
        decisions = racks.decide(easy)
        racks.apply(decisions)
        if decisions.memo is not None and decisions.memo.reservation is not None:
            kept = decisions.memo.reservation
            assert seated(racks, plant, kept.head, kept.pool, kept.shadow_s)
        racks.now_s += wait_s


@settings(derandomize=True, deadline=None, max_examples=500)
@given(state=states(batches=6), every_s=st.integers(1, 5))
def test_no_head_starts_after_the_first_time_it_was_promised(state, every_s, site):
    """The gangs run as long as their estimates say."""
    plant, gangs, batches = state
    racks = made(site, plant, gangs)
    racks.goes_on(NOW_S)
    arrivals = {NOW_S + at * every_s: batch for at, batch in enumerate(batches)}
    promised_s = {}
    while arrivals or racks.queue.jobs:
        if racks.now_s in arrivals:
            arrive(racks, plant, arrivals.pop(racks.now_s))
        decisions = racks.decide(easy)
        racks.apply(decisions)
        for start in decisions.starts:
            assert racks.now_s <= promised_s.get(start.job.row, racks.now_s)
        if decisions.memo is not None and decisions.memo.reservation is not None:
            promised_s.setdefault(decisions.memo.head.row, decisions.memo.reservation.shadow_s)
        ahead = [*arrivals, *[running[0].planned_end_s for running in racks.running if running]]
        assert ahead or not racks.queue.jobs, "the head waits for nothing"
        if ahead:
            racks.goes_on(min(ahead))
