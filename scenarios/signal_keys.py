"""The keys of a site's signals, price, carbon intensity and outdoor temperature: a constant, a file or drawn.

A file is CSV with a row per time, the hourly JSON of Open-Meteo, or an EPW typical year of weather.
"""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from scenarios.errors import nearest
from scenarios.signal_times import read_zone
from scenarios.signal_units import CARBON, PRICE, TEMPERATURE, Measure, price_factor, read_rate
from scenarios.units import shown
from scenarios.values import (
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


class TimeColumns(Keys):
    """Where a CSV file says its times: in one column, or as a date beside the end of the hour."""

    column: str | None = Field(default=None, description="name of the column of times or of spans 'from - to'")
    date: str | None = Field(default=None, description="instead: name of the column of dates, with hour_ending")
    hour_ending: str | None = Field(default=None, description="name of the column of hours by their end, 1 to 24")
    quarter: str | None = Field(default=None, description="name of the column of quarters of the hour, 1 to 4")
    repeated: str | None = Field(default=None, description="name of the flag (Y, N) of the autumn hour's second pass")
    order: Literal["mdy", "dmy"] | None = Field(
        default=None, description="of day and month; needed where no day of the file is after the 12th"
    )

    @model_validator(mode="after")
    def _fits(self) -> "TimeColumns":
        if (self.column is None) == (self.date is None):
            raise house("allowed: exactly one of column, date")
        if (self.date is None) != (self.hour_ending is None):
            raise house("allowed: date and hour_ending together")
        if self.quarter is not None and self.date is None:
            raise house("quarter needs date and hour_ending")
        return self


def _texts(raw: Any) -> Any:
    """Numbers of a mapping as text, so that an id may stand without quotes."""
    if not isinstance(raw, dict):
        return raw
    return {key: str(value) if type(value) is int else value for key, value in raw.items()}


Time = Annotated[
    Annotated[str, Tag("a name")] | Annotated[TimeColumns, Tag("of columns")],
    Discriminator(lambda raw: "a name" if isinstance(raw, str) else "of columns"),
]


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
    time: Time | None = Field(
        default=None, description="name of the column of times, or a mapping; default: the first, JSON: time"
    )
    where: Annotated[dict[str, str], BeforeValidator(_texts)] | None = Field(
        default=None, description="of a CSV file: only rows with these texts in these columns"
    )
    decimal: Literal["point", "comma"] | None = Field(
        default=None, description="mark of decimals; needed where the column's commas may mean thousands as well"
    )
    years: Literal["typical", "actual"] | None = Field(
        default=None, description="of an EPW file; typical (default): laid on every year; actual: with its own dates"
    )
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
        elif self.years is not None:
            raise _at_key("years", "only an EPW file may be laid on every year; leave this key out")
        if form == "json":
            self._fits_json()
        try:
            self.factor(self.unit or self.measure.unit)
        except ValueError as error:
            raise _at_key("unit", str(error)) from None
        return self

    def factor(self, unit: str) -> float:
        """What one of a unit is in SI; ValueError for a unit of something else."""
        return self.measure.factor(unit)

    def _fits_json(self) -> None:
        if isinstance(self.time, TimeColumns):
            raise _at_key("time", "a JSON file has one list of times; allowed: its name")
        for key in ("where", "decimal"):
            if getattr(self, key) is not None:
                raise _at_key(key, "only a CSV file has it; leave this key out")

    def _fits_epw(self) -> None:
        for key in ("where", "decimal"):
            if getattr(self, key) is not None:
                raise _at_key(key, "only a CSV file has it; leave this key out")
        for key in ("zone", "time"):
            if getattr(self, key) is not None:
                raise _at_key(key, "an EPW file has its own clock; leave this key out")
        if self.align == "start":
            raise _at_key("align", "an EPW file is laid on the calendar; leave this key out")
        if self.column != DRY_BULB:
            hint = nearest(self.column, [DRY_BULB])
            raise _at_key("column", f"unknown column {self.column!r}{hint} (allowed of an EPW file: {DRY_BULB})")
        if self.measure is not TEMPERATURE:
            raise _at_key("file", f"an EPW file has no column of {self.measure.noun}")


def _rate(text: str) -> str:
    try:
        read_rate(text)
    except ValueError as error:
        raise house(str(error)) from None
    return text


class PriceFile(SignalFile):
    """Prices of a file, in US dollars or by a stated rate."""

    measure = PRICE

    rate: Annotated[str, AfterValidator(_rate)] | None = Field(
        default=None, description="of a currency other than USD, such as 1.08 USD/EUR; cents (ct) need it too"
    )

    def factor(self, unit: str) -> float:
        """What one of a unit is in SI; ValueError for another currency without its rate."""
        return price_factor(unit, self.rate)


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
