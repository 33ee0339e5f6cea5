"""Files as they lie on a disk: of a bounded size, and no devices; texts plain or gzip."""

import gzip
import zlib
from pathlib import Path

from scenarios.errors import ScenarioError


def check_file(path: Path, most_bytes: int) -> None:
    """ScenarioError for what is there but no file, or a larger one; what is not there is for the reader to say."""
    if not path.exists():
        return
    if not path.is_file():  # to read a device or a pipe may never end
        raise ScenarioError("is no file", str(path))
    if path.stat().st_size > most_bytes:
        raise ScenarioError(f"holds more than {most_bytes // 2**20:,} MiB", str(path))


def read_text(path: Path, most_bytes: int) -> str:
    """The text of a file, which may be gzip (known by its first bytes, not its name).

    Raises ScenarioError for what cannot be read, is damaged or holds more than most_bytes unpacked.
    """
    try:
        if path.exists() and not path.is_file():  # to read a device or a pipe may never end
            raise ScenarioError("is no file", str(path))
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as file:
            raw = file.read(most_bytes + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ScenarioError(f"is damaged: {error}", str(path)) from None
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise ScenarioError(f"cannot be read: {getattr(error, 'strerror', None) or error}", str(path)) from None
    if len(raw) > most_bytes:
        raise ScenarioError(f"holds more than {most_bytes // 2**20} MiB of text", str(path))
    return raw.decode("utf-8-sig", errors="replace")
