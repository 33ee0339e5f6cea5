"""The free-capacity index against a plain list of free chips by domain."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies.free import FreeChips, domain_bits


@st.composite
def pools(draw):
    """The size of a pool and how its free chips change: each change names some domains' new free chips."""
    domains, size = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    change = st.dictionaries(st.integers(0, domains - 1), st.integers(0, size), max_size=3)
    return domains, size, draw(st.lists(change, max_size=8))


def move(index, listed, change):
    """Bring the index and the list to the new free chips by one take and one give."""
    index.take(tuple((domain, listed[domain] - now) for domain, now in change.items() if now < listed[domain]))
    index.give(tuple((domain, now - listed[domain]) for domain, now in change.items() if now > listed[domain]))
    for domain, now in change.items():
        listed[domain] = now


def moved(pool):
    domains, size, changes = pool
    index, listed = FreeChips(domains, size), [size] * domains
    for change in changes:
        move(index, listed, change)
    return index, listed


def in_each(index, domains):
    return [index.in_domain(domain) for domain in range(domains)]


def counted(listed, avoid):
    return [(free, domain) for domain, free in enumerate(listed) if not avoid >> domain & 1]


@settings(derandomize=True, deadline=None)
@given(pools())
def test_free_chips_are_those_of_the_list(pool):
    index, listed = moved(pool)
    assert in_each(index, len(listed)) == listed
    assert index.free == sum(listed)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(pools(), st.integers(1, 6), st.integers(0, 63))
def test_fullest_is_the_first_of_the_domains_with_the_fewest_chips_that_fit(pool, chips, avoid):
    index, listed = moved(pool)
    fitting = [pair for pair in counted(listed, avoid) if pair[0] >= chips]
    assert index.fullest(chips, avoid) == (min(fitting)[1] if fitting else -1)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(pools(), st.integers(1, 6), st.integers(0, 63))
def test_empty_is_the_lowest_wholly_free_domains_or_none_of_them(pool, count, avoid):
    index, listed = moved(pool)
    whole = [domain for free, domain in counted(listed, avoid) if free == pool[1]]
    assert index.empty(count, avoid) == (whole[:count] if len(whole) >= count else [])


@settings(derandomize=True, deadline=None)
@given(pools(), st.integers(1, 6))
def test_chips_in_domains_of_a_size_leave_the_smaller_rests_out(pool, chips):
    index, listed = moved(pool)
    assert index.in_domains_of(chips) == sum(free for free in listed if free >= chips)


@settings(derandomize=True, deadline=None)
@given(pools(), st.data())
def test_a_copy_and_its_original_do_not_see_each_other_change(pool, data):
    original, listed = moved(pool)
    twin, twin_listed = original.copy(), listed.copy()
    change = st.dictionaries(st.integers(0, pool[0] - 1), st.integers(0, pool[1]), min_size=1)
    move(original, listed, data.draw(change))
    move(twin, twin_listed, data.draw(change))
    for index, expected in ((original, listed), (twin, twin_listed)):
        assert in_each(index, pool[0]) == expected
        assert index.free == sum(expected)
        for chips in range(1, pool[1] + 1):
            assert index.in_domains_of(chips) == sum(free for free in expected if free >= chips)


def test_taking_more_than_a_domain_has_free_raises_and_takes_nothing():
    index = FreeChips(2, 4)
    index.take(((1, 3),))
    with pytest.raises(ValueError, match="domain 1 has 4 chips; -1 of them would be free"):
        index.take(((1, 2),))
    assert in_each(index, 2) == [4, 1]
    assert index.free == 5


def test_giving_more_than_a_domain_holds_raises_and_gives_nothing():
    index = FreeChips(2, 4)
    index.take(((0, 1),))
    with pytest.raises(ValueError, match="domain 0 has 4 chips; 5 of them would be free"):
        index.give(((0, 2),))
    assert in_each(index, 2) == [3, 4]
    assert index.free == 7


@pytest.mark.parametrize(("domains", "size"), [(1, 100_000), (12_500, 8), (100_000, 1)])
def test_a_pool_of_100_000_chips_answers_at_its_last_domain(domains, size):
    index = FreeChips(domains, size)
    index.take(tuple((domain, size) for domain in index.empty(domains - 1)) if domains > 1 else ())
    assert index.free == size
    assert index.fullest(size) == domains - 1
    assert index.empty(1) == [domains - 1]
    index.take(((domains - 1, size),))
    assert index.fullest(1) == -1


def test_the_domains_of_a_placement_are_bits():
    assert domain_bits(((0, 8), (3, 1))) == 0b1001
    assert domain_bits(()) == 0
