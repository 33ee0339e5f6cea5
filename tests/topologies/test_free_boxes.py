"""The free-capacity index where domains are tori: which chips are free, not only how many."""

import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies.boxes import Box
from topologies.free import FreeChips
from topologies.tori import Torus, boxes, extents_of

TORI = [Torus((4, 4, 4), (128e9, 128e9, 64e9)), Torus((4, 4), (48e9, 48e9)), Torus((12,), (96e9,))]
SERVER = TORI[1]


@st.composite
def histories(draw):
    """A torus, a count of domains, and starts and ends: a start is (domain, size), an end is which gang of those."""
    torus, domains = draw(st.sampled_from(TORI)), draw(st.integers(1, 3))
    start = st.tuples(st.integers(0, domains - 1), st.integers(1, torus.chips))
    small = st.tuples(st.integers(0, domains - 1), st.sampled_from([1, 1, 2, 2, 3, 4, 5, 8]))
    return torus, domains, draw(st.lists(st.one_of(small, start, st.integers(0, 30)), max_size=40))


@settings(derandomize=True, deadline=None, max_examples=150)
@given(histories())
def test_slices_never_overlap_and_are_boxes_where_one_was_free_and_masks_and_counts_agree(history):
    torus, domains, steps = history
    index = FreeChips(domains, torus.chips, torus=torus)
    held = []
    for step in steps:
        if isinstance(step, int):
            if held:
                index.give((held.pop(step % len(held)),))
        elif step[1] <= index.in_domain(step[0]):
            domain, chips = step
            busy = sum(part.mask for at, part in held if at == domain)
            part = index.slice_in(domain, chips)
            assert part == chips == part.mask.bit_count()
            assert part.mask & busy == 0
            fits = any(mask & busy == 0 for mask, _ in boxes(torus, chips))
            assert index.has_box(domain, chips) == fits == (extents_of(torus, part.mask) is not None)
            assert index.holds(((domain, part),))
            index.take(((domain, part),))
            assert not index.holds(((domain, part),))
            held.append((domain, part))
        for domain in range(domains):
            busy = sum(part.mask for at, part in held if at == domain)
            assert index.boxes.chips[domain] == (1 << torus.chips) - 1 - busy
            assert index.in_domain(domain) == torus.chips - busy.bit_count()
        assert index.free == domains * torus.chips - sum(part for _, part in held)


def test_the_best_free_box_is_handed_out_and_else_the_lowest_chips():
    index = FreeChips(1, 16, torus=SERVER)
    assert index.slice_in(0, 4).mask == 0b0011_0011
    index.take(((0, Box(9, 0b1010_0101_1010_0111)),))
    assert not index.has_box(0, 3)
    assert index.slice_in(0, 3).mask == 0b0101_1000
    with pytest.raises(ValueError, match="found 7 bits for a slice of 8 chips"):
        index.slice_in(0, 8)


def test_a_copy_and_its_original_do_not_see_each_other_change():
    original = FreeChips(2, 16, groups=(0b11,), pods=(0b11,), torus=SERVER)
    twin = original.copy()
    twin.take(((1, Box(2, 0b11)),))
    original.take(((1, Box(1, 0b100)),))
    assert [original.boxes.chips[1], twin.boxes.chips[1]] == [0xFFFF - 0b100, 0xFFFF - 0b11]
    assert (twin.groups, twin.pods, twin.boxes.torus) == ((0b11,), (0b11,), SERVER)


@pytest.mark.parametrize(("mask", "message"), [(0b11, "some of 0x3 are held already"), (0b10, "0x2 are held")])
def test_chips_that_are_held_cannot_be_taken_again_and_nothing_is_taken_with_them(mask, message):
    index = FreeChips(2, 16, torus=SERVER)
    index.take(((1, Box(1, 0b10)),))
    with pytest.raises(ValueError, match=message):
        index.take(((0, Box(1, 1)), (1, Box(mask.bit_count(), mask))))
    assert [index.in_domain(0), index.in_domain(1)] == [16, 15]
    assert index.boxes.chips[0] == 0xFFFF


def test_chips_that_are_free_cannot_be_given():
    index = FreeChips(1, 16, torus=SERVER)
    index.take(((0, Box(2, 0b11)),))
    with pytest.raises(ValueError, match="some of 0x6 are free already"):
        index.give(((0, Box(2, 0b110)),))
    assert index.in_domain(0) == 14


def test_the_same_domain_may_come_up_twice_in_what_is_given():
    index = FreeChips(1, 16, torus=SERVER)
    parts = (0, Box(2, 0b11)), (0, Box(1, 0b100))
    index.take(parts)
    assert index.in_domain(0) == 13
    index.give(parts)
    assert index.boxes.chips[0] == 0xFFFF


def test_whole_domains_are_delivered_and_switched_off_as_plain_counts():
    index = FreeChips(2, 16, present=False, torus=SERVER)
    assert not index.has_box(0, 1)
    index.give(((0, 16), (1, 16)))
    assert index.free == 32
    assert index.slice_in(1, 16).mask == 0xFFFF
    index.take(((1, 16),))
    assert not index.has_box(1, 1)


def test_a_part_of_a_torus_as_a_plain_count_is_refused():
    index = FreeChips(1, 16, torus=SERVER)
    with pytest.raises(ValueError, match="allowed: a Box, or all of them"):
        index.take(((0, 4),))


def test_a_torus_of_another_size_than_the_domain_is_refused():
    with pytest.raises(ValueError, match="found a torus of 16 chips; allowed: the 8 of a domain"):
        FreeChips(1, 8, torus=SERVER)


@pytest.mark.parametrize("leaves", [{"groups": (0b011,)}, {"groups": (0b011, 0b100), "pods": (0b110,)}])
def test_a_domain_under_no_leaf_is_refused(leaves):
    with pytest.raises(ValueError, match="found 3 domains, not all of them under a leaf"):
        FreeChips(3, 8, **leaves)


def test_behind_a_switch_a_slice_is_a_count_and_chips_always_form_a_box():
    index = FreeChips(1, 8)
    index.take(((0, 3),))
    assert type(index.slice_in(0, 5)) is int
    assert index.has_box(0, 5)
    assert index.holds(((0, 5),))
    assert not index.holds(((0, 6),))


def test_levels_are_the_domains_by_their_free_chips():
    index = FreeChips(4, 8)
    index.take(((0, 3), (2, 3), (3, 7)))
    assert list(index.levels(2)) == [(5, 0b0101), (8, 0b0010)]
    assert list(index.levels(1, avoid=0b1011)) == [(5, 0b0100)]


def test_a_box_counts_as_a_number_and_keeps_its_mask_in_copies():
    part = Box(3, 0b111)
    assert (part + 1, part * 2, f"{part}", part == 3) == (4, 6, "3", True)
    for again in (pickle.loads(pickle.dumps(part)), copy.deepcopy(part)):
        assert (again, again.mask) == (3, 0b111)


def test_a_box_of_another_size_than_its_mask_is_refused():
    with pytest.raises(ValueError, match="found 3 bits for a slice of 2 chips"):
        Box(2, 0b111)
