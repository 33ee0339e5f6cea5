"""Run folders: written whole or not at all, never over something that is no run folder."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from outputs.metrics import Result
from scenarios.errors import ScenarioError
from scenarios.packed import check_file

_INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM)
_MOST_JSON_BYTES, MOST_TABLE_BYTES = 64 * 2**20, 16 * 2**30
ROW_GROUP_ROWS = 131_072  # fixed, so that the bytes do not depend on the number of threads


def plan(name: str, out: Path | None, force: bool, mark: str = "run.json") -> Path:
    """Where a run (or what else has the file `mark`) will be saved.

    ScenarioError at once where an explicit folder may not be written.
    """
    if out is None:
        if (Path("runs").is_symlink() and not Path("runs").exists()) or Path("runs").is_file():
            raise ScenarioError("is no folder, so no run can be saved in it; choose one with --out", "runs")
        return _next_free(Path("runs"), name)
    option = f"--out {out}"
    if (out.exists() or out.is_symlink()) and not force:
        raise ScenarioError("exists already; choose another folder, or --force to replace it", option)
    if out.exists() or out.is_symlink():
        if not _replaceable(out, mark):
            what = mark.removesuffix(".json")
            text = f"exists and is no {what} folder (it holds no {mark}); --force will not remove it"
            raise ScenarioError(text, option)
        if out.resolve() in (Path.cwd(), *Path.cwd().parents) or out.is_mount():
            raise ScenarioError("is the current folder, one above it or a mount point, and cannot be replaced", option)
    if not _writable(out):
        raise ScenarioError("cannot be written", option)
    return out


def save(
    result: Result,
    scenario_text: str,
    facts: Mapping[str, Any],
    folder: Path,
    own_name: bool,
    draw: Callable[[Path], object],
) -> Path:
    """Write a run folder beside its place and rename it into it; returns where it went.

    draw: makes the pictures in the folder it is given, which is not yet in its place.
    own_name: the name was ours to choose, so when another run has taken it meanwhile the next free one
    is used; otherwise the folder there is replaced (plan has checked that it may be).
    """
    made_parent = not folder.parent.exists()
    beside: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=".megawatt.", dir=folder.parent))
        _write(beside, result, scenario_text, facts)
        draw(beside)
        beside.chmod(0o755)  # mkdtemp makes it private
        with _undisturbed():
            return _move(beside, folder, own_name)
    except OSError as error:
        raise ScenarioError(f"cannot be saved: {error.strerror}", str(folder)) from None
    finally:
        with _undisturbed():
            if beside is not None:
                shutil.rmtree(beside, ignore_errors=True)
            if made_parent:
                with contextlib.suppress(OSError):  # it holds the run, or never came to be
                    folder.parent.rmdir()


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Let an interruption wait: what happens inside happens whole.

    A signal mask would not do: it holds for one thread, and polars has others.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python hears signals in the main thread only
        return
    caught: list[int] = []
    before = {number: signal.signal(number, lambda heard, _: caught.append(heard)) for number in _INTERRUPTIONS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if caught:
            signal.raise_signal(caught[0])


def facts_of(folder: Path) -> dict[str, Any]:
    """run.json of a saved run; ScenarioError if it is none."""
    return mapping_of(folder, "run.json")


def summary_of(folder: Path) -> dict[str, float]:
    """summary.json of a saved run; ScenarioError if it is none."""
    found = mapping_of(folder, "summary.json")
    if not all(isinstance(value, int | float) for value in found.values()):
        raise ScenarioError("is damaged: a metric is no number", str(folder / "summary.json"))
    return found


def table_of(folder: Path, name: str) -> pl.DataFrame:
    """One of a saved run's tables; ScenarioError if it cannot be read."""
    try:
        check_file(folder / f"{name}.parquet", MOST_TABLE_BYTES)
        return pl.read_parquet(folder / f"{name}.parquet")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ScenarioError(f"cannot be read: {str(error).splitlines()[0]}", str(folder / f"{name}.parquet")) from None


def file_hash(path: Path) -> str:
    """sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(folder: Path, result: Result, scenario_text: str, facts: Mapping[str, Any]) -> None:
    (folder / "scenario.yaml").write_text(scenario_text, encoding="utf-8")
    (folder / "run.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    (folder / "summary.json").write_text(json.dumps(result.summary, indent=2) + "\n", encoding="utf-8")
    tables = {"jobs": result.jobs, "timeline": result.timeline, "stays": result.stays, "caps": result.caps}
    tables["capacity"] = result.capacity
    for name, frame in tables.items():
        if frame is None:
            continue
        with (folder / f"{name}.parquet").open("wb") as file:
            frame.rechunk().write_parquet(file, row_group_size=ROW_GROUP_ROWS)


def _move(beside: Path, folder: Path, own_name: bool) -> Path:
    while True:
        try:
            if not own_name and folder.exists():
                _replace(folder, beside)
            else:
                beside.rename(folder)
            return folder
        except OSError:
            if not own_name or not folder.exists():
                raise
            folder = _next_free(folder.parent, folder.name.rsplit("-", 1)[0] if _numbered(folder) else folder.name)


def _replace(folder: Path, beside: Path) -> None:
    """The new folder takes the old one's place; the old one is removed last, or put back."""
    aside = Path(tempfile.mkdtemp(prefix=".megawatt.", dir=folder.parent))
    old = folder.rename(aside / "old")
    try:
        beside.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _numbered(folder: Path) -> bool:
    return folder.name.rsplit("-", 1)[-1].isdigit()


def _next_free(parent: Path, name: str) -> Path:
    folder, number = parent / name, 2
    while folder.exists():
        folder, number = parent / f"{name}-{number}", number + 1
    return folder


def _replaceable(folder: Path, mark: str) -> bool:
    return folder.is_dir() and not folder.is_symlink() and ((folder / mark).is_file() or not any(folder.iterdir()))


def _writable(folder: Path) -> bool:
    parent = folder.absolute().parent
    while not parent.exists():
        parent = parent.parent
    return parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)


def mapping_of(folder: Path, name: str) -> dict[str, Any]:
    """A JSON file of keys in the folder of a run or sweep; ScenarioError if there is none or it is damaged."""
    found = _json(folder, name)
    if not isinstance(found, dict):
        raise ScenarioError("is damaged: it holds no keys", str(folder / name))
    return found


def _json(folder: Path, name: str) -> Any:
    try:
        check_file(folder / name, _MOST_JSON_BYTES)
        return json.loads((folder / name).read_text(encoding="utf-8"))
    except OSError:
        raise ScenarioError(f"is no run folder: it holds no {name}", str(folder)) from None
    except (ValueError, RecursionError) as error:
        raise ScenarioError(f"is damaged: {error}", str(folder / name)) from None
