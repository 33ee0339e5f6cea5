"""Signals as markets and weather services publish them: times, numbers, units, steps, holes and years."""

import datetime
import os
import subprocess
import sys
from importlib import resources

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from scenarios.errors import ScenarioError
from scenarios.signal_keys import Carbon, Price, Temperature
from scenarios.signals import signal_series
from scenarios.units import DAY_S, HOUR_S

PER_MWH = 1 / 3.6e9
CHICAGO, BERLIN = "America/Chicago", "Europe/Berlin"


def at(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


@pytest.fixture
def read(tmp_path):
    """The series of a file's lines over some hours from a start."""

    def of(lines, start, hours=2.0, kind=Price, name="s.csv", **more):
        (tmp_path / name).write_text("\n".join(lines) + "\n")
        raw = {"file": str(tmp_path / name), "column": "price", "unit": "USD/MWh"} | more
        keys = TypeAdapter(kind).validate_python({key: value for key, value in raw.items() if value is not None})
        return signal_series(keys, "price", at(start), hours * HOUR_S, seed=1)

    return of


@pytest.fixture
def steps(read):
    """Hours since the start and USD/MWh of a file."""

    def of(lines, start, hours=2.0, **more):
        found = read(lines, start, hours, **more)
        return list(zip((found.time_s / HOUR_S).tolist(), (found.values / PER_MWH).round(9).tolist(), strict=True))

    return of


@pytest.fixture
def refusal(read, tmp_path):
    """The message of a file that is refused, after the folder."""

    def of(lines, start="2025-01-01", **more):
        with pytest.raises(ScenarioError) as error:
            read(lines, start, **more)
        return str(error.value).removeprefix(f"{tmp_path}/")

    return of


# times


@pytest.mark.parametrize(
    ("stamps", "zone"),
    [
        (["2025-10-24 23:00", "2025-10-24 24:00", "2025-10-25 01:00"], None),
        (["2025-10-24 23:00:00+00", "2025-10-25 00:00:00+00", "2025-10-25 01:00:00+00"], None),
        (["1761346800", "1761350400", "1761354000"], None),
        (["1761346800000", "1761350400000", "1761354000000"], None),
        (["10/24/2025 06:00:00 PM", "10/24/2025 7:00:00 PM", "10/24/2025 8:00:00 pm"], CHICAGO),
        (["24/10/2025 23:00:00", "25/10/2025 00:00:00", "25/10/2025 01:00:00"], None),
        (["25.10.2025 01:00", "25.10.2025 02:00", "25.10.2025 03:00"], BERLIN),
        (["25.10.2025 01:00 - 25.10.2025 02:00", "25.10.2025 02:00 - 25.10.2025 03:00"], BERLIN),
        (
            ["25/10/2025 01:00:00 (CEST) - 25/10/2025 02:00:00 (CEST)", "25/10/2025 02:00:00 - 25/10/2025 03:00:00"],
            BERLIN,
        ),
        (["24.10.2025 23:00 - 25.10.2025 00:00 (UTC)", "25.10.2025 00:00 - 25.10.2025 01:00 (UTC)"], BERLIN),
    ],
    ids=range(10),
)
def test_a_column_of_times_is_read_as_it_is_written(steps, stamps, zone):
    lines = ["time,price", *(f"{stamp},{n}" for n, stamp in enumerate(stamps))]
    assert steps(lines, "2025-10-24 23:00", zone=zone) == [(0, 0), (1, 1)]


@pytest.mark.parametrize("midnight", ["12:00:00 AM", "12:30:00 AM"])
def test_noon_and_midnight_of_a_12_hour_clock_are_told_apart(steps, midnight):
    lines = ["time,price", f"1/31/2025 {midnight},1", "1/31/2025 12:00:00 PM,2", "1/31/2025 1:00:00 PM,3"]
    begin = 0.5 if "30" in midnight else 0
    assert steps(lines, "2025-01-31 00:30", hours=13) == [(begin - 0.5, 1), (11.5, 2), (12.5, 3)]


def test_day_and_month_are_told_apart_by_the_whole_column_and_never_guessed(steps, refusal):
    days = ["1/2/2025,1", "2/2/2025,2", "3/2/2025,3"]
    assert steps(["time,price", *days, "13/2/2025,4"], "2025-02-01", hours=48) == [(0, 1), (24, 2)]
    assert steps(["time,price", "1/2/2025,1", "1/3/2025,2", "1/13/2025,4"], "2025-01-02", hours=48) == [(0, 1), (24, 2)]
    assert refusal(["time,price", *days]) == (
        "s.csv: found '1/2/2025' and no day after the 12th, so that day and month cannot be told apart; "
        "allowed: with order: mdy or dmy, as in time: {column: ..., order: mdy}"
    )
    dmy = {"time": {"column": "time", "order": "dmy"}}
    assert steps(["time,price", *days], "2025-02-01", hours=48, **dmy) == [(0, 1), (24, 2)]


ERCOT = {"date": "day", "hour_ending": "hour", "repeated": "flag"}


@pytest.mark.parametrize("form", ["{:02}:00", "{}"])
def test_hours_by_their_end_follow_the_flag_of_the_repeated_hour(steps, form):
    hours = [(24, "N"), (1, "N"), (2, "N"), (2, "Y"), (3, "N")]
    days = ["11/01/2025"] + ["11/02/2025"] * 4
    lines = ["day,hour,flag,price"]
    lines += [
        f"{day},{form.format(hour)},{flag},{n}" for n, (day, (hour, flag)) in enumerate(zip(days, hours, strict=True))
    ]
    order = ERCOT | {"order": "mdy"}
    found = steps(lines, "2025-11-02 04:00", hours=5, zone=CHICAGO, time=order)
    assert found == [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)]
    without_first_pass = [line for line in lines if ",N,2" not in line]
    assert steps(without_first_pass, "2025-11-02 04:00", hours=5, zone=CHICAGO, time=order) == [
        (0, 0),
        (1, 1),
        (3, 3),
        (4, 4),
    ]


def test_quarters_of_an_hour_have_numbers(steps):
    lines = ["day,hour,part,price", *(f"01/31/2025,{1 + n // 4},{1 + n % 4},{n}" for n in range(8))]
    keys = {"date": "day", "hour_ending": "hour", "quarter": "part"}
    assert steps(lines, "2025-01-31", time=keys) == [(n / 4, n) for n in range(8)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("01/31/2025,25,N,1", "time: found '25' as the end of an hour; allowed: 1 to 24, or 01:00 to 24:00"),
        ("01/31/2025,2,?,1", "time: found '?' as flag of the repeated hour; allowed: Y or N"),
        ("01/31/2025,2,Y,1", "time: found '01/31/2025 2', flagged as a repeated hour, which the clocks of America/Ch"),
        ("31/01/2025,2,N,1", "time: found '31/01/2025'; allowed: mm/dd/yyyy hh:mm, as in the rows before, of the ye"),
        ("2025-01-31,2,N,1", "time: found '2025-01-31'; allowed: mm/dd/yyyy hh:mm, as in the rows before, of the ye"),
    ],
    ids=range(5),
)
def test_a_time_that_is_written_otherwise_than_its_column_is_refused_by_its_line(refusal, row, said):
    lines = ["day,hour,flag,price", "01/31/2025,1,N,1", row]
    assert refusal(lines, zone=CHICAGO, time=ERCOT).startswith(f"s.csv:3: {said}")


def test_hours_beside_the_date_are_pointed_out_where_only_the_date_is_read(refusal):
    lines = ["day,hour,price", "01/31/2025,1,1", "01/31/2025,2,2"]
    assert "; hours in a column beside the date are time: {date: ..., hour_ending: ...}" in refusal(lines)


def test_rows_are_chosen_by_the_texts_of_other_columns(steps, refusal):
    lines = ["time,node,price", "2025-01-01 00:00,7,1", "2025-01-01 00:00,8,9", "2025-01-01 01:00,7,2"]
    assert steps(lines, "2025-01-01", where={"node": 7}) == [(0, 1), (1, 2)]
    assert refusal(lines, where={"node": "9"}) == "s.csv: holds no row of node '9'"


# numbers


@pytest.mark.parametrize(
    ("lines", "more"),
    [
        (['# made up, "of', "time;price", "# and", "2025-01-01;-1250,75", "2025-01-02;5"], {}),
        (["time\tprice", "2025-01-01\t-1250.75", "2025-01-02\t5"], {}),
        (["time,price", '2025-01-01,"-1250,75"', "2025-01-02,5"], {}),
        (["time,price", '2025-01-01,"-1.250,75"', "2025-01-02,5"], {}),
        (["time,price", '2025-01-01,"-1,250.75"', "2025-01-02,5"], {}),
        (["time;price", "2025-01-01;-1.250,750", "2025-01-02;5"], {"decimal": "comma"}),
    ],
    ids=range(6),
)
def test_separators_comments_and_decimal_commas_are_told_from_the_file(steps, lines, more):
    assert steps(lines, "2025-01-01", hours=25, **more) == [(0, -1250.75), (24, 5)]


def test_a_comma_that_may_mean_either_is_refused_until_it_is_said(steps, refusal):
    lines = ["time,price", '2025-01-01,"1,250"', '2025-01-02,"1,500"']
    assert refusal(lines) == (
        "s.csv: found '1,250', whose comma may be of decimals or of thousands; allowed: with decimal: comma or point"
    )
    assert steps(lines, "2025-01-01", decimal="comma") == [(0, 1.25)]
    assert steps(lines, "2025-01-01", decimal="point") == [(0, 1250)]


def test_a_number_that_is_written_otherwise_than_its_column_is_refused_by_its_line(refusal):
    lines = ["time;price", "2025-01-01;1,5", "2025-01-02;1.5"]
    assert refusal(lines) == "s.csv:3: price: found '1.5'; allowed: a finite number"


# units

FILE = {"file": "/p.csv", "column": "price"}


@pytest.mark.parametrize(
    ("unit", "rate", "usd_per_mwh"),
    [
        ("EUR/MWh", "1.08 USD/EUR", 1.08),
        ("€/MWh", "1.08 USD/EUR", 1.08),
        ("GBP/kWh", "1.25 USD/GBP", 1250.0),
        ("JPY/kWh", "0.0067 USD/JPY", 6.7),
        ("ct/kWh", "1.08 USD/EUR", 10.8),
        ("ct/kWh", "1 USD/USD", 10.0),
        ("USD/MWh", None, 1.0),
    ],
)
def test_a_currency_is_taken_by_its_stated_rate(unit, rate, usd_per_mwh):
    keys = FILE | {"unit": unit} | ({} if rate is None else {"rate": rate})
    factor = TypeAdapter(Price).validate_python(keys).factor(unit)
    assert factor == pytest.approx(usd_per_mwh * PER_MWH, rel=1e-12)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"unit": "EUR/MWh"}, "found 'EUR/MWh'; allowed: with its rate, such as rate: 1.08 USD/EUR"),
        ({"unit": "EUR/MWh", "rate": "1.3 USD/GBP"}, "found 'EUR/MWh'; allowed: with its rate, such as rate: 1.08 USD"),
        ({"unit": "ct/kWh"}, "found 'ct/kWh'; allowed: with its rate, such as rate: 1.08 USD/EUR"),
        ({"unit": "USD/MWh", "rate": "1.08 USD/EUR"}, "found 'USD/MWh', which needs no rate; allowed: with it such as"),
        ({"unit": "EUR/MWh", "rate": "1.08 EUR/USD"}, "found '1.08 EUR/USD'; allowed: the US dollars of one of a cur"),
        ({"unit": "EUR/MWh", "rate": "0 USD/EUR"}, "found '0 USD/EUR'; allowed: the US dollars of one of a currency"),
        ({"unit": "EUR/day", "rate": "1.08 USD/EUR"}, "found 'EUR/day'; allowed: a unit of an energy price, such as"),
        ({"unit": "EUR/MWh", "time": {"date": "d"}}, "allowed: date and hour_ending together"),
        ({"unit": "EUR/MWh", "time": {"order": "mdy"}}, "allowed: exactly one of column, date"),
        ({"unit": "USD/MWh", "years": "actual"}, "only an EPW file may be laid on every year; leave this key out"),
    ],
    ids=range(10),
)
def test_a_mistake_in_the_keys_of_a_published_file_says_what_is_allowed(more, said):
    with pytest.raises(ValidationError) as error:
        TypeAdapter(Price).validate_python(FILE | more)
    assert error.value.errors()[0]["msg"].startswith(said)


@pytest.mark.parametrize(
    ("unit", "g_per_kwh"),
    [
        ("gCO2eq/kWh", 1.0),
        ("gCO₂eq/kWh", 1.0),
        ("gCO2e/kWh", 1.0),
        ("lb/MWh", 0.45359237),
        ("lbs/MWh", 0.45359237),
        ("lbCO2/MWh", 0.45359237),
        ("kg/MWh", 1.0),
        ("kgCO2/MWh", 1.0),
        ("tCO2/MWh", 1000.0),
        ("tCO2eq/MWh", 1000.0),
    ],
)
def test_masses_of_carbon_are_known_by_the_names_that_people_give_them(unit, g_per_kwh):
    factor = TypeAdapter(Carbon).validate_python(FILE | {"unit": unit}).factor(unit)
    assert factor == pytest.approx(g_per_kwh / 3.6e6, rel=1e-12)


# steps and holes


def row(hours, price=1):
    moment = at("2025-01-01") + datetime.timedelta(hours=hours)
    return f"{moment:%Y-%m-%dT%H:%M}Z,{price}"


def test_the_last_row_lasts_as_long_as_the_last_step(read, refusal):
    quarters = [row(n / 4) for n in range(96)]
    hours = [row(n) for n in range(24, 48)]
    assert len(read(["time,price", *quarters, *hours], "2025-01-01", hours=48).time_s) == 1
    finer = ["time,price", *(row(n) for n in range(48)), *(row(48 + n / 4) for n in range(4))]
    assert refusal(finer, hours=49.25).startswith("s.csv: covers 2025-01-01 00:00 to 2025-01-03 01:00 UTC")


def test_a_span_says_what_the_last_row_lasts(read, refusal):
    lines = ["time,price", "31.01.2025 00:00 - 31.01.2025 01:00,1", "31.01.2025 01:00 - 31.01.2025 01:15,2"]
    assert read(lines, "2025-01-31", hours=1.25).values[-1] == pytest.approx(2 * PER_MWH)
    assert refusal(lines, "2025-01-31", hours=1.5).startswith("s.csv: covers 2025-01-31 00:00 to 2025-01-31 01:15 UTC")


def test_a_hole_is_warned_of_with_its_line_begin_and_length(read, tmp_path):
    hours = [*range(18), *range(42, 60), *range(66, 72)]
    found = read(["time,price", *(row(n) for n in hours)], "2025-01-01", hours=72)
    assert found.warnings == (
        f"{tmp_path}/s.csv:19: no row for 25 hours after 2025-01-01 17:00 UTC, the longest of 2 holes of the file; "
        "the value before holds",
    )


@pytest.mark.parametrize(
    "hours",
    [
        [n / 4 for n in range(96)] + list(range(24, 48)),
        [*range(24), *(24 + n / 4 for n in range(96))],
        [0, 1, 2, 3, 7, 8, 9],
        [0, 24],
        [0],
    ],
    ids=range(5),
)
def test_steps_that_change_and_a_few_rows_left_out_are_no_hole(read, hours):
    assert read(["time,price", *(row(n) for n in hours)], "2025-01-01", hours=0).warnings == ()


def test_a_hole_before_the_last_row_does_not_stretch_it(refusal):
    lines = ["time,price", *(row(n) for n in (0, 1, 2, 3, 27))]
    assert refusal(lines, hours=29).startswith("s.csv: covers 2025-01-01 00:00 to 2025-01-02 04:00 UTC")


def test_a_second_pass_without_rows_is_warned_of(read, tmp_path):
    stamps = [f"2025-11-02 {hour:02}:{minute:02}" for hour in range(4) for minute in (0, 30)]
    lines = ["time,price", *(f"{stamp},1" for stamp in stamps)]
    assert read(lines, "2025-11-02 05:00", zone=CHICAGO).warnings == (
        f"{tmp_path}/s.csv:5: the second pass of the hour that America/Chicago repeats has no row after "
        "2025-11-02 06:30 UTC; the value before holds",
    )
    whole = lines[:5] + lines[3:]
    assert read(whole, "2025-11-02 05:00", zone=CHICAGO).warnings == ()


# zones


def test_a_named_zone_is_that_of_the_package_whatever_the_system_has(tmp_path):
    (tmp_path / "America").mkdir()
    utc = resources.files("tzdata").joinpath("zoneinfo", "UTC").read_bytes()
    (tmp_path / "America" / "Edmonton").write_bytes(utc)
    code = (
        "import datetime, zoneinfo; from scenarios.signal_times import read_zone\n"
        "winter = datetime.datetime(2027, 1, 2)\n"
        "for zone in (zoneinfo.ZoneInfo('America/Edmonton'), read_zone('America/Edmonton')):\n"
        "    print(zone.utcoffset(winter).total_seconds() / 3600)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONTZPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["0.0", "-6.0"]  # IANA 2026f: no winter clock any more


# weather of actual years


def epw(first, days, an_hour=1, degc=lambda date, hour: date.day + hour / 100, minutes=(60,)):
    """An EPW text of so many days, in UTC."""
    lines = ["LOCATION,Nowhere,XX,YYY,,1,10.0,20.0,0.0,100.0", *(f"HEADER {n}" for n in range(2, 9))]
    for day in range(days):
        date = first + datetime.timedelta(days=day)
        for hour in range(1, 25):
            for part in range(an_hour):
                value = degc(date, hour + part / an_hour)
                minute = 60 * (part + 1) // an_hour
                lines.append(f"{date.year},{date.month},{date.day},{hour},{minute},?,{value:.4f},1,1")
    return lines


@pytest.fixture
def weather(read):
    def of(lines, start, hours, **more):
        more = {"column": "dry_bulb", "unit": None, "kind": Temperature, "name": "w.epw"} | more
        return read(lines, start, hours, **more)

    return of


def by_day(series, days, hour=12):
    return series.at(DAY_S * np.arange(days) + hour * HOUR_S).tolist()


LEAP = datetime.date(2024, 1, 1)


def test_february_29_of_a_file_is_that_of_leap_years_and_of_no_others(weather):
    lines = epw(LEAP, 366, degc=lambda date, hour: float(date.day))
    assert by_day(weather(lines, "2028-02-28", 72), 3) == [28, 29, 1]
    assert by_day(weather(lines, "2026-02-27", 72), 3) == [27, 28, 1]


def test_actual_years_have_their_own_dates_and_must_cover_the_run(weather, tmp_path):
    lines = epw(datetime.date(2023, 1, 1), 365 + 366, degc=lambda date, hour: (date.year - 2020) + date.day / 100)
    assert by_day(weather(lines, "2024-02-28", 72, years="actual"), 3) == [4.28, 4.29, 4.01]
    assert by_day(weather(lines, "2023-12-31", 48, years="actual"), 2) == [3.31, 4.01]
    with pytest.raises(ScenarioError) as error:
        weather(lines, "2026-02-28", 72, years="actual")
    assert str(error.value) == (
        f"{tmp_path}/w.epw: covers 2023-01-01 00:00 to 2025-01-01 00:00 UTC; the run needs 2026-02-28 00:00 to "
        "2026-03-03 00:00 (years: typical lays it on every year)"
    )


def test_a_file_with_several_rows_an_hour_is_read_in_their_steps(weather):
    lines = epw(datetime.date(2023, 1, 1), 365, an_hour=4, degc=lambda date, hour: hour)
    found = weather(lines, "2026-06-01", 1)
    assert (found.time_s.tolist(), found.values.tolist()) == ([0, 900, 1800, 2700], [1, 1.25, 1.5, 1.75])


@pytest.mark.parametrize(
    ("lines", "years", "said"),
    [
        (epw(LEAP, 365), None, "holds 8760 rows; allowed: the 8784 hours of a typical year"),
        (epw(LEAP, 366)[:-1], "actual", "holds 8783 rows; allowed: whole days of 24 rows"),
        (epw(LEAP, 366)[:8], "actual", "found '' as year; allowed with years: actual: its own year"),
        (
            epw(datetime.date(2023, 1, 1), 365, an_hour=2)[:-1],
            None,
            "holds 17519 rows; allowed: the 17520 rows, 2 an h",
        ),
        (epw(LEAP, 31) + epw(datetime.date(2020, 2, 1), 1)[8:], "actual", "allowed: year 2024, month 2, day 1, hour 1"),
    ],
    ids=range(5),
)
def test_what_remains_wrong_in_an_epw_file_is_said(weather, lines, years, said):
    with pytest.raises(ScenarioError) as error:
        weather(lines, "2024-01-01", 1, years=years)
    assert said in str(error.value)
