"""Text tables with a header, as people and programs write them, to rows of text with their line numbers.

Quotes are those of RFC 4180. What a field means is the business of whoever reads the rows.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from scenarios.errors import ScenarioError

SEPARATORS = ",;\t"
_SHAPE = pl.Schema({"line": pl.UInt32(), "fields": pl.List(pl.String)})


@dataclass(frozen=True, slots=True)
class TextTable:
    """A header, the line it stands on, and the rows: line (the first of the row) and fields (texts)."""

    header: list[str]
    header_line: int
    separator: str
    rows: pl.DataFrame

    def figures(self, text: pl.Expr) -> pl.Expr:
        """Texts with a decimal point: "-19,75" is a number where no comma separates the columns."""
        if self.separator == ",":
            return text
        return (
            pl.when(text.str.contains(r"^[+-]?\d*,\d+$")).then(text.str.replace(",", ".", literal=True)).otherwise(text)
        )


def read_table(text: str, path: Path) -> TextTable:
    """The rows of a table; blank lines and lines that begin with # are passed over.

    The separator is the one of comma, semicolon and tab that the header has most of. Blanks beside a separator
    are no part of a field. ScenarioError, with the line, for quotes that do not stand as RFC 4180 has them.
    """
    first = next((line for line in re.findall(r"[^\n]+", text[:100_000]) if not re.match(r"\s*(#|$)", line)), "")
    bare = re.sub(r'"[^"]*"', "", first)
    separator = max(SEPARATORS, key=bare.count)
    rows = _rows(text, separator, path)
    if not len(rows):
        return TextTable([], 1, separator, rows)
    return TextTable(rows["fields"][0].to_list(), rows["line"][0], separator, rows.slice(1))


def _rows(text: str, separator: str, path: Path) -> pl.DataFrame:
    lines = pl.DataFrame({"text": text.split("\n")}).with_row_index("line", offset=1)
    lines = lines.filter(~pl.col("text").str.contains(r"^\s*(#|$)"))
    if '"' not in text:
        return _plain(lines, separator)
    if (lines["text"].str.count_matches('"') % 2 == 1).any():  # a field goes on over lines
        return _quoted(_records(text), separator, path)
    field = rf'(?: *"[^"{separator}]*" *|[^"{separator}]*)'  # its quotes may go, as they hold no separator
    simple = pl.col("text").str.contains(rf"^{field}(?:{separator}{field})*\r?$")
    plain = _plain(lines.filter(simple).with_columns(pl.col("text").str.replace_all('"', "", literal=True)), separator)
    rows = pl.concat([plain, _quoted(lines.filter(~simple).iter_rows(), separator, path)])
    return rows.sort("line")


def _plain(lines: pl.DataFrame, separator: str) -> pl.DataFrame:
    blanks = " \t\r".replace(separator, "")
    line = pl.col("text").str.strip_chars(blanks).str.replace_all(f"[{blanks}]*{separator}[{blanks}]*", separator)
    return lines.select("line", line.str.split(separator).alias("fields"))


def _quoted(records: Iterable[tuple[int, str]], separator: str, path: Path) -> pl.DataFrame:
    field = rf'(?:[ \r]*"((?:[^"]|"")*)"[ \r]*|([^"{separator}]*))'
    in_order = re.compile(rf"{field}(?:{separator}{field})*")
    next_field = re.compile(rf"(?:^|{separator}){field}")
    numbers, fields = list[int](), list[list[str]]()
    for number, record in records:
        if in_order.fullmatch(record) is None:
            text = "found a quote that is not closed, or within a field without quotes"
            raise ScenarioError(text, f"{path}:{number}")
        numbers.append(number)
        fields.append([(quoted.replace('""', '"') or bare).strip() for quoted, bare in next_field.findall(record)])
    return pl.DataFrame({"line": numbers, "fields": fields}, schema=_SHAPE)


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
