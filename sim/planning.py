"""What a sweep will run, checked before anything runs: its points, its runs, and the files that they read."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from outputs.resolved import resolved
from policies.build import Policy
from policies.spec import overrides as policy_overrides
from scenarios.design import POLICY, Axis, Design, design
from scenarios.errors import ScenarioError
from scenarios.files import LIBRARY
from scenarios.load import Scenario
from scenarios.sweep_file import Asked
from sim.run import prepare
from sim.work import Overrides, Task

_MOST_CHECKED = 200  # values of an axis that are tried before anything runs


@dataclass(frozen=True, slots=True)
class Plan:
    """A sweep that has been checked. inputs: the user's files that its runs read, by absolute name."""

    asked: Asked
    design: Design
    points: tuple[Overrides, ...]
    seed: int
    inputs: dict[str, bytes]
    facts: dict[str, Any]
    scenario_text: str  # resolved, with the settings that all runs share

    def tasks(self, replications: range) -> list[Task]:
        """The runs of some replications, point by point."""
        return [Task(point, self.seed + at) for point in self.points for at in replications]

    @property
    def scenario(self) -> str:
        """The scenario as a worker finds it: absolute, or by name where it came with megawatt."""
        path = self.asked.scenario.resolve()
        return path.stem if path.parent == LIBRARY.resolve() else str(path)


def plan(asked: Asked, warn: Callable[[str], None]) -> Plan:
    """Check a sweep without running it; values that do not work are warned of.

    Raises ScenarioError for what makes every run fail: the scenario itself, or a key none of whose values works.
    """
    scenario, _, policy = prepare(asked.scenario, asked.settings)
    seed = scenario.keys.seed if asked.seed is None else asked.seed
    found = design(asked.axes, asked.sample, seed)
    if "seed" in found.names:
        raise ScenarioError("cannot be varied: replications have seeds of their own (--replications)", "seed")
    inputs = {str(asked.scenario.resolve()): asked.scenario.read_bytes()} | _inputs(scenario, policy)
    inputs |= _checked(asked, found, warn)
    points = tuple(tuple(asked.settings) + point_overrides(found.names, point) for point in found.points)
    facts: dict[str, Any] = {
        "name": asked.name or f"{scenario.keys.name}-sweep",
        "version": version("megawatt"),
        "scenario": scenario.keys.name,
        "settings": [text for text, _ in asked.settings],
        "seed": seed,
        "parameters": list(found.names),
        "units": found.units(),
        "points": len(points),
        "points_sha256": _hash(json.dumps([[text for text, _ in point] for point in points]).encode()),
        "replications": asked.replications if asked.until is None else asdict(asked.until),
        "metrics": list(asked.metrics),
        "baseline": asked.baseline,
        "confidence": asked.confidence,
        "inputs_sha256": {path: _hash(content) for path, content in inputs.items()},
    }
    return Plan(asked, found, points, seed, inputs, facts, resolved(scenario, policy, seed))


def point_overrides(names: Sequence[str], point: Sequence[str]) -> Overrides:
    """The parameters of a point as overrides of the scenario."""
    found: list[tuple[str, str]] = []
    for name, value in zip(names, point, strict=True):
        if name == POLICY:
            found += [(text, f"--policy {value}:") for text in policy_overrides(value)]
        else:
            found.append((f"{name}={value}", "--vary"))
    return tuple(found)


def _checked(asked: Asked, found: Design, warn: Callable[[str], None]) -> dict[str, bytes]:
    """The files of the values of each axis, each value tried alone."""
    inputs: dict[str, bytes] = {}
    for names, rows in _each_alone(asked, found):
        errors = []
        for row in rows[:_MOST_CHECKED]:
            try:
                scenario, _, policy = prepare(asked.scenario, (*asked.settings, *point_overrides(names, row)))
            except ScenarioError as error:
                errors.append(error)
            else:
                inputs |= _inputs(scenario, policy)
        if len(errors) == len(rows):
            raise errors[0]
        for wrong in errors:
            warn(f"{wrong}; runs with it will fail")
    return inputs


def _each_alone(asked: Asked, found: Design) -> Iterator[tuple[tuple[str, ...], Sequence[tuple[str, ...]]]]:
    """The names and values of each axis; those that are sampled come as one."""
    closed = [one for one in asked.axes if isinstance(one, Axis)]
    yield from ((one.names, one.values) for one in closed)
    sampled = [at for at, name in enumerate(found.names) if not any(name in one.names for one in closed)]
    if sampled:
        rows = dict.fromkeys(tuple(point[at] for at in sampled) for point in found.points)
        yield tuple(found.names[at] for at in sampled), list(rows)


def _inputs(scenario: Scenario, policy: Policy) -> dict[str, bytes]:
    """The user's files behind a checked scenario and its policy."""
    names = [name for name in scenario.files if Path(name).is_absolute()]
    if policy.guard is not None:
        names += [name for name in policy.guard.hashes if Path(name).is_absolute()]
    return {name: Path(name).read_bytes() for name in names}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
