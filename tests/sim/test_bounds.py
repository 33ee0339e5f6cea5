"""Claims that bounds exclude without a look: made all the same, by looking at every gang, they must all fail."""

import itertools

import pytest

from policies.bounds import Bounds
from policies.preemption import Preemption
from policies.view import Decisions

SCENARIO = """
name: crowded
horizon: 3 days
seed: {seed}
fleet: {fleet}
workload:
  - {{class: small, kind: synthetic, chips: {{choice: {{1: 0.6, 2: 0.2, 4: 0.2}}}}, arrivals: {{per_hour: 8}},
     duration: {{lognormal: {{median: 40 min, sigma: 1.5}}}}, tenant: {{choice: {{left: 1, right: 1}}}}}}
  - {{class: large, kind: synthetic, chips: {{choice: [8, 16]}}, arrivals: {{per_hour: 1}}, priority: 3,
     duration: {{lognormal: {{median: 1 hour, sigma: 1.5}}}}, tenant: {{choice: {{left: 1, right: 1}}}}{large}}}
policy: {{order: {order}, backfill: {backfill}, preemption: {preemption}{scaling}}}
failures: {{checkpoint: {{every: 30 min, stall: {stall} s}}, restart: 60 s}}
{more}
"""
PLAIN = "[{pool: p, rack: plain, chips: 24}]"
NODES = "[{pool: h, rack: dgx-h100, count: 3}]"
CASES = {
    "a plain pool": (PLAIN, "", "", "", 20),
    "nodes": (NODES, "", "", "", 20),
    "stops that take no time": (NODES, "", "", "", 0),
    "two pools": ("[{pool: h, rack: dgx-h100, count: 2}, {pool: t, rack: trn2-48xl, count: 1}]", "", "", "", 20),
    "a torus": ("[{pool: t, rack: trn2-48xl, count: 2}]", "", "", "network: {fabric: leaf-spine}", 20),
    "too little power, and racks that go dark": (
        "[{pool: h, rack: dgx-h100, count: 4, delivery: {first: 12 hours, every: 6 hours, racks: 1}}]",
        *("", ""),
        "site: {feed: 34 kW, curtailment: [{at: 30 hours, for: 2 hours, to: 3 kW}]}",
        20,
    ),
    "stops that lost power cuts short": (
        NODES,
        *("", ""),
        "site: {feed: 45 kW, curtailment: [{at: 1 hour, every: 20 min, for: 5 min, to: 12 kW}]}",
        29,
    ),
    "tenants that take back": (
        NODES,
        *("", ""),
        "tenants: [{tenant: left, quota: {h: 12}, cohort: c, reclaim: any},"
        " {tenant: right, quota: {h: 12}, cohort: c}]",
        20,
    ),
    "gangs that change their size": (
        NODES,
        ", malleable: {from: 4, to: 24}",
        ", scaling: {elastic: {min_run: 5 min}}",
        "",
        20,
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_no_claim_that_a_bound_excludes_could_be_made(measured, monkeypatch, case):
    fleet, large, scaling, more, stall = CASES[case]
    excluded = 0
    claim, exclude = Preemption._claim, Bounds.exclude

    def checked(self, view, trial, free, job, gangs, decisions):
        nonlocal excluded
        if exclude(gangs.bounds, job.shape, self.rank(job), trial.placer, view.now_s) is not None:
            excluded += 1
            with monkeypatch.context() as blind:
                blind.setattr(Bounds, "exclude", lambda *_: None)
                blind.setattr(Bounds, "failed", lambda *_: None)
                assert claim(self, view, trial, free, job, gangs, Decisions()) is None
        return claim(self, view, trial, free, job, gangs, decisions)

    monkeypatch.setattr(Preemption, "_claim", checked)
    kinds = itertools.product(
        [
            ("srtf", "{order: {min_run: 10 min}}"),
            ("srtf", "{order: {min_run: 0 s, grace: 0 s}}"),
            ("fifo", "priority"),
            ("las", "{time-slice: {slice: 20 min}}"),
        ],
        ["greedy", "easy"],
    )
    for seed, ((order, preemption), backfill) in enumerate(kinds):
        words = {"order": order, "preemption": preemption, "backfill": backfill, "seed": seed, "stall": stall}
        measured(SCENARIO.format(fleet=fleet, large=large, scaling=scaling, more=more, **words))
    assert excluded > 100
