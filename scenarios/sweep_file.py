"""What a sweep is asked to do, from a sweep file, from options, or from both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from scenarios.design import MOST_POINTS, POLICY, Axis, Open, axis, zipped
from scenarios.errors import ScenarioError, nearest
from scenarios.files import LIBRARY, exists
from scenarios.mistakes import first_mistake
from scenarios.source import Source, read_source, write_yaml
from scenarios.units import shown
from scenarios.values import Keys, Name, Share, house

SWEEPS = LIBRARY / "sweeps"
BASELINE = "baseline"  # no key of a scenario is called so
MOST_RUNS_A_POINT = 10_000
MOST_SEED = 2**62  # of the first replication: the others are above it
LEAST_UNTIL = 1e-6


def _values(raw: Any) -> Any:
    if isinstance(raw, str) or (isinstance(raw, list) and raw):
        return raw
    raise house(f"found {shown(raw)}; allowed: a list of values, or a range such as 10..50:10 MW")


Values = Annotated[str | list[Any], BeforeValidator(_values)]
Replications = Annotated[int, Field(ge=1, le=MOST_RUNS_A_POINT)]


class SweepKeys(Keys):
    """A sweep file. Its keys are the options of `megawatt sweep`."""

    sweep: Name = Field(description="The sweep's name.")
    description: str = ""
    scenario: str = Field(description="A scenario file, relative to this one, or a library scenario.")
    set: dict[str, Any] = Field({}, description="Keys of the scenario that have another value in all runs.")
    policies: list[str] = Field([], description="Policies, each as --policy takes it.")
    vary: dict[str, Values] = Field({}, description="Keys and their values; every combination is run.")
    zip: list[dict[str, Values]] = Field([], description="Groups of keys whose values go side by side.")
    sample: Annotated[int, Field(ge=1, le=MOST_POINTS)] | None = Field(
        None, description="Points of the ranges without a step."
    )
    replications: Replications = Field(10, description="Runs of each point, each with a seed of its own.")
    until: Annotated[Share, Field(ge=LEAST_UNTIL)] | None = Field(
        None, description="Go on until each mean is known to this share of itself."
    )
    batch: Replications = Field(10, description="With until: replications between two looks.")
    most: Replications = Field(200, description="With until: the most replications of a point.")
    metrics: list[str] = Field([], description="The metrics to show, the first of which until goes by.")
    baseline: str | None = Field(None, description="What differences are to, such as policy=easy.")
    confidence: Annotated[Share, Field(ge=0.5, le=0.9999)] = Field(0.95, description="Of the intervals.")
    seed: Annotated[int, Field(ge=0, le=MOST_SEED)] | None = Field(None, description="Seed of the first replication.")


@dataclass(frozen=True, slots=True)
class Until:
    """Go on in batches of replications until each mean is known to a share of itself, but not beyond `most`."""

    relative: float
    batch: int = 10
    most: int = 200

    def rounds(self) -> list[tuple[int, int]]:
        """From which replication to which each batch goes."""
        return [(first, min(first + self.batch, self.most)) for first in range(0, self.most, self.batch)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a sweep is to do.

    settings: (KEY=VALUE, option it came from). places: where a sweep file says the values of a parameter, or what the
    baseline is. The rest as in SweepKeys.
    """

    scenario: Path
    name: str | None = None  # None: that of the scenario
    description: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    axes: tuple[Axis | Open, ...] = ()
    sample: int | None = None
    replications: int = 10
    until: Until | None = None
    metrics: tuple[str, ...] = ()
    baseline: str | None = None
    confidence: float = 0.95
    seed: int | None = None
    places: Mapping[str, str] = field(default_factory=dict)

    def with_axes(self, axes: Sequence[Axis | Open]) -> "Asked":
        """The same with more axes; one takes the place of an axis that has one of its names. Policies come first."""
        new = {name for one in axes for name in names_of(one)}
        kept = [one for one in self.axes if not new & set(names_of(one))]
        every = sorted([*kept, *axes], key=lambda one: names_of(one) != (POLICY,))
        return replace(
            self, axes=tuple(every), places={name: at for name, at in self.places.items() if name not in new}
        )


def names_of(one: Axis | Open) -> tuple[str, ...]:
    """The parameters of an axis."""
    return one.names if isinstance(one, Axis) else (one.name,)


def policies_axis(specs: Sequence[str], where: str) -> Axis:
    """The axis of several policies."""
    repeated = next((spec for at, spec in enumerate(specs) if spec in specs[:at]), None)
    if repeated is not None:
        raise ScenarioError(f"holds {shown(repeated)} twice", where)
    return Axis((POLICY,), tuple((spec,) for spec in specs))


def find_sweep(name: str) -> Path | None:
    """The sweep file behind a command-line argument: a file with the key `sweep`, or one of the library; else None."""
    if exists(Path(name)):
        return Path(name) if "sweep" in read_source(Path(name)).data else None
    return next((path for path in library_sweeps() if path.stem == name), None)


def library_sweeps() -> list[Path]:
    """The sweeps that megawatt brings along."""
    return sorted(SWEEPS.glob("*.yaml"))


def read_sweep(path: Path) -> Asked:
    """Read and check a sweep file; ScenarioError with the file and line for anything that is wrong."""
    source = read_source(path)
    try:
        keys = SweepKeys.model_validate(source.data)
    except ValidationError as error:
        raise first_mistake(error, source) from None
    _agree(keys, source)
    axes: list[Axis | Open] = []
    places = {key: source.where("vary", key) for key in keys.vary}
    if keys.baseline is not None:
        places[BASELINE] = source.where("baseline")
    if keys.policies:
        places[POLICY] = source.where("policies")
        axes.append(policies_axis(keys.policies, source.where("policies")))
    axes += _axes(keys.vary, source, "vary")
    for at, group in enumerate(keys.zip):
        axes.append(zipped(_axes(group, source, "zip", at), source.where("zip", at)))
        places |= {key: source.where("zip", at, key) for key in group}
    settings = tuple((f"{key}={text_of(value)}", f"{source.where('set', key)}:") for key, value in keys.set.items())
    return Asked(
        _scenario(keys.scenario, source),
        keys.sweep,
        keys.description,
        settings,
        tuple(axes),
        keys.sample,
        keys.replications,
        None if keys.until is None else Until(keys.until, keys.batch, keys.most),
        tuple(keys.metrics),
        keys.baseline,
        keys.confidence,
        keys.seed,
        places,
    )


def _agree(keys: SweepKeys, source: Source) -> None:
    """ScenarioError for keys that do not go together, as for the options of these names."""
    there = keys.model_fields_set
    if keys.until is not None and "replications" in there:
        raise ScenarioError("replications: cannot be used with until", source.where("replications"))
    for name in ("batch", "most"):
        if keys.until is None and name in there:
            raise ScenarioError(f"{name}: needs until", source.where(name))
    for at, group in enumerate(keys.zip):
        if not group:
            raise ScenarioError(f"zip.{at}: found {{}}; allowed: keys with their values", source.where("zip", at))


def text_of(value: Any) -> str:
    """A value as KEY=VALUE takes it."""
    if isinstance(value, str):
        return value
    return write_yaml(value, flow=True).removesuffix("...\n").strip()


def _axes(group: Mapping[str, str | list[Any]], source: Source, *key: str | int) -> list[Axis | Open]:
    found: list[Axis | Open] = []
    for name, values in group.items():
        if isinstance(values, str):
            found.append(axis(name, values, source.where(*key, name)))
            continue
        found.append(Axis((name,), tuple((text_of(value),) for value in values)))
    return found


def _scenario(name: str, source: Source) -> Path:
    known = {path.stem: path for path in sorted(LIBRARY.glob("*.yaml"))}
    path = source.path.parent / name
    if exists(path):
        return path
    if name in known:
        return known[name]
    text = f"scenario: no such file: {path}, and no library scenario{nearest(name, known)} ({', '.join(known)})"
    raise ScenarioError(text, source.where("scenario"))
