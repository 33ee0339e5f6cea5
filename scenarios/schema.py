"""The keys of a scenario file, their types and their defaults. The contract that users write against.

A key stands here only when it does something. What needs the catalog or the policies to be judged
(a rack's name, a policy's name) is judged by their own build, with this file's line numbers.
"""

import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from scenarios.distributions import Counts, Durations, Names, Numbers
from scenarios.hardware import Band, Catalog, Precision, TokenTask
from scenarios.units import DAY_S, HOUR_S
from scenarios.values import (
    UNTIL_DONE,
    Count,
    Date,
    Duration,
    Fraction,
    Horizon,
    Keys,
    Name,
    Positive,
    PositiveDuration,
    PositivePower,
    Power,
    house,
)

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
    stacks: Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None, description="only pools of these stacks; default: every pool"
    )
    demand: Fraction | None = Field(default=None, description="draw of a busy chip over TDP; default: the kind's")
    tenant: Names = "default"


class Trace(Keys):
    """Jobs replayed from a recorded log."""

    job_class: Name = Field(alias="class")
    kind: Literal["trace"]
    format: str
    file: str
    jobs: Count | None = Field(default=None, description="only the first so many jobs")
    on_bad_row: Literal["fail", "skip"] = "fail"
    stacks: Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None, description="only pools of these stacks; default: every pool"
    )
    demand: Fraction | None = Field(default=None, description="draw of a busy chip over TDP; default: the kind's")


class PortableShare(Keys):
    """The share of a class's jobs that can use all its stacks, in a straight line over the horizon; or one number."""

    start: Annotated[float, Field(ge=0, le=1, alias="from")]
    end: Annotated[float, Field(ge=0, le=1, alias="to")]

    @model_validator(mode="before")
    @classmethod
    def _constant(cls, raw: Any) -> Any:
        return {"from": raw, "to": raw} if isinstance(raw, int | float) and not isinstance(raw, bool) else raw


class Training(Keys):
    """Jobs of so many tokens: pre-training or fine-tuning of a model."""

    job_class: Name = Field(alias="class")
    kind: TokenTask
    model: str
    chips: Counts
    tokens: Numbers
    arrivals: Arrivals
    stacks: Annotated[list[Name], Field(min_length=1)]
    portable_share: PortableShare | None = Field(
        default=None, description="share of jobs that may use every stack; the others use the first only"
    )
    precision: Precision | None = Field(default=None, description="default: each accelerator's training_precision")
    sequence: Count | None = Field(default=None, description="tokens; default: the model's, or 4096 for fine-tuning")
    demand: Fraction | None = Field(default=None, description="draw of a busy chip over TDP; default: the kind's")
    jobs: Count | None = Field(default=None, description="the class ends after so many jobs")
    estimate: Estimate | None = None
    tenant: Names = "default"


KINDS_OF_WORK = ("synthetic", "trace", "training", "fine-tuning")


def _kind(raw: Any) -> str | None:
    kind = raw.get("kind") if isinstance(raw, dict) else getattr(raw, "kind", None)
    return "training" if kind == "fine-tuning" else kind if kind in KINDS_OF_WORK else None


Work: TypeAlias = Synthetic | Trace | Training
Workload = Annotated[
    Annotated[Synthetic, Tag("synthetic")] | Annotated[Trace, Tag("trace")] | Annotated[Training, Tag("training")],
    Discriminator(
        _kind,
        custom_error_type="bad_kind",
        custom_error_message="allowed: kind: " + ", kind: ".join(KINDS_OF_WORK),
    ),
]


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


class Pue(Keys):
    """Power beside IT: feed = IT * (1 + proportional) + fixed."""

    fixed: Power = 0.0
    proportional: Annotated[float, Field(ge=0, le=3)] = 0.0


class Pdus(Keys):
    """Power distribution units; racks fill them in order."""

    count: Count
    rating: PositivePower
    derating: Fraction = 1.0


class Site(Keys):
    """The power contract and what stands between the meter and the racks."""

    feed: PositivePower
    pue: Pue = Pue()
    pdus: Pdus | None = None
    fabric_and_storage: Power = Field(default=0.0, description="constant IT draw beside the racks")


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
    site: Site | None = Field(default=None, description="without it nothing caps the draw, which is still recorded")
    fleet: Annotated[list[Fleet], Field(min_length=1)]
    workload: Annotated[list[Workload], Field(min_length=1)]
    policy: Policy = Policy()
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
        for work in self.workload:
            if self.horizon == UNTIL_DONE and not isinstance(work, Trace) and work.jobs is None:
                text = "until-done needs an end to every drawn class: give the class {name} the key jobs"
                raise PydanticCustomError("at_key", text, {"name": work.job_class, "key": "horizon"})
            share = work.portable_share if isinstance(work, Training) else None
            if self.horizon == UNTIL_DONE and share is not None and share.start != share.end:
                text = "a portable_share that changes over the horizon needs one with an end, not until-done"
                raise PydanticCustomError("at_key", text, {"key": "horizon"})
        return self
