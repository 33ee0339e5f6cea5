"""The values of a swept key: lists, ranges with and without a step, and what is refused."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.errors import ScenarioError
from scenarios.ranges import Span, number_of, split, values_of


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("8,16,32", ["8", "16", "32"]),
        (" easy , fifo ", ["easy", "fifo"]),
        ("10..50:10 MW", ["10 MW", "20 MW", "30 MW", "40 MW", "50 MW"]),
        ("10 MW..50 MW:20 MW", ["10 MW", "30 MW", "50 MW"]),
        ("0.1..0.5:0.1", ["0.1", "0.2", "0.3", "0.4", "0.5"]),
        ("1..2:0.3", ["1", "1.3", "1.6", "1.9"]),
        ("-1..1:1", ["-1", "0", "1"]),
        ("1e6..5e6:2e6", ["1000000", "3000000", "5000000"]),
        ("10%..30%:10%", ["10 %", "20 %", "30 %"]),
        ("2..6 USD/MWh:2 USD/MWh", ["2 USD/MWh", "4 USD/MWh", "6 USD/MWh"]),
        ("{a: 1, b: 2},[1, 2],x", ["{a: 1, b: 2}", "[1, 2]", "x"]),
        ("[{choice: {1: 0.5, 8: 0.5}}]", ["[{choice: {1: 0.5, 8: 0.5}}]"]),
        ("'a,b',\"c,d\"", ["'a,b'", '"c,d"']),
        ("{file: ../a..b.csv}", ["{file: ../a..b.csv}"]),
    ],
)
def test_lists_and_ranges(text, values):
    assert values_of(text, "--vary") == values


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "with an empty value"),
        ("8,,16", "with an empty value"),
        ("50..10:10 MW", "the lower end first"),
        ("10..50:0", "a step above 0"),
        ("10..50:-1", "a step above 0"),
        ("10 MW..50 kW:10", "with several units"),
        ("10..x", "which is no range"),
        ("1..1e1000000:1", "numbers from 1e-30 to 1e30"),
        ("1..1e400", "numbers from 1e-30 to 1e30"),
        ("1..2:1e-999999", "numbers from 1e-30 to 1e30"),
        ("0..1e9:1", "more than 10,000 values"),
    ],
)
def test_what_asks_for_no_values_is_refused(text, said):
    with pytest.raises(ScenarioError, match=said):
        values_of(text, "--vary site.feed")


def test_a_range_without_a_step_is_a_span_of_real_or_whole_numbers():
    real, whole = values_of("10..50 MW", ""), values_of("4..6", "")
    assert real == Span(Decimal(10), Decimal(50), "MW")
    assert [real.at(share) for share in (0, 0.5)] == ["10 MW", "30 MW"]
    assert [whole.at(share) for share in (0, 0.33, 0.34, 0.66, 0.67, 0.999999)] == ["4", "4", "5", "5", "6", "6"]
    assert not values_of("0.5..6", "").whole


@given(st.integers(-50, 50), st.integers(1, 40), st.integers(1, 9))
def test_a_range_holds_both_ends_where_steps_meet_them(low, steps, step):
    tenths = values_of(f"{low / 10}..{(low + steps * step) / 10}:{step / 10}", "")
    assert [round(10 * float(text)) for text in tenths] == [low + at * step for at in range(steps + 1)]


@given(st.lists(st.sampled_from(["a", "[1,2]", "{x: [1, {y: 2}]}", "'q,'"]), min_size=1, max_size=6))
def test_commas_inside_brackets_braces_and_quotes_do_not_split(parts):
    assert split(",".join(parts)) == parts


@pytest.mark.parametrize(
    ("text", "number"), [("20 MW", (20.0, "MW")), ("64", (64.0, "")), ("1_000", (1000.0, "")), ("easy", None)]
)
def test_numbers_and_their_units(text, number):
    assert number_of(text) == number
