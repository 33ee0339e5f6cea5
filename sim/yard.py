"""Racks that come and go: delivered, switched on when their idle draw fits, switched off when a cap falls too far."""

from collections import deque
from typing import TYPE_CHECKING

import simpy

from scenarios.instants import instant
from sim.clock import Moment, Phase

if TYPE_CHECKING:
    from sim.cluster import Cluster


class Yard:
    """The powered racks of each pool, lowest first, and those that wait for power.

    A rack draws its idle power from the moment it is on; its chips are there at once at delivery, after the boot time
    when it had been switched off. A rack that draws nothing when idle is on from its delivery and stays on.
    """

    def __init__(self, cluster: "Cluster") -> None:
        self.racks = [0] * len(cluster.plant.pools)  # powered
        self.dark: deque[tuple[int, float]] = deque()  # (pool, boot [s]), in order of arrival
        self._on: list[int] = []  # pools of powered racks, in order
        self._booting: dict[tuple[int, int], Moment] = {}
        self._cluster = cluster

    def deliver(self, pool: int, racks: int) -> None:
        """Racks arrive; each is powered as soon as its idle draw fits under the cap."""
        if self._cluster.plant.pools[pool].idle_nw:
            self.dark.extend([(pool, 0.0)] * racks)
            return
        for rack in range(self.racks[pool], self.racks[pool] + racks):
            self._count(pool, 1)
            self._ready(pool, rack)

    def power_on(self) -> bool:
        """Switch on waiting racks while their idle draw fits; whether any was. They come before jobs."""
        any_on = False
        while self.dark:
            pool, boot_s = self.dark[0]
            idle_nw = self._cluster.plant.pools[pool].idle_nw
            if idle_nw > self._cluster.held.headroom.feed_nw:
                break
            self.dark.popleft()
            self._on.append(pool)
            self._cluster.draw_idle(idle_nw)
            rack = self.racks[pool]
            self._count(pool, 1)
            any_on = True
            if boot_s:
                self._boot(pool, rack, boot_s)
            else:
                self._ready(pool, rack)
        return any_on

    def power_off(self) -> bool:
        """Switch off the rack that was switched on last; False where none is on. To be called when no job runs."""
        if not self._on:
            return False
        pool = self._on.pop()
        self._count(pool, -1)
        rack = self.racks[pool]
        if self._booting.pop((pool, rack), None) is None:
            self._cluster.held.free[pool].take(self._chips(pool, rack))
            self._cluster.forget()
        else:
            self._count_booting(pool)
        plant = self._cluster.plant
        self._cluster.draw_idle(-plant.pools[pool].idle_nw)
        self.dark.appendleft((pool, plant.site.rack_boot_s))
        return True

    def _boot(self, pool: int, rack: int, boot_s: float) -> None:
        """Let a rack come up, unless it is switched off again meanwhile."""

        def booted(event: simpy.Event) -> None:
            if self._booting.get((pool, rack)) is event:
                self._cluster.look_again()
                del self._booting[pool, rack]
                self._count_booting(pool)
                self._ready(pool, rack)

        clock = self._cluster.clock
        up_s = max(clock.now, instant(clock.now + boot_s))
        self._booting[pool, rack] = Moment(clock, up_s, Phase.BOOTED, booted)
        self._count_booting(pool)

    def _count(self, pool: int, by: int) -> None:
        self.racks[pool] += by
        self._cluster.record.timeline.powered[pool].append((self._cluster.clock.now, self.racks[pool]))

    def _count_booting(self, pool: int) -> None:
        racks = sum([at == pool for at, _ in self._booting])
        self._cluster.record.timeline.booting[pool].append((self._cluster.clock.now, racks))

    def _ready(self, pool: int, rack: int) -> None:
        self._cluster.held.free[pool].give(self._chips(pool, rack))
        self._cluster.forget()

    def _chips(self, pool: int, rack: int) -> tuple[tuple[int, int], ...]:
        size, chips = self._cluster.plant.pools[pool].domains_a_rack, self._cluster.plant.pools[pool].domain_chips
        return tuple([(domain, chips) for domain in range(rack * size, rack * size + size)])
