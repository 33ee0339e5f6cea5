"""The end of a running job as one SimPy event."""

from collections.abc import Callable

import simpy

from policies.view import Release
from sim.clock import Clock, Phase


class JobEnd(simpy.Event):
    """The end of a running job. A timeout with a callback: a process a job would cost four events, not one."""

    def __init__(self, clock: Clock, time_s: float, ended: Callable[[simpy.Event], None], run: Release) -> None:
        self.env = clock
        self.callbacks = [ended]
        self._ok = True
        self._value = None
        self.run = run
        clock.put(self, time_s, Phase.COMPLETION)

    def cancel(self) -> None:
        """The job ends at another time: nothing happens at this one."""
        self.callbacks = []
