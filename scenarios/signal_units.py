"""What a signal measures and the units of its columns: currencies by a rate, masses of carbon."""

import math
import re
from dataclasses import dataclass

from scenarios.units import format_quantity, parse_quantity, shown
from scenarios.values import COLDEST_DEGC, DEAREST_USD_PER_J, DIRTIEST_G_PER_J, HOTTEST_DEGC


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
        spelt = _spelt_carbon(unit) if self.si_unit == "gCO2/J" else unit
        try:
            return parse_quantity(f"1 {spelt}", self.si_unit)
        except ValueError:
            raise ValueError(f"found {shown(unit)}; allowed: a unit of {self.noun}, such as {self.unit!r}") from None


PRICE = Measure("USD/J", "an energy price", "USD/MWh", -DEAREST_USD_PER_J, DEAREST_USD_PER_J)
CARBON = Measure("gCO2/J", "a carbon intensity", "gCO2/kWh", 0.0, DIRTIEST_G_PER_J)
TEMPERATURE = Measure("degC", "a temperature", "degC", COLDEST_DEGC, HOTTEST_DEGC)


_CARBON = re.compile(r"(g|kg|t|lbs?)(?:[ _]?CO[2₂](?:[ _-]?eq?)?)?/(.+)", re.IGNORECASE)


def _spelt_carbon(unit: str) -> str:
    """A unit of carbon as the registry spells it: lb/MWh, tCO2eq/MWh and gCO₂eq/kWh are masses of CO2."""
    match = _CARBON.fullmatch(unit.strip())
    return unit if match is None else f"{match[1].lower().removesuffix('s')}CO2/{match[2]}"


_RATE = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*USD/([A-Z]{3})\s*")
_PRICE = re.compile(r"\s*([A-Z]{3}|ct|€|£)\s*/(.+)")
_SIGNS = {"€": "EUR", "£": "GBP"}


def read_rate(text: str) -> tuple[float, str]:
    """The dollars that one of a currency is, and its three letters, of a text such as 1.08 USD/EUR; ValueError else."""
    match = _RATE.fullmatch(text)
    if match is None or not 0 < float(match[1]) < math.inf:
        raise ValueError(f"found {shown(text)}; allowed: the US dollars of one of a currency, such as 1.08 USD/EUR")
    return float(match[1]), match[2]


def price_factor(unit: str, rate: str | None) -> float:
    """What one of a unit of price is in SI; ValueError for another currency without its rate, and cents (ct) too."""
    usd, stated = (1.0, None) if rate is None else read_rate(rate)
    match = _PRICE.fullmatch(unit)
    if match is None or match[1] == "USD":
        factor = PRICE.factor(unit)
        if stated is not None:
            raise ValueError(f"found {shown(unit)}, which needs no rate; allowed: with it such as '{stated}/MWh'")
        return factor
    try:
        factor = PRICE.factor(f"USD/{match[2]}")
    except ValueError:
        raise ValueError(f"found {shown(unit)}; allowed: a unit of {PRICE.noun}, such as {PRICE.unit!r}") from None
    currency = _SIGNS.get(match[1], match[1])
    if stated is None or currency not in ("ct", stated):
        example = "EUR" if currency == "ct" else currency
        raise ValueError(f"found {shown(unit)}; allowed: with its rate, such as rate: 1.08 USD/{example}")
    return usd * factor * (0.01 if currency == "ct" else 1.0)
