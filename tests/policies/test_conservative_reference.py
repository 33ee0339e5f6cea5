"""Conservative backfill on P processors against a second implementation: a table of free processors by whole second."""

from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.conservative import conservative
from policies.easy import easy
from policies.order import fifo, sjf

HORIZON_S = 400


class Table:
    """Free processors in each second, and for each waiting job (processors, request) the second it is reserved."""

    def __init__(self, processors):
        self.free = [processors] * HORIZON_S
        self.reserved = {}

    def change(self, start_s, end_s, by):
        for second in range(start_s, end_s):
            self.free[second] += by

    def earliest(self, now_s, procs, request_s):
        start_s = now_s
        while min(self.free[start_s : start_s + request_s]) < procs:
            start_s += 1
        return start_s

    def reserve(self, row, now_s, procs, request_s):
        self.reserved[row] = start_s = self.earliest(now_s, procs, request_s)
        self.change(start_s, start_s + request_s, -procs)

    def compress(self, now_s, jobs):
        """Each in order is taken out and put back at the earliest second; again until none has moved."""
        moved = True
        while moved:
            moved = False
            for row, procs, request_s in jobs:
                was = self.reserved[row]
                self.change(was, was + request_s, procs)
                self.reserve(row, now_s, procs, request_s)
                moved = moved or self.reserved[row] != was


def starts_by_table(processors, jobs, first=lambda job: job[0]):
    """The start of each (submit, processors, request, run), by row, and its first reservation."""
    table = Table(processors)
    starts, promised, ends = {}, {}, {}
    for now_s in range(HORIZON_S // 2):
        ended = [row for row, end_s in ends.items() if end_s == now_s]
        for row in ended:
            del ends[row]
            table.change(now_s, starts[row] + jobs[row][2], jobs[row][1])
        waiting = sorted(table.reserved, key=lambda row: (first(jobs[row]), jobs[row][0], row))
        arrived = [row for row, job in enumerate(jobs) if job[0] == now_s]
        new = [*arrived]
        if arrived:
            earliest = min((first(jobs[row]), jobs[row][0], row) for row in arrived)
            new += [row for row in waiting if (first(jobs[row]), jobs[row][0], row) > earliest]
        for row in set(new) & set(waiting):
            was = table.reserved.pop(row)
            table.change(was, was + jobs[row][2], jobs[row][1])
        if ended:
            table.compress(now_s, [(row, *jobs[row][1:3]) for row in waiting if row not in new])
        for row in sorted(new, key=lambda row: (first(jobs[row]), jobs[row][0], row)):
            table.reserve(row, now_s, *jobs[row][1:3])
            promised.setdefault(row, table.reserved[row])
        for row, start_s in list(table.reserved.items()):
            if start_s == now_s:
                starts[row] = now_s
                ends[row] = now_s + jobs[row][3]
                del table.reserved[row]
    assert len(starts) == len(jobs)
    return starts, promised


def starts_of(site, backfill, processors, jobs, order=fifo):
    """The starts that a policy decides, and under conservative the first reservations."""
    cpu = site((1, processors), order=order)
    starts, promised, ends = {}, {}, {}
    for now_s in range(HORIZON_S // 2):
        for row in [row for row, end_s in ends.items() if end_s == now_s]:
            del ends[row]
            cpu.ends(row)
        cpu.now_s = now_s
        for row, job in enumerate(jobs):
            if job[0] == now_s:
                assert cpu.waits(job[1], job[2], submit_s=now_s, row=row) == row
        if cpu.memo is not None and not cpu.arrived:
            continue
        decisions = cpu.decide(backfill)
        cpu.apply(decisions)
        if decisions.plan is not None:
            for row, promise in decisions.plan.promises.items():
                promised.setdefault(row, promise.start_s)
        for start in decisions.starts:
            row = start.job.row
            starts[row] = now_s
            promised.setdefault(row, now_s)
            ends[row] = now_s + jobs[row][3]
    return starts, promised


@st.composite
def lists(draw):
    """Processors and jobs as (submit, processors, request, run) on few distinct times; no run exceeds its request."""
    processors = draw(st.integers(1, 8))
    jobs = []
    for submit_s, procs, request_s, less_s in draw(
        st.lists(
            st.tuples(st.integers(0, 15), st.integers(1, processors), st.integers(1, 9), st.integers(0, 8)),
            min_size=1,
            max_size=14,
        )
    ):
        jobs.append((submit_s, procs, request_s, max(1, request_s - less_s)))
    return processors, sorted(jobs, key=lambda job: job[0])


@settings(derandomize=True, deadline=None, max_examples=600)
@given(given_list=lists())
def test_conservative_starts_every_job_when_a_table_of_free_processors_does(given_list, site):
    processors, jobs = given_list
    starts, promised = starts_of(site, conservative, processors, jobs)
    assert (starts, promised) == starts_by_table(processors, jobs)
    assert all(starts[row] <= promised[row] for row in starts)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(given_list=lists())
def test_by_shortest_first_it_starts_every_job_when_the_table_does(given_list, site):
    processors, jobs = given_list
    starts, _ = starts_of(site, conservative, processors, jobs, order=sjf)
    assert starts == starts_by_table(processors, jobs, first=lambda job: job[2])[0]


def test_easy_lets_a_job_delay_the_second_in_line_and_conservative_does_not(site):
    """Row 1 is the head until 4, row 2 the second until 8; row 3 fits beside row 1, but not beside row 2."""
    jobs = [(0, 3, 4, 4), (0, 4, 4, 4), (0, 5, 3, 3), (0, 1, 9, 9)]
    assert starts_of(site, easy, 5, jobs)[0] == {0: 0, 1: 4, 2: 9, 3: 0}
    assert starts_of(site, conservative, 5, jobs)[0] == {0: 0, 1: 4, 2: 8, 3: 11}


@settings(derandomize=True, deadline=None, max_examples=300)
@given(given_list=lists())
def test_with_the_depth_of_the_queue_it_is_itself(given_list, site):
    processors, jobs = given_list
    limited = partial(conservative, depth=len(jobs))
    assert starts_of(site, limited, processors, jobs) == starts_of(site, conservative, processors, jobs)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(given_list=lists())
def test_with_a_depth_of_one_it_is_easy(given_list, site):
    processors, jobs = given_list
    limited = partial(conservative, depth=1)
    assert starts_of(site, limited, processors, jobs)[0] == starts_of(site, easy, processors, jobs)[0]


def test_who_is_beyond_the_depth_may_be_delayed(site):
    """As above: row 1 alone is promised its start, then row 2 as well."""
    jobs = [(0, 3, 4, 4), (0, 4, 4, 4), (0, 5, 3, 3), (0, 1, 9, 9)]
    starts = {depth: starts_of(site, partial(conservative, depth=depth), 5, jobs)[0] for depth in (1, 2)}
    assert starts == {1: {0: 0, 1: 4, 2: 9, 3: 0}, 2: {0: 0, 1: 4, 2: 8, 3: 11}}


def test_what_is_promised_to_a_job_in_a_hole_is_kept_when_one_before_it_could_move_forward(site):
    """Row 0 ends at 2 and not at 3: to plan anew would put row 1 there, and row 3, which was promised 2, at 3."""
    jobs = [(0, 2, 3, 2), (0, 3, 1, 1), (1, 1, 1, 1), (1, 2, 1, 1)]
    starts, promised = starts_of(site, conservative, 4, jobs)
    assert promised == {0: 0, 1: 3, 2: 1, 3: 2}
    assert starts == {0: 0, 1: 3, 2: 1, 3: 2}
