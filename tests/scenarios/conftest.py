"""What the tests of this room share: a scenario text written to a file and loaded."""

from collections.abc import Callable
from pathlib import Path

import pytest

from scenarios.load import Scenario, load

Loaded = Callable[..., Scenario]


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    """Loads a scenario text from s.yaml of the temporary folder, after some KEY=VALUE overrides."""

    def read(text: str, *sets: str) -> Scenario:
        path = tmp_path / "s.yaml"
        path.write_text(text, encoding="utf-8")
        return load(path, [(override, "--set") for override in sets])

    return read
