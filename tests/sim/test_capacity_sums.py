"""Where the capacity went: what must hold for every run, recomputed from saved tables and the plant's constants."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outputs.metrics import Result, measure
from sim.run import prepare
from sim.simulation import simulate
from topologies.plant import Plant

HOUR_S = 3600.0


def run(path: Path) -> tuple[Result, Plant]:
    scenario, plant, policy = prepare(path)
    return measure(simulate(scenario, plant, policy, scenario.keys.seed), plant, scenario), plant


@pytest.mark.parametrize("power", ["reserve", "throttle"])
def test_what_the_traffic_of_others_takes_is_communication_too(power, tmp_path):
    (tmp_path / "fill.csv").write_text("number,submit_s,chips,run_s\n1,0,32,2000\n")
    (tmp_path / "ring.csv").write_text("number,submit_s,chips,run_s\n1,10,32,1000\n2,110,40,1000\n")
    ring = "communication: {size: 10 GB, compute: 1 s}"
    path = tmp_path / "s.yaml"
    path.write_text(
        "name: pair\nhorizon: 3000 s\nwarmup: 500 s\nnetwork: {fabric: leaf-spine, oversubscription: 4}\n"
        "site: {feed: 10 MW}\nfleet: [{pool: p, rack: dgx-h100, count: 18}]\nworkload:\n"
        "  - {class: fill, kind: trace, format: csv, file: fill.csv}\n"
        f"  - {{class: ring, kind: trace, format: csv, file: ring.csv, {ring}}}\n"
        f"policy: {{backfill: none, power: {power}}}\n"
    )
    result, plant = run(path)
    jobs = result.jobs.filter(job_class="ring")
    ends, segment, speed = jobs["end_s"].to_list(), plant.network.segments[0], plant.network.speeds[1][0]
    # both send until the first ends; after it the second is alone
    traffic_s = [run_s - run_s / slow for run_s, slow in jobs.select("run_s", "contention_slowdown").iter_rows()]
    part = [(ends[0] - 500) / (ends[0] - 110)] * 2  # of it after the warmup
    taken_h = sum(chips * all_s * of / HOUR_S for chips, all_s, of in zip((32, 40), traffic_s, part, strict=True))
    assert traffic_s[0] > 10
    assert result.summary["communication_traffic_chip_h"] == pytest.approx(taken_h, rel=1e-9)
    assert speed.alone(segment.compact(32)).computing < 1
    check(result, plant, 500.0)


def check(result: Result, plant: Plant, warmup_s: float) -> None:
    """What must hold for every run, from saved tables and the plant's constants."""
    line, end_s = result.timeline, result.summary["simulated_s"]
    lasts_s = np.diff(np.clip(np.append(line["time_s"].to_numpy(), end_s), warmup_s, end_s))
    idle, wanted = np.zeros(len(lasts_s)), line["queue_chips"].to_numpy()
    no_demand_s = 0.0
    for at, pool in enumerate(plant.pools):
        states = dict(result.capacity.filter(pool=pool.name).select("state", "chip_s").iter_rows())
        assert min(states.values()) >= -1e-6, states
        no_demand_s += states["no demand"]
        a_rack = plant.rack_chips[at]
        delivered_s = math.fsum(racks * a_rack * (end_s - max(time_s, warmup_s)) for time_s, racks in pool.deliveries)
        assert math.fsum(states.values()) == pytest.approx(delivered_s, rel=1e-9)
        busy = line[f"busy_chips/{pool.name}"].to_numpy()
        running = ("productive", "communication", "throttled", "checkpointing", "lost work", "restarting")
        held_s = math.fsum((busy * lasts_s).tolist())
        assert math.fsum(states[state] for state in running) == pytest.approx(held_s, rel=1e-9)
        name = f"installed_chips/{pool.name}"
        there = line[name].to_numpy() if name in line.columns else np.full(len(busy), pool.chips)
        name = f"booting_chips/{pool.name}"
        booting = line[name].to_numpy() if name in line.columns else np.zeros(len(busy))
        assert states["down"] == pytest.approx(math.fsum((booting * lasts_s).tolist()), rel=1e-9)
        assert states["off"] == pytest.approx(delivered_s - math.fsum((there * lasts_s).tolist()), rel=1e-9, abs=1e-6)
        idle += there - booting - busy
        check_stays(result, plant, at, states, warmup_s)
    nobody = math.fsum((np.maximum(0, idle - wanted) * lasts_s).tolist())
    assert no_demand_s == pytest.approx(nobody, rel=1e-9, abs=1e-6)
    check_energy(result.summary)


def check_stays(result: Result, plant: Plant, at: int, states: dict[str, float], warmup_s: float) -> None:
    """What caps took, from stays and caps; nothing of it where they never move."""
    if result.stays is None:
        assert states["throttled"] == states["lost work"] == states["restarting"] == 0
        return
    throttled_s = 0.0
    lost_s = 0.0
    for row in result.stays.filter(pool=plant.pools[at].name).iter_rows(named=True):
        under = levels_of(plant, at, row.get("placement") or "")
        caps = result.caps.filter(job_class=row["job_class"], pool=row["pool"], levels=under)
        edges = np.clip(np.append(caps["time_s"].to_numpy(), np.inf), max(row["from_s"], warmup_s), row["to_s"])
        slower = math.fsum(((1 - caps["throttle"].to_numpy()) * np.diff(edges)).tolist())
        throttled_s += row["chips"] * slower if row["to_s"] > warmup_s else 0.0
        lost_s += row["chips"] * row["lost_s"] if row["to_s"] > warmup_s else 0.0
    assert states["throttled"] == pytest.approx(throttled_s, rel=1e-9, abs=1e-3)
    assert states["lost work"] <= lost_s * (1 + 1e-9) + 1e-6
    if warmup_s == 0:
        assert states["lost work"] == pytest.approx(lost_s, rel=1e-9, abs=1e-6)


def levels_of(plant: Plant, pool: int, placement: str) -> str:
    """The names of the limits above a placement."""
    domains = [int(part.split(":")[0]) for part in placement.split()]
    return "+".join(
        limit.name for limit in plant.limits if any(limit.domains[pool] >> domain & 1 for domain in domains)
    )


def check_energy(summary: dict[str, float]) -> None:
    """The contract down to the productive joules."""
    if "contract_energy_j" in summary:
        parts = ("curtailed_contract_energy_j", "stranded_energy_j", "unused_energy_j", "feed_energy_j")
        drawn_j = math.fsum(summary[part] for part in parts) - summary.get("above_cap_energy_j", 0.0)
        assert drawn_j == pytest.approx(summary["contract_energy_j"], rel=1e-9)
    names = ("productive", "communication", "checkpointing", "lost_work", "restarting")
    jobs_j = math.fsum(summary[f"{name}_energy_j"] for name in names)
    assert jobs_j == pytest.approx(summary["energy_jobs_j"], rel=1e-9, abs=1e-3)


POWERS = ["reserve", "throttle", "water-fill", "shed", "oversubscribe"]


@st.composite
def scenarios(draw: st.DrawFn) -> str:
    """A small site of two pools with whatever can happen to it."""
    seed, warmup = draw(st.integers(0, 99)), draw(st.sampled_from([0, 11, 30]))
    lines = ["name: random", "horizon: 3 days", f"warmup: {warmup} hours", f"seed: {seed}"]
    capped = draw(st.booleans())
    if capped:
        lines += [
            "site:",
            f"  feed: {draw(st.floats(0.5, 1.1)) * 93:.3f} kW",
            "  pue: {fixed: 1 kW, proportional: 0.05}",
        ]
        if draw(st.booleans()):
            lines += [f"  pdus: {{count: 4, rating: {draw(st.floats(18, 30)):.2f} kW}}"]
        if draw(st.booleans()):
            lines += ["  battery: {energy: 20 kWh, power: 15 kW}"]
        by, notice = draw(st.sampled_from([30, 60, 95, 99.9])), draw(st.sampled_from(["0 s", "1 hour"]))
        if draw(st.booleans()):
            lines += [
                f"  curtailment: [{{per_year: 600, for: {{uniform: [10 min, 5 hours]}}, by: {by} %, notice: {notice}}}]"
            ]
    networked = draw(st.booleans())
    if networked:
        lines += [
            f"network: {{fabric: leaf-spine, oversubscription: 4, contention: {str(draw(st.booleans())).lower()}}}"
        ]
    batches = draw(st.sampled_from(["", ", delivery: {first: 8 hours, every: 9 hours, racks: 1}"]))
    lines += [
        "fleet:",
        "  - {pool: t, rack: trn2-48xl, count: 3}",
        f"  - {{pool: h, rack: dgx-h100, count: 6{batches}}}",
    ]
    lines += ["failures: {restart: 5 min, checkpoint: {every: 30 min}}", "workload:"]
    sends = ", communication: {size: 2 GB, compute: 1 s}" if networked else ""
    # nothing is written: what caps took can be told from stays alone, and whose chips a job waits for from the timeline
    stopping = draw(st.sampled_from(["none", "{priority: {min_run: 5 min, grace: 0 s}}"]))
    for name, chips, stacks in (("a", "[1, 8, 20]", "[cuda]"), ("b", "[2, 16]", "[neuron, cuda], priority: 1")):
        lines += [f"  - {{class: {name}, kind: synthetic, chips: {{choice: {chips}}}, stacks: {stacks}{sends},"]
        lines += ["     duration: {lognormal: {median: 2 hours, sigma: 1}}, estimate: {factor: {uniform: [1, 3]}},"]
        lines += [f"     arrivals: {{per_hour: {draw(st.floats(0.3, 2)):.2f}}}}}"]
    power = draw(st.sampled_from(POWERS)) if capped else "reserve"
    backfill = draw(st.sampled_from(["easy", "none", "greedy", "conservative"]))
    placement = draw(st.sampled_from(["pack", "spread", "topology", "first-fit", "fragmentation"]))
    words = f"power: {power}, backfill: {backfill}, placement: {placement}, preemption: {stopping}"
    return "\n".join([*lines, f"policy: {{{words}}}\n"])


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=scenarios())
def test_states_add_up_to_the_delivered_chip_seconds_and_energy_to_the_contract(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("capacity") / "s.yaml"
    path.write_text(text)
    result, plant = run(path)
    check(result, plant, float(text.split("warmup: ")[1].split()[0]) * HOUR_S)
