"""Backfill by pairs of a gang and a pool: who has had the least there of its max-min share of time goes first.

Source: Narayanan et al. (Gavel), OSDI 2020, section 5 and algorithm 1: pair after pair gets chips as long as there are
any. Whoever fits starts, as under greedy; a pair without a share comes last, so that no chip stays idle that somebody
could use. Takes no notice of the order: ties go to the earlier submission. Who must stop when a round begins is for
policies/rounds.py.
"""

from collections import Counter
from heapq import heapify, heappop, heapreplace

from policies.placement import Placer
from policies.queue import QueuedJob
from policies.time_accounts import Accounts
from policies.trial import Trial
from policies.view import Blocked, Decisions, Memo, View
from topologies.free import Placement
from topologies.plant import Shape


def by_pairs(view: View, placer: Placer) -> Decisions:
    """Whoever has had the least of its max-min share of time in a pool starts there first (Gavel, OSDI 2020)."""
    accounts = accounts_of(view)
    known: Blocked = {} if view.memo is None else view.memo.blocked
    trial = Trial(view, placer)
    started: Counter[Shape] = Counter()
    rows: set[int] = set()
    heap = [
        (pairs[0], at, shape, pool)
        for at, ((shape, pool), pairs) in enumerate(accounts.pairs.items())
        if pairs and shape not in known and view.free[pool].free >= shape.chips
    ]
    heapify(heap)
    position = [0] * len(accounts.pairs)
    while heap:
        key, at, shape, pool = heap[0]
        job = None if key[-1] in rows else view.queue.waiting(accounts.by_row[key[-1]].job)
        if job is not None:
            placement = _place(trial, job, pool)
            if placement is None:
                heappop(heap)
                continue
            trial.start(job, pool, placement)
            rows.add(job.row)
            started[shape] += 1
        position[at] += 1
        pairs = accounts.pairs[shape, pool]
        if position[at] < len(pairs):
            heapreplace(heap, (pairs[position[at]], at, shape, pool))
        else:
            heappop(heap)
    blocked = {**trial.reasons(known)}
    for shape, lane in view.queue.lanes.items():
        if shape not in known and len(lane.jobs) > started[shape]:
            blocked[shape] = trial.reason(shape)
    return Decisions(trial.starts, blocked, Memo(None, blocked))


def accounts_of(view: View) -> Accounts:
    """The accounts of all gangs, as they stand now."""
    if view.shares is None or view.shares.accounts is None:
        raise RuntimeError(f"{view.now_s} s: a backfill by pairs needs a view with accounts of the gangs")
    view.shares.accounts.look(view)
    return view.shares.accounts


def _place(trial: Trial, job: QueuedJob, pool: int) -> Placement | None:
    shape = job.shape
    draw_nw = shape.draw_nw[shape.pools.index(pool)]
    if (
        not trial.allows(shape, pool)
        or trial.free(pool).free < shape.chips
        or shape.chips * draw_nw > trial.headroom().feed_nw
    ):
        return None
    return trial.seat(shape, pool, 0)
