"""Sweeps for a comparison: one, or several joined as one with the parameter `sweep`."""

import contextlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from outputs.baseline import SWEEP
from outputs.points import value_text
from outputs.sweep_folder import RUN_COLUMNS, Sweep, sweep_of
from scenarios.errors import ScenarioError

_LEAST, _MOST = 0.5, 0.9999


def joined(folders: Sequence[Path]) -> Sweep:
    """The sweep of a folder, or several as one: their runs are told apart by `sweep`, and paired by their seeds.

    A parameter that only some have is null in the others. ScenarioError for a folder given twice, or for a parameter
    in different units.
    """
    if len(folders) == 1:
        return sweep_of(folders[0])
    sweeps = dict(zip(_names(folders), (sweep_of(folder) for folder in folders), strict=True))
    parameters = list(dict.fromkeys(name for sweep in sweeps.values() for name in sweep.parameters))
    metrics = list(dict.fromkeys(name for sweep in sweeps.values() for name in sweep.all_metrics))
    texts = [name for name in parameters if _mixed(name, sweeps.values())]
    frames = [_named(name, sweep, texts) for name, sweep in sweeps.items()]
    runs = pl.concat(frames, how="diagonal_relaxed").select(SWEEP, *parameters, *RUN_COLUMNS, *metrics)
    first = next(iter(sweeps.values()))
    return Sweep(
        " and ".join(dict.fromkeys(sweep.name for sweep in sweeps.values())),
        (SWEEP, *parameters),
        _units(sweeps.values(), texts),
        tuple(dict.fromkeys(name for sweep in sweeps.values() for name in sweep.metrics)),
        first.confidence,
        runs,
    )


def with_confidence(sweep: Sweep, text: str | None) -> Sweep:
    """The sweep with intervals of another confidence, such as "99%"; ScenarioError for what is none."""
    return sweep if text is None else replace(sweep, confidence=confidence_of(text, "--confidence"))


def confidence_of(text: str, option: str) -> float:
    """A confidence written as 95%, 95 % or 0.95."""
    number, sign, rest = text.partition("%")
    try:
        value = float(number) / (100 if sign else 1)
    except ValueError:
        value = 0.0
    if rest.strip() or not _LEAST <= value <= _MOST:
        raise ScenarioError("allowed: a percentage from 50% to 99.99%, such as 95%", f"{option} {text}")
    return value


@contextlib.contextmanager
def undamaged(folders: Sequence[Path]) -> Iterator[None]:
    """What goes wrong inside is the fault of a folder that was damaged after it was saved: ScenarioError."""
    try:
        yield
    except (
        *(ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError),
        pl.exceptions.PolarsError,
    ) as error:
        where = ", ".join(str(folder) for folder in folders)
        raise ScenarioError(f"is damaged: {type(error).__name__} {error}", where) from None


def _names(folders: Sequence[Path]) -> list[str]:
    """The folders by their last parts, or in full where those are the same."""
    real = [folder.resolve() for folder in folders]
    for at, folder in enumerate(real):
        if folder in real[:at]:
            raise ScenarioError("is given twice", str(folders[at]))
    short = [folder.name for folder in real]
    return short if len(set(short)) == len(short) else [str(folder) for folder in folders]


def _mixed(parameter: str, sweeps: Collection[Sweep]) -> bool:
    """Whether a parameter is a number in one sweep and a text in another."""
    return len({sweep.runs[parameter].dtype.is_numeric() for sweep in sweeps if parameter in sweep.parameters}) > 1


def _named(name: str, sweep: Sweep, texts: Sequence[str]) -> pl.DataFrame:
    mine = [parameter for parameter in texts if parameter in sweep.parameters]
    as_text = [pl.Series(each, [value_text(value) for value in sweep.runs[each]], pl.String) for each in mine]
    return sweep.runs.with_columns(*as_text).with_columns(pl.lit(name).alias(SWEEP))


def _units(sweeps: Collection[Sweep], texts: Sequence[str]) -> dict[str, str]:
    units: dict[str, str] = {}
    for sweep in sweeps:
        for name in sweep.parameters:
            unit = sweep.units.get(name, "")
            if units.setdefault(name, unit) != unit:
                raise ScenarioError(f"is in {units[name]!r} in one sweep and in {unit!r} in another", name)
    return {name: unit for name, unit in units.items() if unit and name not in texts}
