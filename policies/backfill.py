"""Backfill: who may pass a head that does not fit. One pure pass over the queue each.

A pass that follows another without any release between them looks at the new arrivals only: what could
not start then cannot start now, since starts only take chips away. (Under EASY on many domains a start can
move the head's seat and so free a held job; that job is looked at again at the next release.)
"""

from collections.abc import Callable
from typing import TypeAlias

from policies.placement import Placer
from policies.quota_waits import first, waits_for_quota
from policies.trial import Trial
from policies.view import Blocked, Decisions, Memo, View

Backfill: TypeAlias = Callable[[View, Placer], Decisions]


def none(view: View, placer: Placer) -> Decisions:
    """Nobody passes: jobs start from the head of the queue until one does not fit.

    Who waits for nothing but quota lets the jobs of other quotas pass, and none of its own.
    """
    memo = view.memo
    if memo is not None and memo.head is first(view, placer, whole=True):
        return Decisions([], memo.blocked, memo)
    trial, held, head = Trial(view, placer), set[int](), None
    blocked: Blocked = {}
    walk = view.queue.walk(view, trial.starts)
    for job in walk:
        shape = job.shape
        if shape.quota in held:
            walk.leave()
            continue
        found = trial.find(shape)
        if found is None:
            blocked[shape] = trial.reason(shape)
            if not waits_for_quota(view, trial, job):
                head = job
                break
            held.add(shape.quota)
            walk.leave()
        else:
            trial.start(job, *found)
            walk.next()
    if held:
        blocked = trial.reasons(blocked)
    return Decisions(trial.starts, blocked, Memo(head, blocked) if blocked else None)


def greedy(view: View, placer: Placer) -> Decisions:
    """Everybody who fits starts, in order; the head has no reservation and can starve."""
    memo = view.memo
    trial = Trial(view, placer)
    if memo is not None:
        known = dict(memo.blocked)
        for job in view.queue.in_order(view.arrived, view, trial.starts):
            if job.shape not in known:
                found = trial.find(job.shape)
                if found is None:
                    known[job.shape] = trial.reason(job.shape)
                else:
                    trial.start(job, *found)
        known = trial.reasons(known)
        return Decisions(trial.starts, known, Memo(None, known))
    blocked: Blocked = {}
    walk = view.queue.walk(view, trial.starts)
    for job in walk:
        found = trial.find(job.shape)
        if found is None:
            blocked[job.shape] = trial.reason(job.shape)
            walk.leave()
        else:
            trial.start(job, *found)
            walk.next()
    blocked = trial.reasons(blocked)
    return Decisions(trial.starts, blocked, Memo(None, blocked))
