"""What a saved run's capacity went into, in plain words: a table of states, one of energy, and the largest losses."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from rich.table import Table

from outputs.capacity import STATES
from outputs.folder import facts_of, summary_of, table_of
from outputs.saved_capacity import saved_capacity
from outputs.tables import policy_words, table
from scenarios.errors import ScenarioError
from scenarios.units import HOUR_S

_MOST = 3
_MWH_J = 3.6e9
_LOSSES: Mapping[str, tuple[str, str]] = {
    "communication": (
        "chips waited for exchange or for their turn in the pipeline",
        "the network (its link, oversubscription), placement=topology, another parallelism, or smaller malleable gangs",
    ),
    "throttled": (
        "chips ran slower because the power did not reach",
        "the feed and its curtailments, a battery, or fewer racks under the same cap",
    ),
    "checkpointing": (
        "chips waited for checkpoints to be written",
        "failures.checkpoint.stall, or fewer stops: a longer min_run",
    ),
    "lost work": (
        "stops took back what had been done since the last checkpoint",
        "failures.checkpoint.every, earlier notice of curtailments, or a power policy that slows jobs down instead",
    ),
    "restarting": (
        "stopped jobs loaded their state again",
        "failures.restart, or fewer stops: a longer min_run of preemption, reclaim or scaling, or another power policy",
    ),
    "down": ("racks were coming up", "fewer cuts that switch racks off, or a shorter boot (catalog)"),
    "off": ("delivered racks had no power", "more feed, or later deliveries"),
    "no demand": ("nobody waited for these chips", "more arrivals, or fewer racks"),
    "no portable job": (
        "those who waited could not use these chips, by their stack, their memory or their size",
        "portable_share and stacks of the classes, smaller gangs, or other racks in the fleet",
    ),
    "no power": (
        "those who waited for these chips would have drawn more than was left under the cap, a PDU or a rack",
        "the feed (site.feed, site.pdus), or a power policy that admits more, such as power=oversubscribe",
    ),
    "fragmentation": (
        "no whole gang of those who waited fitted where these chips were",
        "topology: {preferred: domain}, the placement policy, or gang sizes that divide a domain",
    ),
    "held by policy": (
        "a gang would have fitted, but the policy kept the chips for another one or for a better hour, or its tenant's "
        "quota did not allow it",
        "the backfill policy (backfill=greedy), better estimates, a shorter deadline of defer, or larger quotas",
    ),
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What `megawatt explain` prints: tables, then sentences."""

    tables: list[Table]
    lines: list[str]


def explanation(folder: Path) -> Explanation:
    """Where the capacity of a saved run went; ScenarioError where its folder does not say."""
    facts, summary = facts_of(folder), summary_of(folder)
    capacity = saved_capacity(folder)
    try:
        title = f"{facts['name']} ({policy_words(facts['policy'])}; seed {facts['seed']})"
    except (AttributeError, LookupError, TypeError) as error:
        raise ScenarioError(f"is damaged: {type(error).__name__} {error}", str(folder / "run.json")) from None
    sums = {state: math.fsum(of[state] for of in capacity.values()) for state in STATES}
    total_s = math.fsum(sums.values())
    if not total_s:
        return Explanation([], [f"{title}: no chip was ever delivered"])
    tables = [_states(title, capacity, sums)]
    energy = _energy(summary)
    if energy is not None:
        tables.append(energy)
    return Explanation(tables, _losses(capacity, sums, summary, _tokens_a_chip_s(folder, summary, sums)))


def _states(title: str, capacity: Mapping[str, Mapping[str, float]], sums: Mapping[str, float]) -> Table:
    pools = capacity if len(capacity) > 1 else {}
    heads = ["", *(f"{pool} " for pool in pools), "all ", "chip-h "]
    rows = []
    for state, chip_s in sums.items():
        if chip_s:
            shares = [_share(of[state], math.fsum(of.values())) for of in (*pools.values(), sums)]
            rows.append([state, *shares, _hours(chip_s)])
    each = [_hours(math.fsum(of.values())) for of in pools.values()]
    rows.append(["delivered [chip-h]", *each, "", _hours(math.fsum(sums.values()))])
    return table(title, heads, rows)


def _energy(summary: Mapping[str, float]) -> Table | None:
    """From the contract, or from the meter where there is none, down to the joules of productive chips."""
    if "productive_energy_j" not in summary or not summary.get("feed_energy_j"):
        return None

    def of(name: str) -> float:
        return summary.get(name, 0.0)

    rows = [("drawn at the meter", of("feed_energy_j"))]
    if "contract_energy_j" in summary:
        rows = [
            ("contracted", of("contract_energy_j")),
            ("  less curtailed", of("curtailed_contract_energy_j")),
            ("  less left while nobody waited", of("unused_energy_j")),
            ("  less stranded: left while jobs waited", of("stranded_energy_j")),
            ("  more than the cap", of("above_cap_energy_j")),
            *rows,
        ]
    rows += [
        ("  cooling and losses of the site", of("energy_site_j")),
        ("  battery", of("energy_battery_loss_j") + of("energy_stored_j")),
        ("  fabric and storage", of("energy_other_it_j")),
        ("  conversion in racks", of("energy_conversion_j")),
        ("  hosts, switches, fans", of("energy_hosts_j")),
        ("  idle chips", of("energy_idle_chips_j")),
        ("  communication", of("communication_energy_j")),
        ("  lost work", of("lost_work_energy_j")),
        ("  restarting", of("restarting_energy_j")),
        ("  checkpointing", of("checkpointing_energy_j")),
        ("productive", of("productive_energy_j")),
    ]
    whole_j = rows[0][1]
    cells = [
        (name, f"{energy_j / _MWH_J:,.1f}", _share(energy_j, whole_j)) for name, energy_j in rows if abs(energy_j) > 1.0
    ]
    return table("energy", ("", "MWh ", "share "), cells)


def _losses(
    capacity: Mapping[str, Mapping[str, float]],
    sums: Mapping[str, float],
    summary: Mapping[str, float],
    tokens_a_chip_s: float | None,
) -> list[str]:
    total_s = math.fsum(sums.values())
    lost = sorted([(-chip_s, state) for state, chip_s in sums.items() if chip_s > 0 and state in _LOSSES])
    if not lost:
        return ["nothing was lost"]
    lines = ["the largest losses"]
    for number, (chip_s, state) in enumerate(lost[:_MOST], 1):
        words, lever = _LOSSES[state]
        text = f"{number}. {state}: {_hours(-chip_s)} chip-h, {_share(-chip_s, total_s)} of what was delivered"
        if tokens_a_chip_s is not None:
            text += f", worth {-chip_s * tokens_a_chip_s:.3g} tokens at the rate of productive chips"
        most = max(capacity, key=lambda pool: capacity[pool][state])
        if len(capacity) > 1:
            text += f"; {_share(capacity[most][state], -chip_s)} of it in {most}"
        lines += [text, f"   {words[0].upper()}{words[1:]}{_of_that(state, summary)}.", f"   Lever: {lever}."]
    return lines


def _of_that(state: str, summary: Mapping[str, float]) -> str:
    """What of the waiting for exchange has a cause of its own."""
    if state != "communication" or "communication_placement_chip_h" not in summary:
        return ""
    placed, shared = summary["communication_placement_chip_h"], summary["communication_traffic_chip_h"]
    return f"; of that {placed:,.0f} chip-h by placement and {shared:,.0f} by the traffic of others"


def _tokens_a_chip_s(folder: Path, summary: Mapping[str, float], sums: Mapping[str, float]) -> float | None:
    """Tokens that a productive chip-second trained; None where not all that ran was training."""
    if not summary.get("trained_tokens") or not sums["productive"]:
        return None
    jobs = table_of(folder, "jobs")
    if "tokens" not in jobs.columns or "start_s" not in jobs.columns:
        return None
    if jobs.filter(pl.col("start_s").is_not_null() & pl.col("tokens").is_null()).height:
        return None
    return summary["trained_tokens"] / sums["productive"]


def _hours(chip_s: float) -> str:
    hours = chip_s / HOUR_S
    return f"{hours:,.0f}" if hours >= 100 else f"{hours:,.2f}"


def _share(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"
