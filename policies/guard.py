"""The checks of what a policy of the user's own answers. Built-in policies are not wrapped and pay nothing.

Whatever a plug-in does wrong ends the run with one PlugInError that names it: it raises, it does not end, it answers
what is no answer, or it changes what it was only shown.
"""

from collections.abc import Callable, Sequence
from typing import Any, SupportsFloat

from policies.backfill import Backfill
from policies.faults import PlugIn, PlugInError, raised
from policies.placement import Place, Placer, PlaceUnder, single_chip
from policies.powered import avoiding
from policies.queue import Queue, QueuedJob, StaticOrder
from policies.seats import Wrong, checked_seat, start_seat
from policies.trial import Trial
from policies.view import DEFERRED, FRAGMENTED, HELD, NO_POWER, NO_ROOM, QUOTA, Decisions, Start, View
from policies.watchdog import Watchdog
from scenarios.units import shown
from topologies.free import FreeChips, Placement
from topologies.headroom import Headroom
from topologies.plant import Shape

_REASONS = {reason: reason for reason in (NO_ROOM, NO_POWER, FRAGMENTED, HELD, QUOTA, DEFERRED)}


class Guard:
    """The plug-ins of one policy with their checks around them; what is built in stays as it is."""

    def __init__(self, plug_ins: Sequence[PlugIn], watchdog: Watchdog) -> None:
        self.plug_ins = {plug_in.axis: plug_in for plug_in in plug_ins}
        self.fault: PlugInError | None = None  # the first one, should a plug-in catch that of another
        self._watchdog = watchdog
        self._about = "a pass with " + " and ".join(plug_in.about for plug_in in plug_ins)
        self._values: dict[int, tuple[QueuedJob, float]] = {}  # what the order said of waiting jobs, by row
        self._started: Sequence[Start] = ()
        self._queue: Queue | None = None
        self.built_in: Backfill | None = None  # how a pass goes where only order or placement are plug-ins

    @property
    def hashes(self) -> dict[str, str]:
        """The sha256 of the plug-ins' files as they were read."""
        return {one.file: one.sha256 for one in self.plug_ins.values() if one.file and one.sha256}

    def decide(self, view: View, backfill: Backfill, placer: Placer) -> Decisions:
        """One pass that is watched, and checked where the backfill is a plug-in."""
        for start in self._started:  # a job that is stopped comes back as another
            known = self._values.get(start.job.row)
            if known is not None and known[0] is start.job:
                del self._values[start.job.row]
        self._queue = view.queue
        plug_in = self.plug_ins.get("backfill")
        if plug_in is None:
            decisions = self._watchdog.call(self._about, None, self.built_in or backfill, view, placer)
        else:
            before = _totals(view)
            answer = self._ask(plug_in, None, backfill, view, placer)
            decisions = self._checked(plug_in, answer, view, placer, before)
        if self.fault is not None:
            raise self.fault
        self._started = decisions.starts
        self._queue = None
        return decisions

    def order(self, plug_in: PlugIn) -> StaticOrder:
        """An order that asks the plug-in once for each time that a job joins the queue, so that it stays static."""
        function, values = plug_in.policy, self._values

        def order(job: QueuedJob) -> float:
            known = values.get(job.row)
            if known is not None and (known[0] is job or known[0] == job):
                return known[1]
            value = self._ask(plug_in, job, function, job)
            if type(value) is not float:
                value = self._number(plug_in, value, job)
            if value != value:
                raise self._wrong(plug_in, "returned nan; allowed: a number", job)
            values[job.row] = job, value
            return value

        return order

    def placer(self, plug_in: PlugIn) -> Placer:
        """A placer whose every placement is checked; a function gets the search under limits that any function may."""
        made = plug_in.policy if isinstance(plug_in.policy, Placer) else Placer(plug_in.policy, single_chip)
        place = self._place(plug_in, made.place)
        if made.under is not None:
            checked = self._under(plug_in, made.under)
            return Placer(place, self._part(plug_in, made.smallest_part), checked, emptiest=made.emptiest)
        if isinstance(plug_in.policy, Placer):
            return Placer(place, self._part(plug_in, made.smallest_part), emptiest=made.emptiest)

        def under(
            free: FreeChips, headroom: Headroom, pool: int, chips: int, draw_nw: int, avoid: int
        ) -> Placement | None:
            return avoiding(lambda out: place(free, chips, out), headroom, pool, 1, draw_nw, avoid)

        return Placer(place, single_chip, under)

    def _place(self, plug_in: PlugIn, function: Place) -> Place:
        def place(free: FreeChips, chips: int, avoid: int = 0) -> Placement | None:
            before = free.free
            answer = self._ask(plug_in, chips, function, free, chips, avoid)
            return self._seat(plug_in, answer, free, before, chips, avoid)

        return place

    def _under(self, plug_in: PlugIn, function: PlaceUnder) -> PlaceUnder:
        def under(
            free: FreeChips, headroom: Headroom, pool: int, chips: int, draw_nw: int, avoid: int
        ) -> Placement | None:
            before, feed_nw = free.free, headroom.feed_nw
            answer = self._ask(plug_in, chips, function, free, headroom, pool, chips, draw_nw, avoid)
            seat = self._seat(plug_in, answer, free, before, chips, avoid)
            if headroom.feed_nw != feed_nw:
                raise self._wrong(plug_in, "changed the headroom that it was shown; allowed: headroom.copy()", chips)
            if seat is not None and headroom.overdrawn(pool, seat, draw_nw):
                raise self._wrong(plug_in, f"returned {shown(answer)}, which overdraws a rack or a PDU", chips)
            return seat

        return under

    def _part(self, plug_in: PlugIn, function: Callable[[int, int], int]) -> Callable[[int, int], int]:
        def smallest_part(chips: int, domain_chips: int) -> int:
            part = self._ask(plug_in, chips, function, chips, domain_chips)
            if type(part) is not int or not 1 <= part <= chips:
                text = f"says that the smallest part of {chips} chips is {shown(part)}; allowed: 1 to {chips}"
                raise self._wrong(plug_in, text, chips)
            return part

        return smallest_part

    def _seat(
        self, plug_in: PlugIn, answer: object, free: FreeChips, before: int, chips: int, avoid: int
    ) -> Placement | None:
        if free.free != before:
            raise self._wrong(plug_in, "changed the free chips that it was shown; allowed: free.copy()", chips)
        if answer is None:
            return None
        try:
            return checked_seat(answer, free, chips, avoid)
        except Wrong as wrong:
            raise self._wrong(plug_in, f"returned {shown(answer)}, {wrong}", chips) from None

    def _checked(self, plug_in: PlugIn, answer: object, view: View, placer: Placer, before: list[int]) -> Decisions:
        """The decisions of a backfill, each start tried on copies after those before it."""
        if _totals(view) != before:
            raise self._wrong(plug_in, "changed the view; allowed: copies, as policies.trial.Trial makes")
        if not isinstance(answer, Decisions) or not isinstance(answer.starts, Sequence):
            raise self._wrong(plug_in, f"returned {shown(answer)}; allowed: Decisions(starts, blocked)")
        trial, started, starts = Trial(view, placer), set[int](), list[Start]()
        for start in answer.starts:
            if not isinstance(start, tuple) or len(start) != 3 or not isinstance(start[0], QueuedJob):
                raise self._wrong(plug_in, f"starts {shown(start)}; allowed: Start(job, pool, placement)")
            given, pool, placement = start
            job = view.queue.waiting(given)
            if job is None:
                raise self._wrong(plug_in, f"starts {shown(given)}, which is not waiting")
            try:
                if job.row in started:
                    raise Wrong("which it has started already")
                seat = start_seat(trial, job, pool, placement)
            except Wrong as wrong:
                where = f"in pool {shown(pool)} on {shown(placement)}"
                raise self._wrong(plug_in, f"starts a job {where}, {wrong}", job) from None
            started.add(job.row)
            trial.start(job, pool, seat)
            starts.append(Start(job, pool, seat))
        return Decisions(starts, self._blocked(plug_in, answer.blocked), answer.memo, answer.plan)

    def _blocked(self, plug_in: PlugIn, blocked: object) -> dict[Shape, str]:
        """Why shapes wait; the words themselves, since built-in policies tell them by identity."""
        if isinstance(blocked, dict):
            wrong = [(s, r) for s, r in blocked.items() if not isinstance(s, Shape) or r not in _REASONS.values()]
            if not wrong:
                return {shape: _REASONS[reason] for shape, reason in blocked.items()}
            blocked = dict(wrong[:1])
        words = ", ".join(map(repr, _REASONS))
        raise self._wrong(plug_in, f"says that {shown(blocked)} is blocked; allowed: a shape -> one of {words}")

    def _ask(self, plug_in: PlugIn, job: QueuedJob | int | None, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a plug-in answers; a PlugInError where it raises or does not end. job: or the size of its gang."""
        try:
            return self._watchdog.call(plug_in.about, plug_in.file, function, *arguments)
        except PlugInError as known:
            known.job = known.job or self._job(job)
            self.fault = self.fault or known
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # an exit() in a policy is a mistake like any other
            fault = raised(plug_in.asked(job), plug_in.file, error, self._job(job))
            self.fault = self.fault or fault
            raise fault from None

    def _wrong(self, plug_in: PlugIn, text: str, job: QueuedJob | int | None = None) -> PlugInError:
        fault = PlugInError(f"{plug_in.asked(job)} {text}", plug_in.where, self._job(job))
        self.fault = self.fault or fault
        return fault

    def _job(self, job: QueuedJob | int | None) -> QueuedJob | None:
        """The job that a plug-in was asked about: of a placement, the first that waits with so many chips."""
        if not isinstance(job, int):
            return job
        lanes = [] if self._queue is None else self._queue.lanes.values()
        return min([(lane.keys[0], lane.jobs[0]) for lane in lanes if lane.shape.chips == job], default=(0, None))[1]

    def _number(self, plug_in: PlugIn, value: object, job: QueuedJob) -> float:
        if isinstance(value, SupportsFloat):
            try:
                return float(value)
            except (TypeError, ValueError, OverflowError):
                pass
        raise self._wrong(plug_in, f"returned {shown(value)}; allowed: a number", job)


def _totals(view: View) -> list[int]:
    """What a policy that plans on the view itself instead of on copies would change."""
    free, running = [pool.free for pool in view.free], [len(gangs) for gangs in view.running]
    held = [] if view.tenants is None else [view.tenants.draw_nw, *view.tenants.chips]
    held += [] if view.quotas is None else [sum(chips) for chips in view.quotas.used]
    return [view.queue.jobs, view.queue.chips, view.headroom.feed_nw, *free, *running, *held]
