"""Whatever a scenario says, its run ends, and who waits at its end has a reason that holds."""

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from outputs.metrics import measure
from policies import registry
from policies.policy import Policy
from policies.trial import find
from scenarios.errors import ScenarioError
from sim.cluster import Cluster
from sim.run import prepare
from sim.simulation import Simulation

MOST_EVENTS = 60_000
ORDERS = list(registry.ORDERS)
PLACEMENTS = list(registry.PLACEMENTS)
POWERS = list(registry.POWERS)
RACK_KW = {"dgx-h100": 10, "gb200-nvl72": 130, "trn1-32xl": 14}  # about what one draws at full load
RACK_CHIPS = {"dgx-h100": 8, "gb200-nvl72": 72, "trn1-32xl": 16}
TIMES = ["90 s", "7.3 min", "20 min", "0.1 hours", "1.1 hours", "3.3 hours", "13 hours"]

Draw = st.DrawFn


def _maybe(draw: Draw, chance: int, value: st.SearchStrategy[Any], **into: Any) -> dict[str, Any]:
    """Keys of `into` with a drawn value, one time in so many."""
    return {key: draw(value) for key in into} if draw(st.integers(1, chance)) == 1 else {}


@st.composite
def _pool(draw: Draw, at: int) -> dict[str, Any]:
    rack = draw(st.sampled_from(["plain", *RACK_KW, "dgx-h100"]))
    if rack == "plain":
        return {"pool": f"p{at}", "rack": rack, "chips": draw(st.sampled_from([1, 4, 7, 16, 40]))}
    pool = {"pool": f"p{at}", "rack": rack, "count": draw(st.integers(1, 1 if rack == "gb200-nvl72" else 4))}
    if draw(st.integers(1, 4)) == 1:
        first = draw(st.sampled_from(["0 s", "100 s", "5 hours"]))
        every = draw(st.sampled_from(["1.7 hours", "9 hours"]))
        pool["delivery"] = {"first": first, "every": every, "racks": draw(st.integers(1, 2))}
    return pool


@st.composite
def _job_class(draw: Draw, at: int, tenants: list[str], whole: int, endless: bool) -> dict[str, Any]:
    share = st.integers(1, 3)
    chips = draw(st.lists(st.sampled_from([1, 2, 4, 8, 3, 16, whole]), min_size=1, max_size=3, unique=True))
    made: dict[str, Any] = {
        "class": f"c{at}",
        "kind": "synthetic",
        "chips": {"choice": chips},
        "duration": draw(st.sampled_from([*TIMES[:5], "{uniform}", "{choice}"])),
        "arrivals": {"per_hour": draw(st.sampled_from([0.3, 2, 11.1, 90]))},
        "jobs": draw(st.integers(1, 25)),
        "priority": draw(st.integers(0, 2)),
        "value": draw(st.sampled_from([1.0, 1.0, 3.0, 1e-15, 1e15, 1e6])),
        "tenant": {"choice": dict.fromkeys(tenants, 1)},
    }
    if made["duration"] == "{uniform}":
        made["duration"] = {"uniform": ["100 s", "5.7 hours"]}
    elif made["duration"] == "{choice}":
        made["duration"] = {"choice": TIMES}
    made |= _maybe(draw, 4, st.sampled_from([{"from": 1, "to": 8}, {"from": 2, "to": 64}]), malleable=0)
    made |= _maybe(draw, 3, st.sampled_from([{"factor": 2}, {"factor": {"uniform": [0.3, 3]}}]), estimate=0)
    made |= _maybe(draw, 5, st.sampled_from(TIMES), deadline=0)
    made |= _maybe(draw, 5, st.sampled_from([0.3, 1.0]), demand=0)
    made |= _maybe(draw, 6, st.sampled_from([{"required": "domain"}, {"preferred": "domain"}]), topology=0)
    made |= _maybe(draw, 6, st.sampled_from(["0 s", "2 hours"]), defer_up_to=0)
    if not endless and made["arrivals"]["per_hour"] < 10 and draw(share) == 1:
        del made["jobs"]
    return made


@st.composite
def _site(draw: Draw, full_kw: int, endless: bool) -> dict[str, Any]:
    def power(low: float, high: float) -> str:
        return f"{draw(st.floats(low, high)) * full_kw + 1:.2f} kW"

    site: dict[str, Any] = {"feed": power(0.5, 1.4)}
    if draw(st.booleans()):
        del site["feed"]
        times = draw(st.lists(st.sampled_from(["50 min", "3.3 hours", "2 days"]), min_size=1, max_size=2, unique=True))
        times = sorted(times, key=["50 min", "3.3 hours", "2 days"].index)
        site["phases"] = [{"at": at, "cap": power(0.6, 1.3)} for at in ["0 s", *times]]
    if draw(st.integers(1, 2)) == 1:
        site["pue"] = {"proportional": draw(st.sampled_from([0, 0.1])), "slope_per_degree": 0.01}
        site["temperature"] = draw(st.sampled_from(["10 degC", "35 degC", "38.5 degC", "drawn"]))
        if site["temperature"] == "drawn":
            swing = {"daily": "8 degC", "noise": draw(st.sampled_from(["0 degC", "3 degC"]))}
            site["temperature"] = "27 degC" if endless else {"synthetic": {"mean": "25 degC", **swing}}
    cuts = st.fixed_dictionaries(
        {
            "at": st.sampled_from(["0 s", "2 hours", ["1.1 hours", "7 hours"]]),
            "for": st.sampled_from(["1 hour", "90 s", {"choice": ["5 min", "2.2 hours"]}, "100 days"]),
            "by": st.sampled_from([0.2, 0.6, 0.95]),
            "notice": st.sampled_from(["0 s", "15 min"]),
        }
    )
    site |= _maybe(draw, 3, st.lists(cuts, min_size=1, max_size=2), curtailment=0)
    battery = {"energy": f"{full_kw + 1} kWh", "power": f"{max(1, full_kw // 3)} kW", "initial": 0.5}
    site |= _maybe(draw, 5, st.just(battery), battery=0)
    rating = f"{draw(st.floats(0.6, 1.2)) * full_kw:.1f} kW"
    if full_kw:
        site |= _maybe(draw, 5, st.just({"count": draw(st.integers(1, 4)), "rating": rating}), pdus=0)
    site |= {"price": "60 USD/MWh", "carbon": "300 gCO2/kWh"}
    return site


@st.composite
def _policy(draw: Draw) -> dict[str, Any]:
    policy = {
        "order": draw(st.sampled_from(ORDERS)),
        "backfill": draw(st.sampled_from(list(registry.BACKFILLS))),
        "placement": draw(st.sampled_from(PLACEMENTS)),
        "power": draw(st.sampled_from(POWERS)),
        "scaling": draw(st.sampled_from(["none", "none", "elastic"])),
        "preemption": draw(st.sampled_from(["none", "none", "priority", "order", "time-slice"])),
    }
    if policy["order"] in ("wfp3", "unicef", "fair-share", "drf") and policy["preemption"] in ("order", "time-slice"):
        policy["preemption"] = "priority"
    if draw(st.integers(1, 3)) == 1 and policy["preemption"] != "none":
        shortest, grace = draw(st.sampled_from(["0 s", "1 min", "30 min"])), draw(st.sampled_from(["0 s", "1 min"]))
        stops = {"min_run": shortest, "grace": grace}
        if policy["preemption"] == "time-slice":
            stops["slice"] = draw(st.sampled_from(["5 min", "20 min", "2 hours"]))
        policy["preemption"] = {policy["preemption"]: stops}
    return policy


@st.composite
def _tenants(draw: Draw, names: list[str], pools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for name in names:
        quota = {pool["pool"]: draw(st.sampled_from([0, 8, 24, 72])) for pool in pools}
        entry: dict[str, Any] = {"tenant": name, "quota": quota}
        if draw(st.booleans()):
            entry["cohort"] = "all"
            entry |= _maybe(draw, 3, st.sampled_from([0, 8]), borrow=0)
            entry |= _maybe(draw, 3, st.sampled_from([0, 4]), lend=0)
            if any(quota.values()):
                entry |= _maybe(draw, 2, st.sampled_from(["any", "lower-priority"]), reclaim=0)
        found.append(entry)
    return found


@st.composite
def scenarios(draw: Draw) -> dict[str, Any]:
    """A scenario as its file says it, until done or for some days."""
    endless = draw(st.booleans())
    pools = [draw(_pool(at)) for at in range(draw(st.integers(1, 3)))]
    full_kw = sum(RACK_KW.get(pool["rack"], 0) * pool.get("count", 0) for pool in pools)
    whole = max(RACK_CHIPS.get(pool["rack"], 0) * pool.get("count", 0) + pool.get("chips", 0) for pool in pools)
    names = ["a", "b"][: draw(st.integers(1, 2))]
    made: dict[str, Any] = {
        "name": "drawn",
        "horizon": "until-done" if endless else draw(st.sampled_from(["2 days", "31.7 hours"])),
        "seed": draw(st.integers(0, 99)),
        "fleet": pools,
        "workload": [draw(_job_class(at, names, whole, endless)) for at in range(draw(st.integers(1, 3)))],
        "policy": draw(_policy()),
        "failures": {
            "restart": draw(st.sampled_from(["0 s", "7 min", "1 hour"])),
            "checkpoint": {
                "every": draw(st.sampled_from(["5 min", "1 hour"])),
                "stall": draw(st.sampled_from(["0 s", "20 s", "1 min"])),
            },
        },
    }
    fabric = {"fabric": "leaf-spine", "oversubscription": draw(st.sampled_from([1, 4]))}
    made |= _maybe(draw, 4, st.just(fabric), network=0)
    if draw(st.integers(1, 4)) > 1:
        made["site"] = draw(_site(full_kw, endless))
    elif made["policy"]["power"] == "defer":
        made["policy"]["power"] = "reserve"
    if draw(st.integers(1, 3)) == 1:
        made["tenants"] = draw(_tenants(names, pools))
    if "network" in made:
        for job_class in made["workload"]:
            job_class.pop("malleable", None)
    elif made["policy"]["placement"] == "contiguous":
        made["policy"]["placement"] = "pack"
    if not endless and draw(st.integers(1, 4)) == 1:
        made["warmup"] = "3 hours"
    return made


PASSING = ("greedy",)  # backfills under which whoever fits starts


def fits_now(cluster: Cluster, shape) -> bool:
    """Whether a gang could start this instant, asked of each pool alone."""
    held = cluster.held
    return any(
        find(held.free, held.headroom, cluster.policy.placer, shape.only_in(pool), quotas=held.quotas) is not None
        for pool in shape.pools
    )


def check_waiting(simulation: Simulation, policy: Policy) -> None:
    """Of those who wait the first does not fit, nor does anybody where all may pass; and each may fit one day."""
    cluster = simulation.cluster
    if not cluster.queue.jobs or (cluster.claims is not None and cluster.claims.under_way):
        return
    for shape in cluster.queue.lanes:
        assert cluster.requests.still_fits(shape, cluster.yard.racks)
    if policy.placer.seeing is not None or policy.reclaim is not None or policy.names["backfill"] == "max-min":
        return
    head = cluster.queue.head(cluster.view())
    waits = [*cluster.queue.lanes] if policy.names["backfill"] in PASSING else [head.shape]
    assert not [shape for shape in waits if fits_now(cluster, shape)]


@settings(derandomize=True, deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios())
def test_a_random_scenario_is_refused_or_ends_with_nobody_waiting_without_a_reason(tmp_path_factory, made):
    path = Path(tmp_path_factory.getbasetemp()) / "drawn.yaml"
    path.write_text(json.dumps(made))
    note(path.read_text())
    try:
        scenario, plant, policy = prepare(path)
    except ScenarioError as refused:
        assert "drawn.yaml:" in str(refused)
        return
    simulation = Simulation(scenario, plant, policy, scenario.keys.seed)
    while simulation.advance(1000):
        assert simulation.clock.now < 1e9 and simulation.record.events < MOST_EVENTS
    check_waiting(simulation, policy)
    record = simulation.finish()
    assert record.left_over is None or simulation.cluster.feed.standstill.lasts
    measure(record, plant, scenario)
