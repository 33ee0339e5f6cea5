"""Estimates in whole runs: of every kind of class, the same under every policy, and again from the resolved copy."""

import filecmp
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from sim.run import run

ROUND_S = np.array([900.0, 3600.0, 14400.0, 86400.0])
MODEL = "{factor: {uniform: [1, 5]}, accurate: 0.2, rounded_to: [15 min, 1 hour, 4 hours, 1 day], at_most: 10 days}"
MIXED = f"""
name: mixed
horizon: 4 days
seed: 3
site: {{feed: 600 kW}}
fleet: [{{pool: blackwell, rack: gb200-nvl72, count: 2}}, {{pool: trainium, rack: trn2-ultraserver, count: 2}}]
workload:
  - {{class: tune, kind: fine-tuning, model: llama3-8b, chips: {{choice: [16, 64]}}, arrivals: {{per_hour: 1}},
     tokens: {{lognormal: {{median: 1e9, sigma: 1}}}}, stacks: [cuda, neuron], portable_share: 0.5, estimate: {MODEL}}}
  - {{class: drawn, kind: synthetic, chips: 8, duration: {{exponential: {{mean: 2 hours}}}}, arrivals: {{per_hour: 1}},
     estimate: {MODEL}}}
  - {{class: log, kind: trace, format: csv, file: log.csv, estimate: {MODEL}}}
  - {{class: asked, kind: trace, format: csv, file: log.csv, estimate: {{of: trace, rounded_to: 15 min}}}}
  - {{class: plain, kind: trace, format: csv, file: log.csv}}
"""


def quietly(path: Path, out: Path, *settings: str) -> Path:
    return run(path, [(text, "--set") for text in settings], None, out, False, False, lambda _: None).folder


@pytest.fixture(scope="module")
def mixed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("mixed")
    rows = "".join(f"{n},{n * 700},4,{n * 37 % 9000 + 1},{n * 61 % 9000}\n" for n in range(1, 301))
    (folder / "log.csv").write_text("number,submit_s,chips,run_s,estimate_s\n" + rows)
    (folder / "mixed.yaml").write_text(MIXED)
    return quietly(folder / "mixed.yaml", folder / "out")


def jobs_of(folder: Path, job_class: str) -> pl.DataFrame:
    return pl.read_parquet(folder / "jobs.parquet").filter(job_class=job_class)


def is_round(time_s: np.ndarray) -> np.ndarray:
    days = np.round(time_s / 86400) * 86400
    among = np.isclose(time_s[:, None], ROUND_S, rtol=1e-9, atol=0).any(axis=1)
    return among | ((days > 0) & np.isclose(time_s, days, rtol=1e-9, atol=0))


@pytest.mark.parametrize("job_class", ["drawn", "log"])
def test_jobs_of_a_law_or_a_log_ask_for_round_times_or_exactly_what_they_take(mixed, job_class):
    jobs = jobs_of(mixed, job_class)
    run_s, estimate_s = (jobs["work"] / jobs["chips"]).to_numpy(), jobs["estimate_s"].to_numpy()
    exact = np.isclose(estimate_s, run_s, rtol=1e-12)
    assert 0.1 < exact.mean() < 0.3
    assert (is_round(estimate_s) | exact).all()
    assert (estimate_s >= run_s * (1 - 1e-12)).all()


def test_jobs_in_tokens_ask_for_round_times_in_the_fastest_pool_that_they_may_use(mixed):
    jobs = jobs_of(mixed, "tune").filter(pl.col("status") == "completed")
    pace_s = jobs.with_columns(pace_s=pl.col("run_s") / pl.col("work"))
    ran = {
        (pool, chips): pace
        for pool, chips, pace in pace_s.group_by("pool", "chips").agg(pl.col("pace_s").median()).rows()
    }
    fastest = np.array([ran["blackwell", chips] for chips in jobs["chips"]])
    assert all(ran["blackwell", chips] < ran["trainium", chips] for chips in (16, 64))
    own = np.array([ran[key] for key in jobs.select("pool", "chips").rows()])
    estimate_s = jobs["estimate_s"].to_numpy() * fastest / own
    exact = np.isclose(estimate_s, jobs["work"].to_numpy() * fastest, rtol=1e-9)
    assert 0.05 < exact.mean() < 0.4
    assert {"blackwell", "trainium"} <= set(jobs["pool"])
    assert (is_round(estimate_s) | exact).all()


def test_a_trace_keeps_its_own_estimates_or_has_them_distorted(mixed):
    plain, asked = (jobs_of(mixed, name)["estimate_s"].to_numpy() for name in ("plain", "asked"))
    assert plain.tolist() == [n * 61 % 9000 for n in range(1, 301)]
    assert asked.tolist() == np.maximum(1, np.ceil(plain / 900) * 900).tolist()


def test_every_policy_meets_the_same_estimates(mixed, tmp_path):
    other = quietly(mixed.parent / "mixed.yaml", tmp_path / "other", "policy=sjf-easy", "policy.power=oversubscribe")
    columns = ["job_id", "submit_s", "chips", "work", "estimate_s"]
    mine, theirs = (pl.read_parquet(folder / "jobs.parquet") for folder in (mixed, other))
    assert (mine["start_s"] != theirs["start_s"]).any()
    # a job in tokens has its estimate in the pool where it ran
    told = [table.filter(pl.col("job_class") != "tune").select(columns).rows() for table in (mine, theirs)]
    assert told[0] == told[1]


def test_the_resolved_scenario_gives_the_same_bytes(mixed, tmp_path):
    again = quietly(mixed / "scenario.yaml", tmp_path / "again")
    names = [path.name for path in mixed.iterdir() if path.name != "run.json"]
    assert filecmp.cmpfiles(mixed, again, names, shallow=False) == (names, [], [])


@pytest.mark.parametrize(
    ("model", "third_s"),
    [("null", 2), ("{factor: 2}", 2), ("{rounded_to: 1000 s}", 2000), ("{accurate: 1, rounded_to: 1000 s}", 2)],
)
def test_backfilling_plans_with_what_users_say(tmp_path, model, third_s):
    """Three of four chips are held up to 1000 s, the head needs all; 900 s end before that, 1000 s would not."""
    (tmp_path / "log.csv").write_text("number,submit_s,chips,run_s\n1,0,3,1000\n2,1,4,1000\n3,2,1,900\n")
    text = "name: a\nhorizon: until-done\nfleet: [{pool: cpu, rack: plain, chips: 4}]\npolicy: easy\n"
    text += "workload: [{class: w, kind: trace, format: csv, file: log.csv}]\n"
    (tmp_path / "a.yaml").write_text(text)
    folder = quietly(tmp_path / "a.yaml", tmp_path / "out", f"workload.w.estimate={model}")
    assert jobs_of(folder, "w")["start_s"].to_list() == [0, 1000, third_s]
