"""Where the capacity went: every state by hand, and sums on random scenarios from saved tables and constants."""

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outputs.capacity import STATES
from outputs.metrics import Result, measure
from policies import fragmentation
from policies.placement import PACK
from policies.registry import PLACEMENTS
from sim.run import prepare
from sim.simulation import simulate
from topologies.plant import Plant

HOUR_S = 3600.0
# One rack of 10 chips: 100 W idle, 1,000 W at full demand, 1 kW for hosts; nothing is lost on the way.
TEXT = """
name: small
horizon: {horizon}
{site}
fleet: [{fleet}]
workload:
{workload}
policy: {policy}
failures: {{restart: {restart}, checkpoint: {{every: 30 min, stall: 20 s}}}}
catalog:
  accelerators:
    c: {{stack: cuda, tdp: 1000 W, idle: 100 W, minimum_cap: 200 W, source: by hand, confidence: high}}
    n: {{stack: neuron, tdp: 1000 W, idle: 100 W, minimum_cap: 200 W, source: by hand, confidence: high}}
  racks:
    r: {{accelerator: c, chips: 10, domain_chips: 10, node_chips: 10, host: 1 kW, source: by hand, confidence: high}}
    t: {{accelerator: n, chips: 10, domain_chips: 10, node_chips: 10, host: 1 kW, source: by hand, confidence: high}}
"""
JOB = "  - {class: %s, kind: trace, format: csv, file: %s.csv, demand: 1, cap_exponent: 0.5, stacks: [%s]}"
ONE, TWO = "{pool: p, rack: r, count: 1}", "{pool: p, rack: r, count: 2}"


def run(path: Path) -> tuple[Result, Plant]:
    scenario, plant, policy = prepare(path)
    return measure(simulate(scenario, plant, policy, scenario.keys.seed), plant, scenario), plant


def small(folder: Path, rows: list[str], stacks: str = "cuda", **keys: str) -> Result:
    """One trace class (rows of number,submit_s,chips,run_s) on the small site."""
    (folder / "a.csv").write_text("\n".join(["number,submit_s,chips,run_s", *rows]) + "\n")
    usual = {"site": "", "fleet": ONE, "restart": "0 s", "policy": "easy", "horizon": "1 hour"}
    path = folder / "s.yaml"
    path.write_text(TEXT.format(**{**usual, **keys, "workload": JOB % ("a", "a", stacks)}).lstrip())
    return run(path)[0]


def states_h(result: Result, pool: str = "p") -> dict[str, float]:
    """The states of a pool that are not empty, in chip-hours."""
    rows = result.capacity.filter(pl.col("pool") == pool, pl.col("chip_s") != 0)
    assert set(result.capacity["state"]) == set(STATES)
    return {state: pytest.approx(chip_s / HOUR_S, rel=1e-12) for _, state, chip_s in rows.iter_rows()}


def cut(at: str, lasts: str, to: str, notice: str = "0 s", feed: str = "11 kW") -> str:
    return f"site:\n  feed: {feed}\n  curtailment: [{{at: {at}, for: {lasts}, to: {to}, notice: {notice}}}]"


def test_no_demand_is_what_is_idle_while_nobody_waits(tmp_path):
    result = small(tmp_path, ["1,0,4,1800"])
    assert states_h(result) == {"productive": 2, "no demand": 8}
    assert result.summary["capacity/no_demand_fraction"] == 0.8
    assert result.summary["goodput_fraction"] == 0.2


def test_held_by_policy_is_what_would_have_seated_a_gang_that_waits(tmp_path):
    rows = ["1,0,6,3600", "2,0,10,3600", "3,0,4,3600", "4,0,6,3600"]
    result = small(tmp_path, rows, policy="{backfill: none}", horizon="3 hours")
    assert states_h(result) == {"productive": 26, "held by policy": 4}


def test_a_deferred_job_holds_the_chips_that_it_would_sit_on(tmp_path):
    (tmp_path / "prices.csv").write_text(
        "time,price\n" + "".join(f"2026-01-01T{at:02}:00:00Z,{20 if at == 3 else 50}\n" for at in range(24))
    )
    site = "site: {feed: 20 kW, price: {file: prices.csv, column: price, unit: USD/MWh}}"
    rows, policy = ["1,0,8,3600", "2,0,2,3600"], "{power: {defer: {price: 30 USD/MWh, deadline: 20 hours}}}"
    result = small(tmp_path, rows, site=site, policy=policy, horizon="4 hours")
    assert states_h(result) == {"productive": 10, "held by policy": 30}


def test_a_job_that_ends_while_others_are_deferred_leaves_its_chips_to_them(tmp_path):
    (tmp_path / "prices.csv").write_text(
        "time,price\n" + "".join(f"2026-01-01T{at:02}:00:00Z,{20 if at == 0 else 50}\n" for at in range(24))
    )
    site = "site: {feed: 20 kW, price: {file: prices.csv, column: price, unit: USD/MWh}}"
    policy = "{power: {defer: {price: 30 USD/MWh, deadline: 20 hours}}}"
    result = small(tmp_path, ["1,0,10,7200", "2,3600,10,60"], site=site, policy=policy, horizon="3 hours")
    assert states_h(result) == {"productive": 20, "held by policy": 10}


def test_fragmentation_is_what_is_idle_beside_a_gang_that_does_not_fit(tmp_path):
    result = small(tmp_path, ["1,0,6,3600", "2,0,10,3600"], horizon="2 hours")
    assert states_h(result) == {"productive": 16, "fragmentation": 4}


PLUG_INS = """
from policies.view import DEFERRED, Decisions

def roomy(free, chips, avoid=0):
    fits = [at for at in range(free.domains) if free.in_domain(at) >= chips + 3 and not avoid >> at & 1]
    return ((fits[0], chips),) if fits else None

def later(view, order, placer):
    return Decisions(blocked=dict.fromkeys(view.queue.lanes, DEFERRED))
"""


GANGS = ["1,0,6,3600", "2,0,7,3600", "3,0,2,3600"]  # the last one fits beside the first, but not with 3 to spare


@pytest.mark.parametrize(
    ("rows", "policy", "states"),
    [
        (GANGS, "{backfill: none}", {"productive": 6, "fragmentation": 2, "held by policy": 2}),
        (GANGS, "{backfill: none, placement: plug.py:roomy}", {"productive": 6, "fragmentation": 4}),
        (["1,0,10,3600"], "{backfill: plug.py:later}", {"held by policy": 10}),
    ],
)
def test_policies_of_ones_own_are_asked_as_built_in_ones_are(rows, policy, states, tmp_path):
    (tmp_path / "plug.py").write_text(PLUG_INS)
    assert states_h(small(tmp_path, rows, policy=policy)) == states


def test_a_placement_that_sees_who_runs_and_waits_sees_them_when_it_is_asked_why_chips_are_idle(tmp_path, monkeypatch):
    seen = []

    def seeing(view):
        place = fragmentation.seeing(view).place
        waits = view.queue.jobs
        return PACK._replace(place=lambda *gang: seen.append((waits, gang[1])) or place(*gang))

    monkeypatch.setitem(PLACEMENTS, "fragmentation", fragmentation.FRAGMENTATION._replace(seeing=seeing))
    result = small(tmp_path, GANGS, policy="{backfill: none, placement: fragmentation}")
    assert states_h(result) == {"productive": 6, "fragmentation": 2, "held by policy": 2}
    assert seen[-1] == (2, 2)  # two wait when the last one is tried, which no pass without backfill does


def test_no_power_is_what_the_feed_does_not_reach_for(tmp_path):
    result = small(tmp_path, ["1,0,5,3600", "2,0,5,3600"], site="site: {feed: 6500 W}")
    assert states_h(result) == {"productive": 5, "no power": 5}
    assert result.summary["stranded_energy_j"] == pytest.approx(0, abs=1e-3)


def test_no_portable_job_is_what_those_who_wait_cannot_use(tmp_path):
    fleet = ONE + ", {pool: q, rack: t, count: 1}"
    result = small(tmp_path, ["1,0,10,3600", "2,0,7,3600"], stacks="neuron", fleet=fleet)
    assert states_h(result, "q") == {"productive": 10}
    assert states_h(result) == {"no portable job": 7, "no demand": 3}


def test_throttled_is_what_caps_take(tmp_path):
    # 4,250 - 2,000 W for ten chips of 900 W span: a quarter, so half the speed
    result = small(tmp_path, ["1,0,10,7200"], site=cut("1 hour", "2 hours", "4250 W"), horizon="3 hours")
    assert states_h(result) == {"productive": 20, "throttled": 10}
    summary = result.summary
    assert summary["curtailed_contract_energy_j"] == pytest.approx(2 * 6750 * HOUR_S)
    assert summary["productive_energy_j"] == pytest.approx(summary["energy_jobs_j"])


def test_lost_work_is_what_stops_take_back(tmp_path):
    site = cut("80 min", "2 hours", "2100 W", "19 s")
    result = small(tmp_path, ["1,0,10,14400"], site=site, horizon="380 min")
    assert states_h(result) == {"productive": 40, "lost work": 20 / 6, "no power": 20}


def test_restarting_is_what_a_stopped_job_needs_before_it_goes_on(tmp_path):
    site = cut("80 min", "2 hours", "2100 W", "20 s")
    result = small(tmp_path, ["1,0,10,14400"], site=site, horizon="366 min", restart="6 min")
    assert states_h(result) == {"productive": 40, "restarting": 1, "no power": 20}
    assert result.summary["restarting_energy_j"] == pytest.approx(10 * 1000 * 360)


def test_racks_are_off_without_power_and_down_while_they_come_up(tmp_path):
    # stopped at 1 h with all its work; the second rack is off for an hour and then boots for ten minutes
    site = cut("1 hour", "1 hour", "2500 W", "1 min", "22 kW")
    result = small(tmp_path, ["1,0,20,7200"], site=site, fleet=TWO, horizon="190 min")
    sixth = 10 / 6
    assert states_h(result) == {"productive": 40, "off": 10, "down": sixth, "no power": 10, "fragmentation": sixth}
    off_h = 10
    assert result.summary["delivered_chip_h"] - off_h == pytest.approx(result.summary["installed_chip_h"])


def test_communication_is_what_the_step_of_a_seat_has_of_exchange(tmp_path):
    (tmp_path / "a.csv").write_text("number,submit_s,chips,run_s\n1,0,16,1000\n")
    path = tmp_path / "s.yaml"
    path.write_text(
        "name: ring\nhorizon: until-done\nnetwork: {fabric: leaf-spine}\nfleet: [{pool: p, rack: dgx-h100, count: 2}]\n"
        "workload:\n  - {class: a, kind: trace, format: csv, file: a.csv, communication: {size: 99 GB, compute: 1 s}}\n"
    )
    result, plant = run(path)
    seat = plant.network.segments[0].compact(16)
    speed = plant.network.speeds[0][0]
    productive = speed.alone(seat).computing
    assert productive == 1 / speed._step_s(seat, speed.alone(seat).share)
    assert 0.1 < productive < 0.9
    held_h = 16 * 1000 / HOUR_S
    assert states_h(result) == {"productive": held_h * productive, "communication": held_h * (1 - productive)}
    assert result.summary["communication_placement_chip_h"] == 0


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
        running = ("productive", "communication", "throttled", "lost work", "restarting")
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
    names = ("productive", "communication", "lost_work", "restarting")
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
    for name, chips, stacks in (("a", "[1, 8, 20]", "[cuda]"), ("b", "[2, 16]", "[neuron, cuda]")):
        lines += [f"  - {{class: {name}, kind: synthetic, chips: {{choice: {chips}}}, stacks: {stacks}{sends},"]
        lines += ["     duration: {lognormal: {median: 2 hours, sigma: 1}}, estimate: {factor: {uniform: [1, 3]}},"]
        lines += [f"     arrivals: {{per_hour: {draw(st.floats(0.3, 2)):.2f}}}}}"]
    power = draw(st.sampled_from(POWERS)) if capped else "reserve"
    backfill = draw(st.sampled_from(["easy", "none", "greedy", "conservative"]))
    placement = draw(st.sampled_from(["pack", "spread", "topology", "first-fit", "fragmentation"]))
    return "\n".join([*lines, f"policy: {{power: {power}, backfill: {backfill}, placement: {placement}}}\n"])


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(text=scenarios())
def test_states_add_up_to_the_delivered_chip_seconds_and_energy_to_the_contract(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("capacity") / "s.yaml"
    path.write_text(text)
    result, plant = run(path)
    check(result, plant, float(text.split("warmup: ")[1].split()[0]) * HOUR_S)


def test_a_run_that_ends_within_its_warmup_has_no_capacity(tmp_path):
    (tmp_path / "a.csv").write_text("number,submit_s,chips,run_s\n1,0,1,60\n")
    path = tmp_path / "s.yaml"
    path.write_text(
        "name: w\nhorizon: until-done\nwarmup: 1 day\nfleet: [{pool: p, rack: plain, chips: 4}]\n"
        "workload: [{class: a, kind: trace, format: csv, file: a.csv}]\n"
    )
    assert run(path)[0].capacity is None
