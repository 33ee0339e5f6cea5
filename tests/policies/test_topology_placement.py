"""The placement by topology: no other has fewer domains, and of those none has fewer groups of the fabric."""

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.groups import fewest
from policies.topology import cuts, topology
from topologies.boxes import Box
from topologies.domains import even_part
from topologies.free import FreeChips
from topologies.tori import Torus

SIZE = 4
RING = Torus((12,), (96e9,))


def pool(free_by_domain, groups=(), pods=(), size=SIZE):
    free = FreeChips(len(free_by_domain), size, groups=groups, pods=pods)
    free.take(tuple((domain, size - chips) for domain, chips in enumerate(free_by_domain) if chips < size))
    return free


@st.composite
def pools(draw):
    """Free chips by domain, and the groups as bits: each domain is in one of at most four."""
    free_by_domain = draw(st.lists(st.integers(0, SIZE), min_size=1, max_size=7))
    of = [draw(st.integers(0, 3)) for _ in free_by_domain]
    groups = [sum(1 << at for at, group in enumerate(of) if group == number) for number in range(4)]
    return free_by_domain, tuple(group for group in groups if group)


def ways(free_by_domain, chips):
    """All placements there are: even parts of the fewest domains, whole ones and a rest, or the largest equal parts."""
    domains = range(len(free_by_domain))
    splits = [(chips, 1, 0)] if chips <= SIZE else [(SIZE, *divmod(chips, SIZE))]
    even = even_part(chips, SIZE)
    if even is not None:
        splits = [(even, chips // even, 0), *splits]
    splits += [(part, chips // part, 0) for part in range(min(chips, SIZE) - 1, 0, -1) if chips % part == 0]
    for part, parts, rest in splits:
        found = [
            [*[(at, part) for at in chosen], *([(last, rest)] if rest else [])]
            for chosen in combinations([at for at in domains if free_by_domain[at] >= part], parts)
            for last in ([at for at in domains if at not in chosen and free_by_domain[at] >= rest] if rest else [None])
        ]
        if found:
            return found
    return []


def spanned(groups, placement):
    return sum(any(group >> at & 1 for at, _ in placement) for group in groups)


@settings(derandomize=True, deadline=None, max_examples=500)
@given(pools(), st.integers(1, 20))
def test_no_other_placement_has_fewer_domains_nor_as_few_in_fewer_groups(state, chips):
    free_by_domain, groups = state
    placement = topology(pool(free_by_domain, groups), chips)
    found = ways(free_by_domain, chips)
    assert (placement is None) == (not found)
    if placement is not None:
        assert sorted(placement) in [sorted(way) for way in found]
        assert len(placement) == min(map(len, found))
        assert spanned(groups, placement) == min(spanned(groups, way) for way in found)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(pools(), st.integers(1, 20), st.integers(1, 3))
def test_pods_cost_no_group_and_one_pod_is_enough_where_it_can_be(state, chips, cut):
    free_by_domain, groups = state
    pods = tuple(pod for pod in (sum(groups[:cut]), sum(groups[cut:])) if pod)
    placement = topology(pool(free_by_domain, groups, pods), chips)
    found = ways(free_by_domain, chips)
    if placement is not None and len(placement) > 1:
        least = min(spanned(groups, way) for way in found)
        assert spanned(groups, placement) == least
        assert spanned(pods, placement) == min(spanned(pods, way) for way in found if spanned(groups, way) == least)


def test_without_a_network_large_gangs_take_the_lowest_whole_domains():
    assert topology(pool([4, 3, 4, 2, 4]), 10) == ((0, 4), (2, 4), (3, 2))
    assert topology(pool([4, 1, 3, 2]), 2) == ((3, 2),)


def test_a_gang_goes_to_the_fullest_group_that_holds_it_and_leaves_the_empty_one_whole():
    free = pool([4, 4, 4, 0, 4, 4, 4, 4], groups=(0b0000_1111, 0b1111_0000))
    assert topology(free, 8) == ((0, 4), (1, 4))
    assert topology(free, 16) == ((4, 4), (5, 4), (6, 4), (7, 4))
    assert topology(free, 3) == ((0, 3),)


def test_one_domain_is_taken_from_the_group_with_the_fewest_empty_ones():
    free = pool([4, 4, 0, 4], groups=(0b0011, 0b1100))
    assert topology(free, 4) == ((3, 4),)


def test_a_group_with_room_for_the_remainder_goes_before_a_fuller_one_without():
    free = pool([4, 0, 4, 2, 4], groups=(0b00011, 0b11100))
    assert topology(free, 6) == ((2, 4), (3, 2))


def test_it_does_not_wait_for_whole_domains():
    assert topology(pool([3, 3, 2, 1]), 6) == ((0, 3), (1, 3))
    assert topology(pool([2, 3, 1]), 4) == ((0, 2), (1, 2))
    assert topology(pool([1, 1, 1]), 3) == ((0, 1), (1, 1), (2, 1))
    assert topology(pool([2, 2, 2]), 5) is None


def test_equal_parts_come_from_the_fullest_domains_of_a_group():
    assert topology(pool([3, 2, 2, 3], groups=(0b1111,)), 4) == ((1, 2), (2, 2))


def test_in_a_torus_a_domain_with_a_box_goes_before_a_fuller_one_without():
    free = FreeChips(2, 12, torus=RING)
    free.take(((0, Box(6, 0b0101_0101_0101)), (1, Box(2, 0b11))))
    ((domain, part),) = topology(free, 3)
    assert (domain, part.mask) == (1, 0b11100)
    ((domain, part),) = topology(free, 3, avoid=0b10)
    assert (domain, part.mask) == (0, 0b10_1010)


def test_cuts_are_whole_domains_and_a_remainder_then_ever_smaller_divisors():
    assert cuts(6, 4) == ((4, 1, 2), (3, 2, 0), (2, 3, 0), (1, 6, 0))
    assert cuts(4, 4) == ((4, 1, 0), (2, 2, 0), (1, 4, 0))
    assert cuts(8, 4) == ((4, 2, 0), (2, 4, 0), (1, 8, 0))


def test_no_groups_are_chosen_where_they_hold_too_few_domains():
    assert fewest((0b0011, 0b1100), (), able=0b0111, count=4) == []
    assert fewest((0b0011, 0b1100), (), able=0b0111, count=3, last=0b0111) == []
    assert fewest((0b0011, 0b1100), (), able=0b0111, count=3, last=0b1111) == [0b0011, 0b1100]


def test_thousands_of_domains_in_hundreds_of_groups():
    groups = tuple(0xFFFF << 16 * number for number in range(256))
    pods = tuple(((1 << 512) - 1) << 512 * number for number in range(8))
    free = FreeChips(4096, 8, groups=groups, pods=pods)
    free.take(tuple((16 * number, 8) for number in range(0, 256, 3)))
    placement = topology(free, 8 * 100 + 3)
    assert len(placement) == 101
    assert spanned(groups, placement) == 7
    assert spanned(pods, placement) == 1
