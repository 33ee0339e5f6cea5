"""How a file writes its times: recognised once from its column, then read row by row.

ISO 8601, month or day first, a 12-hour clock, spans "from - to", seconds or milliseconds since 1970, and a date beside
the hour's end. The order of day and month is taken from the whole column, never from one row.
"""

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scenarios.units import shown

Read = Callable[[object], datetime.datetime]

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ](?:(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?|24:00(?::00)?)"
    r"(?:Z|[+-]\d\d(?::?[0-5]\d)?)?)?"
)
_NUMBERS = re.compile(
    r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?:,?[ T]+(\d{1,2}):([0-5]\d)(?::([0-5]\d)(?:\.0+)?)?(?: ?([AaPp])[Mm])?)?"
)
_EPOCH = re.compile(r"\d{9,10}|\d{12,13}")  # seconds or milliseconds of 1973 to 2286: no number is both
_MARK = re.compile(r"\s*\(([A-Z/]+)\)$")
_MARKS_H = {"UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3}
_HOUR = re.compile(r"(\d{1,2})(?::00(?::00)?)?")
_SPAN = " - "
_DAY = datetime.timedelta(days=1)
_ISO_EXAMPLE = "2023-01-31 18:00 or 2023-01-31T18:00:00-06:00, of the years 1900 to 2999"


@dataclass(frozen=True, slots=True)
class Form:
    """How the times of a column are read: the begin of a row, and its end where the column says it (ValueError)."""

    begin: Read
    end: Read | None = None


def read_form(cells: Sequence[object], order: str | None) -> Form:
    """The form of a column of times, by its first cell; the order of day and month by all of them.

    ValueError where no cell and no order tells day from month.
    """
    first = next((cell for cell in cells if cell != ""), "")
    if not isinstance(first, str):
        return Form(_iso)
    if _SPAN in first:
        inner = _point([_half(cell, 0) for cell in cells], order)
        return Form(lambda cell: _marked(cell, 0, inner), lambda cell: _marked(cell, 1, inner))
    return Form(_point(cells, order))


def hour_ending(date: datetime.datetime, hour: object, quarter: object) -> datetime.datetime:
    """The begin of an hour of a date that is named by its end, 1 to 24 or 01:00 to 24:00, or of a quarter of it."""
    match = _HOUR.fullmatch(str(hour))
    if match is None or not 1 <= int(match[1]) <= 24:
        raise ValueError(f"found {shown(hour)} as the end of an hour; allowed: 1 to 24, or 01:00 to 24:00")
    if quarter is not None and quarter not in ("1", "2", "3", "4"):
        raise ValueError(f"found {shown(quarter)} as the quarter of an hour; allowed: 1 to 4")
    minutes = 0 if quarter is None else 15 * (int(str(quarter)) - 1)
    return date + datetime.timedelta(hours=int(match[1]) - 1, minutes=minutes)


def repeated(flag: object) -> bool:
    """Whether a row is of the second pass through the hour that autumn repeats."""
    known = {"Y": True, "N": False, "TRUE": True, "FALSE": False, "1": True, "0": False}
    try:
        return known[str(flag).upper()]
    except KeyError:
        raise ValueError(f"found {shown(flag)} as flag of the repeated hour; allowed: Y or N") from None


def _half(cell: object, which: int) -> str:
    return _MARK.sub("", str(cell).split(_SPAN)[which].strip()) if _SPAN in str(cell) else str(cell)


def _marked(cell: object, which: int, inner: Read) -> datetime.datetime:
    halves = str(cell).split(_SPAN)
    if len(halves) != 2:
        raise ValueError(f"found {shown(cell)}; allowed: two times and ' - ' between, as in the first row")
    try:
        moment = inner(_half(cell, which))
    except ValueError as error:
        raise ValueError(f"found {shown(cell)}: {error}") from None
    mark = _MARK.search(halves[which].strip()) or _MARK.search(halves[1].strip())
    if mark is None or mark[1] not in _MARKS_H:  # CET/CEST says nothing of a row
        return moment
    return moment.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=_MARKS_H[mark[1]])))


def _point(cells: Sequence[object], order: str | None) -> Read:
    first = str(next((cell for cell in cells if cell != ""), ""))
    if _EPOCH.fullmatch(first):
        return _epoch
    match = _NUMBERS.fullmatch(first)
    if match is None:
        return _iso
    day_first = _day_first(cells, order, match[2])
    return lambda cell: _numbers(cell, day_first)


def _day_first(cells: Sequence[object], order: str | None, mark: str) -> bool:
    if order is not None:
        return order == "dmy"
    if mark == ".":  # no country that writes dots writes the month first
        return True
    for cell in cells:
        match = _NUMBERS.fullmatch(str(cell))
        if match is not None and (int(match[1]) > 12) != (int(match[3]) > 12):
            return int(match[1]) > 12
    raise ValueError(
        f"found {shown(cells[0])} and no day after the 12th, so that day and month cannot be told apart; "
        "allowed: with order: mdy or dmy, as in time: {column: ..., order: mdy}"
    )


def _numbers(cell: object, day_first: bool) -> datetime.datetime:
    match = _NUMBERS.fullmatch(str(cell))
    names = ("dd", "mm") if day_first else ("mm", "dd")
    allowed = f"allowed: {names[0]}/{names[1]}/yyyy hh:mm, as in the rows before, of the years 1900 to 2999"
    if match is None:
        raise ValueError(f"found {shown(cell)}; {allowed}")
    day, month = (int(match[1]), int(match[3])) if day_first else (int(match[3]), int(match[1]))
    hour, minute, second = int(match[5] or 0), int(match[6] or 0), int(match[7] or 0)
    if match[8]:
        if not 1 <= hour <= 12:
            raise ValueError(f"found {shown(cell)}; allowed: hours 1 to 12 before AM or PM")
        hour = hour % 12 + 12 * (match[8] in "pP")
    midnight = hour == 24 and minute == second == 0
    try:
        moment = datetime.datetime(int(match[4]), month, day, 0 if midnight else hour, minute, second)
    except ValueError:
        raise ValueError(f"found {shown(cell)}; {allowed}") from None
    if not 1900 <= moment.year <= 2999:
        raise ValueError(f"found {shown(cell)}; {allowed}")
    return moment + _DAY if midnight else moment


def _epoch(cell: object) -> datetime.datetime:
    text = str(cell)
    if _EPOCH.fullmatch(text) is None:
        raise ValueError(f"found {shown(cell)}; allowed: seconds since 1970 such as 1675188000, or milliseconds")
    return datetime.datetime.fromtimestamp(int(text) / (1000 if len(text) > 10 else 1), datetime.UTC)


def _iso(cell: object) -> datetime.datetime:
    if not isinstance(cell, str) or _ISO.fullmatch(cell) is None:
        raise _no_iso(cell)
    midnight = cell[11:13] == "24"
    try:
        moment = datetime.datetime.fromisoformat(f"{cell[:11]}00{cell[13:]}" if midnight else cell)
    except ValueError:
        raise _no_iso(cell) from None
    if not 1900 <= moment.year <= 2999:
        raise _no_iso(cell)
    return moment + _DAY if midnight else moment


def _no_iso(cell: object) -> ValueError:
    return ValueError(f"found {shown(cell)}; allowed: a time such as {_ISO_EXAMPLE}")
