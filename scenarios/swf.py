"""The Standard Workload Format: which rows are jobs, and what the header says of the machine.

Source: Feitelson, Parallel Workloads Archive, the standard workload format 2.2; -1 is a missing value.
"""

import datetime
import re

import polars as pl

FIELDS = 18
_FACTS = ("MaxProcs", "MaxNodes", "UnixStartTime", "TimeZoneString")
_HEADER_CHARACTERS = 100_000
FIELD = [pl.col("fields").list.get(i, null_on_oob=True) for i in range(FIELDS)]
TEXTS = {"status": FIELD[10], "user": FIELD[11], "group": FIELD[12], "queue": FIELD[14], "partition": FIELD[15]}
_STATUS = FIELD[10].cast(pl.Float64, strict=False)
_NOTHING = pl.all_horizontal(FIELD[i].cast(pl.Float64, strict=False).is_in([0.0, -1.0]) for i in (3, 4))
LEFT_OUT = {
    "partial executions (status 2, 3 or 4)": _STATUS.is_in([2.0, 3.0, 4.0]),
    "jobs cancelled before they started (status 5)": (_STATUS == 5) & _NOTHING,
}
"""Rows that are no jobs, by what they are: parts of a job that a summary row counts, and jobs that never ran."""


def header_facts(text: str) -> dict[str, str]:
    """What the header says of the machine and its clock, by the format's own names."""
    found = re.findall(r"^;\s*(\w+):[ \t]*(\S.*?)\s*$", text[:_HEADER_CHARACTERS], re.MULTILINE)
    said = dict(reversed(found))  # the first of a name counts
    return {name: said[name] for name in _FACTS if name in said}


def second_zero(facts: dict[str, str]) -> datetime.datetime | None:
    """The date of the log's second 0, where the header gives it."""
    stamp = facts.get("UnixStartTime", "")
    return datetime.datetime.fromtimestamp(int(stamp), datetime.UTC) if re.fullmatch(r"\d{1,12}", stamp) else None
