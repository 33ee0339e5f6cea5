"""Racks and PDUs as limits: who is below whom, when they bind, and what is left for busy chips."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies.limits import Limit, RackLoad, fill_pdus, pdu_limits, rack_limits
from topologies.power import NW_PER_W


def load(pool="a", racks=4, domains=1, idle_w=10, full_w=60, rating_w=math.inf):
    return RackLoad(pool, racks, domains, idle_w, full_w, rating_w)


# PDUs in order


def test_racks_fill_the_pdus_in_order_up_to_the_rating():
    assert fill_pdus([60, 30, 20, 50, 50, 10], 3, 100) == [0, 0, 1, 1, 2, 2]


def test_a_rack_that_just_fills_a_pdu_still_goes_there():
    assert fill_pdus([0.1] * 20, 2, 1.0) == [0] * 10 + [1] * 10


def test_pdus_that_are_not_needed_stay_empty():
    assert fill_pdus([60, 60], 5, 200) == [0, 0]


def test_one_pdu_takes_all_racks():
    assert fill_pdus([60] * 7, 1, 50) == [0] * 7


def test_no_racks_need_no_pdu():
    assert fill_pdus([], 3, 100) == []


def test_a_rack_above_the_rating_sits_alone():
    assert fill_pdus([150, 40, 40], 3, 100) == [0, 1, 1]


@pytest.mark.parametrize(("racks", "count"), [(4, 2), (9, 3), (10, 5), (12, 4)])
def test_too_few_pdus_share_like_racks_evenly(racks, count):
    places = fill_pdus([60] * racks, count, 50)
    assert [places.count(pdu) for pdu in range(count)] == [racks // count] * count


@given(st.lists(st.integers(1, 100), max_size=30), st.integers(1, 8), st.integers(1, 400))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_every_rack_has_one_pdu_and_the_order_is_kept(full_w, count, rating_w):
    places = fill_pdus(full_w, count, rating_w)
    assert len(places) == len(full_w)
    assert places == sorted(places)
    assert all(0 <= place < count for place in places)
    assert sorted(set(places)) == list(range(len(set(places))))


@given(st.lists(st.integers(1, 100), min_size=1, max_size=30), st.integers(100, 400))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_no_pdu_is_filled_beyond_a_rating_that_suffices(full_w, rating_w):
    places = fill_pdus(full_w, len(full_w), rating_w)
    for pdu in set(places):
        assert sum(w for w, place in zip(full_w, places, strict=True) if place == pdu) <= rating_w


# racks as limits


def test_a_rack_whose_full_load_is_within_its_rating_is_no_limit():
    assert rack_limits([load(full_w=60, rating_w=60), load("b", rating_w=100)]) == ()


def test_a_rack_without_a_rating_is_no_limit():
    assert rack_limits([load(full_w=1e12)]) == ()


def test_each_rack_above_its_rating_is_a_limit_of_what_is_left_beside_idle():
    assert rack_limits([load(racks=3, idle_w=10, full_w=60, rating_w=50)]) == tuple(
        Limit(f"a rack {rack}", 40 * NW_PER_W, (1 << rack,)) for rack in range(3)
    )


def test_a_racks_limit_covers_its_own_domains_in_its_own_pool():
    limits = rack_limits([load(rating_w=60), load("b", racks=2, domains=3, rating_w=50), load("c")])
    assert [limit.domains for limit in limits] == [(0, 0b000111, 0), (0, 0b111000, 0)]


# PDUs as limits


@given(
    st.lists(st.builds(load, racks=st.integers(0, 6), full_w=st.integers(10, 100)), min_size=1, max_size=3),
    st.integers(100, 500),
)
@settings(derandomize=True, deadline=None)
def test_pdus_whose_ratings_suffice_never_bind(loads, rating_w):
    racks = sum(one.racks for one in loads)
    assert pdu_limits(loads, max(1, racks), rating_w) == ()


def test_a_pdu_leaves_its_rating_less_the_idle_draw_of_its_racks():
    limits = pdu_limits([load(racks=4, idle_w=10, full_w=60)], 2, 100)
    assert limits == (Limit("PDU 0", 80 * NW_PER_W, (0b0011,)), Limit("PDU 1", 80 * NW_PER_W, (0b1100,)))


def test_a_pdu_covers_the_domains_of_racks_of_several_pools():
    loads = [load("a", racks=1, domains=2), load("b", racks=3, domains=1)]
    limits = pdu_limits(loads, 2, 100)
    assert [limit.domains for limit in limits] == [(0b11, 0b001), (0b00, 0b110)]


def test_only_the_pdus_that_can_bind_are_limits():
    limits = pdu_limits([load("a", racks=1, full_w=60), load("b", racks=1, full_w=150)], 2, 100)
    assert [limit.name for limit in limits] == ["PDU 1"]


def test_plain_pools_have_no_bits_under_a_pdu():
    limits = pdu_limits([load("cpu", racks=0), load("a", racks=2)], 1, 100)
    assert [limit.domains for limit in limits] == [(0, 0b11)]


def test_a_pdu_whose_idle_racks_are_above_its_rating_is_refused():
    with pytest.raises(ValueError, match=r"PDU 0 feeds 3 racks that draw 120 W idle; allowed: 100 W"):
        pdu_limits([load(racks=3, idle_w=40, full_w=60)], 1, 100)


def test_a_pdu_whose_idle_racks_draw_just_its_rating_leaves_nothing():
    (limit,) = pdu_limits([load(racks=2, idle_w=50, full_w=60)], 1, 100)
    assert limit.spare_nw == 0


@given(
    st.lists(
        st.builds(load, racks=st.integers(0, 5), domains=st.integers(1, 3), full_w=st.integers(10, 100)),
        min_size=1,
        max_size=3,
    ),
    st.integers(1, 5),
)
@settings(derandomize=True, deadline=None)
def test_no_domain_is_under_two_pdus_and_a_binding_one_covers_whole_racks(loads, count):
    limits = pdu_limits(loads, count, 10.0 * sum(one.racks for one in loads) + 1)
    for pool, one in enumerate(loads):
        seen = 0
        for limit in limits:
            assert not seen & limit.domains[pool]
            seen |= limit.domains[pool]
            rack = (1 << one.domains_a_rack) - 1
            for at in range(one.racks):
                assert limit.domains[pool] >> at * one.domains_a_rack & rack in (0, rack)
        assert not seen >> one.racks * one.domains_a_rack


@pytest.mark.parametrize(
    ("racks", "pdus", "rating_w", "counts"),
    [
        (11, 4, 50, [3, 3, 3, 2]),
        (8, 3, 50, [3, 3, 2]),
        (19, 10, 110, [2, 2, 2, 2, 1, 2, 2, 2, 2, 2]),
        (7, 4, 120, [2, 2, 2, 1]),
    ],
)
def test_too_few_pdus_share_the_racks_evenly(racks, pdus, rating_w, counts):
    places = fill_pdus([60.0] * racks, pdus, rating_w)
    assert [places.count(pdu) for pdu in range(pdus)] == counts
    assert places == sorted(places)


def test_a_pdu_that_is_a_little_too_small_is_not_said_to_be_large_enough():
    loads = [RackLoad("a", 3, 1, 40.1, 60, 1000)]
    with pytest.raises(ValueError, match=r"draw 121 W idle; allowed: 120 W"):
        pdu_limits(loads, 1, 120.2)
