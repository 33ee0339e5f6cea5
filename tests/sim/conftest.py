"""What the tests of this room share: a scenario text run to its record or its result, without a folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from outputs.jobs import Jobs, job_columns
from outputs.metrics import Result, measure
from outputs.record import Record
from sim.run import prepare
from sim.simulation import simulate
from topologies.plant import Plant

QUEUE = """\
name: queue
horizon: 4 days
warmup: 1 day
seed: 3
fleet:
  - {pool: cpus, rack: plain, chips: 4}
workload:
  - {class: w, kind: synthetic, chips: 1, duration: {exponential: {mean: 1 hour}}, arrivals: {per_hour: 3}}
"""

Measured = Callable[[str], tuple[Record, Plant, Result]]
Simulate = Callable[[str], tuple[Jobs, Record]]


@pytest.fixture
def simulated(tmp_path: Path) -> Simulate:
    """Runs a scenario text; the jobs and the record."""

    def run(text: str, seed: int = 0) -> tuple[Jobs, Record]:
        path = tmp_path / "scenario.yaml"
        path.write_text(text)
        record = simulate(*prepare(path), seed)
        return job_columns(record), record

    return run


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """Runs a scenario text with its own seed; the record, the plant and the result."""

    def run(text: str) -> tuple[Record, Plant, Result]:
        path = tmp_path_factory.mktemp("measured") / "scenario.yaml"
        path.write_text(text)
        scenario, plant, policy = prepare(path)
        record = simulate(scenario, plant, policy, scenario.keys.seed)
        return record, plant, measure(record, plant, scenario)

    return run


BY_HAND = """
name: by-hand
horizon: HORIZON
warmup: WARMUP s
SITE
fleet: [{pool: p, rack: POOL}]
workload:
  - {class: a, kind: trace, format: csv, file: a.csv, priority: 1}
  - {class: b, kind: trace, format: csv, file: b.csv, priority: 2}
policy: {order: ORDER, backfill: BACKFILL, preemption: PREEMPTION}
failures: {restart: RESTART s, checkpoint: {every: 40 s, stall: STALL s}}
"""


@pytest.fixture
def by_hand(tmp_path: Path, measured: Measured) -> Callable[..., tuple[list[tuple[str, float, float]], Result]]:
    """Runs jobs given as (submit, chips, run time) of the classes a and b; stays as (job, from, to), and the result."""

    def run(a, b, order, preemption, pool="plain, chips: 1", backfill="none", **more):
        words = {"ORDER": order, "BACKFILL": backfill, "PREEMPTION": preemption, "POOL": pool}
        words |= {"STALL": 0, "RESTART": 0, "WARMUP": 0, "HORIZON": "until-done", "SITE": ""}
        text = BY_HAND
        for word, value in (words | {name.upper(): value for name, value in more.items()}).items():
            text = text.replace(word, str(value))
        for name, jobs in (("a", a), ("b", b)):
            rows = [f"{at},{submit},{chips},{run}" for at, (submit, chips, run) in enumerate(jobs)]
            (tmp_path / f"{name}.csv").write_text("number,submit_s,chips,run_s\n" + "\n".join(rows) + "\n")
            text = text.replace(f"{name}.csv", str(tmp_path / f"{name}.csv"))
        _, _, result = measured(text)
        return result.stays.select("job_id", "from_s", "to_s").rows(), result

    return run


@pytest.fixture
def queue_file(tmp_path: Path) -> Path:
    """A small queue whose runs last a few milliseconds, in a file of its own."""
    path = tmp_path / "queue.yaml"
    path.write_text(QUEUE)
    return path
