"""Rounds: when one begins, gangs that do not belong where they run in it stop, even if nobody waits.

Source: Narayanan et al. (Gavel), OSDI 2020, section 5 and algorithm 1. The pairs of policies/by_pairs.py are gone
through again, of running gangs too, as if all chips were free; a gang that does not get the pool where it runs stops,
unless nobody gets its chips and it would be no faster elsewhere (which the paper leaves open, and here saves a
restart). All stop together, write their checkpoints and go back to the queue, from where the same pairs start again.
Only chips in all, quotas and the power at the feed are counted: a place in domains is looked for at the start.
"""

import math
from collections.abc import Collection, Mapping
from typing import ClassVar

from policies.by_pairs import accounts_of
from policies.claim import Claim, Stoppable
from policies.placement import Placer
from policies.preemption import Preemption
from policies.time_accounts import Accounts
from policies.view import Decisions, View
from scenarios.instants import instant
from topologies.plant import Shape


class Rounds(Preemption):
    """Preemption for the backfill by pairs, at the begin of slices."""

    __slots__ = ()
    alone: ClassVar[bool] = True

    def decide(self, view: View, _placer: Placer, decisions: Decisions) -> None:
        """Add the gangs to stop if a round begins, and when to look again."""
        gangs, shares, now_s = view.gangs, view.shares, view.now_s
        if gangs is None or shares is None:
            return
        accounts = accounts_of(view)
        number = shares.round_at(now_s)
        if accounts.by_row and (len(view.free) > 1 or view.queue.jobs > len(decisions.starts)):
            decisions.look_s = shares.begin_s(number + 1)
        if shares.begin_s(number) != now_s:
            return
        running = {gang.run.row: gang for _, gang in gangs.after((-math.inf,), now_s)}
        free = {row: gang for row, gang in running.items() if not self._stays(gang, now_s)}
        room = _Room(view, decisions, free)
        others = {*running} - {*free} | {start.job.row for start in decisions.starts}
        pools = _assigned(accounts, others, room)
        moving = [gang for row, gang in free.items() if pools.get(row) != gang.run.pool]
        stops = [gang for gang in _gaining(accounts, moving, pools, room) if not gang.stopping]
        if stops:
            decisions.claim = Claim(None, (), tuple(stops), self.grace_s)

    def _stays(self, gang: Stoppable, now_s: float) -> bool:
        """Whether a gang has not run for long enough to be stopped; those that stop already may go anywhere."""
        return not gang.stopping and (now_s < instant(gang.from_s + self.min_run_s) or now_s == gang.from_s)


class _Room:
    """Chips by pool, power at the feed and quotas that a round gives to gangs."""

    def __init__(self, view: View, decisions: Decisions, free: Mapping[int, Stoppable]) -> None:
        """What is free, with that of the gangs that may go, without that of the planned starts."""
        self.chips = [pool.free for pool in view.free]
        self.feed_nw = view.headroom.feed_nw
        self.quotas = None if view.quotas is None else view.quotas.ahead()
        for row, gang in free.items():
            self.chips[gang.run.pool] += gang.run.chips
            self.feed_nw += gang.run.gang_nw
            if self.quotas is not None:
                self.quotas.let_go(row, gang.run.pool, gang.run.chips)
        for job, pool, _ in decisions.starts:
            self.take(job.shape, pool)

    def holds(self, shape: Shape, pool: int) -> bool:
        """Whether there is room for a gang."""
        if shape.chips > self.chips[pool] or shape.gang_nw(pool) > self.feed_nw:
            return False
        return self.quotas is None or self.quotas.allows(shape, pool)

    def take(self, shape: Shape, pool: int) -> None:
        """A gang gets it."""
        self._change(shape, pool, 1)

    def give(self, shape: Shape, pool: int) -> None:
        """A gang gives it back."""
        self._change(shape, pool, -1)

    def _change(self, shape: Shape, pool: int, by: int) -> None:
        self.chips[pool] -= by * shape.chips
        self.feed_nw -= by * shape.gang_nw(pool)
        if self.quotas is not None and shape.quota >= 0:
            self.quotas.take(shape.quota, pool, by * shape.chips)


def _assigned(accounts: Accounts, others: Collection[int], room: _Room) -> dict[int, int]:
    """The pools by row that gangs get in this round, pair after pair; others, by row, have theirs."""
    pairs = sorted(
        [
            (key[0], pool != account.pool, key, pool)  # of equals the pool where it runs
            for row, account in accounts.by_row.items()
            if row not in others
            for pool, key in account.keys.items()
        ]
    )
    pools: dict[int, int] = {}
    for _, _, (*_, row), pool in pairs:
        shape = accounts.by_row[row].job.shape
        if row not in pools and room.holds(shape, pool):
            pools[row] = pool
            room.take(shape, pool)
    return pools


def _gaining(accounts: Accounts, moving: list[Stoppable], pools: Mapping[int, int], room: _Room) -> list[Stoppable]:
    """Those gangs that go: others get their chips, or they are faster where they go."""
    left = len(moving) + 1
    while len(moving) < left:  # who stays leaves its place elsewhere to others
        left, going = len(moving), list[Stoppable]()
        for gang in moving:
            pool, shape = pools.get(gang.run.row), accounts.by_row[gang.run.row].job.shape
            if pool is not None:
                room.give(shape, pool)
            faster = pool is not None and shape.pace_in(pool) < shape.pace_in(gang.run.pool)
            if not faster and room.holds(shape, gang.run.pool):
                room.take(shape, gang.run.pool)
                continue
            if pool is not None:
                room.take(shape, pool)
            going.append(gang)
        moving = going
    return moving
