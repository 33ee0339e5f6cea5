"""How fast the gangs of a class work on a seat of a pool, and the speed that a given exchange leaves them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, Protocol

from scenarios.network import Communication
from topologies.collectives import all_gather_s, all_reduce_s, all_to_all_s, reduce_scatter_s
from topologies.domains import Domain, Seat, Uplinks

_COLLECTIVES = {
    "all-reduce": all_reduce_s,
    "all-gather": all_gather_s,
    "reduce-scatter": reduce_scatter_s,
    "all-to-all": all_to_all_s,
}


class Alone(NamedTuple):
    """A gang on a seat with nobody else's traffic: pace [s a unit of work] and share of its NICs' bandwidth [1].

    crossing: the chips whose NICs are busy, on each link up that it uses, with what goes there. computing: its share of
    a step [1].
    """

    pace_s: float
    share: float
    crossing: float
    computing: float


class Speed(Protocol):
    """The speed of a class in a pool."""

    def suits(self, chips: int) -> bool:
        """Whether a gang of so many chips can work at all."""

    def alone(self, seat: Seat) -> Alone:
        """A gang on a seat with nobody else's traffic."""

    def pace_s(self, seat: Seat, share: float) -> float:
        """Seconds a unit of work of a gang on a seat that has a share of its NICs' bandwidth."""


@dataclass(frozen=True, slots=True)
class Direct:
    """An exchange that the class gives. packed_pace_s: of a gang of so many chips that is packed and alone."""

    keys: Communication
    domain: Domain
    up: Uplinks
    compact: Callable[[int], Seat]
    packed_pace_s: Callable[[int], float]
    _alone: dict[Seat, Alone] = field(default_factory=dict)
    _paces: dict[tuple[Seat, float], float] = field(default_factory=dict)

    def suits(self, chips: int) -> bool:
        """Every gang can exchange."""
        del chips
        return True

    def alone(self, seat: Seat) -> Alone:
        """A gang on a seat with nobody else's traffic."""
        found = self._alone.get(seat)
        if found is None:
            share = self.up.share(seat, partial(self._crossing, seat))
            crossing = self._crossing(seat, seat.under if seat.level < 3 else seat.in_pod)
            computing = self.keys.compute / self._step_s(seat, share)
            found = self._alone[seat] = Alone(self.pace_s(seat, share), share, crossing, computing)
        return found

    def pace_s(self, seat: Seat, share: float) -> float:
        """Seconds a unit of work of a gang."""
        pace_s = self._paces.get((seat, share))
        if pace_s is None:
            packed = self.compact(seat.chips)
            packed_s = self._step_s(packed, self.up.share(packed, partial(self._crossing, packed)))
            pace_s = self.packed_pace_s(seat.chips) * self._step_s(seat, share) / packed_s
            self._paces[seat, share] = pace_s
        return pace_s

    def _step_s(self, seat: Seat, share: float) -> float:
        """A step [s]: compute + max(0, exchange - overlap compute)."""
        exchange_s = 0.0
        if seat.chips > 1:
            group = self.domain.ring(seat.chips, 1, seat, share)
            exchange_s = _COLLECTIVES[self.keys.collective](self.keys.size, group)
        return self.keys.compute + max(0.0, exchange_s - self.keys.overlap * self.keys.compute)

    def _crossing(self, seat: Seat, below: int) -> float:
        """In a ring the NICs of one slice; when all send to all each chip's traffic to the chips outside."""
        return below * (1 - below / seat.chips) if self.keys.collective == "all-to-all" else seat.least
