"""What the tests of all rooms share: where the real traces are, and sweeps made by hand."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from outputs.sweep_folder import DONE, FACTS, FAILED, Sweep

Run = tuple[Sequence[Any], int, Mapping[str, float] | str]  # parameters, replication, metrics or the error


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of public traces that MEGAWATT_DATA names; tests that need it skip without it."""
    folder = os.environ.get("MEGAWATT_DATA", "")
    if not folder:
        pytest.skip("MEGAWATT_DATA is not set (CONTRIBUTING.md says which public traces it holds)")
    return Path(folder)


@pytest.fixture(scope="session")
def sweep_of_runs() -> Callable[..., Sweep]:
    """Makes a sweep of runs with seeds 100, 101, ...; a text in place of metrics is the error of a failed run."""

    def make(
        parameters: Sequence[str],
        runs: Sequence[Run],
        confidence: float = 0.95,
        units: Mapping[str, str] | None = None,
        metrics: Sequence[str] = (),
        first_seed: int = 100,
    ) -> Sweep:
        names = list(dict.fromkeys(name for _, _, found in runs if not isinstance(found, str) for name in found))
        rows = []
        for values, replication, found in runs:
            head = (*values, replication, first_seed + replication)
            if isinstance(found, str):
                rows.append((*head, FAILED, found, *(None for _ in names)))
            else:
                rows.append((*head, DONE, None, *(found.get(name) for name in names)))
        columns = [*parameters, "replication", "seed", "status", "error", *names]
        frame = pl.DataFrame(rows, schema=columns, orient="row", infer_schema_length=None)
        frame = frame.with_columns(pl.col("error").cast(pl.String), pl.col(names).cast(pl.Float64))
        return Sweep("by-hand", tuple(parameters), dict(units or {}), tuple(metrics), confidence, frame)

    return make


@pytest.fixture(scope="session")
def save_sweep() -> Callable[[Sweep, Path], Path]:
    """Writes what the readers of a sweep's folder need."""

    def save(sweep: Sweep, folder: Path) -> Path:
        folder.mkdir(parents=True)
        facts: dict[str, Any] = {"name": sweep.name, "parameters": sweep.parameters, "units": sweep.units}
        facts |= {"metrics": sweep.metrics, "confidence": sweep.confidence}
        (folder / FACTS).write_text(json.dumps(facts))
        sweep.runs.write_parquet(folder / "runs.parquet")
        return folder

    return save
