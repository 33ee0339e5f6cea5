"""The journal of a sweep: every run that has ended, on disk before it counts, whatever happens to the process."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from scenarios.errors import ScenarioError
from scenarios.packed import check_file

NAME = "journal.jsonl"
_MOST_BYTES = 16 * 2**30
_BLOCK_BYTES = 65_536


class Journal:
    """Lines of JSON, one a run, each with its `key`. A line that was torn by a crash or a full disk is cut off."""

    def __init__(self, folder: Path) -> None:
        """Open or begin the journal of a sweep; ScenarioError where another process writes it."""
        self._path = folder / NAME
        check_file(self._path, _MOST_BYTES)
        self._file = self._path.open("ab+")
        try:
            _lock(self._file, folder)
            self._cut_torn_line()
            self.done: set[str] = {row["key"] for row in self.rows()}
        except (OSError, ScenarioError):
            self._file.close()
            raise

    def add(self, rows: Iterable[dict[str, Any]]) -> None:
        """Write runs that have ended and wait until the disk has them; ScenarioError where it is full."""
        rows = list(rows)
        text = "".join(f"{json.dumps(row)}\n" for row in rows)
        try:
            self._file.write(text.encode())
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):  # what the buffer holds cannot be written either
                self._file.close()
            text = f"cannot be written: {error.strerror}; what is done is kept: make space, then go on with --resume"
            raise ScenarioError(text, str(self._path)) from None
        self.done |= {row["key"] for row in rows}

    def rows(self) -> Iterator[dict[str, Any]]:
        """All runs that have ended, in the order in which they did.

        ScenarioError where a line is none of ours, or where the folder is no longer the one that is written to.
        """
        with self._opened() as file:
            for number, line in enumerate(file, 1):
                try:
                    yield _checked(json.loads(line))
                except (ValueError, KeyError, TypeError, RecursionError):
                    raise ScenarioError("is damaged; begin the sweep again", f"{self._path}:{number}") from None

    def close(self) -> None:
        """Let others write it."""
        with contextlib.suppress(OSError):
            self._file.close()

    def _opened(self) -> BinaryIO:
        with contextlib.suppress(FileNotFoundError):
            file = self._path.open("rb")
            if os.path.samestat(os.fstat(file.fileno()), os.fstat(self._file.fileno())):
                return file
            file.close()
        text = "was removed or replaced while the sweep was at work; begin it again"
        raise ScenarioError(text, str(self._path))

    def _cut_torn_line(self) -> None:
        """Cut off what follows the last line's end."""
        at = self._file.seek(0, os.SEEK_END)
        while at > 0:
            start = max(0, at - _BLOCK_BYTES)
            self._file.seek(start)
            end = self._file.read(at - start).rfind(b"\n") + 1
            if end:
                self._file.truncate(start + end)
                return
            at = start
        self._file.truncate(0)


def check_idle(folder: Path) -> None:
    """ScenarioError where a process is working on the sweep of a folder."""
    check_file(folder / NAME, _MOST_BYTES)
    with contextlib.suppress(FileNotFoundError), (folder / NAME).open("rb") as file:
        _lock(file, folder)


def _lock(file: BinaryIO, folder: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise ScenarioError("another process is working on this sweep", str(folder)) from None


def _checked(row: Any) -> dict[str, Any]:
    """A line that is a run's; else ValueError, KeyError or TypeError."""
    summary, error = row["summary"], row["error"]
    known = isinstance(row["key"], str) and isinstance(row["warnings"], list)
    if summary is None:
        known = known and isinstance(error, str)
    else:
        known = known and error is None and isinstance(summary, dict)
        known = known and all(type(value) in (int, float) for value in summary.values())
    if not known:
        raise ValueError("it is no run")
    return dict(row)
