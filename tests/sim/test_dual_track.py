"""The dual-track year, recomputed from its job rows and the catalog's tables, never from the simulator's meter."""

import csv
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from scenarios.files import find
from sim.run import run
from topologies.catalog import FOLDER

CAP_W, FIXED_W, PROPORTIONAL, OTHER_W = 30e6, 300e3, 0.08, 400e3
RACKS = {"trainium": "trn2-ultraserver", "blackwell": "gb200-nvl72"}


@pytest.fixture(scope="module")
def year(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("dual") / "out"
    return run(find("dual-track"), [], None, out, False, False, lambda _: None).folder


def facts(table: str) -> dict[tuple[str, str], float]:
    with (FOLDER / f"{table}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        (row["item"], row["metric"]): float(row["value"]) for row in rows if row["value"].replace(".", "").isdigit()
    }


def draws(pool: str) -> tuple[float, float, dict[str, float]]:
    """Chips a rack, a rack's idle draw [W], and what a busy chip of each class adds at the rack's input [W]."""
    racks, chips, tasks = facts("racks"), facts("accelerators"), facts("tasks")
    rack, chip = RACKS[pool], {"trainium": "trainium2", "blackwell": "gb200"}[pool]
    n, nodes = racks[rack, "chips"], racks[rack, "chips"] / racks[rack, "node_chips"]
    idle_w, tdp_w = chips[chip, "idle"], chips[chip, "tdp"]
    through = racks[rack, "node_efficiency"] * racks[rack, "rack_efficiency"]
    nodes_w = (nodes * racks[rack, "host"] + n * idle_w) / racks[rack, "node_efficiency"]
    adds = {
        name: (tasks[kind, "demand"] * tdp_w + racks[rack, "host_per_chip"] - idle_w) / through
        for name, kind in (("frontier", "training"), ("tuning", "fine-tuning"))
    }
    return n, (nodes_w + racks[rack, "fixed"]) / racks[rack, "rack_efficiency"], adds


def recomputed_feed_w(jobs: pl.DataFrame, timeline: pl.DataFrame) -> np.ndarray:
    """The meter at every row of the timeline, from starts, ends and powered racks."""
    times = timeline["time_s"].to_numpy()
    it_w = np.full(len(times), OTHER_W)
    for pool in RACKS:
        chips_a_rack, rack_w, adds = draws(pool)
        powered = (
            timeline[f"installed_chips/{pool}"].to_numpy() if pool == "trainium" else np.full(len(times), 180 * 72)
        )
        it_w += powered / chips_a_rack * rack_w
        for job_class, chip_w in adds.items():
            ran = jobs.filter(pool=pool, job_class=job_class)
            edges = np.concatenate([ran["start_s"].to_numpy(), ran["end_s"].fill_null(np.inf).to_numpy()])
            steps = np.concatenate([ran["chips"].to_numpy(), -ran["chips"].to_numpy()])
            order = np.lexsort((steps, edges))
            held = np.append(0, np.cumsum(steps[order]))
            it_w += held[np.searchsorted(edges[order], times, side="right")] * chip_w
    return it_w * (1 + PROPORTIONAL) + FIXED_W


def test_the_draw_recomputed_from_job_rows_is_the_meters_and_never_above_the_cap(year):
    jobs = pl.read_parquet(year / "jobs.parquet").filter(pl.col("start_s").is_not_null())
    timeline = pl.read_parquet(year / "timeline.parquet")
    feed_w = recomputed_feed_w(jobs, timeline)
    assert feed_w.max() <= CAP_W
    assert feed_w.max() >= 0.95 * CAP_W
    np.testing.assert_allclose(feed_w, timeline["feed_w"].to_numpy(), rtol=1e-9)
    assert timeline["cap_w"].unique().to_list() == [CAP_W]


def test_the_energy_parts_add_up_to_the_meter(year):
    summary = json.loads((year / "summary.json").read_text())
    parts = [value for name, value in summary.items() if name.startswith("energy_")]
    assert len(parts) == 6
    assert sum(parts) == pytest.approx(summary["feed_energy_j"], rel=1e-9)


def test_work_bound_to_cuda_never_runs_on_trainium_and_portable_work_runs_on_both(year):
    jobs = pl.read_parquet(year / "jobs.parquet")
    where = {row[:2]: row[2] for row in jobs.group_by("stacks", "pool").len().iter_rows()}
    assert set(jobs["stacks"]) == {"cuda", "cuda+neuron"}
    assert ("cuda", "trainium") not in where and where["cuda", "blackwell"] > 1000
    assert where["cuda+neuron", "trainium"] > 1000 and where["cuda+neuron", "blackwell"] > 1000
    assert set(jobs.filter(job_class="frontier")["stacks"]) == {"cuda"}


def test_the_portable_share_grows_as_the_scenario_says(year):
    tuning = pl.read_parquet(year / "jobs.parquet").filter(job_class="tuning")
    month = pl.col("submit_s") // (365 / 12 * 86_400)
    shares = tuning.group_by(month.alias("month")).agg((pl.col("stacks") == "cuda+neuron").mean()).sort("month")
    expected = [0.3 + 0.4 * (at + 0.5) / 12 for at in range(12)]
    np.testing.assert_allclose(shares["stacks"].to_numpy()[:12], expected, atol=0.03)


def test_racks_count_from_the_day_they_are_delivered(year):
    timeline = pl.read_parquet(year / "timeline.parquet")
    times = timeline["time_s"].to_numpy() / 86_400
    delivered = np.minimum(160, 20 * (np.floor((times - 30) / 14) + 1).clip(0)) * 64
    assert timeline["installed_chips/trainium"].to_list() == delivered.tolist()
    assert (timeline["busy_chips/trainium"] <= timeline["installed_chips/trainium"]).all()


def test_utilization_is_held_over_powered_chip_hours(year):
    summary = json.loads((year / "summary.json").read_text())
    jobs = pl.read_parquet(year / "jobs.parquet").filter(pool="trainium")
    held_s = (jobs["end_s"].fill_null(365 * 86_400) - jobs["start_s"]).to_numpy()
    days = sum(20 * 64 * (365 - 30 - 14 * batch) for batch in range(8))
    share = (held_s * jobs["chips"].to_numpy()).sum() / (days * 86_400)
    assert summary["trainium/utilization_fraction"] == pytest.approx(share, rel=1e-9)
