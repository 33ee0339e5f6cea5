"""Keeping the timeline: the state of each instant, written once it is known that the instant is over."""

from typing import TYPE_CHECKING

from policies.idle import Idle, why_idle
from policies.policy import placer_in
from policies.view import DEFERRED, HELD, Blocked
from topologies.plant import Shape

if TYPE_CHECKING:
    from sim.cluster import Cluster


class Keeping:
    """Writes a cluster's state into its record; turn() before the first change of an instant."""

    __slots__ = ("_changed_s", "_clock", "_cluster", "_counted_s", "_draws", "_idle", "_waiting_chips", "blocked")

    def __init__(self, cluster: "Cluster") -> None:
        self.blocked: Blocked = {}  # of the last pass
        self._waiting_chips: dict[str, int] = {}  # by reason, since the last pass
        self._idle: list[Idle] = []  # by pool, since the last pass; empty where nobody waits or no chip is idle
        cluster.record.idle_chip_s = [[0.0] * len(Idle._fields) for _ in cluster.plant.pools]
        self._cluster = cluster
        self._clock = cluster.clock
        self._changed_s = 0.0  # the last instant with a change, kept in the timeline at the next one
        self._counted_s = 0.0
        self._draws = cluster.plant.draws

    @property
    def changed_s(self) -> float:
        """The last instant at which something changed."""
        return self._changed_s

    def turn(self) -> None:
        """Before the first change of an instant: the state so far goes into the timeline."""
        now_s = self._clock.now
        if now_s > self._changed_s:
            self._keep()
            self._changed_s = now_s

    def count_waiting(self, now_s: float) -> None:
        """Add up why chips were waited for, and why others were idle, since the last pass."""
        if now_s > self._counted_s and self._waiting_chips:
            record = self._cluster.record
            total = record.blocked_chip_s
            lasted_s = max(0.0, now_s - max(self._counted_s, record.warmup_s))
            for reason, chips in self._waiting_chips.items():
                total[reason] = total.get(reason, 0.0) + chips * lasted_s
            for sums, idle in zip(record.idle_chip_s, self._idle, strict=False):
                for at, chips in enumerate(idle):
                    if chips:
                        sums[at] += chips * lasted_s
        self._counted_s = now_s

    def note(self, blocked: Blocked) -> None:
        """After a pass: who waits and why, and why chips are idle; it holds until the next pass."""
        cluster = self._cluster
        lanes, deferral, claims = cluster.queue.lanes, cluster.deferral, cluster.claims
        self.blocked = blocked
        self._idle = []
        self._waiting_chips = waiting = dict[str, int]()
        if not lanes and (deferral is None or not deferral.chips) and (claims is None or not claims.jobs):
            if deferral is not None:
                waiting[DEFERRED] = 0
            return
        gangs, may_sit, reason_of = dict[Shape, int](), dict[Shape, int](), blocked.get
        most = 0 if cluster.held.quotas is None else max([pool.free for pool in cluster.held.free])
        for shape, lane in lanes.items():
            reason = reason_of(shape, HELD)
            gangs[shape] = count = len(lane.jobs)
            # DEFERRED: of plug-ins; who has a quota may have a seat in a pool that it does not allow
            if reason is HELD or reason is DEFERRED or (shape.chips <= most and shape.quota >= 0):
                may_sit[shape] = count
            if reason in waiting:
                waiting[reason] += shape.chips * count
            else:
                waiting[reason] = shape.chips * count
        if deferral is not None:
            waiting[DEFERRED] = deferral.chips
            for shape, count in deferral.shapes.items():
                gangs[shape] = gangs.get(shape, 0) + count
                may_sit[shape] = may_sit.get(shape, 0) + count
        for pool in cluster.held.free:
            if pool.free:
                placer = placer_in(cluster.view(), cluster.policy)
                self._idle = why_idle(cluster.held.free, cluster.held.headroom, placer, gangs, may_sit)
                break
        if claims is not None and claims.under_way:
            if claims.jobs:
                waiting[HELD] = waiting.get(HELD, 0) + claims.chips
            none = [Idle(0, 0, 0, 0, 0)] * len(cluster.held.free)
            self._idle = [
                idle._replace(held_by_policy=idle.held_by_policy + claims.idle(pool))
                for pool, idle in enumerate(self._idle or none)
            ]

    def close(self, end_s: float) -> None:
        """Bring the record up to the end of the run."""
        self.count_waiting(end_s)
        self._keep()

    def _keep(self) -> None:
        cluster = self._cluster
        timeline, jobs, chips = cluster.record.timeline, cluster.queue.jobs, cluster.queue.chips
        if cluster.deferral is not None:
            jobs, chips = jobs + len(cluster.deferral.jobs), chips + cluster.deferral.chips
        if cluster.claims is not None:
            jobs, chips = jobs + cluster.claims.jobs, chips + cluster.claims.chips
        timeline.time_s.append(self._changed_s)
        timeline.queue_jobs.append(jobs)
        timeline.queue_chips.append(chips)
        for pool, column in enumerate(timeline.busy_chips):
            column.append(cluster.held.busy[pool])
        if self._draws:
            timeline.it_nw.append(cluster.it_nw)
        feed = cluster.feed
        if feed is not None:
            timeline.throttle.append(feed.throttle)
            if feed.storage is not None:
                timeline.battery_w.append(feed.storage.level_w)
                timeline.soc_j.append(feed.storage.soc_j)
