"""Max-min fair rates of flows that share links, and which of them a change can move. Pure functions on numpy arrays.

Flow f uses the links links[offsets[f]:offsets[f + 1]]; a link that it names twice carries it twice. What a flow or a
link stands for is not known here.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def fair_rates(
    offsets: Ints, links: Ints, capacities: Floats, weights: Floats | None = None, demands: Floats | None = None
) -> Floats:
    """Max-min fair rates of flows [bytes/s] (n_flows,), by progressive filling; a flow without links gets its demand.

    All rates grow from zero as weight * level, and a flow stops at its demand or when one of its links is full. A
    link fills at the level (capacity left) / (weights of its growing flows), which no stop of a flow can lower; so a
    link with the lowest level among all links of its flows is their bottleneck, and all such links fill in one round.

    offsets (n_flows + 1,): where each flow's links start, from 0 to len(links). links: indices into capacities.
    capacities (n_links,) [bytes/s]: finite, at least 0. weights (n_flows,) [1]: above 0, by default 1.
    demands (n_flows,) [bytes/s]: the most that a flow takes, at least 0, by default without bound.
    Raises ValueError for values outside these ranges.
    Source: Bertsekas and Gallager, Data Networks, 2nd edition, 1992, section 6.5.2 (max-min flow control).
    """
    n_flows, n_links = len(offsets) - 1, len(capacities)
    weight = np.ones(n_flows) if weights is None else weights
    demand = np.full(n_flows, np.inf) if demands is None else demands
    _check(offsets, links, capacities, weight, demand)
    rates = demand.astype(np.float64)
    left = capacities.astype(np.float64)
    lengths = np.diff(offsets)
    flows, link_of = np.flatnonzero(lengths), links  # those that still grow, and their links one after the other
    while len(flows):
        own, pull = lengths[flows], weight[flows]
        sated_at = demand[flows] / pull
        stops_at, stopped = _round(link_of, own, pull, left, sated_at)
        short = stopped & (stops_at < sated_at)  # the others that stopped have their demand, to the last bit
        rates[flows[short]] = np.minimum(demand[flows[short]], pull[short] * stops_at[short])
        gone = np.repeat(stopped, own)
        taken = np.repeat(rates[flows[stopped]], own[stopped])
        left = np.maximum(left - np.bincount(link_of[gone], taken, n_links), 0.0)
        flows, link_of = flows[~stopped], link_of[~gone]
    return rates


def _round(link_of: Ints, own: Ints, pull: Floats, left: Floats, sated_at: Floats) -> tuple[Floats, Bools]:
    """The level at which each growing flow would stop as things stand, and whether it does (n_growing,)."""
    growing = np.bincount(link_of, np.repeat(pull, own), len(left))
    fills_at = np.divide(left, growing, out=np.full(len(left), np.inf), where=growing > 0)
    stops_at = np.minimum(np.minimum.reduceat(fills_at[link_of], _starts(own)), sated_at)
    lowest = np.full(len(left), np.inf)
    np.minimum.at(lowest, link_of, np.repeat(stops_at, own))
    full = lowest == fills_at  # no flow on it stops earlier, on another link or at its demand
    return stops_at, np.logical_or.reduceat(full[link_of], _starts(own)) | (stops_at == sated_at)


def connected_flows(offsets: Ints, links: Ints, n_links: int, touched: Ints) -> Bools:
    """Which flows a change on the touched links can move (n_flows,): those joined to them by links they share."""
    found = np.zeros(len(offsets) - 1, dtype=np.bool_)
    reached = np.zeros(n_links, dtype=np.bool_)
    reached[touched] = True
    lengths = np.diff(offsets)
    flows, link_of = np.flatnonzero(lengths), links
    while len(flows):
        own = lengths[flows]
        hit = np.logical_or.reduceat(reached[link_of], _starts(own))
        if not hit.any():
            break
        found[flows[hit]] = True
        on_hit = np.repeat(hit, own)
        reached[link_of[on_hit]] = True
        flows, link_of = flows[~hit], link_of[~on_hit]
    return found


def refreshed_rates(
    rates: Floats,
    touched: Ints,
    offsets: Ints,
    links: Ints,
    capacities: Floats,
    weights: Floats | None = None,
    demands: Floats | None = None,
) -> Floats:
    """The rates after a change [bytes/s] (n_flows,): fair_rates, computed anew only where the change can reach.

    touched: the links of every flow that came, went or changed its weight or demand, and those whose capacity
    changed. rates (n_flows,) [bytes/s]: those before, of the flows as they are now; any number for one that came.
    The others as in fair_rates, after the change. The result is that of fair_rates to the last bit; a flow without
    links that came or changed has to be given its demand by the caller.
    """
    moved = connected_flows(offsets, links, len(capacities), touched)
    lengths = np.diff(offsets)
    links_of_moved = links[np.repeat(moved, lengths)]
    used = np.zeros(len(capacities), dtype=np.bool_)
    used[links_of_moved] = True
    number = np.cumsum(used) - 1  # of a link among those in use
    new = rates.copy()
    new[moved] = fair_rates(
        np.concatenate(([0], np.cumsum(lengths[moved]))),
        number[links_of_moved],
        capacities[used],
        None if weights is None else weights[moved],
        None if demands is None else demands[moved],
    )
    return new


def _starts(lengths: Ints) -> Ints:
    """Where each of the parts of these lengths starts when they lie one after the other."""
    return np.cumsum(lengths) - lengths


def _check(offsets: Ints, links: Ints, capacities: Floats, weights: Floats, demands: Floats) -> None:
    if offsets[0] != 0 or offsets[-1] != len(links) or not (np.diff(offsets) >= 0).all():
        raise ValueError(f"found offsets that do not rise from 0 to the number of link entries, {len(links)}")
    for name, values, allowed, right in (
        ("capacities", capacities, "finite and at least 0", np.isfinite(capacities) & (capacities >= 0)),
        ("weights", weights, "finite and above 0", np.isfinite(weights) & (weights > 0)),
        ("demands", demands, "at least 0", demands >= 0),
    ):
        if not right.all():
            raise ValueError(f"found {name} of {values[~right][0]}; allowed: {allowed}")
