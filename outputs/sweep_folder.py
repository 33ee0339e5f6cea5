"""Sweep folders: begun before the first run, gone on with, finished with a table of all runs, and read again."""

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from outputs.folder import ROW_GROUP_ROWS, mapping_of, plan, table_of
from outputs.journal import NAME as JOURNAL
from outputs.journal import check_idle
from scenarios.errors import ScenarioError

FACTS = "sweep.json"
RUN_COLUMNS = ("replication", "seed", "status", "error")  # between the parameters and the metrics
DONE, FAILED = "done", "failed"
_RUNS, _SCENARIO, _INPUTS, _FINISHING = "runs.parquet", "scenario.yaml", ".inputs", ".finishing"
_UNSEEN = f".{FACTS}"
_FIRST = (_UNSEEN, _SCENARIO)  # what is written before a folder counts as a sweep's, in this order


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
    baseline: str | None = None  # what the user asked differences to be to; None: choose

    @property
    def all_metrics(self) -> list[str]:
        """Every metric that any run has."""
        return self.runs.columns[len(self.parameters) + len(RUN_COLUMNS) :]


def is_sweep(folder: Path) -> bool:
    """Whether a folder is one of a sweep, finished or not."""
    return (folder / FACTS).is_file()


def is_finished(folder: Path) -> bool:
    """Whether a sweep's folder holds the table of all its runs, which is the last to be written."""
    return (folder / _RUNS).is_file()


def sweep_of(folder: Path) -> Sweep:
    """A finished sweep from its folder; ScenarioError if it is none, unfinished or damaged."""
    facts = mapping_of(folder, FACTS)
    if not is_finished(folder):
        raise ScenarioError("is the folder of a sweep that is not finished; go on with --resume", str(folder))
    try:
        return sweep_from(facts, table_of(folder, "runs"))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ScenarioError(f"is damaged: {type(error).__name__} {error}", str(folder / FACTS)) from None


def sweep_from(facts: Mapping[str, Any], runs: pl.DataFrame) -> Sweep:
    """A sweep from its facts and its table of runs; ValueError where they do not belong together."""
    parameters = tuple(str(name) for name in facts["parameters"])
    missing = [name for name in (*parameters, *RUN_COLUMNS) if name not in runs.columns]
    if missing:
        raise ValueError(f"runs.parquet lacks {missing[0]}")
    units = {str(name): str(unit) for name, unit in facts["units"].items()}
    metrics = tuple(str(name) for name in facts["metrics"])
    baseline = None if facts.get("baseline") is None else str(facts["baseline"])
    return Sweep(str(facts["name"]), parameters, units, metrics, float(facts["confidence"]), runs, baseline)


def begin(name: str, out: Path | None, force: bool, facts: Mapping[str, Any], scenario_text: str) -> Path:
    """A new folder for a sweep, with its facts and its scenario; ScenarioError where it cannot be.

    An empty folder is taken, and so is what an interruption at the very start leaves.
    """
    try:
        if out is not None and not force and is_sweep(out) and not is_finished(out):
            text = "holds a sweep that is not finished; go on with --resume, choose another folder, or --force"
            raise ScenarioError(text, f"--out {out}")
        unseen = out is not None and _unseen(out)
        folder = plan(name, out, force or unseen, FACTS)
        if out is not None and folder.exists():
            check_idle(folder)
            shutil.rmtree(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                folder.mkdir()
                break
            except FileExistsError:  # another sweep has just taken the name
                if out is not None:
                    raise
                folder = plan(name, None, False)
        (folder / _UNSEEN).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        (folder / _SCENARIO).write_text(scenario_text, encoding="utf-8")
        for first in _FIRST:
            _synced(folder / first)
        (folder / _UNSEEN).replace(folder / FACTS)
    except OSError as error:
        raise ScenarioError(f"cannot be written: {error.strerror}", str(out or name)) from None
    return folder


def _unseen(out: Path) -> bool:
    """Whether a folder holds nothing once what an interruption at the very start left is gone from it.

    A scenario.yaml alone is not ours: it is written after the facts.
    """
    if not out.is_dir() or out.is_symlink():
        return False
    names = {one.name for one in out.iterdir()}
    if _UNSEEN in names and names <= set(_FIRST):
        for name in reversed(_FIRST):
            (out / name).unlink(missing_ok=True)
        return True
    return not names


def begun(name: str, out: Path | None, facts: Mapping[str, Any]) -> Path:
    """The folder of a sweep to go on with: `out`, else the last of its name that is not finished.

    ScenarioError where there is none, and where it was begun with other facts.
    """
    if out is None:
        parent = Path("runs")
        found = [folder for folder in parent.glob(f"{name}*") if is_sweep(folder) and not is_finished(folder)]
        if not found:
            raise ScenarioError(f"no unfinished sweep {name} in {parent}/; name its folder with --out", "--resume")
        folder = max(found, key=lambda folder: (folder / FACTS).stat().st_mtime_ns)
    elif not is_sweep(out):
        raise ScenarioError(f"there is no sweep to go on with (no {FACTS})", f"--out {out}")
    else:
        folder = out
    saved, asked = mapping_of(folder, FACTS), json.loads(json.dumps(facts))
    for key in dict.fromkeys([*asked, *saved]):
        if saved.get(key) != asked.get(key):
            shown = "" if key.endswith("sha256") else f": it was {saved.get(key)}, now it is {asked.get(key)}"
            text = f"this sweep was begun otherwise ({_MEANING.get(key, key)}{shown}); begin a new one"
            raise ScenarioError(text, str(folder))
    return folder


_MEANING = {"inputs_sha256": "the scenario or a file that it names has changed", "points_sha256": "the values differ"}


def copies(folder: Path, inputs: Mapping[str, bytes]) -> dict[str, Path]:
    """The user's files by absolute name, each copied into a sweep's folder, where nobody edits them."""
    found = {}
    try:
        for number, (name, content) in enumerate(inputs.items()):
            path = folder.resolve() / _INPUTS / str(number) / Path(name).name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            found[name] = path
    except OSError as error:
        raise ScenarioError(f"cannot be written: {error.strerror}", str(folder)) from None
    return found


def finish(folder: Path, runs: pl.DataFrame, draw: Callable[[Path], object]) -> None:
    """Write the table of all runs and what `draw` makes of it, the table last; the journal has then served."""
    beside = folder / _FINISHING
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        shutil.copyfile(folder / FACTS, beside / FACTS)
        with (beside / _RUNS).open("wb") as file:
            runs.rechunk().write_parquet(file, row_group_size=ROW_GROUP_ROWS)
        draw(beside)
        names = sorted(path.name for path in beside.iterdir() if path.name not in (FACTS, _RUNS))
        for name in (*names, _RUNS):
            _synced(beside / name)
            (beside / name).replace(folder / name)
    except OSError as error:
        text = f"cannot be saved: {error.strerror}; every run is kept: make space, then go on with --resume"
        raise ScenarioError(text, str(folder)) from None
    tidy(folder)


def tidy(folder: Path) -> None:
    """Remove what a finished sweep no longer needs."""
    for name in (_INPUTS, _FINISHING):
        shutil.rmtree(folder / name, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):
        (folder / JOURNAL).unlink()


def _synced(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
