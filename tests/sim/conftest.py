"""What the tests of this room share: a scenario text run to its record, without a folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from outputs.jobs import Jobs, job_columns
from outputs.metrics import Result, measure
from outputs.record import Record
from sim.run import prepare
from sim.simulation import simulate
from topologies.plant import Plant

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
