"""Work in tokens and its power: ten jobs worked by hand."""

import json
from pathlib import Path

import polars as pl
import pytest

from sim.run import run

TEN_JOBS = """
name: ten
horizon: until-done
seed: 5
site: {feed: 400 kW, pue: {fixed: 10 kW, proportional: 0.1}}
fleet: [{pool: blackwell, rack: gb200-nvl72, count: 1}, {pool: trainium, rack: trn2-ultraserver, count: 1}]
workload:
  - {class: pre, kind: training, model: llama3-70b, chips: 72, tokens: 1e10, arrivals: {per_hour: 0.2}, jobs: 5,
     stacks: [cuda]}
  - {class: tune, kind: fine-tuning, model: llama3-8b, chips: 64, tokens: 1e9, arrivals: {per_hour: 2}, jobs: 5,
     stacks: [neuron]}
policy: fifo
"""
# Five pre-training jobs: 4,224 tokens/s/chip measured on GB200 in FP8 at sequence 8,192, 72 chips.
PRE_S = 1e10 / (72 * 4224)  # 32,881 s, a little over nine hours
PRE_W = 72 * (0.90 * 1200 + 416.75)  # 90 % of TDP and the host's share a chip
# Five fine-tuning jobs: nobody measured Trainium2, so 667 TFLOP/s at 34 % over 6 N + 6 L A s, sequence 4,096, 64 chips.
TUNE_FLOP = 6 * 8.03e9 + 6 * 32 * 4096 * 4096
TUNE_S = 1e9 / (64 * 667e12 * 0.34 / TUNE_FLOP)  # 3,541 s, just under an hour
TUNE_W = 64 * (0.88 * 500 + 60)


@pytest.fixture(scope="module")
def ten(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("ten")
    (folder / "ten.yaml").write_text(TEN_JOBS)
    return run(folder / "ten.yaml", [], None, folder / "out", False, False, lambda _: None).folder


@pytest.mark.parametrize(
    ("job_class", "pool", "tokens", "run_s", "draw_w"),
    [("pre", "blackwell", 1e10, PRE_S, PRE_W), ("tune", "trainium", 1e9, TUNE_S, TUNE_W)],
)
def test_five_jobs_of_each_class_take_the_time_and_energy_worked_by_hand(ten, job_class, pool, tokens, run_s, draw_w):
    jobs = pl.read_parquet(ten / "jobs.parquet").filter(job_class=job_class)
    assert len(jobs) == 5
    free_s = 0.0
    for job in jobs.iter_rows(named=True):
        assert (job["pool"], job["tokens"], job["work"]) == (pool, tokens, tokens)
        start_s = max(free_s, job["submit_s"])  # each job takes the whole pool: first come, first served
        assert job["start_s"] == pytest.approx(start_s, rel=1e-12)
        assert job["wait_s"] == pytest.approx(start_s - job["submit_s"], abs=1e-6)
        assert job["run_s"] == pytest.approx(run_s, rel=1e-9)
        assert job["energy_j"] == pytest.approx(draw_w * run_s, rel=1e-9)
        free_s = job["end_s"]
    assert jobs["wait_s"].max() > 0, "nobody waited: the test shows less than it says"


def test_the_meter_is_the_sum_of_its_parts(ten):
    summary = json.loads((ten / "summary.json").read_text())
    parts = [value for name, value in summary.items() if name.startswith("energy_")]
    assert sum(parts) == pytest.approx(summary["feed_energy_j"], rel=1e-9)
    jobs = pl.read_parquet(ten / "jobs.parquet")
    assert summary["energy_jobs_j"] == pytest.approx(jobs["energy_j"].sum(), rel=1e-12)
    end_s = summary["simulated_s"]
    assert summary["energy_hosts_j"] == pytest.approx((18 * 200 + 9900 + 4 * 1000 + 800) * end_s, rel=1e-9)
    busy = {
        pool: (72 if pool == "blackwell" else 64) * run
        for pool, run in zip(("blackwell", "trainium"), (5 * PRE_S, 5 * TUNE_S), strict=True)
    }
    idle_j = (72 * end_s - busy["blackwell"]) * 200 + (64 * end_s - busy["trainium"]) * 90
    assert summary["energy_idle_chips_j"] == pytest.approx(idle_j, rel=1e-9)


def test_tokens_of_all_jobs_are_counted(ten):
    summary = json.loads((ten / "summary.json").read_text())
    assert summary["trained_tokens"] == pytest.approx(5 * 1e10 + 5 * 1e9, rel=1e-12)


def test_tokens_of_a_job_that_still_runs_are_counted_as_far_as_it_got(ten, tmp_path):
    first_s = pl.read_parquet(ten / "jobs.parquet").filter(job_class="pre")["start_s"].min()
    text = TEN_JOBS.replace("until-done", f"{first_s + 0.4 * PRE_S} s")
    (tmp_path / "cut.yaml").write_text(text)
    folder = run(tmp_path / "cut.yaml", [], None, tmp_path / "out", False, False, lambda _: None).folder
    jobs = pl.read_parquet(folder / "jobs.parquet").filter(status="running", job_class="pre")
    assert len(jobs) == 1
    (job,) = jobs.iter_rows(named=True)
    assert (job["job_id"], job["tokens"]) == ("pre/1", pytest.approx(0.4 * 1e10, rel=1e-9))


def test_the_ends_of_the_catalogs_bands_bound_the_energy_and_run_again_alike(tmp_path):
    (tmp_path / "ten.yaml").write_text(TEN_JOBS)
    energy_j = {}
    for band in ("low", "base", "high"):
        out = tmp_path / band
        run(tmp_path / "ten.yaml", [(f"uncertainty={band}", "--uncertainty")], None, out, False, False, lambda _: None)
        energy_j[band] = json.loads((out / "summary.json").read_text())["energy_hosts_j"]
        again = run(out / "scenario.yaml", [], None, tmp_path / f"{band}-again", False, False, lambda _: None).folder
        for name in ("scenario.yaml", "summary.json", "jobs.parquet", "timeline.parquet"):
            assert (again / name).read_bytes() == (out / name).read_bytes()
    assert energy_j["low"] < energy_j["base"] < energy_j["high"]
