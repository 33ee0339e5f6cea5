"""Waiting times against queueing theory: the theory lies in a 99 % interval that is tighter than 3 %.

The seeds are 1 to REPLICATIONS and were chosen before the first run. Each replication drops its first jobs.
"""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import stdtrit

from sim.run import prepare
from sim.simulation import simulate

REPLICATIONS = 20

SCENARIO = """
name: theory
horizon: until-done
fleet: [{{pool: servers, rack: plain, chips: {servers}}}]
workload:
  - {{class: c, kind: synthetic, chips: 1, duration: {duration}, arrivals: {{per_hour: {per_hour}}}, jobs: {jobs}}}
policy: fifo
"""
SERVICE_S = 60.0


def mean_wait_s(text: str, tmp_path, dropped: int, until: str = "start_s") -> tuple[float, float]:
    """Mean over replications and half of the 99 % interval (Student t); until "end_s" it is the response time."""
    path = tmp_path / "theory.yaml"
    path.write_text(text)
    prepared = prepare(path)
    means = []
    for seed in range(1, REPLICATIONS + 1):
        record = simulate(*prepared, seed)
        submit_s = np.concatenate([table.submit_s for _, table in record.tables])
        means.append(float(np.mean((np.array(getattr(record, until)) - submit_s)[dropped:])))
    half = float(stdtrit(REPLICATIONS - 1, 0.995)) * np.std(means, ddof=1) / math.sqrt(REPLICATIONS)
    return float(np.mean(means)), float(half)


def erlang_c_wait_s(servers: int, load: float) -> float:
    """Mean wait of M/M/c [s]; load in erlangs. Source: Erlang 1917; Kleinrock, Queueing Systems I, 1975, 3.5."""
    rho = load / servers
    tail = load**servers / math.factorial(servers) / (1 - rho)
    waits = tail / (sum(load**k / math.factorial(k) for k in range(servers)) + tail)
    return waits * SERVICE_S / (servers - load)


def pollaczek_khinchine_wait_s(rho: float, squared_variation: float) -> float:
    """Mean wait of M/G/1 [s]. Source: Kleinrock, Queueing Systems I, 1975, 5.6."""
    return rho / (1 - rho) * (1 + squared_variation) / 2 * SERVICE_S


@pytest.mark.parametrize(("servers", "load", "jobs"), [(1, 0.5, 15_000), (2, 1.0, 22_000), (4, 2.4, 80_000)])
def test_waits_of_m_m_c_agree_with_erlang_c(servers, load, jobs, tmp_path):
    duration = f"{{exponential: {{mean: {SERVICE_S} s}}}}"
    text = SCENARIO.format(servers=servers, duration=duration, per_hour=load * 3600 / SERVICE_S, jobs=jobs)
    mean, half = mean_wait_s(text, tmp_path, dropped=1000)
    theory = erlang_c_wait_s(servers, load)
    assert half < 0.03 * theory, f"the interval is {half / theory:.1%} wide: too few jobs to tell"
    assert abs(mean - theory) < half


@pytest.mark.parametrize(
    ("duration", "squared_variation", "jobs"),
    [
        (f"{SERVICE_S} s", 0.0, 10_000),
        (f"{{uniform: [0.001 s, {2 * SERVICE_S} s]}}", 1 / 3, 12_000),
        (f"{{lognormal: {{median: {SERVICE_S * math.exp(-0.18)} s, sigma: 0.6}}}}", math.expm1(0.36), 20_000),
    ],
)
def test_waits_of_m_g_1_agree_with_pollaczek_khinchine(duration, squared_variation, jobs, tmp_path):
    rho = 0.5
    text = SCENARIO.format(servers=1, duration=duration, per_hour=rho * 3600 / SERVICE_S, jobs=jobs)
    mean, half = mean_wait_s(text, tmp_path, dropped=1000)
    theory = pollaczek_khinchine_wait_s(rho, squared_variation)
    assert half < 0.03 * theory, f"the interval is {half / theory:.1%} wide: too few jobs to tell"
    assert abs(mean - theory) < half


def phipps_wait_s(rho: float) -> float:
    """Mean wait of M/M/1 under non-preemptive shortest job first with known sizes [s].

    W(x) = lambda E[S^2] / 2 / (1 - rho(x))^2 with rho(x) the load of jobs up to size x; here of exponential sizes.
    Source: Phipps, Operations Research 4(1), 1956; Conway, Maxwell and Miller, Theory of Scheduling, 1967, 8-6.
    """
    residual_s = rho * SERVICE_S  # lambda E[S^2] / 2, and E[S^2] = 2 E[S]^2

    def wait(size: float) -> float:  # in units of the mean service time
        load = rho * (1 - (1 + size) * math.exp(-size))
        return math.exp(-size) * residual_s / (1 - load) ** 2

    return float(quad(wait, 0, math.inf)[0])


def test_waits_of_shortest_job_first_agree_with_phipps(tmp_path):
    rho, jobs = 0.5, 9_000
    duration = f"{{exponential: {{mean: {SERVICE_S} s}}}}"
    text = SCENARIO.format(servers=1, duration=duration, per_hour=rho * 3600 / SERVICE_S, jobs=jobs)
    mean, half = mean_wait_s(text.replace("policy: fifo", "policy: sjf"), tmp_path, dropped=1000)
    theory = phipps_wait_s(rho)
    assert half < 0.03 * theory, f"the interval is {half / theory:.1%} wide: too few jobs to tell"
    assert abs(mean - theory) < half


def schrage_miller_response_s(rho: float) -> float:
    """Mean response of M/M/1 under preemptive shortest remaining time first with known sizes [s].

    T(x) = lambda (int_0^x t^2 f + x^2 (1 - F(x))) / 2 / (1 - rho(x))^2 + int_0^x dt / (1 - rho(t)); sizes exponential.
    Source: Schrage and Miller, Operations Research 14(4), 1966.
    """

    def load(size: float) -> float:  # of jobs up to a size, in units of the mean service time
        return rho * (1 - (1 + size) * math.exp(-size))

    def response(size: float) -> float:
        second = 2 - (size * size + 2 * size + 2) * math.exp(-size)  # int_0^x t^2 f
        wait = rho * (second + size * size * math.exp(-size)) / 2 / (1 - load(size)) ** 2
        return wait + float(quad(lambda age: 1 / (1 - load(age)), 0, size)[0])

    return SERVICE_S * float(quad(lambda size: math.exp(-size) * response(size), 0, 60)[0])


def test_responses_of_shortest_remaining_time_first_agree_with_schrage_and_miller(tmp_path):
    rho, jobs = 0.7, 12_000
    duration = f"{{exponential: {{mean: {SERVICE_S} s}}}}"
    free = "failures: {restart: 0 s, checkpoint: {stall: 0 s}}\n"
    text = SCENARIO.format(servers=1, duration=duration, per_hour=rho * 3600 / SERVICE_S, jobs=jobs) + free
    srtf = "policy: {order: srtf, backfill: none, preemption: {order: {min_run: 0 s}}}"
    mean, half = mean_wait_s(text.replace("policy: fifo", srtf), tmp_path, dropped=1000, until="end_s")
    theory = schrage_miller_response_s(rho)
    assert half < 0.03 * theory, f"the interval is {half / theory:.1%} wide: too few jobs to tell"
    assert abs(mean - theory) < half
