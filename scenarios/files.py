"""Files by name: the scenarios and traces that megawatt brings along, and the user's own."""

from pathlib import Path

from scenarios.errors import ScenarioError, nearest

LIBRARY = Path(__file__).parent / "library"


def locate(name: str) -> Path:
    """The file behind a file key: absolute as it stands, else in the library."""
    return Path(name) if Path(name).is_absolute() else LIBRARY / name


def exists(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have is no file."""
    try:
        return path.is_file()
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
