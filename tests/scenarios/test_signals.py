"""Signals of a site: constants, files and synthetic series as step functions, and how a bad file is refused."""

import datetime
import gzip
import itertools
import json
import math
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from scenarios import signal_files
from scenarios.errors import ScenarioError
from scenarios.signal_keys import Carbon, Price, Temperature
from scenarios.signals import Series, signal_series
from scenarios.units import DAY_S, HOUR_S, YEAR_S, format_quantity, parse_quantity
from scenarios.values import CarbonIntensity, Celsius, Energy, EnergyPrice, Money, Ramp

PER_MWH = 1 / 3.6e9
YEAR_2023 = datetime.datetime(2023, 1, 1, tzinfo=datetime.UTC)
CHICAGO = "America/Chicago"
THREE = "time,price\n2023-01-01 00:00,10\n2023-01-01 01:00,20\n2023-01-01 02:00,30\n"
fixed = settings(derandomize=True, deadline=None, max_examples=200)


def keys(kind, raw):
    return TypeAdapter(kind).validate_python(raw)


def mistakes(kind, raw):
    """Location, message and key of each mistake in a signal's keys."""
    with pytest.raises(ValidationError) as error:
        keys(kind, raw)
    return [(item["loc"], item["msg"], item.get("ctx", {}).get("key")) for item in error.value.errors()]


def at(text):
    """An instant in UTC."""
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


@pytest.fixture
def series(tmp_path):
    """The series of a file's text or bytes over some hours from a start, by default at midnight of 2023-01-01."""

    def of(raw, start=YEAR_2023, hours=3.0, name="s.csv", kind=Price, **more):
        (tmp_path / name).write_bytes(raw.encode() if isinstance(raw, str) else raw)
        given_keys = {"file": str(tmp_path / name), "column": "price", "unit": "USD/MWh"} | more
        written = {key: value for key, value in given_keys.items() if value is not None}
        return signal_series(keys(kind, written), "price", start, hours * HOUR_S, seed=1)

    return of


@pytest.fixture
def refusal(series, tmp_path):
    """The message of a file that is refused, after the folder."""

    def of(raw, **more):
        with pytest.raises(ScenarioError) as error:
            series(raw, **more)
        return str(error.value).removeprefix(f"{tmp_path}/")

    return of


def steps(found):
    """Hours and USD/MWh of a series."""
    return list(zip((found.time_s / HOUR_S).tolist(), (found.values / PER_MWH).round(9).tolist(), strict=True))


# units and quantities


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("80 USD/MWh", "USD/J", 80 / 3.6e9),
        ("-31.5 USD/MWh", "USD/J", -31.5 / 3.6e9),
        ("0.08 USD/kWh", "USD/J", 80 / 3.6e9),
        ("300 gCO2/kWh", "gCO2/J", 300 / 3.6e6),
        ("0.3 kgCO2/kWh", "gCO2/J", 300 / 3.6e6),
        ("-40 degC", "degC", -40.0),
        ("6 MW/min", "W/s", 1e5),
        ("1000 USD", "USD", 1000.0),
        ("2 kUSD", "USD", 2000.0),
    ],
)
def test_prices_carbon_temperature_ramps_and_money_become_si_numbers(text, unit, value):
    assert parse_quantity(text, unit) == pytest.approx(value, rel=1e-12)


@fixed
@given(st.floats(-1e60, 1e60) | st.floats(-1e-5, 1e-5), st.sampled_from(["USD/J", "gCO2/J", "degC", "W/s", "USD"]))
def test_a_formatted_quantity_of_these_reads_back_to_the_same_number(value, unit):
    assert parse_quantity(format_quantity(value, unit), unit) == value


@pytest.mark.parametrize(
    ("text", "unit"), [("80 USD/MWh", "USD/J"), ("-31.5 USD/MWh", "USD/J"), ("313.7 gCO2/kWh", "gCO2/J")]
)
def test_a_price_and_a_carbon_intensity_are_written_as_people_write_them(text, unit):
    assert format_quantity(parse_quantity(text, unit), unit) == text


@pytest.mark.parametrize(
    ("text", "unit", "said"),
    [
        ("5 MW", "USD/J", "which is a power; allowed: an energy price with its unit, such as '80 USD/MWh'"),
        ("5 USD", "gCO2/J", "which is money; allowed: a carbon intensity with its unit, such as '300 gCO2/kWh'"),
        ("5 USD/MWh", "degC", "which is an energy price; allowed: a temperature with its unit, such as '18 degC'"),
        ("5 MW", "W/s", "which is a power; allowed: a ramp with its unit, such as '5 MW/min'"),
    ],
)
def test_another_dimension_is_refused_by_its_name(text, unit, said):
    with pytest.raises(ValueError) as error:
        parse_quantity(text, unit)
    assert str(error.value) == f"found {text!r}, {said}"


@pytest.mark.parametrize(
    ("kind", "text", "allowed"),
    [
        (Celsius, "-91 degC", "at least -90 degC"),
        (Celsius, "71 degC", "at most 70 degC"),
        (CarbonIntensity, "-1 gCO2/kWh", "at least 0 gCO2/kWh"),
        (Ramp, "0 W/s", "more than 0 W/s"),
        (Energy, "0 J", "more than 0 J"),
        (Money, "-1 USD", "at least 0 USD"),
    ],
)
def test_a_quantity_out_of_its_bounds_is_refused(kind, text, allowed):
    assert mistakes(kind, text) == [((), f"found {text!r}; allowed: {allowed}", None)]


def test_a_price_may_be_negative():
    assert keys(EnergyPrice, "-250 USD/MWh") == -250 / 3.6e9


# step functions


def test_a_series_holds_each_value_until_the_next_step():
    found = Series(np.array([-5.0, 10.0, 20.0]), np.array([1.0, 2.0, 3.0]))
    assert found.at(np.array([-5.0, 0.0, 9.999, 10.0, 19.0, 1e9])).tolist() == [1, 1, 1, 2, 2, 3]
    with pytest.raises(ValueError, match="before the first step of the series, -5 s"):
        found.at(np.array([0.0, -6.0]))


@pytest.mark.parametrize("end_s", [1.0, YEAR_S, math.inf])
def test_a_constant_is_one_step_over_any_run(end_s):
    found = signal_series(keys(Price, "80 USD/MWh"), "price", YEAR_2023, end_s, seed=1)
    assert (found.time_s.tolist(), found.values.tolist()) == ([0.0], [80 * parse_quantity("1 USD/MWh", "USD/J")])


# files


def test_a_file_becomes_steps_in_si_on_the_scenarios_clock(series):
    found = series(THREE)
    assert steps(found) == [(0, 10), (1, 20), (2, 30)]
    assert found.values.tolist() == [parse_quantity(f"{price} USD/MWh", "USD/J") for price in (10, 20, 30)]


def test_a_run_gets_the_step_that_holds_at_its_start_and_none_after_its_end(series):
    assert steps(series(THREE, start=at("2023-01-01 00:30"), hours=1.2)) == [(-0.5, 10), (0.5, 20)]


def test_equal_values_in_a_row_are_one_step(series):
    text = "t,price\n" + "".join(f"2023-01-01 {hour:02}:00,{price}\n" for hour, price in enumerate([5, 5, 7, 7, 5]))
    assert steps(series(text, hours=5)) == [(0, 5), (2, 7), (4, 5)]


def test_negative_prices_and_spikes_are_kept(series):
    assert steps(series(THREE.replace(",10", ",-251.9").replace(",20", ",4111.545")))[:2] == [
        (0, -251.9),
        (1, 4111.545),
    ]


@pytest.mark.parametrize(
    "stamp",
    [
        "2023-01-01 00:00:00+00:00",
        "2023-01-01T00:00",
        "2023-01-01 00:00:00",
        "2023-01-01T00:00:00.000Z",
        "2022-12-31 18:00:00-06:00",
        "2023-01-01 05:30+0530",
        "2023-01-01",
    ],
)
def test_the_usual_ways_to_write_an_instant_are_read(series, stamp):
    assert steps(series(f"time,price\n{stamp},10\n2023-01-01 01:00,20\n", hours=2)) == [(0, 10), (1, 20)]


def test_a_compressed_file_is_known_by_its_first_bytes_not_its_name(series):
    assert steps(series(gzip.compress(THREE.encode()))) == steps(series(THREE, name="s.csv.gz"))


def test_blank_lines_quotes_windows_lines_and_a_byte_order_mark_are_passed_over(series):
    text = '\ufeff\r\nnote,"price, net",when\r\n"a, ""b""\r\n",10,2023-01-01 00:00\r\n\r\n, 20 ,2023-01-01 01:00'
    assert steps(series(text, hours=2, column="price, net", time="when")) == [(0, 10), (1, 20)]


def test_a_column_of_times_may_be_named(series):
    text = "id,price,when\n7,10,2023-01-01 00:00\n8,20,2023-01-01 01:00\n"
    assert steps(series(text, hours=2, time="when")) == [(0, 10), (1, 20)]


@pytest.mark.parametrize(("zone", "hour"), [("UTC", 0), ("-05:00", 5), ("+05:30", -5.5), (CHICAGO, 6), (None, 0)])
def test_a_zone_says_the_clock_of_times_without_an_offset(series, zone, hour):
    start = YEAR_2023 + datetime.timedelta(hours=hour)
    assert steps(series(THREE, start=start, zone=zone)) == [(0, 10), (1, 20), (2, 30)]


def test_a_zone_leaves_times_with_an_offset_alone(series):
    assert steps(series(THREE.replace(":00,", ":00Z,"), zone=CHICAGO)) == [(0, 10), (1, 20), (2, 30)]


def test_the_hour_that_autumn_repeats_is_read_in_its_order(series):
    stamps = ["00:30", "01:00", "01:30", "01:00", "01:30", "02:00"]
    text = "t,price\n" + "".join(f"2023-11-05 {stamp},{n}\n" for n, stamp in enumerate(stamps))
    found = series(text, zone=CHICAGO, start=at("2023-11-05 05:30"))
    assert steps(found) == [(0, 0), (0.5, 1), (1, 2), (1.5, 3), (2, 4), (2.5, 5)]


def test_a_file_that_skips_the_repeated_hour_has_a_gap(series):
    text = "t,price\n2023-11-05 00:00,1\n2023-11-05 01:00,2\n2023-11-05 02:00,3\n2023-11-05 03:00,4\n"
    assert steps(series(text, zone=CHICAGO, start=at("2023-11-05 05:00"))) == [(0, 1), (1, 2)]
    assert steps(series(text, zone=CHICAGO, start=at("2023-11-05 05:00"), hours=5)) == [(0, 1), (1, 2), (3, 3), (4, 4)]


def test_the_hour_that_spring_skips_is_no_gap_where_the_file_skips_it_too(series):
    text = "t,price\n2023-03-12 01:00,1\n2023-03-12 03:00,2\n2023-03-12 04:00,3\n"
    assert steps(series(text, zone=CHICAGO, start=at("2023-03-12 07:00"))) == [(0, 1), (1, 2), (2, 3)]


def test_a_time_that_spring_skips_is_refused_by_its_line(refusal):
    text = "t,price\n2023-03-12 01:00,1\n2023-03-12 02:00,2\n"
    assert refusal(text, zone=CHICAGO) == (
        "s.csv:3: time: found '2023-03-12 02:00', which the clocks of America/Chicago skip; "
        "allowed: times of that zone, or as zone the fixed offset of the file's clock, such as -06:00"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "s.csv: holds no row"),
        ("time,price\n", "s.csv: holds no row"),
        ("time,prise\n", "s.csv:1: unknown column 'price'; did you mean 'prise'? (allowed: time, prise)"),
        ("time,price,price\n", "s.csv:1: the column 'price' stands twice in the header"),
        (THREE.replace(",20", ","), "s.csv:3: price: found ''; allowed: a finite number"),
        (THREE.replace(",20", ",nan"), "s.csv:3: price: found 'nan'; allowed: a finite number"),
        (THREE.replace(",20", ",-inf"), "s.csv:3: price: found '-inf'; allowed: a finite number"),
        (THREE.replace(",20", ",1e400"), "s.csv:3: price: found '1e400'; allowed: a finite number"),
        (THREE.replace(",20", ",20 USD"), "s.csv:3: price: found '20 USD'; allowed: a finite number"),
        (THREE.replace(",20", ""), "s.csv:3: found 1 fields; allowed: 2"),
        (THREE.replace(",20", ",2,0"), "s.csv:3: found 3 fields; allowed: 2"),
        (THREE.replace(",20", ',"20'), "s.csv:3: found a quote that is not closed, or within a field without quotes"),
        (
            THREE.replace("01:00,", "00:00,"),
            "s.csv:3: time: found '2023-01-01 00:00', which is the same instant as the row before "
            "(2023-01-01 00:00:00 UTC); allowed: rising times; a clock with daylight saving needs its name as zone",
        ),
        (
            THREE.replace("2023-01-01 02:00", "2023-01-01T02:00+05:00"),
            "s.csv:4: time: found '2023-01-01T02:00+05:00', which is earlier than the row before "
            "(2023-01-01 01:00:00 UTC); allowed: rising times",
        ),
    ],
)
def test_a_bad_file_is_refused_by_its_line(refusal, text, said):
    assert refusal(text) == said


@pytest.mark.parametrize(
    "stamp",
    ["", "noon", "01/02/2023 00:00", "2023-02-30", "1672531200", "1899-12-31", "3000-01-01 00:00"],
)
def test_a_time_that_cannot_be_read_is_refused_by_its_line(refusal, stamp):
    assert refusal(THREE.replace("2023-01-01 01:00", stamp)) == (
        f"s.csv:3: time: found {stamp!r}; allowed: a time such as 2023-01-31 18:00 or 2023-01-31T18:00:00-06:00, "
        "of the years 1900 to 2999"
    )


def test_a_third_pass_through_the_repeated_hour_is_refused(refusal):
    text = "t,price\n" + "2023-11-05 01:00,1\n" * 3
    assert refusal(text, zone=CHICAGO).startswith("s.csv:4: time: found '2023-11-05 01:00', which is the same instant")


@pytest.mark.parametrize(
    ("kind", "unit", "value", "allowed"),
    [
        (Temperature, "degC", "99.9", "a temperature of at least -90 degC and at most 70 degC"),
        (Temperature, "degC", "-273", "a temperature of at least -90 degC and at most 70 degC"),
        (Carbon, "gCO2/kWh", "-1", "a carbon intensity of at least 0 gCO2/kWh and at most 1000000 gCO2/kWh"),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_its_line(refusal, kind, unit, value, allowed):
    found = refusal(THREE.replace(",20", f",{value}"), kind=kind, unit=unit)
    assert found == f"s.csv:3: price: found {value!r}; allowed: {allowed}"


@pytest.mark.parametrize(
    ("start", "hours"), [("2022-12-31 23:59", 3), ("2023-01-01 00:00", 3.01), ("2026-01-01 00:00", 1)]
)
def test_a_file_that_does_not_cover_the_run_is_refused_with_both_spans(refusal, start, hours):
    begin, end = at(start), at(start) + datetime.timedelta(hours=hours)
    assert refusal(THREE, start=begin, hours=hours) == (
        f"s.csv: covers 2023-01-01 00:00 to 2023-01-01 03:00 UTC; the run needs {start} to {end:%Y-%m-%d %H:%M} "
        "(align: start lays the file's first row on the scenario's start, whatever its dates)"
    )


def test_align_start_lays_the_first_row_on_the_start(series, refusal):
    later = at("2026-06-01 12:00")
    assert steps(series(THREE, start=later, align="start")) == [(0, 10), (1, 20), (2, 30)]
    found = refusal(THREE, start=later, hours=4, align="start")
    assert found == "s.csv: covers 0.125 days from its first row on; the run needs 0.166667"


def test_a_run_without_end_keeps_the_last_value_of_a_file_that_covers_its_start(series, refusal):
    found = series(THREE, hours=math.inf)
    assert found.at(np.array([1e9])) == pytest.approx(30 * PER_MWH)
    assert "the run needs 2024-01-01 00:00 on (align" in refusal(THREE, start=at("2024-01-01"), hours=math.inf)


def test_what_is_no_file_of_text_is_refused(refusal, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    for name, said in [
        ("lost.csv", "lost.csv: cannot be read: No such file or directory"),
        ("folder.csv", "folder.csv: is no file"),
        ("pipe.csv", "pipe.csv: is no file"),
        ("x" * 300 + ".csv", "x" * 300 + ".csv: cannot be read: File name too long"),
        ("\0.csv", "\0.csv: cannot be read: embedded null byte"),
    ]:
        assert refusal(THREE, file=str(tmp_path / name)) == said


def test_a_damaged_file_is_refused(refusal):
    assert refusal(gzip.compress(THREE.encode() * 50)[:-12]).startswith("s.csv: is damaged: ")


def test_a_file_that_unpacks_to_too_much_is_refused(refusal, monkeypatch):
    monkeypatch.setattr(signal_files, "MOST_BYTES", 2**20)
    assert refusal(gzip.compress(b"a" * (2**20 + 1))) == "s.csv: holds more than 1 MiB of text"


# Open-Meteo


def meteo(**changes):
    hours = ["2023-01-01T00:00", "2023-01-01T01:00", "2023-01-01T02:00"]
    whole = {
        "utc_offset_seconds": -18000,
        "hourly_units": {"time": "iso8601", "temperature_2m": "°C"},
        "hourly": {"time": hours, "temperature_2m": [-1.5, 0, 2.25]},
    } | changes
    return json.dumps({key: value for key, value in whole.items() if value is not None})


@pytest.fixture
def outdoor(series):
    """The temperatures of a JSON text over three hours from 2023-01-01T05:00 UTC."""

    def of(raw, name="w.json", unit=None, column="temperature_2m", start="2023-01-01 05:00", **more):
        return series(raw, start=at(start), name=name, unit=unit, column=column, kind=Temperature, **more)

    return of


@pytest.fixture
def outdoor_refusal(outdoor, tmp_path):
    """The message of a JSON text that is refused, after the folder."""

    def of(raw, **more):
        with pytest.raises(ScenarioError) as error:
            outdoor(raw, **more)
        return str(error.value).removeprefix(f"{tmp_path}/")

    return of


def test_open_meteo_is_read_at_the_fixed_offset_it_states(outdoor):
    found = outdoor(meteo())
    assert (found.time_s.tolist(), found.values.tolist()) == ([0.0, 3600.0, 7200.0], [-1.5, 0.0, 2.25])
    assert outdoor(gzip.compress(meteo().encode()), name="w.json.gz").values.tolist() == found.values.tolist()


@pytest.mark.parametrize(("zone", "start"), [("UTC", "2023-01-01 00:00"), (CHICAGO, "2023-01-01 06:00")])
def test_a_zone_overrides_the_offset_of_open_meteo(outdoor, zone, start):
    assert outdoor(meteo(utc_offset_seconds=None), zone=zone, start=start).time_s.tolist() == [0.0, 3600.0, 7200.0]


def test_a_unit_may_stand_where_the_json_does_not_say_it_and_must_agree_where_it_does(outdoor, outdoor_refusal):
    assert outdoor(meteo(hourly_units=None), unit="degC").values.tolist() == [-1.5, 0.0, 2.25]
    assert outdoor(meteo(), unit="degC").values.tolist() == [-1.5, 0.0, 2.25]
    found = outdoor_refusal(meteo(), unit="mdegC")
    assert found == "w.json: says that temperature_2m is in 'degC'; found 'mdegC' as unit"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "w.json:1: is not JSON: Expecting property name enclosed in double quotes"),
        ("[" * 100_000, "w.json: is not JSON that can be read: "),
        ("[]", "w.json: holds no table 'hourly'; allowed: the hourly JSON of Open-Meteo"),
        (meteo(hourly=[]), "w.json: holds no table 'hourly'; allowed: the hourly JSON of Open-Meteo"),
        (meteo(hourly={"time": [], "temperature_2m": []}), "w.json: holds no row"),
        (
            meteo(hourly={"time": [], "temperature_80m": []}),
            "w.json:hourly: unknown column 'temperature_2m'; did you mean 'temperature_80m'? "
            "(allowed: time, temperature_80m)",
        ),
        (
            meteo(hourly={"time": ["2023-01-01T00:00"], "temperature_2m": []}),
            "w.json:hourly: allowed: lists of one length as time and temperature_2m",
        ),
        (
            meteo(hourly={"time": ["2023-01-01T00:00"], "temperature_2m": [None]}),
            "w.json:hourly[0]: temperature_2m: found None; allowed: a finite number",
        ),
        (
            meteo(hourly={"time": ["2023-01-01T00:00"], "temperature_2m": [True]}),
            "w.json:hourly[0]: temperature_2m: found True; allowed: a finite number",
        ),
        (
            meteo(hourly={"time": ["2023-01-01T00:00"], "temperature_2m": [10**400]}),
            "w.json:hourly[0]: temperature_2m: found a very large whole number; allowed: a finite number",
        ),
        (
            meteo(hourly={"time": [1672531200], "temperature_2m": [1]}),
            "w.json:hourly[0]: time: found 1672531200; allowed: a time such as 2023-01-31 18:00",
        ),
        (
            meteo(hourly_units={"temperature_2m": "°F"}),
            "w.json: the unit of temperature_2m: found '°F'; allowed: a unit of a temperature, such as 'degC'",
        ),
        (meteo(hourly_units=None), "w.json: does not say the unit of temperature_2m; allowed: with the key unit"),
        (
            meteo(utc_offset_seconds=None),
            "w.json: found None as utc_offset_seconds; allowed: a whole number up to 14 hours, or the key zone",
        ),
        (
            meteo(utc_offset_seconds=10**30),
            "w.json: found 1000000000000000000000000000000 as utc_offset_seconds; allowed: a whole number",
        ),
    ],
    ids=range(15),
)
def test_a_bad_json_is_refused(outdoor_refusal, text, said):
    assert outdoor_refusal(text).startswith(said)


# typical years


def epw(change=None, zone="-5.0", header="LOCATION,Leesburg,VA,USA,TMYx,724055,39.078,-77.558,{zone},119.0"):
    """An EPW text whose dry bulb is the day of the year / 10, plus 10 in the last hour; change is (line, text)."""
    lines = [header.format(zone=zone)] + [f"HEADER {n}" for n in range(2, 9)]
    first = datetime.date(2023, 1, 1)
    for day in range(365):
        date = first + datetime.timedelta(days=day)
        for hour in range(1, 25):
            degc = (day + 1) / 10 + 10 * (hour == 24)
            lines.append(f"{2010 + date.month},{date.month},{date.day},{hour},0,?9?9,{degc:.1f},1.1,100")
    if change is not None:
        lines[change[0] - 1] = change[1]
    return "\r\n".join(lines) + "\r\n"


@pytest.fixture
def year(outdoor):
    """The temperatures of an EPW text; its keys, unlike its hours, are all given."""

    def of(raw, start="2023-01-01 05:00", hours=24.0, **more):
        return outdoor(raw, name="y.epw", column="dry_bulb", start=start, hours=hours, **more)

    return of


def test_an_hour_of_an_epw_file_is_named_by_its_end_and_on_local_standard_time(year):
    found = year(epw())
    assert list(zip((found.time_s / HOUR_S).tolist(), found.values.tolist(), strict=True)) == [(0, 0.1), (23, 10.1)]
    assert year(epw(zone="+5.5"), start="2022-12-31 18:30").time_s.tolist() == [0.0, 23 * HOUR_S]


def test_the_run_before_local_new_year_takes_the_last_december_of_the_typical_year(year):
    assert year(epw(), start="2023-01-01 00:00").values.tolist() == [36.5, 46.5, 0.1]


def test_a_typical_year_is_repeated_each_year_and_february_29_takes_february_28(year):
    found = year(epw(), start="2024-02-28 05:00", hours=3 * 24 + 366 * 24)
    noons = found.at(12 * HOUR_S + DAY_S * np.array([0.0, 1.0, 2.0, 366.0]))
    assert noons.tolist() == [5.9, 5.9, 6.0, 5.9]


def test_a_typical_year_needs_a_run_with_an_end(year):
    with pytest.raises(ValueError, match="needs a horizon with an end, such as 365 days, not until-done"):
        year(epw(), hours=math.inf)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (epw((9, "2010,1,1,1,0,?,99.9,1,1")), ":9: dry_bulb: found '99.9'; allowed: a temperature of at least -90"),
        (
            epw((10, "2010,1,1,3,0,?,1.0,1,1")),
            ":10: found '2010,1,1,3,0,?,1.0,1,1'; allowed: month 1, day 1, hour 2 of",
        ),
        (epw((10, "2010,1,1")), ":10: found '2010,1,1'; allowed: month 1, day 1, hour 2 of a typical year"),
        (epw((8768, "")), ": holds 8759 rows; allowed: the 8760 hours of a typical year"),
        (epw() + "2016,12,31,24,0,?,1,1,1\n", ": holds 8761 rows; allowed: the 8760 hours"),
        (epw(zone="x"), ":1: found 'x' as 9th field of LOCATION; allowed: hours from UTC such as -5.0"),
        (epw(zone="15"), ":1: found '15' as 9th field of LOCATION; allowed"),
        (epw(header="time,dry_bulb"), ":1: found None as 9th field of LOCATION; allowed"),
        ("", ":1: found None as 9th field of LOCATION; allowed"),
    ],
    ids=range(9),
)
def test_a_bad_epw_file_is_refused_by_its_line(year, tmp_path, text, said):
    with pytest.raises(ScenarioError) as error:
        year(text)
    assert str(error.value).removeprefix(f"{tmp_path}/y.epw").startswith(said)


# synthetic signals


def drawn(kind, days=365.0, seed=1, name="price", start=YEAR_2023, **shape):
    return signal_series(keys(kind, {"synthetic": shape}), name, start, days * DAY_S, seed)


def test_a_synthetic_signal_depends_on_seed_and_name_only():
    noise = {"mean": "50 USD/MWh", "noise": "8 USD/MWh"}
    first = drawn(Price, **noise)
    assert drawn(Price, **noise).values.tolist() == first.values.tolist()
    assert drawn(Price, seed=2, **noise).values[0] != first.values[0]
    assert drawn(Price, name="other", **noise).values[0] != first.values[0]


def test_a_shorter_run_meets_the_begin_of_a_longer_one():
    shape = {"mean": "50 USD/MWh", "seasonal": "9 USD/MWh", "daily": "15 USD/MWh", "noise": "8 USD/MWh"}
    long, short = drawn(Price, **shape), drawn(Price, days=10.3, **shape)
    assert len(short.time_s) == math.ceil(10.3 * 24)
    assert long.time_s[: len(short.time_s)].tolist() == short.time_s.tolist()
    assert long.values[: len(short.time_s)].tolist() == short.values.tolist()


def test_noise_has_the_standard_deviation_and_persistence_that_are_named():
    values = drawn(Temperature, days=20 * 365, mean="10 degC", noise="4 degC", persistence=0.8).values
    # the mean of a persistent series varies as that of (1 - r) / (1 + r) times as many independent values
    error = 4.0 / math.sqrt(len(values) * (1 - 0.8) / (1 + 0.8))
    assert values.mean() == pytest.approx(10.0, abs=4 * error)
    assert values.std() == pytest.approx(4.0, rel=0.02)
    for lag in (1, 2, 5):
        assert np.corrcoef(values[lag:], values[:-lag])[0, 1] == pytest.approx(0.8**lag, abs=0.02)


def test_noise_is_stationary_from_its_first_hour():
    firsts = [drawn(Temperature, days=0.01, seed=n, mean="10 degC", noise="4 degC").values[0] for n in range(1_000)]
    assert np.std(firsts) == pytest.approx(4.0, rel=0.09)  # four standard errors of 1,000 normal values


def test_the_day_swings_by_its_amplitude_around_its_peak_hour():
    found = drawn(Price, days=1, mean="50 USD/MWh", daily="15 USD/MWh", peak_hour=18)
    hours = np.arange(24)
    assert found.at(hours * HOUR_S) == pytest.approx((50 + 15 * np.cos(2 * np.pi * (hours - 18) / 24)) * PER_MWH)


def test_the_year_swings_by_its_amplitude_around_its_peak_day_whatever_the_start():
    shape = {"mean": "10 degC", "seasonal": "12 degC", "peak_day": 201}
    july_20 = at("2023-07-20")
    assert july_20.timetuple().tm_yday == 201
    values = drawn(Temperature, days=366, start=july_20, **shape).values
    assert values[0] == values.max() == 22.0
    assert values.min() == pytest.approx(-2.0, abs=1e-4)
    whole = drawn(Temperature, **shape)
    assert whole.at(np.array([200 * DAY_S])) == 22.0


def test_a_synthetic_signal_is_cut_to_what_can_be():
    assert drawn(Carbon, mean="10 gCO2/kWh", noise="50 gCO2/kWh").values.min() == 0.0
    assert drawn(Price, mean="10 USD/MWh", noise="50 USD/MWh").values.min() < 0.0
    hot = drawn(Temperature, mean="60 degC", noise="20 degC").values
    assert hot.max() == 70.0


def test_a_synthetic_signal_without_swings_is_one_step():
    assert len(drawn(Price, mean="50 USD/MWh").time_s) == 1


def test_a_synthetic_signal_needs_a_run_with_an_end():
    with pytest.raises(ValueError, match="a synthetic signal needs a horizon with an end, such as 365 days"):
        drawn(Price, days=math.inf, mean="50 USD/MWh")


# keys


@pytest.mark.parametrize(
    ("kind", "raw"),
    [
        (Price, "80 USD/MWh"),
        (Price, "-12.34567890123456789 USD/MWh"),
        (Carbon, "313.7 gCO2/kWh"),
        (Temperature, "-3.3 degC"),
        (Price, {"file": "/p.csv", "column": "price", "unit": "USD/MWh", "zone": CHICAGO, "align": "start"}),
        (Temperature, {"file": "/w.EPW.gz", "column": "dry_bulb"}),
        (Price, {"synthetic": {"mean": "-5 USD/MWh", "daily": "15.7 USD/MWh", "peak_day": 200}}),
        (Carbon, {"synthetic": {"mean": "300 gCO2/kWh", "noise": "0.1 gCO2/kWh"}}),
        (Temperature, {"synthetic": {"mean": "12.6 degC", "persistence": 0.5}}),
    ],
)
def test_a_signal_reads_back_from_what_it_writes(kind, raw):
    read = keys(kind, raw)
    written = TypeAdapter(kind).dump_python(read, by_alias=True, exclude_none=True)
    assert keys(kind, json.loads(json.dumps(written))) == read


def test_a_written_synthetic_signal_spells_out_every_default():
    written = TypeAdapter(Price).dump_python(keys(Price, {"synthetic": {"mean": "50 USD/MWh"}}))
    assert written["synthetic"] == {
        "mean": "50 USD/MWh",
        "seasonal": "0 USD/MWh",
        "daily": "0 USD/MWh",
        "noise": "0 USD/MWh",
        "peak_day": 223.0,
        "peak_hour": 23.0,
        "persistence": 0.89,
    }


FILE = {"file": "/p.csv", "column": "price", "unit": "USD/MWh"}


@pytest.mark.parametrize(
    ("kind", "raw", "loc", "said", "key"),
    [
        (Price, 80, ("constant",), "found 80 (a bare number); allowed: an energy price with its unit", None),
        (Price, "5 MW", ("constant",), "found '5 MW', which is a power; allowed: an energy price", None),
        (Price, {"const": 5}, (), "allowed: a quantity, {file: ..., column: ..., unit: ...} or {synthetic:", None),
        (Price, FILE | {"unit": "MW"}, ("of file",), "found 'MW'; allowed: a unit of an energy price, such as", "unit"),
        (Carbon, FILE, ("of file",), "found 'USD/MWh'; allowed: a unit of a carbon intensity, such as", "unit"),
        (Price, {"file": "/p.csv", "column": "p"}, ("of file",), "a CSV file does not say its unit; allowed:", "unit"),
        (Price, FILE | {"file": "/p.xlsx"}, ("of file",), "found '/p.xlsx'; allowed: a name that ends in .csv", "file"),
        (Price, FILE | {"colum": "p"}, ("of file",), "unknown key; did you mean 'column'? (allowed: file,", "colum"),
        (
            Price,
            FILE | {"zone": "America/Chicgo"},
            ("of file", "zone"),
            "found 'America/Chicgo', which is no time zone; did you mean 'America/Chicago'?; allowed: UTC, an offset "
            "such as -05:00, or an IANA name such as America/Chicago",
            None,
        ),
        (Price, FILE | {"zone": "+14:01"}, ("of file", "zone"), "allowed: an offset from UTC of at most 14 hou", None),
        (Price, FILE | {"zone": "America"}, ("of file", "zone"), "found 'America', which is no time zone", None),
        (Price, FILE | {"zone": "../etc"}, ("of file", "zone"), "found '../etc', which is no time zone", None),
        (Price, FILE | {"zone": "localtime"}, ("of file", "zone"), "found 'localtime', which is no time zone", None),
        (Price, {"file": "/w.epw", "column": "dry_bulb"}, ("of file",), "an EPW file has no column of an en", "file"),
        (
            Temperature,
            {"file": "/w.epw", "column": "drybulb"},
            ("of file",),
            "unknown column 'drybulb'; did you mean 'dry_bulb'? (allowed of an EPW file: dry_bulb)",
            "column",
        ),
        (Temperature, {"file": "/w.epw", "column": "dry_bulb", "zone": "UTC"}, ("of file",), "an EPW file has", "zone"),
        (Temperature, {"file": "/w.epw", "column": "dry_bulb", "align": "start"}, ("of file",), "an EPW f", "align"),
        (
            Price,
            {"synthetic": {"mean": "5 USD/MWh", "noise": "-1 USD/MWh"}},
            ("of synthetic", "synthetic", "noise"),
            "found '-1 USD/MWh'; allowed: at least 0 USD/MWh",
            None,
        ),
        (
            Price,
            {"synthetic": {"mean": "5 USD/MWh", "persistence": 1}},
            ("of synthetic", "synthetic", "persistence"),
            "Input should be less than 1",
            None,
        ),
    ],
    ids=range(19),
)
def test_a_mistake_in_the_keys_is_refused_at_its_place(kind, raw, loc, said, key):
    ((found_loc, found, found_key),) = mistakes(kind, raw)
    assert (found_loc, found_key) == (loc, key)
    assert found.startswith(said)


# the real files


@pytest.fixture
def real(data):
    """The series of a file of the grid-texas folder over 365 days of its own year."""

    def of(kind, name, column, start="2023-01-01 00:00", days=365, **more):
        file = {"file": str(data / "traces" / "grid-texas" / name), "column": column, **more}
        return signal_series(keys(kind, file), "x", at(start), days * DAY_S, seed=1)

    return of


def test_the_utc_and_the_local_column_of_ercots_prices_give_the_same_series(real):
    file = ("US-TEX-ERCO_price_2023.csv.gz", "Price (USD/MWh)")
    utc, local = (
        real(Price, *file, unit="USD/MWh", time=f"Datetime ({clock})", zone=zone)
        for clock, zone in (("UTC", "UTC"), ("Local", CHICAGO))
    )
    assert utc.time_s.tolist() == local.time_s.tolist()
    assert utc.values.tolist() == local.values.tolist()
    assert utc.values.max() == pytest.approx(4111.545 * PER_MWH)
    assert utc.at(np.array([0.5 * HOUR_S])) == pytest.approx(10.42 * PER_MWH)


def test_ercots_prices_keep_their_instants_on_a_naive_chicago_clock(real, series, data):
    rows = gzip.decompress((data / "traces" / "grid-texas" / "US-TEX-ERCO_price_2023.csv.gz").read_bytes()).decode()
    cells = [line.split(",") for line in rows.splitlines()[1:]]
    naive = "t,price\n" + "".join(f"{local[:19]},{price}\n" for _, local, price in cells)
    found = series(naive, hours=365 * 24, zone=CHICAGO)
    assert (
        found.time_s.tolist()
        == real(Price, "US-TEX-ERCO_price_2023.csv.gz", "Price (USD/MWh)", unit="USD/MWh").time_s.tolist()
    )


def test_the_carbon_intensities_of_ercot_cover_their_years(real):
    direct = "Carbon Intensity gCO₂eq/kWh (direct)"
    found = real(Carbon, "US-TEX-ERCO_ci_2023.csv.gz", direct, unit="gCO2/kWh")
    assert found.at(np.array([0.0])) == pytest.approx(269.79 / 3.6e6)
    found = real(Carbon, "ERCO_generation_avgCI_2022.csv.gz", "avg_CI", "2022-01-01", unit="gCO2/kWh")
    assert found.at(np.array([0.0, 365 * DAY_S - 1])) * 3.6e6 == pytest.approx([334.2055847568988, 231.84739541554242])


def test_the_weather_of_texas_begins_five_hours_into_the_utc_year(real):
    file = ("US-TEX-ERCO_weather_2023.json.gz", "temperature_2m")
    with pytest.raises(ScenarioError, match="covers 2023-01-01 05:00 to 2024-01-01 05:00 UTC"):
        real(Temperature, *file)
    found = real(Temperature, *file, start="2023-01-01 05:00")
    assert (found.time_s[0], found.values.min(), found.values.max()) == (0.0, -3.6, 43.0)
    with pytest.raises(ScenarioError, match=r"hourly\[1682\]: time: found '2023-03-12T02:00', which the clocks of Ame"):
        real(Temperature, *file, zone=CHICAGO)


def test_the_typical_year_of_leesburg_covers_any_year(real):
    found = real(Temperature, "USA_VA_Leesburg.Exec.epw.gz", "dry_bulb", start="2028-02-28 05:00", days=3)
    by_hour = found.at(HOUR_S * np.arange(72)).reshape(3, 24)
    assert by_hour[0].tolist() == by_hour[1].tolist() != by_hour[2].tolist()
    whole = real(Temperature, "USA_VA_Leesburg.Exec.epw.gz", "dry_bulb")
    assert (whole.values.min(), whole.values.max()) == (-12.0, 37.0)
    assert all(later > before for before, later in itertools.pairwise(whole.time_s.tolist()))
