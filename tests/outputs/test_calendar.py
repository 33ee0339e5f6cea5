"""The time axis: round times, few of them, with the year or the day where it changes."""

import datetime

import pytest

from outputs.calendar import ticks_of

START = datetime.datetime(2025, 12, 22, 6, 30)


@pytest.mark.parametrize(
    ("length", "count", "first", "label"),
    [
        ({"minutes": 8}, 9, "2025-12-22 06:30", "06:30"),
        ({"hours": 3}, 7, "2025-12-22 06:30", "06:30"),
        ({"days": 2}, 8, "2025-12-22 12:00", "12:00"),
        ({"days": 9}, 9, "2025-12-23 00:00", "23 Dec"),
        ({"days": 60}, 8, "2025-12-29 00:00", "29 Dec"),
        ({"days": 365}, 6, "2026-01-01 00:00", "Jan"),
        ({"days": 1270}, 7, "2026-01-01 00:00", "Jan"),
    ],
)
def test_ticks_are_round_times_within_the_span(length, count, first, label):
    end = START + datetime.timedelta(**length)
    ticks, fine, _ = ticks_of(START, end)
    assert (f"{ticks[0]:%Y-%m-%d %H:%M}", f"{ticks[0]:{fine}}", len(ticks)) == (first, label, count)
    assert all(START <= tick <= end for tick in ticks)


@pytest.mark.parametrize(
    "seconds", [0, 1, 50, 3601, 86_400 * 2.9, 86_400 * 3.1, 86_400 * 69, 86_400 * 71, 86_400 * 9000]
)
def test_there_is_always_a_tick_and_never_a_crowd(seconds):
    ticks, _, _ = ticks_of(START, START + datetime.timedelta(seconds=seconds))
    assert 1 <= len(ticks) <= 11
