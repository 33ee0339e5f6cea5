"""Sweep folders: what a finished sweep says of itself, and its table of runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from outputs.folder import mapping_of, table_of
from scenarios.errors import ScenarioError

FACTS = "sweep.json"
RUN_COLUMNS = ("replication", "seed", "status", "error")  # between the parameters and the metrics
DONE, FAILED = "done", "failed"


@dataclass(frozen=True, slots=True)
class Sweep:
    """A saved sweep.

    runs has a row per run: the parameters, `replication`, `seed`, `status` (done or failed), `error` (None unless
    failed), then a column per metric, null where a run has no such metric. Runs of the same replication share their
    seed, so that they are paired.
    """

    name: str
    parameters: tuple[str, ...]  # columns that tell the points apart: "policy" and/or keys, in the order asked for
    units: dict[str, str]  # of the parameters that are numbers; empty for plain numbers
    metrics: tuple[str, ...]  # those that the user asked for; empty: choose
    confidence: float  # such as 0.95
    runs: pl.DataFrame

    @property
    def all_metrics(self) -> list[str]:
        """Every metric that any run has."""
        return self.runs.columns[len(self.parameters) + len(RUN_COLUMNS) :]


def is_sweep(folder: Path) -> bool:
    """Whether a folder is one of a sweep, finished or not."""
    return (folder / FACTS).is_file()


def sweep_of(folder: Path) -> Sweep:
    """A finished sweep from its folder; ScenarioError if it is none, unfinished or damaged."""
    facts = mapping_of(folder, FACTS)
    if not (folder / "runs.parquet").is_file():
        raise ScenarioError("is the folder of a sweep that is not finished; go on with --resume", str(folder))
    try:
        return _sweep(facts, table_of(folder, "runs"))
    except (KeyError, TypeError, ValueError) as error:
        raise ScenarioError(f"is damaged: {type(error).__name__} {error}", str(folder / FACTS)) from None


def _sweep(facts: dict[str, Any], runs: pl.DataFrame) -> Sweep:
    parameters = tuple(str(name) for name in facts["parameters"])
    missing = [name for name in (*parameters, *RUN_COLUMNS) if name not in runs.columns]
    if missing:
        raise ValueError(f"runs.parquet lacks {missing[0]}")
    units = {str(name): str(unit) for name, unit in facts["units"].items()}
    metrics = tuple(str(name) for name in facts["metrics"])
    return Sweep(str(facts["name"]), parameters, units, metrics, float(facts["confidence"]), runs)
