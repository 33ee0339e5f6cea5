"""Random numbers: named streams, and values drawn from the distributions of a scenario."""

import hashlib
import itertools
from functools import lru_cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scenarios.distributions import (
    Choice,
    Empirical,
    EmpiricalFile,
    EmpiricalTimes,
    EmpiricalTimesFile,
    Exponential,
    Lognormal,
    Pareto,
    Uniform,
    Weibull,
)
from scenarios.errors import ScenarioError
from scenarios.files import locate
from scenarios.units import to_si

Floats = NDArray[np.float64]
MOST_CHIPS = 10**9
LARGEST = 1e18  # where a heavy tail ends, so that what is made of it stays finite


def stream(seed: int, name: str) -> np.random.Generator:
    """The generator of one named random stream, such as "arrivals of chat".

    Its state depends on the seed and the name only, so that two policies meet the same world and a
    new stream moves no other.
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def draw(law: Any, rng: np.random.Generator, n: int) -> Floats:
    """n independent values of a distribution or constant [SI unit of its type], shape (n,); at most LARGEST."""
    with np.errstate(over="ignore"):
        return np.minimum(_draw(law, rng, n), LARGEST)


def _draw(law: Any, rng: np.random.Generator, n: int) -> Floats:
    match law:
        case Choice(choice=values):
            return np.asarray(list(values), dtype=np.float64)[draw_index(law, rng, n)]
        case Uniform(uniform=(int() as low, int() as high)):
            return np.asarray(rng.integers(low, high, size=n, endpoint=True), dtype=np.float64)
        case Uniform(uniform=(low, high)):
            return rng.uniform(low, high, n)
        case Exponential(exponential=of):
            return rng.exponential(of.mean, n)
        case Lognormal(lognormal=of):
            return np.asarray(of.median * np.exp(of.sigma * rng.standard_normal(n)))
        case Pareto(pareto=of):
            return np.asarray(of.minimum * (1.0 + rng.pareto(of.alpha, n)))
        case Weibull(weibull=of):
            return np.asarray(of.scale * rng.weibull(of.shape, n))
        case Empirical(empirical=of) | EmpiricalTimes(empirical=of):
            return _draw_empirical(read_empirical(of), rng, n)
        case _:
            return np.full(n, float(law))


def draw_index(law: Choice[Any], rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """n positions in a choice's list of values, shape (n,)."""
    if isinstance(law.choice, dict):
        weights = list(itertools.accumulate(law.choice.values()))
        return np.searchsorted(np.asarray(weights) / weights[-1], rng.random(n), side="right")
    return rng.integers(len(law.choice), size=n)


def draw_counts(law: Any, rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    """n whole numbers of at least 1; a continuous law is rounded to the nearest, shape (n,)."""
    return np.clip(np.rint(draw(law, rng, n)), 1, MOST_CHIPS).astype(np.int64)


@lru_cache(maxsize=64)
def read_empirical(of: EmpiricalFile) -> tuple[Floats, Floats | None]:
    """Values in SI and their cumulative probabilities, if the file has them; ScenarioError if it does not fit."""
    columns = [of.column] if of.cdf is None else [of.column, of.cdf]
    try:
        table = pl.read_csv(locate(of.file), columns=columns, schema_overrides=dict.fromkeys(columns, pl.Float64))
        values = table[of.column].to_numpy() * (to_si(1.0, of.unit) if isinstance(of, EmpiricalTimesFile) else 1.0)
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise ScenarioError(f"cannot read column {of.column!r}: {str(error).splitlines()[0]}", of.file) from None
    if len(values) == 0 or not np.all(np.isfinite(values)) or np.any(values <= 0):
        raise ScenarioError(f"column {of.column!r} must hold finite numbers above 0", of.file)
    if of.cdf is None:
        return values, None
    cdf = table[of.cdf].to_numpy()
    if (
        not np.all(np.isfinite(cdf))
        or np.any(np.diff(cdf) < 0)
        or np.any(np.diff(values) < 0)
        or cdf[0] < 0
        or not np.isclose(cdf[-1], 1.0)
    ):
        raise ScenarioError(f"columns {of.column!r} and {of.cdf!r} must rise together and end at 1", of.file)
    return values, cdf


def _draw_empirical(table: tuple[Floats, Floats | None], rng: np.random.Generator, n: int) -> Floats:
    values, cdf = table
    if cdf is None:
        return values[rng.integers(len(values), size=n)]
    return np.interp(rng.random(n), cdf, values)
