"""Choosing rows of a log: the key `where` of a class, and the rows that it chooses."""

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

import polars as pl
from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from scenarios.errors import ScenarioError
from scenarios.values import Count, Date, Duration, Keys, house

TEXTS = ("status", "queue", "partition", "user", "group")
_SHOWN = 10  # values of a column in a message


def _list(raw: Any) -> Any:
    return raw if isinstance(raw, list | dict) or raw is None else [raw]


Texts: TypeAlias = Annotated[list[str | int], BeforeValidator(_list), Field(min_length=1)]
"""One or several values of a column, as the log writes them."""


class Sizes(Keys):
    """Gangs from a size to another, both of them included."""

    least: Count = Field(default=1, alias="from")
    most: Count | None = Field(default=None, alias="to")


def _moment(raw: Any) -> str:
    if isinstance(raw, datetime.date):
        return "date"
    text = str(raw).strip()
    return "date" if text[:4].isdigit() and text[4:5] == "-" else "time"


Moment: TypeAlias = Annotated[
    Annotated[Date, Tag("date")] | Annotated[Duration, Tag("time")],
    Discriminator(_moment),
]
"""A date in UTC, or a time after the log's second 0."""


class Where(Keys):
    """Which rows of a log are replayed: those that are all that is asked for."""

    status: Texts | None = None
    queue: Texts | None = None
    partition: Texts | None = None
    user: Texts | None = None
    group: Texts | None = None
    chips: (
        Annotated[
            Annotated[list[Count], Field(min_length=1), Tag("list")] | Annotated[Sizes, Tag("band")],
            Discriminator(lambda raw: "list" if isinstance(raw, list) else "band"),
            BeforeValidator(_list),
        ]
        | None
    ) = Field(default=None, description="one or several sizes, or {from: 1, to: 8}")
    begin: Moment | None = Field(default=None, alias="from", description="submitted at or after it")
    end: Moment | None = Field(default=None, alias="to", description="submitted before it")

    @model_validator(mode="after")
    def _something(self) -> "Where":
        if not self.model_fields_set:
            raise house(f"allowed: at least one of {', '.join(TEXTS)}, chips, from, to")
        begin, end = self.begin, self.end
        if (isinstance(begin, float) and isinstance(end, float) and begin >= end) or (
            isinstance(begin, datetime.datetime) and isinstance(end, datetime.datetime) and begin >= end
        ):
            raise PydanticCustomError("at_key", "allowed: later than from", {"key": "to"})
        return self


class NotThereError(ScenarioError):
    """The log does not have what it is to be chosen by; key: that of `where`."""

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        self.key = key


def choose(
    rows: pl.DataFrame,
    where: Where,
    texts: Mapping[str, pl.Expr],
    zero: datetime.datetime | None,
    second_zero_s: float,
    path: str,
) -> pl.DataFrame:
    """The rows that a class asks for; those of which it cannot be said are among them, to be looked at as bad ones.

    rows: with submit_s [s] and chips. texts: the columns of the format that rows can be chosen by. zero: the date from
    which submit_s counts, None where it is not recorded. second_zero_s: the log's second 0 by that clock.
    NotThereError for a column or a date that is not there, ScenarioError where nothing is chosen.
    """
    conditions = list[pl.Expr]()
    for key in TEXTS:
        values = getattr(where, key)
        if values is not None:
            if key not in texts:
                has = ", ".join([*sorted(texts), "chips", "from", "to"])
                raise NotThereError(f"a log of this format has no {key}; allowed: {has}", key)
            conditions.append(texts[key].is_in([str(value) for value in values]))
    if isinstance(where.chips, Sizes):
        conditions.append(pl.col("chips") >= where.chips.least)
        if where.chips.most is not None:
            conditions.append(pl.col("chips") <= where.chips.most)
    elif where.chips is not None:
        conditions.append(pl.col("chips").is_in(where.chips))
    if where.begin is not None:
        conditions.append(pl.col("submit_s") >= _second(where.begin, zero, second_zero_s, "from"))
    if where.end is not None:
        conditions.append(pl.col("submit_s") < _second(where.end, zero, second_zero_s, "to"))
    chosen = rows.filter(pl.all_horizontal(conditions).fill_null(True))
    if not len(chosen):
        text = f"holds no job that where chooses, of {len(rows)} rows{_there(rows, where, texts)}"
        raise ScenarioError(text, path)
    return chosen


def _second(moment: datetime.datetime | float, zero: datetime.datetime | None, second_zero_s: float, key: str) -> float:
    if isinstance(moment, float):
        return second_zero_s + moment
    if zero is None:
        text = "the log does not say the date of its second 0; allowed: a time after that, such as 30 days"
        raise NotThereError(text, key)
    return (moment - zero).total_seconds()


def _there(rows: pl.DataFrame, where: Where, texts: Mapping[str, pl.Expr]) -> str:
    """What stands in the columns that were asked for."""
    found = ""
    for key in TEXTS:
        if getattr(where, key) is not None:
            values = rows.select(texts[key].alias("text"))["text"].drop_nulls().unique().sort().to_list()
            more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
            found += f"; {key} is {', '.join(values[:_SHOWN])}{more}"
    return found
