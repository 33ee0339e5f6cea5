"""Portable work goes to Trainium when the numbers say so and only then, in whole runs; other work never moves."""

import json

import polars as pl
import pytest

from sim.run import run
from topologies import catalog

# Room for all jobs in either pool. Half of them may use both stacks, the others cuda alone.
SCENARIO = """
name: preferred
horizon: until-done
fleet: [{{pool: blackwell, rack: dgx-b200, count: 40}}, {{pool: trainium, rack: trn2-ultraserver, count: 5}}]
workload:
  - {{class: t, kind: fine-tuning, model: llama3-70b, chips: 32, tokens: {{uniform: [5e8, 1e9]}}, jobs: {jobs},
     arrivals: {{per_day: 2}}, stacks: [{stacks}], portable_share: {share}, precision: bf16}}
policy: {{placement: {placement}}}
catalog: {{accelerators: {{trainium2: {trainium}}}}}
"""
RENTAL_USD_PER_H = catalog.accelerator("b200-sxm").rental * 3600


@pytest.fixture
def ran(tmp_path):
    """Runs the scenario with other constants of Trainium; the result."""

    def go(placement, changes, jobs=16, stacks="cuda, neuron", share=0.5):
        trainium = catalog.accelerator("trainium2").model_dump(mode="json", exclude_none=True) | changes
        words = {"placement": placement, "jobs": jobs, "stacks": stacks, "share": share}
        path = tmp_path / "s.yaml"
        path.write_text(SCENARIO.format(**words, trainium=json.dumps(trainium)))
        return run(path, (), 5, tmp_path / "out", force=True, pictures=False, progress=lambda _: None).result

    return go


def alone(ran, changes, pool):
    """(dollars, joules) a token of one job that may use one pool only, from its row and the IT draw while it runs."""
    stack = {"blackwell": "cuda", "trainium": "neuron"}[pool]
    result = ran("pack", changes, jobs=1, stacks=stack, share=1)
    job = result.jobs.row(0, named=True)
    assert job["pool"] == pool
    rental = RENTAL_USD_PER_H if pool == "blackwell" else float(changes["rental"].split()[0])
    dollars = rental * job["chips"] * job["run_s"] / 3600
    busy = result.timeline.filter(pl.col("time_s") == job["start_s"])["it_w"].item()
    adds_w = busy - result.timeline["it_w"][0]
    return dollars / job["tokens"], adds_w * job["run_s"] / job["tokens"]


CONSTANTS = [
    {"rental": rental, "tdp": tdp, "idle": "100 W"}
    for rental, tdp in (("0.05 USD/h", "900 W"), ("2.2 USD/h", "500 W"), ("4 USD/h", "300 W"), ("40 USD/h", "160 W"))
]


@pytest.mark.parametrize(("placement", "cost"), [("cheapest", 0), ("efficient", 1)])
def test_the_pool_with_the_lower_cost_of_a_token_gets_the_portable_jobs_and_no_others(placement, cost, ran):
    found = {}
    for changes in CONSTANTS:
        costs = {pool: alone(ran, changes, pool)[cost] for pool in ("blackwell", "trainium")}
        jobs = ran(placement, changes).jobs
        portable = jobs["stacks"] == "cuda+neuron"
        assert 0 < portable.sum() < len(jobs)
        assert set(jobs.filter(portable)["pool"]) == {min(costs, key=costs.get)}
        assert set(jobs.filter(~portable)["pool"]) == {"blackwell"}
        found[min(costs, key=costs.get)] = jobs
    both = found["blackwell"], found["trainium"]  # the numbers above say each of them at least once
    for jobs in both:
        assert (jobs["status"] == "completed").all()
    at_home, moved = (jobs.select("job_id", "submit_s", "stacks", "pool", "end_s") for jobs in both)
    assert at_home.drop("pool", "end_s").equals(moved.drop("pool", "end_s"))
    stay = pl.col("stacks") == "cuda"
    assert at_home.filter(stay).equals(moved.filter(stay))
    assert (at_home.filter(~stay)["pool"] != moved.filter(~stay)["pool"]).all()


def test_pack_goes_by_the_order_of_the_fleet_whatever_the_numbers(ran):
    for changes in CONSTANTS:
        assert set(ran("pack", changes).jobs["pool"]) == {"blackwell"}


@pytest.mark.parametrize(("by", "pool"), [(0.999, "trainium"), (1.001, "blackwell")])
def test_the_choice_changes_at_the_break_even_rental(by, pool, ran):
    one = {"rental": "1 USD/h"}
    break_even = alone(ran, one, "blackwell")[0] / alone(ran, one, "trainium")[0]
    jobs = ran("cheapest", {"rental": f"{break_even * by} USD/h"}).jobs
    assert set(jobs.filter(stacks="cuda+neuron")["pool"]) == {pool}
