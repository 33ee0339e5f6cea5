"""Progress of a run: the simulated date and the rate, on standard error and only on a terminal."""

import sys
import time
from datetime import timedelta
from types import TracebackType

from scenarios.units import DAY_S
from sim.simulation import Simulation

_EVERY_S = 0.2


class Reporter:
    """Rewrites one line of a terminal while a run goes on, and wipes it in the end."""

    def __init__(self, quiet: bool) -> None:
        self._on = sys.stderr is not None and sys.stderr.isatty() and not quiet
        self._began = self._last = time.monotonic()

    def __enter__(self) -> "Reporter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._on:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def report(self, simulation: Simulation) -> None:
        """Show how far a run has come."""
        now = time.monotonic()
        if not self._on or now - self._last < _EVERY_S:
            return
        self._last = now
        ended = simulation.cluster.ended_jobs
        try:
            date = f"{simulation.start + timedelta(seconds=simulation.clock.now):%Y-%m-%d}"
        except OverflowError:  # beyond the year 9999
            date = f"day {simulation.clock.now / DAY_S:,.0f}"
        share = f" ({100 * simulation.clock.now / simulation.end_s:.0f} %)" if simulation.end_s < float("inf") else ""
        rate = ended / (now - self._began)
        sys.stderr.write(f"\r\x1b[K{date}{share}  {ended:,} jobs done, {rate:,.0f} jobs/s")
        sys.stderr.flush()
