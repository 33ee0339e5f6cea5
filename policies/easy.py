"""EASY backfill: the head of the queue has a reservation, the others may pass if they do not delay it.

Source: Lifka, The ANL/IBM SP scheduling system, JSSPP 1995; Mu'alem and Feitelson, IEEE TPDS 12(6), 2001.
On pools of many domains a count of spare processors is not enough, since chips that are left over may lie
where the head will sit. Here the reservation is a placement, and a long job may start if the head still
finds a place at the shadow time with that job's chips gone, or if the job fits outside the head's domains.
On one domain both rules are the textbook's `extra` processors.

The run times counted on are the users' estimates; a job past its estimate counts as ending now.
"""

from collections.abc import Iterable
from dataclasses import replace
from heapq import merge

from policies.order import Order, in_order
from policies.placement import Place, Placer
from policies.queue import QueuedJob, Shape, Walk
from policies.trial import Trial
from policies.view import HELD, Blocked, Decisions, Memo, Release, Reservation, View
from topologies.free import FreeChips, Placement, domain_bits


def easy(view: View, order: Order, placer: Placer) -> Decisions:
    """Start from the head while jobs fit, reserve for the first that does not, then let others pass it."""
    trial = Trial(view.free, placer)
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
        if found[0] != self.reservation.pool or self.view.now_s + job.estimate_s <= self.reservation.shadow_s:
            self.trial.start(job, *found)
        elif shape not in blocked:
            self._try_long(job, self.reservation, found[1])

    def decisions(self) -> Decisions:
        """What was decided, and what the next pass may rely on."""
        blocked = self.trial.reasons(self.blocked)
        return Decisions(self.trial.starts, blocked, Memo(self.head, blocked, self.reservation))

    def _try_long(self, job: QueuedJob, reservation: Reservation, placement: Placement) -> None:
        """A job that will still run at the shadow time, in the head's pool."""
        place, chips = self.trial.placer.place, job.shape.chips
        if reservation.free.free - self.head.shape.chips >= chips:
            after, seat = _with(reservation, placement, place)
            if seat is None:
                outside = place(self.trial.free(reservation.pool), chips, reservation.domains)
                if outside is not None:
                    placement = outside
                    after, seat = _with(reservation, placement, place)
            if seat is not None:
                self.trial.start(job, reservation.pool, placement)
                self.reservation = replace(reservation, free=after, domains=domain_bits(seat))
                return
        elsewhere = self._other_pool(job.shape, reservation.pool)
        if elsewhere is None:
            self.blocked[job.shape] = HELD
        else:
            self.trial.start(job, *elsewhere)

    def _other_pool(self, shape: Shape, reserved: int) -> tuple[int, Placement] | None:
        pools = tuple([pool for pool in shape.pools if pool != reserved])
        return self.trial.find(Shape(pools, shape.chips)) if pools else None


def _with(reservation: Reservation, placement: Placement, place: Place) -> tuple[FreeChips, Placement | None]:
    """The reserved pool at the shadow time with one more gang in it, and where the head then sits."""
    after = reservation.free.copy()
    after.take(placement)
    return after, place(after, reservation.head.shape.chips, 0)


def reserve(view: View, trial: Trial, head: QueuedJob) -> Reservation:
    """The earliest time and the place at which a head fits, over all its pools; ties to the first pool."""
    found = []
    for pool in head.shape.pools:
        started = sorted(
            Release(view.now_s + job.estimate_s, job.row, job.shape.chips, placement)
            for job, where, placement in trial.starts
            if where == pool
        )
        running = view.running[pool]
        releases = merge(running, started) if started else running
        found.append(_earliest(view.now_s, trial.free(pool), releases, head, pool, trial.placer))
    return min(found, key=lambda reservation: reservation.shadow_s)


def _earliest(
    now_s: float, free: FreeChips, releases: Iterable[Release], head: QueuedJob, pool: int, placer: Placer
) -> Reservation:
    """The head's reservation in one pool: release gang after gang until it fits.

    Fit is tried once an instant, when enough chips are free in domains that a part of the gang can use.
    """
    future = free.copy()
    chips = head.shape.chips
    part = placer.smallest_part(chips, free.domain_chips)
    useful = free.in_domains_of(part)
    counts: dict[int, int] = {}
    instant_s = now_s
    for planned_end_s, _, _, placement in releases:
        if planned_end_s > instant_s:
            if useful >= chips:
                seat = _seat(future, counts, chips, placer)
                if seat is not None:
                    return Reservation(head, pool, instant_s, future, domain_bits(seat))
                counts.clear()
            instant_s = planned_end_s
        for domain, taken in placement:
            was = counts.get(domain)
            if was is None:
                was = future.in_domain(domain)
            counts[domain] = count = was + taken
            if count >= part:
                useful += taken if was >= part else count
    seat = _seat(future, counts, chips, placer)
    assert seat is not None, "a gang does not fit into its pool when all others have ended"
    return Reservation(head, pool, instant_s, future, domain_bits(seat))


def _seat(future: FreeChips, counts: dict[int, int], chips: int, placer: Placer) -> Placement | None:
    """Bring an index up to the counted free chips by domain, and find a place in it."""
    future.give(tuple([(domain, count - future.in_domain(domain)) for domain, count in counts.items()]))
    return placer.place(future, chips, 0)
