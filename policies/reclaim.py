"""Reclaim: a tenant that needs no more than its nominal quota gets it back from those who have borrowed it.

Such a job goes before all others, since what it takes is its tenant's own. Where it has no room, gangs of its cohort
stop for it, of tenants that hold more than their nominal quotas, as long as what is left to each is its quota. One
claim a pass, as in policies/preemption.py, and other chips are kept for the job as there.

Source: Kueue, Preemption, reclaimWithinCohort (kueue.sigs.k8s.io), with its order of candidates: the lowest priority
first. Of equals those go first that lose the least work, then the latest to start, which is Kueue's second criterion.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from policies.claim import Claim, Stoppable
from policies.interruptions import Interruptions
from policies.placement import Placer
from policies.queue import QueuedJob
from policies.quotas import Quotas, Reclaiming
from policies.running import RunningGangs
from policies.trial import Trial, smallest_part
from policies.victims import after_stops, fewest, sparing, stop_cost_s
from policies.view import Decisions, Start, View
from scenarios.instants import instant
from topologies.free import Placement
from topologies.plant import Shape


@dataclass(frozen=True, slots=True)
class Reclaim:
    """How lent quota comes back.

    in_line: whether nobody passes a job of its own tenant (backfill none). passing: whether everybody may (greedy, max-
    min); else a job that waits for nothing but room is passed by no other of its tenant.
    """

    losses: Interruptions
    in_line: bool
    passing: bool

    def decide(self, view: View, placer: Placer) -> Decisions:
        """What is due: starts within nominal quotas, or a claim, or when to look again. Nothing about other jobs."""
        due, quotas, gangs = Decisions(), view.quotas, view.gangs
        if quotas is None or gangs is None or not any(_may_be_due(quotas, shape) for shape in view.queue.lanes):
            return due
        now = Trial(view, placer)
        then = now if gangs.pending is None else after_stops(view, placer, gangs.pending)
        left = {shape for shape in view.queue.lanes if shape.quota in quotas.reclaiming}
        held = set[int]()
        walk = view.queue.walk(view, now.starts)
        for job in walk:
            shape = job.shape
            pools = _nominal_pools(then.quotas(), shape) if shape in left and shape.quota not in held else []
            found = now.find(shape) if pools else None
            start = None if found is None else _start(now, job, found, pools)
            if start is not None:
                now.start(*start)
                if then is not now:
                    then.start(*start)
                walk.next()
                continue
            if pools and found is None:
                due.claim = self._claim(view, then, gangs, job, pools, due)
                if due.claim is not None:
                    break
            if self.in_line or (pools and not self.passing):
                held.add(shape.quota)
            left.discard(shape)
            if not left:
                break
            walk.leave()
        due.starts = now.starts
        if due.starts and due.claim is None and len(due.starts) < view.queue.jobs:
            due.look_s = view.now_s  # the others have their pass after this one
        return due

    def _claim(
        self, view: View, trial: Trial, gangs: RunningGangs, job: QueuedJob, pools: Sequence[int], due: Decisions
    ) -> Claim | None:
        """The claim of a job that has no room; None where all gangs that yield to it are not enough."""
        quotas = trial.quotas()
        rule = None if quotas is None else quotas.rules[job.shape.quota].reclaiming
        if quotas is None or rule is None:
            return None
        lenders = quotas.cohort(job.shape.quota)
        pending = gangs.pending
        if pending is not None and all(
            gang.job.shape.quota in lenders and _yields(gang, job, rule) for gang in pending.stops
        ):
            for pool in pools:
                seat = _seat(trial, job.shape, pool)
                if seat is not None:  # what others have left of the gangs that stop for them
                    return Claim(job, (Start(job, pool, seat),), (), rule.grace_s, reclaims=True)
        for pool in pools:
            victims = []
            for quota in lenders:
                for gang in gangs.under(quota, pool) if quotas.beyond(quota, pool) > 0 else ():
                    if gang.stopping or not _yields(gang, job, rule):
                        continue
                    ripe_s = instant(gang.from_s + rule.min_run_s)
                    if view.now_s < ripe_s:
                        due.look_s = min(due.look_s, ripe_s)
                    else:
                        victims.append(gang)
            if not _may_make_room(trial, quotas, job.shape, pool, victims):
                continue
            cost_s = {gang.run.row: stop_cost_s(gang, view.now_s, rule.grace_s, self.losses) for gang in victims}
            victims.sort(key=lambda gang: (gang.job.priority, cost_s[gang.run.row], -gang.from_s, -gang.run.row))
            found = _beyond_quotas(trial, quotas, job.shape, pool, victims)
            if found is not None:
                seat, stops = found
                return Claim(job, (Start(job, pool, seat),), stops, rule.grace_s, reclaims=True)
        return None


def _beyond_quotas(
    trial: Trial, quotas: Quotas, shape: Shape, pool: int, gangs: Sequence[Stoppable]
) -> tuple[Placement, tuple[Stoppable, ...]] | None:
    """Where a gang sits in a pool if some of others stop, and which, so that each tenant keeps its quota.

    Not all may go that may go alone. The first ones do; if they make no place, the largest, or those of one domain.
    """
    lenders = {gang.job.shape.quota for gang in gangs}
    going = sparing(quotas, gangs, lenders)
    found = fewest(trial, shape, pool, going)
    if found is not None or len(going) == len(gangs):
        return found
    for some in [sorted(gangs, key=lambda gang: -gang.run.chips), *_by_domain(trial, quotas, shape, pool, gangs)]:
        rows = {gang.run.row for gang in some}
        others = [gang for gang in gangs if gang.run.row not in rows]
        found = fewest(trial, shape, pool, sparing(quotas, [*some, *others], lenders))
        if found is not None:
            return found
    return None


def _may_make_room(trial: Trial, quotas: Quotas, shape: Shape, pool: int, gangs: Sequence[Stoppable]) -> bool:
    """Whether enough chips could come free where a part of a gang can sit, at the very most.

    A search takes longer to find out that there is no place, and while a gang waits there is one at every release.
    """
    free, most = trial.free(pool), dict[int, dict[int, int]]()  # by domain and quota
    for gang in gangs:
        quota = gang.job.shape.quota
        for domain, _ in gang.run.placement:
            here = most.setdefault(domain, {})
            here[quota] = here.get(quota, 0) + min(gang.run.chips, free.domain_chips)
    spare = {gang.job.shape.quota: quotas.beyond(gang.job.shape.quota, pool) for gang in gangs}
    if free.free + sum(spare.values()) < shape.chips:
        return False
    part = smallest_part(trial.placer, shape, free)
    room = free.in_domains_of(part)
    for domain, here in most.items():
        now = free.in_domain(domain)
        then = now + sum([min(chips, spare[quota]) for quota, chips in here.items()])
        if then >= part:
            room += then - (now if now >= part else 0)
    return room >= shape.chips


def _by_domain(
    trial: Trial, quotas: Quotas, shape: Shape, pool: int, gangs: Sequence[Stoppable]
) -> list[Sequence[Stoppable]]:
    """The gangs of each domain that then holds another gang, or a whole part of it; for a larger one all together."""
    free, here = trial.free(pool), dict[int, list[Stoppable]]()
    for gang in gangs:
        for domain in {domain for domain, _ in gang.run.placement}:
            here.setdefault(domain, []).append(gang)
    lenders, part = {gang.job.shape.quota for gang in gangs}, min(shape.chips, free.domain_chips)
    found, left = [], free.copy()
    for domain, those in here.items():
        going = sparing(quotas, those, lenders)
        for gang in going:
            left.give(gang.run.placement)
        if left.in_domain(domain) >= part:
            found.append(going)
        for gang in going:
            left.take(gang.run.placement)
    if shape.chips <= free.domain_chips:
        return [*found]
    every = {gang.run.row: gang for going in found for gang in going}
    return [list(every.values())]


def _may_be_due(quotas: Quotas, shape: Shape) -> bool:
    return shape.quota in quotas.reclaiming and bool(_nominal_pools(quotas, shape))


def _nominal_pools(quotas: Quotas | None, shape: Shape) -> list[int]:
    """The pools in which a gang stays within its tenant's nominal quota."""
    if quotas is None:
        return []
    return [pool for pool in shape.pools if quotas.beyond(shape.quota, pool) + shape.chips <= 0]


def _yields(gang: Stoppable, job: QueuedJob, rule: Reclaiming) -> bool:
    return not rule.lower_only or gang.job.priority < job.priority


def _start(trial: Trial, job: QueuedJob, found: tuple[int, Placement], pools: Sequence[int]) -> Start | None:
    """The start of a job in one of some pools, in the one where it was found room if it can be."""
    if found[0] in pools:
        return Start(job, *found)
    for pool in pools:
        seat = _seat(trial, job.shape, pool)
        if seat is not None:
            return Start(job, pool, seat)
    return None


def _seat(trial: Trial, shape: Shape, pool: int) -> Placement | None:
    """Where a gang sits in a pool that has chips, power and quota for it."""
    return trial.seat(shape, pool, 0) if trial.allows(shape, pool) and trial.fits(shape, pool) else None
