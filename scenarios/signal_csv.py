"""The columns of a CSV file that a signal names, and the numbers of a column, as people and spreadsheets write them."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scenarios.errors import ScenarioError, nearest
from scenarios.units import shown

_SEPARATORS = ",;\t"
_IN_POINTS = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?")  # 1,234.50
_IN_COMMAS = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d+)?")  # 1.234,50


@dataclass(frozen=True, slots=True)
class Columns:
    """The cells of the columns asked for, each with the line that its row ends on; None for one not asked for."""

    lines: list[int]
    cells: list[list[str] | None]
    separator: str


def position(name: str, header: Sequence[str], where: str) -> int:
    """Where a column stands in a header; ScenarioError for one that is absent or twice."""
    if name not in header:
        text = f"unknown column {name!r}{nearest(name, header)} (allowed: {', '.join(header)})"
        raise ScenarioError(text, where)
    if header.count(name) > 1:
        raise ScenarioError(f"the column {name!r} stands twice in the header", where)
    return header.index(name)


def read_columns(text: str, path: Path, names: Sequence[str | int | None], keep: Mapping[str, str]) -> Columns:
    """The columns of these names, or places, in the rows whose cells equal those of keep.

    Lines that begin with # and blank ones are passed over; the separator is a comma, a semicolon or a tab.
    """
    # not polars: it names no line where the fields are too many, and fills up where they are too few
    separator = _separator(text, {name for name in (*names, *keep) if isinstance(name, str)})
    lines = csv.reader(_without_comments(text), delimiter=separator, strict=True)
    found = Columns([], [None if name is None else [] for name in names], separator)
    try:
        header, where = next(([cell.strip() for cell in cells] for cells in lines if cells), []), _line(path, lines)
        kept = [(position(name, header, where), value) for name, value in keep.items()] if header else []
        wanted = [
            (name if isinstance(name, int) else position(name, header, where), column.append)
            for name, column in zip(names, found.cells, strict=True)
            if header and name is not None and column is not None
        ]
        for cells in lines:
            if not cells:  # a blank line
                continue
            if len(cells) != len(header):
                raise ScenarioError(f"found {len(cells)} fields; allowed: {len(header)}", _line(path, lines))
            if kept and any(cells[place].strip() != value for place, value in kept):
                continue
            found.lines.append(lines.line_num)
            for place, append in wanted:
                append(cells[place].strip())
    except csv.Error as error:
        raise ScenarioError(f"is not CSV: {error}", _line(path, lines)) from None
    if kept and not found.lines:
        said = " and ".join(f"{name} {value!r}" for name, value in keep.items())
        raise ScenarioError(f"holds no row of {said}", str(path))
    return found


def _line(path: Path, lines: Any) -> str:
    return f"{path}:{lines.line_num}"


def _without_comments(text: str) -> Iterator[str]:
    quoted = False  # a # inside a quoted field is its text
    for line in io.StringIO(text, newline=""):
        if not quoted and line.startswith("#"):
            yield "\n"  # so that lines are counted
            continue
        quoted ^= '"' in line and line.count('"') % 2 == 1
        yield line


def _separator(text: str, names: set[str]) -> str:
    """The one by which the first line holds the names, or else what it has most of."""
    header = next((line for line in _without_comments(text) if line.strip()), "")
    counts = {mark: header.count(mark) for mark in _SEPARATORS}
    for mark in sorted(_SEPARATORS, key=lambda mark: -counts[mark]):
        try:
            cells = next(csv.reader([header], delimiter=mark), [])
        except csv.Error:
            continue
        if names <= {cell.strip() for cell in cells}:
            return mark
    return max(_SEPARATORS, key=lambda mark: counts[mark])


def plain_numbers(cells: Sequence[str], separator: str, decimal: str | None) -> Sequence[str]:
    """Cells with the marks of thousands taken out and a decimal point, by what the whole column shows.

    ValueError where a comma may be either. A column without a comma stays as it is, unless decimal
    says that its points are of thousands; a cell that is written otherwise
    than its column becomes "".
    """
    marked = [cell for cell in cells if "," in cell]
    if not marked and decimal != "comma":
        return cells
    if decimal is None:
        decimal = _decimal(marked, separator)
    shape, drop, point = (_IN_COMMAS, ".", ",") if decimal == "comma" else (_IN_POINTS, ",", ".")
    return [cell.replace(drop, "").replace(point, ".") if shape.fullmatch(cell) else "" for cell in cells]


def _decimal(marked: Sequence[str], separator: str) -> str:
    if any(_IN_POINTS.fullmatch(cell) and "." in cell for cell in marked):
        return "point"
    if separator == ";" or any(_IN_COMMAS.fullmatch(cell) and len(cell.rsplit(",", 1)[1]) != 3 for cell in marked):
        return "comma"
    text = f"found {shown(marked[0])}, whose comma may be of decimals or of thousands; allowed: with decimal: comma"
    raise ValueError(f"{text} or point")
