"""Where the capacity went: every state by hand."""

import math
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest

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
  interconnects:
    r:
      {{bandwidth: 100 GB/s, nics: 1, nic_bandwidth: 1 GB/s, source: by hand, confidence: high,
       scale_up: {{base: 0 s, ring_step: 0 s, tree_step: 0 s, ring_efficiency: 1}},
       scale_out: {{base: 0 s, ring_step: 0 s, tree_step: 0 s, post: 0 s, ring_efficiency: 1,
         hierarchical_efficiency: 1}}}}
"""
JOB = "  - {class: %s, kind: trace, format: csv, file: %s.csv, demand: 1, cap_exponent: 0.5, stacks: [%s]%s}"
ONE, TWO = "{pool: p, rack: r, count: 1}", "{pool: p, rack: r, count: 2}"


def run(path: Path) -> tuple[Result, Plant]:
    scenario, plant, policy = prepare(path)
    return measure(simulate(scenario, plant, policy, scenario.keys.seed), plant, scenario), plant


def small(
    folder: Path, rows: list[str], stacks: str = "cuda", urgent: tuple[str, ...] = (), sends: str = "", **keys: str
) -> Result:
    """Trace classes (rows of number,submit_s,chips,run_s) on the small site, the second one of priority 1."""
    classes = []
    for name, of, more in (("a", rows, sends), ("b", urgent, ", priority: 1")):
        (folder / f"{name}.csv").write_text("\n".join(["number,submit_s,chips,run_s", *of]) + "\n")
        classes += [JOB % (name, name, stacks, more)] if of else []
    usual = {"site": "", "fleet": ONE, "restart": "0 s", "policy": "easy", "horizon": "1 hour"}
    path = folder / "s.yaml"
    path.write_text(TEXT.format(**{**usual, **keys, "workload": "\n".join(classes)}).lstrip())
    result, plant = run(path)
    for pool in plant.pools:  # every delivered chip is in some state at all times
        found_s = math.fsum(result.capacity.filter(pool=pool.name)["chip_s"])
        assert found_s == pytest.approx(pool.chips * result.summary["simulated_s"], rel=1e-12)
    return result


def states_h(result: Result, pool: str = "p") -> dict[str, float]:
    """The states of a pool that are not empty, in chip-hours."""
    rows = result.capacity.filter(pl.col("pool") == pool, pl.col("chip_s") != 0)
    assert set(result.capacity["state"]) == set(STATES)
    return {state: pytest.approx(chip_s / HOUR_S, rel=1e-12) for _, state, chip_s in rows.iter_rows()}


def cut(at: str, lasts: str, to: str, notice: str = "0 s", feed: str = "11 kW") -> str:
    return f"site:\n  feed: {feed}\n  curtailment: [{{at: {at}, for: {lasts}, to: {to}, notice: {notice}}}]"


@dataclass(frozen=True)
class Case:
    """A scenario of one rack of ten chips, and its chip-hours by state in pool p (elsewhere in others)."""

    rows: list[str]
    states: dict[str, float]
    keys: dict[str, str] = field(default_factory=dict)
    urgent: tuple[str, ...] = ()
    stacks: str = "cuda"
    others: dict[str, dict[str, float]] = field(default_factory=dict)


def stops(grace: str) -> str:
    return f"{{order: priority, preemption: {{priority: {{min_run: 0 s, grace: {grace}}}}}}}"


CASES = {
    # ten chips for an hour
    "productive": Case(["1,0,10,3600"], {"productive": 10}),
    # A ring of 10 moves 2 * 9/10 * 100 GB at 100 GB/s in 1.8 s, of which 0.8 s are hidden behind the computing: a step
    # is 1 s of computing and 1 s of waiting, so that of the hour on ten chips half is each.
    "communication": Case(
        ["1,0,10,3600"],
        {"productive": 5, "communication": 5},
        {
            "site": "network: {fabric: leaf-spine}",
            "sends": ", communication: {size: 100 GB, compute: 1 s, overlap: 0.8}",
        },
    ),
    # An hour at full speed. Then 4,250 W, less 2,000 W for the host and ten idle chips, leave a quarter of the span of
    # 10 * 900 W: half the speed for two hours.
    "throttled": Case(
        ["1,0,10,7200"],
        {"productive": 10 + 10, "throttled": 10},
        {"site": cut("1 hour", "2 hours", "4250 W"), "horizon": "3 hours"},
    ),
    # The second job comes at 1,800 s, and the first writes for 20 s on its ten chips; the second runs until 2,400 s,
    # then the first until the end: 3,580 s of work.
    "checkpointing": Case(
        ["1,0,10,3600"],
        {"productive": 10 * 3580 / 3600, "checkpointing": 10 * 20 / 3600},
        {"policy": stops("20 s")},
        ("1,1800,10,580",),
    ),
    # It comes at 40 min, and there is no time to write: the first job has its checkpoint of 30 min, 10 min are lost.
    "lost work": Case(
        ["1,0,10,7200"],
        {"productive": 10 * (30 + 20) / 60, "lost work": 10 * 10 / 60},
        {"policy": stops("19 s")},
        ("1,2400,10,7200",),
    ),
    # It comes with the checkpoint at 30 min and goes at 40; the first job restarts until 46, then works until 60 min.
    "restarting": Case(
        ["1,0,10,7200"],
        {"productive": 10 * (30 + 10 + 14) / 60, "restarting": 10 * 6 / 60},
        {"policy": stops("19 s"), "restart": "6 min"},
        ("1,1800,10,600",),
    ),
    # Two racks, idle at 2 kW each, and 2.5 kW in the second hour: one rack is off in it, and then comes up for 10 min.
    # One has a job in the first hour; all else is idle and not wanted: 10 in the first hour, 10 in the second, and in
    # the last half hour 10 * 30 min of the rack that stayed on and 10 * 20 min of the other.
    "down": Case(
        ["1,0,10,3600"],
        {"productive": 10, "off": 10, "down": 10 / 6, "no demand": 10 + 10 + 5 + 10 / 3},
        {"site": cut("1 hour", "1 hour", "2500 W", "0 s", "22 kW"), "fleet": TWO, "horizon": "150 min"},
    ),
    # 2.9 kW are enough for one rack and one busy chip: the second rack never has power.
    "off": Case(
        ["1,0,1,3600"],
        {"productive": 1, "no demand": 9, "off": 10},
        {"site": "site: {phases: [{at: 0 s, cap: 2900 W}, {at: 2 hours, cap: 22 kW}]}", "fleet": TWO},
    ),
    # four chips for half an hour
    "no demand": Case(["1,0,4,1800"], {"productive": 2, "no demand": 8}),
    # Pool q is full, and seven chips more are waited for, which may not be those of p.
    "no portable job": Case(
        ["1,0,10,3600", "2,0,7,3600"],
        {"no portable job": 7, "no demand": 3},
        {"fleet": ONE + ", {pool: q, rack: t, count: 1}"},
        stacks="neuron",
        others={"q": {"productive": 10}},
    ),
    # 6,500 W are 2,000 W idle and five chips' 900 W; five more are waited for.
    "no power": Case(["1,0,5,3600", "2,0,5,3600"], {"productive": 5, "no power": 5}, {"site": "site: {feed: 6500 W}"}),
    # Four chips are idle for the hour in which the gang of ten waits for the six others.
    "fragmentation": Case(
        ["1,0,6,3600", "2,0,10,3600"], {"productive": 16, "fragmentation": 4}, {"horizon": "2 hours"}
    ),
    # Nobody passes the head of ten chips, though the third job would fit beside the first: four chips for an hour. Then
    # the head has all ten, and the last two together.
    "held by policy": Case(
        ["1,0,6,3600", "2,0,10,3600", "3,0,4,3600", "4,0,6,3600"],
        {"productive": 6 + 10 + 10, "held by policy": 4},
        {"policy": "{backfill: none}", "horizon": "3 hours"},
    ),
}


def test_there_is_a_scenario_for_every_state():
    assert set(CASES) == set(STATES)


@pytest.mark.parametrize("state", CASES)
def test_a_state_has_its_chip_hours_by_hand_and_no_other_state_has_any(state, tmp_path):
    case = CASES[state]
    result = small(tmp_path, case.rows, case.stacks, case.urgent, **case.keys)
    assert case.states[state] > 0
    assert states_h(result) == case.states
    for pool, states in case.others.items():
        assert states_h(result, pool) == states
    found_h = {"p": case.states, **case.others}
    delivered_h = sum(sum(states.values()) for states in found_h.values())
    name = f"capacity/{state.replace(' ', '_')}_fraction"
    assert result.summary[name] == pytest.approx(case.states[state] / delivered_h)
    productive_h = sum(states.get("productive", 0) for states in found_h.values())
    powered_h = delivered_h - case.states.get("off", 0)
    assert result.summary["goodput_fraction"] == pytest.approx(productive_h / powered_h)
    if state == "no power":
        assert result.summary["stranded_energy_j"] == pytest.approx(0, abs=1e-3)  # nothing is left, but too little


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


def test_throttled_is_what_caps_take(tmp_path):
    # 4,250 - 2,000 W for ten chips of 900 W span: a quarter, so half the speed
    result = small(tmp_path, ["1,0,10,7200"], site=cut("1 hour", "2 hours", "4250 W"), horizon="3 hours")
    assert states_h(result) == {"productive": 20, "throttled": 10}
    summary = result.summary
    assert summary["curtailed_contract_energy_j"] == pytest.approx(2 * 6750 * HOUR_S)
    assert summary["productive_energy_j"] == pytest.approx(summary["energy_jobs_j"])


@pytest.mark.parametrize(("notice", "lost_h"), [("20 s", 0), ("19 s", 20 / 6)])
def test_a_falling_cap_takes_back_what_there_is_no_time_to_write(notice, lost_h, tmp_path):
    # stopped at 80 min for two hours, without the time to write with the work of 20 min lost; 4 h of work in all
    site = cut("80 min", "2 hours", "2100 W", notice)
    result = small(tmp_path, ["1,0,10,14400"], site=site, horizon=f"{360 + 6 * lost_h} min")
    assert states_h(result) == {"productive": 40, "no power": 20} | ({"lost work": lost_h} if lost_h else {})


def test_restarting_is_what_a_stopped_job_needs_before_it_goes_on(tmp_path):
    # 80 min, two hours without power, 6 min to restart and the other 160 min
    site = cut("80 min", "2 hours", "2100 W", "20 s")
    result = small(tmp_path, ["1,0,10,14400"], site=site, horizon="366 min", restart="6 min")
    assert states_h(result) == {"productive": 40, "restarting": 1, "no power": 20}
    assert result.summary["restarting_energy_j"] == pytest.approx(10 * 1000 * 360)


def test_racks_are_off_without_power_and_down_while_they_come_up(tmp_path):
    # stopped at 1 h with all its work: an hour in which one rack has no power for chips and the other is off, then ten
    # minutes in which the gang waits for the other to boot, and another 2 h of work less 1 h: 20 * 2 chip-hours in all
    site = cut("1 hour", "1 hour", "2500 W", "1 min", "22 kW")
    result = small(tmp_path, ["1,0,20,7200"], site=site, fleet=TWO, horizon="190 min")
    ten_min_h = 10 / 6
    states = {"productive": 40, "off": 10, "down": ten_min_h, "no power": 10, "fragmentation": ten_min_h}
    assert states_h(result) == states
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


def test_a_run_that_ends_within_its_warmup_has_no_capacity(tmp_path):
    (tmp_path / "a.csv").write_text("number,submit_s,chips,run_s\n1,0,1,60\n")
    path = tmp_path / "s.yaml"
    path.write_text(
        "name: w\nhorizon: until-done\nwarmup: 1 day\nfleet: [{pool: p, rack: plain, chips: 4}]\n"
        "workload: [{class: a, kind: trace, format: csv, file: a.csv}]\n"
    )
    assert run(path)[0].capacity is None
