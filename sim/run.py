"""One run, from a scenario file to a saved folder: the whole program, top to bottom."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from outputs.folder import file_hash, plan, save
from outputs.metrics import Result, measure
from outputs.resolved import resolved
from policies.build import build_policy
from policies.policy import Policy
from scenarios.files import locate
from scenarios.load import Scenario, load
from scenarios.signal_times import IANA_VERSION
from sim.simulation import Simulation
from topologies.build import build_plant
from topologies.plant import Plant

EVENTS_A_STEP = 20_000  # a fraction of a second, so that progress moves and Ctrl-C is heard

Progress = Callable[[Simulation], None]


@dataclass(frozen=True, slots=True)
class Run:
    """A finished and saved run."""

    folder: Path
    name: str
    result: Result
    left_over: bool  # until done, but jobs wait that can never start


def prepare(path: Path, overrides: Sequence[tuple[str, str]] = ()) -> tuple[Scenario, Plant, Policy]:
    """A checked scenario, its plant and its policy; ScenarioError for anything that is wrong."""
    scenario = load(path, overrides)
    plant = build_plant(scenario)
    return scenario, plant, build_policy(scenario, plant)


def run(
    path: Path,
    overrides: Sequence[tuple[str, str]],
    seed: int | None,
    out: Path | None,
    force: bool,
    pictures: bool,
    progress: Progress,
) -> Run:
    """Run a scenario and save its folder, which appears whole or not at all."""
    started = time.perf_counter()
    scenario, plant, policy = prepare(path, overrides)
    name = scenario.keys.name
    folder = plan(name, out, force)
    seed = scenario.keys.seed if seed is None else seed
    simulation = Simulation(scenario, plant, policy, seed)
    while simulation.advance(EVENTS_A_STEP):
        progress(simulation)
    record = simulation.finish()
    result = measure(record, plant, scenario)
    text = resolved(scenario, policy, seed)
    facts: dict[str, Any] = {
        "name": name,
        "version": version("megawatt"),
        "time_zones": IANA_VERSION,
        "seed": seed,
        "start": scenario.keys.start.isoformat(),
        "warmup_s": min(record.warmup_s, record.end_time_s),
        "end_time_s": record.end_time_s,
        "policy": dict(policy.names),
        "pools": {pool.name: pool.chips for pool in plant.pools},
        "fabric": None if scenario.keys.network is None else scenario.keys.network.fabric,
        "cap_w": plant.site.cap_w,
        "battery_j": None if plant.site.battery is None else plant.site.battery.energy_j,
        "battery_round_trip": None if plant.site.battery is None else plant.site.battery.round_trip,
        "events": record.events,
        "scheduling_passes": record.passes,
        "wall_s": round(time.perf_counter() - started, 3),
        "inputs_sha256": _hashes(scenario, policy),
        "warnings": result.warnings,
    }
    saved = save(result, text, facts, folder, out is None, _draw if pictures else _no_pictures)
    return Run(saved, name, result, record.left_over is not None)


def _hashes(scenario: Scenario, policy: Policy) -> dict[str, str]:
    path = scenario.source.path
    files = {str(path): file_hash(path)} | {name: file_hash(locate(name)) for name in scenario.files}
    return files if policy.guard is None else files | policy.guard.hashes


def _draw(folder: Path) -> None:
    from outputs.plots import render  # matplotlib takes half a second to import

    render(folder)


def _no_pictures(folder: Path) -> None:
    del folder
