"""The feed as it changes: the cap over time, the battery, the caps on running gangs, and what a falling cap stops."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import simpy

from outputs.record import Meter
from policies.power import PowerPolicy
from policies.queue import QueuedJob
from policies.view import Release
from scenarios.contract import SiteSteps
from sim.books import Books
from sim.clock import Clock, Phase
from sim.gangs import Gang, Group
from sim.interruptions import Interruptions
from sim.storage import Storage
from topologies.headroom import UNLIMITED_NW
from topologies.limits import levels_above
from topologies.plant import Plant
from topologies.power import NW_PER_W

if TYPE_CHECKING:
    from sim.cluster import Cluster


class Alarm(simpy.Event):
    """An event at a time that may turn out to be early: whoever hears it looks again."""

    def __init__(self, clock: Clock, time_s: float, phase: Phase, heard: Callable[[simpy.Event], None]) -> None:
        self.env = clock
        self.callbacks = [heard]
        self._ok = True
        self._value = None
        clock.put(self, time_s, phase)


class Feed:
    """Power that changes; made for runs in which the cap can move, the policy caps chips or a battery stands by."""

    def __init__(
        self,
        cluster: "Cluster",
        clock: Clock,
        plant: Plant,
        power: PowerPolicy,
        meter: Meter,
        steps: SiteSteps,
        losses: Interruptions,
    ) -> None:
        self.storage = None if plant.site.battery is None else Storage(plant.site.battery)
        self._cluster = cluster
        self._clock = clock
        self._plant = plant
        self._power = power
        self._steps = steps
        self._row = 0
        self._told_s = 0.0  # when the curtailment that holds was announced
        self._admitted_nw = plant.it_cap_nw or 0
        self._spare_nw = [limit.spare_nw for limit in plant.limits]
        self._groups: dict[tuple[int, int, frozenset[int]], Group] = {}
        self._active: list[Group] = []  # groups with gangs
        self._books = Books(cluster.record, meter, losses)
        self._alarm_s = self._look_s = math.inf

    def change(self, row: int) -> None:
        """The next row of the site's steps holds from now on."""
        before, self._row = self._curtailed(), row
        if self._curtailed() and not before:
            self._told_s = self._clock.now - float(self._steps.warned_s[row])

    def start(self, run: Release, job: QueuedJob, work: float, lasts_s: float) -> None:
        """A gang starts that takes lasts_s at full speed."""
        under = levels_above(self._plant.limits, run.pool, run.placement)
        key = (job.job_class, run.pool, frozenset(under))
        group = self._groups.get(key)
        if group is None:
            names = [self._plant.limits[limit].name for limit in sorted(under)]
            number = self._books.add_group(job.job_class, run.pool, names)
            group = self._groups[key] = Group(number, run.pool, self._plant.plans[job.job_class])
        if not group.gangs:
            self._active.append(group)
            self._active.sort(key=lambda one: one.number)
        lasts_s += self._books.restart_s(run.row)
        gang = Gang(run, job, work, group, self._clock.now, lasts_s)
        group.add(gang, under.items())
        self._books.start(gang, self._plant.limits != ())

    def end(self, row: int) -> None:
        """A gang has done its work."""
        self._leave(self._books.end(row, self._clock.now))

    def close(self, end_s: float) -> None:
        """Read what the gangs that still run have done and drawn."""
        self._books.close(end_s)

    def end_warmup(self) -> None:
        """Read what has been done and drawn up to now."""
        self._books.end_warmup(self._clock.now)

    def _leave(self, gang: Gang) -> None:
        group = gang.group
        under = levels_above(self._plant.limits, gang.run.pool, gang.run.placement)
        group.remove(gang, under.items())
        if not group.gangs:
            self._active.remove(group)

    def before_pass(self) -> None:
        """Make the draw fit whatever has changed, and set what the pass may count on."""
        now_s, storage = self._clock.now, self.storage
        if storage is not None:
            storage.advance(now_s)
        self._enforce()
        row, steps = self._row, self._steps
        admitted_w = min(float(steps.cap_w[row]), float(steps.announced_w[row])) - self._set_aside_w()
        admitted_nw = self._it_nw(admitted_w)
        if admitted_nw != self._admitted_nw and self._plant.it_cap_nw is not None:
            self._cluster.admit(admitted_nw - self._admitted_nw)
            self._admitted_nw = admitted_nw

    def after_pass(self) -> None:
        """Cap the running gangs, let the battery give or take, and set the next alarms."""
        now_s, storage, active = self._clock.now, self.storage, self._active
        cap_w = float(self._steps.cap_w[self._row])
        give_w = 0.0 if storage is None else storage.reach_w(now_s, self._gap_w(), self._warned_s())
        idle_nw = self._cluster.idle_nw
        room_nw = self._it_nw(cap_w + give_w - (0.0 if give_w else self._set_aside_w())) - idle_nw
        fractions = self._power.allocate([group.load for group in active], room_nw, self._spare_nw)
        jobs_nw, next_s = 0, math.inf
        for group, fraction in zip(active, fractions, strict=True):
            if fraction != group.fraction:
                group.put(now_s, fraction)
                self._books.cap(now_s, group.number, fraction)
            jobs_nw += group.load.chips * group.draw_nw
            next_s = min(next_s, group.next_end_s())
        self._cluster.it_nw = idle_nw + jobs_nw
        if storage is not None:
            self._charge(storage, give_w, cap_w - self._meter_w(idle_nw + jobs_nw))
        self._set_alarm(next_s)

    def throttle(self) -> float:
        """Mean speed of the chips in use [1]; 1 where none is."""
        chips = sum([group.load.chips for group in self._active])
        return sum([group.load.chips * group.speed for group in self._active]) / chips if chips else 1.0

    def _enforce(self) -> None:
        """While even the lowest draw is above the cap: stop the least valuable gangs, then switch racks off."""
        storage, now_s = self.storage, self._clock.now
        give_w = 0.0 if storage is None else storage.reach_w(now_s, self._gap_w(), self._warned_s())
        limit_nw = self._it_nw(float(self._steps.cap_w[self._row]) + give_w)
        if self._power.sheds and self._curtailed():
            draw_nw = self._full_nw()
        else:
            draw_nw = sum([group.load.chips * group.load.least_nw for group in self._active])
        draw_nw += self._cluster.idle_nw
        if draw_nw <= limit_nw:
            return
        for gang in sorted(self._books.gangs.values(), key=_worth):
            load = gang.group.load
            each_nw = load.full_nw if self._power.sheds and self._curtailed() else load.least_nw
            self._leave(gang)
            self._cluster.preempt(gang, self._books.interrupt(gang, now_s, self._warned_s()))
            draw_nw -= gang.run.chips * each_nw
            if draw_nw <= limit_nw:
                return
        while self._cluster.idle_nw > limit_nw and self._cluster.yard.power_off():
            pass

    def _charge(self, storage: Storage, give_w: float, left_w: float) -> None:
        if give_w > 0:
            # no more than the cap lacks, where a gang that ended in this instant has made room; draws are whole
            # nanowatts a chip, so what is lacking may be a little less than what the caps were made for
            level_w = give_w if give_w + left_w < 1.0 else max(0.0, -left_w)
        elif storage.full or self._curtailed():
            level_w = 0.0
        else:
            level_w = -max(0.0, min(storage.facts.power_w, left_w))
        storage.put(self._clock.now, level_w)
        look_s = storage.next_s()
        if look_s < self._look_s or self._look_s <= self._clock.now:
            self._look_s = look_s
            if look_s < math.inf:
                Alarm(self._clock, max(look_s, self._clock.now), Phase.BATTERY, self._look)

    def _look(self, _event: simpy.Event) -> None:
        """The battery is full or empty, or its ramp has passed a step."""
        self._cluster.look_again()

    def _set_alarm(self, next_s: float) -> None:
        if next_s < self._alarm_s or (self._alarm_s <= self._clock.now and next_s < math.inf):
            self._alarm_s = next_s
            Alarm(self._clock, max(next_s, self._clock.now), Phase.COMPLETION, self._ended)

    def _ended(self, _event: simpy.Event) -> None:
        """End all gangs that are due; an alarm that a change of speed has made early ends none."""
        now_s = self._clock.now
        next_s = math.inf
        for group in list(self._active):
            while (end_s := group.next_end_s()) <= now_s:
                self._cluster.end(group.next_gang().run)
            next_s = min(next_s, end_s)
        if now_s >= self._alarm_s:
            self._alarm_s = math.inf
            self._set_alarm(next_s)

    def _full_nw(self) -> int:
        return sum([group.load.chips * group.load.full_nw for group in self._active])

    def _curtailed(self) -> bool:
        return bool(self._steps.cap_w[self._row] < self._steps.contract_w[self._row])

    def _warned_s(self) -> float:
        """How long the operator has known of what holds now [s]."""
        return self._clock.now - self._told_s if self._curtailed() else 0.0

    def _gap_w(self) -> float:
        """What the battery is asked for: the load at full speed, up to the contract, less a curtailed cap [W]."""
        if not self._curtailed():
            return 0.0
        wanted_w = self._meter_w(self._cluster.idle_nw + self._full_nw())
        row = self._row
        return min(wanted_w, float(self._steps.contract_w[row])) - float(self._steps.cap_w[row])

    def _set_aside_w(self) -> float:
        """What is kept free under the cap for charging [W]."""
        storage = self.storage
        if storage is None or storage.full or self._curtailed():
            return 0.0
        return storage.facts.charge_w

    def _meter_w(self, it_nw: int) -> float:
        return it_nw / NW_PER_W * float(self._steps.overhead[self._row]) + self._plant.site.fixed_w

    def _it_nw(self, cap_w: float) -> int:
        """The IT draw at which the meter reads so much [nW]."""
        if cap_w == math.inf:
            return UNLIMITED_NW
        return math.floor((cap_w - self._plant.site.fixed_w) / float(self._steps.overhead[self._row]) * NW_PER_W)


def _worth(gang: Gang) -> tuple[float, float, int]:
    """Least value per watt first; among equals the one that has run the shortest."""
    load = gang.group.load
    return (load.value / max(1, load.full_nw), -gang.from_s, -gang.run.row)
