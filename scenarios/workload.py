"""The keys of a class of jobs: drawn at random, replayed from a log, or so many tokens of training."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from scenarios.chosen_rows import Where
from scenarios.distributions import Counts, Durations, Names, Numbers
from scenarios.estimates import Estimate, TraceEstimate
from scenarios.hardware import Precision, TokenTask
from scenarios.network import Communication, Parallelism
from scenarios.trace_keys import Asked, ColumnKeys, Shares
from scenarios.units import DAY_S, HOUR_S
from scenarios.values import Count, Duration, Fraction, Keys, Name, Positive, house


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


class Malleable(Keys):
    """Gangs that may also run in other sizes: their own, halved and doubled, within bounds."""

    least: Count = Field(alias="from")
    most: Count = Field(alias="to")
    efficiency: Fraction = Field(
        default=0.9, description="speed of a chip after a doubling over that before; ESTIMATE; a network's step has it"
    )

    @model_validator(mode="after")
    def _rising(self) -> "Malleable":
        if self.most < self.least:
            raise PydanticCustomError("at_key", "allowed: from at most to", {"key": "to"})
        return self


Level = Literal["node", "domain", "leaf"]
"""Units that a gang may have to sit in: a host with its chips, a scale-up domain, the domains under the same leaves."""


class Topology(Keys):
    """In one unit of which level each gang of a class has to sit, and in one of which it does if one is free."""

    required: Level | None = Field(default=None, description="a gang waits until one unit of this level has a place")
    preferred: Level | None = Field(default=None, description="one unit of this level if it has a place, else anywhere")

    @model_validator(mode="after")
    def _something_narrower(self) -> "Topology":
        if self.required is None and self.preferred is None:
            raise house("allowed: required, preferred or both, such as {required: leaf, preferred: domain}")
        if self.required == self.preferred or (self.required is not None and self.preferred == "leaf"):
            text = "allowed: a level within the required one, such as {required: leaf, preferred: domain}"
            raise PydanticCustomError("at_key", text, {"key": "preferred"})
        return self


class JobClass(Keys):
    """What every class of jobs may say of itself."""

    job_class: Name = Field(alias="class")
    demand: Fraction | None = Field(default=None, description="draw of a busy chip over TDP; default: the kind's")
    value: Positive = Field(
        default=1.0, description="worth of a chip-second at full speed, for sharing scarce power; weight under max-min"
    )
    priority: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] = Field(
        default=0, description="higher goes first under the order priority"
    )
    cap_exponent: Fraction | None = Field(default=None, description="k of the cap law; default: the kind's")
    defer_up_to: Duration | None = Field(default=None, description="default: the deadline of policy.power")
    communication: Communication | None = Field(
        default=None, description="what a gang exchanges; default: none, or what the training of its model needs"
    )
    malleable: Malleable | None = Field(default=None, description="where policy.scaling may change the size of gangs")
    topology: Topology | None = Field(default=None, description="default: gangs sit where the placement puts them")

    @model_validator(mode="after")
    def _stacks_once(self) -> "JobClass":
        stacks = getattr(self, "stacks", None) or []
        if len(set(stacks)) < len(stacks):
            raise PydanticCustomError("at_key", "found a stack twice", {"key": "stacks"})
        return self


class Synthetic(JobClass):
    """Jobs that hold chips for a time, drawn at random."""

    kind: Literal["synthetic"]
    chips: Counts
    duration: Durations
    arrivals: Arrivals
    jobs: Count | None = Field(default=None, description="the class ends after so many jobs")
    estimate: Estimate | None = None
    stacks: Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None, description="only pools of these stacks; default: every pool"
    )
    tenant: Names = "default"
    deadline: Durations | None = Field(default=None, description="from submission; default: none")


class Trace(JobClass):
    """Jobs replayed from a recorded log."""

    kind: Literal["trace"]
    format: str
    file: str
    jobs: Count | None = Field(default=None, description="only the first so many jobs")
    on_bad_row: Literal["fail", "skip"] = "fail"
    begin: Literal["first-job", "log"] = Field(
        default="log", description="what second 0 is: the log's own, or the first job's submission"
    )
    limit: Literal["run", "kill"] = Field(
        default="run", description="a job that has run for its estimate runs on, or is killed as by real schedulers"
    )
    where: Where | None = Field(default=None, description="which rows are replayed; default: all")
    columns: ColumnKeys | None = Field(default=None, description="of format csv; default: the names of our own table")
    shares: Shares = Field(default="refuse", description="of format openb: rows that ask for a part of a GPU")
    estimate: TraceEstimate | None = Field(default=None, description="default: what the trace has, else the run time")
    stacks: Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None, description="only pools of these stacks; default: every pool"
    )

    @model_validator(mode="after")
    def _keys_of_its_format(self) -> "Trace":
        asked = {"columns": self.columns is not None, "shares": self.shares != "refuse"}
        for key, form in (("columns", "csv"), ("shares", "openb")):
            if asked[key] and self.format != form:
                raise PydanticCustomError("at_key", "{text}", {"key": key, "text": f"allowed: with format: {form}"})
        return self

    @property
    def asked(self) -> Asked:
        """How the class wants its table to be read."""
        return Asked(self.columns, self.shares, self.where)


class PortableShare(Keys):
    """The share of a class's jobs that can use all its stacks, in a straight line over the horizon; or one number."""

    start: Annotated[float, Field(ge=0, le=1, alias="from")]
    end: Annotated[float, Field(ge=0, le=1, alias="to")]

    @model_validator(mode="before")
    @classmethod
    def _constant(cls, raw: Any) -> Any:
        return {"from": raw, "to": raw} if isinstance(raw, int | float) and not isinstance(raw, bool) else raw


class Training(JobClass):
    """Jobs of so many tokens: pre-training or fine-tuning of a model."""

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
    batch: Count | None = Field(default=None, description="sequences of a step; default: the model's, or the task's")
    parallelism: Parallelism | None = Field(
        default=None, description="default: the measured row's where it suits the placement, else the fastest that fits"
    )
    jobs: Count | None = Field(default=None, description="the class ends after so many jobs")
    estimate: Estimate | None = None
    tenant: Names = "default"
    deadline: Durations | None = Field(default=None, description="from submission; default: none")


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
