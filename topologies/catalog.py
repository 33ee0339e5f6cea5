"""The hardware catalog as data: tables of (item, metric, value, unit, source, confidence) shipped as CSV.

A figure without a published source has ESTIMATE as its source and "estimate" as its confidence.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scenarios.units import to_si

FOLDER = Path(__file__).parent / "catalog"


@dataclass(frozen=True, slots=True)
class Fact:
    """One catalog row; text keeps what is no number (a name)."""

    item: str
    metric: str
    text: str
    unit: str
    source: str
    confidence: str
    note: str

    @property
    def si(self) -> float:
        """The value in SI units."""
        return to_si(float(self.text), self.unit)


@cache
def table(name: str) -> dict[str, dict[str, Fact]]:
    """A catalog table (accelerators, racks) as item -> metric -> fact."""
    items: dict[str, dict[str, Fact]] = {}
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            fact = Fact(
                row["item"], row["metric"], row["value"], row["unit"], row["source"], row["confidence"], row["note"]
            )
            items.setdefault(fact.item, {})[fact.metric] = fact
    return items
