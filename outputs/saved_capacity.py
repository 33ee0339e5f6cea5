"""capacity.parquet of a saved run, read back and checked."""

import math
from pathlib import Path

import polars as pl

from outputs.capacity import STATES
from outputs.folder import table_of
from scenarios.errors import ScenarioError


def saved_capacity(folder: Path) -> dict[str, dict[str, float]]:
    """Chip-seconds by pool and state, states in their order; ScenarioError where the folder does not say."""
    path = folder / "capacity.parquet"
    if not path.exists():
        text = "holds no capacity.parquet: the run ended within its warmup, or the file is gone"
        raise ScenarioError(text, str(folder))
    frame = table_of(folder, "capacity")
    found: dict[str, dict[str, float]] = {}
    try:
        rows = frame.select(pl.col("pool", "state").cast(pl.String), pl.col("chip_s").cast(pl.Float64)).rows()
        for pool, state, chip_s in rows:
            found.setdefault(pool, dict.fromkeys(STATES, math.nan))[state] = chip_s
        sums = [math.fsum(of.values()) for of in found.values()]
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError) as error:
        raise ScenarioError(f"is damaged: {type(error).__name__} {error}", str(path)) from None
    whole = (
        all(math.isfinite(chip_s) for chip_s in sums) and None not in found and len(rows) == len(found) * len(STATES)
    )
    if not found or not whole:
        raise ScenarioError("is damaged: not one number for each pool and state", str(path))
    return found
