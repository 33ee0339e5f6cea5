"""Policies under a power cap, on states made by hand: what waits for power, what avoids a full level, what passes."""

import math
from bisect import insort

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.backfill import greedy, none
from policies.easy import easy
from policies.order import fifo
from policies.placement import PACK, pack
from policies.queue import Queue, QueuedJob
from policies.view import FRAGMENTED, HELD, NO_POWER, NO_ROOM, Release, View
from topologies.free import FreeChips
from topologies.headroom import Headroom
from topologies.limits import Limit
from topologies.plant import Shape

ALL = [none, greedy, easy]


class Powered:
    """Pools as (domains, chips a domain, draw of a busy chip [nW]) under a feed and limits; no clock runs."""

    def __init__(self, *pools, feed=None, limits=()):
        self.draws = [draw for _, _, draw in pools]
        self.free = [FreeChips(domains, size) for domains, size, _ in pools]
        self.headroom = Headroom(feed, limits)
        self.running = [[] for _ in pools]
        self.queue, self.jobs = Queue(fifo), []

    def runs(self, chips, until_s, pool=0):
        """A running gang where pack puts it, drawing its power; False where chips or power are missing."""
        placement, draw = pack(self.free[pool], chips), self.draws[pool]
        if placement is None or self.headroom.overdrawn(pool, placement, draw) or chips * draw > self.headroom.feed_nw:
            return False
        self.free[pool].take(placement)
        self.headroom.take(pool, placement, draw)
        row = 1_000 + sum(map(len, self.running))
        insort(self.running[pool], Release(until_s, row, chips, placement, pool, chips * draw))
        return True

    def waits(self, chips, estimate_s, pools=None, draws=None):
        """A job that waits behind those before it; its row."""
        pools = tuple(range(len(self.free))) if pools is None else pools
        draws = tuple(self.draws[at] for at in pools) if draws is None else draws
        job = QueuedJob(len(self.jobs), Shape(pools, chips, (1.0,) * len(pools), draws), len(self.jobs), estimate_s)
        self.queue.add(job)
        self.jobs.append(job)
        return job.row

    def decide(self, backfill):
        return backfill(View(0, self.queue, self.free, self.headroom, self.running, self.jobs), PACK)

    def starts(self, backfill):
        """Where each job that starts goes: row -> (pool, placement)."""
        return {start.job.row: (start.pool, start.placement) for start in self.decide(backfill).starts}

    def reasons(self, backfill):
        """Why the shapes that were tried in vain wait: chips -> reason."""
        return {shape.chips: reason for shape, reason in self.decide(backfill).blocked.items()}


# no power


@pytest.mark.parametrize("policy", ALL)
def test_a_gang_with_chips_but_no_power_at_the_feed_waits_for_power(policy):
    site = Powered((2, 8, 1), feed=7)
    site.waits(8, 10)
    assert site.starts(policy) == {}
    assert site.reasons(policy) == {8: NO_POWER}


@pytest.mark.parametrize("policy", ALL)
def test_a_gang_that_takes_the_last_of_the_power_starts(policy):
    site = Powered((2, 8, 1), feed=8)
    assert site.starts(policy) == {}
    row = site.waits(8, 10)
    assert site.starts(policy) == {row: (0, ((0, 8),))}


@pytest.mark.parametrize("policy", ALL)
def test_a_gang_under_full_levels_only_waits_for_power(policy):
    site = Powered((2, 8, 1), limits=(Limit("PDU 0", 7, (0b11,)),))
    site.waits(8, 10)
    assert site.reasons(policy) == {8: NO_POWER}


@pytest.mark.parametrize("policy", ALL)
def test_a_gang_without_chips_waits_for_room_whatever_the_power(policy):
    site = Powered((1, 8, 1), feed=100)
    site.runs(4, 50)
    site.waits(8, 10)
    assert site.reasons(policy) == {8: NO_ROOM}


@pytest.mark.parametrize("policy", ALL)
def test_a_gang_with_power_but_no_whole_domain_is_fragmented(policy):
    site = Powered((2, 8, 1), feed=100)
    site.free[0].take(((0, 4), (1, 4)))
    site.waits(8, 10)
    assert site.reasons(policy) == {8: FRAGMENTED}


@pytest.mark.parametrize("policy", ALL)
def test_power_counts_before_fragmentation(policy):
    site = Powered((2, 8, 1), feed=7)
    site.free[0].take(((0, 4), (1, 4)))
    site.waits(8, 10)
    assert site.reasons(policy) == {8: NO_POWER}


@pytest.mark.parametrize("policy", ALL)
def test_a_gang_that_draws_nothing_more_starts_without_power_left(policy):
    site = Powered((1, 8, 0), feed=0, limits=(Limit("PDU 0", 0, (1,)),))
    assert site.waits(8, 10) in site.starts(policy)


@pytest.mark.parametrize("policy", ALL)
def test_the_power_of_planned_starts_is_gone_for_the_next(policy):
    site = Powered((4, 8, 1), feed=20)
    rows = [site.waits(8, 10) for _ in range(4)]
    assert list(site.starts(policy)) == rows[:2]
    assert site.reasons(policy)[8] == NO_POWER


@pytest.mark.parametrize("policy", ALL)
def test_a_gang_takes_the_next_pool_where_the_first_draws_too_much(policy):
    site = Powered((1, 8, 3), (1, 8, 1), feed=10)
    row = site.waits(8, 10)
    assert site.starts(policy) == {row: (1, ((0, 8),))}


@pytest.mark.parametrize("policy", ALL)
def test_a_pass_leaves_the_headroom_it_was_shown_as_it_was(policy):
    site = Powered((4, 8, 1), feed=20, limits=(Limit("PDU 0", 16, (0b1111,)),))
    site.waits(8, 10)
    site.waits(8, 10)
    site.decide(policy)
    assert (site.headroom.feed_nw, site.headroom.spare_nw) == (20, [16])


# levels below the feed


@pytest.mark.parametrize("policy", ALL)
def test_a_gang_avoids_a_pdu_without_headroom(policy):
    site = Powered((4, 8, 1), limits=(Limit("PDU 0", 12, (0b0011,)), Limit("PDU 1", 12, (0b1100,))))
    rows = [site.waits(8, 10), site.waits(8, 10)]
    assert site.starts(policy) == {rows[0]: (0, ((0, 8),)), rows[1]: (0, ((2, 8),))}


@pytest.mark.parametrize("policy", ALL)
def test_a_small_gang_still_takes_what_a_pdu_has_left(policy):
    site = Powered((2, 8, 1), limits=(Limit("PDU 0", 12, (0b11,)),))
    rows = [site.waits(8, 10), site.waits(4, 10)]
    assert site.starts(policy) == {rows[0]: (0, ((0, 8),)), rows[1]: (0, ((1, 4),))}


@pytest.mark.parametrize("policy", ALL)
def test_a_gang_of_several_domains_leaves_a_pdu_that_has_no_power_for_one(policy):
    site = Powered((4, 8, 1), limits=(Limit("PDU 0", 7, (0b0011,)), Limit("PDU 1", 16, (0b1100,))))
    row = site.waits(16, 10)
    assert site.starts(policy) == {row: (0, ((2, 8), (3, 8)))}


@pytest.mark.parametrize("policy", ALL)
def test_a_gang_takes_from_each_pdu_as_much_as_it_has_power_for(policy):
    site = Powered((4, 8, 1), limits=(Limit("PDU 0", 8, (0b0011,)), Limit("PDU 1", 8, (0b1100,))))
    row = site.waits(16, 10)
    assert site.starts(policy) == {row: (0, ((0, 8), (2, 8)))}


@pytest.mark.parametrize("policy", ALL)
def test_a_pdu_over_two_pools_is_one_headroom(policy):
    site = Powered((1, 8, 1), (1, 8, 1), limits=(Limit("PDU 0", 12, (1, 1)),))
    first, second = site.waits(8, 10, (0,)), site.waits(8, 10, (1,))
    assert site.starts(policy) == {first: (0, ((0, 8),))}
    assert second not in site.starts(policy)


# EASY with power


@pytest.mark.parametrize(("chips", "shadow_s"), [(12, 10), (16, 10), (20, 20), (32, 30)])
def test_a_head_is_due_when_running_gangs_have_freed_enough_power(chips, shadow_s):
    site = Powered((8, 8, 1), feed=32)
    for until_s in (10, 20, 30):
        assert site.runs(8, until_s)
    site.waits(chips, 10)
    short = site.waits(8, 10)
    assert site.reasons(easy)[chips] == NO_POWER
    assert site.decide(easy).memo.reservation.shadow_s == shadow_s
    assert short in site.starts(easy)


def test_power_that_another_pool_frees_counts_for_the_head():
    site = Powered((2, 8, 1), (2, 8, 2), feed=36)
    assert site.runs(8, 40, pool=1)
    assert site.runs(8, 25, pool=1)
    head = site.waits(16, 10, (0,))
    short = site.waits(4, 25, (0,))
    decisions = site.decide(easy)
    assert decisions.memo.head.row == head
    assert decisions.memo.reservation.shadow_s == 25
    assert [start.job.row for start in decisions.starts] == [short]


def test_a_head_waits_for_two_releases_where_one_frees_too_little_power():
    site = Powered((4, 8, 1), (2, 8, 1), feed=24)
    assert site.runs(4, 15, pool=1)
    assert site.runs(8, 35, pool=1)
    site.waits(24, 10, (0,))
    site.waits(4, 5, (0,))
    assert site.decide(easy).memo.reservation.shadow_s == 35


@pytest.mark.parametrize(("estimate_s", "passes"), [(20, True), (21, False)])
def test_a_job_that_would_eat_the_heads_power_passes_only_if_it_ends_by_then(estimate_s, passes):
    site = Powered((4, 8, 1), feed=24)
    assert site.runs(16, 20)
    site.waits(24, 10)  # all of the feed
    job = site.waits(8, estimate_s)
    assert (job in site.starts(easy)) is passes
    if not passes:
        assert site.reasons(easy) == {24: NO_ROOM, 8: HELD}


@pytest.mark.parametrize(("chips", "passes"), [(4, True), (8, False)])
def test_a_long_job_passes_within_the_power_that_the_head_leaves(chips, passes):
    site = Powered((4, 8, 1), feed=20)
    assert site.runs(8, 20)
    site.waits(16, 10)  # 12 are left now; 20 at 20 s, of which the head leaves 4
    job = site.waits(chips, 1_000)
    assert (job in site.starts(easy)) is passes
    assert site.reasons(easy)[16] == NO_POWER


def test_a_long_job_in_another_pool_is_held_from_the_heads_power_too():
    site = Powered((2, 8, 1), (2, 8, 1), feed=20)
    assert site.runs(8, 20, pool=1)
    site.waits(16, 10, (0,))
    job = site.waits(8, 1_000, (1,))
    assert job not in site.starts(easy)
    assert site.reasons(easy) == {16: NO_POWER, 8: HELD}


def test_two_long_jobs_share_the_power_that_the_head_leaves():
    site = Powered((8, 8, 1), feed=36)
    assert site.runs(16, 20)
    site.waits(28, 10)  # 20 are left now; 36 at 20 s, of which the head leaves 8
    rows = [site.waits(4, 1_000), site.waits(4, 2_000), site.waits(4, 3_000)]
    assert list(site.starts(easy)) == rows[:2]


def test_a_head_that_no_release_gives_enough_power_has_no_shadow_time():
    site = Powered((2, 8, 1), feed=10)
    site.waits(16, 10)
    site.waits(8, 1_000)
    assert site.decide(easy).memo.reservation.shadow_s == math.inf


# whatever the state

LIMITS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 15), st.integers(0, 3)), max_size=3)
GANGS = st.lists(st.tuples(st.integers(1, 16), st.integers(1, 50), st.integers(0, 1)), max_size=8)
JOBS = st.lists(
    st.tuples(st.integers(1, 16), st.integers(1, 60), st.sampled_from([(0,), (1,), (0, 1), (1, 0)])), max_size=10
)


def made(pools, feed, limits, gangs, jobs):
    site = Powered(
        *pools, feed=feed, limits=tuple(Limit(f"PDU {at}", spare, bits) for at, (spare, *bits) in enumerate(limits))
    )
    for gang in gangs:
        site.runs(*gang)
    for job in jobs:
        site.waits(*job)
    return site


@pytest.mark.parametrize("policy", ALL)
@given(st.integers(1, 60), LIMITS, GANGS, JOBS)
@settings(derandomize=True, deadline=None, max_examples=150)
def test_nothing_that_starts_overdraws_the_feed_or_a_level(policy, feed, limits, gangs, jobs):
    site = made([(4, 4, 1), (2, 8, 2)], feed, limits, gangs, jobs)
    for job, pool, placement in site.decide(policy).starts:
        site.free[pool].take(placement)
        site.headroom.take(pool, placement, site.draws[pool])
        assert sum(chips for _, chips in placement) == job.shape.chips
    assert site.headroom.feed_nw >= 0
    assert all(spare_nw >= 0 for spare_nw in site.headroom.spare_nw)


@pytest.mark.parametrize("policy", ALL)
@given(st.integers(1, 60), LIMITS, GANGS, JOBS)
@settings(derandomize=True, deadline=None, max_examples=100)
def test_a_gang_that_waits_for_power_has_its_chips_in_some_pool(policy, feed, limits, gangs, jobs):
    site = made([(4, 4, 1), (2, 8, 2)], feed, limits, gangs, jobs)
    decisions = site.decide(policy)
    for _, pool, placement in decisions.starts:
        site.free[pool].take(placement)
    for shape, reason in decisions.blocked.items():
        most = max(site.free[pool].free for pool in shape.pools)
        assert (most >= shape.chips) is (reason != NO_ROOM)


def earliest_s(site, started, head):
    """The first instant at which the head has chips and feed power, by brute force on pools of one domain."""
    ends = [(release.planned_end_s, release.pool, release.chips) for pool in site.running for release in pool]
    ends += [(job.estimate_s(pool), pool, job.shape.chips) for job, pool, _ in started]
    for at_s in sorted({0, *[end_s for end_s, _, _ in ends]}):
        held = [(pool, chips) for end_s, pool, chips in ends if end_s > at_s]
        drawn = sum(chips * site.draws[pool] for pool, chips in held)
        for pool in head.shape.pools:
            left = site.free[pool].domain_chips - sum(chips for where, chips in held if where == pool)
            if left >= head.shape.chips and drawn + head.shape.gang_nw(pool) <= site.feed:
                return at_s
    return math.inf


@given(st.integers(1, 40), GANGS, JOBS)
@settings(derandomize=True, deadline=None, max_examples=300)
def test_no_start_behind_the_head_takes_chips_or_power_that_delay_it(feed, gangs, jobs):
    site = made([(1, 16, 1), (1, 8, 2)], feed, (), gangs, jobs)
    site.feed = feed
    starts = site.decide(easy).starts
    rows = {start.job.row for start in starts}
    head = next((job for job in site.jobs if job.row not in rows), None)
    if head is not None:
        before = [start for start in starts if start.job.row < head.row]
        assert earliest_s(site, starts, head) <= earliest_s(site, before, head)


@given(st.integers(1, 40), GANGS, JOBS)
@settings(derandomize=True, deadline=None, max_examples=200)
def test_the_shadow_time_is_the_first_instant_with_chips_and_power_for_the_head(feed, gangs, jobs):
    site = made([(1, 16, 1), (1, 8, 2)], feed, (), gangs, jobs)
    site.feed = feed
    decisions = site.decide(easy)
    if decisions.memo is not None and decisions.memo.reservation is not None:
        head = decisions.memo.head
        before = [start for start in decisions.starts if start.job.row < head.row]
        assert decisions.memo.reservation.shadow_s == earliest_s(site, before, head)
