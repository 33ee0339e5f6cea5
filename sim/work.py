"""One run of a sweep, as a worker does it: parameters in, the summary or the reason of its failure out."""

import json
import traceback
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from outputs.metrics import measure
from policies.build import build_policy
from scenarios.errors import ScenarioError, one_line
from scenarios.files import Desk, find, working_at
from scenarios.load import Scenario, load
from sim.simulation import simulate
from topologies.build import build_plant
from topologies.plant import Plant

Overrides = tuple[tuple[str, str], ...]
FAULT = "a fault of megawatt"
_KEPT = 8  # plants that a worker keeps; runs of one point follow each other


@dataclass(frozen=True, slots=True)
class Task:
    """A run to be done: overrides as load() takes them, and the seed of its random streams."""

    overrides: Overrides
    seed: int

    @property
    def key(self) -> str:
        """What tells this run from all others of its sweep."""
        return json.dumps([self.seed, *(text for text, _ in self.overrides)])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a task: a summary, or an error, which begins with FAULT where it is ours and not the user's."""

    key: str
    summary: dict[str, float] | None
    warnings: Sequence[str] = ()
    error: str | None = None


class Bench:
    """Does the runs of one sweep in one thread; scenario and plant are built once as long as points do not change."""

    def __init__(self, scenario: str, desk: Desk) -> None:
        """scenario: the absolute path of its file, or the name of a library scenario."""
        self._scenario = scenario
        self._desk = desk
        self._built: OrderedDict[Overrides, tuple[Scenario, Plant]] = OrderedDict()

    def run(self, task: Task) -> Outcome:
        """A run from its task; whatever goes wrong in it is its outcome."""
        try:
            with working_at(self._desk):
                scenario, plant = self._prepared(task.overrides)
                record = simulate(scenario, plant, build_policy(scenario, plant), task.seed)
                result = measure(record, plant, scenario)
        except ScenarioError as error:
            return Outcome(task.key, None, error=str(error))
        except Exception as error:  # noqa: BLE001  # one run that fails must not take the others down
            frame = traceback.extract_tb(error.__traceback__)[-1]
            text = f"{FAULT}: {type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"
            return Outcome(task.key, None, error=one_line(text))
        return Outcome(task.key, result.summary, result.warnings)

    def _prepared(self, overrides: Overrides) -> tuple[Scenario, Plant]:
        built = self._built.pop(overrides, None)
        if built is None:
            scenario = load(find(self._scenario), overrides)
            built = scenario, build_plant(scenario)
            if len(self._built) >= _KEPT:
                self._built.popitem(last=False)
        self._built[overrides] = built
        return built
