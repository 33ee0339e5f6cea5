"""How fast the gangs of a class work on a seat of a pool, and the speed that a given exchange leaves them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from scenarios.network import Communication
from topologies.collectives import all_gather_s, all_reduce_s, all_to_all_s, reduce_scatter_s
from topologies.domains import Domain, Seat
from topologies.step_time import Step

_COLLECTIVES = {
    "all-reduce": all_reduce_s,
    "all-gather": all_gather_s,
    "reduce-scatter": reduce_scatter_s,
    "all-to-all": all_to_all_s,
}


class Speed(Protocol):
    """The speed of a class in a pool."""

    @property
    def scatters(self) -> bool:
        """Whether each chip sends to all others, and not along a ring."""

    def suits(self, chips: int) -> bool:
        """Whether a gang of so many chips can work at all."""

    def pace_s(self, seat: Seat, share: float, alone: float | None = None) -> float:
        """Seconds a unit of work of a gang on a seat that has a share of its NICs' bandwidth.

        alone: the share that it has when nobody else is there, by which it was split; by default the same.
        """


@dataclass(frozen=True, slots=True)
class Direct:
    """An exchange that the class gives. pace_s is that of a gang of one size, packed and alone (packed_pace_s)."""

    keys: Communication
    domain: Domain
    compact: Callable[[int], tuple[Seat, float]]
    packed_pace_s: Callable[[int], float]
    _paces: dict[tuple[Seat, float], float] = field(default_factory=dict)

    @property
    def scatters(self) -> bool:
        """Whether each chip sends to all others."""
        return self.keys.collective == "all-to-all"

    def suits(self, chips: int) -> bool:
        """Every gang can exchange."""
        del chips
        return True

    def pace_s(self, seat: Seat, share: float, alone: float | None = None) -> float:
        """Seconds a unit of work of a gang."""
        del alone
        key = (seat, share)
        pace_s = self._paces.get(key)
        if pace_s is None:
            best_s = self.step(*self.compact(seat.chips)).total_s
            pace_s = self.packed_pace_s(seat.chips) * self.step(seat, share).total_s / best_s
            self._paces[key] = pace_s
        return pace_s

    def step(self, seat: Seat, share: float) -> Step:
        """A step: t_compute + max(0, t_exchange - overlap t_compute)."""
        exchange_s = 0.0
        if seat.chips > 1:
            group = self.domain.group(seat.chips, 1, seat, share)
            exchange_s = _COLLECTIVES[self.keys.collective](self.keys.size, group)
        compute_s = self.keys.compute
        return Step(compute_s, 0.0, 0.0, max(0.0, exchange_s - self.keys.overlap * compute_s))
