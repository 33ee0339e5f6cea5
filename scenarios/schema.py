"""The keys of a scenario file, their types and their defaults. The contract that users write against.

A key stands here only when it does something. What needs the catalog or the policies to be judged
(a rack's name, a policy's name) is judged by their own build, with this file's line numbers.
"""

import datetime
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from scenarios.hardware import Band, Catalog
from scenarios.network import Network
from scenarios.plug_ins import Choice
from scenarios.site import Site
from scenarios.units import DAY_S, HOUR_S
from scenarios.values import (
    UNTIL_DONE,
    CarbonIntensity,
    Count,
    Date,
    Duration,
    EnergyPrice,
    Horizon,
    Keys,
    Name,
    PositiveDuration,
    house,
)
from scenarios.workload import Trace, Training, Workload

PLAIN = "plain"  # the rack without topology or power: identical processors
DEFAULT_START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class Delivery(Keys):
    """Racks that arrive in batches of `racks`: at `first` and `every` so long after, until the count is there."""

    first: Duration
    every: PositiveDuration
    racks: Count


class Fleet(Keys):
    """A pool of like racks, or of a number of plain processors."""

    pool: Name
    rack: str
    count: Count | None = Field(default=None, description="racks")
    chips: Count | None = Field(default=None, description="processors of a plain pool")
    delivery: Delivery | None = Field(default=None, description="default: all racks are there from the start")

    @model_validator(mode="after")
    def _count_or_chips(self) -> "Fleet":
        if self.rack == PLAIN and self.delivery is not None:
            raise house("a plain pool takes no delivery")
        wanted, other = ("chips", "count") if self.rack == PLAIN else ("count", "chips")
        if getattr(self, wanted) is None or getattr(self, other) is not None:
            raise house(f"rack {self.rack!r} takes the key {wanted!r} and not {other!r}")
        return self


def _bare(raw: Any) -> Any:
    """A name alone of a policy with parameters stands for their defaults."""
    return {raw: {}} if isinstance(raw, str) else raw


class Las(Keys):
    """Least attained service in queues: the service at which a job leaves each for the next, rising."""

    thresholds: Annotated[list[PositiveDuration], Field(min_length=1, max_length=100)] = Field(
        default=[HOUR_S, 10 * HOUR_S], description="chips times time: 1 hour is a chip-hour; ESTIMATE"
    )

    @model_validator(mode="after")
    def _rising(self) -> "Las":
        if any(later <= sooner for sooner, later in pairwise(self.thresholds)):
            raise PydanticCustomError("at_key", "allowed: rising thresholds", {"key": "thresholds"})
        return self


class LasOrder(Keys):
    """Least attained service first."""

    las: Las


class FairShare(Keys):
    """Usage by tenant that fades."""

    half_life: PositiveDuration = Field(default=7 * DAY_S, description="that of Slurm's multifactor plugin")


class FairShareOrder(Keys):
    """The tenant with the lowest usage first."""

    fair_share: FairShare = Field(alias="fair-share")


_ORDERS = {"las": LasOrder, "fair-share": FairShareOrder}  # those with parameters


def _order(raw: Any) -> str:
    if isinstance(raw, str):
        return raw if raw in _ORDERS else "name"
    if isinstance(raw, LasOrder | FairShareOrder):
        return "las" if isinstance(raw, LasOrder) else "fair-share"
    keys = list(raw) if isinstance(raw, dict) else []
    return keys[0] if len(keys) == 1 and keys[0] in _ORDERS else "name"


OrderChoice = Annotated[
    Annotated[Choice, Tag("name")]
    | Annotated[LasOrder, BeforeValidator(_bare), Tag("las")]
    | Annotated[FairShareOrder, BeforeValidator(_bare), Tag("fair-share")],
    Discriminator(_order),
]


class Oversubscribe(Keys):
    """How much more than the cap may be admitted: demand over cap."""

    ratio: Annotated[float, Field(ge=1, le=10)] = Field(
        default=1.3, description="POLCA (ASPLOS 2024) adds 30 % servers to an inference row"
    )


class Oversubscribed(Keys):
    """Admit on expected demand, with throttling as the net."""

    oversubscribe: Oversubscribe


class Defer(Keys):
    """Hold jobs for a cheaper or cleaner hour: they start while the signals are at or below what is named."""

    price: EnergyPrice | None = None
    carbon: CarbonIntensity | None = None
    deadline: Duration = Field(default=DAY_S, description="longest that a job is held; a class may set its own")

    @model_validator(mode="after")
    def _something(self) -> "Defer":
        if self.price is None and self.carbon is None:
            raise house("allowed: price, carbon or both, such as {price: 30 USD/MWh}")
        return self


class Deferred(Keys):
    """Reserve, with jobs held for a cheaper or cleaner hour."""

    defer: Defer


def _power(raw: Any) -> str | None:
    if isinstance(raw, str):
        return "oversubscribe" if raw == "oversubscribe" else "name"
    if isinstance(raw, Oversubscribed | Deferred):
        return "oversubscribe" if isinstance(raw, Oversubscribed) else "defer"
    keys = list(raw) if isinstance(raw, dict) else []
    return keys[0] if keys in (["oversubscribe"], ["defer"]) else None


PowerChoice = Annotated[
    Annotated[str, Tag("name")]
    | Annotated[Oversubscribed, BeforeValidator(_bare), Tag("oversubscribe")]
    | Annotated[Deferred, Tag("defer")],
    Discriminator(
        _power,
        custom_error_type="house",
        custom_error_message="allowed: a name that megawatt show policies lists, {oversubscribe: {ratio: 1.3}}, or "
        "{defer: {price: 60 USD/MWh, deadline: 12 hours}}",
    ),
]


class Policy(Keys):
    """One policy an axis; a preset stands for all of them and an axis beside it overrides it."""

    preset: str | None = None
    order: OrderChoice | None = None
    backfill: Choice | None = None
    placement: Choice | None = None
    power: PowerChoice | None = None
    plug_in_limit: PositiveDuration = Field(
        default=60.0, description="how long one pass may take where policies are the user's own; by the wall clock"
    )


class Checkpoint(Keys):
    """How running jobs keep what they have done: every so long, and at a stop that was told early enough."""

    every: PositiveDuration = Field(default=HOUR_S, description="ESTIMATE")
    stall: Duration = Field(default=20.0, description="time of one write; 20 s as in published capacity models")


class Failures(Keys):
    """What an interruption costs a job."""

    checkpoint: Checkpoint = Checkpoint()
    restart: Duration = Field(default=420.0, description="from the new start to the first step")


class ScenarioKeys(Keys):
    """A whole scenario file, checked and in SI numbers."""

    name: Name = Field(description="letters, digits, - and _; names the run folder")
    description: str = Field(default="", description="one line for people")
    start: Date = Field(default=DEFAULT_START, description="time 0 of the clock, UTC")
    horizon: Horizon
    warmup: Duration = Field(default=0.0, description="what is submitted or held before this is not counted")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(default=0, description="of all random streams")
    site: Site | None = Field(default=None, description="without it nothing caps the draw, which is still recorded")
    network: Network | None = Field(default=None, description="without it a gang is as fast wherever it sits")
    fleet: Annotated[list[Fleet], Field(min_length=1)]
    workload: Annotated[list[Workload], Field(min_length=1)]
    policy: Policy = Policy()
    failures: Failures = Field(default=Failures(), description="what jobs lose that a falling cap stops")
    uncertainty: Band = Field(default="base", description="which end of the bands of the shipped catalog to use")
    catalog: Catalog = Catalog()

    @model_validator(mode="after")
    def _consistent(self) -> "ScenarioKeys":
        for key, names in (
            ("fleet", [fleet.pool for fleet in self.fleet]),
            ("workload", [work.job_class for work in self.workload]),
        ):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise PydanticCustomError("at_key", "the name {name} is used twice", {"name": twice, "key": key})
        if isinstance(self.horizon, float) and self.warmup >= self.horizon:
            raise PydanticCustomError("at_key", "allowed: a warmup shorter than the horizon", {"key": "warmup"})
        repeated = [item for item in self.site.curtailment if item.at is None or item.every] if self.site else []
        if self.horizon == UNTIL_DONE and repeated:
            text = "until-done goes with curtailments at given times only, not with every and per_year"
            raise PydanticCustomError("at_key", text, {"key": "horizon"})
        for work in self.workload:
            if self.horizon == UNTIL_DONE and not isinstance(work, Trace) and work.jobs is None:
                text = "until-done needs an end to every drawn class: give the class {name} the key jobs"
                raise PydanticCustomError("at_key", text, {"name": work.job_class, "key": "horizon"})
            share = work.portable_share if isinstance(work, Training) else None
            if self.horizon == UNTIL_DONE and share is not None and share.start != share.end:
                text = "a portable_share that changes over the horizon needs one with an end, not until-done"
                raise PydanticCustomError("at_key", text, {"key": "horizon"})
        return self
