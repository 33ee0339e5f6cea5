"""Spread and contiguous: on small pools against every other way to place a gang."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.placement import CONTIGUOUS, PACK, SPREAD, contiguous, pack, spread
from policies.registry import PLACEMENTS
from topologies.boxes import Box
from topologies.free import FreeChips
from topologies.tori import Torus, boxes, extents_of

TORI = [Torus((4, 4, 4), (128e9, 128e9, 64e9)), Torus((4, 4), (48e9, 48e9)), Torus((12,), (96e9,))]
RING = TORI[2]


def pool(*free_by_domain, size=4, **facts):
    free = FreeChips(len(free_by_domain), size, **facts)
    free.take(tuple((domain, size - chips) for domain, chips in enumerate(free_by_domain) if chips < size))
    return free


def torus_pool(torus, *free_by_domain):
    """A pool whose domains have these chips free, as bits."""
    free = FreeChips(len(free_by_domain), torus.chips, torus=torus)
    held = [((1 << torus.chips) - 1) & ~mask for mask in free_by_domain]
    free.take(tuple((at, Box(mask.bit_count(), mask)) for at, mask in enumerate(held)))
    return free


SMALL = st.lists(st.integers(0, 4), min_size=1, max_size=4)


@st.composite
def torus_pools(draw, max_domains=3):
    """A pool of tori in which some boxes and some single chips are held."""
    torus = draw(st.sampled_from(TORI))
    masks = []
    for _ in range(draw(st.integers(1, max_domains))):
        mask = (1 << torus.chips) - 1
        for chips, at in draw(st.lists(st.tuples(st.sampled_from([1, 1, 2, 4, 8]), st.integers(0, 999)), max_size=6)):
            listed = boxes(torus, chips)
            if listed:
                mask &= ~listed[at % len(listed)][0]
        masks.append(mask)
    return torus, masks


@pytest.mark.parametrize("name", PLACEMENTS)
@settings(derandomize=True, deadline=None, max_examples=150)
@given(free_by_domain=SMALL, chips=st.integers(1, 16), avoid=st.integers(0, 15), pairs=st.booleans())
def test_a_placement_is_the_whole_gang_on_free_chips_outside_what_is_avoided(name, free_by_domain, chips, avoid, pairs):
    placer = PLACEMENTS[name]
    free = pool(*free_by_domain, groups=(0b0011, 0b1100) if pairs else ())
    placement = placer.place(free, chips, avoid)
    if placement is not None:
        assert sum(taken for _, taken in placement) == chips
        assert len({domain for domain, _ in placement}) == len(placement)
        assert all(0 < taken <= free_by_domain[domain] for domain, taken in placement)
        assert not any(avoid >> domain & 1 for domain, _ in placement)
        assert min(taken for _, taken in placement) >= placer.smallest_part(chips, 4)


@pytest.mark.parametrize("name", PLACEMENTS)
@settings(derandomize=True, deadline=None, max_examples=100)
@given(state=torus_pools(), chips=st.integers(1, 70))
def test_in_a_torus_every_slice_is_of_free_chips_and_a_box_where_its_domain_has_one(name, state, chips):
    torus, masks = state
    free = torus_pool(torus, *masks)
    placement = PLACEMENTS[name].place(free, chips, 0)
    if placement is not None:
        assert sum(placed for _, placed in placement) == chips
        for domain, part in placement:
            assert part.mask & ~masks[domain] == 0
            assert part.mask.bit_count() == part
            assert (extents_of(torus, part.mask) is not None) is free.has_box(domain, part)
        free.take(placement)
        free.give(placement)


@pytest.mark.parametrize("name", PLACEMENTS)
@settings(derandomize=True, deadline=None, max_examples=100)
@given(state=torus_pools(), other=st.integers(0, 2**64 - 1), chips=st.integers(1, 70))
def test_a_gang_that_has_a_place_keeps_one_when_more_chips_come_free(name, state, other, chips):
    torus, masks = state
    more = [mask | other & ((1 << torus.chips) - 1) for mask in masks]
    place = PLACEMENTS[name].place
    if place(torus_pool(torus, *masks), chips, 0) is not None:
        assert place(torus_pool(torus, *more), chips, 0) is not None


@settings(derandomize=True, deadline=None, max_examples=200)
@given(SMALL, st.integers(1, 16))
def test_no_other_placement_has_a_smaller_largest_slice_than_spread_nor_more_domains(free_by_domain, chips):
    placement = spread(pool(*free_by_domain), chips)
    others = [cut for cut in product(*[range(have + 1) for have in free_by_domain]) if sum(cut) == chips]
    assert (placement is None) == (not others)
    if placement is not None:
        largest = max(taken for _, taken in placement)
        assert largest == min(max(cut) for cut in others)
        assert len(placement) == max(sum(taken > 0 for taken in cut) for cut in others if max(cut) == largest)


def test_spread_takes_from_the_domains_with_the_most_free_chips_first():
    assert spread(pool(1, 3, 2, 4), 2) == ((1, 1), (3, 1))
    assert spread(pool(1, 3, 2, 4), 6) == ((0, 1), (1, 2), (2, 1), (3, 2))
    assert spread(pool(2, 2, 2), 4) == ((0, 2), (1, 1), (2, 1))
    assert spread(pool(1, 3, 2), 7) is None


def test_spread_over_thousands_of_domains():
    free = FreeChips(5_000, 8)
    placement = spread(free, 12_345)
    assert sum(taken for _, taken in placement) == 12_345
    assert sorted({taken for _, taken in placement}) == [2, 3]
    assert len(placement) == 5_000


def brute_contiguous(torus, masks, chips):
    """Whether whole domains and one more with a box for the remainder can be found."""
    whole, rest = divmod(chips, torus.chips)
    full = (1 << torus.chips) - 1
    empty = [at for at, mask in enumerate(masks) if mask == full]
    if len(empty) < whole or not rest:
        return len(empty) >= whole
    ends = [at for at, mask in enumerate(masks) if any(shape & ~mask == 0 for shape, _ in boxes(torus, rest))]
    return any(len([at for at in empty if at != end]) >= whole for end in ends)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(torus_pools(), st.integers(1, 70), st.integers(0, 7))
def test_contiguous_fails_exactly_where_no_box_is_free(state, chips, avoid):
    torus, masks = state
    placement = contiguous(torus_pool(torus, *masks), chips, avoid)
    left = [0 if avoid >> at & 1 else mask for at, mask in enumerate(masks)]
    assert (placement is not None) == brute_contiguous(torus, left, chips)
    if placement is not None:
        assert all(extents_of(torus, part.mask) is not None for _, part in placement)


def test_contiguous_leaves_a_fuller_domain_without_a_box_out_where_pack_takes_it():
    free = torus_pool(RING, 0b0101_0101_0101, 0b1111_1100_1111)
    assert pack(free, 4) == ((0, 4),)
    ((domain, part),) = contiguous(free, 4)
    assert (domain, part.mask) == (1, 0b1111)
    assert contiguous(free, 4, avoid=0b10) is None


@settings(derandomize=True, deadline=None)
@given(SMALL, st.integers(1, 16), st.integers(0, 15))
def test_behind_a_switch_contiguous_is_pack(free_by_domain, chips, avoid):
    free = pool(*free_by_domain)
    assert contiguous(free, chips, avoid) == pack(free, chips, avoid)


@settings(derandomize=True, deadline=None)
@given(torus_pools(), st.integers(1, 70))
def test_in_a_torus_pack_chooses_the_domains_that_it_chooses_behind_a_switch(state, chips):
    torus, masks = state
    switched = pool(*[mask.bit_count() for mask in masks], size=torus.chips)
    assert pack(torus_pool(torus, *masks), chips) == pack(switched, chips)


def test_the_smallest_part_of_spread_is_one_chip_and_that_of_contiguous_is_that_of_pack():
    assert [SPREAD.smallest_part(chips, 4) for chips in (1, 4, 11)] == [1, 1, 1]
    for chips in (1, 4, 5, 8, 11):
        assert CONTIGUOUS.smallest_part(chips, 4) == PACK.smallest_part(chips, 4)
