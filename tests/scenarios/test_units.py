"""Quantities: text to SI numbers and back, and what is refused."""

import contextlib
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.units import format_quantity, parse_quantity, shown, to_si

fixed = settings(derandomize=True, deadline=None, max_examples=200)
UNITS = ("s", "W", "J", "byte", "byte/s", "FLOP/s")


@fixed
@given(st.floats(min_value=-1e60, max_value=1e60), st.sampled_from(UNITS))
def test_a_formatted_quantity_reads_back_to_the_same_number(value, unit):
    assert parse_quantity(format_quantity(value, unit), unit) == value


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (86_400.0, "1 day"),
        (172_800.0, "2 days"),
        (5_400.0, "90 min"),
        (3_600.0, "1 hour"),
        (0.5, "0.5 s"),
        (0.0, "0 s"),
    ],
)
def test_a_time_is_written_in_its_largest_whole_unit(seconds, text):
    assert format_quantity(seconds, "s") == text


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("30 days", "s", 2_592_000.0),
        ("1.5h", "s", 5_400.0),
        (" 2 weeks ", "s", 1_209_600.0),
        ("1 year", "s", 365.25 * 86_400),
        ("250 ms", "s", 0.25),
        ("30 MW", "W", 30e6),
        ("7.2e3 J/s", "W", 7_200.0),
        ("20 MWh", "J", 72e9),
        ("80 GB", "byte", 80e9),
        ("80 GiB", "byte", 80 * 2.0**30),
        ("400 Gbit/s", "byte/s", 50e9),
        ("989 TFLOP/s", "FLOP/s", 989e12),
        ("1_000 s", "s", 1_000.0),
        ("-5 s", "s", -5.0),
    ],
)
def test_a_quantity_becomes_its_si_number(text, unit, value):
    assert parse_quantity(text, unit) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2 MW", "which is a power"),
        ("20 MWh", "which is an energy"),
        ("1 GB", "which is a size in bytes"),
        ("1 GB/s", "which is a bandwidth"),
        ("5 %", "of dimension dimensionless"),
        ("5 s s", r"of dimension [time] ** 2"),
    ],
)
def test_another_dimension_is_refused_by_its_name(text, said):
    with pytest.raises(ValueError) as error:
        parse_quantity(text, "s")
    assert said in str(error.value)
    assert "allowed: a time with its unit, such as '30 days'" in str(error.value)


@pytest.mark.parametrize("raw", [5, 5.0, float("nan"), float("inf")])
def test_a_bare_number_is_refused(raw):
    with pytest.raises(ValueError, match=r"\(a bare number\); allowed: a power with its unit, such as '30 MW'"):
        parse_quantity(raw, "W")


@pytest.mark.parametrize(("raw", "kind"), [(True, "bool"), (None, "NoneType"), (["5 s"], "list"), ({}, "dict")])
def test_what_is_no_text_is_refused_by_its_type(raw, kind):
    with pytest.raises(ValueError, match=rf"\({kind}\); allowed"):
        parse_quantity(raw, "s")


@pytest.mark.parametrize("text", ["nan s", "inf s", "-inf s", "1e400 s", "1e308 years"])
def test_nan_and_infinity_are_refused(text):
    with pytest.raises(ValueError, match="found"):
        parse_quantity(text, "s")


@pytest.mark.parametrize("text", ["5 S", "5 mw", "5 Gb", "5 m", "5 k", "5 parsec", "1e5"])
def test_an_unknown_unit_is_refused_in_its_own_letters(text):
    with pytest.raises(ValueError, match=f"unknown unit '{text.lstrip('15').strip()}'"):
        parse_quantity(text, "s")


@pytest.mark.parametrize(
    "text",
    ["", " ", "s", "5", "5,5 s", "5 s; 3", "__import__('os')", "5 s/0", "5 s//s", "5 a/", "5 (s)", "5 s**9", "5 s\x00"],
)
def test_text_that_is_no_quantity_is_refused(text):
    with pytest.raises(ValueError, match="allowed: a time"):
        parse_quantity(text, "s")


def test_a_very_long_text_is_refused_in_a_short_message():
    with pytest.raises(ValueError) as error:
        parse_quantity("1 " + "s/" * 100_000, "s")
    assert len(str(error.value)) < 200


@fixed
@given(st.text() | st.text(string.digits + " smhdWJB%/.+-_eE", max_size=30).map(lambda unit: f"1 {unit}"))
def test_hostile_text_yields_a_finite_number_or_a_value_error(text):
    with contextlib.suppress(ValueError):
        assert abs(parse_quantity(text, "s")) < float("inf")


def test_a_catalog_number_takes_the_unit_of_its_column():
    assert to_si(10.2, "kW") == 10_200.0
    assert to_si(8.0, "") == 8.0


def test_a_long_value_is_shown_cut_to_one_short_line():
    assert shown("x" * 58) == repr("x" * 58)
    assert shown("x" * 59) == "'" + "x" * 56 + "..."
    assert "\n" not in shown("a\nb")
