"""EASY on P processors against a second implementation that counts processors and knows no placement."""

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.ageing import Ageing, unicef, wfp3
from policies.easy import easy
from policies.order import fifo, sjf

NOW_S = 10


def easy_by_count(processors, now_s, running, waiting):
    """The waiting (row, processors, request) that start now, in order; running are (processors, planned end)."""
    free = processors - sum(procs for procs, _ in running)
    ends = [(max(end_s, now_s), procs) for procs, end_s in running]
    started = []
    queue = list(waiting)
    while queue and queue[0][1] <= free:
        row, procs, request_s = queue.pop(0)
        started.append(row)
        ends.append((now_s + request_s, procs))
        free -= procs
    if not queue:
        return started
    head = queue.pop(0)[1]
    shadow_s = min(at for at, _ in ends if free_at(at, free, ends) >= head)
    extra = free_at(shadow_s, free, ends) - head
    for row, procs, request_s in queue:
        if procs > free:
            continue
        if now_s + request_s > shadow_s:
            if procs > extra:
                continue
            extra -= procs
        started.append(row)
        free -= procs
    return started


def free_at(time_s, free, ends):
    return free + sum(procs for end_s, procs in ends if end_s <= time_s)


@st.composite
def states(draw):
    """Processors, running and waiting jobs on few distinct times, so that many of them tie."""
    processors = draw(st.integers(1, 12))
    running, used = [], 0
    for procs, end_s in draw(st.lists(st.tuples(st.integers(1, 6), st.integers(6, 18)), max_size=8)):
        if used + procs <= processors:
            running.append((procs, end_s))
            used += procs
    job = st.tuples(st.integers(1, processors), st.integers(1, 9), st.integers(0, 3))
    return processors, running, draw(st.lists(job, max_size=10))


def both(site, state, order):
    """The rows that start under policies.easy and by count."""
    processors, running, jobs = state
    cpu = site((1, processors), order=order, now_s=NOW_S)
    for procs, end_s in running:
        assert cpu.runs(procs, end_s)
    waiting = []
    for procs, request_s, submit_s in jobs:
        row = cpu.waits(procs, request_s, submit_s=submit_s)
        first = submit_s if order is fifo else request_s
        if isinstance(order, Ageing):
            first = order.value(NOW_S - submit_s, request_s, procs)
        waiting.append((first, submit_s, row, procs, request_s))
    by_count = easy_by_count(processors, NOW_S, running, [(row, *job) for _, _, row, *job in sorted(waiting)])
    return cpu.starts(easy), by_count


@settings(derandomize=True, deadline=None, max_examples=600)
@given(state=states())
def test_easy_starts_the_jobs_that_counting_processors_starts(state, site):
    decided, by_count = both(site, state, fifo)
    assert decided == by_count


@settings(derandomize=True, deadline=None, max_examples=300)
@given(state=states())
def test_easy_by_shortest_first_starts_the_jobs_that_counting_processors_starts(state, site):
    decided, by_count = both(site, state, sjf)
    assert decided == by_count


@settings(derandomize=True, deadline=None, max_examples=300)
@given(state=states(), value=st.sampled_from([wfp3, unicef]))
def test_easy_by_values_of_now_starts_the_jobs_that_counting_processors_starts(state, value, site):
    decided, by_count = both(site, state, Ageing(value))
    assert decided == by_count


def test_both_let_jobs_pass_by_either_rule_and_hold_one_that_meets_neither(site):
    """Rows: 0 is the head, 1 takes what is left over, 2 finds nothing left over, 3 ends at the shadow time."""
    jobs = [(4, 5, 0), (1, 9, 0), (1, 9, 1), (1, 4, 1)]
    assert both(site, (5, [(3, 14)], jobs), fifo) == ([1, 3], [1, 3])
