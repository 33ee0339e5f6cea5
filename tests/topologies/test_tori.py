"""The boxes of a torus against a search that walks from chip to chip, and their order."""

import itertools
import math

import pytest

from topologies.graph_facts import best_box
from topologies.slices import box
from topologies.tori import Torus, best_free, boxes, extents_of

ULTRASERVER = Torus((4, 4, 4), (128e9, 128e9, 64e9))
SERVER = Torus((4, 4), (48e9, 48e9))
RING = Torus((12,), (96e9,))
TORI = [ULTRASERVER, SERVER, RING, Torus((3, 5), (1.0, 2.0))]


def places(torus):
    """Chip -> where it stands: x runs fastest."""
    return {
        at: tuple(reversed(place))
        for at, place in enumerate(itertools.product(*[range(side) for side in reversed(torus.sides)]))
    }


def sets(torus):
    """All boxes as chips -> extents, from the definition: a run of places on each dimension's ring, from any start."""
    chips = {place: at for at, place in places(torus).items()}
    found = {}
    for start in chips:
        for extents in itertools.product(*[range(1, side + 1) for side in torus.sides]):
            runs = [
                [(first + step) % side for step in range(extent)]
                for first, extent, side in zip(start, extents, torus.sides, strict=True)
            ]
            found[frozenset(chips[place] for place in itertools.product(*runs))] = extents
    return found


def bits(chips):
    return sum(1 << chip for chip in chips)


def sent(torus, extents):
    wraps = [extent == side for extent, side in zip(extents, torus.sides, strict=True)]
    return box(extents, wraps, torus.link_bytes_per_s)


@pytest.mark.parametrize("torus", TORI)
def test_the_boxes_are_all_runs_of_places_on_every_ring_each_listed_once(torus):
    expected = {bits(chips): extents for chips, extents in sets(torus).items()}
    listed = [pair for chips in range(1, torus.chips + 1) for pair in boxes(torus, chips)]
    assert len(listed) == len(expected)
    assert dict(listed) == expected


@pytest.mark.parametrize("torus", TORI)
def test_a_mask_has_the_extents_of_its_box(torus):
    for chips, extents in sets(torus).items():
        assert extents_of(torus, bits(chips)) == extents


@pytest.mark.parametrize("torus", TORI)
def test_better_boxes_come_first_and_the_first_of_all_starts_at_the_first_chip(torus):
    for chips in range(1, torus.chips + 1):
        rows = [(sent(torus, extents), mask, extents) for mask, extents in boxes(torus, chips)]
        worth = [(-part.ring_bytes_per_s, -part.all_to_all_bytes_per_s, part.steps) for part, _, _ in rows]
        assert worth == sorted(worth)
        assert not rows or rows[0][1] & 1, "the first box starts at the first chip"


@pytest.mark.parametrize("torus", TORI)
def test_the_first_box_rings_as_fast_as_the_best_of_the_theory(torus):
    for chips in range(1, torus.chips + 1):
        best, listed = best_box(torus, chips), boxes(torus, chips)
        assert (best is None) == (not listed)
        if best is not None:
            assert sent(torus, listed[0][1]).ring_bytes_per_s == sent(torus, best).ring_bytes_per_s


def test_of_four_chips_of_a_server_a_square_goes_before_a_ring_that_is_as_fast_in_more_steps():
    assert boxes(SERVER, 4)[0] == (0b0011_0011, (2, 2))


def test_four_chips_of_an_ultraserver_stay_off_its_slow_dimension():
    assert boxes(ULTRASERVER, 4)[0][1] == (2, 2, 1)


def test_a_box_may_run_across_the_end_of_a_ring():
    assert extents_of(RING, 0b1000_0000_0011) == (3,)
    assert best_free(RING, 0b1000_0000_0011, 3) == 0b1000_0000_0011


@pytest.mark.parametrize("chips", [5, 7, 10, 11, 13, 65])
def test_a_size_that_forms_no_box_has_none(chips):
    assert boxes(ULTRASERVER, chips) == ()


@pytest.mark.parametrize("mask", [0, 0b101, 0b1_0001_0011])
def test_chips_that_form_no_box_have_no_extents(mask):
    assert extents_of(SERVER, mask) is None


def test_a_whole_torus_is_one_box_and_a_single_chip_one_each():
    assert boxes(ULTRASERVER, 64) == (((1 << 64) - 1, (4, 4, 4)),)
    assert [mask for mask, _ in boxes(RING, 1)] == [1 << chip for chip in range(12)]


@pytest.mark.parametrize("torus", [SERVER, RING])
def test_the_best_free_box_is_the_first_of_the_list_that_is_free(torus):
    for free in range(0, 1 << torus.chips, 37):
        for chips in (1, 2, 3, 4, 6):
            fitting = [mask for mask, _ in boxes(torus, chips) if mask & free == mask]
            assert best_free(torus, free, chips) == (fitting[0] if fitting else 0)


def test_a_torus_with_a_side_of_two_is_refused():
    with pytest.raises(ValueError, match="at least 3 chips a ring"):
        boxes(Torus((2, 4), (1.0, 1.0)), 4)


def test_a_torus_has_as_many_chips_as_places():
    assert [torus.chips for torus in TORI] == [math.prod(torus.sides) for torus in TORI] == [64, 16, 12, 15]
