"""EASY backfill: the head of the queue has a reservation, the others may pass if they do not delay it.

Source: Lifka, The ANL/IBM SP scheduling system, JSSPP 1995; Mu'alem and Feitelson, IEEE TPDS 12(6), 2001.
On pools of many domains a count of spare processors is not enough, since chips that are left over may lie
where the head will sit. Here the reservation is a placement, and a long job may start if the head still
finds a place at the shadow time with that job's chips gone, or if the job fits outside the head's domains.
On one domain both rules are the textbook's `extra` processors. Power at the feed and at every level below it that can
bind counts like chips.

The run times counted on are the users' estimates; a job past its estimate counts as ending now.
"""

from dataclasses import replace

from policies.placement import Placer
from policies.queue import QueuedJob, Walk
from policies.quota_waits import first, waits_for_quota
from policies.reservation import less, reserve, with_feed
from policies.trial import Trial, seat_of, seat_under
from policies.view import HELD, Blocked, Decisions, Memo, Reservation, View
from scenarios.instants import longest_s
from topologies.free import FreeChips, Placement
from topologies.plant import Shape


def easy(view: View, placer: Placer) -> Decisions:
    """Start from the head while jobs fit, reserve for the first that does not, then let others pass it.

    Who waits for nothing but quota is no head: it has no reservation, and holds up nobody.
    """
    trial = Trial(view, placer)
    memo = view.memo
    if memo is not None and memo.head is not None and memo.head is first(view, placer):
        known = memo.reservation
        if known is None or view.now_s <= known.shadow_s:
            passing = Passing(view, trial, memo.head, dict(memo.blocked), known)
            for job in view.queue.in_order(view.arrived, view, trial.starts):
                passing.try_job(job)
            return passing.decisions()
    walk = view.queue.walk(view, trial.starts)
    blocked: Blocked = {}
    for job in walk:
        found = trial.find(job.shape)
        if found is None:
            blocked[job.shape] = trial.reason(job.shape)
            if waits_for_quota(view, trial, job):
                walk.leave()
                continue
            walk.next()
            passing = Passing(view, trial, job, blocked)
            passing.try_all(walk)
            return passing.decisions()
        trial.start(job, *found)
        walk.next()
    return Decisions(trial.starts, trial.reasons(blocked))


class Passing:
    """The second half of a pass: who may start although the head waits.

    The reservation is made when the first job asks that would fit now; until then nobody needs it.
    """

    __slots__ = ("_most_s", "blocked", "head", "reservation", "trial", "view")

    def __init__(
        self, view: View, trial: Trial, head: QueuedJob, blocked: Blocked, reservation: Reservation | None = None
    ) -> None:
        self.view = view
        self.trial = trial
        self.head = head
        self.blocked = blocked
        self.reservation = reservation
        self._most_s = 0.0 if reservation is None else longest_s(view.now_s, reservation.shadow_s)  # that may pass

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
            self._most_s = longest_s(self.view.now_s, self.reservation.shadow_s)
        if job.estimate_s(found[0]) <= self._most_s:
            self.trial.start(job, *found)
        elif shape not in blocked:
            self._try_long(job, self.reservation, *found)

    def decisions(self) -> Decisions:
        """What was decided, and what the next pass may rely on."""
        blocked = self.trial.reasons(self.blocked)
        return Decisions(self.trial.starts, blocked, Memo(self.head, blocked, self.reservation))

    def _try_long(self, job: QueuedJob, reservation: Reservation, pool: int, placement: Placement) -> None:
        """A job that will still run at the shadow time: it may take none of the head's chips, power and quota."""
        if reservation.headroom.bound_below:
            self._try_long_below(job, reservation, pool, placement)
            return
        shape, placer = job.shape, self.trial.placer
        spare_nw = reservation.headroom.feed_nw - self.head.shape.gang_nw(reservation.pool)
        if pool == reservation.pool and shape.gang_nw(pool) <= spare_nw and reservation.keeps_quota(shape, pool):
            after, seat = None, None
            if reservation.free.free - self.head.shape.chips >= shape.chips:
                after, seat = _with(reservation, placement, placer)
                if seat is None:
                    outside = self.trial.seat(shape, pool, reservation.domains)
                    if outside is not None:
                        placement = outside
                        after, seat = _with(reservation, placement, placer)
            if after is not None and seat is not None:
                quotas = reservation.quotas_with(shape, pool)
                self._start_long(job, pool, placement, replace(reservation, free=after, seat=seat, quotas=quotas))
                return
        elsewhere = (pool, placement) if pool != reservation.pool else self.trial.find(shape, reservation.pool)
        if elsewhere is not None and shape.gang_nw(elsewhere[0]) <= spare_nw:
            self._start_long(job, *elsewhere, reservation)
        else:
            self.blocked[shape] = HELD

    def _start_long(self, job: QueuedJob, pool: int, placement: Placement, reservation: Reservation) -> None:
        self.trial.start(job, pool, placement)
        left_nw = reservation.headroom.feed_nw - job.shape.gang_nw(pool)
        self.reservation = replace(reservation, headroom=with_feed(reservation.headroom, left_nw))

    def _try_long_below(self, job: QueuedJob, reservation: Reservation, pool: int, placement: Placement) -> None:
        """The same where a level below the feed can bind.

        The head must keep a seat with power at every level, with the job where it fits now or else beside the seat.
        """
        after = less(reservation, job.shape, pool, placement, self.trial.placer)
        if after is None:
            beside = self._beside(job.shape, reservation)
            if beside is not None:
                pool, placement = beside
                after = less(reservation, job.shape, pool, placement, self.trial.placer)
        if after is None:
            self.blocked[job.shape] = HELD
        else:
            self.trial.start(job, pool, placement)
            self.reservation = after

    def _beside(self, shape: Shape, reservation: Reservation) -> tuple[int, Placement] | None:
        """The first pool and place outside the head's domains that has power now, and beside the head's then."""
        head = reservation.head.shape
        left = reservation.headroom.copy()
        left.take(reservation.pool, reservation.seat, head.draw_nw[head.pools.index(reservation.pool)])
        left = left.least(self.trial.headroom())
        for pool, draw_nw in zip(shape.pools, shape.draw_nw, strict=True):
            if not self.trial.allows(shape, pool) or not reservation.keeps_quota(shape, pool):
                continue
            if shape.chips * draw_nw <= left.feed_nw:
                avoid = reservation.domains if pool == reservation.pool else 0
                found = seat_under(self.trial.free(pool), left, self.trial.placer, shape, pool, avoid)
                if found is not None:
                    return pool, found
        return None


def _with(reservation: Reservation, placement: Placement, placer: Placer) -> tuple[FreeChips, Placement | None]:
    """The reserved pool at the shadow time with one more gang in it, and where the head then sits."""
    after = reservation.free.copy()
    after.take(placement)
    return after, seat_of(after, placer, reservation.head.shape)
