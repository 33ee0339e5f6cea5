"""Power and energy of a run: the draw at the meter as a step series, and where each joule, dollar and gram went."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from outputs.record import Record
from outputs.stays import Stays, input_per_chip
from outputs.steps import durations, integral
from scenarios.units import HOUR_S
from topologies.plant import Plant
from topologies.power import NW_PER_W, stored_w

Floats = NDArray[np.float64]
_ABOVE, _ABOVE_W = 1e-9, 1e-3  # a meter reading more than this above the cap (relative, in watts) is no rounding


def power_columns(record: Record, plant: Plant) -> dict[str, Floats]:
    """The power columns of the timeline, shape (n_rows,) each: those that apply to the run."""
    line, site = record.timeline, plant.site
    it_w = np.array(line.it_nw) / NW_PER_W
    if record.site is None:
        return {"feed_w": it_w * (1.0 + site.proportional) + site.fixed_w, "it_w": it_w}
    steps, row = record.site, record.site.row_at(np.array(line.time_s))
    columns = {"feed_w": it_w * steps.overhead[row] + site.fixed_w, "it_w": it_w, "cap_w": steps.cap_w[row]}
    if site.battery is not None and record.meter is not None:
        battery_w = np.array(line.battery_w)
        columns["feed_w"] = columns["feed_w"] - battery_w
        columns |= {"battery_w": battery_w, "battery_soc_j": np.array(line.soc_j)}
    if record.meter is not None:
        columns["throttle"] = np.array(line.throttle)
    named = {"price_usd_per_mwh": steps.price * 3.6e9, "carbon_g_per_kwh": steps.carbon * 3.6e6}
    named["outdoor_degc"] = steps.outdoor
    return columns | {name: values[row] for name, values in named.items() if not np.isnan(values[0])}


def powered_racks(record: Record, pool: int) -> NDArray[np.int64]:
    """Racks of a pool that are on, shape (n_rows,) of the timeline."""
    return _racks_at(record.timeline.powered[pool], record)


def booting_racks(record: Record, pool: int) -> NDArray[np.int64]:
    """Racks of a pool that are on and coming up, shape (n_rows,) of the timeline."""
    return _racks_at(record.timeline.booting[pool], record)


def _racks_at(changes: Sequence[tuple[float, int]], record: Record) -> NDArray[np.int64]:
    racks = np.array([0, *[count for _, count in changes]])
    return racks[np.searchsorted([time_s for time_s, _ in changes], np.array(record.timeline.time_s), side="right")]


def power_metrics(record: Record, plant: Plant, stays: Stays, warmup_s: float) -> dict[str, float]:
    """Peak and mean draw, the energy after the warmup by where it went, and what it cost.

    Jobs, idle chips, hosts and conversion are computed from stays and the constants of the plant, not from the
    timeline; what stands between the meter and the IT from the IT draw in the timeline.
    """
    end_s = record.end_time_s
    if end_s <= warmup_s:
        return {}
    line, site = record.timeline, plant.site
    lasts_s = durations(np.array(line.time_s), warmup_s, end_s)
    columns = power_columns(record, plant)
    feed_w = columns["feed_w"]
    feed_j = integral(feed_w, lasts_s)
    metrics = {
        "feed_peak_w": float(feed_w[lasts_s > 0].max()),
        "feed_mean_w": feed_j / (end_s - warmup_s),
        "feed_energy_j": feed_j,
    }
    if record.site is not None:
        metrics |= _contract_metrics(columns, lasts_s, metrics)
    metrics["it_planning_peak_w"] = _planning_peak_w(columns["it_w"], np.array(line.time_s), stays, plant, warmup_s)
    jobs_j, input_j = stays.total(stays.energy_j), stays.total(stays.input_j)
    idle_j = hosts_j = racks_j = 0.0
    for at, pool in enumerate(plant.pools):
        rack_s = integral(powered_racks(record, at), lasts_s)
        idle_j += (rack_s * plant.rack_chips[at] - stays.total(stays.chip_s, stays.pool == at)) * pool.chip_idle_w
        hosts_j += rack_s * pool.hosts_w
        racks_j += rack_s * pool.idle_nw / NW_PER_W
    racks_j += input_j
    other_j = site.other_it_w * (end_s - warmup_s)
    battery_j = integral(columns["battery_w"], lasts_s) if "battery_w" in columns else 0.0
    over = (
        np.full(len(lasts_s), site.proportional)
        if record.site is None
        else record.site.overhead[record.site.row_at(np.array(line.time_s))] - 1.0
    )
    metrics |= {
        "energy_jobs_j": jobs_j,
        "energy_idle_chips_j": idle_j,
        "energy_hosts_j": hosts_j,
        "energy_conversion_j": racks_j - jobs_j - idle_j - hosts_j,
        "energy_other_it_j": other_j,
        "energy_site_j": integral(columns["it_w"] * over, lasts_s) + site.fixed_w * (end_s - warmup_s),
    }
    if "battery_w" in columns:
        stored_j = _stored_j(record, plant, warmup_s)
        metrics |= {"energy_battery_loss_j": -battery_j - stored_j, "energy_stored_j": stored_j}
    return metrics


def _planning_peak_w(it_w: Floats, time_s: Floats, stays: Stays, plant: Plant, warmup_s: float) -> float:
    """The IT draw if all gangs of an instant had their peaks at once [W].

    The draw of the timeline is a mean, which peaks at peak_to_mean of a busy chip's whole draw at full speed with its
    host share; caps on chips are left out, since a cap holds the mean and not the peak.
    """
    busy_w = np.array([plan.busy_w for plan in plant.plans])
    factor = np.array([plan.peak_to_mean for plan in plant.plans])[:, np.newaxis] - 1
    adds_w = stays.chips * (busy_w * input_per_chip(plant) * factor)[stays.job_class, stays.pool]
    at = np.searchsorted(time_s, np.concatenate([stays.from_s, stays.to_s]), side="left")
    steps_w = np.bincount(at, weights=np.concatenate([adds_w, -adds_w]), minlength=len(time_s) + 1)
    peak_w = it_w + np.cumsum(steps_w)[: len(time_s)]
    return float(peak_w[durations(time_s, warmup_s, math.inf) > 0].max())


def _stored_j(record: Record, plant: Plant, warmup_s: float) -> float:
    """Change of the energy in the battery after the warmup [J], from what it gave and took."""
    facts = plant.site.battery
    if facts is None:
        return 0.0
    rate_w = stored_w(np.array(record.timeline.battery_w), facts.round_trip)
    return integral(rate_w, durations(np.array(record.timeline.time_s), warmup_s, record.end_time_s))


def _contract_metrics(columns: dict[str, Floats], lasts_s: Floats, metrics: dict[str, float]) -> dict[str, float]:
    """Against the cap: shares of it, what was above it, and the cost and carbon of the energy."""
    feed_w, cap_w = columns["feed_w"], columns["cap_w"]
    seen = lasts_s > 0
    highest_w = float(cap_w[seen].max())
    found = {"cap_w": highest_w}
    if highest_w > 0:
        found["feed_peak_fraction"] = metrics["feed_peak_w"] / highest_w
        found["feed_mean_fraction"] = metrics["feed_mean_w"] / highest_w
    above_w = np.where(feed_w > cap_w * (1 + _ABOVE) + _ABOVE_W, feed_w - cap_w, 0.0)
    if above_w[seen].any():
        found["infeasible_s"] = integral((above_w > 0).astype(np.float64), lasts_s)
        found["infeasible_max_w"] = float(above_w[seen].max())
    if "throttle" in columns:
        found["throttle_mean_fraction"] = integral(columns["throttle"], lasts_s) / math.fsum(lasts_s.tolist())
    if "price_usd_per_mwh" in columns:
        found["electricity_usd"] = integral(feed_w * columns["price_usd_per_mwh"] / 3.6e9, lasts_s)
        if metrics["feed_energy_j"] > 0:
            found["electricity_usd_per_mwh"] = found["electricity_usd"] / metrics["feed_energy_j"] * 3.6e9
    if "carbon_g_per_kwh" in columns:
        found["carbon_g"] = integral(feed_w * columns["carbon_g_per_kwh"] / 3.6e6, lasts_s)
        if metrics["feed_energy_j"] > 0:
            found["carbon_g_per_kwh"] = found["carbon_g"] / metrics["feed_energy_j"] * 3.6e6
    return found


def curtailment_metrics(record: Record, plant: Plant, warmup_s: float) -> dict[str, float]:
    """How often and how long the cap was curtailed, how much less was drawn than just before, and what was paid for it.

    Where events overlap, each instant counts for the one that sets the cap, against the draw before the first of them.
    An event at time 0 has no draw before it and counts nothing.
    """
    steps, end_s = record.site, record.end_time_s
    if steps is None or end_s <= warmup_s:
        return {}
    events = [event for event in steps.events if warmup_s <= event.from_s < end_s]
    if not events:
        return {}
    time_s = np.array(record.timeline.time_s)
    feed_w = power_columns(record, plant)["feed_w"]
    holds = steps.event[steps.row_at(time_s)]
    lasts_s = durations(time_s, warmup_s, end_s) * (holds >= 0)
    # the row before each stretch of curtailment, carried through it
    begins = (holds >= 0) & (np.append(-1, holds[:-1]) < 0)
    before = np.maximum.accumulate(np.where(begins, np.arange(len(time_s)), 0)) - 1
    less_j = np.where(before >= 0, np.maximum(0.0, feed_w[before] - feed_w), 0.0) * lasts_s
    payment = np.array([event.payment for event in steps.events])[holds]
    return {
        "curtailments": len(events),
        "curtailed_h": math.fsum(lasts_s.tolist()) / HOUR_S,
        "curtailed_energy_j": math.fsum(less_j.tolist()),
        "curtailment_payment_usd": math.fsum((less_j * payment).tolist())
        + math.fsum(event.payment_usd for event in events),
    }
