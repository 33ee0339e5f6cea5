"""The keys of a site: the power contract over time, the way from the meter to the racks, and the signals."""

from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from scenarios.distributions import Durations
from scenarios.instants import instant
from scenarios.signal_keys import Carbon, Price, Temperature
from scenarios.values import (
    Celsius,
    Count,
    Duration,
    Energy,
    EnergyPrice,
    Fraction,
    Keys,
    Money,
    Positive,
    PositiveDuration,
    PositivePower,
    Power,
    Ramp,
    Share,
    house,
)


class Pue(Keys):
    """Power beside IT: feed = IT * (1 + proportional + slope * degrees above free cooling) + fixed."""

    fixed: Power = 0.0
    proportional: Annotated[float, Field(ge=0, le=3)] = 0.0
    slope_per_degree: Annotated[float, Field(ge=0, le=0.1)] = 0.0
    free_cooling_below: Celsius = 18.0

    def overhead(self, outdoor: float) -> float:
        """Watts at the meter per watt of IT, without the fixed part, at an outdoor temperature [degC]."""
        return 1.0 + self.proportional + self.slope_per_degree * max(0.0, outdoor - self.free_cooling_below)


class Pdus(Keys):
    """Power distribution units; racks fill them in order."""

    count: Count
    rating: PositivePower
    derating: Fraction = 1.0


class ContractPhase(Keys):
    """From a time on the contract allows so much at the meter."""

    at: Duration
    cap: PositivePower


class Battery(Keys):
    """Storage at the feed. It carries the load through curtailments, and takes up charge when the cap has room."""

    energy: Energy = Field(description="what it stores when full")
    power: PositivePower = Field(description="most that it gives or takes at the meter")
    round_trip: Annotated[float, Field(ge=0.1, le=1)] = Field(
        default=0.88, description="energy given over energy taken; ESTIMATE, lithium-ion"
    )
    ramp: Ramp | None = Field(default=None, description="how fast it takes up load; it lets go at once")
    initial: Share = Field(default=1.0, description="state of charge at time 0")
    reserve: Share = Field(default=0.0, description="state of charge that curtailments leave in it")
    charge: Power | None = Field(
        default=None, description="set aside under the cap while it is not full; default: a tenth of power"
    )

    @model_validator(mode="after")
    def _charge_within_power(self) -> "Battery":
        if self.charge is not None and self.charge > self.power:
            raise house("charge is more than power")
        return self


class Curtailment(Keys):
    """Times at which the utility asks for less: scheduled (at, every) or at random (per_year)."""

    at: Duration | Annotated[list[Duration], Field(min_length=1)] | None = None
    every: PositiveDuration | None = None
    per_year: Positive | None = Field(default=None, description="random starts, so many a year on average")
    lasts: Durations = Field(alias="for")
    to: PositivePower | None = Field(default=None, description="cap at the meter meanwhile")
    by: Share | None = Field(default=None, description="share of the contract that is taken away")
    notice: Duration = 0.0
    payment: EnergyPrice = Field(default=0.0, description="for what is not drawn, against the draw before the event")
    payment_per_event: Money = 0.0

    @model_validator(mode="after")
    def _one_way(self) -> "Curtailment":
        if (self.at is None) == (self.per_year is None):
            raise house("allowed: exactly one of at, per_year")
        if (self.to is None) == (self.by is None):
            raise house("allowed: exactly one of to, by")
        if self.every is not None and not isinstance(self.at, float):
            raise house("every needs one time at")
        return self


class Site(Keys):
    """The power contract and what stands between the meter and the racks."""

    feed: PositivePower | None = Field(default=None, description="the cap at the meter")
    phases: Annotated[list[ContractPhase], Field(min_length=1)] | None = Field(
        default=None, description="instead of feed: a cap that grows (or shrinks) with the contract"
    )
    pue: Pue = Pue()
    pdus: Pdus | None = None
    fabric_and_storage: Power = Field(default=0.0, description="constant IT draw beside the racks")
    battery: Battery | None = None
    curtailment: Annotated[list[Curtailment], BeforeValidator(lambda raw: [] if raw is None else raw)] = []
    price: Price | None = None
    carbon: Carbon | None = None
    temperature: Temperature | None = Field(default=None, description="outdoors; with pue.slope_per_degree")

    @model_validator(mode="after")
    def _consistent(self) -> "Site":
        if (self.feed is None) == (self.phases is None):
            raise house("allowed: exactly one of feed, phases")
        if self.phases is not None:
            times = [phase.at for phase in self.phases]
            if times != sorted(set(times)) or times[0] != 0:
                raise house("phases must begin at 0 days and rise in time")
        if self.pue.slope_per_degree and self.temperature is None:
            raise house("pue.slope_per_degree needs a temperature")
        return self

    @property
    def most_w(self) -> float:
        """The highest cap of the contract [W]."""
        return max(cap_w for _, cap_w in self.contract)

    @property
    def contract(self) -> list[tuple[float, float]]:
        """The contract from time 0 on: (from [s], cap [W])."""
        return [(instant(phase.at), phase.cap) for phase in self.phases] if self.phases else [(0.0, self.feed or 0.0)]
