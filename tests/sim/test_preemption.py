"""Runs with preemption, recomputed from their saved stays: chips, work, checkpoints and restarts."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

STALL_S, RESTART_S = 20.0, 420.0

RANDOM = """
name: random
horizon: until-done
seed: {seed}
fleet: {fleet}
{site}
workload:
  - {{class: batch, kind: synthetic, chips: {{choice: [1, 2, 4, 8, 16]}}, arrivals: {{per_hour: 3}}, jobs: 60,
     duration: {{lognormal: {{median: 2 hours, sigma: 1}}}}, estimate: {{factor: {{uniform: [1, 3]}}}}}}
  - {{class: urgent, kind: synthetic, chips: {{choice: [1, 4, 8, 12]}}, arrivals: {{per_hour: 2}}, jobs: 40,
     priority: 5, duration: {{lognormal: {{median: 20 min, sigma: 1}}}}, estimate: {{factor: {{uniform: [1, 3]}}}}}}
policy: {{order: {order}, backfill: {backfill}, placement: {placement}, preemption: {preemption}}}
failures: {{checkpoint: {{every: 30 min, stall: {stall} s}}, restart: {restart} s}}
"""
FLEETS = {
    "[{pool: p, rack: plain, chips: 24}]": "",
    "[{pool: h, rack: dgx-h100, count: 3}]": "",
    "[{pool: h, rack: dgx-h100, count: 2}, {pool: t, rack: trn2-48xl, count: 1}]": "",
    "[{pool: h, rack: dgx-h100, count: 4}]": "site: {feed: 34 kW}",
    "[{pool: a, rack: dgx-h100, count: 3}, {pool: b, rack: dgx-b200, count: 1}]": "site: {feed: 45 kW, "
    "curtailment: [{at: 6 hours, for: 2 hours, to: 30 kW}, {at: 13 hours, for: 1 hour, to: 20 kW}], "
    "pdus: {count: 2, rating: 28 kW}}",
}


def most_at_once(stays: pl.DataFrame) -> int:
    """The most chips held at one time; who leaves in an instant leaves first."""
    changes = sorted(
        [(stay["from_s"], 1, stay["chips"]) for stay in stays.iter_rows(named=True)]
        + [(stay["to_s"], 0, -stay["chips"]) for stay in stays.iter_rows(named=True)]
    )
    held = most = 0
    for _, _, by in changes:
        held += by
        most = max(most, held)
    return most


@settings(max_examples=60, deadline=None)
@given(
    fleet=st.sampled_from(sorted(FLEETS)),
    order=st.sampled_from(["fifo", "srtf", "las", "priority", "smallest-first"]),
    backfill=st.sampled_from(["none", "greedy", "easy", "conservative", "max-min"]),
    placement=st.sampled_from(["pack", "spread", "first-fit", "max-min"]),
    preemption=st.sampled_from(
        [
            "priority",
            "{priority: {min_run: 0 s, grace: 0 s}}",
            "{order: {min_run: 1 min}}",
            "{order: {min_run: 0 s, grace: 5 s}}",
            "{time-slice: {slice: 30 min, min_run: 1 min}}",
        ]
    ),
    costs=st.sampled_from([(20, 420), (0, 0), (60, 0), (0, 600)]),
    seed=st.integers(0, 10_000),
)
def test_stops_keep_chips_work_and_time(measured, fleet, order, backfill, placement, preemption, costs, seed):
    stall, restart = costs
    words = {"order": order, "backfill": backfill, "placement": placement, "preemption": preemption, "seed": seed}
    text = RANDOM.format(fleet=fleet, site=FLEETS[fleet], stall=stall, restart=restart, **words)
    record, plant, result = measured(text)
    jobs = result.jobs.filter(pl.col("status") != "rejected")
    assert (jobs["status"] == "completed").all()
    for pool in plant.pools:
        here = result.stays.filter(pl.col("pool") == pool.name)
        assert most_at_once(here) <= pool.chips
    delivered = sum(pool.chips for pool in plant.pools) * record.end_time_s
    assert result.capacity["chip_s"].sum() == pytest.approx(delivered, rel=1e-9)
    states = dict(result.capacity.group_by("state").agg(pl.col("chip_s").sum()).iter_rows())
    grace = 0 if "grace: 0" in preemption else 5 if "grace: 5" in preemption else 30
    by_policy = result.stays.filter(pl.col("stopped_by") == "policy")
    written = float((by_policy["chips"] * stall).sum()) if grace >= stall else 0.0
    if not FLEETS[fleet]:
        assert states["checkpointing"] == pytest.approx(written)
        # a trace's time is kept at full speed: all that it held is its work, its losses, writes and restarts
        held = float((result.stays["chips"] * (result.stays["to_s"] - result.stays["from_s"])).sum())
        assert held == pytest.approx(
            float(jobs["work"].sum()) + states["lost work"] + states["checkpointing"] + states["restarting"]
        )
        assert states["productive"] == pytest.approx(float(jobs["work"].sum()))
        if grace >= stall:
            assert states["lost work"] == 0


NOW = "{order: {min_run: 0 s}}"


def test_srtf_by_hand(by_hand):
    # a stops when b comes with 20 s against its 90, and goes on when b has ended; c (30 s) waits behind b
    stays, _ = by_hand([(0, 1, 100)], [(10, 1, 20), (15, 1, 30)], "srtf", NOW)
    assert stays == [("a/0", 0, 10), ("b/0", 10, 30), ("b/1", 30, 60), ("a/0", 60, 150)]


def test_srtf_by_hand_with_a_checkpoint_and_a_restart(by_hand):
    stays, result = by_hand([(0, 1, 100)], [(10, 1, 20)], "srtf", NOW, stall=5, restart=10)
    assert stays == [("a/0", 0, 15), ("b/0", 15, 35), ("a/0", 35, 135)]  # 10 s of restart and 90 of work
    states = dict(result.capacity.select("state", "chip_s").rows())
    assert states["checkpointing"] == 5
    assert states["restarting"] == 10
    assert states["productive"] == 120


def test_a_gang_that_gets_too_little_grace_loses_what_it_did_since_its_checkpoint(by_hand):
    # checkpoints every 40 s: of 50 s 10 are lost; nothing is written, and b starts at once
    stays, result = by_hand([(0, 1, 100)], [(50, 1, 20)], "srtf", "{order: {min_run: 0 s, grace: 4 s}}", stall=5)
    assert stays == [("a/0", 0, 50), ("b/0", 50, 70), ("a/0", 70, 130)]
    assert result.summary["lost_chip_h"] == pytest.approx(10 / 3600)


def test_a_gang_keeps_its_chips_for_the_minimum_run_time(by_hand):
    stays, _ = by_hand([(0, 1, 100)], [(10, 1, 20)], "srtf", "{order: {min_run: 25 s}}")
    assert stays == [("a/0", 0, 25), ("b/0", 25, 45), ("a/0", 45, 120)]


TIRESIAS = "{las: {thresholds: [100 s]}}"
SLICES = "{time-slice: {slice: 50 s, min_run: 0 s}}"


def test_tiresias_by_hand(by_hand):
    # a leaves the first queue at 100 s of service and yields to b; b leaves it at 200, and a, who began first, is back
    stays, _ = by_hand([(0, 1, 200)], [(60, 1, 150)], TIRESIAS, SLICES)
    assert stays == [("a/0", 0, 100), ("b/0", 100, 200), ("a/0", 200, 300), ("b/0", 300, 350)]


def test_tiresias_by_hand_with_a_checkpoint_and_a_restart(by_hand):
    # at 200 b has held its chip for 95 s, so that it goes at 250, with 5 s of work left
    stays, _ = by_hand([(0, 1, 200)], [(60, 1, 150)], TIRESIAS, SLICES, stall=5, restart=10)
    assert stays == [("a/0", 0, 105), ("b/0", 105, 255), ("a/0", 255, 365), ("b/0", 365, 380)]


def test_a_gang_of_two_counts_its_service_twice(by_hand):
    # two-dimensional service: a of two chips reaches 100 chip-seconds at 50 s
    stays, _ = by_hand([(0, 2, 200)], [(10, 2, 40)], TIRESIAS, SLICES, pool="plain, chips: 2")
    assert stays[:2] == [("a/0", 0, 50), ("b/0", 50, 90)]


def test_a_domain_that_is_freed_for_a_gang_is_kept_for_it(by_hand):
    # two of a's four gangs write for 30 s so that b gets all 8 chips; a job of 2 chips that comes meanwhile, and would
    # fit on the 4 that are idle, waits, though it ranks before b's victims
    a = [(0, 2, 500), (1, 2, 500), (70, 2, 20)]
    stays, result = by_hand(
        a,
        [(60, 8, 100)],
        "priority",
        "{priority: {min_run: 0 s}}",
        pool="dgx-h100, count: 1",
        backfill="easy",
        stall=30,
    )
    assert ("b/0", 90, 190) in stays
    assert ("a/0", 0, 90) in stays
    assert ("a/1", 1, 90) in stays
    assert ("a/2", 190, 210) in stays
    states = dict(result.capacity.select("state", "chip_s").rows())
    assert states["checkpointing"] == 2 * 2 * 30
    assert states["held by policy"] == 4 * 30  # the idle chips, kept for b


def test_equals_never_take_chips_from_each_other(by_hand):
    stays, _ = by_hand([(0, 1, 100), (10, 1, 20)], [(500, 1, 1)], "sjf", "{priority: {min_run: 0 s}}")
    assert stays[:2] == [("a/0", 0, 100), ("a/1", 100, 120)]


def test_a_stop_at_the_end_of_the_warmup_leaves_later_stays_alone(by_hand):
    # a/0 goes at 60 and comes back at 80: after the warmup b runs for 20 s, a/0 for 340 and nobody for 180
    stays, result = by_hand(
        [(0, 1, 400)], [(30, 1, 20)], "fifo", "{priority: {min_run: 60 s}}", warmup=60, horizon="600 s"
    )
    assert stays == [("a/0", 0, 60), ("b/0", 60, 80), ("a/0", 80, 420)]
    states = {state: chip_s for _, state, chip_s in result.capacity.rows() if chip_s}
    assert states == {"productive": 360, "no demand": 180}
