"""The keys of a scenario file, their types and their defaults. The contract that users write against.

A key stands here only when it does something. What needs the catalog or the policies to be judged
(a rack's name, a policy's name) is judged by their own build, with this file's line numbers.
"""

import datetime
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from scenarios.hardware import Band, Catalog
from scenarios.network import Network
from scenarios.policy import Policy
from scenarios.site import Site
from scenarios.tenants import Tenant
from scenarios.units import DAY_S, HOUR_S
from scenarios.values import (
    UNTIL_DONE,
    Count,
    Date,
    Duration,
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
    tenants: list[Tenant] | None = Field(default=None, description="quotas; default: tenants are not limited")
    policy: Policy = Policy()
    failures: Failures = Field(default=Failures(), description="what jobs lose that a falling cap stops")
    uncertainty: Band = Field(default="base", description="which end of the bands of the shipped catalog to use")
    catalog: Catalog = Catalog()

    @model_validator(mode="after")
    def _consistent(self) -> "ScenarioKeys":
        for key, names in (
            ("fleet", [fleet.pool for fleet in self.fleet]),
            ("workload", [work.job_class for work in self.workload]),
            ("tenants", [entry.tenant for entry in self.tenants or ()]),
        ):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise PydanticCustomError("at_key", "the name {name} is used twice", {"name": twice, "key": key})
        if isinstance(self.horizon, float) and self.warmup >= self.horizon:
            found = f"found {self.warmup / DAY_S:.4g} days of a horizon of {self.horizon / DAY_S:.4g} days"
            text = f"{found}; allowed: a warmup shorter than the horizon"
            raise PydanticCustomError("at_key", text, {"key": "warmup"})
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
