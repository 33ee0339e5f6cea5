"""The power left under the feed and the levels below: against a naive sum, and exact after any takes and gives."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies.headroom import UNLIMITED_NW, Headroom
from topologies.limits import Limit

DOMAINS, POOLS = 6, 2
bits = st.integers(0, (1 << DOMAINS) - 1)
limits = st.lists(
    st.builds(Limit, st.just("level"), st.integers(0, 10**13), st.tuples(*[bits] * POOLS)), max_size=4
).map(tuple)
placements = st.dictionaries(st.integers(0, DOMAINS - 1), st.integers(1, 72), min_size=1, max_size=3).map(
    lambda chips: tuple(chips.items())
)
gangs = st.tuples(st.integers(0, POOLS - 1), placements, st.integers(0, 3 * 10**12))


def below(limit, pool, placement):
    """The chips of a placement under a limit."""
    return sum(chips for domain, chips in placement if limit.domains[pool] & 1 << domain)


def naive(feed_nw, limits, held):
    """Feed and level headrooms, summed anew from the gangs that are held."""
    feed = feed_nw - sum(chips * draw_nw for _, placement, draw_nw in held for _, chips in placement)
    return feed, [
        limit.spare_nw - sum(below(limit, pool, placement) * draw_nw for pool, placement, draw_nw in held)
        for limit in limits
    ]


def domains_where(limits, pool, test):
    return sum(
        1 << domain
        for domain in range(DOMAINS)
        if any(limit.domains[pool] >> domain & 1 and test(at, limit) for at, limit in enumerate(limits))
    )


@given(limits, st.lists(gangs, max_size=8))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_the_headroom_is_what_the_held_gangs_leave(limits, held):
    headroom = Headroom(10**15, limits)
    for gang in held:
        headroom.take(*gang)
    assert (headroom.feed_nw, headroom.spare_nw) == naive(10**15, limits, held)


@given(limits, st.lists(gangs, max_size=5), gangs)
@settings(derandomize=True, deadline=None, max_examples=200)
def test_a_placement_is_kept_out_of_just_what_overdraws_a_level(limits, held, gang):
    headroom = Headroom(None, limits)
    for other in held:
        headroom.take(*other)
    _, spare_nw = naive(0, limits, held)
    pool, placement, draw_nw = gang

    def exceeded(at, limit):
        inside = below(limit, pool, placement)
        return inside > 0 and inside * draw_nw > spare_nw[at]

    over = domains_where(limits, pool, exceeded)
    avoid = headroom.overdrawn(*gang)
    assert (avoid == 0) == (over == 0)
    assert avoid & ~over == 0
    kept = tuple(part for part in placement if not avoid >> part[0] & 1)
    assert headroom.overdrawn(pool, kept, draw_nw) == 0


@given(limits, st.lists(gangs, max_size=5), st.integers(0, POOLS - 1), st.integers(1, 72), st.integers(0, 10**12))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_full_domains_are_those_where_so_many_more_busy_chips_overdraw(limits, held, pool, chips, draw_nw):
    headroom = Headroom(None, limits)
    for other in held:
        headroom.take(*other)
    expected = sum(1 << at for at in range(DOMAINS) if headroom.overdrawn(pool, ((at, chips),), draw_nw) >> at & 1)
    assert headroom.full_domains(pool, chips, draw_nw) == expected


@given(limits, st.lists(st.tuples(gangs, st.booleans()), max_size=40), st.randoms(use_true_random=False))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_when_all_is_given_back_in_any_order_the_numbers_are_exactly_the_first_ones(limits, steps, chance):
    headroom, held = Headroom(7 * 10**16 + 1, limits), []
    for gang, gives in steps:
        if gives and held:
            headroom.give(*held.pop(chance.randrange(len(held))))
        headroom.take(*gang)
        held.append(gang)
    chance.shuffle(held)
    for gang in held:
        headroom.give(*gang)
    assert headroom.feed_nw == 7 * 10**16 + 1
    assert headroom.spare_nw == [limit.spare_nw for limit in limits]


@given(limits, gangs)
@settings(derandomize=True, deadline=None)
def test_a_copy_changes_alone(limits, gang):
    headroom = Headroom(10**15, limits)
    twin = headroom.copy()
    twin.take(*gang)
    assert (headroom.feed_nw, headroom.spare_nw) == naive(10**15, limits, [])
    assert (twin.feed_nw, twin.spare_nw) == naive(10**15, limits, [gang])


@given(limits, st.lists(gangs, max_size=4), st.lists(gangs, max_size=4))
@settings(derandomize=True, deadline=None)
def test_the_least_of_two_headrooms_is_the_smaller_at_the_feed_and_at_each_level(limits, held, others):
    one, other = Headroom(10**15, limits), Headroom(10**15, limits)
    for gang in held:
        one.take(*gang)
    for gang in others:
        other.take(*gang)
    least = one.least(other)
    assert least.feed_nw == min(one.feed_nw, other.feed_nw)
    assert least.spare_nw == [min(pair) for pair in zip(one.spare_nw, other.spare_nw, strict=True)]
    assert (one.feed_nw, one.spare_nw) == naive(10**15, limits, held)


def test_a_domain_that_is_kept_out_of_a_rack_leaves_the_pdus_power_to_the_next():
    headroom = Headroom(None, (Limit("rack 0", 8, (0b0011,)), Limit("PDU 0", 16, (0b1111,))))
    assert headroom.overdrawn(0, ((0, 8), (1, 8), (2, 8)), 1) == 0b0010
    assert headroom.overdrawn(0, ((0, 8), (1, 8), (2, 8), (3, 8)), 1) == 0b1010


def test_a_domain_above_all_limits_is_never_full():
    headroom = Headroom(None, (Limit("PDU 0", 0, (0b0110, 0)),))
    headroom.take(0, ((0, 8), (3, 8)), 1)
    headroom.take(1, ((70, 8),), 1)
    assert headroom.spare_nw == [0]
    assert headroom.full_domains(0, 1, 1) == 0b0110
    assert headroom.full_domains(1, 1, 1) == 0
    assert headroom.overdrawn(0, ((3, 8),), 1) == headroom.overdrawn(1, ((70, 8),), 1) == 0


def test_thousands_of_racks_under_pdus_are_full_where_a_gang_or_its_pdu_left_nothing():
    racks, each = 3_000, 30
    limits = (
        *[Limit(f"rack {at}", 20, (0b11 << 2 * at,)) for at in range(racks)],
        *[Limit(f"PDU {at}", 100, (((1 << 2 * each) - 1) << 2 * each * at,)) for at in range(racks // each)],
    )
    headroom = Headroom(None, limits)
    assert headroom.full_domains(0, 20, 1) == 0
    headroom.take(0, ((5_000, 15),), 1)
    assert headroom.full_domains(0, 5, 1) == 0
    assert headroom.full_domains(0, 6, 1) == 0b11 << 5_000
    headroom.take(0, tuple([(domain, 10) for domain in range(60, 78, 2)]), 1)
    assert headroom.full_domains(0, 10, 1) == 0b11 << 5_000
    assert headroom.full_domains(0, 11, 1) == ((1 << 60) - 1 << 60) | 0b11 << 5_000


@pytest.mark.parametrize(("draw_nw", "overdrawn"), [(10, 0b0011), (9, 0)])
def test_a_placement_that_takes_the_last_nanowatt_fits(draw_nw, overdrawn):
    headroom = Headroom(None, (Limit("PDU 0", 4 * 9, (0b0011,)),))
    assert headroom.overdrawn(0, ((1, 4), (2, 8)), draw_nw) == overdrawn


def test_chips_that_draw_nothing_more_fit_under_a_full_level():
    headroom = Headroom(0, (Limit("PDU 0", 0, (0b11,)),))
    assert headroom.overdrawn(0, ((0, 8),), 0) == 0
    assert headroom.full_domains(0, 8, 0) == 0


def test_without_a_cap_the_feed_starts_unlimited():
    assert Headroom(None, ()).feed_nw == UNLIMITED_NW


def test_without_levels_nothing_is_bound_below_the_feed():
    assert not Headroom(5, ()).bound_below
    assert Headroom(5, (Limit("PDU 0", 1, (1,)),)).bound_below


@given(
    st.lists(st.integers(0, 8), min_size=6, max_size=6),
    st.lists(st.integers(0, 60), min_size=5, max_size=5),
    st.integers(1, 7),
    st.booleans(),
)
def test_the_chips_that_levels_can_bear_are_those_that_find_power_one_by_one(free, spare_nw, draw_nw, racks):
    # the first PDU has three domains, one of them under no rack that can bind; the last domain is under no level
    limits = [Limit("rack 0", spare_nw[0], (0b000001,)), Limit("rack 1", spare_nw[1], (0b000010,))] if racks else []
    limits += [Limit("rack 3", spare_nw[2], (0b001000,))] if racks else []
    limits += [Limit("PDU 0", spare_nw[3], (0b000111,)), Limit("PDU 1", spare_nw[4], (0b011000,))]
    headroom = Headroom(None, tuple(limits))
    found, left = headroom.bearable(0, free, draw_nw), headroom.copy()
    one_by_one = 0
    for domain, chips in enumerate(free):
        for _ in range(chips):
            if left.bears(0, domain, draw_nw):
                left.take(0, ((domain, 1),), draw_nw)
                one_by_one += 1
    assert found == one_by_one
