"""Preemption on states made by hand: who yields, how many, and when a policy wants to look again."""

from dataclasses import dataclass
from math import inf

import pytest

from policies.backfill import greedy, none
from policies.interruptions import Interruptions
from policies.order import fifo, sjf, srtf
from policies.preemption import Preemption, by_order, by_priority
from policies.queue import Past, QueuedJob
from policies.quotas import Quota
from policies.running import Change, RunningGangs, change_of
from policies.view import NO_ROOM, Decisions, Release
from topologies.plant import Shape

LOSSES = Interruptions(every_s=100, stall_s=20, restart_s=50)


@dataclass(eq=False)
class Gang:
    """A running gang as preemption sees it, at full speed."""

    run: Release
    from_s: float
    job: QueuedJob
    stopping: bool = False

    def job_at(self, now_s):
        held_s = now_s - self.from_s
        return self.job._replace(estimate=self.job.estimate - held_s, past=Past(self.job.estimate, self.from_s, held_s))

    def left_s(self, now_s):
        return self.job_at(now_s).left_s

    def done_s(self, now_s):
        return now_s - self.from_s


class Busy:
    """A site with running gangs that may be stopped."""

    def __init__(self, site, rank=by_priority, change=Change.NEVER, min_run_s=0, grace_s=30, slice_s=None):
        self.site = site
        self.policy = Preemption(rank, change, rank is by_priority, min_run_s, grace_s, LOSSES, slice_s)
        self.gangs = RunningGangs(rank, change, min_run_s)

    def runs(self, chips, priority=0, from_s=0, estimate=1000, domain=None, pool=0, quota=-1):
        assert self.site.runs(chips, from_s + estimate, pool, domain, quota=quota)
        run = next(run for run in self.site.running[pool] if run.row == self.site.last_row)
        shape = Shape((pool,), chips, (1.0,), (self.site.draws[pool],))
        gang = Gang(run, from_s, QueuedJob(run.row, shape, from_s, estimate, priority=priority))
        self.gangs.add(gang, from_s)
        return gang

    def decisions(self, backfill=greedy):
        view = self.site.view()
        view.gangs = self.gangs
        decisions = backfill(view, self.site.placer)
        self.policy.decide(view, self.site.placer, decisions)
        return decisions

    def stops(self, backfill=greedy):
        claim = self.decisions(backfill).claim
        return None if claim is None else list(claim.stops)


def test_the_lowest_priority_yields_first(site):
    busy = Busy(site((1, 8), now_s=100))
    low, middle = busy.runs(4, priority=0), busy.runs(4, priority=1)
    busy.site.waits(4, 10, priority=2)
    assert busy.stops() == [low]
    low.stopping = True
    assert busy.stops() == [middle]


def test_nobody_yields_to_an_equal(site):
    busy = Busy(site((1, 8), now_s=100))
    busy.runs(8, priority=2)
    busy.site.waits(4, 10, priority=2)
    assert busy.stops() is None


def test_among_equals_the_least_work_lost_yields(site):
    # with less grace than a write takes, what was done since the last checkpoint (every 100 s) is lost
    busy = Busy(site((1, 8), now_s=350), grace_s=10)
    fresh_write, old_write = busy.runs(4, from_s=240), busy.runs(4, from_s=160)  # 10 s and 90 s since
    busy.site.waits(4, 10, priority=1)
    assert busy.stops() == [fresh_write]
    assert busy.policy.cost_s(fresh_write, 350) == 4 * (10 + 0 + 50)
    assert busy.policy.cost_s(old_write, 350) == 4 * (90 + 0 + 50)


def test_with_time_to_write_the_smaller_gang_yields_where_it_is_enough(site):
    busy = Busy(site((2, 8), now_s=350))
    busy.runs(8, domain=0)
    small = busy.runs(4, domain=1)
    busy.runs(4, priority=9, domain=1)
    busy.site.waits(4, 10, priority=1)
    assert busy.stops() == [small]
    assert busy.policy.cost_s(small, 350) == 4 * (20 + 50)


def test_who_lacks_quota_stops_who_holds_it_and_nobody_else(site):
    busy = Busy(site((1, 8), now_s=100, rules=[Quota("t", 0, (4,), (4,), (0,))]))
    busy.runs(2, priority=0)
    own = busy.runs(3, priority=1, quota=0)
    busy.site.waits(2, 10, priority=2, quota=0)
    assert busy.stops() == [own]


def test_nobody_is_stopped_for_a_gang_that_its_quota_would_not_allow_then(site):
    busy = Busy(site((1, 8), now_s=100, rules=[Quota("t", 0, (4,), (4,), (0,))]))
    busy.runs(5, priority=0)
    busy.runs(3, priority=5, quota=0)
    busy.site.waits(2, 10, priority=2, quota=0)
    assert busy.stops() is None


def test_only_gangs_of_the_domain_that_is_freed_stop(site):
    busy = Busy(site((2, 8), now_s=100))
    busy.runs(2, priority=0, domain=0)
    busy.runs(6, priority=9, domain=0)
    two, six = busy.runs(2, priority=1, domain=1), busy.runs(6, priority=2, domain=1)
    busy.site.waits(8, 10, priority=5)
    decisions = busy.decisions()
    assert set(decisions.claim.stops) == {two, six}
    assert decisions.claim.starts[0].placement == ((1, 8),)


def test_a_gang_that_cannot_be_seated_stops_nobody(site):
    busy = Busy(site((2, 8), now_s=100))
    for domain in (0, 1):
        busy.runs(4, priority=0, domain=domain)
        busy.runs(4, priority=9, domain=domain)
    busy.site.waits(8, 10, priority=5)  # eight chips of low priority, but in two domains
    assert busy.stops() is None


def test_power_may_be_freed_in_another_pool(site):
    busy = Busy(site((1, 8), (1, 8), now_s=100, draws=(10, 10), feed=100))
    other = busy.runs(8, pool=1)
    busy.site.waits(4, 10, priority=1, pools=(0,))
    assert busy.stops() == [other]


def test_a_minimum_run_time_is_waited_for(site):
    busy = Busy(site((1, 8), now_s=100), min_run_s=60)
    busy.runs(8, from_s=70)
    busy.site.waits(8, 10, priority=1)
    decisions = busy.decisions()
    assert decisions.claim is None
    assert decisions.look_s == 130
    busy.site.now_s = 130
    assert busy.decisions().claim is not None


def test_slices_stop_gangs_at_their_ends_only(site):
    busy = Busy(site((1, 8), now_s=90), slice_s=60)
    busy.runs(8)
    busy.site.waits(8, 10, priority=1)
    decisions = busy.decisions()
    assert (decisions.claim, decisions.look_s) == (None, 120)
    busy.site.now_s = 120
    decisions = busy.decisions()
    assert decisions.claim is not None
    assert decisions.look_s == 180


@pytest.mark.parametrize("now_s", [0.9, 0.9000000000000001, 0.8999999999999999, 3.5000000000000004])
def test_the_next_slice_is_later_however_the_quotient_is_rounded(now_s, site):
    busy = Busy(site((1, 8), now_s=now_s), slice_s=0.1)
    busy.runs(8)
    busy.site.waits(8, 10, priority=1)
    decisions = busy.decisions()
    assert now_s < decisions.look_s <= now_s + 0.1000001
    assert (decisions.claim is not None) == (now_s == 0.9)  # 9 * 0.1


def test_nobody_stops_for_a_job_that_the_backfill_holds_back_from_free_chips(site):
    busy = Busy(site((1, 8), now_s=100))
    busy.runs(4)
    busy.site.waits(4, 10, priority=1)
    assert busy.stops(lambda view, placer: Decisions(blocked=dict.fromkeys(view.queue.lanes, NO_ROOM))) is None


@pytest.mark.parametrize(("estimate", "stops"), [(39, True), (41, False)])
def test_shortest_remaining_time_looks_at_what_is_left(estimate, stops, site):
    busy = Busy(site((1, 8), order=srtf, now_s=60), by_order(srtf), change_of(srtf))
    gang = busy.runs(8, estimate=100)  # 40 s left
    busy.site.waits(8, estimate, submit_s=50)
    assert busy.stops() == ([gang] if stops else None)


def test_shortest_job_first_looks_at_all_of_it(site):
    busy = Busy(site((1, 8), order=sjf, now_s=60), by_order(sjf), change_of(sjf))
    gang = busy.runs(8, estimate=100)
    busy.site.waits(8, 99, submit_s=50)
    assert busy.stops() == [gang]


def test_without_backfill_only_the_head_takes_chips(site):
    busy = Busy(site((1, 8), order=fifo, now_s=100))
    busy.runs(8, priority=1)
    busy.site.waits(4, 10, submit_s=1, priority=0)
    busy.site.waits(4, 10, submit_s=2, priority=5)
    assert busy.stops(none) is None
    assert busy.stops(greedy) is not None


def test_who_starts_in_the_same_pass_needs_nobody_to_stop(site):
    busy = Busy(site((1, 8), now_s=100))
    busy.runs(4)
    busy.site.waits(4, 10, priority=1)
    decisions = busy.decisions()
    assert len(decisions.starts) == 1
    assert decisions.claim is None
    assert decisions.look_s == inf


def test_ranks_that_fell_are_found_again():
    gangs = RunningGangs(by_order(srtf), change_of(srtf), 0)
    made = []
    for row, estimate in enumerate([100, 300, 200]):
        shape = Shape((0,), 1, (1.0,), (0,))
        made.append(Gang(Release(estimate, row, 1, ((0, 1),), 0, 0), 0, QueuedJob(row, shape, 0, estimate)))
        gangs.add(made[-1], 0)
    assert [gang.run.row for _, gang in gangs.after((120, 0, 0), 50)] == [1, 2]  # 250 and 150 s left
    assert [gang.run.row for _, gang in gangs.after((120, 0, 0), 100)] == [1]
    gangs.remove(made[1])
    assert gangs.after((0, 0, 0), 100)[0][1] is made[2]
    gangs.remove(made[2])
    gangs.remove(made[0])
    assert gangs.after((-inf, 0, 0), 100) == []
