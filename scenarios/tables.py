"""Text tables with a header, as people and programs write them, to rows of text with their line numbers.

Quotes are those of RFC 4180. What a field means is the business of whoever reads the rows.
"""

import contextlib
import csv
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from scenarios.errors import ScenarioError, nearest
from scenarios.units import shown

SEPARATORS = ",;\t"
_RECORD = {"line": pl.UInt32(), "text": pl.String()}
_IN_POINTS = r"^[+-]?(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?$"  # 1,234.50
_IN_COMMAS = r"^[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d+)?$"  # 1.234,50


@dataclass(frozen=True, slots=True)
class TextTable:
    """A header, the line it stands on, and the rows: line (the first of the row) and fields (texts)."""

    header: list[str]
    header_line: int
    separator: str
    rows: pl.DataFrame
    quoted: bool = True  # whether fields may hold the separator

    def field(self, name: str, where: str) -> pl.Expr:
        """The text of a column; ScenarioError, at the header's line in the file `where`, for one absent or twice."""
        place = position(name, self.header, f"{where}:{self.header_line}")
        return pl.col("fields").list.get(place, null_on_oob=True)

    def figures(self, text: pl.Expr, decimal: str | None = None) -> pl.Expr:
        """Texts with the marks of thousands taken out and a decimal point, by what the whole column shows.

        ValueError where a comma may be either. A column without a comma stays as it is, unless decimal says that its
        points are of thousands; a text that is written otherwise than its column becomes "".
        """
        if decimal != "comma" and self.separator == "," and not self.quoted:
            return text  # saves a look at every cell
        marked = self.rows.select(text.alias("text")).filter(pl.col("text").str.contains(",", literal=True))["text"]
        if not len(marked) and decimal != "comma":
            return text
        decimal = decimal or _decimal(marked, self.separator)
        shape, drop, point = (_IN_COMMAS, ".", ",") if decimal == "comma" else (_IN_POINTS, ",", ".")
        plain = text.str.replace_all(drop, "", literal=True).str.replace(point, ".", literal=True)
        return pl.when(text.str.contains(shape)).then(plain).otherwise(pl.lit(""))


def position(name: str, header: Sequence[str], where: str) -> int:
    """Where a column stands in a header; ScenarioError for one that is absent or twice."""
    if name not in header:
        text = f"unknown column {name!r}{nearest(name, header)} (allowed: {', '.join(header)})"
        raise ScenarioError(text, where)
    if header.count(name) > 1:
        raise ScenarioError(f"the column {name!r} stands twice in the header", where)
    return header.index(name)


def _decimal(marked: pl.Series, separator: str) -> str:
    in_points = marked.str.contains(_IN_POINTS)
    if (in_points & marked.str.contains(".", literal=True)).any():
        return "point"
    if separator == ";" or (marked.str.contains(_IN_COMMAS) & ~marked.str.contains(r",\d{3}$")).any():
        return "comma"
    raise ValueError(f"found {shown(marked[0])}, whose comma may be of decimals or of thousands")


def read_table(text: str, path: Path, names: Collection[str] = (), marks: str = SEPARATORS) -> TextTable:
    """The rows of a table; blank lines and lines that begin with # are passed over.

    The separator is the mark by which the header holds the names, or else what it has most of. Blanks beside a
    separator are no part of a field. ScenarioError, with the line, for quotes that do not stand as RFC 4180 has them.
    """
    first = next((line for line in re.findall(r"[^\n]+", text[:100_000]) if not re.match(r"\s*(#|$)", line)), "")
    separator = _separator(first, names, marks)
    rows = _rows(text, separator, path)
    if not len(rows):
        return TextTable([], 1, separator, rows)
    return TextTable(rows["fields"][0].to_list(), rows["line"][0], separator, rows.slice(1), '"' in text)


def _separator(header: str, names: Collection[str], marks: str) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    by_count = sorted(marks, key=lambda mark: -bare.count(mark))
    for mark in by_count if names else ():
        with contextlib.suppress(csv.Error):
            if {cell.strip() for cell in next(csv.reader([header], delimiter=mark), [])}.issuperset(names):
                return mark
    return by_count[0]


def _rows(text: str, separator: str, path: Path) -> pl.DataFrame:
    lines = pl.DataFrame({"text": text.split("\n")}).with_row_index("line", offset=1)
    lines = lines.filter(~pl.col("text").str.contains(r"^\s*(#|$)"))
    if '"' not in text:
        return _plain(lines, separator, any(blank in text for blank in _blanks(text, separator)))
    if (lines["text"].str.count_matches('"') % 2 == 1).any():  # a field goes on over lines
        records = pl.DataFrame(list(_records(text)), schema=_RECORD, orient="row")
        return _quoted(records, separator, path)
    mark = re.escape(separator)
    field = rf'(?: *"[^"{mark}]*" *|[^"{mark}]*)'  # its quotes may go, as they hold no separator
    simple = pl.col("text").str.contains(rf"^{field}(?:{mark}{field})*\r?$")
    plain = _plain(
        lines.filter(simple).with_columns(pl.col("text").str.replace_all('"', "", literal=True)), separator, True
    )
    rows = pl.concat([plain, _quoted(lines.filter(~simple), separator, path)])
    return rows.sort("line")


def _blanks(text: str, separator: str) -> list[str]:
    """What to look for in a text to know whether blanks may lie beside its separators: rare, and dear to take out."""
    blanks = [blank for blank in " \t" if blank != separator]
    return [*blanks, f"\r{separator}", f"{separator}\r"] if "\r" in text else blanks


def _plain(lines: pl.DataFrame, separator: str, spaced: bool) -> pl.DataFrame:
    blanks = " \t\r".replace(separator, "")
    line = pl.col("text").str.strip_chars(blanks)
    if spaced:
        line = line.str.replace_all(rf"[{blanks}]*{re.escape(separator)}[{blanks}]*", separator)
    return lines.select("line", line.str.split(separator).alias("fields"))


def _quoted(records: pl.DataFrame, separator: str, path: Path) -> pl.DataFrame:
    mark = re.escape(separator)
    field = rf'(?:[ \r]*"(?:[^"]|"")*"[ \r]*|[^"{mark}]*)'
    stray = records.filter(~pl.col("text").str.contains(rf"^{field}(?:{mark}{field})*$"))
    if len(stray):
        text = "found a quote that is not closed, or within a field without quotes"
        raise ScenarioError(text, f"{path}:{stray['line'][0]}")
    reader = csv.reader(records["text"], delimiter=separator, skipinitialspace=True)
    cells, widths = list[str](), list[int]()
    try:
        for fields in reader:
            cells.extend(map(str.strip, fields))
            widths.append(len(fields))
    except csv.Error as error:
        raise ScenarioError(f"is not CSV: {error}", f"{path}:{records['line'][len(widths)]}") from None
    flat = pl.DataFrame({"line": np.repeat(records["line"].to_numpy(), widths), "text": cells}, schema=_RECORD)
    return flat.group_by("line", maintain_order=True).agg(
        fields="text"
    )  # a column of Python lists takes 15 times as long


def _records(text: str) -> Iterator[tuple[int, str]]:
    """Each record with its first line; a quoted field may go on over lines, in which # is its text."""
    begun, record = 0, ""
    for number, line in enumerate(text.split("\n"), 1):
        if begun:
            record += "\n" + line
        elif line.lstrip().startswith("#") or not line.strip():
            continue
        else:
            begun, record = number, line
        if record.count('"') % 2 == 0:
            yield begun, record.rstrip("\r")
            begun = 0
    if begun:
        yield begun, record
