"""The run folder: whole or not at all, the same bytes, and numbers that can be recomputed from its job rows."""

import filecmp
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from scenarios.files import find
from scenarios.load import load
from sim.run import run

TWO_POOLS = """
name: two
start: 2026-03-02T06:00:00
horizon: 6 days
warmup: 1 day
seed: 3
fleet: [{pool: a, rack: dgx-h100, count: 3}, {pool: b, rack: dgx-h100, count: 2}]
workload:
  - {class: big, kind: synthetic, chips: {choice: [8, 16, 24, 64]}, duration: {lognormal: {median: 2 hours, sigma: 1}},
     arrivals: {per_hour: 0.7}, estimate: {factor: {uniform: [1, 2]}}}
  - {class: small, kind: synthetic, chips: {uniform: [1, 4]}, duration: {exponential: {mean: 90 min}},
     arrivals: {per_hour: 4, daily_peak_to_mean: 1.5, weekend: 0.4}, tenant: {choice: [x, y]}}
"""


def quietly(path: Path, out: Path, *settings: str) -> Path:
    return run(path, [(text, "--set") for text in settings], None, out, False, False, lambda _: None).folder


@pytest.fixture(scope="module")
def two_pools(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    (folder / "two.yaml").write_text(TWO_POOLS)
    return quietly(folder / "two.yaml", folder / "out")


def held_chip_s(jobs: pl.DataFrame, from_s: float, to_s: float) -> float:
    ran = jobs.filter(pl.col("start_s").is_not_null())
    ends = ran["end_s"].fill_null(to_s).to_numpy()
    inside = np.clip(ends, from_s, to_s) - np.clip(ran["start_s"].to_numpy(), from_s, to_s)
    return float((ran["chips"].to_numpy() * inside).sum())


def test_utilization_is_what_the_job_rows_say(two_pools):
    summary = json.loads((two_pools / "summary.json").read_text())
    jobs = pl.read_parquet(two_pools / "jobs.parquet")
    window_s = 5 * 86_400
    held = held_chip_s(jobs, 86_400, 6 * 86_400)
    assert 0.5 < summary["utilization_fraction"] < 1
    assert summary["utilization_fraction"] == pytest.approx(held / (40 * window_s), rel=1e-12)
    for pool, chips in (("a", 24), ("b", 16)):
        alone = held_chip_s(jobs.filter(pool=pool), 86_400, 6 * 86_400)
        assert summary[f"{pool}/utilization_fraction"] == pytest.approx(alone / (chips * window_s), rel=1e-12)


def test_the_queue_is_what_the_job_rows_say(two_pools):
    summary = json.loads((two_pools / "summary.json").read_text())
    jobs = pl.read_parquet(two_pools / "jobs.parquet").filter(pl.col("status") != "rejected")
    left_s = jobs["start_s"].fill_null(6 * 86_400).clip(86_400, 6 * 86_400)
    waits = (left_s - jobs["submit_s"].clip(86_400, 6 * 86_400)).to_numpy()
    assert summary["queue_mean_jobs"] == pytest.approx(waits.sum() / (5 * 86_400), rel=1e-9)
    waiting_chip_h = (waits * jobs["chips"].to_numpy()).sum() / 3600
    assert summary["queue_mean_chips"] == pytest.approx(waiting_chip_h * 3600 / (5 * 86_400), rel=1e-9)
    reasons = [value for key, value in summary.items() if key.startswith("waiting_") and key.endswith("_chip_h")]
    assert sum(reasons) == pytest.approx(waiting_chip_h, rel=1e-9)


def test_every_job_has_one_status_and_the_counts_add_up(two_pools):
    summary = json.loads((two_pools / "summary.json").read_text())
    jobs = pl.read_parquet(two_pools / "jobs.parquet").filter(pl.col("submit_s") >= 86_400)
    counts = dict(jobs["status"].value_counts().iter_rows())
    assert counts == {
        "completed": summary["completed_jobs"],
        "running": summary["running_at_end_jobs"],
        "waiting": summary["waiting_at_end_jobs"],
        "rejected": summary["rejected_jobs"],
    }
    assert summary["submitted_jobs"] == len(jobs) == summary["big/submitted_jobs"] + summary["small/submitted_jobs"]
    assert jobs.filter(status="rejected")["chips"].unique().to_list() == [64]
    assert jobs.filter(status="rejected")["reason"].unique().to_list() == ["larger than every pool it may use"]
    assert set(jobs.filter(status="rejected")["pool"]) == {None}


def test_waits_and_slowdowns_are_what_the_job_rows_say(two_pools):
    summary = json.loads((two_pools / "summary.json").read_text())
    jobs = pl.read_parquet(two_pools / "jobs.parquet").filter(pl.col("submit_s") >= 86_400)
    waits = jobs["wait_s"].drop_nulls().to_numpy()
    assert summary["wait_mean_s"] == pytest.approx(waits.mean())
    assert summary["wait_p99_s"] == pytest.approx(np.percentile(waits, 99))
    done = jobs.filter(status="completed")
    assert done["end_s"].is_not_null().all() and len(done) < len(jobs)
    jct_s = (done["end_s"] - done["submit_s"]).to_numpy()
    for name, value in (("mean", jct_s.mean()), ("p50", np.median(jct_s)), ("max", jct_s.max())):
        assert summary[f"jct_{name}_s"] == pytest.approx(value)
    for percent in (95, 99):
        assert summary[f"jct_p{percent}_s"] == pytest.approx(np.percentile(jct_s, percent))
    small_s = done.filter(job_class="small").select(pl.col("end_s") - pl.col("submit_s")).to_series()
    assert summary["small/jct_mean_s"] == pytest.approx(small_s.mean())
    slowdown = np.maximum(1, (done["wait_s"] + done["run_s"]) / np.maximum(done["run_s"].to_numpy(), 10))
    assert summary["bounded_slowdown_mean_ratio"] == pytest.approx(slowdown.mean())
    assert summary["makespan_s"] == done["end_s"].max() - jobs["submit_s"].min()


def test_no_more_chips_are_held_than_installed_at_any_instant(two_pools):
    jobs = pl.read_parquet(two_pools / "jobs.parquet").filter(pl.col("start_s").is_not_null())
    timeline = pl.read_parquet(two_pools / "timeline.parquet")
    for pool, installed in (("a", 24), ("b", 16)):
        ran = jobs.filter(pool=pool)
        times = np.concatenate([ran["start_s"].to_numpy(), ran["end_s"].fill_null(np.inf).to_numpy()])
        steps = np.concatenate([ran["chips"].to_numpy(), -ran["chips"].to_numpy()])
        order = np.lexsort((steps, times))  # at one instant ends come before starts
        held = np.cumsum(steps[order])
        assert held.max() == installed
        at = np.searchsorted(times[order], timeline["time_s"].to_numpy(), side="right")
        assert np.append(0, held)[at].tolist() == timeline[f"busy_chips/{pool}"].to_list()


def test_a_timeline_has_one_row_an_instant_and_a_change_in_each(two_pools):
    timeline = pl.read_parquet(two_pools / "timeline.parquet")
    assert timeline["time_s"].is_sorted() and timeline["time_s"].n_unique() == len(timeline)


def same_bytes(one: Path, other: Path) -> None:
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in other.iterdir())
    _, differ, unread = filecmp.cmpfiles(one, other, [name for name in names if name != "run.json"], shallow=False)
    assert (differ, unread) == ([], [])


def test_the_resolved_scenario_runs_to_the_same_bytes(two_pools, tmp_path):
    same_bytes(two_pools, quietly(two_pools / "scenario.yaml", tmp_path / "again"))


def test_the_resolved_scenario_keeps_overrides_policy_and_seed(tmp_path):
    first = quietly(find("hello"), tmp_path / "first", "fleet.dgx.count=3", "policy=sjf-skip", "seed=9")
    resolved = load(first / "scenario.yaml").keys
    assert (resolved.fleet[0].count, resolved.policy.order, resolved.policy.backfill, resolved.seed) == (
        *(3, "sjf", "greedy", 9),
    )
    assert resolved.catalog.racks["dgx-h100"].domain_chips == 8
    same_bytes(first, quietly(first / "scenario.yaml", tmp_path / "again"))


def test_hash_seed_and_thread_count_do_not_change_a_byte(tmp_path):
    folders = []
    for hash_seed, threads in (("0", "1"), ("1", "2"), ("77", "5")):
        folders.append(tmp_path / f"run-{hash_seed}")
        command = [sys.executable, "-m", "sim.cli", "run", "philly", "--quiet", "--out", str(folders[-1])]
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "POLARS_MAX_THREADS": threads}
        subprocess.run(command, check=True, env=environment, capture_output=True)
    same_bytes(folders[0], folders[1])
    same_bytes(folders[0], folders[2])


def test_two_policies_meet_the_same_jobs(tmp_path):
    (tmp_path / "two.yaml").write_text(TWO_POOLS)
    easy = pl.read_parquet(quietly(tmp_path / "two.yaml", tmp_path / "e") / "jobs.parquet")
    sjf = pl.read_parquet(quietly(tmp_path / "two.yaml", tmp_path / "s", "policy=sjf") / "jobs.parquet")
    world = ["job_id", "tenant", "chips", "submit_s", "estimate_s"]
    assert easy.select(world).equals(sjf.select(world))
    assert not easy["start_s"].equals(sjf["start_s"])
