"""EASY where a PDU or a rack binds: the reservation counts the power of every level, and others keep out of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.backfill import greedy
from policies.easy import easy
from policies.view import HELD, NO_POWER
from topologies.limits import Limit


def head_starts_at(racks, backfill, head):
    """Each 10 s a job of 8 chips for 20 s arrives; when the head starts, None within two minutes."""
    for now_s in range(0, 120, 10):
        racks.goes_on(now_s)
        racks.waits(8, 20, submit_s=now_s)
        decisions = racks.decide(backfill)
        racks.apply(decisions)
        if head in [start.job.row for start in decisions.starts]:
            return now_s
    return None


@pytest.mark.parametrize(("backfill", "starts_s"), [(greedy, None), (easy, 20)])
def test_a_head_that_waits_for_a_pdu_starves_under_greedy_and_not_under_easy(backfill, starts_s, site):
    """At 10 the PDU has power for 8 chips, at 20 for the head's 16, unless a newcomer took the first 8 until 30."""
    racks = site((4, 8), draws=(1,), limits=(Limit("PDU 0", 16, (0b1111,)),))
    assert racks.runs(8, 10)
    assert racks.runs(8, 20)
    head = racks.waits(16, 5)
    assert head_starts_at(racks, backfill, head) == starts_s


@pytest.mark.parametrize(("estimate_s", "passes"), [(100, True), (101, False)])
def test_a_job_passes_if_it_ends_by_the_time_at_which_the_pdu_has_the_heads_power(estimate_s, passes, site):
    racks = site((4, 8), draws=(1,), limits=(Limit("PDU 0", 16, (0b1111,)),))
    racks.runs(8, 100)
    racks.waits(16, 50)
    racks.waits(4, estimate_s)
    assert racks.starts(easy) == ([1] if passes else [])
    assert racks.reasons(easy) == ({16: NO_POWER} if passes else {16: NO_POWER, 4: HELD})


@pytest.mark.parametrize(("spare_nw", "passes"), [(19, False), (20, True)])
def test_a_long_job_passes_within_the_power_that_the_head_leaves_at_a_pdu(spare_nw, passes, site):
    racks = site((4, 8), draws=(1,), limits=(Limit("PDU 0", spare_nw, (0b1111,)),))
    racks.runs(8, 100)
    racks.waits(16, 50)
    racks.waits(4, 1_000)
    assert racks.starts(easy) == ([1] if passes else [])


@pytest.mark.parametrize(("feed", "passes"), [(23, False), (24, True)])
def test_the_power_that_the_head_leaves_at_the_feed_counts_beside_a_pdu(feed, passes, site):
    """The fourth domain, where the long job goes, is not the head's: only the feed can keep it out."""
    racks = site((4, 8), draws=(1,), feed=feed, limits=(Limit("PDU 0", 100, (0b1111,)),))
    racks.runs(8, 100)
    racks.runs(4, 500, domain=3)
    racks.waits(16, 50)
    racks.waits(4, 1_000)
    assert racks.places(easy) == ({1: (0, ((3, 4),))} if passes else {})


@pytest.mark.parametrize(("spare_nw", "places"), [(4, {1: (0, ((2, 4),))}), (3, {})])
def test_a_long_job_is_moved_under_a_pdu_that_the_head_does_not_need(spare_nw, places, site):
    racks = site((4, 8), draws=(1,), limits=(Limit("PDU 0", 16, (0b0011,)), Limit("PDU 1", spare_nw, (0b1100,))))
    racks.runs(8, 100)
    racks.waits(16, 50)
    racks.waits(4, 1_000)
    assert racks.places(easy) == places


def test_a_long_job_is_not_moved_to_chips_whose_power_the_head_needs(site):
    """The third domain is under the head's PDU, which will have nothing left for it; the fourth is under another."""
    racks = site((4, 8), draws=(1,), limits=(Limit("PDU 0", 16, (0b0111,)), Limit("PDU 1", 4, (0b1000,))))
    racks.runs(8, 100)
    racks.waits(16, 50)
    racks.waits(4, 1_000)
    assert racks.places(easy) == {1: (0, ((3, 4),))}


def test_a_long_job_is_moved_off_the_domain_of_the_head_though_no_level_lacks_power(site):
    racks = site((2, 4), draws=(1,), limits=(Limit("PDU 0", 100, (0b11,)),))
    racks.runs(3, 100, domain=0)
    racks.runs(2, 500, domain=1)
    racks.waits(4, 50)
    racks.waits(1, 1_000)
    assert racks.places(easy) == {1: (0, ((1, 1),))}


def test_a_long_job_goes_to_a_pool_that_draws_what_the_head_leaves_at_the_feed(site):
    limits = (Limit("PDU 0", 100, (0b11, 0b111)),)
    racks = site((2, 8), (3, 8), draws=(2, 1), feed=20, limits=limits)
    racks.runs(8, 100, pool=1)
    racks.waits(16, 50, pools=(1,))
    racks.waits(4, 1_000)
    assert racks.places(easy) == {1: (1, ((2, 4),))}


def test_a_long_job_is_not_moved_under_a_pdu_that_has_power_only_later(site):
    racks = site((4, 8), draws=(1,), limits=(Limit("PDU 0", 16, (0b0011,)), Limit("PDU 1", 7, (0b1100,))))
    racks.runs(8, 100, domain=0)
    racks.runs(5, 90, domain=2)
    racks.waits(16, 50)
    racks.waits(4, 1_000)
    assert racks.places(easy) == {}


def test_a_long_job_leaves_the_power_of_the_heads_rack(site):
    """Two domains a rack: the head's rack will have chips for both, but power for the head alone."""
    racks = site((4, 8), draws=(1,), limits=(Limit("rack 0", 8, (0b0011,)), Limit("rack 1", 8, (0b1100,))))
    racks.runs(6, 100, domain=0)
    racks.runs(4, 500, domain=2)
    racks.waits(8, 50)
    racks.waits(2, 1_000)
    assert racks.places(easy) == {1: (0, ((2, 2),))}


@pytest.mark.parametrize(("mask", "passes"), [(0b11, False), (0b01, True)])
def test_a_long_job_in_another_pool_leaves_the_head_the_power_of_a_pdu_over_both(mask, passes, site):
    """The second domain of the other pool is under the head's PDU or under none; the first one is busy."""
    racks = site((2, 8), (2, 8), draws=(1, 1), limits=(Limit("PDU 0", 20, (0b11, mask)),))
    racks.runs(8, 100, pool=1, domain=0)
    racks.waits(16, 50, pools=(0,))
    racks.waits(8, 1_000, pools=(1,))
    assert racks.places(easy) == ({1: (1, ((1, 8),))} if passes else {})


def test_power_that_another_pool_frees_under_the_heads_pdu_counts(site):
    racks = site((2, 8), (2, 8), draws=(1, 2), limits=(Limit("PDU 0", 30, (0b11, 0b11)),))
    racks.runs(8, 40, pool=1)
    racks.runs(6, 25, pool=1)
    racks.waits(16, 50, pools=(0,))
    racks.waits(1, 40, pools=(0,))
    decisions = racks.decide(easy)
    assert decisions.memo.reservation.shadow_s == 40
    assert [start.job.row for start in decisions.starts] == [1]


@pytest.mark.parametrize("chips", [2, 16, 17, 18, 47, 48, 49, 50, 79, 80])
def test_the_shadow_time_is_found_however_many_gangs_end_before_it(chips, site):
    """Gang after gang frees one nanowatt, one each second."""
    racks = site((200, 1), draws=(1,), limits=(Limit("PDU 0", 81, ((1 << 200) - 1,)),))
    for end_s in range(2, 82):
        assert racks.runs(1, end_s)
    racks.waits(chips, 50)
    racks.waits(1, 2)
    assert racks.decide(easy).memo.reservation.shadow_s == chips


def test_a_second_pass_goes_on_with_the_power_that_the_first_left(site):
    racks = site((8, 8), draws=(1,), limits=(Limit("PDU 0", 26, (0xFF,)),))
    racks.runs(8, 100)
    racks.waits(20, 50)
    racks.waits(4, 1_000)
    racks.apply(racks.decide(easy))
    racks.waits(3, 1_000)
    racks.waits(2, 1_000)
    assert racks.memo.reservation.shadow_s == 100
    assert racks.starts(easy) == [3]


PROCESSORS = 12
GANGS = st.lists(st.tuples(st.integers(1, 6), st.integers(6, 18)), max_size=8)
JOBS = st.lists(st.tuples(st.integers(1, PROCESSORS), st.integers(1, 9)), max_size=10)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(feed=st.integers(PROCESSORS, 2 * PROCESSORS), gangs=GANGS, jobs=JOBS)
def test_a_pdu_over_all_processors_is_like_a_feed(feed, gangs, jobs, site):
    starts = []
    for power in ({"feed": feed}, {"limits": (Limit("PDU 0", feed, (1,)),)}):
        cpu = site((1, PROCESSORS), draws=(2,), now_s=10, **power)
        for chips, until_s in gangs:
            cpu.runs(chips, until_s)
        for chips, estimate_s in jobs:
            cpu.waits(chips, estimate_s)
        starts.append(cpu.starts(easy))
    assert starts[0] == starts[1]
