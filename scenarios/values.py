"""The scalar types of scenario keys: quantities with units, strict numbers and names.

Each is a pydantic type that takes what a person writes and yields an SI number, and that writes
itself back as text that reads to the same bits.
"""

import contextlib
import datetime
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from scenarios.errors import nearest
from scenarios.units import format_quantity, parse_quantity, shown, to_si

LONGEST_S = 3.2e10  # about 1,000 years
COLDEST_DEGC = -90.0  # the records of the air are -89.2 (Vostok 1983) and 56.7 (Death Valley 1913)
HOTTEST_DEGC = 70.0
# far beyond anything real, so that what is made of them stays finite
MOST_W, MOST_J, MOST_USD = 1e12, 1e18, 1e15
LEAST_BYTES_PER_S, MOST_BYTES_PER_S = 1e6, 1e15
DEAREST_USD_PER_J, DIRTIEST_G_PER_J = to_si(1e6, "USD/MWh"), to_si(1e6, "gCO2/kWh")


class Keys(BaseModel):
    """A mapping of a scenario: unknown keys are refused with the nearest known one, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, populate_by_name=False)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            raise PydanticCustomError("house", "found {found}; allowed: keys such as {keys}", _context(raw, cls))
        allowed = [field.alias or name for name, field in cls.model_fields.items()]
        for key in raw:
            if key not in allowed:
                text = f"unknown key{nearest(str(key), allowed)} (allowed: {', '.join(allowed)})"
                raise PydanticCustomError("unknown_key", "{text}", {"text": text, "key": key})
        return raw


def _context(raw: object, model: type[BaseModel]) -> dict[str, str]:
    return {"found": shown(raw), "keys": ", ".join(field.alias or name for name, field in model.model_fields.items())}


def house(message: str) -> PydanticCustomError:
    """A validation error whose text is the message as it stands."""
    return PydanticCustomError("house", "{text}", {"text": message})


def _quantity(si_unit: str, low: float = 0.0, open_low: bool = False, high: float = math.inf) -> Callable[[Any], float]:
    def parse(raw: Any) -> float:
        try:
            value = parse_quantity(raw, si_unit)
        except ValueError as error:
            raise house(str(error)) from None
        if si_unit == "s" and value > LONGEST_S:
            raise house(f"found {raw!r}; allowed: at most 1,000 years")
        if value < low or (open_low and value == low):
            bound = "more than" if open_low else "at least"
            raise house(f"found {raw!r}; allowed: {bound} {format_quantity(low, si_unit)}")
        if value > high:
            raise house(f"found {raw!r}; allowed: at most {format_quantity(high, si_unit)}")
        return value

    return parse


def _written(si_unit: str) -> PlainSerializer:
    return PlainSerializer(lambda value: format_quantity(value, si_unit), return_type=str)


_TIME_SCHEMA = WithJsonSchema({"type": "string", "description": "a time with its unit", "examples": ["30 days"]})
Duration = Annotated[float, BeforeValidator(_quantity("s")), _written("s"), _TIME_SCHEMA]
PositiveDuration = Annotated[float, BeforeValidator(_quantity("s", open_low=True)), _written("s"), _TIME_SCHEMA]
LongDuration = Annotated[
    float, BeforeValidator(_quantity("s", low=1.0)), _written("s"), _TIME_SCHEMA
]  # a second or more

UNTIL_DONE = "until-done"


def _horizon(raw: Any) -> float | str:
    return UNTIL_DONE if raw == UNTIL_DONE else _quantity("s", open_low=True)(raw)


Horizon = Annotated[
    float | Literal["until-done"],
    BeforeValidator(_horizon),
    PlainSerializer(lambda value: value if isinstance(value, str) else format_quantity(value, "s"), return_type=str),
    WithJsonSchema({"type": "string", "description": "a time with its unit, or until-done", "examples": ["30 days"]}),
]


def _unit_type(
    si_unit: str, noun: str, example: str, low: float = 0.0, open_low: bool = False, high: float = math.inf
) -> Any:
    schema = WithJsonSchema({"type": "string", "description": f"{noun} with its unit", "examples": [example]})
    return Annotated[float, BeforeValidator(_quantity(si_unit, low, open_low, high)), _written(si_unit), schema]


if TYPE_CHECKING:  # what a checker needs to know of the quantities below: they are numbers in SI units
    Power: TypeAlias = float
    PositivePower: TypeAlias = float
    Bytes: TypeAlias = float
    FlopRate: TypeAlias = float
    Bandwidth: TypeAlias = float
    Energy: TypeAlias = float
    Ramp: TypeAlias = float
    Money: TypeAlias = float
    RentalPrice: TypeAlias = float
    EnergyPrice: TypeAlias = float
    EnergyPriceSwing: TypeAlias = float
    CarbonIntensity: TypeAlias = float
    Celsius: TypeAlias = float
    CelsiusSwing: TypeAlias = float
else:
    Power = _unit_type("W", "a power", "30 MW", high=MOST_W)
    PositivePower = _unit_type("W", "a power", "30 MW", open_low=True, high=MOST_W)
    Bytes = _unit_type("byte", "a size", "80 GB", open_low=True)
    FlopRate = _unit_type("FLOP/s", "a computing rate", "989 TFLOP/s", open_low=True)
    Bandwidth = _unit_type("byte/s", "a bandwidth", "400 Gbit/s", low=LEAST_BYTES_PER_S, high=MOST_BYTES_PER_S)
    Energy = _unit_type("J", "an energy", "20 MWh", open_low=True, high=MOST_J)
    Ramp = _unit_type("W/s", "a ramp", "5 MW/min", open_low=True, high=MOST_W)
    Money = _unit_type("USD", "money", "1000 USD", high=MOST_USD)
    RentalPrice = _unit_type("USD/s", "a price of an hour of a chip", "2.5 USD/h", open_low=True, high=MOST_USD)
    EnergyPrice = _unit_type("USD/J", "an energy price", "80 USD/MWh", low=-DEAREST_USD_PER_J, high=DEAREST_USD_PER_J)
    EnergyPriceSwing = _unit_type("USD/J", "a difference of energy prices", "15 USD/MWh", high=DEAREST_USD_PER_J)
    CarbonIntensity = _unit_type("gCO2/J", "a carbon intensity", "300 gCO2/kWh", high=DIRTIEST_G_PER_J)
    Celsius = _unit_type("degC", "a temperature", "18 degC", low=COLDEST_DEGC, high=HOTTEST_DEGC)
    CelsiusSwing = _unit_type("degC", "a difference of temperatures", "10 degC")

Fraction = Annotated[float, Field(gt=0, le=1)]


def _share(raw: Any) -> Any:
    try:
        return parse_quantity(raw, "percent") if isinstance(raw, str) else raw
    except ValueError as error:
        raise house(str(error)) from None


Share = Annotated[
    float,
    Field(ge=0, le=1),
    BeforeValidator(_share),
    WithJsonSchema({"type": ["number", "string"], "description": "0 to 1, or in percent", "examples": ["25 %"]}),
]
Count = Annotated[int, Field(ge=1, le=10**9)]
Positive = Annotated[float, Field(ge=1e-15, le=1e15)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_-]*$", max_length=100)]


def _date(raw: Any) -> datetime.datetime:
    """UTC date and time of "2026-01-01" or "2026-01-01T06:00:00"; a time without a zone is UTC."""
    if isinstance(raw, str):
        with contextlib.suppress(ValueError):  # what is no date is refused below
            raw = datetime.datetime.fromisoformat(raw)
    if isinstance(raw, datetime.date) and not isinstance(raw, datetime.datetime):
        raw = datetime.datetime(raw.year, raw.month, raw.day)
    if not isinstance(raw, datetime.datetime):
        raise house(f"found {shown(raw)}; allowed: a date such as 2026-01-01 or 2026-01-01T06:00:00")
    moment: datetime.datetime = raw if raw.tzinfo is not None else raw.replace(tzinfo=datetime.UTC)
    if 1900 <= moment.year <= 2999 and 1900 <= moment.astimezone(datetime.UTC).year <= 2999:
        return moment.astimezone(datetime.UTC)
    raise house(f"found {shown(str(raw))}; allowed: a date from 1900 to 2999")


Date = Annotated[
    datetime.datetime,
    BeforeValidator(_date),
    PlainSerializer(lambda value: value.replace(tzinfo=None).isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "description": "a date or date and time, UTC", "examples": ["2026-01-01"]}),
]
