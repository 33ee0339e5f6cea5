"""The values of a swept key: a list such as 8,16,32, a range such as 10..50:10 MW, or an open one such as 10..50 MW."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal

from scenarios.errors import ScenarioError
from scenarios.units import shown

MOST_VALUES = 10_000
_LARGEST = Decimal(10) ** 30  # of a number in a range, and the inverse of the smallest
_NUMBER = r"[+-]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_UNIT = r"[A-Za-z%][A-Za-z0-9%/ ]*?"
_RANGE = re.compile(
    rf"\s*({_NUMBER})\s*({_UNIT})?\s*\.\.\s*({_NUMBER})\s*({_UNIT})?\s*(?::\s*({_NUMBER})\s*({_UNIT})?\s*)?"
)
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*({_UNIT})?\s*")
_FORMS = "allowed: a list such as 8,16,32, a range with a step such as 10..50:10 MW"
_PAIRS = {"[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Span:
    """All values from low to high, for sampling: real ones, or whole ones where both ends are bare whole numbers."""

    low: Decimal
    high: Decimal
    unit: str

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are meant, as for a count."""
        return not self.unit and all(int(end.as_tuple().exponent) >= 0 for end in (self.low, self.high))

    def at(self, share: float) -> str:
        """The value at a share in [0, 1) of the way, as text; whole numbers have equal shares."""
        if self.whole:
            return str(
                int(self.low) + min(math.floor(share * (int(self.high - self.low) + 1)), int(self.high - self.low))
            )
        value = float(self.low) + share * float(self.high - self.low)
        return _with_unit(f"{value:.6g}", self.unit)


def values_of(text: str, where: str) -> list[str] | Span:
    """The values that KEY=TEXT asks for; ScenarioError at `where` for text that asks for none."""
    match = _RANGE.fullmatch(text)
    if match is not None:
        return _range(match, text, where)
    values = [value.strip() for value in split(text)]
    if ".." in text and len(values) == 1 and text.strip()[0] not in "[{\"'":
        raise ScenarioError(f"found {shown(text)}, which is no range; {_FORMS}", where)
    if not all(values):
        raise ScenarioError(f"found {shown(text)}, with an empty value; {_FORMS}", where)
    return values


def number_of(text: str) -> tuple[float, str] | None:
    """The number and the unit of a value such as "20 MW" or "64"; None for what is neither."""
    match = _QUANTITY.fullmatch(text)
    return None if match is None else (float(match[1].replace("_", "")), (match[2] or "").strip())


def split(text: str) -> list[str]:
    """The parts between commas, but for commas in brackets, braces and quotes."""
    parts, closing, quote = [""], list[str](), ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter in _PAIRS:
            closing.append(_PAIRS[letter])
        elif closing and letter == closing[-1]:
            closing.pop()
        if letter == "," and not closing and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def _range(match: re.Match[str], text: str, where: str) -> list[str] | Span:
    units = {unit.strip() for unit in (match[2], match[4], match[6]) if unit}
    if len(units) > 1:
        raise ScenarioError(f"found {shown(text)}, with several units; {_FORMS}", where)
    unit = units.pop() if units else ""
    low, high, step = (Decimal(match[at] or 1) for at in (1, 3, 5))
    if any(number and not 1 / _LARGEST <= number.copy_abs() <= _LARGEST for number in (low, high, step)):
        raise ScenarioError(f"found {shown(text)}; allowed: numbers from 1e-30 to 1e30", where)
    if low >= high:
        raise ScenarioError(f"found {shown(text)}; allowed: the lower end first, such as 10..50:10 MW", where)
    if match[5] is None:
        return Span(low, high, unit)
    if step <= 0:
        raise ScenarioError(f"found {shown(text)}; allowed: a step above 0", where)
    count = (high - low) / step
    if count >= MOST_VALUES:
        raise ScenarioError(f"found {shown(text)}, of more than {MOST_VALUES:,} values", where)
    return [_with_unit(_plain(low + at * step), unit) for at in range(int(count) + 1)]


def _plain(number: Decimal) -> str:
    text = f"{number.normalize():f}"
    return text if len(text) <= 15 else f"{float(number):g}"


def _with_unit(number: str, unit: str) -> str:
    return f"{number} {unit}" if unit else number
