"""What a sweep will run, checked before anything runs: its points, its runs, and the files that they read."""

import hashlib
import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from outputs.comparison import Comparison
from outputs.resolved import resolved
from outputs.sweep_folder import sweep_from
from outputs.sweep_runs import runs_frame
from policies.policy import Policy
from policies.spec import arranged
from policies.spec import overrides as policy_overrides
from scenarios.design import POLICY, Axis, Design, design
from scenarios.errors import ScenarioError
from scenarios.files import LIBRARY
from scenarios.load import Scenario
from scenarios.ranges import number_of
from scenarios.signal_times import IANA_VERSION
from scenarios.sweep_file import BASELINE, Asked
from sim.run import prepare
from sim.work import Overrides, Task

_MOST_CHECKED = 200  # values of an axis that are tried before anything runs
Warn = Callable[[str], None]
Values = tuple[tuple[str, ...], Sequence[tuple[str, ...]]]
"""Parameters that change together, and their values."""


@dataclass(frozen=True, slots=True)
class Base:
    """What all runs of a sweep share. inputs: the user's files that they read, by absolute name."""

    name: str
    scenario: str  # as a worker finds it: absolute, or by name where it came with megawatt
    scenario_text: str  # resolved, with the settings that all runs share
    settings: Overrides
    seed: int
    inputs: dict[str, bytes]
    places: Mapping[str, str]  # where a sweep file says the values of a parameter

    def overrides(self, names: Sequence[str], point: Sequence[str]) -> Overrides:
        """A point as overrides of the scenario."""
        spec, varied = list[tuple[str, str]](), list[tuple[str, str]]()
        for name, value in zip(names, point, strict=True):
            if name == POLICY:
                place = self._place(POLICY, "--policy")
                spec += [(text, f"{place} {value}:") for text in policy_overrides(value, place)]
            else:
                varied.append((f"{name}={value}", self._place(name, "--vary")))
        return (*arranged(self.settings, spec), *varied)

    def _place(self, name: str, option: str) -> str:
        return f"{self.places[name]}:" if name in self.places else option

    def facts(self, asked: Asked, found: Design) -> dict[str, Any]:
        """What sweep.json says; a sweep is gone on with only where all of it is the same."""
        return {
            "name": self.name,
            "version": version("megawatt"),
            "time_zones": IANA_VERSION,
            "settings": [text for text, _ in self.settings],
            "seed": self.seed,
            "parameters": list(found.names),
            "units": found.units(),
            "metrics": list(asked.metrics),
            "baseline": asked.baseline,
            "confidence": asked.confidence,
            "inputs_sha256": {path: _hash(content) for path, content in self.inputs.items()},
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """A sweep that has been checked."""

    asked: Asked
    base: Base
    design: Design
    points: tuple[Overrides, ...]
    facts: dict[str, Any]

    def tasks(self, replications: range) -> list[Task]:
        """The runs of some replications, point by point."""
        return [Task(point, self.base.seed + at) for point in self.points for at in replications]


def plan(asked: Asked, warn: Warn) -> Plan:
    """Check a sweep without running it; values that do not work are warned of.

    Raises ScenarioError for what makes every run fail: the scenario itself, or a key none of whose values works.
    """
    base = base_of(asked, "sweep")
    try:
        found = design(asked.axes, asked.sample, base.seed)
    except ScenarioError as error:  # of a parameter, which may stand in a file
        if error.where not in asked.places:
            raise
        raise ScenarioError(f"{error.where}: {error.message}", asked.places[error.where]) from None
    closed = [one for one in asked.axes if isinstance(one, Axis)]
    groups: list[Values] = [(one.names, one.values) for one in closed]
    sampled = [at for at, name in enumerate(found.names) if not any(name in one.names for one in closed)]
    if sampled:
        rows = dict.fromkeys(tuple(point[at] for at in sampled) for point in found.points)
        groups.append((tuple(found.names[at] for at in sampled), list(rows)))
    points = tuple(base.overrides(found.names, point) for point in found.points)
    check(asked, base, groups, warn)
    facts = base.facts(asked, found) | {
        "points": len(points),
        "points_sha256": _hash(json.dumps([[text for text, _ in point] for point in points]).encode()),
        "replications": asked.replications if asked.until is None else asdict(asked.until),
    }
    try:
        _check_baseline(base, found, facts)
    except ScenarioError as error:
        if BASELINE not in asked.places:
            raise
        raise ScenarioError(f"{BASELINE}: {error.message}", asked.places[BASELINE]) from None
    return Plan(asked, base, found, points, facts)


def _check_baseline(base: Base, found: Design, facts: Mapping[str, Any]) -> None:
    """ScenarioError for a baseline that is none of the points, before the first run and not after the last."""
    count = len(found.points)
    Comparison(sweep_from(facts, runs_frame(found, base.seed, [1] * count, [str(at) for at in range(count)], [])))


def base_of(asked: Asked, kind: str) -> Base:
    """The scenario as all runs share it; ScenarioError for anything that is wrong with it."""
    scenario, _, policy = prepare(asked.scenario, asked.settings)
    path = asked.scenario.resolve()
    seed = scenario.keys.seed if asked.seed is None else asked.seed
    return Base(
        asked.name or f"{scenario.keys.name}-{kind}",
        path.stem if path.parent == LIBRARY.resolve() else str(path),
        resolved(scenario, policy, seed),
        tuple(asked.settings),
        seed,
        {str(path): path.read_bytes()} | _inputs(scenario, policy),
        asked.places,
    )


def check(asked: Asked, base: Base, groups: Iterable[Values], warn: Warn) -> None:
    """Try the values of each group of parameters alone, and take the files that they name into the inputs."""
    for names, rows in groups:
        if "seed" in names:
            raise ScenarioError("cannot be varied: replications have seeds of their own (--replications)", "seed")
        _check_distinct(names, rows, base.places.get(names[0], ",".join(names)))
        errors, wrong, tried = [], [], rows[:_MOST_CHECKED]
        for row in tried:
            try:
                scenario, _, policy = prepare(asked.scenario, base.overrides(names, row))
            except ScenarioError as error:
                errors.append(error)
                wrong.append(", ".join(map("=".join, zip(names, row, strict=True))))
            else:
                base.inputs.update(_inputs(scenario, policy))
        if len(errors) == len(tried):
            raise errors[0]
        for what, why in zip(wrong, errors, strict=True):
            warn(f"{why}; runs with {what} will fail")


def _check_distinct(names: Sequence[str], rows: Sequence[tuple[str, ...]], where: str) -> None:
    """ScenarioError for values that mean the same, however written: they would be one point, run twice."""
    first: dict[Hashable, tuple[str, ...]] = {}
    for row in rows:
        meant = tuple(map(_meant, names, row))
        if meant in first:
            known, again = (repr(",".join(one)) for one in (first[meant], row))
            raise ScenarioError(
                f"holds {again} twice" if known == again else f"{known} and {again} are the same", where
            )
        first[meant] = row


def _meant(name: str, value: str) -> Hashable:
    if name == POLICY:
        return tuple(policy_overrides(value))
    return number_of(value) or value


def _inputs(scenario: Scenario, policy: Policy) -> dict[str, bytes]:
    """The user's files behind a checked scenario and its policy."""
    names = [name for name in scenario.files if Path(name).is_absolute()]
    if policy.guard is not None:
        names += [name for name in policy.guard.hashes if Path(name).is_absolute()]
    return {name: Path(name).read_bytes() for name in names}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
