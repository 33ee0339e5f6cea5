"""Fragmentation and first-fit: where gangs go, and that the first never leaves more unusable than pack does."""

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.fragmentation import fragmentation, mix_of, seeing, unusable
from policies.placement import first_fit, pack
from topologies.free import FreeChips


def pool(*free_by_domain, size=4):
    free = FreeChips(len(free_by_domain), size)
    free.take(tuple((domain, size - chips) for domain, chips in enumerate(free_by_domain) if chips < size))
    return free


def test_first_fit_takes_the_first_domain_that_fits_and_the_first_empty_ones():
    assert first_fit(pool(1, 4, 2), 2) == ((1, 2),)
    assert first_fit(pool(1, 4, 2, 4), 8) == ((1, 4), (3, 4))
    assert first_fit(pool(3, 4, 2), 6) == ((1, 4), (0, 2))
    assert first_fit(pool(3, 3), 4) is None
    assert first_fit(pool(4, 1), 6) is None
    assert first_fit(pool(4, 4), 2, avoid=0b01) == ((1, 2),)


def test_free_chips_that_are_too_few_for_a_gang_are_unusable_to_it():
    """Two gangs of 1, one of 3, and one of 8 that needs a domain of 4 whole."""
    assert unusable({1: 2, 3: 1, 8: 1}, 4) == [0, 2, 4, 3, 0]


def test_the_mix_is_that_of_the_gangs_that_run_or_wait(site):
    racks = site((2, 4), (1, 4))
    racks.runs(2, 100)
    racks.runs(1, 100, pool=1)
    racks.waits(2, 50)
    racks.waits(8, 50, pools=(0,))
    assert mix_of(racks.view()) == {2: 2, 1: 1, 8: 1}


def test_a_gang_breaks_three_free_chips_and_not_a_pair_that_pairs_ask_for(site):
    racks = site((3, 4))
    racks.runs(2, 100, domain=0)
    racks.runs(1, 100, domain=1)
    racks.waits(2, 50)
    place = seeing(racks.view()).place
    assert pack(racks.free[0], 1) == ((0, 1),)
    assert place(racks.free[0], 1, 0) == ((1, 1),)


SMALL = st.lists(st.integers(0, 4), min_size=1, max_size=6)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(free_by_domain=SMALL, waiting=st.lists(st.integers(1, 12), max_size=5), chips=st.integers(1, 24))
def test_no_other_domain_for_a_gang_leaves_less_unusable(free_by_domain, waiting, chips, site):
    racks = site((3, 4))
    for size in waiting:
        racks.waits(size, 1)
    free = pool(*free_by_domain)
    placed = seeing(racks.view()).place(free, chips, 0)
    assert (placed is None) == (pack(free, chips) is None)
    if placed is None or chips > 4:
        return
    lost = unusable(mix_of(racks.view()), 4)
    ((chosen, _),) = placed
    grows = {at: lost[have - chips] - lost[have] for at, have in enumerate(free_by_domain) if have >= chips}
    assert grows[chosen] == min(grows.values())


@settings(derandomize=True, deadline=None, max_examples=200)
@given(free_by_domain=SMALL, chips=st.integers(1, 24), avoid=st.integers(0, 63))
def test_without_any_gangs_it_is_pack(free_by_domain, chips, avoid):
    free = pool(*free_by_domain)
    assert fragmentation(free, chips, avoid) == pack(free, chips, avoid)
