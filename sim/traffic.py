"""Gangs that reach beyond their leaves: they share the links up, and a change of shares changes their speeds."""

from collections.abc import Callable
from typing import Protocol, cast

import simpy

from outputs.record import Journeys
from policies.view import Release
from scenarios.instants import instant
from sim.clock import Clock
from sim.ends import JobEnd
from topologies.domains import Seat
from topologies.free import Placement
from topologies.network import Network
from topologies.shares import Shares
from topologies.speeds import Alone, Speed


class Retimed(Protocol):
    """Where gangs run whose speed is to be changed."""

    def retime(self, row: int, factor: float) -> None:
        """A gang works at factor times its speed alone from now on."""


class _Sender:
    """A gang with a flow: how it works alone on its seat, what it would send [bytes/s], its speed over that alone."""

    __slots__ = ("alone", "bytes_per_s", "factor", "seat", "speed")

    def __init__(self, seat: Seat, speed: Speed, alone: Alone, bytes_per_s: float) -> None:
        self.seat = seat
        self.speed = speed
        self.alone = alone
        self.bytes_per_s = bytes_per_s
        self.factor = 1.0


class Traffic:
    """What running gangs send over links up. Starts and ends move shares; settle() then sets the speeds."""

    def __init__(self, network: Network, journeys: Journeys) -> None:
        self.runs: Retimed | None = None
        self._network = network
        self._journeys = journeys
        self._shares = Shares(network.capacities)
        self._senders: dict[int, _Sender] = {}
        self._moved: dict[int, float] = {}
        self._in_domain: dict[tuple[int, int, int], tuple[float, float]] = {}  # paces and computing, behind switches

    def start(self, row: int, job_class: int, pool: int, placement: Placement, planned_pace_s: float) -> float:
        """A gang sits down: its pace when it is alone [s a unit of work]. Its share of links comes with settle()."""
        segment, speed = self._network.segments[pool], self._network.speeds[job_class][pool]
        journeys = self._journeys
        if len(placement) == 1 and (segment is None or segment.domain.torus is None):
            return self._start_in_domain(row, (job_class, pool, placement[0][1]), planned_pace_s)
        journeys.pace_s[row] = planned_pace_s
        if segment is None:
            return planned_pace_s
        seat = segment.seat(placement)
        journeys.domains[row] = seat.domains
        journeys.leaves[row] = 1 if seat.level < 2 else segment.leaves(placement)
        if speed is None:
            return planned_pace_s
        alone = speed.alone(seat)
        journeys.pace_s[row], journeys.computing[row] = alone.pace_s, alone.computing
        if seat.level >= 2 and alone.crossing and self._network.contention and segment.shares:
            flow = segment.flow(placement, seat, alone.crossing)
            self._senders[row] = _Sender(seat, speed, alone, flow.bytes_per_s)
            self._moved |= self._shares.add(row, flow.links, flow.chips, flow.bytes_per_s)
        return alone.pace_s

    def _start_in_domain(self, row: int, key: tuple[int, int, int], planned_pace_s: float) -> float:
        """The pace of a gang in one domain: all of a class, pool and size are alike."""
        journeys = self._journeys
        journeys.domains[row] = journeys.leaves[row] = 1
        known = self._in_domain.get(key)
        if known is None:
            job_class, pool, chips = key
            segment, speed = self._network.segments[pool], self._network.speeds[job_class][pool]
            known = planned_pace_s, 1.0
            if segment is not None and speed is not None:
                alone = speed.alone(segment.seat(((0, chips),)))
                known = alone.pace_s, alone.computing
            self._in_domain[key] = known
        journeys.pace_s[row], journeys.computing[row] = known
        return known[0]

    def sends(self, row: int) -> bool:
        """Whether a running gang shares links."""
        return row in self._senders

    def end(self, row: int) -> None:
        """A gang leaves."""
        if self._senders.pop(row, None) is not None:
            self._moved |= self._shares.remove(row)
            self._moved.pop(row, None)

    @property
    def unsettled(self) -> bool:
        """Whether shares have moved since the last settle()."""
        return bool(self._moved)

    def settle(self) -> None:
        """Give every gang whose share has moved its speed."""
        moved, self._moved = self._moved, {}
        for row, bytes_per_s in moved.items():
            sender = self._senders[row]
            share, alone = bytes_per_s / sender.bytes_per_s, sender.alone
            factor = 1.0
            if share < alone.share:
                factor = alone.pace_s / sender.speed.pace_s(sender.seat, share)
            if factor != sender.factor and self.runs is not None:
                sender.factor = factor
                self.runs.retime(row, factor)


class _Journey:
    """A gang on its way to a JobEnd: what it has done and needs in all [s alone], and its factor since then.

    due_s: when it ends, at or after end_s, the time of the event: one that is put off is looked at when it comes.
    """

    __slots__ = ("_traffic_s", "done_s", "due_s", "end", "end_s", "factor", "from_s", "needs_s", "run", "since_s")

    def __init__(self, run: Release, now_s: float, needs_s: float, end: JobEnd) -> None:
        self.run = run
        self.from_s = self.since_s = now_s
        self.needs_s = needs_s
        self.done_s = self._traffic_s = 0.0
        self.factor = 1.0
        self.end = end
        self.end_s = self.due_s = instant(now_s + needs_s)

    def done_by(self, now_s: float) -> float:
        """What is done [s alone]."""
        return min(self.needs_s, self.done_s + (now_s - self.since_s) * self.factor)

    def traffic_by(self, now_s: float) -> float:
        """What the traffic of others has taken [s]."""
        return self._traffic_s + (now_s - self.since_s) * (1.0 - self.factor)

    def retime(self, now_s: float, factor: float) -> None:
        """Work at another factor from now on."""
        self.done_s, self._traffic_s = self.done_by(now_s), self.traffic_by(now_s)
        self.since_s, self.factor = now_s, factor
        self.due_s = instant(now_s + (self.needs_s - self.done_s) / factor)


class Roads:
    """The gangs of runs in which only traffic changes speeds: an event for each end, replaced when it moves."""

    def __init__(self, clock: Clock, ended: Callable[[Release], None], journeys: Journeys) -> None:
        self._clock = clock
        self._ended = ended
        self._log = journeys
        self._under_way: dict[int, _Journey] = {}
        self._before: dict[int, float] = {}  # what traffic had taken at the end of the warmup [s]

    def start(self, run: Release, needs_s: float) -> None:
        """A gang starts that takes needs_s alone."""
        now_s = self._clock.now
        end = JobEnd(self._clock, instant(now_s + needs_s), self._arrive, run)
        self._under_way[run.row] = _Journey(run, now_s, needs_s, end)

    def retime(self, row: int, factor: float) -> None:
        """A gang works at factor times its speed alone from now on."""
        journey = self._under_way[row]
        journey.retime(self._clock.now, factor)
        if journey.due_s < journey.end_s:
            journey.end.cancel()
            self._put(journey)

    def end_warmup(self) -> None:
        """Read what has been done up to now."""
        now_s = self._clock.now
        for row, journey in self._under_way.items():
            self._log.before[row] = self._share(journey, now_s)
            self._before[row] = journey.traffic_by(now_s)
        self._log.traffic_s.clear()  # of those that ended before

    def close(self, end_s: float) -> None:
        """Read what gangs that are still under way have done."""
        for row, journey in self._under_way.items():
            self._log.done[row] = self._share(journey, end_s)
            self._keep(journey, end_s)

    def _arrive(self, event: simpy.Event) -> None:
        run = cast(JobEnd, event).run
        journey = self._under_way[run.row]
        if journey.due_s > journey.end_s:
            self._put(journey)
            return
        self._keep(self._under_way.pop(run.row), self._clock.now)
        self._ended(run)

    def _put(self, journey: _Journey) -> None:
        journey.end_s = journey.due_s
        journey.end = JobEnd(self._clock, journey.due_s, self._arrive, journey.run)

    def _keep(self, journey: _Journey, now_s: float) -> None:
        done_s, lasted_s = journey.done_by(now_s), now_s - journey.from_s
        if done_s > 0 and (journey.factor != 1 or journey.since_s > journey.from_s):
            self._log.stretch[journey.run.row] = lasted_s / done_s
        traffic_s = journey.traffic_by(now_s) - self._before.pop(journey.run.row, 0.0)
        if traffic_s:
            self._log.traffic_s[journey.run.row] = traffic_s

    @staticmethod
    def _share(journey: _Journey, now_s: float) -> float:
        return journey.done_by(now_s) / journey.needs_s if journey.needs_s else 1.0
