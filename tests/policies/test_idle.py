"""Why chips are idle while gangs wait: the rule by hand, and against the same rule one gang and one chip at a time."""

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.idle import Bins, Idle, why_idle
from policies.placement import PACK, SPREAD, pack
from topologies.free import FreeChips
from topologies.headroom import Headroom
from topologies.limits import Limit
from topologies.plant import Shape


def shape(chips, pools=(0,), draw_nw=0):
    return Shape(pools, chips, (1.0,) * len(pools), (draw_nw,) * len(pools))


def pools(*free, size=8):
    """A pool of one domain for each number of free chips."""
    found = []
    for domains in free:
        pool = FreeChips(len(domains), size)
        for at, chips in enumerate(domains):
            if chips < size:
                pool.take(((at, size - chips),))
        found.append(pool)
    return found


def test_each_idle_chip_has_the_first_reason_that_holds():
    free, feed = pools([3, 3], [8]), Headroom(40, ())
    big, small, other = shape(8, (0,), 10), shape(2, (0,), 10), shape(4, (1,), 10)
    # one small gang has a seat and takes 20 of the 40 nW; then two single chips of the big gang have power, two more
    # of it have none, and nobody but the other one may use the second pool, which has no power left
    assert why_idle(free, feed, PACK, {big: 1, small: 1, other: 1}, {small: 1}) == [
        Idle(0, 0, 2, 2, 2),
        Idle(0, 4, 4, 0, 0),
    ]


def test_a_job_that_could_go_to_several_pools_explains_each_of_its_chips_once():
    free = pools([2], [2], [2])
    assert why_idle(free, Headroom(None, ()), PACK, {shape(3, (0, 1, 2)): 1}, {}) == [
        Idle(0, 0, 0, 2, 0),
        Idle(1, 0, 0, 1, 0),
        Idle(2, 0, 0, 0, 0),
    ]


def test_those_with_the_least_choice_come_first():
    free = pools([4], [4])
    anywhere, first = shape(4, (0, 1)), shape(4, (0,))
    assert why_idle(free, Headroom(None, ()), PACK, {anywhere: 1, first: 1}, {anywhere: 1, first: 1}) == [
        Idle(0, 0, 0, 0, 4),
        Idle(0, 0, 0, 0, 4),
    ]


def test_chips_under_a_level_without_power_have_none():
    free, limits = pools([8, 8]), (Limit("PDU 0", 30, (0b01,)), Limit("PDU 1", 1000, (0b10,)))
    assert why_idle(free, Headroom(None, limits), PACK, {shape(16, (0,), 10): 1}, {}) == [Idle(0, 0, 5, 11, 0)]


@given(
    st.lists(st.integers(0, 8), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(1, 20), st.integers(1, 6)), max_size=5),
)
def test_many_gangs_at_a_time_find_the_seats_that_pack_finds_one_by_one(levels, gangs):
    (free,) = pools(levels)
    bins = Bins.of(free)
    for chips, most in gangs:
        found = 0
        while found < most and (placed := pack(free, chips)) is not None:
            free.take(placed)
            found += 1
        assert bins.pack(chips, most) == found
        assert {level: count for level, count in bins.domains.items() if level and count} == Bins.of(free).domains


def one_by_one(free, feed_nw, placer, waiting, held):
    """The same rule with every gang and chip on its own, without levels below the feed."""
    free, demand = [pool.copy() for pool in free], {one: count * one.chips for one, count in waiting.items()}
    counts = [[0] * len(free) for _ in range(4)]
    for one in sorted(held, key=lambda one: len(one.pools)):
        for _ in range(held[one]):
            for pool, draw_nw in zip(one.pools, one.draw_nw, strict=True):
                placed = placer.place(free[pool], one.chips, 0)
                if placed is not None and one.chips * draw_nw <= feed_nw:
                    free[pool].take(placed)
                    feed_nw -= one.chips * draw_nw
                    counts[0][pool] += one.chips
                    demand[one] -= one.chips
                    break
    left = [pool.free for pool in free]
    for reason in (1, 2, 3):
        for one in sorted(demand, key=lambda one: len(one.pools)):
            for pool in one.pools if reason < 3 else range(len(free)):
                draw_nw = one.draw_nw[0] if reason == 1 else 0
                while demand[one] and left[pool] and draw_nw <= feed_nw:
                    feed_nw -= draw_nw
                    left[pool] -= 1
                    demand[one] -= 1
                    counts[reason][pool] += 1
    return [Idle(*row) for row in zip(left, *reversed(counts), strict=True)]


SHAPES = [shape(chips, of, draw) for chips in (1, 3, 8, 12) for of in ((0,), (1,), (0, 1)) for draw in (1, 4)]


@settings(max_examples=300)
@given(
    st.lists(st.lists(st.integers(0, 8), min_size=1, max_size=4), min_size=2, max_size=2),
    st.sampled_from([0, 7, 20, 10_000]),
    st.sampled_from([PACK, SPREAD]),
    st.dictionaries(st.sampled_from(SHAPES), st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=5),
)
def test_the_walk_by_shapes_is_the_walk_by_gangs_and_chips(levels, feed_nw, placer, queue):
    free = pools(*levels)
    waiting = {one: count for one, (count, _) in queue.items()}
    held = {one: count for one, (count, sits) in queue.items() if sits}
    before = [list(pool.by_domain) for pool in free]
    found = why_idle(free, Headroom(feed_nw, ()), placer, waiting, held)
    assert found == one_by_one(free, feed_nw, placer, waiting, held)
    assert [sum(row) for row in found] == [pool.free for pool in free]
    assert [list(pool.by_domain) for pool in free] == before


def test_below_no_power_at_all_not_even_who_draws_nothing_has_power_to_start():
    # a cap that falls below what the site draws anyway leaves less than nothing; nobody is started then
    free, plain, other = pools([8], [8]), shape(6, (0,), 0), shape(4, (1,), 10)
    for held in ({}, {plain: 1}, {plain: 1, other: 1}):
        found = why_idle(free, Headroom(-5, ()), PACK, {plain: 1, other: 1}, held)
        assert found == [Idle(2, 0, 6, 0, 0), Idle(4, 0, 4, 0, 0)]
