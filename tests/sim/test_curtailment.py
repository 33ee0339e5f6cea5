"""The library scenario curtailment: a campus loses a quarter of its feed for three hours, under four policies."""

import numpy as np
import pytest

from outputs.metrics import Result, measure
from scenarios.files import find
from sim.run import prepare
from sim.simulation import simulate

DAY_S, HOUR_S = 86_400.0, 3600.0
EVENTS_S = [day * DAY_S + 21 * HOUR_S for day in (8, 10, 15, 17)]
POLICIES = ("reserve", "throttle", "water-fill", "shed")


@pytest.fixture(scope="module")
def runs() -> dict[str, Result]:
    found = {}
    for power in POLICIES:
        scenario, plant, policy = prepare(find("curtailment"), [(f"policy.power={power}", "--set")])
        found[power] = measure(simulate(scenario, plant, policy, 7), plant, scenario)
    return found


@pytest.mark.parametrize("power", POLICIES)
def test_the_meter_follows_the_cap_into_every_event(runs, power):
    timeline = runs[power].timeline
    time_s, feed_w, cap_w = (timeline[name].to_numpy() for name in ("time_s", "feed_w", "cap_w"))
    inside = np.zeros(len(time_s), bool)
    for begin_s in EVENTS_S:
        inside |= (time_s >= begin_s) & (time_s < begin_s + 3 * HOUR_S)
    assert set(cap_w[inside]) == {22.5e6} and set(cap_w[~inside]) == {30e6}
    assert (feed_w <= cap_w + 1e-3).all()
    assert runs[power].summary["curtailments"] == 4
    assert "infeasible_s" not in runs[power].summary


def test_only_shedding_stops_jobs_and_only_the_others_slow_them_down(runs):
    stopped = {power: run.summary["preemptions"] for power, run in runs.items()}
    assert stopped["shed"] > 0 == stopped["reserve"] == stopped["throttle"] == stopped["water-fill"]
    assert runs["shed"].summary["throttle_mean_fraction"] == 1
    assert all(runs[power].summary["throttle_mean_fraction"] < 0.999 for power in POLICIES[:3])
    assert runs["shed"].summary["lost_chip_h"] == 0  # 15 minutes of notice are enough for a checkpoint


def test_under_scarce_power_capped_chips_do_more_work_than_fewer_at_full_speed(runs):
    work = {power: run.summary["work_chip_h"] for power, run in runs.items()}
    assert work["throttle"] > 1.02 * work["reserve"]
    assert work["water-fill"] > 1.02 * work["reserve"]


def test_water_fill_favours_the_class_that_is_worth_more(runs):
    tokens = {power: run.summary["frontier/trained_tokens"] for power, run in runs.items()}
    assert tokens["water-fill"] > tokens["throttle"]
