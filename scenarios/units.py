"""Units at the file boundary: text such as "30 MW" to SI numbers and back.

Inside the program every number is in seconds, watts, joules, bytes, FLOP, US dollars or grams of CO2.
The registry is ours and small: pint's default one is slow to load, reads Gb as gilbert and accepts
many units that are mistakes in a scenario. A temperature is in degrees Celsius, absolute or a difference:
degC is a unit like any other, without an offset.
"""

import math
import re
from functools import lru_cache
from typing import Any

import pint

DAY_S = 86_400.0
HOUR_S = 3_600.0
YEAR_S = 365.25 * DAY_S

_DEFINITIONS = """
milli- = 1e-3 = m-
micro- = 1e-6 = u-
nano- = 1e-9 = n-
kilo- = 1e3 = k-
mega- = 1e6 = M-
giga- = 1e9 = G-
tera- = 1e12 = T-
peta- = 1e15 = P-
exa- = 1e18 = E-
kibi- = 1024 = Ki-
mebi- = 1048576 = Mi-
gibi- = 1073741824 = Gi-
second = [time] = s = sec
minute = 60 second = min
hour = 60 minute = h
day = 24 hour = d
week = 7 day
month = 30.4375 day
year = 12 month
joule = [energy] = J
watt = joule / second = W
watt_hour = 3600 joule = Wh
byte = [information] = B
bit = byte / 8
FLOP = [computation]
token = [token]
USD = [money]
gCO2 = [carbon] = _ = gCO2eq = gCO2e
tCO2 = 1e6 gCO2 = _ = tCO2eq = tCO2e
lbCO2 = 453.59237 gCO2
degC = [temperature]
percent = 0.01
"""

_DIMENSIONS = {
    "s": ("a time", "30 days"),
    "W": ("a power", "30 MW"),
    "J": ("an energy", "20 MWh"),
    "byte": ("a size in bytes", "80 GB"),
    "byte/s": ("a bandwidth", "400 Gbit/s"),
    "FLOP/s": ("a computing rate", "989 TFLOP/s"),
    "W/s": ("a ramp", "5 MW/min"),
    "USD": ("money", "1000 USD"),
    "USD/s": ("a price of an hour", "2.5 USD/h"),
    "USD/J": ("an energy price", "80 USD/MWh"),
    "gCO2/J": ("a carbon intensity", "300 gCO2/kWh"),
    "degC": ("a temperature", "18 degC"),
}
_CUSTOMARY = {"USD/s": "USD/h", "USD/J": "USD/MWh", "gCO2/J": "gCO2/kWh"}  # what people say where the SI number is tiny
_QUANTITY = re.compile(r"\s*([+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([A-Za-z%][A-Za-z0-9%/ ]*)")
_MAX_TEXT = 80  # a longer text is no quantity; pint need not look at it


@lru_cache(maxsize=1)
def _registry() -> pint.UnitRegistry[Any]:
    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(None)
    for line in _DEFINITIONS.strip().splitlines():
        registry.define(line)
    return registry


@lru_cache(maxsize=256)
def _unit(text: str) -> tuple[str, float]:
    """Dimension and factor to SI of a unit's text; ValueError for a unit that the registry lacks."""
    registry = _registry()
    try:
        unit = registry.parse_units(text.replace("%", "percent").strip())
    except pint.UndefinedUnitError as error:
        raise ValueError(f"unknown unit {text.strip()!r}") from error
    except Exception as error:  # pint's tokenizer raises many kinds on text that is no unit
        raise ValueError(f"{text.strip()!r} is not a unit") from error
    factor, _ = registry.get_base_units(unit)
    return str(unit.dimensionality), float(str(factor))


def parse_quantity(raw: object, si_unit: str) -> float:
    """The SI value of a quantity's text, such as 2592000.0 for "30 days" and "s".

    Raises ValueError with what was found and what is allowed: a bare number, another dimension,
    an unknown unit, nan and infinity are all refused.
    """
    noun, example = _DIMENSIONS.get(si_unit, (f"a quantity in {si_unit}", f"1 {si_unit}"))
    allowed = f"allowed: {noun} with its unit, such as {example!r}"
    if not isinstance(raw, str) or len(raw) > _MAX_TEXT:
        kind = "a bare number" if isinstance(raw, int | float) and not isinstance(raw, bool) else type(raw).__name__
        raise ValueError(f"found {shown(raw)} ({kind}); {allowed}")
    match = _QUANTITY.fullmatch(raw)
    if match is None:
        raise ValueError(f"found {raw!r}; {allowed}")
    try:
        dimension, factor = _unit(match[2])
    except ValueError as error:
        raise ValueError(f"found {raw!r}: {error}; {allowed}") from None
    if dimension != _unit(si_unit)[0]:
        raise ValueError(f"found {raw!r}, which is {_noun(dimension)}; {allowed}")
    value = float(match[1].replace("_", "")) * factor
    if not math.isfinite(value):
        raise ValueError(f"found {raw!r}, which is not finite; {allowed}")
    return value


def format_quantity(value: float, si_unit: str) -> str:
    """Text that parse_quantity reads back to the same bits; times in the largest whole unit.

    Energy prices and carbon intensities are written per MWh and kWh where that reads back exactly.
    """
    if si_unit == "s" and value > 0:
        for name, factor in (("days", DAY_S), ("hours", HOUR_S), ("min", 60.0)):
            whole = value / factor
            if whole.is_integer() and whole * factor == value:
                return f"{int(whole)} {name if whole > 1 else name.removesuffix('s')}"
    if si_unit in _CUSTOMARY:
        factor = _unit(_CUSTOMARY[si_unit])[1]
        text = f"{value / factor:.12g}"
        if float(text) * factor == value:
            return f"{text} {_CUSTOMARY[si_unit]}"
    number = int(value) if value.is_integer() and abs(value) < 2**53 else value
    return f"{number} {si_unit}"


def whole_above(value: float, unit: str) -> str:
    """The lowest whole number of a unit that is not below a value, as a message names a lower bound."""
    return f"{math.ceil(value):,} {unit}"


def whole_below(value: float, unit: str) -> str:
    """The highest whole number of a unit that is not above a value, as a message names an upper bound."""
    return f"{math.floor(value):,} {unit}"


def to_si(value: float, unit: str) -> float:
    """A number of a catalog table in SI, given the unit of its column; an empty unit is a plain number."""
    return value * _unit(unit)[1] if unit else value


def shown(raw: object) -> str:
    """A value as an error message shows it, cut to one short line."""
    if isinstance(raw, int) and raw.bit_length() > 200:
        return "a very large whole number"
    try:
        text = repr(raw)
    except ValueError:  # a list with a whole number too long to print
        return "a very large value"
    return text if len(text) <= 60 else text[:57] + "..."


def _noun(dimension: str) -> str:
    for si_unit, (noun, _) in _DIMENSIONS.items():
        if _unit(si_unit)[0] == dimension:
            return noun
    return f"of dimension {dimension}"
