"""The keys of a scenario file, their types and their defaults. The contract that users write against.

A key stands here only when it does something. What needs the catalog or the policies to be judged
(a rack's name, a policy's name) is judged by their own build, with this file's line numbers.
"""

import datetime
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from scenarios.distributions import Counts, Durations, Names, Numbers
from scenarios.units import DAY_S, HOUR_S
from scenarios.values import UNTIL_DONE, Count, Date, Duration, Horizon, Keys, Name, Positive, house

PLAIN = "plain"  # the rack without topology or power: identical processors
DEFAULT_START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


class Arrivals(Keys):
    """A Poisson stream: the mean rate over a whole week, with a daily and a weekly shape."""

    per_hour: Positive | None = None
    per_day: Positive | None = None
    daily_peak_to_mean: Annotated[float, Field(ge=1, le=2)] = 1.0
    weekend: Annotated[float, Field(ge=0, le=100)] = Field(
        default=1.0, description="rate on Saturday and Sunday (UTC) / rate on other days"
    )

    @property
    def per_s(self) -> float:
        """Mean arrivals per second."""
        return (self.per_hour or 0.0) / HOUR_S + (self.per_day or 0.0) / DAY_S

    @model_validator(mode="after")
    def _one_rate(self) -> "Arrivals":
        if (self.per_hour is None) == (self.per_day is None):
            raise house("allowed: exactly one of per_hour, per_day")
        return self


class Estimate(Keys):
    """What the user says a job will take, which is all that a policy may plan with."""

    factor: Numbers = Field(description="estimate / run time")


class Synthetic(Keys):
    """Jobs that hold chips for a time, drawn at random."""

    job_class: Name = Field(alias="class")
    kind: Literal["synthetic"]
    chips: Counts
    duration: Durations
    arrivals: Arrivals
    jobs: Count | None = Field(default=None, description="the class ends after so many jobs")
    estimate: Estimate | None = None
    tenant: Names = "default"


class Trace(Keys):
    """Jobs replayed from a recorded log."""

    job_class: Name = Field(alias="class")
    kind: Literal["trace"]
    format: str
    file: str
    jobs: Count | None = Field(default=None, description="only the first so many jobs")
    on_bad_row: Literal["fail", "skip"] = "fail"


def _kind(raw: Any) -> str | None:
    kind = raw.get("kind") if isinstance(raw, dict) else getattr(raw, "kind", None)
    return kind if kind in ("synthetic", "trace") else None


Workload = Annotated[
    Annotated[Synthetic, Tag("synthetic")] | Annotated[Trace, Tag("trace")],
    Discriminator(_kind, custom_error_type="bad_kind", custom_error_message="allowed: kind: synthetic or kind: trace"),
]


class Fleet(Keys):
    """A pool of like racks, or of a number of plain processors."""

    pool: Name
    rack: str
    count: Count | None = Field(default=None, description="racks")
    chips: Count | None = Field(default=None, description="processors of a plain pool")

    @model_validator(mode="after")
    def _count_or_chips(self) -> "Fleet":
        wanted, other = ("chips", "count") if self.rack == PLAIN else ("count", "chips")
        if getattr(self, wanted) is None or getattr(self, other) is not None:
            raise house(f"rack {self.rack!r} takes the key {wanted!r} and not {other!r}")
        return self


class RackEntry(Keys):
    """A rack type: a number of scale-up domains of so many chips each."""

    accelerator: str
    chips: Count
    domain_chips: Count
    source: str = Field(description="where the figures come from, or ESTIMATE")
    confidence: Literal["high", "medium", "low", "estimate"]

    @model_validator(mode="after")
    def _whole_domains(self) -> "RackEntry":
        if self.chips % self.domain_chips:
            raise house(f"found {self.chips} chips in domains of {self.domain_chips}; allowed: whole domains")
        return self


class Catalog(Keys):
    """A scenario's own hardware, with the fields of the shipped catalog; it wins over the shipped one."""

    racks: dict[Name, RackEntry] = {}


class Policy(Keys):
    """One policy an axis; a preset stands for all of them and an axis beside it overrides it."""

    preset: str | None = None
    order: str | None = None
    backfill: str | None = None
    placement: str | None = None


class ScenarioKeys(Keys):
    """A whole scenario file, checked and in SI numbers."""

    name: Name = Field(description="letters, digits, - and _; names the run folder")
    description: str = Field(default="", description="one line for people")
    start: Date = Field(default=DEFAULT_START, description="time 0 of the clock, UTC")
    horizon: Horizon
    warmup: Duration = Field(default=0.0, description="what is submitted or held before this is not counted")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(default=0, description="of all random streams")
    fleet: Annotated[list[Fleet], Field(min_length=1)]
    workload: Annotated[list[Workload], Field(min_length=1)]
    policy: Policy = Policy()
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
        for work in self.workload:
            if self.horizon == UNTIL_DONE and isinstance(work, Synthetic) and work.jobs is None:
                text = "until-done needs an end to every synthetic class: give the class {name} the key jobs"
                raise PydanticCustomError("at_key", text, {"name": work.job_class, "key": "horizon"})
        return self
