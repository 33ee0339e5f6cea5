"""What the tests of this room share: a scenario text run to its record, without a folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from outputs.jobs import Jobs, job_columns
from outputs.record import Record
from sim.run import prepare
from sim.simulation import simulate

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
