"""The keys that say which column of a table is what of a job."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator

from scenarios.chosen_rows import Where
from scenarios.units import parse_quantity
from scenarios.values import Keys, house

Shares: TypeAlias = Literal["refuse", "round-up", "skip"]
"""What becomes of rows that ask for a part of a chip."""


class TimeColumn(Keys):
    """A column of times: dates, or numbers of a unit."""

    name: str
    unit: str | None = Field(default=None, description="of numbers; default: s, or dates where the column has some")

    @field_validator("unit")
    @classmethod
    def _of_time(cls, unit: str | None) -> str | None:
        try:
            parse_quantity(f"1 {unit or 's'}", "s")
        except ValueError:
            raise house(f"found {unit!r}; allowed: a unit of time such as s, ms, min, h") from None
        return unit

    @property
    def unit_s(self) -> float:
        """What one of the unit is in seconds."""
        return parse_quantity(f"1 {self.unit or 's'}", "s")


def _named(raw: Any) -> Any:
    return {"name": raw} if isinstance(raw, str) else raw


NamedColumn = Annotated[TimeColumn, BeforeValidator(_named)]


class Span(Keys):
    """A length of time as the columns of its two ends."""

    begin: NamedColumn = Field(alias="from")
    end: NamedColumn = Field(alias="to")


def _run(raw: Any) -> str:
    return "span" if isinstance(raw, Span) or (isinstance(raw, dict) and raw.keys() & {"from", "to"}) else "column"


class ColumnKeys(Keys):
    """Which column of a table holds what of a job."""

    submit: NamedColumn
    chips: str
    run: Annotated[
        Annotated[NamedColumn, Tag("column")] | Annotated[Span, Tag("span")],
        Discriminator(_run),
    ] = Field(description="the run time, or from and to of two times")
    estimate: NamedColumn | None = Field(default=None, description="default, and of empty cells: the run time")
    tenant: str | None = None
    number: str | None = Field(default=None, description="a whole number; default: the rows in their order from 1")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a class says of how its table is read."""

    columns: ColumnKeys | None = None
    shares: Shares = "refuse"
    where: Where | None = None
