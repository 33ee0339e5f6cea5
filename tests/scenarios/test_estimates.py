"""What users say their jobs will take: how far off, for whom exact, in which round values and up to what."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.errors import ScenarioError
from scenarios.estimates import SHORTEST_S, Estimate, TraceEstimate, estimated, round_up
from scenarios.jobs import JobTable
from scenarios.units import HOUR_S
from scenarios.values import LONGEST_S

fixed = settings(derandomize=True, deadline=None, max_examples=50)
ROUND = ["15 min", "1 hour", "4 hours"]
N = 4_000


def table(work, estimate=None):
    """Jobs with so much to do, and what a trace says they will take."""
    work = np.asarray(work, float)
    n, zeros = len(work), np.zeros(len(work))
    said = work if estimate is None else np.asarray(estimate, float)
    return JobTable(
        np.arange(n), zeros, np.ones(n, int), work, said, zeros == 0, zeros.astype(int), zeros + math.inf, ("default",)
    )


def estimates(jobs, keys, seed=1, job_class="w", pace_s=1.0, batch=N):
    """The estimates of some jobs that come in batches."""
    pieces = (jobs._rows(slice(at, at + batch)) for at in range(0, len(jobs), batch))
    made = estimated(pieces, keys, job_class, seed, lambda jobs: np.full(len(jobs), pace_s))
    return np.concatenate([jobs.estimate for jobs in made])


@pytest.fixture(scope="module")
def work():
    """Run times of many jobs, from seconds to days."""
    return np.exp(np.random.default_rng(7).normal(7, 2, N)) + 1.0


def model(**keys):
    return Estimate.model_validate(keys)


def test_the_f_model_is_uniform_between_the_run_time_and_its_multiple(work):
    factor = estimates(table(work), model(factor={"uniform": [1.0, 5.0]})) / work
    assert 1 <= factor.min() < 1.01
    assert 4.99 < factor.max() <= 5
    counts, _ = np.histogram(factor, bins=8, range=(1, 5))
    assert np.abs(counts - N / 8).max() < 4 * math.sqrt(N / 8), "four standard deviations of a bin"


def test_a_share_of_the_jobs_is_exact_and_the_others_are_as_without_it(work):
    every = model(factor={"uniform": [2.0, 5.0]})
    some = model(factor={"uniform": [2.0, 5.0]}, accurate=0.25)
    before, after = estimates(table(work), every), estimates(table(work), some)
    exact = after == work
    assert exact.mean() == pytest.approx(0.25, abs=4 * math.sqrt(0.25 * 0.75 / N))
    assert after[~exact].tolist() == before[~exact].tolist()


def test_the_share_that_is_exact_is_not_rounded(work):
    asked = estimates(table(work), model(accurate=0.5, rounded_to=ROUND))
    exact = asked == work
    assert 0.4 < exact.mean() < 0.6
    assert (asked[~exact] == round_up(work[~exact], [900.0, 3600.0, 14400.0])).all()


@pytest.mark.parametrize(
    ("time_s", "rounded_s"),
    [
        (1, 900),
        (900, 900),
        (901, 3600),
        (3600, 3600),
        (3601, 14400),
        (14400, 14400),
        (14401, 28800),
        (100_000, 100_800),
    ],
)
def test_a_round_value_is_the_next_of_the_list_and_then_of_the_multiples_of_its_last(time_s, rounded_s):
    asked = estimates(table([time_s]), model(rounded_to=ROUND))
    assert asked.tolist() == [rounded_s]


@fixed
@given(st.floats(1, LONGEST_S / 10), st.sets(st.integers(1, 10**6), min_size=1, max_size=5))
def test_what_is_rounded_is_the_least_round_value_that_is_enough(time_s, values):
    rounded_s = round_up(np.array([time_s]), [float(value) for value in sorted(values)])[0]
    last = max(values)
    round_values = sorted({*values, last * math.floor(time_s / last), last * math.ceil(time_s / last)})
    assert rounded_s == min(value for value in round_values if value >= time_s)


def test_one_time_stands_for_its_multiples():
    assert estimates(table([1, 1800, 1801]), model(rounded_to="30 min")).tolist() == [1800, 1800, 3600]


def test_nobody_asks_for_more_than_the_queue_allows_not_even_who_needs_it():
    keys = model(factor=3.0, accurate=0.5, rounded_to=ROUND, at_most="2 hours")
    assert set(estimates(table([HOUR_S] * 200 + [3 * HOUR_S] * 200), keys).tolist()) == {3600, 7200}


def test_a_factor_without_end_stands_for_those_who_ask_for_the_most(work):
    """As Tsafrir and others found: many simply ask for the maximum."""
    asked = estimates(table(work), model(factor={"choice": {1.0: 0.7, 1e9: 0.3}}, at_most="30 days"))
    assert (asked == 30 * 24 * HOUR_S).mean() == pytest.approx(0.3, abs=0.03)
    assert ((asked == work) | (asked == 30 * 24 * HOUR_S)).all()


@pytest.mark.parametrize(
    "keys", [{"factor": 1e-12}, {"factor": 1e15}, {"factor": {"pareto": {"minimum": 1.0, "alpha": 0.001}}}]
)
def test_an_estimate_is_a_second_at_least_and_a_thousand_years_at_most(work, keys):
    asked = estimates(table(work), model(**keys))
    assert np.isfinite(asked).all()
    assert asked.min() >= SHORTEST_S
    assert asked.max() <= LONGEST_S


def test_a_trace_is_distorted_from_its_run_times_or_from_what_it_says():
    jobs = table([100, 200], estimate=[500, 600])
    assert estimates(jobs, TraceEstimate.model_validate({"factor": 2.0})).tolist() == [200, 400]
    assert estimates(jobs, TraceEstimate.model_validate({"factor": 2.0, "of": "trace"})).tolist() == [1000, 1200]
    assert estimates(jobs, TraceEstimate.model_validate({"of": "trace", "rounded_to": "1000 s"})).tolist() == [1000] * 2


def test_who_is_accurate_says_the_run_time_whatever_the_trace_says():
    jobs = table([100] * 50, estimate=[500] * 50)
    keys = TraceEstimate.model_validate({"of": "trace", "accurate": 0.5})
    assert set(estimates(jobs, keys).tolist()) == {100, 500}


def test_tokens_are_rounded_by_what_they_take_in_the_fastest_pool():
    asked = estimates(table([1e6, 4e6, 1e9]), model(rounded_to=["1000 s"]), pace_s=5e-4)
    assert asked * 5e-4 == pytest.approx([1000, 2000, 500_000], rel=1e-12)
    assert asked[2] == 1e9, "what is round already stays to the bit"


def test_a_job_that_may_use_no_pool_keeps_its_estimate_in_its_own_units():
    keys = model(factor=2.0, rounded_to=["1000 s"])
    assert estimates(table([1e6]), keys, pace_s=math.nan).tolist() == [2e6]


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_batches_of_any_size_have_the_same_estimates(work, batch):
    keys = model(factor={"lognormal": {"median": 2.0, "sigma": 1.0}}, accurate=0.2, rounded_to=ROUND)
    jobs = table(work[:300])
    assert estimates(jobs, keys, batch=batch).tolist() == estimates(jobs, keys).tolist()


def test_a_class_and_a_seed_have_estimates_of_their_own(work):
    keys, jobs = model(factor={"uniform": [1.0, 5.0]}), table(work[:20])
    assert estimates(jobs, keys).tolist() == estimates(jobs, keys).tolist()
    assert estimates(jobs, keys, seed=2).tolist() != estimates(jobs, keys).tolist()
    assert estimates(jobs, keys, job_class="v").tolist() != estimates(jobs, keys).tolist()


A_TIME = "allowed: a time with its unit, such as '30 days'"
MISTAKES = [
    ("{}", "estimate: allowed: at least one of factor, accurate, rounded_to, at_most"),
    ("{factor: 0}", "estimate.factor: found 0; allowed: greater than or equal to 0.000000000000001"),
    ("{factor: 1 hour}", "estimate.factor: found '1 hour'; allowed: a number"),
    ("{accurate: 1.2}", "estimate.accurate: found 1.2; allowed: less than or equal to 1"),
    ("{rounded_to: 900}", f"estimate.rounded_to: found 900 (a bare number); {A_TIME}"),
    ("{rounded_to: [1 hour, 4]}", f"estimate.rounded_to.1: found 4 (a bare number); {A_TIME}"),
    ("{rounded_to: []}", "estimate.rounded_to: found []; allowed: at least one item"),
    ("{rounded_to: [1 hour, 15 min]}", "estimate.rounded_to: allowed: times that rise"),
    ("{rounded_to: 0.5 s}", "estimate.rounded_to: found '0.5 s'; allowed: at least 1 s"),
    ("{at_most: 0 s}", "estimate.at_most: found '0 s'; allowed: at least 1 s"),
    ("{round_to: 1 hour}", "estimate.round_to: unknown key; did you mean 'rounded_to'? (allowed: factor, accurate, "),
    ("{factor: 2, of: trace}", "estimate.of: unknown key"),
    ("{factor: {empirical: {file: lost.csv, column: f}}}", "estimate.factor: no such file: "),
]


@pytest.mark.parametrize(("wrong", "message"), MISTAKES)
def test_a_mistake_is_refused_at_its_line(loaded, wrong, message):
    text = """\
name: a
horizon: 7 days
fleet: [{pool: cpu, rack: plain, chips: 8}]
workload:
  - class: w
    kind: synthetic
    chips: 1
    duration: 1 hour
    arrivals: {per_hour: 4}
    estimate: """
    with pytest.raises(ScenarioError) as error:
        loaded(f"{text}{wrong}\n")
    assert f"s.yaml:10: workload.w.{message}" in str(error.value)


def test_a_trace_has_its_own_mistakes(loaded, tmp_path):
    (tmp_path / "log.csv").write_text("number,submit_s,chips,run_s\n1,0,1,5\n")
    text = "name: a\nhorizon: 1 day\nfleet: [{pool: cpu, rack: plain, chips: 8}]\nworkload:\n"
    text += "  - {class: log, kind: trace, format: csv, file: log.csv, estimate: {of: user}}\n"
    with pytest.raises(
        ScenarioError, match=r"workload\.log\.estimate\.of: found 'user'; allowed: 'run-time' or 'trace'"
    ):
        loaded(text)
