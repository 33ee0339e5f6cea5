"""The time stamps of files to instants: zones, offsets, and the hours that daylight saving repeats or skips."""

import datetime
import re
import zoneinfo

from scenarios.errors import nearest
from scenarios.units import shown

_OFFSET = re.compile(r"([+-])(\d\d):([0-5]\d)")
_STAMP = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?[0-5]\d)?)?"
)
_WIDEST = datetime.timedelta(hours=14)  # the line islands; no civil clock is further from UTC


def fixed_zone(offset: datetime.timedelta) -> datetime.timezone:
    """The clock that is always so far ahead of UTC; ValueError beyond 14 hours."""
    if abs(offset) > _WIDEST:
        raise ValueError("allowed: an offset from UTC of at most 14 hours")
    return datetime.timezone(offset)


def read_zone(name: str) -> datetime.tzinfo:
    """The clock of "UTC", of a fixed offset such as "-05:00" or of an IANA name; ValueError for another text."""
    allowed = "allowed: UTC, an offset such as -05:00, or an IANA name such as America/Chicago"
    if name == "UTC":  # needs no database
        return datetime.UTC
    match = _OFFSET.fullmatch(name)
    if match is not None:
        offset = datetime.timedelta(hours=int(match[2]), minutes=int(match[3]))
        return fixed_zone(-offset if match[1] == "-" else offset)
    try:
        if name != "localtime":  # it would name another clock on another machine
            return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):  # by the name: lost, no path, a folder
        pass
    known = zoneinfo.available_timezones()
    if not known:
        raise ValueError(f"found {shown(name)}, but this machine has no time zones: install the package tzdata")
    raise ValueError(f"found {shown(name)}, which is no time zone{nearest(name, known)}; {allowed}")


def read_instant(stamp: object, zone: datetime.tzinfo, after_s: float) -> float:
    """Seconds from 1970 UTC to a file's time stamp; a stamp without an offset is on the zone's clock.

    Of an hour that the clock runs through twice, the first pass is taken unless it is not after after_s,
    the row before. Raises ValueError for what is no time, and for a time that the clock skips.
    """
    if not isinstance(stamp, str) or _STAMP.fullmatch(stamp) is None:
        raise _unreadable(stamp)
    try:
        moment = datetime.datetime.fromisoformat(stamp)
    except ValueError:
        raise _unreadable(stamp) from None
    if not 1900 <= moment.year <= 2999:
        raise _unreadable(stamp)
    if moment.tzinfo is not None:
        return moment.timestamp()
    first, second = moment.replace(tzinfo=zone), moment.replace(tzinfo=zone, fold=1)
    early, late = first.timestamp(), second.timestamp()
    if late < early:  # PEP 495: in a gap, fold 0 reads the clock of before and fold 1 that of after
        text = f"found {stamp!r}, which the clocks of {zone} skip; allowed: times of that zone"
        raise ValueError(f"{text}, or as zone the fixed offset of the file's clock, such as -06:00")
    return early if early > after_s else late


def _unreadable(stamp: object) -> ValueError:
    example = "2023-01-31 18:00 or 2023-01-31T18:00:00-06:00, of the years 1900 to 2999"
    return ValueError(f"found {shown(stamp)}; allowed: a time such as {example}")
