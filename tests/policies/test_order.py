"""Static orders on jobs made by hand: what goes first, how ties go, and where a job that was stopped stands."""

import math

import pytest

from policies.order import LeastAttainedService, deadline, fifo, ljf, priority, sjf, smallest_first, srtf
from policies.queue import Past, QueuedJob
from policies.queues import queue_for
from topologies.plant import Shape

HOUR = 3600.0


def job(row, chips=1, submit_s=0.0, estimate=1.0, pace_s=1.0, **more):
    return QueuedJob(row, Shape((0,), chips, pace_s=(pace_s,), draw_nw=(0,)), submit_s, estimate, **more)


def rows(order, *jobs):
    """The rows in the order of a walk."""
    queue = queue_for(order)
    for one in jobs:
        queue.add(one)
    walk, found = queue.walk(None, []), []
    for one in walk:
        found.append(one.row)
        walk.next()
    for one in jobs:
        queue.remove(one)
    assert not queue.lanes
    return found


STATIC = [fifo, sjf, ljf, srtf, smallest_first, priority, deadline, LeastAttainedService((HOUR,))]


@pytest.mark.parametrize("order", STATIC)
def test_equals_go_by_submission_and_then_by_their_place_in_the_source(order):
    assert rows(order, job(2, submit_s=5.0), job(3, submit_s=4.0), job(1, submit_s=5.0)) == [3, 1, 2]


def test_the_shortest_goes_first_by_its_estimate_in_its_fastest_pool():
    slow = job(0, estimate=10.0, pace_s=2.0)
    assert rows(sjf, slow, job(1, estimate=15.0)) == [1, 0]
    assert rows(ljf, slow, job(1, estimate=15.0)) == [0, 1]


def test_a_stopped_job_counts_whole_for_sjf_and_with_what_is_left_for_srtf():
    stopped = job(0, estimate=5.0, past=Past(asked=100.0, first_start_s=0.0, held_s=95.0))
    other = job(1, estimate=50.0)
    assert rows(sjf, stopped, other) == [1, 0]
    assert rows(srtf, stopped, other) == [0, 1]
    assert rows(ljf, stopped, other) == [0, 1]


def test_the_smallest_gang_goes_first_whatever_its_estimate():
    assert rows(smallest_first, job(0, chips=8, estimate=1.0), job(1, chips=2, estimate=9.0)) == [1, 0]


def test_the_highest_priority_goes_first_and_negative_ones_behind_none():
    assert rows(priority, job(0, priority=-1), job(1), job(2, priority=3, submit_s=9.0)) == [2, 1, 0]


def test_the_earliest_deadline_goes_first_and_jobs_without_one_go_last():
    assert rows(deadline, job(0), job(1, submit_s=3.0, deadline_s=50.0), job(2, submit_s=4.0, deadline_s=40.0)) == [
        2,
        1,
        0,
    ]
    assert job(0).deadline_s == math.inf


def test_attained_service_is_chips_times_time_in_queues_and_by_first_start_inside_one():
    las = LeastAttainedService((HOUR, 10 * HOUR))
    fresh = job(0, submit_s=9.0)
    late = job(1, chips=2, past=Past(1.0, first_start_s=7.0, held_s=100.0))
    early = job(2, chips=1, submit_s=8.0, past=Past(1.0, first_start_s=6.0, held_s=HOUR - 1))
    much = job(3, chips=4, past=Past(1.0, first_start_s=1.0, held_s=HOUR))
    most = job(4, chips=10, past=Past(1.0, first_start_s=0.0, held_s=HOUR))
    assert rows(las, most, much, fresh, late, early) == [2, 1, 0, 3, 4]
    assert las(most)[0] == 2.0  # at the threshold a job has left its queue
