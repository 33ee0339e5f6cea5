"""The plant: the pools of a scenario as built, without anything that changes during a run."""

from dataclasses import dataclass

from topologies.free import FreeChips


@dataclass(frozen=True, slots=True)
class Pool:
    """Like racks under one name: `domains` scale-up domains of `domain_chips` chips each."""

    name: str
    rack: str
    accelerator: str
    racks: int
    domains: int
    domain_chips: int

    @property
    def chips(self) -> int:
        """Installed chips."""
        return self.domains * self.domain_chips

    def all_free(self) -> FreeChips:
        """The free-capacity index of this pool with nothing running."""
        return FreeChips(self.domains, self.domain_chips)


@dataclass(frozen=True, slots=True)
class Plant:
    """All pools, in the order of the scenario's fleet."""

    pools: tuple[Pool, ...]

    @property
    def chips(self) -> int:
        """Installed chips of all pools."""
        return sum(pool.chips for pool in self.pools)

    def pools_for(self, chips: int) -> tuple[int, ...]:
        """The pools (by position) that a gang of so many chips fits into when they are empty."""
        return tuple(at for at, pool in enumerate(self.pools) if chips <= pool.chips)
