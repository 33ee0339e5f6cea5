"""Where the chips of a collective lie in a gang's seat, and what joins them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topologies import catalog
from topologies.boxes import Box
from topologies.domains import Domain, Seat, even_part
from topologies.slices import box, switched


def domain(rack):
    return Domain.of(catalog.interconnect(rack), catalog.rack(rack).domain_chips)


H100, TRN2 = domain("dgx-h100"), domain("trn2-ultraserver")


def seat(domains, block, sides=()):
    chips = domains * block
    return Seat(chips, domains, block, sides, 1, block, chips, chips)


def test_a_chip_has_its_part_of_the_domains_nics():
    assert H100.nic_bytes_per_s == 50e9
    assert TRN2.nic_bytes_per_s == 25e9
    assert domain("inf2-48xl").nic_bytes_per_s == pytest.approx(12.5e9 / 12)


@pytest.mark.parametrize(
    ("ranks", "stride", "domains", "inside"),
    [
        (8, 1, 1, 8),  # a tensor group fills a board
        (16, 1, 2, 8),
        (4, 8, 4, 1),  # one chip of each board
        (4, 2, 1, 4),
        (8, 2, 2, 4),
        (3, 1, 3, 1),  # 8 chips are no whole number of threes
    ],
)
def test_a_group_has_as_many_chips_in_a_domain_as_are_whole_in_every_slice(ranks, stride, domains, inside):
    group = H100.group(ranks, stride, seat(4, 8), 1.0)
    assert (group.domains, group.slice) == (domains, switched(inside, 450e9))


def test_slices_of_uneven_size_count_by_what_divides_them_and_in_rings_by_the_smallest():
    uneven = Seat(100, 2, 4, (), 1, 28, 100, 100)  # 72 and 28
    group = domain("gb200-nvl72").group(8, 1, uneven, 1.0)
    assert (group.domains, group.slice.chips) == (2, 4)
    ring = domain("gb200-nvl72").ring(25, 4, uneven, 1.0)
    assert (ring.domains, ring.slice.chips) == (4, 7)


@given(st.integers(1, 64), st.integers(1, 16), st.sampled_from([1, 2, 3, 4, 6, 8]))
def test_a_group_never_has_more_ranks_than_asked_for(ranks, stride, block):
    group = H100.group(ranks, stride, seat(4, block), 1.0)
    assert group.ranks == ranks
    assert group.slice.chips * min(stride, block) <= max(block, group.slice.chips)


def test_a_share_of_the_nics_is_what_is_left_of_their_bandwidth():
    assert H100.group(16, 1, seat(2, 8), 0.25).nic_bytes_per_s == 12.5e9


def test_in_a_torus_a_group_is_the_best_box_within_the_slice():
    assert TRN2.slice(16, (4, 4, 4)) == box([4, 4, 1], [True, True, False], TRN2.torus.link_bytes_per_s)
    assert TRN2.slice(8, (2, 2, 2)) == box([2, 2, 2], [False] * 3, TRN2.torus.link_bytes_per_s)
    assert TRN2.slice(64, (4, 4, 4)).ring_bytes_per_s == 640e9


def test_chips_that_are_no_box_are_a_line_over_the_slowest_link():
    line = TRN2.slice(7, (0, 0, 0))
    assert (line.chips, line.steps, line.ring_bytes_per_s) == (7, 6, 64e9)


@pytest.mark.parametrize(("chips", "sides"), [(64, (4, 4, 4)), (16, (4, 4, 1)), (4, (2, 2, 1)), (7, (0, 0, 0))])
def test_the_best_box_of_a_slice(chips, sides):
    found = TRN2.best_sides(chips)
    assert sorted(found) == sorted(sides)
    assert H100.best_sides(chips) == ()


def test_the_worst_of_several_slices_counts():
    assert TRN2.sides_of([64, 64, 7]) == (0, 0, 0)
    assert TRN2.sides_of([64, 8]) == TRN2.best_sides(8)
    assert TRN2.sides_of([64, Box(4, 0b1111), Box(4, 0b10010011)]) == (0, 0, 0)
    assert TRN2.sides_of([Box(4, 0b1111)]) == (4, 1, 1)


@pytest.mark.parametrize(
    ("chips", "size", "part"),
    [
        (64, 72, 64),
        (512, 72, 64),
        (1024, 72, 64),
        (4096, 72, 64),
        (100, 72, None),
        (16, 8, 8),
        (12, 8, None),
        (6, 4, None),
        (24, 16, None),
        (8, 72, 8),
    ],
)
def test_equal_parts_serve_where_they_hold_whole_what_the_uneven_ones_do(chips, size, part):
    assert even_part(chips, size) == part
