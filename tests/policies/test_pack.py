"""Pack: the fullest domain that fits, whole empty domains for a larger gang, and no other spreading."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.placement import pack, pack_smallest_part
from topologies.free import FreeChips


def pool(*free_by_domain, size=4):
    free = FreeChips(len(free_by_domain), size)
    free.take(tuple((domain, size - chips) for domain, chips in enumerate(free_by_domain) if chips < size))
    return free


def test_a_gang_goes_to_the_fullest_domain_that_fits_it():
    assert pack(pool(4, 1, 3, 2), 2) == ((3, 2),)


def test_ties_go_to_the_lowest_index():
    assert pack(pool(4, 2, 2), 2) == ((1, 2),)
    assert pack(pool(1, 4, 4, 4), 8) == ((1, 4), (2, 4))


def test_a_gang_that_no_single_domain_fits_is_not_spread():
    assert pack(pool(3, 3), 4) is None


def test_a_larger_gang_takes_whole_empty_domains_and_the_fullest_for_its_remainder():
    assert pack(pool(4, 3, 4, 2, 4), 10) == ((0, 4), (2, 4), (3, 2))


def test_the_remainder_does_not_go_to_a_domain_that_the_gang_already_fills():
    assert pack(pool(4, 4), 5) == ((0, 4), (1, 1))
    assert pack(pool(4, 0), 5) is None


def test_a_larger_gang_waits_for_wholly_empty_domains():
    assert pack(pool(4, 3, 3), 8) is None


def test_a_larger_gang_waits_for_a_domain_that_fits_its_remainder():
    assert pack(pool(4, 1, 1), 6) is None


def test_avoided_domains_are_not_used():
    assert pack(pool(2, 3, 4), 2, avoid=0b001) == ((1, 2),)
    assert pack(pool(4, 4, 4), 5, avoid=0b001) == ((1, 4), (2, 1))
    assert pack(pool(4, 4), 1, avoid=0b11) is None


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(1, 24))
def test_a_placement_is_free_and_complete_and_no_part_is_smaller_than_the_smallest(free_by_domain, chips):
    free = pool(*free_by_domain)
    placement = pack(free, chips)
    whole, rest = divmod(chips, 4)
    empty = free_by_domain.count(4)
    fitting = sum(have >= rest for have in free_by_domain)
    assert (placement is not None) == (empty >= whole and (rest == 0 or fitting >= whole + 1))
    if placement is not None:
        assert sum(taken for _, taken in placement) == chips
        assert len({domain for domain, _ in placement}) == len(placement)
        assert all(taken <= free_by_domain[domain] for domain, taken in placement)
        assert min(taken for _, taken in placement) == pack_smallest_part(chips, 4)


@pytest.mark.parametrize(("chips", "part"), [(1, 1), (4, 4), (5, 1), (8, 4), (11, 3)])
def test_the_smallest_part_is_the_gang_its_remainder_or_a_whole_domain(chips, part):
    assert pack_smallest_part(chips, 4) == part
