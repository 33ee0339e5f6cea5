"""Clocks of files to instants: zones, offsets, and the hours that daylight saving repeats or skips.

A named zone is that of the package tzdata, never of the system's own files, which differ from machine to machine.
"""

import datetime
import re
import zoneinfo
from functools import lru_cache
from importlib import resources

import tzdata

from scenarios.errors import nearest
from scenarios.units import shown

IANA_VERSION: str = tzdata.IANA_VERSION  # such as 2026f
_OFFSET = re.compile(r"([+-])(\d\d):([0-5]\d)")
_WIDEST = datetime.timedelta(hours=14)  # the line islands; no civil clock is further from UTC


def fixed_zone(offset: datetime.timedelta) -> datetime.timezone:
    """The clock that is always so far ahead of UTC; ValueError beyond 14 hours."""
    if abs(offset) > _WIDEST:
        raise ValueError("allowed: an offset from UTC of at most 14 hours")
    return datetime.timezone(offset)


@lru_cache(maxsize=64)
def read_zone(name: str) -> datetime.tzinfo:
    """The clock of "UTC", of a fixed offset such as "-05:00" or of an IANA name; ValueError for another text."""
    if name == "UTC":
        return datetime.UTC
    match = _OFFSET.fullmatch(name)
    if match is not None:
        offset = datetime.timedelta(hours=int(match[2]), minutes=int(match[3]))
        return fixed_zone(-offset if match[1] == "-" else offset)
    packaged = resources.files("tzdata")
    known = packaged.joinpath("zones").read_text("ascii").split()
    if name not in known:
        allowed = "allowed: UTC, an offset such as -05:00, or an IANA name such as America/Chicago"
        raise ValueError(f"found {shown(name)}, which is no time zone{nearest(name, known)}; {allowed}")
    with packaged.joinpath("zoneinfo", *name.split("/")).open("rb") as file:
        return zoneinfo.ZoneInfo.from_file(file, key=name)


def instant(moment: datetime.datetime, zone: datetime.tzinfo, after_s: float, second: bool | None = None) -> float:
    """Seconds from 1970 UTC to a moment; one without an offset is on the zone's clock.

    Of an hour that the clock runs through twice, `second` says the pass; where it is None the first is taken
    unless it is not after after_s, the row before. Raises ValueError for a time that the clock skips.
    """
    if moment.tzinfo is not None:
        return moment.timestamp()
    early = moment.replace(tzinfo=zone).timestamp()
    fixed = isinstance(zone, datetime.timezone)
    late = early if fixed else moment.replace(tzinfo=zone, fold=1).timestamp()
    if late < early:  # PEP 495: in a gap, fold 0 reads the clock of before and fold 1 that of after
        text = f"which the clocks of {zone} skip; allowed: times of that zone"
        raise ValueError(f"{text}, or as zone the fixed offset of the file's clock, such as -06:00")
    if second is None:
        return early if early > after_s else late
    if second and late == early:
        raise ValueError(f"flagged as a repeated hour, which the clocks of {zone} do not repeat; allowed: its own zone")
    return late if second else early
