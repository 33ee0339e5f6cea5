"""Synthetic jobs: the rate and its shapes, the end of a class, and what a changed law leaves as it was."""

import datetime
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.estimates import estimated
from scenarios.jobs import BATCH_JOBS
from scenarios.synthetic import PEAK_HOUR_UTC, arrival_times, drawn_jobs, peak_to_mean, rate_shape
from scenarios.units import DAY_S, HOUR_S
from scenarios.workload import Arrivals, Synthetic

fixed = settings(derandomize=True, deadline=None, max_examples=50)
THURSDAY = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
MONDAY = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
WEEK_S = 7 * DAY_S
COLUMNS = ("submit_s", "chips", "work", "estimate", "portable", "tenant")
KEYS = {
    "class": "w",
    "kind": "synthetic",
    "chips": {"choice": [1, 2, 4]},
    "duration": {"exponential": {"mean": "1 hour"}},
    "arrivals": {"per_hour": 30},
    "estimate": {"factor": {"uniform": [1, 3]}},
    "tenant": {"choice": ["a", "b"]},
}


def jobs(end_s=math.inf, seed=3, start=THURSDAY, **changed):
    """All jobs of the class as one array a column."""
    work = Synthetic.model_validate({**KEYS, **changed})
    tables = drawn_jobs(work, seed, start, end_s)
    if work.estimate is not None:
        tables = estimated(tables, work.estimate, work.job_class, seed, lambda jobs: np.ones(len(jobs)))
    tables = list(tables)
    return {name: np.concatenate([getattr(table, name) for table in tables]) for name in ("number", *COLUMNS)}


def shaped(**shape):
    return {"arrivals": {"per_hour": 30, **shape}}


@pytest.mark.parametrize(
    "shape", [{}, {"daily_peak_to_mean": 1.8}, {"weekend": 0.2}, {"daily_peak_to_mean": 1.5, "weekend": 2}], ids=str
)
def test_the_mean_rate_over_whole_weeks_is_the_one_asked_for_whatever_the_shape(shape):
    assert len(jobs(8 * WEEK_S, **shaped(**shape))["number"]) == pytest.approx(30 * 24 * 56, rel=0.02)


def test_a_rate_a_day_is_a_24th_of_the_rate_an_hour():
    assert Arrivals(per_day=48).per_s == pytest.approx(Arrivals(per_hour=2).per_s)


def test_flat_arrivals_are_poisson():
    counts, _ = np.histogram(jobs(8 * WEEK_S)["submit_s"], bins=np.arange(0, 8 * WEEK_S + 1, HOUR_S))
    assert counts.var() / counts.mean() == pytest.approx(1.0, abs=0.12)


def test_the_weekend_of_the_calendar_has_its_share_of_the_rate():
    day = (jobs(8 * WEEK_S, **shaped(weekend=0.5))["submit_s"] // DAY_S).astype(int)
    weekend = np.isin((THURSDAY.weekday() + day) % 7, (5, 6))
    assert (weekend.sum() / 2) / ((~weekend).sum() / 5) == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("start", [MONDAY, MONDAY.replace(hour=9, minute=30)], ids=str)
def test_a_day_peaks_at_the_peak_hour_of_the_calendar(start):
    began_h = start.hour + start.minute / 60
    hour = (jobs(8 * WEEK_S, start=start, **shaped(daily_peak_to_mean=1.6))["submit_s"] / HOUR_S + began_h) % 24
    mean = len(hour) / 24
    assert (np.abs(hour - PEAK_HOUR_UTC) < 0.5).sum() / mean == pytest.approx(1.6, rel=0.05)
    assert (np.abs(hour - (PEAK_HOUR_UTC - 12)) < 0.5).sum() / mean == pytest.approx(0.4, rel=0.1)


def test_the_shape_is_highest_at_the_peak_hour_to_the_minute():
    minutes = np.arange(0, DAY_S, 60.0)
    start = MONDAY.replace(hour=9, minute=30)
    shape = rate_shape(Arrivals(per_hour=1, daily_peak_to_mean=1.6), start, minutes)
    assert minutes[shape.argmax()] == (PEAK_HOUR_UTC - 9.5) * HOUR_S
    assert shape.max() == pytest.approx(1.6)


shapes = st.builds(
    Arrivals, per_hour=st.just(1.0), daily_peak_to_mean=st.floats(1, 2), weekend=st.floats(0, 20, allow_subnormal=False)
)


@fixed
@given(shapes, st.datetimes(timezones=st.just(datetime.UTC)))
def test_the_shape_has_mean_one_over_any_week_and_never_exceeds_its_bound(arrivals, start):
    shape = rate_shape(arrivals, start, np.arange(0, WEEK_S, 300.0) + 150.0)
    assert shape.mean() == pytest.approx(1.0, rel=0.01)
    assert shape.min() >= -1e-12
    assert shape.max() <= peak_to_mean(arrivals) * (1 + 1e-12)


def test_a_weekend_without_arrivals_is_passed_over():
    saturday = MONDAY - datetime.timedelta(days=2)
    assert jobs(3 * DAY_S, start=saturday, **shaped(weekend=0))["submit_s"].min() >= 2 * DAY_S


@pytest.mark.parametrize("number", [1, BATCH_JOBS - 1, BATCH_JOBS, BATCH_JOBS + 1, 10_000])
@pytest.mark.parametrize("peak", [1, 1.5])
def test_a_class_ends_after_its_number_of_jobs(number, peak):
    made = jobs(jobs=number, **shaped(daily_peak_to_mean=peak))
    assert made["number"].tolist() == list(range(1, number + 1))
    assert (np.diff(made["submit_s"]) >= 0).all()


def test_the_horizon_ends_a_class_before_its_number_of_jobs():
    assert jobs(DAY_S, jobs=10_000)["submit_s"].max() <= DAY_S


def test_a_longer_horizon_has_the_same_first_jobs():
    short, long = jobs(10 * DAY_S), jobs(20 * DAY_S)
    first = len(short["number"])
    assert 0 < first < len(long["number"])
    for name in COLUMNS:
        assert long[name][:first].tolist() == short[name].tolist()
    assert long["submit_s"][first] > 10 * DAY_S


CHANGES = {
    "chips": ({"chips": {"uniform": [1, 8]}}, {"chips"}),
    "duration": ({"duration": {"lognormal": {"median": "2 h", "sigma": 1}}}, {"work", "estimate"}),
    "estimate": ({"estimate": {"factor": 2}}, {"estimate"}),
    "tenant": ({"tenant": {"choice": {"a": 0.9, "c": 0.1}}}, {"tenant"}),
    "rate": (shaped(per_hour=60), {"submit_s"}),
}


@pytest.mark.parametrize("what", CHANGES)
def test_changing_one_law_leaves_the_other_streams_as_they_were(what):
    change, moved = CHANGES[what]
    before, after = jobs(jobs=200), jobs(jobs=200, **change)
    assert {name for name in COLUMNS if before[name].tolist() != after[name].tolist()} == moved


def test_the_quantities_of_one_class_are_independent():
    made = jobs(jobs=10_000)
    gaps, factor = np.diff(made["submit_s"], prepend=0.0), made["estimate"] / made["work"]
    apart = np.corrcoef([gaps, made["chips"], made["work"], factor, made["tenant"]]) - np.eye(5)
    assert np.abs(apart).max() < 0.05


def test_another_seed_or_class_name_is_another_stream():
    first = jobs(jobs=5)["submit_s"].tolist()
    assert jobs(jobs=5)["submit_s"].tolist() == first
    assert jobs(jobs=5, seed=4)["submit_s"].tolist() != first
    assert jobs(jobs=5, **{"class": "v"})["submit_s"].tolist() != first


def test_the_estimate_is_the_run_time_unless_a_factor_is_given():
    without, given_factor = jobs(jobs=200, estimate=None), jobs(jobs=200)
    assert without["estimate"].tolist() == without["work"].tolist()
    factor = given_factor["estimate"] / given_factor["work"]
    assert 1 <= factor.min() < 1.1
    assert 2.9 < factor.max() <= 3


def test_arrival_times_rise_from_batch_to_batch():
    batches = arrival_times(Arrivals(per_hour=30, weekend=0.5), MONDAY, np.random.default_rng(1))
    times = np.concatenate(list(itertools.islice(batches, 3)))
    assert (np.diff(times) >= 0).all()
    assert times[0] > 0
