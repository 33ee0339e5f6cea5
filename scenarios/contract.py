"""What a site meets over a run, as one table of steps: cap, phases and curtailments, cooling, price and carbon."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.draws import draw, stream
from scenarios.instants import instant
from scenarios.signals import Series
from scenarios.site import Curtailment, Site
from scenarios.units import YEAR_S

Floats = NDArray[np.float64]
MOST_EVENTS = 100_000


@dataclass(frozen=True, slots=True)
class Event:
    """A curtailment: told at notice_s, holds in [from_s, to_s), with the cap of `to_w` or `by` of the contract less.

    payment: [USD/J] of what is not drawn, against the draw just before; payment_usd: for the event.
    """

    notice_s: float
    from_s: float
    to_s: float
    to_w: float | None
    by: float
    payment: float
    payment_usd: float

    def cap_w(self, contract_w: float) -> float:
        """The cap meanwhile [W]; never above the contract."""
        return min(contract_w, self.to_w) if self.to_w is not None else contract_w * (1.0 - self.by)


@dataclass(frozen=True, slots=True)
class SiteSteps:
    """Step series of a site: from time_s[i] on row i holds; arrays of shape (n_steps,), the first at 0.

    announced_w: the lowest cap that holds or that the operator has been told of. event: which of the events sets the
    cap, -1 for none. overhead: watts at the meter per watt of IT.
    most_it_w: the IT draw that the site may still allow, now or later; it never rises.
    price [USD/J], carbon [gCO2/J] and outdoor [degC] are nan where the site has none.
    """

    time_s: Floats
    contract_w: Floats
    cap_w: Floats
    announced_w: Floats
    event: NDArray[np.int64]
    overhead: Floats
    price: Floats
    carbon: Floats
    outdoor: Floats
    most_it_w: Floats
    events: tuple[Event, ...]

    def row_at(self, time_s: Floats) -> NDArray[np.intp]:
        """The row that holds at each time."""
        return np.maximum(np.searchsorted(self.time_s, time_s, side="right") - 1, 0)


def no_site() -> SiteSteps:
    """A site without a contract: nothing caps the feed, nothing changes."""
    none, endless = np.full(1, np.nan), np.full(1, np.inf)
    never = np.full(1, -1)
    return SiteSteps(np.zeros(1), endless, endless, endless, never, np.ones(1), none, none, none, endless, ())


def events_of(site: Site, end_s: float, seed: int) -> tuple[Event, ...]:
    """All curtailments that begin before the end, by their begin; ValueError where they are too many."""
    found = []
    for index, item in enumerate(site.curtailment):
        starts = list(itertools.islice(_starts(item, end_s, seed, index), MOST_EVENTS + 1))
        if len(starts) > MOST_EVENTS:
            raise ValueError(f"begins more than {MOST_EVENTS:,} times; allowed: fewer")
        lasts = draw(item.lasts, stream(seed, f"length of curtailment {index}"), len(starts))
        for from_s, length_s in zip(starts, lasts.tolist(), strict=True):
            found.append(
                Event(
                    max(0.0, instant(from_s - item.notice)),
                    from_s,
                    instant(from_s + length_s),
                    item.to,
                    item.by or 0.0,
                    item.payment,
                    item.payment_per_event,
                )
            )
    return tuple(sorted(found, key=lambda event: (event.from_s, event.to_s)))


def _starts(item: Curtailment, end_s: float, seed: int, index: int) -> Iterator[float]:
    if item.per_year is not None:
        rng = stream(seed, f"begin of curtailment {index}")
        time_s = 0.0
        while (time_s := time_s + rng.exponential(YEAR_S / item.per_year)) < end_s:
            yield instant(time_s)
        return
    times = item.at if isinstance(item.at, list) else [item.at or 0.0]
    if item.every is not None:
        count = min(max(0, math.ceil((end_s - times[0]) / item.every)), MOST_EVENTS + 1)
        times = [times[0] + n * item.every for n in range(count)]
    yield from (time_s for time_s in sorted(map(instant, times)) if time_s < end_s)


def site_steps(site: Site, signals: dict[str, Series], end_s: float, seed: int) -> SiteSteps:
    """Everything that changes at a site, as one table.

    signals: price, carbon and temperature, those that the site has.
    """
    events = events_of(site, end_s, seed)
    begins_s, caps_w = zip(*site.contract, strict=True)
    edges = [list(begins_s)]
    edges += [[event.notice_s, event.from_s, event.to_s] for event in events]
    edges += [series.time_s.tolist() for series in signals.values()]
    # an edge of a signal before time 0 holds at 0
    times = np.array(sorted({max(0.0, time_s) for time_s in itertools.chain([0.0], *edges) if time_s <= end_s}))
    contract_w = np.array(caps_w)[np.searchsorted(begins_s, times, side="right") - 1]
    cap_w, announced_w, holds = contract_w.copy(), contract_w.copy(), np.full(len(times), -1)
    for index, event in enumerate(events):
        first, told, last = np.searchsorted(times, [event.from_s, event.notice_s, event.to_s])
        rows = np.arange(told, last)
        lower_w = np.array([event.cap_w(value) for value in contract_w[rows].tolist()])
        announced_w[rows] = np.minimum(announced_w[rows], lower_w)
        lowest = lower_w[first - told :] < cap_w[first:last]
        holds[first:last][lowest] = index
        cap_w[first:last][lowest] = lower_w[first - told :][lowest]
    none = np.full(len(times), np.nan)
    outdoor = signals["temperature"].at(times) if "temperature" in signals else none
    steady = site.pue.overhead(site.pue.free_cooling_below)
    overhead = np.array([site.pue.overhead(degrees) if degrees == degrees else steady for degrees in outdoor.tolist()])
    if end_s == math.inf:  # the last step holds for ever
        most_it_w = _highest_from_here((announced_w - site.pue.fixed) / overhead)
    else:  # a run is a part of what goes on: curtailments end and cool days come back, but a phase does not
        most_w = _highest_from_here(np.array(caps_w))[np.searchsorted(begins_s, times, side="right") - 1]
        most_it_w = (most_w - site.pue.fixed) / overhead.min()
    return SiteSteps(
        times,
        contract_w,
        cap_w,
        announced_w,
        holds,
        overhead,
        signals["price"].at(times) if "price" in signals else none,
        signals["carbon"].at(times) if "carbon" in signals else none,
        outdoor,
        most_it_w,
        events,
    )


def _highest_from_here(values: Floats) -> Floats:
    return np.maximum.accumulate(values[::-1])[::-1]
