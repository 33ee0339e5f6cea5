"""The keys of a policy: one choice an axis, some with parameters. Whether a name exists is judged elsewhere."""

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from scenarios.plug_ins import Choice
from scenarios.stops import PreemptionChoice, ScalingChoice
from scenarios.units import DAY_S, HOUR_S, shown
from scenarios.values import (
    CarbonIntensity,
    Count,
    Duration,
    EnergyPrice,
    Keys,
    PositiveDuration,
    Share,
    house,
)


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


def _depth(raw: Any) -> Any:
    whole = isinstance(raw, int) and not isinstance(raw, bool)
    if raw != "all" and not (whole and 1 <= raw <= 10**9):
        raise house(f"found {shown(raw)}; allowed: all, or a whole number from 1 on")
    return raw


class Conservative(Keys):
    """How far conservative backfilling plans ahead."""

    depth: Annotated[Count | Literal["all"], BeforeValidator(_depth)] = Field(
        default=4, description="how many of those who wait have a reservation, the first in the order; ESTIMATE"
    )


class ConservativeBackfill(Keys):
    """A reservation for who waits."""

    conservative: Conservative


def _backfill(raw: Any) -> str:
    if isinstance(raw, str):
        return "conservative" if raw == "conservative" else "name"
    if isinstance(raw, ConservativeBackfill):
        return "conservative"
    return "conservative" if isinstance(raw, dict) and list(raw) == ["conservative"] else "name"


BackfillChoice = Annotated[
    Annotated[Choice, Tag("name")] | Annotated[ConservativeBackfill, BeforeValidator(_bare), Tag("conservative")],
    Discriminator(_backfill),
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
    cheapest: Share | None = Field(default=None, description="the share of the run's time with the lowest prices")
    cleanest: Share | None = Field(default=None, description="the share with the lowest carbon intensities")
    deadline: Duration = Field(default=DAY_S, description="longest that a job is held; a class may set its own")

    @model_validator(mode="after")
    def _something(self) -> "Defer":
        if self.price is self.carbon is self.cheapest is self.cleanest is None:
            raise house("allowed: some of price, carbon, cheapest and cleanest, such as {price: 30 USD/MWh}")
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
    backfill: BackfillChoice | None = None
    placement: Choice | None = None
    power: PowerChoice | None = None
    preemption: PreemptionChoice | None = None
    scaling: ScalingChoice | None = None
    plug_in_limit: PositiveDuration = Field(
        default=60.0, description="how long one pass may take where policies are the user's own; by the wall clock"
    )
