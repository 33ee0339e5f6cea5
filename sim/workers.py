"""Worker processes on this machine. One that dies takes nothing but its own run, which is tried once more."""

import contextlib
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Protocol

from scenarios.files import Desk
from sim.work import Bench, Outcome, Task

ATTEMPTS = 2  # of a run whose worker died
_LIBRARIES = ("POLARS_MAX_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # a run is one thread's work


class Executor(Protocol):
    """Whatever does the runs of a sweep."""

    def run(self, tasks: Sequence[Task]) -> Iterator[list[Outcome]]:
        """Do all tasks; outcomes as they come, in any order."""

    def close(self) -> None:
        """Let go of all workers, whatever they are doing."""


class _Worker:
    """A process that does one task after the other."""

    def __init__(self, context: multiprocessing.context.SpawnContext, scenario: str, desk: Desk) -> None:
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, scenario, desk), daemon=True)
        with _deaf():
            self.process.start()
        theirs.close()
        self.task: Task | None = None

    def give(self, task: Task) -> None:
        self.task = task
        with contextlib.suppress(OSError):  # it has died; that is found when its end is waited for
            self.connection.send(task)


class Workers:
    """So many processes, started as they are needed and kept until close()."""

    def __init__(self, count: int, scenario: str, desk: Desk) -> None:
        self._count = count
        self._setup = scenario, desk
        self._context = multiprocessing.get_context("spawn")  # polars has threads, which a fork would not survive
        self._workers: list[_Worker] = []

    def run(self, tasks: Sequence[Task]) -> Iterator[list[Outcome]]:
        """Do all tasks; outcomes as they come, in any order."""
        waiting, deaths = deque(tasks), dict[str, int]()
        while len(self._workers) < min(self._count, len(tasks)):
            self._workers.append(self._hired())
        while True:
            for worker in self._workers:
                if worker.task is None and waiting:
                    worker.give(waiting.popleft())
            busy = [worker for worker in self._workers if worker.task is not None]
            if not busy:
                return
            found = []
            ready = set(wait([worker.connection for worker in busy]))
            for worker in busy:
                if worker.connection in ready:
                    found += self._outcome(worker, waiting, deaths)
            if found:
                yield found

    def _outcome(self, worker: _Worker, waiting: deque[Task], deaths: dict[str, int]) -> list[Outcome]:
        """What a worker has done; nothing where it died over a task that is tried again."""
        task = worker.task
        assert task is not None
        try:
            outcome: Outcome = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join()
            self._workers[self._workers.index(worker)] = self._hired()
            deaths[task.key] = deaths.get(task.key, 0) + 1
            if deaths[task.key] < ATTEMPTS:
                waiting.append(task)
                return []
            return [Outcome(task.key, None, error=f"its worker process {_ended(worker.process.exitcode)}")]
        worker.task = None
        return [outcome]

    def close(self) -> None:
        """End all workers, whatever they are doing."""
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.connection.close()
        self._workers = []

    def _hired(self) -> _Worker:
        before = {name: os.environ.get(name) for name in _LIBRARIES}
        os.environ.update({name: value or "1" for name, value in before.items()})
        try:
            return _Worker(self._context, *self._setup)
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Processes that are started here are deaf to Ctrl-C from their first instruction on; this one hears it after."""
    resource_tracker.ensure_running()  # begun later it would let the signal through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        why = ", as the system does when memory runs out" if -code == signal.SIGKILL else ""
        return f"was killed by {signal.Signals(-code).name} {ATTEMPTS} times{why}"
    return f"ended {ATTEMPTS} times with exit code {code}"


def _serve(connection: Connection, scenario: str, desk: Desk) -> None:
    """A worker's life: tasks in, outcomes out, until the sweep's process is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the sweep, which ends its workers
    os.dup2(sys.stderr.fileno() if sys.stderr is not None else os.open(os.devnull, os.O_WRONLY), 1)
    bench = Bench(scenario, desk)
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(bench.run(connection.recv()))
