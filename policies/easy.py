"""EASY backfill: the head of the queue has a reservation, the others may pass if they do not delay it.

Source: Lifka, The ANL/IBM SP scheduling system, JSSPP 1995; Mu'alem and Feitelson, IEEE TPDS 12(6), 2001.
On pools of many domains a count of spare processors is not enough, since chips that are left over may lie
where the head will sit. Here the reservation is a placement, and a long job may start if the head still
finds a place at the shadow time with that job's chips gone, or if the job fits outside the head's domains.
On one domain both rules are the textbook's `extra` processors.

The run times counted on are the users' estimates; a job past its estimate counts as ending now.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from heapq import merge

from policies.order import Order, in_order
from policies.placement import Place, Placer
from policies.queue import QueuedJob, Walk
from policies.trial import Trial
from policies.view import HELD, Blocked, Decisions, Memo, Release, Reservation, View
from topologies.free import FreeChips, Placement, domain_bits


def easy(view: View, order: Order, placer: Placer) -> Decisions:
    """Start from the head while jobs fit, reserve for the first that does not, then let others pass it."""
    trial = Trial(view, placer)
    memo = view.memo
    if memo is not None and memo.head is not None and memo.head is view.queue.head():
        known = memo.reservation
        if known is None or view.now_s <= known.shadow_s:
            passing = Passing(view, trial, memo.head, dict(memo.blocked), known)
            for job in in_order(view.arrived, order):
                passing.try_job(job)
            return passing.decisions()
    walk = Walk(view.queue)
    for job in walk:
        found = trial.find(job.shape)
        if found is None:
            walk.next()
            passing = Passing(view, trial, job, {job.shape: trial.reason(job.shape)})
            passing.try_all(walk)
            return passing.decisions()
        trial.start(job, *found)
        walk.next()
    return Decisions(trial.starts)


class Passing:
    """The second half of a pass: who may start although the head waits.

    The reservation is made when the first job asks that would fit now; until then nobody needs it.
    """

    __slots__ = ("blocked", "head", "reservation", "trial", "view")

    def __init__(
        self, view: View, trial: Trial, head: QueuedJob, blocked: Blocked, reservation: Reservation | None = None
    ) -> None:
        self.view = view
        self.trial = trial
        self.head = head
        self.blocked = blocked
        self.reservation = reservation

    def try_all(self, walk: Walk) -> None:
        """Everybody in order; a shape that would delay the head is only tried again for its short jobs."""
        for job in walk:
            self.try_job(job)
            reason = self.blocked.get(job.shape)
            if reason is None:
                walk.next()
            elif reason is HELD and self.reservation is not None:
                walk.next_ending_by(self.view.now_s, self.reservation.shadow_s)
            else:
                walk.leave()

    def try_job(self, job: QueuedJob) -> None:
        """Start a job that fits now and does not delay the head, else note why its shape is blocked."""
        shape, blocked = job.shape, self.blocked
        if blocked.get(shape, HELD) is not HELD:
            return
        found = self.trial.find(shape)
        if found is None:
            blocked[shape] = self.trial.reason(shape)
            return
        if self.reservation is None:
            self.reservation = reserve(self.view, self.trial, self.head)
        if self.view.now_s + job.estimate_s(found[0]) <= self.reservation.shadow_s:
            self.trial.start(job, *found)
        elif shape not in blocked:
            self._try_long(job, self.reservation, *found)

    def decisions(self) -> Decisions:
        """What was decided, and what the next pass may rely on."""
        blocked = self.trial.reasons(self.blocked)
        return Decisions(self.trial.starts, blocked, Memo(self.head, blocked, self.reservation))

    def _try_long(self, job: QueuedJob, reservation: Reservation, pool: int, placement: Placement) -> None:
        """A job that will still run at the shadow time: it may take neither the head's chips nor its power."""
        place, shape = self.trial.placer.place, job.shape
        spare_nw = reservation.feed_nw - self.head.shape.gang_nw(reservation.pool)
        if pool == reservation.pool and shape.gang_nw(pool) <= spare_nw:
            after, seat = None, None
            if reservation.free.free - self.head.shape.chips >= shape.chips:
                after, seat = _with(reservation, placement, place)
                if seat is None:
                    draw_nw = shape.draw_nw[shape.pools.index(pool)]
                    outside = self.trial.place(pool, shape.chips, draw_nw, reservation.domains)
                    if outside is not None:
                        placement = outside
                        after, seat = _with(reservation, placement, place)
            if after is not None and seat is not None:
                self._start_long(job, pool, placement, replace(reservation, free=after, domains=domain_bits(seat)))
                return
        elsewhere = (pool, placement) if pool != reservation.pool else self.trial.find(shape, reservation.pool)
        if elsewhere is not None and shape.gang_nw(elsewhere[0]) <= spare_nw:
            self._start_long(job, *elsewhere, reservation)
        else:
            self.blocked[shape] = HELD

    def _start_long(self, job: QueuedJob, pool: int, placement: Placement, reservation: Reservation) -> None:
        self.trial.start(job, pool, placement)
        self.reservation = replace(reservation, feed_nw=reservation.feed_nw - job.shape.gang_nw(pool))


def _with(reservation: Reservation, placement: Placement, place: Place) -> tuple[FreeChips, Placement | None]:
    """The reserved pool at the shadow time with one more gang in it, and where the head then sits."""
    after = reservation.free.copy()
    after.take(placement)
    return after, place(after, reservation.head.shape.chips, 0)


def reserve(view: View, trial: Trial, head: QueuedJob) -> Reservation:
    """The earliest time and the place at which a head fits, over all its pools; ties to the first pool.

    Power counts at the feed; the levels below it are looked at when a job really starts. Infinite where the head
    waits for racks that are still to be delivered.
    """
    started = sorted(
        Release(view.now_s + job.estimate_s(pool), job.row, job.shape.chips, placement, pool, job.shape.gang_nw(pool))
        for job, pool, placement in trial.starts
    )
    feed_nw = trial.headroom().feed_nw
    capped = trial.headroom().capped
    found = []
    for pool in head.shape.pools:
        running = view.running if capped else (view.running[pool],)  # without a cap other pools do not matter
        releases = running[0] if len(running) == 1 and not started else merge(*running, started)
        found.append(_earliest(view.now_s, trial.free(pool), feed_nw, releases, head, pool, trial.placer))
    return min(found, key=lambda reservation: reservation.shadow_s)


def _earliest(
    now_s: float, free: FreeChips, feed_nw: int, releases: Iterable[Release], head: QueuedJob, pool: int, placer: Placer
) -> Reservation:
    """The head's reservation in one pool: release gang after gang until it fits.

    Fit is tried once an instant, when enough chips are free in domains that a part of the gang can use, and power.
    """
    future = free.copy()
    chips, need_nw = head.shape.chips, head.shape.gang_nw(pool)
    part = placer.smallest_part(chips, free.domain_chips)
    useful = free.in_domains_of(part)
    counts: dict[int, int] = {}
    instant_s = now_s
    for planned_end_s, _, _, placement, where, gang_nw in releases:
        if planned_end_s > instant_s:
            if useful >= chips and feed_nw >= need_nw:
                seat = _seat(future, counts, chips, placer)
                if seat is not None:
                    return Reservation(head, pool, instant_s, future, feed_nw, domain_bits(seat))
                counts.clear()
            instant_s = planned_end_s
        feed_nw += gang_nw
        if where != pool:
            continue
        for domain, taken in placement:
            was = counts.get(domain)
            if was is None:
                was = future.in_domain(domain)
            counts[domain] = count = was + taken
            if count >= part:
                useful += taken if was >= part else count
    seat = _seat(future, counts, chips, placer)
    if seat is None or feed_nw < need_nw:
        return Reservation(head, pool, math.inf, future, feed_nw, 0)
    return Reservation(head, pool, instant_s, future, feed_nw, domain_bits(seat))


def _seat(future: FreeChips, counts: dict[int, int], chips: int, placer: Placer) -> Placement | None:
    """Bring an index up to the counted free chips by domain, and find a place in it."""
    future.give(tuple([(domain, count - future.in_domain(domain)) for domain, count in counts.items()]))
    return placer.place(future, chips, 0)
