"""The keys of a site's signals, price, carbon intensity and outdoor temperature: a constant, a file or drawn.

A file is CSV with a row per time, the hourly JSON of Open-Meteo, or an EPW typical year of weather.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from scenarios.errors import nearest
from scenarios.signal_times import read_zone
from scenarios.units import format_quantity, parse_quantity, shown
from scenarios.values import (
    COLDEST_DEGC,
    DEAREST_USD_PER_J,
    DIRTIEST_G_PER_J,
    HOTTEST_DEGC,
    CarbonIntensity,
    Celsius,
    CelsiusSwing,
    EnergyPrice,
    EnergyPriceSwing,
    Keys,
    house,
)

DRY_BULB = "dry_bulb"  # the one column that is read of an EPW file
FILE_FORMS = ("csv", "json", "epw")

V = TypeVar("V", bound=float)
S = TypeVar("S", bound=float)
H = TypeVar("H", bound="Shape[Any, Any]")


@dataclass(frozen=True, slots=True)
class Measure:
    """What a signal measures: its SI unit, its name, the unit that people use, and the values it can have [SI]."""

    si_unit: str
    noun: str
    unit: str
    low: float = -math.inf
    high: float = math.inf

    @property
    def allowed(self) -> str:
        """The values as an error message says them."""
        low = f" of at least {format_quantity(self.low, self.si_unit)}" if self.low > -math.inf else ""
        high = f" and at most {format_quantity(self.high, self.si_unit)}" if self.high < math.inf else ""
        return self.noun + low + high

    def factor(self, unit: str) -> float:
        """What one of a unit is in SI; ValueError for a unit of something else."""
        try:
            return parse_quantity(f"1 {unit}", self.si_unit)
        except ValueError:
            raise ValueError(f"found {shown(unit)}; allowed: a unit of {self.noun}, such as {self.unit!r}") from None


PRICE = Measure("USD/J", "an energy price", "USD/MWh", -DEAREST_USD_PER_J, DEAREST_USD_PER_J)
CARBON = Measure("gCO2/J", "a carbon intensity", "gCO2/kWh", 0.0, DIRTIEST_G_PER_J)
TEMPERATURE = Measure("degC", "a temperature", "degC", COLDEST_DEGC, HOTTEST_DEGC)


def file_form(name: str) -> str:
    """One of FILE_FORMS by a file's name, with or without .gz; "" for another name."""
    form = Path(name.lower().removesuffix(".gz")).suffix.removeprefix(".")
    return form if form in FILE_FORMS else ""


def _zone(name: str) -> str:
    try:
        read_zone(name)
    except ValueError as error:
        raise house(str(error)) from None
    return name


def _at_key(key: str, text: str) -> PydanticCustomError:
    return PydanticCustomError("at_key", "{text}", {"text": text, "key": key})


class SignalFile(Keys):
    """A column of a file; each value holds until the next row's time."""

    measure: ClassVar[Measure]

    file: str = Field(description=".csv, .json (Open-Meteo, hourly) or .epw, each plain or .gz")
    column: str = Field(description="name of the column of values; dry_bulb of an EPW file")
    unit: str | None = Field(default=None, description="of the column; a CSV file needs it, the others say it")
    zone: Annotated[str, AfterValidator(_zone)] | None = Field(
        default=None,
        description="clock of times without an offset: UTC, -05:00 or America/Chicago; default: UTC, or the JSON's own",
    )
    time: str | None = Field(default=None, description="name of the column of times; default: the first, JSON: time")
    align: Literal["calendar", "start"] = Field(
        default="calendar", description="start: the first row is laid on the scenario's start, whatever its date"
    )

    @model_validator(mode="after")
    def _fits(self) -> "SignalFile":
        form = file_form(self.file)
        if not form:
            raise _at_key("file", f"found {shown(self.file)}; allowed: a name that ends in .csv, .json, .epw (or .gz)")
        if form == "csv" and self.unit is None:
            raise _at_key("unit", f"a CSV file does not say its unit; allowed: such as {self.measure.unit!r}")
        if form == "epw":
            self._fits_epw()
        try:
            self.measure.factor(self.unit or self.measure.unit)
        except ValueError as error:
            raise _at_key("unit", str(error)) from None
        return self

    def _fits_epw(self) -> None:
        for key in ("zone", "time"):
            if getattr(self, key) is not None:
                raise _at_key(key, "an EPW file has its own clock; leave this key out")
        if self.align == "start":
            raise _at_key("align", "an EPW file is a typical year, laid on the calendar; leave this key out")
        if self.column != DRY_BULB:
            hint = nearest(self.column, [DRY_BULB])
            raise _at_key("column", f"unknown column {self.column!r}{hint} (allowed of an EPW file: {DRY_BULB})")
        if self.measure is not TEMPERATURE:
            raise _at_key("file", f"an EPW file has no column of {self.measure.noun}")


class PriceFile(SignalFile):
    """Prices of a file."""

    measure = PRICE


class CarbonFile(SignalFile):
    """Carbon intensities of a file."""

    measure = CARBON


class TemperatureFile(SignalFile):
    """Outdoor temperatures of a file."""

    measure = TEMPERATURE


PeakDay = Annotated[float, Field(ge=1, le=366)]
PeakHour = Annotated[float, Field(ge=0, lt=24)]
Persistence = Annotated[float, Field(ge=0, lt=1)]
_ZERO: Any = 0.0  # of any S


class Shape(Keys, Generic[V, S]):
    """A mean, a yearly and a daily cosine, and noise that lasts; hourly steps, cut to the values that can be."""

    measure: ClassVar[Measure]

    mean: V
    seasonal: S = Field(default=_ZERO, description="amplitude over the year")
    daily: S = Field(default=_ZERO, description="amplitude over the day")
    noise: S = Field(default=_ZERO, description="standard deviation of the hourly noise")
    peak_day: PeakDay = Field(description="day of the year of the seasonal peak; January 1 is 1")
    peak_hour: PeakHour = Field(description="hour of the daily peak, UTC")
    persistence: Persistence = Field(description="correlation of the noise from one hour to the next")


class PriceShape(Shape[EnergyPrice, EnergyPriceSwing]):
    """Peaks and persistence by default: least squares on ERCOT's prices of 2023, cut at their 95th percentile."""

    measure = PRICE
    peak_day: PeakDay = 223.0
    peak_hour: PeakHour = 23.0
    persistence: Persistence = 0.89


class CarbonShape(Shape[CarbonIntensity, CarbonIntensity]):
    """Peaks and persistence by default: least squares on ERCOT's direct carbon intensity of 2023."""

    measure = CARBON
    peak_day: PeakDay = 230.0
    peak_hour: PeakHour = 1.5
    persistence: Persistence = 0.96


class TemperatureShape(Shape[Celsius, CelsiusSwing]):
    """Peaks and persistence by default: least squares on Dallas, Texas, in 2023 (Open-Meteo)."""

    measure = TEMPERATURE
    peak_day: PeakDay = 208.0
    peak_hour: PeakHour = 21.0
    persistence: Persistence = 0.98


class SyntheticSignal(Keys, Generic[H]):
    """A signal of a typical shape, drawn at random."""

    synthetic: H


Signal: TypeAlias = float | SignalFile | SyntheticSignal[Any]


def _form(raw: Any) -> str | None:
    """The tag of a signal as written, or of a model made from it; None for a mapping that is neither."""
    keys = type(raw).model_fields if isinstance(raw, BaseModel) else raw
    if not isinstance(keys, dict):
        return "constant"
    return next((f"of {key}" for key in ("synthetic", "file") if key in keys), None)


_BY_FORM = Discriminator(
    _form,
    custom_error_type="bad_kind",
    custom_error_message="allowed: a quantity, {file: ..., column: ..., unit: ...} or {synthetic: {mean: ...}}",
)
# a tag is no key that may be written: the loader tells the steps of a mistake's place by that
Price = Annotated[
    Annotated[EnergyPrice, Tag("constant")]
    | Annotated[PriceFile, Tag("of file")]
    | Annotated[SyntheticSignal[PriceShape], Tag("of synthetic")],
    _BY_FORM,
]
Carbon = Annotated[
    Annotated[CarbonIntensity, Tag("constant")]
    | Annotated[CarbonFile, Tag("of file")]
    | Annotated[SyntheticSignal[CarbonShape], Tag("of synthetic")],
    _BY_FORM,
]
Temperature = Annotated[
    Annotated[Celsius, Tag("constant")]
    | Annotated[TemperatureFile, Tag("of file")]
    | Annotated[SyntheticSignal[TemperatureShape], Tag("of synthetic")],
    _BY_FORM,
]
