"""Without a reservation: nobody passes a head that does not fit, or everybody who fits does."""

import pytest

from policies.backfill import greedy, none
from policies.easy import easy
from policies.order import sjf
from policies.view import FRAGMENTED, NO_ROOM


def test_none_starts_jobs_until_the_head_does_not_fit(site):
    cpu = site((1, 4))
    cpu.waits(2, 10)
    cpu.waits(3, 10)
    cpu.waits(1, 10)
    assert cpu.starts(none) == [0]
    assert cpu.reasons(none) == {3: NO_ROOM}


def test_greedy_starts_whatever_fits_in_order(site):
    cpu = site((1, 4))
    cpu.waits(2, 10)
    cpu.waits(3, 10)
    cpu.waits(1, 1_000)
    cpu.waits(2, 10)
    cpu.waits(1, 1_000)
    assert cpu.starts(greedy) == [0, 2, 4]
    assert cpu.reasons(greedy) == {3: NO_ROOM, 2: NO_ROOM}


@pytest.mark.parametrize("backfill", [none, greedy, easy])
def test_an_empty_queue_starts_nothing(backfill, site):
    decisions = site((1, 4)).decide(backfill)
    assert decisions.starts == []
    assert decisions.blocked == {}


@pytest.mark.parametrize("backfill", [none, greedy, easy])
def test_a_queue_that_fits_starts_in_order_of_submission(backfill, site):
    cpu = site((1, 4))
    for submit_s in (3, 1, 1, 2):
        cpu.waits(1, 10, submit_s=submit_s)
    assert cpu.starts(backfill) == [1, 2, 3, 0]


@pytest.mark.parametrize("backfill", [none, greedy, easy])
def test_shortest_first_starts_by_estimate_then_submission_then_row(backfill, site):
    cpu = site((1, 4), order=sjf)
    for estimate_s, submit_s in ((20, 0), (10, 5), (10, 4), (10, 4)):
        cpu.waits(1, estimate_s, submit_s=submit_s)
    assert cpu.starts(backfill) == [2, 3, 1, 0]


@pytest.mark.parametrize("backfill", [none, greedy, easy])
def test_free_chips_in_pieces_are_called_fragmented_and_too_few_no_room(backfill, site):
    pieces = site((2, 4))
    pieces.runs(2, 100, domain=0)
    pieces.runs(2, 100, domain=1)
    pieces.waits(4, 10)
    assert pieces.reasons(backfill) == {4: FRAGMENTED}
    pieces.runs(1, 100)
    assert pieces.reasons(backfill) == {4: NO_ROOM}


@pytest.mark.parametrize("backfill", [none, greedy, easy])
def test_a_gang_goes_to_the_first_of_its_pools_that_has_a_place(backfill, site):
    two = site((1, 4), (1, 4))
    two.runs(3, 100, pool=0)
    two.waits(2, 10)
    two.waits(1, 10)
    two.waits(1, 10, pools=(1,))
    assert two.places(backfill) == {0: (1, ((0, 2),)), 1: (0, ((0, 1),)), 2: (1, ((0, 1),))}


@pytest.mark.parametrize("backfill", [none, greedy])
def test_starts_are_packed_one_after_the_other(backfill, site):
    racks = site((2, 4))
    racks.waits(3, 10)
    racks.waits(2, 10)
    racks.waits(1, 10)
    assert racks.places(backfill) == {0: (0, ((0, 3),)), 1: (0, ((1, 2),)), 2: (0, ((0, 1),))}
