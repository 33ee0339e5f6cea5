"""Tables of text: separators, quotes and line numbers."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.errors import ScenarioError
from scenarios.tables import read_table


def rows(text):
    table = read_table(text, Path("log"))
    return table.header, table.rows["line"].to_list(), table.rows["fields"].to_list()


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_separator_is_the_headers(mark):
    assert rows(f"a{mark}b\n1{mark} 2 \n7{mark}\n") == (["a", "b"], [2, 3], [["1", "2"], ["7", ""]])


def test_comments_and_blank_lines_count_as_lines():
    assert rows('# "one\n\n"a",b\r\n# two\r\n"1","2"\r\n') == (["a", "b"], [5], [["1", "2"]])


def test_a_quoted_field_may_hold_separators_quotes_and_lines():
    assert rows('a,b\n"Doe, J","say ""hi"""\n"1\n# 2",3\n4,5\n') == (
        ["a", "b"],
        [2, 3, 5],
        [["Doe, J", 'say "hi"'], ["1\n# 2", "3"], ["4", "5"]],
    )


@pytest.mark.parametrize("row", ['1,"2', '1,2"3"', '1,"2"3'])
def test_a_stray_quote_is_refused_at_its_line(row):
    with pytest.raises(ScenarioError, match=r"^log:3: found a quote that is not closed, or within a field"):
        read_table(f"a,b\n5,6\n{row}\n", Path("log"))


fields = st.text(st.sampled_from('ab1 ,;"\n#'), max_size=5).map(str.strip)


@given(st.lists(st.lists(fields, min_size=2, max_size=3), max_size=5), st.booleans(), st.sampled_from(",;\t"))
def test_what_a_csv_writer_writes_is_read_back(written, all_quoted, mark):
    text = io.StringIO()
    written = [["-", *row] for row in written]  # no row is blank or a comment
    out = csv.writer(
        text, quoting=csv.QUOTE_ALL if all_quoted else csv.QUOTE_MINIMAL, delimiter=mark, lineterminator="\n"
    )
    out.writerows([["x", "y", "z"], *written])
    assert rows(text.getvalue())[2] == written


def test_a_format_may_ask_for_a_bar_as_separator():
    table = read_table('a|b, c\n1|"2|3"\n4|x,y\n', Path("log"), marks="|,")
    assert table.header == ["a", "b, c"]
    assert table.rows["fields"].to_list() == [["1", "2|3"], ["4", "x,y"]]


def test_the_separator_is_the_one_that_parts_the_names_asked_for():
    assert read_table("a;b,c,d\n1;2\n", Path("log"), {"a"}).separator == ";"


@pytest.mark.parametrize(
    ("cells", "plain"),
    [(["1.5", "2"], ["1.5", "2"]), (['"1,234.5"', "2"], ["1234.5", "2"]), (['"1.234,5"', "2"], ["1234.5", "2"])],
)
def test_marks_of_thousands_and_decimal_commas_are_told_from_the_column(cells, plain):
    table = read_table("a,b\n" + "".join(f"x,{cell}\n" for cell in cells), Path("log"))
    assert table.rows.select(table.figures(table.field("b", "log"))).to_series().to_list() == plain
