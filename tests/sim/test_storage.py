"""The battery by hand: losses on both ways, the reserve, the ramp."""

import math

import pytest

from sim.storage import Storage
from topologies.plant import Battery

HOUR_S = 3600.0


def battery(**changes: float) -> Storage:
    facts = {"energy_j": 3.6e9, "power_w": 1e6, "round_trip": 0.81, "ramp_w_per_s": math.inf, "initial_j": 3.6e9}
    return Storage(Battery(**{**facts, "reserve_j": 0.0, "charge_w": 1e5, **changes}))


def test_what_it_gives_costs_more_of_its_store_and_charging_brings_less():
    store = battery()
    store.put(0.0, 0.45e6)
    store.advance(HOUR_S)
    assert store.soc_j == pytest.approx(3.6e9 - 0.45e6 * HOUR_S / 0.9)
    store.put(HOUR_S, -0.5e6)
    store.advance(2 * HOUR_S)
    assert store.soc_j == pytest.approx(1.8e9 + 0.5e6 * HOUR_S * 0.9)


def test_it_stops_exactly_at_its_reserve_and_when_full():
    store = battery(reserve_j=0.6e9)
    store.put(0.0, 0.9e6)
    assert store.next_s() == pytest.approx(3000.0)
    store.advance(store.next_s())
    assert (store.soc_j, store.level_w, store.reach_w(3000.0, 1e6, 0.0)) == (0.6e9, 0.0, 0.0)
    store.put(3000.0, -1e6)
    store.advance(store.next_s())
    assert (store.soc_j, store.level_w, store.full) == (3.6e9, 0.0, True)


def test_it_gives_no_more_than_its_power():
    assert battery().reach_w(0.0, 5e6, 0.0) == 1e6


def test_a_ramp_rises_in_sixteenths_each_when_it_has_passed_them():
    store = battery(ramp_w_per_s=1e4)  # 100 s for the whole power, 6.25 s a step
    reached = []
    now_s = 0.0
    for _ in range(18):
        reached.append(store.reach_w(now_s, 1e6, 0.0))
        store.put(now_s, reached[-1])
        assert reached[-1] <= 1e4 * now_s + 1e-6
        now_s = min(store.next_s(), now_s + 6.25)
        store.advance(now_s)
    assert reached[:17] == pytest.approx([1e6 * step / 16 for step in range(17)])


def test_it_lets_go_at_once_and_an_announced_event_finds_it_ready():
    store = battery(ramp_w_per_s=1e4)
    store.put(0.0, store.reach_w(0.0, 1e6, 100.0))
    assert store.level_w == 1e6
    assert store.reach_w(1.0, 0.3e6, 100.0) == 0.3e6
