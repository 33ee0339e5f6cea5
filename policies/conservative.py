"""Conservative backfill: all who wait have a reservation, and nobody may delay one before it in the order.

Source: Mu'alem and Feitelson, IEEE TPDS 12(6), 2001. A reservation is a time, a place and power, made on arrival at the
earliest time that delays no other. When gangs end before their estimates the reservations are compressed: each in order
is made anew if it can be earlier, with all others where they are, again and again until none can. To make them all anew
on an empty plan could make some later, since a job that moves forward can take the hole that another was promised.

Once none can move, each reservation starts when something ends: no clock is needed to start it.
"""

import math
from collections.abc import Sequence
from itertools import accumulate, takewhile

from policies.futures import Promise
from policies.placement import Placer
from policies.plan import Plan
from policies.queue import QueuedJob
from policies.trial import Trial
from policies.view import HELD, Decisions, Memo, View


def conservative(view: View, placer: Placer) -> Decisions:
    """Everybody has a reservation; who comes later in the order may pass if that delays none before it."""
    old, memo = view.plan, view.memo
    if memo is not None and old is not None and view.now_s < old.due_s:
        arrived = _arrived_last(view, old)
        if arrived is not None:
            plan = old.copy()
            starts = _add(plan, arrived, view.now_s)
            return _decisions(view, placer, plan, starts)
    waiting = list(view.queue.walk(view, ()).through())
    if old is None or not old.promises:
        trial = Trial(view, placer)
        if _start_all(waiting, trial):
            return Decisions(trial.starts)
    plan = Plan(view, placer)
    kept = [] if old is None else _promised(waiting, old)
    plan.keep(kept, view.now_s)
    count = len(plan.promises)
    starts = _compress(plan, kept[:count], view.now_s)
    starts += _add(plan, waiting[count:], view.now_s)
    return _decisions(view, placer, plan, starts)


def _arrived_last(view: View, old: Plan) -> Sequence[QueuedJob] | None:
    """The arrivals in order, None where one comes before somebody who has a reservation."""
    if old.last is None:
        return list(view.queue.in_order(view.arrived, view, ()))
    return view.queue.behind(old.last, view.arrived, view)


def _start_all(waiting: Sequence[QueuedJob], trial: Trial) -> bool:
    """Start one after the other; whether all can, so that there is nothing to plan."""
    for job in waiting:
        found = trial.find(job.shape)
        if found is None:
            return False
        trial.start(job, *found)
    return True


def _promised(waiting: Sequence[QueuedJob], old: Plan) -> list[Promise]:
    """The promises of those before the first in the order who has none: whoever is behind it may be delayed by it."""
    promises = [old.promises.get(job.row) for job in waiting]
    return [promise for promise in takewhile(lambda promise: promise is not None, promises) if promise is not None]


def _compress(plan: Plan, kept: Sequence[Promise], now_s: float) -> list[Promise]:
    """Move reservations forward until none can; those that are due."""
    rows = [promise.job.row for promise in kept]
    later_s = [now_s] * len(rows)  # from when on there is more than when a job was last looked at
    while rows and min(later_s) < math.inf:
        moves_s = []
        more_s = math.inf
        for row, then_s in zip(rows, later_s, strict=True):
            left_s = plan.move(plan.promises[row], now_s, min(then_s, more_s))
            more_s = min(more_s, left_s)
            moves_s.append(left_s)
        # What those behind a job have left is new to it in the next round.
        later_s = [*[*accumulate(reversed(moves_s), min)][::-1][1:], math.inf]
    if kept:
        plan.last = kept[-1].job
    return _start([plan.promises[row] for row in rows], plan, now_s)


def _add(plan: Plan, jobs: Sequence[QueuedJob], now_s: float) -> list[Promise]:
    """Reserve for more jobs, in order; those that start at once."""
    promises = []
    for job in jobs:
        promise = plan.earliest(job, now_s) or Promise(job, -1, math.inf, math.inf, (), math.inf)
        plan.put(promise, now_s)
        plan.last = job
        promises.append(promise)
    return _start(promises, plan, now_s)


def _start(promises: Sequence[Promise], plan: Plan, now_s: float) -> list[Promise]:
    due = [promise for promise in promises if promise.start_s == now_s]
    for promise in due:
        plan.started(promise)
    return due


def _decisions(view: View, placer: Placer, plan: Plan, starts: Sequence[Promise]) -> Decisions:
    """The starts, and why the others wait: for want of something now, or because others are before them."""
    trial = Trial(view, placer)
    for promise in starts:
        trial.start(promise.job, promise.pool, promise.placement)
    shapes = dict.fromkeys([promise.job.shape for promise in plan.promises.values()])
    blocked = {shape: trial.reason(shape) if trial.find(shape) is None else HELD for shape in shapes}
    return Decisions(trial.starts, blocked, Memo(None, blocked), plan)
