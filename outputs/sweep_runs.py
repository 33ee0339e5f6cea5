"""The table of a sweep's runs, from its journal: the same bytes whatever the order in which the runs ended."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from outputs.sweep_folder import DONE, FAILED
from scenarios.design import Design
from scenarios.ranges import number_of


def runs_frame(
    design: Design,
    seed: int,
    replications: Sequence[int],
    keys: Sequence[str],
    lines: Iterable[Mapping[str, Any]],
) -> pl.DataFrame:
    """runs.parquet: a row per run, point by point.

    replications: of each point, how many. keys: of all runs in the order of the rows. lines: of the journal, each with
    `key`, `summary` and `error`.
    """
    numbers = [at for count in replications for at in range(count)]
    row_of = {key: row for row, key in enumerate(keys)}
    errors: list[str | None] = [None] * len(keys)
    metrics: dict[str, list[float | None]] = {}
    places: dict[str, tuple[int, int]] = {}  # of a metric's column: the first run that has it, and where in it
    for line in lines:
        row = row_of.get(line["key"])
        if row is None:
            continue
        errors[row] = line["error"]
        for at, (name, value) in enumerate((line["summary"] or {}).items()):
            if name not in metrics:
                metrics[name], places[name] = [None] * len(keys), (row, at)
            metrics[name][row] = float(value)
            places[name] = min(places[name], (row, at))
    columns = [
        *_parameters(design, replications),
        pl.Series("replication", numbers, pl.Int64),
        pl.Series("seed", [seed + at for at in numbers], pl.UInt64),
        pl.Series("status", [DONE if error is None else FAILED for error in errors], pl.String),
        pl.Series("error", errors, pl.String),
        *(pl.Series(name, metrics[name], pl.Float64) for name in sorted(metrics, key=places.__getitem__)),
    ]
    return pl.DataFrame(columns)


def _parameters(design: Design, replications: Sequence[int]) -> list[pl.Series]:
    """The columns of the parameters: numbers where all values are numbers of one unit, else the text asked for."""
    found, units = [], design.units()
    for at, name in enumerate(design.names):
        texts = [point[at] for point, count in zip(design.points, replications, strict=True) for _ in range(count)]
        if name in units:
            found.append(pl.Series(name, [_number(text) for text in texts], pl.Float64))
        else:
            found.append(pl.Series(name, texts, pl.String))
    return found


def _number(text: str) -> float:
    number = number_of(text)
    assert number is not None, "units() names only parameters whose values are all numbers"
    return number[0]
