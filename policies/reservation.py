"""The reservation of a waiting head: the earliest time and the place at which it fits if running gangs end as planned.

Does not decide who may pass the head: that is policies/easy.py.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from heapq import merge
from itertools import groupby, islice

from policies.placement import Placer
from policies.queue import QueuedJob
from policies.quotas import Quotas
from policies.trial import Trial, seat_of, seat_under, smallest_part
from policies.view import Release, Reservation, View
from scenarios.instants import instant
from topologies.free import FreeChips, Placement
from topologies.headroom import Headroom
from topologies.plant import Shape

_STRIDE = 16  # instants that are looked at first


def reserve(view: View, trial: Trial, head: QueuedJob) -> Reservation:
    """The earliest time and the place at which a head fits, over all its pools; ties to the first pool.

    Infinite where the head waits for racks that are still to be delivered.
    """
    found = reserve_in(view, trial, head, head.shape.pools, trial.quotas())
    return min(found, key=lambda reservation: reservation.shadow_s)


def reserve_in(
    view: View, trial: Trial, head: QueuedJob, pools: Sequence[int], quotas: Quotas | None
) -> list[Reservation]:
    """The same in each of some pools; quotas: None to leave them out of account."""
    started = sorted(
        Release(
            instant(view.now_s + job.estimate_s(pool)),
            job.row,
            job.shape.chips,
            placement,
            pool,
            job.shape.gang_nw(pool),
        )
        for job, pool, placement in trial.starts
    )
    headroom = trial.headroom()
    earliest = _earliest_below if headroom.bound_below else _earliest
    found = []
    for pool in pools:
        running = view.running if headroom.capped else (view.running[pool],)  # without a cap other pools do not matter
        alone = len(running) == 1 and not started and not view.rises
        releases = running[0] if alone else merge(*running, started, view.rises)
        now = _Future(head.shape, pool, trial.free(pool), headroom, quotas)
        found.append(earliest(view.now_s, now, releases, head, trial.placer))
    return found


def with_feed(headroom: Headroom, feed_nw: int) -> Headroom:
    """A headroom with another power at the feed; itself where nothing is capped."""
    if not headroom.capped:
        return headroom
    twin = headroom.copy()
    twin.feed_nw = feed_nw
    return twin


def less(reservation: Reservation, shape: Shape, pool: int, placement: Placement, placer: Placer) -> Reservation | None:
    """The reservation with one more gang still there at the shadow time; None where the head has no seat then.

    The head keeps its seat if it can: another one takes longer to look for.
    """
    free, headroom, seat = reservation.free, reservation.headroom.copy(), reservation.seat
    headroom.take(pool, placement, shape.draw_nw[shape.pools.index(pool)])
    if pool == reservation.pool:
        free = free.copy()
        free.take(placement)
    quotas = reservation.quotas_with(shape, pool)
    future = _Future(reservation.head.shape, reservation.pool, free, headroom, quotas)
    found = seat if future.holds(seat) else future.seat(placer)
    return None if found is None else replace(reservation, free=free, headroom=headroom, seat=found, quotas=quotas)


def _earliest(
    now_s: float, now: "_Future", releases: Iterable[Release], head: QueuedJob, placer: Placer
) -> Reservation:
    """The head's reservation in one pool where only the feed can bind: release gang after gang until it fits.

    Fit is tried once an instant, when enough chips are free in domains that a part of the gang can use, with power and
    quota.
    """
    pool, free, headroom = now.pool, now.free, now.headroom
    future, feed_nw, quotas = free.copy(), headroom.feed_nw, now.quotas and now.quotas.ahead()
    chips, need_nw = head.shape.chips, head.shape.gang_nw(pool)
    part = smallest_part(placer, head.shape, free)
    useful = free.in_domains_of(part)
    counts: dict[int, int] = {}
    boxes: list[tuple[int, int]] | None = None if free.boxes is None else []
    instant_s = now_s
    for planned_end_s, row, gang_chips, placement, where, gang_nw in releases:
        if planned_end_s > instant_s:
            if useful >= chips and feed_nw >= need_nw and (quotas is None or quotas.allows(head.shape, pool)):
                seat = _seat(future, counts, boxes, head.shape, placer)
                if seat is not None:
                    return Reservation(head, pool, instant_s, future, with_feed(headroom, feed_nw), seat, quotas)
                counts.clear()
            instant_s = planned_end_s
        feed_nw += gang_nw
        if where != pool:
            continue
        if quotas is not None:
            quotas.let_go(row, pool, gang_chips)
        if boxes is not None:
            boxes += placement
        for domain, taken in placement:
            was = counts.get(domain)
            if was is None:
                was = future.in_domain(domain)
            counts[domain] = count = was + taken
            if count >= part:
                useful += taken if was >= part else count
    seat = _seat(future, counts, boxes, head.shape, placer)
    if seat is None or feed_nw < need_nw or (quotas is not None and not quotas.allows(head.shape, pool)):
        return Reservation(head, pool, math.inf, future, with_feed(headroom, feed_nw), (), quotas)
    return Reservation(head, pool, instant_s, future, with_feed(headroom, feed_nw), seat, quotas)


def _seat(
    future: FreeChips, counts: dict[int, int], boxes: list[tuple[int, int]] | None, head: Shape, placer: Placer
) -> Placement | None:
    """Bring an index up to the counted free chips by domain, a torus by the released boxes, and find a place in it."""
    if boxes is None:
        future.give(tuple([(domain, count - future.in_domain(domain)) for domain, count in counts.items()]))
    else:
        future.give(tuple(boxes))
        boxes.clear()
    return seat_of(future, placer, head)


def _earliest_below(
    now_s: float, now: "_Future", releases: Iterable[Release], head: QueuedJob, placer: Placer
) -> Reservation:
    """The same where levels below the feed can bind.

    A seat takes longer to look for, but one that is there stays as more gangs end. So ever longer strides of instants
    are passed until there is one, and the last stride is halved until its first instant with a seat is left.
    """
    ends = groupby(releases, lambda release: max(now_s, release.planned_end_s))
    instants = ((end_s, list(gangs)) for end_s, gangs in ends)
    future, pool, stride = now, now.pool, _STRIDE
    while ahead := list(islice(instants, stride)):
        later = future.after(ahead)
        seat = later.seat(placer)
        if seat is None:
            future, stride = later, 2 * stride
            continue
        while len(ahead) > 1:
            half = future.after(ahead[: len(ahead) // 2])
            sooner = half.seat(placer)
            if sooner is None:
                future, ahead = half, ahead[len(ahead) // 2 :]
            else:
                later, seat, ahead = half, sooner, ahead[: len(ahead) // 2]
        return Reservation(head, pool, ahead[0][0], later.free, later.headroom, seat, later.quotas)
    return Reservation(head, pool, math.inf, future.free, future.headroom, (), future.quotas)


class _Future:
    """The chips of a pool, the power at every level and the use of quotas at a later time; nothing of it changes."""

    __slots__ = ("_draw_nw", "free", "head", "headroom", "pool", "quotas")

    def __init__(self, head: Shape, pool: int, free: FreeChips, headroom: Headroom, quotas: Quotas | None) -> None:
        self.head = head
        self.quotas = quotas
        self.pool = pool
        self.free = free
        self.headroom = headroom
        self._draw_nw = head.draw_nw[head.pools.index(pool)]

    def after(self, instants: Sequence[tuple[float, Sequence[Release]]]) -> "_Future":
        """What there will be when the gangs of these instants have ended."""
        free, headroom, quotas = self.free.copy(), self.headroom.copy(), self.quotas and self.quotas.ahead()
        for _, gangs in instants:
            for _, row, chips, placement, pool, gang_nw in gangs:
                if not chips:  # power that comes back
                    headroom.feed_nw += gang_nw
                    continue
                headroom.give(pool, placement, gang_nw // chips)
                if pool == self.pool:
                    free.give(placement)
                if quotas is not None:
                    quotas.let_go(row, pool, chips)
        return _Future(self.head, self.pool, free, headroom, quotas)

    def seat(self, placer: Placer) -> Placement | None:
        """Where the head then fits with power at every level, None where it does not."""
        if self.head.chips * self._draw_nw > self.headroom.feed_nw or not self._allowed():
            return None
        return seat_under(self.free, self.headroom, placer, self.head, self.pool)

    def holds(self, seat: Placement) -> bool:
        """Whether a place has the head's chips and power then."""
        return (
            self.free.holds(seat)
            and self._allowed()
            and self.head.chips * self._draw_nw <= self.headroom.feed_nw
            and not self.headroom.overdrawn(self.pool, seat, self._draw_nw)
        )

    def _allowed(self) -> bool:
        return self.quotas is None or self.quotas.allows(self.head, self.pool)
