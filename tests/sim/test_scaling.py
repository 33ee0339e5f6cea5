"""Malleable gangs in whole runs, recomputed from their saved stays."""

import math

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.errors import ScenarioError

STALL_S, RESTART_S = 20.0, 420.0


BY_HAND = """
name: by-hand
horizon: until-done
fleet: [{pool: p, rack: plain, chips: 8}]
workload:
  - {class: m, kind: trace, format: csv, file: M, malleable: {from: 2, to: 8, efficiency: 0.8}}
  - {class: r, kind: trace, format: csv, file: R}
policy: {scaling: {elastic: {min_run: 0 s}}}
failures: {restart: 10 s, checkpoint: {stall: 5 s}}
"""


@pytest.fixture
def by_hand(tmp_path, measured):
    """Runs malleable and rigid jobs given as (submit, chips, run time); stays as (job, chips, from, to), the result."""

    def run(malleable, rigid):
        text = BY_HAND
        for word, jobs in (("M", malleable), ("R", rigid)):
            rows = [f"{at},{submit},{chips},{run}" for at, (submit, chips, run) in enumerate(jobs)]
            (tmp_path / f"{word}.csv").write_text("number,submit_s,chips,run_s\n" + "\n".join(rows) + "\n")
            text = text.replace(f"file: {word}", f"file: {tmp_path / word}.csv")
        _, _, result = measured(text)
        return result.stays.select("job_id", "chips", "from_s", "to_s").rows(), result

    return run


def test_a_gang_grows_when_nobody_waits_and_it_pays(by_hand):
    # it asks for 4 chips and finds 8: it starts on 4, writes 5 s, restarts 10 s on 8 and works 1.6 times as fast
    stays, result = by_hand([(0, 4, 160)], [(1000, 1, 1)])
    assert stays[:2] == [("m/0", 4, 0, 5), ("m/0", 8, 5, 115)]
    states = dict(result.capacity.select("state", "chip_s").rows())
    assert states["checkpointing"] == 4 * 5
    assert states["restarting"] == 8 * 10
    # of 100 s on 8 chips a fifth is what doubling loses
    assert states["productive"] == pytest.approx(8 * 100 * 0.8 + 1)
    assert states["communication"] == pytest.approx(8 * 100 * 0.2)
    assert result.summary["work_chip_h"] == pytest.approx((4 * 160 + 1) / 3600)


def test_a_gang_does_not_grow_for_less_than_it_costs(by_hand):
    # growing would save 15 s of 40, as much as the write and the restart cost
    stays, _ = by_hand([(0, 4, 40)], [(1000, 1, 1)])
    assert stays[0] == ("m/0", 4, 0, 40)


def test_a_gang_shrinks_for_who_waits_and_starts_small_where_there_is_little_room(by_hand):
    # r/0 wants 6 of 8 chips, so that the gang of 8 halves twice: 2 chips are 1/4 / 0.8^2 as fast, 0.390625
    stays, _ = by_hand([(0, 8, 100)], [(50, 6, 400)])
    assert stays[:3] == [("m/0", 8, 0, 55), ("m/0", 2, 55, pytest.approx(65 + 50 / 0.390625)), ("r/0", 6, 55, 455)]
    # the second gang finds 2 chips free and starts on them
    stays, _ = by_hand([(10, 8, 10)], [(0, 6, 400)])
    assert stays[0] == ("r/0", 6, 0, 400)
    assert stays[1] == ("m/0", 2, 10, pytest.approx(10 + 10 / 0.390625))


RANDOM = """
name: random
horizon: until-done
seed: {seed}
fleet: {fleet}
{site}
workload:
  - {{class: elastic, kind: {kind}, chips: {{choice: [2, 4, 8, 16]}}, arrivals: {{per_hour: 2}}, jobs: 40,
     {amount}, malleable: {{from: {least}, to: 32, efficiency: {efficiency}}}}}
  - {{class: urgent, kind: synthetic, chips: {{choice: [1, 4, 8, 12]}}, arrivals: {{per_hour: 2}}, jobs: 40,
     priority: 5, duration: {{lognormal: {{median: 20 min, sigma: 1}}}}}}
policy: {{order: {order}, backfill: {backfill}, preemption: {preemption}, scaling: {scaling}}}
"""
FLEETS = {
    "[{pool: p, rack: plain, chips: 24}]": "",
    "[{pool: h, rack: dgx-h100, count: 3}]": "",
    "[{pool: h, rack: dgx-h100, count: 2}, {pool: t, rack: trn2-48xl, count: 1}]": "",
    "[{pool: h, rack: dgx-h100, count: 4}] ": "network: {fabric: leaf-spine, oversubscription: 2, link: 400 Gbit/s}",
    "[{pool: h, rack: dgx-h100, count: 4}]": "site: {feed: 34 kW, curtailment: [{at: 9 hours, for: 1 hour, to: "
    "22 kW}]}",
}
TRAINING = "tokens: {lognormal: {median: 2e8, sigma: 1}}, model: llama3-8b, stacks: [cuda, neuron]"


@settings(max_examples=50, deadline=None)
@given(
    fleet=st.sampled_from(sorted(FLEETS)),
    order=st.sampled_from(["fifo", "srtf", "priority"]),
    backfill=st.sampled_from(["none", "greedy", "easy", "conservative"]),
    preemption=st.sampled_from(["none", "priority"]),
    least=st.sampled_from([1, 4]),
    efficiency=st.sampled_from([0.7, 1.0]),
    scaling=st.sampled_from(["{elastic: {min_run: 0 s}}", "elastic"]),
    trains=st.booleans(),
    seed=st.integers(0, 10_000),
)
def test_changes_of_size_keep_chips_and_work(measured, fleet, trains, **words):
    trains = trains and "plain" not in fleet
    if "network" in FLEETS[fleet] and not trains:
        fleet = "[{pool: h, rack: dgx-h100, count: 3}]"
    amount = TRAINING if trains else "duration: {lognormal: {median: 2 hours, sigma: 1}}"
    kind = "fine-tuning" if trains else "synthetic"
    text = RANDOM.format(fleet=fleet, site=FLEETS[fleet], kind=kind, amount=amount, **words)
    record, plant, result = measured(text)
    jobs = result.jobs.filter(pl.col("status") != "rejected")
    assert (jobs["status"] == "completed").all()
    for pool in plant.pools:
        here = result.stays.filter(pl.col("pool") == pool.name)
        held = pl.concat(
            [
                here.select(pl.col("from_s").alias("at_s"), pl.lit(1).alias("turn"), pl.col("chips").alias("by")),
                here.select(pl.col("to_s").alias("at_s"), pl.lit(0).alias("turn"), (-pl.col("chips")).alias("by")),
            ]
        ).sort("at_s", "turn")["by"]
        assert held.cum_sum().max() <= pool.chips
    delivered = sum(pool.chips for pool in plant.pools) * record.end_time_s
    assert result.capacity["chip_s"].sum() == pytest.approx(delivered, rel=1e-9)
    if not FLEETS[fleet] and not trains:
        # what a stay does: its time less the write at its end and the restart at its begin, at the speed of its size
        asked = dict(jobs.select("job_id", "chips").rows())
        done, seen = dict.fromkeys(asked, 0.0), set()
        for stay in result.stays.sort("from_s", "to_s").iter_rows(named=True):
            job, chips = stay["job_id"], stay["chips"]
            lasted = stay["to_s"] - stay["from_s"] - (STALL_S if stay["stopped_by"] else 0.0)
            lasted -= RESTART_S if job in seen else 0.0
            seen.add(job)
            ratio = chips / asked[job]
            done[job] += max(0.0, lasted) * ratio * words["efficiency"] ** math.log2(ratio)
        for job, chips, work in jobs.select("job_id", "chips", "work").iter_rows():
            assert done[job] == pytest.approx(work / chips, rel=1e-6)


def test_a_job_that_asks_for_more_chips_than_its_class_may_have_runs_in_the_bounds_only(tmp_path, measured):
    # 32 asked, 2 to 8 allowed, 40 free: 8 chips are 1/4 / 0.8^2 as fast, and nothing grows past them
    stays = outside(tmp_path, measured, 32)
    assert stays == [("m/0", 8, 0, pytest.approx(100 / 0.390625))]


def test_a_job_that_asks_for_fewer_chips_than_its_class_may_have_starts_on_the_fewest_allowed(tmp_path, measured):
    # 1 asked: 2 chips are 2 * 0.8 times as fast; to grow to 8 would save less than it costs
    assert outside(tmp_path, measured, 1, run_s=16) == [("m/0", 2, 0, pytest.approx(10))]


def test_a_job_with_no_size_in_its_bounds_is_rejected_with_the_reason(tmp_path, measured):
    (tmp_path / "M.csv").write_text("number,submit_s,chips,run_s\n1,0,8,10\n2,0,6,10\n")
    _, _, result = measured(wide(tmp_path, "{from: 8, to: 10}"))
    assert result.jobs["status"].to_list() == ["completed", "rejected"]
    assert result.jobs["chips"].to_list() == [8, 6]


def test_a_class_with_no_size_in_its_bounds_is_refused_when_scaling_is_asked_for(tmp_path, measured):
    (tmp_path / "M.csv").write_text("number,submit_s,chips,run_s\n1,0,6,10\n")
    text = wide(tmp_path, "{from: 8, to: 10}")
    with pytest.raises(ScenarioError, match="could ever start: its class may not have its size, nor that halved"):
        measured(text)
    _, _, result = measured(text.replace("scaling: {elastic: {min_run: 0 s}}", "scaling: none"))
    assert result.jobs["end_s"].to_list() == [10]


def wide(folder, bounds):
    text = BY_HAND.replace("chips: 8}", "chips: 40}").replace("{from: 2, to: 8, efficiency: 0.8}", bounds)
    text = text.replace("  - {class: r, kind: trace, format: csv, file: R}\n", "")
    return text.replace("file: M", f"file: {folder / 'M.csv'}")


def outside(folder, measured, chips, run_s=100):
    (folder / "M.csv").write_text(f"number,submit_s,chips,run_s\n0,0,{chips},{run_s}\n")
    _, _, result = measured(wide(folder, "{from: 2, to: 8, efficiency: 0.8}"))
    return result.stays.select("job_id", "chips", "from_s", "to_s").rows()
