"""Orders in whole runs: against a brute force that sorts anew at each instant, and with tenants and stops."""

import math

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.registry import ORDERS
from sim.cli import main

LOG = """
name: orders
horizon: until-done
fleet: [{{pool: cpu, rack: plain, chips: 8}}]
workload: [{{class: log, kind: trace, format: csv, file: log.csv}}]
policy: {{order: {order}, backfill: {backfill}}}
"""
ROWS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 8), st.integers(1, 30), st.integers(1, 30), st.integers(0, 2)),
    min_size=1,
    max_size=40,
)
HALF_LIFE_S = 40.0


def wfp3(wait_s, estimate_s, chips):
    return -((wait_s / estimate_s) ** 3) * chips


def unicef(wait_s, estimate_s, chips):
    return -wait_s / (max(1, math.log2(chips)) * estimate_s)


def used_chip_s(stays, tenant, now_s):
    """Faded usage summed over all stays so far, each an integral of its chips."""
    rate = math.log(2) / HALF_LIFE_S
    mine = [(chips, from_s, min(to_s, now_s)) for who, chips, from_s, to_s in stays if who == tenant]
    return sum(c * (math.exp(-rate * (now_s - to)) - math.exp(-rate * (now_s - start))) / rate for c, start, to in mine)


def brute_force(rows, order, passes_head):
    """The starts by job if everybody is sorted anew by the values of now at each instant."""
    starts, running, waiting, stays = {}, [], [], []
    ahead = sorted(range(len(rows)), key=lambda at: (rows[at][0], at))
    while ahead or waiting:
        now_s = min([rows[at][0] for at in ahead[:1]] + [end_s for end_s, _ in running])
        running = [(end_s, chips) for end_s, chips in running if end_s > now_s]
        while ahead and rows[ahead[0]][0] == now_s:
            waiting.append(ahead.pop(0))

        def value(at, now_s=now_s):
            submit_s, chips, _, estimate_s, tenant = rows[at]
            if order in (wfp3, unicef):
                return order(now_s - submit_s, estimate_s, chips), submit_s, at
            return round(used_chip_s(stays, tenant, now_s), 9), submit_s, at

        blocked = set()
        for at in sorted(waiting, key=value):
            _, chips, run_s, _, tenant = rows[at]
            if chips in blocked or sum(held for _, held in running) + chips > 8:
                if not passes_head:
                    break
                blocked.add(chips)
                continue
            starts[at] = now_s
            running.append((now_s + run_s, chips))
            stays.append((tenant, chips, now_s, now_s + run_s))
            waiting.remove(at)
    return [starts[at] for at in range(len(rows))]


@pytest.mark.parametrize("backfill", ["none", "greedy"])
@pytest.mark.parametrize("order", ["wfp3", "unicef", "{fair-share: {half_life: 40 s}}"])
@settings(derandomize=True, deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_a_run_is_that_of_sorting_everybody_by_the_values_of_now(order, backfill, rows, simulated, tmp_path):
    lines = [f"{at},{submit},{chips},{run},{est},t{who}" for at, (submit, chips, run, est, who) in enumerate(rows)]
    (tmp_path / "log.csv").write_text("number,submit_s,chips,run_s,estimate_s,tenant\n" + "\n".join(lines) + "\n")
    jobs, _ = simulated(LOG.format(order=order, backfill=backfill))
    value = {"wfp3": wfp3, "unicef": unicef}.get(order)
    assert jobs.start_s[np.argsort(jobs.number)].tolist() == brute_force(rows, value, backfill == "greedy")


BUSY = """
name: busy
horizon: until-done
site:
  feed: 45 kW
  curtailment: [{at: [2 hours, 6 hours, 9 hours], for: 30 min, to: 20 kW}]
fleet: [{pool: dgx, rack: dgx-h100, count: 4}]
workload:
  - {class: small, kind: synthetic, chips: {choice: {1: 0.5, 4: 0.3, 8: 0.2}}, arrivals: {per_hour: 8}, jobs: 80,
     duration: {lognormal: {median: 1 hour, sigma: 1}}, tenant: {choice: {a: 0.7, b: 0.3}}, priority: 2,
     deadline: {uniform: [1 hour, 6 hours]}}
  - {class: large, kind: synthetic, chips: 16, duration: 2 hours, arrivals: {per_hour: 0.5}, jobs: 6, tenant: b}
policy: {backfill: BACKFILL, power: shed}
"""


@pytest.fixture
def saved(tmp_path):
    """Runs a scenario text into a folder; the summary, the jobs and the resolved text."""

    def run(text, *options, out="out"):
        (tmp_path / "busy.yaml").write_text(text)
        words = ["run", str(tmp_path / "busy.yaml"), "--quiet", "--no-render", "--out", str(tmp_path / out), *options]
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, done.output
        return tmp_path / out

    return run


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_ends_a_run_with_stops_and_its_resolved_copy_gives_the_same_bytes(order, saved):
    backfill = {"fifo": "easy", "las": "none", "wfp3": "easy", "drf": "easy", "srtf": "none"}.get(order, "greedy")
    first = saved(BUSY.replace("BACKFILL", backfill), "--policy", f"order={order}")
    jobs = pl.read_parquet(first / "jobs.parquet")
    assert jobs["end_s"].null_count() == 0
    assert jobs["preemptions"].sum() > 0
    again = saved((first / "scenario.yaml").read_text(), out="again")
    for name in ("scenario.yaml", "summary.json", "jobs.parquet", "timeline.parquet"):
        assert (first / name).read_bytes() == (again / name).read_bytes()


def test_missed_deadlines_are_counted_from_the_job_rows(saved):
    summary_of = {}
    for order in ("fifo", "deadline"):
        folder = saved(BUSY.replace("BACKFILL", "greedy"), "--policy", f"order={order}", out=order)
        jobs = pl.read_parquet(folder / "jobs.parquet")
        due = jobs.filter(pl.col("deadline_s").is_not_null())
        assert set(due["job_class"]) == {"small"}
        after_s = due["deadline_s"] - due["submit_s"]
        assert after_s.min() >= 3600 and after_s.max() <= 6 * 3600
        summary_of[order] = summary = pl.read_json(folder / "summary.json").row(0, named=True)
        assert summary["deadline_missed_jobs"] == (due["end_s"] > due["deadline_s"]).sum()
        assert summary["deadline_missed_fraction"] == summary["deadline_missed_jobs"] / len(due)
        assert summary["small/deadline_missed_jobs"] == summary["deadline_missed_jobs"]
        assert "large/deadline_missed_jobs" not in summary
    assert summary_of["deadline"]["deadline_missed_jobs"] < summary_of["fifo"]["deadline_missed_jobs"]


def test_parameters_of_an_order_are_written_out(saved):
    folder = saved(BUSY.replace("BACKFILL", "easy"), "--policy", "order=las")
    assert "las:\n      thresholds:\n      - 1 hour\n      - 10 hours\n" in (folder / "scenario.yaml").read_text()
    folder = saved(
        BUSY.replace("BACKFILL", "easy"), "--set", "policy.order={fair-share: {half_life: 3 days}}", out="fair"
    )
    assert "fair-share:\n      half_life: 3 days\n" in (folder / "scenario.yaml").read_text()
