"""Files by name: the scenarios and traces that megawatt brings along, and the user's own.

A sweep's runs read copies of the user's files, made when it began: they may be on another machine, and a file that is
edited meanwhile must not change half of the runs. Messages and keys go on naming the user's own.
"""

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from scenarios.errors import ScenarioError, nearest

LIBRARY = Path(__file__).parent / "library"


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a run finds the user's files: the folder that relative names start from, and copies by absolute name."""

    folder: Path | None = None  # None: the current one
    copies: Mapping[str, Path] = field(default_factory=dict)


_desk: ContextVar[Desk] = ContextVar("desk", default=Desk())  # noqa: B039  # it is frozen


@contextlib.contextmanager
def working_at(desk: Desk) -> Iterator[None]:
    """Let all that reads files in this thread work at a desk."""
    token = _desk.set(desk)
    try:
        yield
    finally:
        _desk.reset(token)


def current_folder() -> Path:
    """The folder that relative names of options start from."""
    return _desk.get().folder or Path.cwd()


def at_hand(path: Path) -> Path:
    """The file to read for a user's file: its copy where there is one."""
    return _desk.get().copies.get(str(path), path)


def locate(name: str) -> Path:
    """The file behind a file key: absolute as it stands (or its copy), else in the library."""
    return at_hand(Path(name)) if Path(name).is_absolute() else LIBRARY / name


def exists(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have is no file."""
    try:
        return at_hand(path).is_file()
    except (OSError, ValueError):  # a name too long, or with a zero byte
        return False


def library() -> list[Path]:
    """The scenarios that megawatt brings along."""
    return sorted(LIBRARY.glob("*.yaml"))


def find(name: str) -> Path:
    """The scenario file of a command-line argument: a path, or the name of a library scenario."""
    if exists(Path(name)):
        return Path(name)
    known = {scenario.stem: scenario for scenario in library()}
    if name in known:
        return known[name]
    names = ", ".join(sorted(known))
    raise ScenarioError(f"no such file, and no library scenario{nearest(name, known)} (library: {names})", name)
