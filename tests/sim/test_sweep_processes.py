"""Sweeps in real processes: workers that die, a process group that is killed, a Dask cluster that loses a worker."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from outputs.journal import NAME as JOURNAL
from outputs.sweep_folder import is_finished, sweep_of
from scenarios.files import Desk
from sim.work import Task
from sim.workers import Workers

VARIED = (
    "--policy",
    "fifo",
    "--policy",
    "order=mine.py:mine",
    "--vary",
    "workload.w.arrivals.per_hour=2,3",
    "--replications",
    "12",
)
SLOW = ("--set", "horizon=50 days", "--no-render")  # some tens of milliseconds a run


def begun(scenario: Path, out: Path, *words: str) -> subprocess.Popen[str]:
    line = (sys.executable, "-m", "sim.cli", "sweep", str(scenario), *VARIED, *SLOW, "--out", str(out), *words)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen(line, cwd=scenario.parent, start_new_session=True, text=True, **pipes)


def ended(process: subprocess.Popen[str]) -> str:
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 0, text
    return text


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def lines(folder: Path) -> int:
    path = folder / JOURNAL
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A scenario, and the folder of its sweep in one worker that nothing disturbed."""
    folder = tmp_path_factory.mktemp("sweep")
    path = folder / "queue.yaml"
    path.write_text(QUEUE)
    (folder / "mine.py").write_text(MINE)
    ended(begun(path, folder / "straight", "--jobs", "1"))
    return path, folder / "straight"


MINE = """\
def mine(job):
    return -job.submit_s
"""
QUEUE = """\
name: queue
horizon: 4 days
fleet:
  - {pool: cpus, rack: plain, chips: 4}
workload:
  - {class: w, kind: synthetic, chips: 1, duration: {exponential: {mean: 1 hour}}, arrivals: {per_hour: 3}}
"""


def test_a_sweep_whose_process_group_is_killed_again_and_again_ends_with_the_same_bytes(straight, tmp_path):
    scenario, folder = straight
    chance, done = random.Random(11), []
    for _ in range(10):
        process = begun(scenario, tmp_path / "s", "--resume", "--jobs", "1")
        waited_s, limit_s = 0.0, chance.uniform(0.0, 0.1)
        while process.poll() is None and (lines(tmp_path / "s") <= max(done, default=0) or waited_s < limit_s):
            time.sleep(0.01)  # killed at a random instant after at least one more run is on disk
            waited_s += 0.01 * (lines(tmp_path / "s") > max(done, default=0))
        assert process.poll() is None, f"it ended before it was killed ten times: {process.communicate()[0]}"
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        done.append(lines(tmp_path / "s"))
    assert done == sorted(done)
    assert 0 < done[0] < done[-1]
    ended(begun(scenario, tmp_path / "s", "--resume", "--jobs", "1"))
    assert content(tmp_path / "s") == content(folder)


@pytest.mark.parametrize("later_s", [0.1, 0.25, 0.5])
def test_an_interruption_while_workers_begin_is_one_message(straight, tmp_path, later_s):
    scenario, _ = straight
    process = begun(scenario, tmp_path / "s", "--jobs", "3")
    while not (tmp_path / "s/journal.jsonl").exists():
        time.sleep(0.005)
    time.sleep(later_s)
    os.killpg(process.pid, signal.SIGINT)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert text.splitlines()[-1] == "megawatt: interrupted"
    assert "Traceback" not in text


def test_an_interrupted_sweep_exits_with_130_and_says_how_to_go_on(straight, tmp_path):
    scenario, folder = straight
    process = begun(scenario, tmp_path / "s", "--jobs", "2")
    while not lines(tmp_path / "s"):
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in text
    assert "--resume" in text
    assert "Traceback" not in text
    ended(begun(scenario, tmp_path / "s", "--resume"))
    assert content(tmp_path / "s") == content(folder)


def test_workers_end_when_the_process_that_hired_them_is_killed_alone(straight, tmp_path):
    scenario, _ = straight
    process = begun(scenario, tmp_path / "s", "--jobs", "2")
    while not lines(tmp_path / "s"):
        time.sleep(0.01)
    process.kill()
    process.wait()
    for _ in range(500):
        try:
            os.killpg(process.pid, 0)  # whether anybody of its group is left
        except ProcessLookupError:
            break
        time.sleep(0.02)
    else:
        pytest.fail("workers were left over")
    process.communicate()


DEADLY = """\
import os, signal

def mine(job):
    if os.path.exists({mark!r}):
        {also}
        os.kill(os.getpid(), signal.SIGKILL)
    return 0.0
"""


@pytest.mark.parametrize(("also", "fails"), [("os.unlink({mark!r})", False), ("pass", True)])
def test_a_worker_that_dies_takes_its_own_run_only_and_that_is_tried_twice(tmp_path, also, fails):
    scenario, mark = tmp_path / "queue.yaml", str(tmp_path / "mark")
    scenario.write_text(QUEUE)
    Path(mark).touch()
    (tmp_path / "mine.py").write_text(DEADLY.format(mark=mark, also=also.format(mark=mark)))
    tasks = [Task((), seed) for seed in range(4)]
    deadly = Task(((f"policy.order={tmp_path / 'mine.py'}:mine", "--policy"),), 9)
    workers = Workers(2, str(scenario), Desk())
    try:
        found = {one.key: one for ones in workers.run([tasks[0], deadly, *tasks[1:]]) for one in ones}
    finally:
        workers.close()
    assert all(found[task.key].summary is not None for task in tasks)
    assert (found[deadly.key].error is not None) == fails
    if fails:
        assert "killed by SIGKILL 2 times" in found[deadly.key].error


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def dask(folder: Path, *words: str) -> subprocess.Popen[bytes]:
    (folder / "elsewhere").mkdir(exist_ok=True)
    with (folder / "dask.log").open("ab") as log:
        line = (sys.executable, "-m", "dask", *words)
        return subprocess.Popen(line, cwd=folder / "elsewhere", stdout=log, stderr=log, start_new_session=True)


def test_a_dask_cluster_that_loses_a_worker_gives_the_same_bytes(straight, tmp_path):
    pytest.importorskip("distributed", reason="needs the extra cluster")
    scenario, folder = straight
    address = f"tcp://127.0.0.1:{free_port()}"
    cluster = [dask(tmp_path, "scheduler", "--host", address, "--no-dashboard")]
    try:
        worker = ("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory")
        cluster += [dask(tmp_path, *worker, str(tmp_path / f"w{number}")) for number in range(2)]
        process = begun(scenario, tmp_path / "s", "--dask", address)
        while lines(tmp_path / "s") < 6:
            assert process.poll() is None, process.communicate()[0]
            time.sleep(0.01)
        os.killpg(cluster[1].pid, signal.SIGKILL)
        (scenario.parent / "mine.py").write_text("what is read travels with the sweep")
        assert not is_finished(tmp_path / "s")
        ended(process)
    finally:
        (scenario.parent / "mine.py").write_text(MINE)
        for one in cluster:
            if one.poll() is None:
                os.killpg(one.pid, signal.SIGKILL)
            one.wait()
    assert content(tmp_path / "s") == content(folder)
    assert sweep_of(folder).runs.height == 48


def test_a_dask_scheduler_that_does_not_answer_is_said(straight, tmp_path):
    pytest.importorskip("distributed", reason="needs the extra cluster")
    process = begun(straight[0], tmp_path / "s", "--dask", f"tcp://127.0.0.1:{free_port()}")
    text, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "no Dask scheduler answers there" in text
