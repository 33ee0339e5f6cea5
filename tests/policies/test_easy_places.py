"""EASY on domains and on several pools: the reservation is a place, and others keep out of it."""

from policies.easy import easy
from policies.view import HELD, NO_ROOM
from topologies.free import domain_bits


def test_a_long_job_is_moved_off_the_domain_of_the_head(site):
    racks = site((2, 4))
    racks.runs(3, 100, domain=0)
    racks.runs(2, 500, domain=1)
    racks.waits(4, 50)
    racks.waits(1, 1_000)
    assert racks.places(easy) == {1: (0, ((1, 1),))}


def test_a_short_job_may_sit_where_the_head_will(site):
    racks = site((2, 4))
    racks.runs(3, 100, domain=0)
    racks.runs(2, 500, domain=1)
    racks.waits(4, 50)
    racks.waits(1, 100)
    assert racks.places(easy) == {1: (0, ((0, 1),))}


def test_a_long_job_is_held_if_only_the_domain_of_the_head_has_room_now(site):
    """Two chips will be left over at the shadow time, but they are busy now: a count alone would let it pass."""
    racks = site((2, 4))
    racks.runs(3, 100, domain=0)
    racks.runs(2, 100, domain=1)
    racks.runs(2, 500, domain=1)
    racks.waits(4, 50)
    racks.waits(1, 1_000)
    assert racks.places(easy) == {}
    assert racks.reasons(easy) == {4: NO_ROOM, 1: HELD}


def test_a_long_job_may_take_the_domain_of_the_head_if_the_head_fits_elsewhere_by_then(site):
    racks = site((2, 4))
    racks.runs(3, 100, domain=0)
    racks.runs(4, 100, domain=1)
    racks.waits(4, 50)
    racks.waits(1, 1_000)
    decisions = racks.decide(easy)
    assert [(start.job.row, start.placement) for start in decisions.starts] == [(1, ((0, 1),))]
    assert decisions.memo.reservation.domains == 0b10


def test_the_reserved_domains_are_those_of_the_seat(site):
    racks = site((3, 4))
    racks.runs(1, 500, domain=0)
    racks.runs(4, 100, domain=1)
    racks.runs(4, 200, domain=2)
    racks.waits(8, 50)
    racks.waits(1, 10)
    reservation = racks.decide(easy).memo.reservation
    assert reservation.shadow_s == 200
    assert reservation.domains == domain_bits(((1, 4), (2, 4)))


def test_enough_chips_in_pieces_do_not_make_a_shadow_time(site):
    """At 100 four chips are free, two a domain; the head needs the four of one domain and waits until 200."""
    racks = site((2, 4))
    racks.runs(1, 100, domain=0)
    racks.runs(2, 200, domain=0)
    racks.runs(2, 100, domain=1)
    racks.runs(2, 300, domain=1)
    racks.waits(4, 50)
    racks.waits(1, 200)
    decisions = racks.decide(easy)
    assert decisions.memo.reservation.shadow_s == 200
    assert [start.job.row for start in decisions.starts] == [1]


def test_the_head_is_reserved_the_earliest_pool_and_others_are_free_in_the_other(site):
    two = site((1, 4), (1, 4))
    two.runs(3, 200, pool=0)
    two.runs(3, 100, pool=1)
    two.waits(4, 50)
    two.waits(1, 1_000)
    two.waits(1, 1_000)
    two.waits(1, 100)
    decisions = two.decide(easy)
    assert (decisions.memo.reservation.pool, decisions.memo.reservation.shadow_s) == (1, 100)
    assert two.places(easy) == {1: (0, ((0, 1),)), 3: (1, ((0, 1),))}
    assert two.reasons(easy) == {4: NO_ROOM, 1: NO_ROOM}


def test_pools_that_tie_give_the_reservation_to_the_first(site):
    two = site((1, 4), (1, 4))
    two.runs(3, 100, pool=0)
    two.runs(3, 100, pool=1)
    two.waits(4, 50)
    two.waits(1, 1_000)
    assert two.decide(easy).memo.reservation.pool == 0


def test_a_long_job_that_would_delay_the_head_goes_to_another_pool(site):
    two = site((1, 4), (1, 4))
    two.runs(3, 100, pool=0)
    two.runs(3, 100, pool=1)
    two.waits(4, 50)
    two.waits(1, 1_000)
    assert two.places(easy) == {1: (1, ((0, 1),))}


def test_a_long_job_with_no_other_pool_is_held(site):
    two = site((1, 4), (1, 4))
    two.runs(3, 100, pool=0)
    two.runs(3, 100, pool=1)
    two.waits(4, 50)
    two.waits(1, 1_000, pools=(0,))
    assert two.places(easy) == {}


def test_a_head_of_one_pool_holds_nobody_in_another(site):
    two = site((1, 4), (1, 4))
    two.runs(3, 100, pool=0)
    two.waits(4, 50, pools=(0,))
    two.waits(4, 1_000, pools=(1,))
    assert two.places(easy) == {1: (1, ((0, 4),))}
