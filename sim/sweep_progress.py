"""Progress of a sweep: runs done, rate, time left and the best point so far, on standard error."""

import os
import sys
import time
from types import TracebackType

import click

from outputs.better import better_words, more_is_better
from outputs.tables import duration
from scenarios.errors import nearest
from sim.runs import Progress
from sim.work import Outcome, Overrides, Task

_EVERY_S = 0.2


class SweepReporter(Progress):
    """Rewrites one line of a terminal while a sweep goes on, and wipes it in the end; elsewhere it only warns."""

    def __init__(self, quiet: bool, metrics: tuple[str, ...], settings: Overrides) -> None:
        """metrics: those asked for, to be best in the first. settings: overrides that all points share."""
        self._on = sys.stderr is not None and sys.stderr.isatty() and not quiet
        self._metrics, self._settings = metrics, settings
        self._began = self._last = time.monotonic()
        self._runs = self._done = self._here = self._failed = 0
        self._sums: dict[Overrides, tuple[float, int]] = {}  # of the first metric, and runs that have it

    def __enter__(self) -> "SweepReporter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self, runs: int, done: int) -> None:
        """So many runs are asked for by now, of which so many are done."""
        self._runs, self._done = runs, done
        self._show(0.0)

    def ended(self, task: Task, outcome: Outcome) -> None:
        """A run has ended and is on disk."""
        self._done += 1
        self._here += 1
        if outcome.summary is None:
            self._failed += 1
        elif self._here - self._failed == 1:
            for metric in [metric for metric in self._metrics if metric not in outcome.summary]:
                self.warn(f"the first run has no metric {metric}{nearest(metric, outcome.summary)}")
        if self._metrics and outcome.summary is not None and self._metrics[0] in outcome.summary:
            total, count = self._sums.get(task.overrides, (0.0, 0))
            self._sums[task.overrides] = total + outcome.summary[self._metrics[0]], count + 1
        self._show(_EVERY_S)

    def warn(self, text: str) -> None:
        """Something that the user should know at once."""
        self.close()
        click.echo(f"warning: {text}", err=True)

    def close(self) -> None:
        """Wipe the line."""
        if self._on:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def _show(self, every_s: float) -> None:
        now = time.monotonic()
        if not self._on or now - self._last < every_s:
            return
        self._last = now
        text = f"{self._done:,}/{self._runs:,} runs"
        if self._here:
            rate = self._here / (now - self._began)
            text += f", {rate:,.2g} runs/s, {duration((self._runs - self._done) / rate)} left"
        if self._failed:
            text += f", {self._failed:,} failed"
        text += self._best()
        sys.stderr.write(f"\r\x1b[K{text[: _room()]}")
        sys.stderr.flush()

    def _best(self) -> str:
        """The point whose runs so far are the best in the mean, and that mean."""
        if not self._sums or not better_words(self._metrics[0]):
            return ""
        sign = -1 if more_is_better(self._metrics[0]) else 1
        point = min(self._sums, key=lambda point: sign * self._sums[point][0] / self._sums[point][1])
        total, count = self._sums[point]
        words = ", ".join(text for text, where in point if (text, where) not in self._settings) or "the scenario"
        return f"; best {self._metrics[0]} {total / count:,.5g}: {words}"


def _room() -> int | None:
    """How many characters a line may have so that the terminal does not wrap it; None where that is unknown."""
    try:
        columns = os.get_terminal_size(sys.stderr.fileno()).columns
    except (OSError, ValueError):
        return None
    return columns - 1 if columns > 1 else None
