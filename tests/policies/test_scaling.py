"""Scaling on states made by hand: who starts smaller, who shrinks for whom, and who grows."""

from dataclasses import dataclass

import pytest

from policies.backfill import greedy, none
from policies.easy import easy
from policies.interruptions import Interruptions
from policies.queue import QueuedJob, Sizes
from policies.scaling import Elastic
from policies.view import Release
from topologies.plant import Shape

LOSSES = Interruptions(every_s=100, stall_s=20, restart_s=80)


def in_sizes(chips, least, most, pools=(0,)):
    """The shapes of a gang that scales linearly, and its asked one."""
    sizes = [size for size in (1, 2, 4, 8, 16) if least <= size <= most]
    shapes = tuple(Shape(pools, size, (chips / size,) * len(pools), (0,) * len(pools)) for size in sizes)
    return Sizes(shapes, next(shape for shape in shapes if shape.chips == chips))


@dataclass(eq=False)
class Gang:
    """A running malleable gang."""

    run: Release
    from_s: float
    job: QueuedJob
    stopping: bool = False

    def job_at(self, now_s):
        shape = self.job.sizes.asked
        done = (now_s - self.from_s) / self.job.shape.pace_in(self.run.pool)
        return self.job._replace(shape=shape, estimate=self.job.estimate - done)

    def done_s(self, now_s):
        return now_s - self.from_s


class Bendy:
    """A site with malleable gangs."""

    def __init__(self, site, min_run_s=0, passing=False):
        self.site = site
        self.policy = Elastic(min_run_s, LOSSES, passing)
        self.gangs = []

    def runs(self, chips, asked, least=1, most=16, from_s=0, estimate=10_000, domain=None):
        """A gang that runs on some chips and asked for others; the work is in seconds of the size asked for."""
        assert self.site.runs(chips, from_s + estimate, 0, domain)
        run = next(run for run in self.site.running[0] if run.row == self.site.last_row)
        sizes = in_sizes(asked, least, most)
        shape = next(shape for shape in sizes.shapes if shape.chips == chips)
        self.gangs.append(Gang(run, from_s, QueuedJob(run.row, shape, from_s, estimate, sizes=sizes)))
        return self.gangs[-1]

    def waits(self, chips, least=None, most=16, **more):
        """A job that waits, malleable where a least size is given."""
        return self.site.waits(chips, 1000, sizes=None if least is None else in_sizes(chips, least, most), **more)

    def decisions(self, backfill=easy):
        view = self.site.view()
        view.malleable = self.gangs
        decisions = backfill(view, self.site.placer)
        self.policy.decide(view, self.site.placer, decisions)
        return decisions


def sizes_after(claim):
    return {start.job.row: start.job.shape.chips for start in claim.starts}


def test_a_job_starts_in_the_largest_size_that_has_room(site):
    bendy = Bendy(site((1, 16)))
    bendy.site.runs(11, 500)
    row = bendy.waits(16, least=1)
    decisions = bendy.decisions()
    ((job, start),) = decisions.smaller
    assert (job.row, job.shape.chips, start.job.shape.chips) == (row, 16, 4)
    assert decisions.claim is None


def test_nobody_shrinks_while_the_job_itself_can(site):
    bendy = Bendy(site((1, 16)))
    bendy.runs(8, 8)
    bendy.runs(4, 4)
    bendy.waits(8, least=4)
    assert bendy.decisions().claim is None


def test_the_gang_that_has_the_most_over_what_it_asked_for_shrinks_first_and_as_little_as_it_takes(site):
    bendy = Bendy(site((1, 16)))
    grown, usual = bendy.runs(8, 2), bendy.runs(8, 8)
    row = bendy.waits(4)
    claim = bendy.decisions().claim
    assert claim.stops == (grown,)
    assert sizes_after(claim) == {row: 4, grown.run.row: 4}
    row_of_more = bendy.waits(7)
    bendy.site.queue.remove(
        next(job for lane in bendy.site.queue.lanes.values() for job in lane.jobs if job.row == row)
    )
    claim = bendy.decisions(greedy).claim
    assert sizes_after(claim) == {row_of_more: 7, grown.run.row: 1}
    assert usual not in claim.stops


def test_gangs_of_one_domain_shrink_for_a_gang_that_needs_room_in_one(site):
    bendy = Bendy(site((2, 8)))
    for domain in (0, 1):
        bendy.site.runs(4, 500, domain=domain)
    there = bendy.runs(4, 4, domain=1)
    bendy.runs(4, 4, least=4, domain=0)  # cannot shrink
    row = bendy.waits(2)
    claim = bendy.decisions().claim
    assert claim.stops == (there,)
    assert sizes_after(claim) == {row: 2, there.run.row: 2}
    assert {placement[0][0] for _, _, placement in claim.starts} == {1}


def test_a_malleable_job_that_needs_others_to_shrink_starts_in_its_smallest_size(site):
    bendy = Bendy(site((1, 8)))
    gang = bendy.runs(8, 8)
    row = bendy.waits(8, least=2)
    assert sizes_after(bendy.decisions().claim) == {row: 2, gang.run.row: 4}


@pytest.mark.parametrize(("backfill", "helped"), [(none, False), (easy, False), (greedy, True)])
def test_nobody_is_helped_behind_one_who_cannot_be_but_under_greedy(backfill, helped, site):
    bendy = Bendy(site((1, 16)), passing=backfill is greedy)
    bendy.runs(8, 8, least=8)
    bendy.runs(4, 4)
    bendy.site.runs(3, 500)
    bendy.waits(16, submit_s=0)
    bendy.waits(2, submit_s=1)
    decisions = bendy.decisions(backfill)
    assert (decisions.claim is not None) is helped


def test_a_gang_grows_to_the_largest_size_that_pays_while_nobody_waits(site):
    bendy = Bendy(site((1, 16)))
    small, usual = bendy.runs(2, 4), bendy.runs(4, 4)
    claim = bendy.decisions().claim
    assert (claim.job, claim.stops) == (None, (small,))
    assert sizes_after(claim) == {small.run.row: 8}
    small.stopping = True
    assert bendy.decisions().claim.stops == (usual,)


@pytest.mark.parametrize(("left_s", "grows"), [(199, False), (201, True)])
def test_growing_must_save_more_than_the_write_and_the_restart(left_s, grows, site):
    bendy = Bendy(site((1, 8)))
    bendy.runs(4, 4, estimate=left_s, most=8)  # twice as fast saves half of what is left, and costs 100 s
    assert (bendy.decisions().claim is not None) is grows


def test_a_gang_keeps_its_size_for_the_minimum_run_time(site):
    bendy = Bendy(site((1, 8), now_s=30), min_run_s=100)
    bendy.runs(4, 4, from_s=10)
    decisions = bendy.decisions()
    assert (decisions.claim, decisions.look_s) == (None, 110)
    bendy.site.now_s = 110
    assert bendy.decisions().claim is not None
