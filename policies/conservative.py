"""Conservative backfill: who waits has a reservation, and nobody may delay one before it in the order.

Source: Mu'alem and Feitelson, IEEE TPDS 12(6), 2001. A reservation is a time, a place and power, made on arrival at the
earliest time that delays no other. When gangs end before their estimates the reservations are compressed: each in order
is made anew if it can be earlier, with all others where they are, again and again until none can. To make them all anew
on an empty plan could make some later, since a job that moves forward can take the hole that another was promised.

With a depth only the first so many in the order have reservations, as with Maui's RESERVATIONDEPTH (Jackson, Snell and
Clement, JSSPP 2001); Slurm's bf_max_job_test also bounds how many are looked at. Others start where they delay none of
these.

Once none can move, each reservation starts when something ends: no clock is needed to start it.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from policies.gains import ANYWHERE, Gain
from policies.placement import Placer
from policies.plan import Plan
from policies.promise import Promise
from policies.queue import QueuedJob, Walk
from policies.trial import Trial
from policies.view import HELD, ROOMLESS, Blocked, Decisions, Memo, View
from scenarios.instants import instant
from topologies.plant import Shape


def conservative(view: View, placer: Placer, depth: float = math.inf) -> Decisions:
    """The first who wait have reservations, as many as the depth; others may pass if they delay none of these.

    Nor may those with a reservation delay one before them. depth: infinite for all who wait.
    """
    old, memo = view.plan, view.memo
    if memo is not None and old is not None and view.now_s < old.due_s:
        arrived = _arrived_last(view, old, depth)
        if arrived is not None:
            return _look_at(arrived, view, placer, depth, old, memo.blocked)
    if old is None or not old.promises:
        trial = Trial(view, placer)
        if _start_all(view, trial):
            return Decisions(trial.starts)
    walk = view.queue.walk(view, ())
    plan = Plan(view, placer)
    kept = [] if old is None else _promised(walk, old, depth)
    gains = None if old is None else old.since(view)
    if old is None or gains is None or any(promise.start_s < view.now_s for promise in kept):
        plan.keep(kept)
        gains = [Gain(ANYWHERE, (), view.now_s)]
    else:
        gains += plan.follow(old, kept, gains)
    count = len(plan.promises)
    moved = Pass(view, placer, plan, depth)
    moved.start(_compress(plan, kept[:count], gains))
    moved.reserve(chain([promise.job for promise in kept[count:]], _one_by_one(walk)))
    moved.fill(walk)
    return moved.decisions()


def _arrived_last(view: View, old: Plan, depth: float) -> Sequence[QueuedJob] | None:
    """The arrivals in order, None where one comes before somebody who has a reservation."""
    if old.last is None:
        return list(view.queue.in_order(view.arrived, view, ()))
    if len(old.promises) < depth:  # nobody else waits
        return view.queue.behind(old.last, view.arrived, view)
    first = islice(view.queue.walk(view, ()).through(), len(old.promises))
    if all(job.row in old.promises for job in first):
        return list(view.queue.in_order(view.arrived, view, ()))
    return None


def _start_all(view: View, trial: Trial) -> bool:
    """Start one after the other; whether all can, so that there is nothing to plan."""
    for job in view.queue.walk(view, ()).through():
        found = trial.find(job.shape)
        if found is None:
            return False
        trial.start(job, *found)
    return True


def _promised(walk: Walk, old: Plan, depth: float) -> list[Promise]:
    """The promises of those before the first in the order who has none: whoever is behind it may be delayed by it."""
    promises: list[Promise] = []
    for job in walk:
        promise = old.promises.get(job.row)
        if promise is None or len(promises) == depth:
            break
        promises.append(promise)
        walk.next()
    return promises


def _one_by_one(walk: Walk) -> Iterator[QueuedJob]:
    """Those ahead in a walk, each of them passed before it is given."""
    for job in walk:
        walk.next()
        yield job


def _compress(plan: Plan, kept: Sequence[Promise], gains: list[Gain]) -> list[Promise]:
    """Move reservations forward until none can; where they are then. gains: what there is more for all of them."""
    rows = [promise.job.row for promise in kept]
    seen = [0] * len(rows)  # of the gains, by each
    while min(seen, default=len(gains)) < len(gains):
        for at, row in enumerate(rows):
            if seen[at] < len(gains):
                left = plan.move(plan.promises[row], gains[seen[at] :])
                if left is not None:
                    gains.append(left)
                seen[at] = len(gains)  # what it leaves itself is no gain for it
    if kept:
        plan.last = kept[-1].job
    return [plan.promises[row] for row in rows]


class Pass:
    """A pass with its plan: who gets a reservation, who starts without one, and why the others wait."""

    __slots__ = ("_blocked", "_depth", "_now_s", "_until_s", "plan", "trial")

    def __init__(self, view: View, placer: Placer, plan: Plan, depth: float, blocked: Blocked | None = None) -> None:
        """blocked: what is known of those who wait without a reservation."""
        self.plan = plan
        self.trial = Trial(view, placer)
        self._blocked = dict(blocked or {})
        self._depth = depth
        self._now_s = view.now_s
        self._until_s: dict[Shape, float] = {}  # what starts now and ends later would delay somebody

    def start(self, promises: Iterable[Promise]) -> None:
        """Let those of some promises start that are due."""
        for promise in promises:
            if promise.start_s == self._now_s:
                self.plan.started(promise)
                self.trial.start(promise.job, promise.pool, promise.placement)
                self._until_s.clear()

    def reserve(self, jobs: Iterator[QueuedJob]) -> None:
        """Reservations for more jobs, in order, until there are as many as may be."""
        plan = self.plan
        while len(plan.promises) < self._depth:
            job = next(jobs, None)
            if job is None:
                return
            promise = plan.earliest(job) or Promise(job, -1, math.inf, math.inf, (), math.inf)
            plan.put(promise)
            plan.last = job
            self.start([promise])

    def fill(self, walk: Walk) -> None:
        """Start all the others who delay nobody's reservation."""
        for job in walk:
            until_s = self.try_job(job)
            if until_s == math.inf:
                walk.next()
            elif until_s > self._now_s:
                walk.next_ending_by(self._now_s, until_s)
            else:
                walk.leave()

    def try_job(self, job: QueuedJob) -> float:
        """Start a job if that delays nobody; until when others of its shape may run, infinite if it starts."""
        shape, now_s = job.shape, self._now_s
        until_s = self._until_s.get(shape)
        if until_s is None or instant(now_s + job.left_s) <= until_s:
            if self._blocked.get(shape, HELD) is not HELD:
                return now_s
            if self.trial.find(shape) is None:
                self._blocked[shape] = self.trial.reason(shape)
                return now_s
            promise = self.plan.earliest(job, math.nextafter(now_s, math.inf))
            if promise is not None:
                self.plan.put(promise)
                self.start([promise])
                return math.inf
            if until_s is None:
                until_s = self._until_s[shape] = self.plan.latest_end_s(shape)
        self._blocked[shape] = HELD
        return until_s

    def decisions(self) -> Decisions:
        """The starts, and why the others wait: for want of something now, or because others are before them."""
        trial = self.trial
        shapes = dict.fromkeys([*[promise.job.shape for promise in self.plan.promises.values()], *self._blocked])
        blocked = {shape: trial.reason(shape) if trial.find(shape) is None else HELD for shape in shapes}
        return Decisions(trial.starts, blocked, Memo(None, blocked), self.plan)


def _look_at(
    arrived: Sequence[QueuedJob], view: View, placer: Placer, depth: float, old: Plan, blocked: Blocked
) -> Decisions:
    """A pass in which nothing but arrivals is new."""
    if len(old.promises) >= depth and all(blocked.get(job.shape) in ROOMLESS for job in arrived):
        return Decisions([], blocked, view.memo, old)
    found = Pass(view, placer, old.copy(view.now_s), depth, blocked)
    ahead = iter(arrived)
    found.reserve(ahead)
    for job in ahead:
        found.try_job(job)
    return found.decisions()
