"""Runs with a network: ends by hand, and whole runs integrated again from placements, starts and ends alone."""

import json
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from policies.build import build_policy
from scenarios.instants import instant
from scenarios.load import load
from sim.run import run
from sim.simulation import Simulation
from sim.traffic import Traffic
from topologies.build import build_plant
from topologies.fair_share import fair_rates

# Of 64 ports 51 go down from a leaf at 4:1: six nodes of 8 NICs, 12 links of 50 GB/s up.
PAIR = """
name: pair
horizon: until-done
network: {{fabric: leaf-spine, oversubscription: 4, contention: {contention}}}
{site}
fleet: [{{pool: a, rack: dgx-h100, count: 18}}]
workload:
  - {{class: fill, kind: trace, format: csv, file: fill.csv}}
  - {{class: ring, kind: trace, format: csv, file: ring.csv, communication: {{size: 10 GB, compute: 1 s}}}}
policy: {{backfill: none, power: {power}}}
"""
HEAD = "number,submit_s,chips,run_s\n"
# the first job sits on the first and second leaf, the second one on the second and third
FILL = HEAD + "1,0,32,1000000\n"
RING = HEAD + "1,10,32,1000\n2,110,40,1000\n"


def simulated(path, seed=0):
    """A finished simulation, and (row, class, time, placement) of each start."""
    scenario = load(path)
    plant = build_plant(scenario)
    policy = build_policy(scenario, plant)
    simulation = Simulation(scenario, plant, policy, seed)
    seats = []
    traffic = simulation.cluster.traffic
    start = traffic.start

    def noted(row, job_class, pool, placement, pace_s):
        seats.append((row, job_class, simulation.clock.now, pool, placement))
        return start(row, job_class, pool, placement, pace_s)

    traffic.start = noted
    while simulation.advance(1000):
        pass
    return simulation.finish(), plant, seats


@pytest.fixture
def pair(tmp_path):
    def write(contention="true", site="", power="reserve"):
        path = tmp_path / "pair.yaml"
        path.write_text(PAIR.format(contention=contention, site=site, power=power))
        (tmp_path / "fill.csv").write_text(FILL)
        (tmp_path / "ring.csv").write_text(RING)
        return path

    return write


def paces(plant, placement):
    """Pace alone and with three quarters of its NICs, of the ring on a placement."""
    segment, speed = plant.network.segments[0], plant.network.speeds[1][0]
    seat = segment.seat(placement)
    return speed.pace_s(seat, 1.0), speed.pace_s(seat, 0.75)


@pytest.mark.parametrize("power", ["reserve", "throttle"])
def test_two_rings_over_the_same_leaves_slow_each_other_down_while_both_run(power, pair):
    # throttle under a feed that never binds: the other way of keeping time must give the same ends
    record, plant, seats = simulated(pair(site="site: {feed: 10 MW}", power=power))
    placements = {row: placement for row, job_class, _, _, placement in seats if job_class == 1}
    first, second = sorted(placements)
    assert all(len({domain // 6 for domain, _ in placement}) == 2 for placement in placements.values())
    # each would send 400 GB/s over links of 600 GB/s
    alone_s, shared_s = paces(plant, placements[first])
    left = 1000 - 100 / alone_s  # of the first, when the second starts at 110
    first_end_s = 110 + left * shared_s
    assert record.end_s[first] == instant(first_end_s)
    done = (first_end_s - 110) / paces(plant, placements[second])[1]
    second_end_s = instant(first_end_s) + (1000 - done) * paces(plant, placements[second])[0]
    assert record.end_s[second] == pytest.approx(second_end_s, abs=1e-6)  # a tick
    stretch = record.journeys.stretch[first]
    assert stretch == pytest.approx((first_end_s - 10) / (1000 * alone_s), rel=1e-12)


def test_without_contention_each_is_as_fast_as_alone(pair):
    record, plant, seats = simulated(pair(contention="false"))
    for row, job_class, start_s, _, placement in seats:
        if job_class == 1:
            assert record.end_s[row] == instant(start_s + 1000 * paces(plant, placement)[0])
    assert record.journeys.stretch == {}


def test_the_run_ends_with_the_last_job_and_not_with_an_end_that_was_put_off(pair, tmp_path):
    path = pair()
    (tmp_path / "fill.csv").write_text(HEAD + "1,0,32,10\n")
    record, _, _ = simulated(path)
    assert record.end_time_s == max(record.end_s)


RANDOM = """
name: random
horizon: 3 days
warmup: 0.5 days
network: {{fabric: {fabric}, oversubscription: {ratio}}}
{site}
fleet: [{{pool: a, rack: dgx-h100, count: 40}}, {{pool: b, rack: trn2-48xl, count: 20}}]
workload:
  - {{class: ring, kind: synthetic, chips: {{choice: [8, 24, 40, 64]}}, duration: {{exponential: {{mean: 5 hours}}}},
     arrivals: {{per_hour: 2}}, communication: {{size: 5 GB, compute: 300 ms, overlap: 0.3}}}}
  - {{class: all, kind: synthetic, chips: {{choice: [16, 48]}}, duration: {{exponential: {{mean: 3 hours}}}},
     arrivals: {{per_hour: 1}}, communication: {{collective: all-to-all, size: 1 GB, compute: 100 ms}}}}
  - {{class: train, kind: training, model: llama3-8b, chips: {{choice: [16, 64]}}, arrivals: {{per_hour: 1}},
     tokens: {{exponential: {{mean: 1e9}}}}, stacks: [cuda, neuron]}}
policy: {{backfill: easy, placement: {placement}, power: {power}}}
"""


@pytest.mark.parametrize("placement", ["pack", "spread", "topology", "contiguous"])
@pytest.mark.parametrize("power", ["reserve", "throttle"])
@pytest.mark.parametrize(("fabric", "ratio"), [("leaf-spine", "6"), ("fat-tree", "[4, 4]")])
def test_jobs_finish_their_work_at_the_max_min_fair_shares_of_all_that_run(fabric, ratio, power, placement, tmp_path):
    path = tmp_path / "random.yaml"
    seed, site = len(placement), "site: {feed: 10 MW}"
    path.write_text(RANDOM.format(fabric=fabric, ratio=ratio, power=power, placement=placement, site=site))
    record, plant, seats = simulated(path, seed)
    network, end_s = plant.network, record.end_time_s
    jobs = {}
    for row, job_class, start_s, pool, placement in seats:
        segment, speed = network.segments[pool], network.speeds[job_class][pool]
        seat = segment.seat(placement)
        alone = speed.alone(seat)
        crosses = seat.level >= 2 and segment.shares and alone.crossing
        flow = segment.flow(placement, seat, alone.crossing) if crosses else None
        jobs[row] = (start_s, min(end_s, np.nan_to_num(record.end_s[row], nan=end_s)), segment, speed, seat, flow)
    work = np.concatenate([table.work for _, table in record.tables])
    done = dict.fromkeys(jobs, 0.0)
    times = sorted({time for start_s, until_s, *_ in jobs.values() for time in (start_s, until_s)})
    shared = 0
    for since_s, until_s in pairwise(times):
        running = [row for row, (start_s, last_s, *_) in jobs.items() if start_s <= since_s and last_s >= until_s]
        rates = _rates({row: jobs[row][5] for row in running if jobs[row][5] is not None}, network.capacities)
        for row in running:
            _, _, segment, speed, seat, flow = jobs[row]
            alone = speed.alone(seat).share
            share = alone if flow is None else min(alone, rates[row] / flow.bytes_per_s)
            shared += share < alone
            done[row] += (until_s - since_s) / speed.pace_s(seat, share)
    assert shared > 100
    for row, (_, last_s, *_) in jobs.items():
        if last_s < end_s:
            assert done[row] == pytest.approx(work[row], rel=1e-6), row
        else:
            assert done[row] <= work[row] * (1 + 1e-6)


def _rates(flows, capacities):
    rows = list(flows)
    if not rows:
        return {}
    offsets = np.cumsum([0, *(len(flows[row].links) for row in rows)])
    links = np.concatenate([flows[row].links for row in rows])
    sent = np.array([flows[row].bytes_per_s for row in rows])
    found = fair_rates(offsets, links, np.array(capacities), sent, sent)
    return dict(zip(rows, found.tolist(), strict=True))


@pytest.mark.parametrize("power", ["reserve", "throttle"])
def test_work_before_the_warmup_and_at_the_end_adds_up_however_time_is_kept(power, tmp_path):
    path = tmp_path / "random.yaml"
    site = "site: {feed: 10 MW}"
    path.write_text(RANDOM.format(fabric="leaf-spine", ratio="6", power=power, placement="pack", site=site))
    saved = run(path, (), 1, tmp_path / power, force=False, pictures=False, progress=lambda _: None)
    jobs = pl.read_parquet(saved.folder / "jobs.parquet")
    summary = json.loads((saved.folder / "summary.json").read_text())
    trained = jobs.filter(pl.col("tokens").is_not_null())
    assert (trained["tokens"] <= trained["work"] * (1 + 1e-9)).all()
    done = jobs.filter(pl.col("status") == "completed")
    assert (done["contention_slowdown"] >= 1).all()
    assert (done["contention_slowdown"] > 1.01).sum() > 20
    assert summary["contention_slowdown_mean"] > 1
    _SEEN[power] = {name: value for name, value in summary.items() if "chip_h" in name or "token" in name}
    if len(_SEEN) == 2:
        for name, value in _SEEN["reserve"].items():
            assert _SEEN["throttle"][name] == pytest.approx(value, rel=1e-6), name


_SEEN: dict = {}


def test_the_traffic_of_a_run_is_empty_at_its_end_if_all_jobs_have_ended(pair):
    scenario = load(pair())
    plant = build_plant(scenario)
    simulation = Simulation(scenario, plant, build_policy(scenario, plant), 0)
    while simulation.advance(1000):
        pass
    traffic = simulation.cluster.traffic
    assert isinstance(traffic, Traffic)
    assert not traffic._senders
    assert not traffic.unsettled


@pytest.mark.parametrize("power", ["reserve", "throttle"])
def test_a_gang_that_shares_from_its_first_instant_is_said_to_be_slowed(power, pair, tmp_path):
    path = pair(site="site: {feed: 10 MW}", power=power)
    (tmp_path / "ring.csv").write_text(HEAD + "1,10,32,1000\n2,10,40,1000\n")
    record, plant, seats = simulated(path)
    work = np.concatenate([table.work for _, table in record.tables])
    for row, job_class, start_s, _, placement in seats:
        if job_class == 1:
            taken = work[row] * paces(plant, placement)[0] * record.journeys.stretch[row]
            assert record.end_s[row] - start_s == pytest.approx(taken)
            assert record.journeys.stretch[row] > 1.001
