"""The clock: SimPy's environment with absolute times and a fixed order of things within one instant."""

from collections.abc import Callable, Sequence
from enum import IntEnum
from heapq import heappush
from typing import Any, cast

import simpy


class Phase(IntEnum):
    """The order of events at one instant (SimPy's event priority); the scheduling pass follows the last."""

    COMPLETION = 1
    CHECKPOINT = 2
    BOOTED = 5
    BATTERY = 6
    SIGNAL = 7
    DELIVERY = 8
    SLICE = 9
    ARRIVAL = 10


class Clock(simpy.Environment):
    """Simulated time [s] since the scenario's start.

    An event is put at a time rather than after a delay, and whoever adds a delay to a time says which instant it means:
    two events of one instant must meet on the same float. Only a battery is full or empty between instants.
    """

    @property
    def coming(self) -> Sequence[tuple[float, int, int, simpy.Event]]:
        """The heap of events to come, the next one first; to be read only."""
        return self._queue

    def jump(self, time_s: float) -> None:
        """Go on to a time before the next event, at which something happens that is no event."""
        self._now = time_s

    def put(self, event: simpy.Event, time_s: float, phase: Phase) -> None:
        """Let an event happen at an instant."""
        heappush(cast(list[Any], self._queue), (time_s, phase, next(self._eid), event))


class Moment(simpy.Event):
    """An event that happens at a set time; a process waits for it by yielding it, or `heard` is called with it."""

    def __init__(
        self, clock: Clock, time_s: float, phase: Phase, heard: Callable[[simpy.Event], None] | None = None
    ) -> None:
        # Event.__init__ is not called: like simpy.Timeout, this event is triggered from the first.
        self.env = clock
        self.callbacks = [] if heard is None else [heard]
        self._ok = True
        self._value = None
        clock.put(self, time_s, phase)
