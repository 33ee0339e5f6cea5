"""The feed on random scenarios: no level above its rating, the battery within bounds, every joule and second found.

Every check is recomputed from stays, placements and caps of the saved tables and from the catalog's constants.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outputs.metrics import Result, measure
from policies.policy import Policy
from scenarios.load import Scenario
from sim.run import prepare
from sim.simulation import simulate
from topologies.plant import Plant

POLICIES = ["reserve", "throttle", "water-fill", "shed", "oversubscribe", "{oversubscribe: {ratio: 2}}"]
RACKS = {"h": ("dgx-h100", 8), "t": ("trn2-48xl", 16)}  # idle and full draws are those of the plant
FLOOR, REL = 1e-3, 1e-9


@dataclass
class Ran:
    scenario: Scenario
    plant: Plant
    policy: Policy
    result: Result


def ran(text: str, folder: Path, seed: int = 0) -> Ran:
    path = folder / "scenario.yaml"
    path.write_text(text)
    scenario, plant, policy = prepare(path)
    return Ran(scenario, plant, policy, measure(simulate(scenario, plant, policy, seed), plant, scenario))


def steps_at(times: np.ndarray, values: np.ndarray, at: np.ndarray, before: float) -> np.ndarray:
    """A step series at some times."""
    row = np.searchsorted(times, at, side="right") - 1
    return np.where(row >= 0, np.append(values, before)[np.maximum(row, 0) if len(values) else -1], before)


def levels_of(run: Ran, pool: int, placement: str) -> dict[int, int]:
    """The limits above a placement and the chips under each."""
    found = {}
    for at, limit in enumerate(run.plant.limits):
        chips = sum(
            int(part.split(":")[1]) for part in placement.split() if limit.domains[pool] >> int(part.split(":")[0]) & 1
        )
        if chips:
            found[at] = chips
    return found


def recompute(run: Ran) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], list[tuple[dict, np.ndarray]]]:
    """Times, IT draw [W], draw under each limit above idle [W], and for each stay its row and its speed over time."""
    timeline, stays, caps = run.result.timeline, run.result.stays, run.result.caps
    times = timeline["time_s"].to_numpy()
    names = [work.job_class for work in run.scenario.keys.workload]
    pools = [pool.name for pool in run.plant.pools]
    it_w = np.full(len(times), run.plant.site.other_it_w)
    for pool in run.plant.pools:
        it_w += timeline[f"installed_chips/{pool.name}"].to_numpy() / (pool.chips / pool.racks) * pool.idle_nw / 1e9
    below_w = [np.zeros(len(times)) for _ in run.plant.limits]
    speeds = []
    for row in stays.iter_rows(named=True):
        pool, plan = pools.index(row["pool"]), run.plant.plans[names.index(row["job_class"])]
        under = levels_of(run, pool, row.get("placement") or "")
        levels = "+".join(run.plant.limits[at].name for at in sorted(under))
        mine = caps.filter(job_class=row["job_class"], pool=row["pool"], levels=levels)
        fraction = steps_at(mine["time_s"].to_numpy(), mine["cap_fraction"].to_numpy(), times, 1.0)
        held = (times >= row["from_s"]) & (times < row["to_s"])
        chip_w = (plan.draw_nw[pool] - (1 - fraction) * plan.range_nw[pool]) / 1e9
        assert (fraction[held] >= plan.floor[pool] - 1e-12).all()
        it_w += held * row["chips"] * chip_w
        for at, chips in under.items():
            below_w[at] += held * chips * chip_w
        speeds.append((row, np.where(held, fraction**plan.exponent, 0.0)))
    return times, it_w, below_w, speeds


def check(run: Ran) -> None:
    """All that must hold, whatever the scenario."""
    keys, plant, timeline, summary = run.scenario.keys, run.plant, run.result.timeline, run.result.summary
    times, it_w, below_w, speeds = recompute(run)
    steps = run.scenario.site_steps(keys.seed)
    row = steps.row_at(times)
    battery_w = timeline["battery_w"].to_numpy() if "battery_w" in timeline.columns else np.zeros(len(times))
    feed_w = it_w * steps.overhead[row] + plant.site.fixed_w - battery_w
    np.testing.assert_allclose(timeline["feed_w"].to_numpy(), feed_w, rtol=REL)
    np.testing.assert_array_equal(timeline["cap_w"].to_numpy(), steps.cap_w[row])
    above = feed_w > steps.cap_w[row] * (1 + REL)
    lasts_s = np.diff(np.append(times, summary["simulated_s"]))
    assert summary.get("infeasible_s", 0.0) == pytest.approx((above * lasts_s).sum(), rel=REL)
    busy = sum(timeline[f"busy_chips/{pool.name}"].to_numpy() for pool in plant.pools)
    installed = sum(timeline[f"installed_chips/{pool.name}"].to_numpy() for pool in plant.pools)
    assert not (above & ((busy > 0) | (installed > 0)) & (lasts_s > 0)).any()  # only with everything off
    for limit, draw_w in zip(plant.limits, below_w, strict=True):
        assert draw_w.max() <= limit.spare_nw / 1e9 * (1 + REL), limit.name
    check_battery(run, times, lasts_s, battery_w)
    check_work(run, lasts_s, speeds)
    parts = [value for name, value in summary.items() if name.startswith("energy_")]
    assert math.fsum(parts) == pytest.approx(summary["feed_energy_j"], rel=REL)
    assert summary["feed_energy_j"] == pytest.approx(math.fsum((feed_w * lasts_s).tolist()), rel=REL)


def check_battery(run: Ran, times: np.ndarray, lasts_s: np.ndarray, battery_w: np.ndarray) -> None:
    keys = run.scenario.keys.site.battery
    if keys is None:
        return
    one_way = math.sqrt(keys.round_trip)
    stored_w = np.where(battery_w > 0, -battery_w / one_way, -battery_w * one_way)
    soc_j = keys.initial * keys.energy + np.concatenate([[0.0], np.cumsum(stored_w * lasts_s)])
    reserve_j = min(keys.reserve, keys.initial) * keys.energy
    assert soc_j.max() <= keys.energy * (1 + REL)
    assert soc_j.min() >= reserve_j - REL * keys.energy
    assert abs(battery_w).max() <= keys.power * (1 + REL)
    np.testing.assert_allclose(run.result.timeline["battery_soc_j"].to_numpy(), soc_j[:-1], atol=REL * keys.energy)
    if keys.ramp is not None and not any(item.notice for item in run.scenario.keys.site.curtailment):
        # each step of the ramp is looked at when it has been passed
        assert np.diff(np.maximum(0.0, battery_w)).max(initial=0) <= keys.power / 16 * (1 + REL)


def check_work(run: Ran, lasts_s: np.ndarray, speeds: list[tuple[dict, np.ndarray]]) -> None:
    """Jobs finish exactly their work: full-speed seconds of all stays, less restarts and what was lost."""
    done_s: dict[str, float] = {}
    stays: dict[str, int] = {}
    for row, speed in speeds:
        restart_s = run.scenario.keys.failures.restart if stays.get(row["job_id"]) else 0.0
        stays[row["job_id"]] = stays.get(row["job_id"], 0) + 1
        worked_s = max(0.0, math.fsum((speed * lasts_s).tolist()) - restart_s)
        done_s[row["job_id"]] = done_s.get(row["job_id"], 0.0) + worked_s - row["lost_s"]
    jobs = run.result.jobs
    chips = dict(jobs.select("job_id", "chips").iter_rows())
    work_h = math.fsum(chips[job] * seconds for job, seconds in done_s.items()) / 3600
    assert run.result.summary["work_chip_h"] == pytest.approx(work_h, rel=1e-6, abs=1e-3)
    for job in jobs.filter(status="completed").iter_rows(named=True):
        assert done_s[job["job_id"]] == pytest.approx(job["work"] / job["chips"], rel=1e-6, abs=1e-3), job
        assert job["preemptions"] == stays[job["job_id"]] - 1
    for job in jobs.filter(pl.col("status") == "running").iter_rows(named=True):
        assert done_s[job["job_id"]] <= job["work"] / job["chips"] * (1 + 1e-6) + 1e-3


@st.composite
def scenarios(draw: st.DrawFn) -> str:
    """A small site of two pools under a tight feed, with whatever can happen to it."""
    lines = ["name: random", "horizon: 3 days", f"seed: {draw(st.integers(0, 99))}"]
    full_kw = 10.5 * 6 + 10 * 3
    feed_kw = draw(st.floats(0.45, 1.0)) * full_kw
    lines += ["site:", f"  feed: {feed_kw:.3f} kW", "  fabric_and_storage: 1 kW"]
    slope = draw(st.sampled_from([0, 0.01]))
    lines += [f"  pue: {{fixed: 1 kW, proportional: 0.05, slope_per_degree: {slope}}}"]
    if slope:
        lines += ["  temperature: {synthetic: {mean: 22 degC, daily: 10 degC, noise: 2 degC}}"]
    if draw(st.booleans()):
        lines += [f"  pdus: {{count: 4, rating: {draw(st.floats(17, 30)):.2f} kW}}"]
    if draw(st.booleans()):
        ramp = draw(st.sampled_from(["", ", ramp: 2 kW/min", ", ramp: 200 W/s"]))
        reserve, initial = draw(st.sampled_from([(0, 1), (0.25, 0.5), (0.5, 0.2)]))
        energy, power = draw(st.floats(2, 60)), draw(st.floats(1, 40))
        lines += [f"  battery: {{energy: {energy:.1f} kWh, power: {power:.1f} kW, reserve: {reserve}"]
        lines[-1] += f", initial: {initial}{ramp}}}"
    cuts = []
    for _ in range(draw(st.integers(0, 3))):
        at, lasts, by = draw(st.floats(0, 70)), draw(st.floats(0.1, 20)), draw(st.sampled_from([10, 30, 60, 95, 99.9]))
        notice = draw(st.sampled_from(["0 s", "10 s", "1 hour"]))
        cuts += [f"    - {{at: {at:.2f} hours, for: {lasts:.2f} hours, by: {by} %, notice: {notice}}}"]
    if draw(st.booleans()):
        cuts += ["    - {per_year: 500, for: {uniform: [10 min, 2 hours]}, by: 40 %}"]
    lines += ["  curtailment:", *cuts] if cuts else []
    lines += ["fleet:", "  - {pool: t, rack: trn2-48xl, count: 3}", "  - {pool: h, rack: dgx-h100, count: 6}"]
    lines += ["failures: {restart: 5 min, checkpoint: {every: 30 min}}", "workload:"]
    for name, chips, stacks, value in (("a", "[1, 8, 20]", "[cuda]", 3), ("b", "[2, 16]", "[neuron, cuda]", 1)):
        exponent = draw(st.sampled_from([0.56, 0.8, 1]))
        lines += [
            f"  - {{class: {name}, kind: synthetic, chips: {{choice: {chips}}}, stacks: {stacks}, value: {value},"
        ]
        lines += [f"     cap_exponent: {exponent}, duration: {{lognormal: {{median: 2 hours, sigma: 1}}}},"]
        lines += [f"     arrivals: {{per_hour: {draw(st.floats(0.3, 1.5)):.2f}}}}}"]
    return "\n".join([*lines, f"policy: {{power: {draw(st.sampled_from(POLICIES))}}}\n"])


@settings(max_examples=200, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=scenarios())
def test_nothing_is_above_its_rating_and_every_joule_and_second_is_found(tmp_path_factory, text):
    run = ran(text, tmp_path_factory.mktemp("feed"), seed=int(text.split("seed: ")[1].split()[0]))
    if run.result.stays is not None:
        check(run)
