"""Where the real traces are, for the tests that want them."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of public traces that MEGAWATT_DATA names; tests that need it skip without it."""
    folder = os.environ.get("MEGAWATT_DATA", "")
    if not folder:
        pytest.skip("MEGAWATT_DATA is not set (CONTRIBUTING.md says which public traces it holds)")
    return Path(folder)
