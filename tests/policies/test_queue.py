"""The queue by shapes: its order, its head, its counts, and walks that leave jobs out."""

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.order import fifo, sjf
from policies.queue import Queue, QueuedJob
from topologies.plant import Shape


def one_pool(chips):
    return Shape((0,), chips, pace_s=(1.0,), draw_nw=(0,))


JOBS = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3), st.integers(1, 4)), max_size=12).map(
    lambda rows: [QueuedJob(row, one_pool(chips), submit, est) for row, (chips, submit, est) in enumerate(rows)]
)
ORDERS = st.sampled_from([fifo, sjf])


NOW = None  # a static order looks at no view


def by_submission(jobs):
    return sorted(jobs, key=lambda job: (job.submit_s, job.row))


def queue_of(jobs, order=fifo):
    queue = Queue(order)
    for job in jobs:
        queue.add(job)
    return queue


def walked(queue):
    walk, found = queue.walk(NOW, []), []
    for job in walk:
        found.append(job)
        walk.next()
    return found


def test_orders_read_the_submission_and_the_estimate():
    job = QueuedJob(1, one_pool(1), 5.0, 60.0)
    assert fifo(job) == 5.0
    assert sjf(job) == 60.0


@settings(derandomize=True, deadline=None)
@given(JOBS, ORDERS)
def test_a_walk_meets_every_job_in_order(jobs, order):
    expected = sorted(jobs, key=lambda job: (order(job), job.submit_s, job.row))
    queue = queue_of(jobs, order)
    assert walked(queue) == expected
    assert list(queue.in_order(jobs, NOW, [])) == expected
    assert queue.head(NOW) == (expected[0] if expected else None)


@settings(derandomize=True, deadline=None)
@given(JOBS, ORDERS, st.randoms(use_true_random=False))
def test_removed_jobs_are_gone_and_the_others_stay(jobs, order, random):
    queue, left = queue_of(jobs, order), list(jobs)
    while left:
        job = left.pop(random.randrange(len(left)))
        queue.remove(job)
        assert sorted(walked(queue)) == sorted(left)
        assert queue.jobs == len(left)
        assert queue.chips == sum(job.shape.chips for job in left)
        assert set(queue.lanes) == {job.shape for job in left}
        for lane in queue.lanes.values():
            assert lane.estimates == sorted(job.estimate for job in lane.jobs)


@settings(derandomize=True, deadline=None)
@given(JOBS, st.integers(1, 3))
def test_a_walk_that_leaves_a_shape_meets_nobody_else_of_it(jobs, chips):
    walk, found = queue_of(jobs).walk(NOW, []), []
    for job in walk:
        found.append(job)
        if job.shape.chips == chips:
            walk.leave()
        else:
            walk.next()
    inside = [job for job in by_submission(jobs) if job.shape.chips == chips]
    assert found == [job for job in by_submission(jobs) if job not in inside[1:]]


@settings(derandomize=True, deadline=None)
@given(JOBS, st.integers(0, 4))
def test_a_walk_within_a_time_meets_the_first_of_each_shape_and_then_the_short_ones(jobs, longest_s):
    walk, found = queue_of(jobs).walk(NOW, []), []
    for job in walk:
        found.append(job)
        walk.next_ending_by(0.0, longest_s)
    first = {}
    for job in by_submission(jobs):
        first.setdefault(job.shape, job)
    expected = [job for job in by_submission(jobs) if job is first[job.shape] or job.estimate_s(0) <= longest_s]
    assert found == expected


def test_an_empty_queue_has_no_head():
    assert Queue(fifo).head(NOW) is None
