"""What may stand where a number is random: the distributions that a scenario can name.

A distribution is a mapping of one key, its kind: {lognormal: {median: 1 hour, sigma: 1.5}}. A plain
value stands for a constant. The value type T carries the unit: Lognormal[PositiveDuration] wants times.
"""

from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    Tag,
    model_validator,
)

from scenarios.units import parse_quantity, shown
from scenarios.values import Count, Keys, Name, Positive, PositiveDuration, house

T = TypeVar("T", bound=float)
V = TypeVar("V")
Weight = Annotated[float, Field(gt=0, le=1e12)]


class Choice(Keys, Generic[V]):
    """One of the listed values, each as likely as the others, or by the weights of a mapping."""

    choice: Annotated[
        Annotated[list[V], Field(min_length=1), Tag("values")]
        | Annotated[dict[V, Weight], Field(min_length=1), Tag("weights")],
        Discriminator(lambda raw: "weights" if isinstance(raw, dict) else "values"),
    ]

    @model_validator(mode="wrap")
    @classmethod
    def _all_kept(cls, raw: Any, read: ModelWrapValidatorHandler["Choice[V]"]) -> "Choice[V]":
        choice = read(raw)
        if isinstance(raw, dict) and len(choice.choice) < len(raw["choice"]):
            raise house(f"found {shown(raw['choice'])}, which names a value twice; allowed: one weight a value")
        return choice


class Uniform(Keys, Generic[T]):
    """Between low and high; whole numbers include both ends."""

    uniform: tuple[T, T] = Field(description="[low, high]")

    @model_validator(mode="before")
    @classmethod
    def _pair(cls, raw: Any) -> Any:
        if isinstance(raw, dict) and isinstance(raw.get("uniform"), list):
            return {**raw, "uniform": tuple(raw["uniform"])}
        return raw

    @model_validator(mode="after")
    def _ordered(self) -> "Uniform[T]":
        low, high = self.uniform
        if low > high:
            raise house(f"found low {low} above high {high}; allowed: [low, high]")
        return self


class ExponentialMean(Keys, Generic[T]):
    """Parameters of an exponential distribution."""

    mean: T


class Exponential(Keys, Generic[T]):
    """Memoryless with the given mean."""

    exponential: ExponentialMean[T]


class LognormalShape(Keys, Generic[T]):
    """Parameters of a lognormal distribution; sigma is the standard deviation of the logarithm."""

    median: T
    sigma: Annotated[float, Field(ge=0, le=20)]


class Lognormal(Keys, Generic[T]):
    """The exponential of a normal variable; the usual law of job durations."""

    lognormal: LognormalShape[T]


class ParetoShape(Keys, Generic[T]):
    """Parameters of a Pareto distribution: the smallest value and the tail index alpha."""

    minimum: T
    alpha: Positive


class Pareto(Keys, Generic[T]):
    """A heavy tail: P(X > x) = (minimum / x) ** alpha."""

    pareto: ParetoShape[T]


class WeibullShape(Keys, Generic[T]):
    """Parameters of a Weibull distribution."""

    scale: T
    shape: Positive


class Weibull(Keys, Generic[T]):
    """P(X > x) = exp(-(x / scale) ** shape)."""

    weibull: WeibullShape[T]


class EmpiricalFile(Keys):
    """A CSV file's column of values; with a cdf column the values are drawn by it, else all alike."""

    file: str
    column: str
    cdf: str | None = None


class Empirical(Keys):
    """Numbers drawn from a file; between the points of a cdf the value is interpolated linearly."""

    empirical: EmpiricalFile


def _time_unit(unit: str) -> str:
    try:
        parse_quantity(f"1 {unit}", "s")
    except ValueError:
        raise house(f"found {unit!r}; allowed: a unit of time, such as 's'") from None
    return unit


class EmpiricalTimesFile(EmpiricalFile):
    """A column of times needs their unit."""

    unit: Annotated[str, AfterValidator(_time_unit)]


class EmpiricalTimes(Keys):
    """Times drawn from a file; between the points of a cdf the value is interpolated linearly."""

    empirical: EmpiricalTimesFile


KINDS = ("choice", "uniform", "exponential", "lognormal", "pareto", "weibull", "empirical")


def _kind(raw: Any) -> str | None:
    """The tag of a value as written, or of a model made from it; None for a mapping of no known kind."""
    if isinstance(raw, BaseModel):
        return next(iter(type(raw).model_fields))
    if isinstance(raw, dict):
        return next((kind for kind in KINDS if kind in raw), None)
    return "constant"


_BY_KIND = Discriminator(
    _kind,
    custom_error_type="bad_kind",
    custom_error_message=f"allowed: a value, or one of {', '.join(KINDS)} as {{kind: parameters}}",
)
_FromFile = Annotated[Empirical, Tag("empirical")]

Durations = Annotated[
    Annotated[PositiveDuration, Tag("constant")]
    | Annotated[Choice[PositiveDuration], Tag("choice")]
    | Annotated[Uniform[PositiveDuration], Tag("uniform")]
    | Annotated[Exponential[PositiveDuration], Tag("exponential")]
    | Annotated[Lognormal[PositiveDuration], Tag("lognormal")]
    | Annotated[Pareto[PositiveDuration], Tag("pareto")]
    | Annotated[Weibull[PositiveDuration], Tag("weibull")]
    | Annotated[EmpiricalTimes, Tag("empirical")],
    _BY_KIND,
]
Numbers = Annotated[
    Annotated[Positive, Tag("constant")]
    | Annotated[Choice[Positive], Tag("choice")]
    | Annotated[Uniform[Positive], Tag("uniform")]
    | Annotated[Exponential[Positive], Tag("exponential")]
    | Annotated[Lognormal[Positive], Tag("lognormal")]
    | Annotated[Pareto[Positive], Tag("pareto")]
    | Annotated[Weibull[Positive], Tag("weibull")]
    | _FromFile,
    _BY_KIND,
]
Counts = Annotated[
    Annotated[Count, Tag("constant")]
    | Annotated[Choice[Count], Tag("choice")]
    | Annotated[Uniform[Count], Tag("uniform")]
    | Annotated[Exponential[Positive], Tag("exponential")]
    | Annotated[Lognormal[Positive], Tag("lognormal")]
    | Annotated[Pareto[Positive], Tag("pareto")]
    | Annotated[Weibull[Positive], Tag("weibull")]
    | _FromFile,
    _BY_KIND,
]
Names = Annotated[
    Annotated[Name, Tag("constant")] | Annotated[Choice[Name], Tag("choice")],
    _BY_KIND,
]
