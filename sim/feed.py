"""The feed as it changes: the caps on running gangs, the battery, and what a falling cap stops."""

import math
from typing import TYPE_CHECKING

from outputs.record import POWER, Meter
from policies.interruptions import Interruptions
from policies.loads import Load
from policies.policy import Policy
from policies.queue import QueuedJob
from policies.stopping import running_gangs
from policies.view import Release
from scenarios.contract import SiteSteps
from sim.books import Books
from sim.claims import Claims
from sim.clock import Clock, Moment, Phase
from sim.contract import Contract
from sim.gangs import Gang, Group
from sim.standstill import Standstill
from sim.storage import Storage
from topologies.plant import Plant

if TYPE_CHECKING:
    from sim.cluster import Cluster


class Feed:
    """Power that changes; made for runs in which the cap can move, the policy caps chips or a battery stands by.

    next_end_s: when the next gang ends at the present speeds. It moves at every change of a cap, so it is no event;
    the simulation looks at it beside the clock's events.
    """

    def __init__(
        self,
        cluster: "Cluster",
        clock: Clock,
        plant: Plant,
        policy: Policy,
        meter: Meter,
        steps: SiteSteps,
        losses: Interruptions,
    ) -> None:
        self.storage = None if plant.site.battery is None else Storage(plant.site.battery)
        self.next_end_s = math.inf
        self.throttle = 1.0  # mean speed of the chips in use
        self.rises: tuple[Release, ...] = ()  # power that comes back when a curtailment ends, as planning sees it
        self.standstill = Standstill()
        self.claims = None
        if policy.ranks or policy.scaling is not None:
            self.claims = Claims(cluster, self, losses, running_gangs(policy.preemption, policy.reclaim))
        self._cluster = cluster
        self._clock = clock
        self._plant = plant
        self._power = policy.power
        self._contract = Contract(steps, plant.site)
        self._moved = True  # something beside starts and ends has changed since the last pass
        self._admitted_nw = plant.it_cap_nw or 0
        self._spare_nw = [limit.spare_nw for limit in plant.limits]
        self._groups: dict[tuple[int, int, tuple[int, ...]], Group] = {}
        self._active: list[Group] = []  # groups with gangs
        self._loads: list[Load] = []  # theirs
        self._least_nw = 0  # of all gangs under the lowest caps
        self._books = Books(cluster.record, meter, losses)
        self._look_s = math.inf

    def change(self, row: int) -> None:
        """The next row of the site's steps holds from now on."""
        self._contract.change(row)
        self._moved = True

    def start(self, run: Release, job: QueuedJob, work: float, pace_s: float) -> None:
        """A gang starts that takes pace_s for a unit of its work at full speed."""
        limits = self._plant.limits
        under = self._cluster.held.headroom.above(run.pool, run.placement) if limits else {}
        key = (job.job_class, run.pool, tuple(under))
        group = self._groups.get(key)
        if group is None:
            number = self._books.add_group(job.job_class, run.pool, [limits[at].name for at in under])
            group = self._groups[key] = Group(number, run.pool, self._plant.plans[job.job_class])
        if not group.gangs:
            self._set_active([*self._active, group])
        gang = Gang(run, job, work, pace_s, group, self._clock.now, self._books.restart_s(run.row), under)
        group.add(gang)
        self._least_nw += run.chips * group.load.least_nw
        self._books.start(gang, bool(limits))
        if self.claims is not None:
            self.claims.add(gang)

    def retime(self, row: int, factor: float) -> None:
        """A gang works at factor times its speed alone from now on; to be called before after_pass."""
        gang = self._books.gangs[row]
        if gang.stopping:
            return
        gang.retime(self._clock.now, factor)
        gang.group.reorder(gang)

    def stop(self, gang: Gang, warned_s: float, by: str) -> QueuedJob:
        """A gang stops before its work is done, as it has been told for so long; its job with what is left to do."""
        now_s = self._clock.now
        kept = self._books.interrupt(gang, now_s, warned_s, by)
        self._leave(gang)
        self._cluster.take_back(gang.run, gang.work - kept)
        if kept > 0:
            self.standstill.get_on()
        else:
            self.standstill.stop(gang.run.row, self._books.gangs.values())
        return gang.job_after(now_s, kept)

    def end_due(self) -> None:
        """End all gangs that are due now."""
        now_s = self._clock.now
        next_s = math.inf
        for group in self._active:
            while (end_s := group.next_end_s()) <= now_s:
                gang = group.next_gang()
                self._cluster.end(gang.run)
                self._books.end(gang, now_s)
                self._leave(gang)
                self.standstill.get_on()
            next_s = min(next_s, end_s)
        self.next_end_s = next_s

    def close(self, end_s: float) -> None:
        """Read what the gangs that still run have done and drawn."""
        self._books.close(end_s)

    def end_warmup(self) -> None:
        """Read what has been done and drawn up to now."""
        self._books.end_warmup(self._clock.now)

    def before_pass(self) -> None:
        """Make the draw fit whatever has changed, and set what the pass may count on."""
        storage, contract = self.storage, self._contract
        if storage is not None:
            storage.advance(self._clock.now)
        elif not self._moved:
            return  # starts and ends alone bring nothing above the cap
        self._moved = False
        self._enforce()
        admitted_nw = contract.it_nw(min(contract.cap_w, contract.announced_w) - self._set_aside_w())
        if admitted_nw != self._admitted_nw and self._plant.it_cap_nw is not None:
            self._cluster.admit(admitted_nw - self._admitted_nw)
            self._admitted_nw = admitted_nw
        rise = contract.rise(admitted_nw)
        self.rises = () if rise is None else (Release(rise[0], -1, 0, (), -1, rise[1]),)

    def after_pass(self) -> None:
        """Cap the running gangs, and let the battery give or take."""
        now_s, active, idle_nw = self._clock.now, self._active, self._cluster.idle_nw
        give_w, room_nw = 0.0, self._contract.cap_nw - idle_nw
        if self.storage is not None:
            give_w = self._reach_w()
            aside_w = self._set_aside_w() if self._power.steady and not give_w else 0.0
            room_nw = self._contract.it_nw(self._contract.cap_w + give_w - aside_w) - idle_nw
        fractions = self._power.allocate(self._loads, room_nw, self._spare_nw)
        jobs_nw, chips, speed, next_s = 0, 0, 0.0, math.inf
        for group, fraction in zip(active, fractions, strict=True):
            if fraction != group.fraction:
                group.put(now_s, fraction)
                self._books.cap(now_s, group.number, fraction)
            held = group.load.chips
            jobs_nw += held * group.draw_nw
            chips += held
            speed += held * group.speed
            end_s = group.next_end_s()
            if end_s < next_s:
                next_s = end_s
        self.next_end_s = next_s if next_s > now_s else now_s
        self.throttle = speed / chips if chips else 1.0
        self._cluster.it_nw = idle_nw + jobs_nw
        if self.storage is not None:
            self._charge(self.storage, give_w, self._contract.cap_w - self._contract.meter_w(idle_nw + jobs_nw))

    def _enforce(self) -> None:
        """While even the lowest draw is above the cap: stop the least valuable gangs, then switch racks off."""
        contract, cluster, now_s = self._contract, self._cluster, self._clock.now
        shed = self._power.sheds and (contract.curtailed or contract.fell)
        limit_nw = contract.it_nw(contract.cap_w + self._reach_w())
        draw_nw = cluster.idle_nw + (self._full_nw() if shed else self._least_nw)
        if draw_nw > limit_nw and self.claims is not None:
            self.claims.cut_short(contract.warned_s(now_s))
            draw_nw = cluster.idle_nw + (self._full_nw() if shed else self._least_nw)
        if draw_nw <= limit_nw:
            return
        for gang in self._to_stop(draw_nw - limit_nw, shed):
            cluster.join(self.stop(gang, contract.warned_s(now_s), POWER))
        while cluster.idle_nw > limit_nw and cluster.yard.power_off():
            pass

    def _to_stop(self, excess_nw: int, shed: bool) -> list[Gang]:
        """The gangs to stop: the least valuable until it is enough, but none that a later one has made good."""
        chosen: list[tuple[int, Gang]] = []
        for gang in sorted(self._books.gangs.values(), key=_worth):
            if excess_nw <= 0:
                break
            load = gang.group.load
            draw_nw = gang.run.chips * (load.full_nw if shed else load.least_nw)
            if not draw_nw:
                continue  # it would free nothing
            chosen.append((draw_nw, gang))
            excess_nw -= draw_nw
        stopped = []
        for draw_nw, gang in reversed(chosen):
            if excess_nw + draw_nw <= 0:
                excess_nw += draw_nw
            else:
                stopped.append(gang)
        return stopped[::-1]

    def _leave(self, gang: Gang) -> None:
        if self.claims is not None:
            self.claims.remove(gang)
        group = gang.group
        group.remove(gang)
        self._least_nw -= gang.run.chips * group.load.least_nw
        if not group.gangs:
            self._set_active([one for one in self._active if one is not group])

    def _set_active(self, groups: list[Group]) -> None:
        self._active = sorted(groups, key=lambda group: group.number)
        self._loads = [group.load for group in self._active]

    def _reach_w(self) -> float:
        """What the battery can give now of what it is asked for [W]: the load at full speed less a curtailed cap.

        It carries no more than the contract allows at other times.
        """
        storage, contract, now_s = self.storage, self._contract, self._clock.now
        if storage is None:
            return 0.0
        gap_w = 0.0
        if contract.curtailed:
            wanted_w = contract.meter_w(self._cluster.idle_nw + self._full_nw())
            gap_w = min(wanted_w, contract.contract_w) - contract.cap_w
        return storage.reach_w(now_s, gap_w, contract.lead_s(now_s))

    def _charge(self, storage: Storage, give_w: float, left_w: float) -> None:
        now_s = self._clock.now
        if give_w > 0:
            # no more than the cap lacks, where a gang that ended in this instant has made room; draws are whole
            # nanowatts a chip, so what is lacking may be a little less than what the caps were made for
            level_w = give_w if give_w + left_w < 1.0 else max(0.0, -left_w)
            level_w = min(level_w, self._contract.cap_w - left_w)  # and no more than the load
        elif storage.full or self._contract.curtailed:
            level_w = 0.0
        else:
            level_w = -max(0.0, min(storage.facts.power_w, left_w))
        storage.put(now_s, level_w)
        look_s = storage.next_s()
        if look_s < self._look_s or self._look_s <= now_s:
            self._look_s = look_s
            if look_s < math.inf:
                Moment(self._clock, max(look_s, now_s), Phase.BATTERY, lambda _: self._cluster.look_again())

    def _full_nw(self) -> int:
        return sum([group.load.chips * group.load.full_nw for group in self._active])

    def _set_aside_w(self) -> float:
        """What is kept free under the cap for charging [W]."""
        storage = self.storage
        return 0.0 if storage is None or storage.full or self._contract.curtailed else storage.facts.charge_w


def _worth(gang: Gang) -> tuple[float, float, int]:
    """Least value per watt first; among equals the one that has run the shortest."""
    load = gang.group.load
    return (load.value / max(1, load.full_nw), -gang.from_s, -gang.run.row)
