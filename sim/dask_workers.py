"""Workers of a Dask cluster. The user's files travel with the sweep; runs of a worker that died are done again."""

import contextlib
import itertools
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from distributed import Client, Future, KilledWorker, Worker, WorkerPlugin, as_completed, get_worker

from scenarios.errors import ScenarioError, one_line
from scenarios.files import Desk
from sim.work import Bench, Outcome, Task

_CONNECT_S = 10
_SAME = ("megawatt", "tzdata")  # packages whose version changes what a run gives
_AHEAD = 1_000  # runs handed out at a time; some thousand small ones would only fill the scheduler's memory


class Inputs(WorkerPlugin):
    """On every worker, also those that come later: copies of the user's files, and a bench per thread."""

    def __init__(self, scenario: str, folder: Path, files: dict[str, bytes]) -> None:
        self._scenario, self._folder, self._files = scenario, folder, files
        self._versions = {name: version(name) for name in _SAME}

    def setup(self, worker: Worker) -> None:
        """Write the files on a worker's own disk."""
        for name, here in self._versions.items():
            if version(name) != here:
                raise RuntimeError(f"{name} is {version(name)} there and {here} here")
        self._place = Path(tempfile.mkdtemp(prefix="megawatt-", dir=worker.local_directory))
        copies = {}
        for number, (name, content) in enumerate(self._files.items()):
            path = self._place / str(number) / Path(name).name
            path.parent.mkdir()
            path.write_bytes(content)
            copies[name] = path
        self._desk = Desk(self._folder, copies)
        self._own = threading.local()

    def teardown(self, worker: Worker) -> None:
        """Leave nothing behind."""
        del worker
        shutil.rmtree(self._place, ignore_errors=True)

    @property
    def bench(self) -> Bench:
        """The bench of this thread."""
        if not hasattr(self._own, "bench"):
            self._own.bench = Bench(self._scenario, self._desk)
        return self._own.bench  # type: ignore[no-any-return]  # a thread's own attributes are not typed

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_own", "_desk", "_place")}


def run_task(name: str, task: Task) -> Outcome:
    """A task on a worker that has the inputs of its sweep."""
    inputs = get_worker().plugins[name]
    assert isinstance(inputs, Inputs), "nobody else uses that name"
    return inputs.bench.run(task)


class DaskWorkers:
    """The workers of the cluster behind a scheduler's address."""

    def __init__(self, address: str, scenario: str, desk: Desk) -> None:
        """Raises ScenarioError where there is no scheduler, or its workers cannot do the runs of this megawatt."""
        self._where = f"--dask {address}"
        try:
            self._client = Client(address, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            text = f"no Dask scheduler answers there ({one_line(str(error) or type(error).__name__)})"
            raise ScenarioError(text, self._where) from None
        files = {name: path.read_bytes() for name, path in desk.copies.items()}
        self._name = f"megawatt-{uuid.uuid4().hex}"
        try:
            self._client.register_plugin(Inputs(scenario, desk.folder or Path.cwd(), files), name=self._name)
        except Exception as error:  # noqa: BLE001  # it is whatever a worker raised
            self._client.close()
            raise ScenarioError(f"a worker cannot take part: {one_line(str(error))}", self._where) from None

    def run(self, tasks: Sequence[Task]) -> Iterator[list[Outcome]]:
        """Do all tasks; outcomes as they come, in any order. ScenarioError where the cluster is lost."""
        waiting, given = iter(tasks), dict[Any, Task]()
        futures = as_completed(loop=self._client.loop)
        futures.update(self._given(waiting, given, _AHEAD))
        while not futures.is_empty():
            ready = futures.next_batch()
            outcomes = [self._outcome(future, given.pop(future.key)) for future in ready]
            futures.update(self._given(waiting, given, len(outcomes)))
            yield outcomes

    def _given(self, waiting: Iterator[Task], given: dict[Any, Task], count: int) -> list[Future[Outcome]]:
        """Hand out so many more tasks."""
        futures = []
        for task in itertools.islice(waiting, count):
            future = self._client.submit(run_task, self._name, task, pure=False)
            given[future.key] = task
            futures.append(future)
        return futures

    def _outcome(self, future: Future[Outcome], task: Task) -> Outcome:
        if future.status == "finished":
            return future.result()
        error = future.exception() if future.status == "error" else None
        if isinstance(error, KilledWorker):
            return Outcome(task.key, None, error="every worker that tried it died")
        why = one_line(f"{type(error).__name__}: {error}") if error is not None else "the scheduler is gone"
        raise ScenarioError(f"{why}; what is done is kept: go on with --resume", self._where)

    def close(self) -> None:
        """Let go of the cluster: what it has not done yet is cancelled."""
        with contextlib.suppress(Exception):  # the cluster may be gone
            self._client.unregister_worker_plugin(self._name)
        self._client.close(timeout=_CONNECT_S)
