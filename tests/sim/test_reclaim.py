"""Reclaim of lent quota in whole runs: who is stopped, when and what is lost, by hand; what holds in every run."""

import json

import polars as pl
import pytest
from click.testing import CliRunner

from sim.cli import main

HEADER = "number,submit_s,chips,run_s,estimate_s,tenant\n"
TEXT = """\
name: reclaim
horizon: until-done
fleet: [{{pool: p, rack: {rack}}}]
workload:
  - {{class: low, kind: trace, format: csv, file: low.csv}}
  - {{class: high, kind: trace, format: csv, file: high.csv, priority: 1}}
tenants:
  - {{tenant: x, cohort: main, quota: {{p: {x}}}, {rule}}}
  - {{tenant: y, cohort: main, quota: {{p: {y}}}}}
  - {{tenant: z, cohort: main, quota: {{p: {z}}}}}
policy: {{order: {order}, backfill: {backfill}, preemption: {preemption}}}
failures: {{restart: {restart} s, checkpoint: {{every: 40 s, stall: {stall} s}}}}
"""
NOW = "reclaim: {any: {min_run: 0 s}}"
WORDS = {
    **{
        "rack": "plain, chips: 8",
        "x": 4,
        "y": 2,
        "z": 2,
        "rule": NOW,
        "order": "fifo",
        "backfill": "easy",
        "preemption": "none",
    },
    **{"restart": 0, "stall": 0},
}


@pytest.fixture
def ran(tmp_path):
    """Runs jobs given as (submit, chips, run time, tenant) of the classes low and high into a folder; its path."""

    def run(low, high=(), out="out", **words):
        high = [*high, *[(9999, 1, 0, who) for who in "xyz"]]  # so that each tenant has some
        for name, jobs in (("low", low), ("high", high)):
            lines = [f"{at},{submit},{chips},{s},{s},{who}" for at, (submit, chips, s, who) in enumerate(jobs)]
            (tmp_path / f"{name}.csv").write_text(HEADER + "\n".join(lines) + "\n")
        path, folder = tmp_path / f"{out}.yaml", tmp_path / out
        path.write_text(words.get("text") or TEXT.format(**(WORDS | words)))
        options = ["--quiet", "--no-render", "--force", "--out", str(folder)]
        done = CliRunner().invoke(main, ["run", str(path), *options], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return folder

    return run


def stays_of(folder):
    """The stays as (job, from, to, what stopped it)."""
    stays = pl.read_parquet(folder / "stays.parquet").filter(pl.col("from_s") < 9999)
    return stays.sort("from_s", "job_id").select("job_id", "from_s", "to_s", "stopped_by").rows()


def test_a_tenant_takes_its_quota_back_from_who_started_last(ran):
    # y holds 8 chips, 6 of them lent; x comes at 100 with 4. Two gangs of 2 are enough: those that started at 20
    low = [(0, 2, 900, "y"), (10, 2, 900, "y"), (20, 2, 900, "y"), (20, 2, 900, "y"), (100, 4, 50, "x")]
    folder = ran(low, stall=5, restart=10)
    assert stays_of(folder) == [
        ("low/0", 0, 900, None),
        ("low/1", 10, 910, None),
        ("low/2", 20, 105, "reclaim"),
        ("low/3", 20, 105, "reclaim"),
        ("low/4", 105, 155, None),
        ("low/2", 155, 155 + 10 + 820, None),
        ("low/3", 155, 155 + 10 + 820, None),
    ]
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["preemptions"], summary["reclaims"], summary["lost_chip_h"]) == (2, 2, 0)
    states = dict(pl.read_parquet(folder / "capacity.parquet").select("state", "chip_s").rows())
    assert states["checkpointing"] == 2 * 2 * 5
    assert states["restarting"] == 2 * 2 * 10
    # x waits 5 s with its chips kept for it; the two that were stopped have no chips for 50 s
    assert summary["waiting_held_chip_h"] == pytest.approx(4 * 5 / 3600)
    assert summary["waiting_no_room_chip_h"] == pytest.approx(2 * 2 * 50 / 3600)
    assert summary["waiting_quota_chip_h"] == 0


def test_without_the_key_it_waits_until_they_end(ran):
    low = [(0, 2, 900, "y"), (0, 2, 900, "y"), (0, 2, 900, "y"), (0, 2, 900, "y"), (100, 4, 50, "x")]
    assert ("low/4", 900, 950) in [
        stay[:3] for stay in stays_of(ran(low, preemption="priority", rule="reclaim: never"))
    ]


def test_too_little_grace_loses_the_work_since_the_last_checkpoint(ran):
    # checkpoints every 40 s: of 100 s 20 are lost. Nothing is written, and x starts at once
    rule = "reclaim: {any: {min_run: 0 s, grace: 4 s}}"
    folder = ran([(0, 8, 900, "z"), (100, 4, 50, "x")], z=0, y=4, rule=rule, stall=5)
    assert stays_of(folder) == [("low/0", 0, 100, "reclaim"), ("low/1", 100, 150, None), ("low/0", 150, 970, None)]
    assert json.loads((folder / "summary.json").read_text())["lost_chip_h"] == pytest.approx(8 * 20 / 3600)


def test_a_gang_keeps_its_chips_for_the_minimum_run_time(ran):
    folder = ran([(0, 8, 900, "z"), (100, 4, 50, "x")], z=0, y=4, rule="reclaim: {any: {min_run: 150 s}}")
    assert stays_of(folder)[:2] == [("low/0", 0, 150, "reclaim"), ("low/1", 150, 200, None)]


@pytest.mark.parametrize(("rule", "stopped"), [("any", ["low/0", "high/0"]), ("lower-priority", ["low/0"])])
def test_the_lowest_priority_goes_first_and_only_lower_ones_where_the_rule_says_so(rule, stopped, ran):
    # y's gang of the high class started later; at 200 x wants two more chips, which are on that gang alone
    low, high = [(50, 4, 900, "y")], [(60, 4, 900, "y"), (100, 4, 500, "x"), (200, 2, 50, "x")]
    stays = stays_of(ran(low, high, x=6, y=0, rule=f"reclaim: {{{rule}: {{min_run: 0 s}}}}"))
    assert [row[0] for row in stays if row[3] == "reclaim"] == stopped
    assert ("high/1", 100, 600, None) in stays
    assert ("high/2", 200 if rule == "any" else 600, 250 if rule == "any" else 650, None) in stays


def test_a_job_of_the_low_class_takes_nothing_from_its_equals_where_only_lower_ones_yield(ran):
    low = [(0, 8, 900, "y"), (100, 4, 50, "x")]
    assert not [row for row in stays_of(ran(low, rule="reclaim: lower-priority")) if row[3]]


def test_nobody_is_stopped_below_its_quota_nor_for_who_would_borrow(ran):
    # y holds its 2 and 2 of z in one gang, and 4 of x in another: the first would leave it without its quota
    low = [(0, 4, 900, "y"), (0, 4, 900, "y"), (100, 5, 50, "x"), (110, 4, 50, "x"), (120, 1, 50, "x")]
    stays = stays_of(ran(low, backfill="greedy"))
    assert [row for row in stays if row[3] == "reclaim"] == [("low/1", 0, 110, "reclaim")]
    assert [row[:3] for row in stays if row[0] == "low/3"] == [("low/3", 110, 160)]


def test_a_gang_that_is_alone_enough_is_stopped_though_others_would_go_first(ran):
    # of y's 6 chips beyond its quota the gangs of 3 and 1 leave room for no other, and x needs 6: only the gang of 6
    low = [(0, 6, 900, "y"), (10, 1, 900, "y"), (20, 3, 900, "y"), (100, 6, 50, "x")]
    stays = stays_of(ran(low, rack="plain, chips: 10", x=6, y=4, z=0))
    assert [row for row in stays if row[3] == "reclaim"] == [("low/0", 0, 100, "reclaim")]


@pytest.mark.parametrize("whose", ["y", "z"])
def test_the_gangs_of_one_server_go_where_a_gang_needs_it_whole(whose, ran):
    # y's gang of the low class would go first; with it no server comes free, if its neighbour there is z's own
    low = [(0, 4, 900, "y"), (100, 8, 50, "x")]
    high = [(10, 4, 900, whose), (20, 4, 900, "y"), (30, 4, 900, "y")]
    own = {"y": 8, "z": 0} if whose == "y" else {"y": 4, "z": 4}
    stays = stays_of(ran(low, high, rack="dgx-h100, count: 2", x=8, **own))
    stopped = {"low/0", "high/0"} if whose == "y" else {"high/1", "high/2"}
    assert {row[0] for row in stays if row[3] == "reclaim"} == stopped
    assert ("low/1", 100, 150, None) in stays


def test_two_jobs_that_come_together_stop_no_more_than_both_need(ran):
    low = [(0, 2, 900, "y"), (0, 2, 900, "y"), (0, 2, 900, "y"), (0, 2, 900, "y")]
    stays = stays_of(ran([*low, (100, 2, 50, "x"), (100, 2, 50, "x"), (103, 1, 9, "y")], stall=5))
    assert [row[:3] for row in stays if row[3] == "reclaim"] == [("low/2", 0, 105), ("low/3", 0, 105)]
    assert {("low/4", 105, 155), ("low/5", 105, 155)} < {row[:3] for row in stays}


@pytest.mark.parametrize("later_s", [100, 103])
def test_what_a_stop_leaves_over_is_enough_for_another(later_s, ran):
    # the gang of 4 stops for the 2 chips of the first; the second gets the other 2 of it when they are free
    low = [(0, 4, 900, "y"), (0, 4, 900, "y"), (100, 2, 50, "x"), (later_s, 2, 50, "x")]
    stays = stays_of(ran(low, y=4, z=0, stall=5))
    assert [row[:3] for row in stays if row[3] == "reclaim"] == [("low/1", 0, 105)]
    assert {("low/2", 105, 155), ("low/3", 105, 155)} < {row[:3] for row in stays}


@pytest.mark.parametrize("backfill", ["none", "greedy", "easy", "conservative", "max-min"])
def test_who_needs_its_own_quota_goes_before_who_came_first_and_would_borrow(backfill, ran):
    # y has come first and would borrow; without the rule it would take the 4 chips at 50
    low = [(0, 2, 900, "y"), (0, 4, 50, "x"), (0, 2, 900, "z"), (10, 4, 900, "y"), (20, 4, 50, "x")]
    stays = [row[:3] for row in stays_of(ran(low, backfill=backfill, rule="reclaim: any"))]
    assert ("low/4", 50, 100) in stays and ("low/3", 100, 1000) in stays
    stays = [row[:3] for row in stays_of(ran(low, backfill=backfill, rule="reclaim: never", preemption="priority"))]
    assert ("low/3", 50, 950) in stays


def test_what_is_taken_back_is_not_taken_away_again_by_priority(ran):
    # y's gangs of the high class outrank x's, but x keeps its quota: else both would stop each other in turn
    low, high = [(100, 4, 500, "x"), (200, 2, 500, "z")], [(0, 4, 900, "y"), (10, 4, 900, "y"), (300, 2, 100, "y")]
    stays = stays_of(
        ran(
            low,
            high,
            y=4,
            z=0,
            preemption="{priority: {min_run: 20 s}}",
            rule="reclaim: {any: {min_run: 20 s}}",
            order="priority",
        )
    )
    assert [row[:2] + row[3:] for row in stays if row[3]] == [("high/1", 10, "reclaim")]
    assert ("low/0", 100, 600, None) in stays
    # while x holds more than its quota the rest of it may go
    low = [(0, 4, 500, "x"), (0, 2, 500, "x")]
    stays = stays_of(ran(low, [(0, 2, 900, "y"), (100, 2, 100, "y")], y=4, preemption="{priority: {min_run: 20 s}}"))
    assert [row for row in stays if row[3]] == [("low/1", 0, 100, "policy")]


def test_under_none_a_job_waits_its_turn_in_its_own_line(ran):
    # the first of x's would borrow and waits; what is behind it waits too, as in a StrictFIFO queue, and not under easy
    low = [(0, 4, 900, "y"), (0, 4, 900, "y"), (100, 6, 50, "x"), (110, 4, 50, "x")]
    assert not [row for row in stays_of(ran(low, backfill="none")) if row[3]]
    assert ("low/3", 110, 160, None) in stays_of(ran(low, backfill="easy"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"rule": "reclaim: some"}, "8: tenants.x.reclaim: found 'some'; allowed: never, lower-priority or any, the "),
        (
            {"rule": "reclaim: {any: {min_run: 5}}"},
            "8: tenants.x.reclaim.any.min_run: found 5 (a bare number); allowed: ",
        ),
        ({"rule": "reclaim: {any: {every: 5 s}}"}, "8: tenants.x.reclaim.any.every: unknown key (allowed: min_run, "),
        ({"x": 0}, "8: tenants.x.reclaim: a tenant without a quota has lent nothing that it could reclaim: "),
        (
            {"backfill": "max-min", "preemption": "time-slice"},
            "8: tenants.x.reclaim: under max-min with time slices the shares say at each slice who holds which chips",
        ),
    ],
)
def test_what_cannot_work_is_refused_at_its_line(words, message, tmp_path):
    for name in ("low", "high"):
        (tmp_path / f"{name}.csv").write_text(HEADER + "0,0,1,1,1,x\n0,0,1,1,1,y\n0,0,1,1,1,z\n")
    (tmp_path / "reclaim.yaml").write_text(TEXT.format(**(WORDS | words)))
    done = CliRunner().invoke(main, ["validate", str(tmp_path / "reclaim.yaml")])
    assert done.exit_code == 2
    assert f"reclaim.yaml:{message}" in done.stderr


POOLS = """\
name: pools
horizon: 1000 s
fleet: [{pool: a, rack: plain, chips: 8}, {pool: b, rack: plain, chips: 8}]
workload: [{class: low, kind: trace, format: csv, file: low.csv}]
tenants:
  - {tenant: x, cohort: main, quota: {b: 4}, reclaim: {any: {min_run: 0 s}}}
  - {tenant: y, cohort: main, quota: {a: 8, b: 4}}
failures: {restart: 0 s, checkpoint: {stall: 0 s}}
"""


def test_only_gangs_in_the_pool_of_the_quota_go(ran):
    # y holds all of both pools, and has lent nothing in a; in b the gang that started last goes
    low = [(0, 8, 900, "y"), (0, 4, 900, "y"), (10, 4, 900, "y"), (100, 4, 50, "x")]
    stays = stays_of(ran(low, text=POOLS))
    assert stays[2:4] == [("low/2", 10, 100, "reclaim"), ("low/3", 100, 150, None)]
    # x borrows in a while there is room, though its own quota in b is lent: nobody stops for that
    low = [(0, 4, 900, "y"), (0, 4, 50, "y"), (0, 4, 900, "y"), (10, 4, 900, "y"), (100, 4, 50, "x")]
    stays = stays_of(ran(low, text=POOLS))
    assert not [row for row in stays if row[3]] and stays[-1][:2] == ("low/4", 100)
