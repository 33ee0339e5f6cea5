"""Pools of plain processors at a site: what draws beside them is accounted, and a cap leaves them alone."""

import numpy as np
import pytest

HOUR_S = 3600.0
ALONE = """
name: alone
horizon: 10 hours
site: {feed: 2 MW, fabric_and_storage: 1 MW, pue: {fixed: 100 kW, proportional: 0.1}, price: 80 USD/MWh,
       carbon: 300 gCO2/kWh, curtailment: [{at: 1 hour, for: 1 hour, to: 0.8 MW}]BATTERY}
fleet: [{pool: nodes, rack: plain, chips: 4}]
workload: [{class: c, kind: synthetic, chips: 2, duration: 30 min, arrivals: {per_hour: 2}}]
policy: POLICY
"""
BATTERY = ", battery: {energy: 1 MWh, power: 0.5 MW, round_trip: 1}"


@pytest.mark.parametrize("policy", ["fifo", "easy", "{power: throttle}"])
def test_a_site_of_plain_pools_is_accounted_for_what_it_draws_itself(measured, policy):
    # 1 MW of fabric and storage is 1.2 MW at the meter, for 10 hours, above the cap for one of them
    _, _, result = measured(ALONE.replace("BATTERY", "").replace("POLICY", policy))
    summary, timeline = result.summary, result.timeline
    assert np.allclose(timeline["feed_w"], 1.2e6) and set(timeline["cap_w"]) == {2e6, 0.8e6}
    assert summary["feed_energy_j"] == pytest.approx(12 * 3.6e9)
    assert summary["electricity_usd"] == pytest.approx(12 * 80)
    assert summary["carbon_g"] == pytest.approx(12_000 * 300)
    assert (summary["energy_other_it_j"], summary["energy_jobs_j"]) == (pytest.approx(10 * 3.6e9), 0)
    assert (summary["infeasible_s"], summary["infeasible_max_w"]) == (HOUR_S, pytest.approx(0.4e6))
    assert summary["curtailments"] == 1 and summary["preemptions"] == 0


def test_its_battery_carries_it_through_a_curtailment(measured):
    _, _, result = measured(ALONE.replace("BATTERY", BATTERY).replace("POLICY", "easy"))
    during = result.timeline.filter((result.timeline["time_s"] >= HOUR_S) & (result.timeline["time_s"] < 2 * HOUR_S))
    assert np.allclose(during["feed_w"], 0.8e6) and np.allclose(during["battery_w"], 0.4e6)
    assert "infeasible_s" not in result.summary


def test_without_a_site_nothing_of_power_is_kept(measured):
    text = "\n".join(line for line in ALONE.splitlines() if "site" not in line and "carbon" not in line)
    record, plant, result = measured(text.replace("POLICY", "easy"))
    assert not plant.draws and record.meter is None and not record.timeline.it_nw
    assert result.timeline.columns == ["time_s", "queue_jobs", "queue_chips", "busy_chips/nodes"]


BESIDE = """
name: beside
horizon: 12 hours
site: {feed: 30 kW, curtailment: [{at: 2 hours, for: 1 hour, to: CAP}]}
fleet: FLEET
workload: [{class: c, kind: synthetic, chips: SIZE, duration: 2 hours, arrivals: {per_hour: 6}}]
"""
POOLS = ["{pool: dgx, rack: dgx-h100, count: 2}", "{pool: plain, rack: plain, chips: 8}"]


@pytest.mark.parametrize("cap", ["2 kW", "4 kW"])
@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("size", [3, 8])
def test_a_cap_switches_no_plain_pool_off_and_stops_nobody_in_it(measured, cap, order, size):
    fleet = f"[{', '.join(POOLS[::order])}]"
    text = BESIDE.replace("CAP", cap).replace("FLEET", fleet).replace("SIZE", str(size))
    _, _, result = measured(text)
    chip_s = {(pool, state): value for pool, state, value in result.capacity.rows()}
    assert chip_s["dgx", "off"] > 0
    assert chip_s["plain", "off"] == chip_s["plain", "down"] == 0
    assert result.timeline["busy_chips/plain"].max() > 0
    stopped = result.stays.filter(result.stays["stopped_by"].is_not_null())
    assert set(stopped["pool"]) == {"dgx"}
    booting = {name.split("/")[1] for name in result.timeline.columns if name.startswith("booting_chips/")}
    installed = {name.split("/")[1] for name in result.timeline.columns if name.startswith("installed_chips/")}
    assert booting == installed == {"dgx"}


def test_a_plain_pool_is_there_although_racks_before_it_wait_for_power(measured):
    # two dgx of 2 kW idle under 3 kW: one of them stays dark all the time
    fleet = f"[{', '.join(POOLS)}]"
    text = BESIDE.replace("30 kW", "25 kW").replace("FLEET", fleet).replace("SIZE", "8").replace("CAP", "3 kW")
    _, _, result = measured(text.replace("at: 2 hours, for: 1 hour", "at: 0 hours, for: 10 hours"))
    chip_s = {(pool, state): value for pool, state, value in result.capacity.rows()}
    assert chip_s["dgx", "off"] > 0 and chip_s["plain", "off"] == 0
    assert result.jobs["start_s"].min() < HOUR_S
