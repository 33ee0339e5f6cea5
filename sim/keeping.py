"""Keeping the timeline: the state of each instant, written once it is known that the instant is over."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.cluster import Cluster


class Keeping:
    """Writes a cluster's state into its record; turn() before the first change of an instant."""

    __slots__ = ("_changed_s", "_clock", "_cluster", "_counted_s", "_draws", "waiting_chips")

    def __init__(self, cluster: "Cluster") -> None:
        self.waiting_chips: dict[str, int] = {}  # by reason, since the last pass
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
        """Add up why chips were waited for since the last pass."""
        if now_s > self._counted_s and self.waiting_chips:
            record = self._cluster.record
            total = record.blocked_chip_s
            lasted_s = max(0.0, now_s - max(self._counted_s, record.warmup_s))
            for reason, chips in self.waiting_chips.items():
                total[reason] = total.get(reason, 0.0) + chips * lasted_s
        self._counted_s = now_s

    def close(self, end_s: float) -> None:
        """Bring the record up to the end of the run."""
        self.count_waiting(end_s)
        self._keep()

    def _keep(self) -> None:
        cluster = self._cluster
        timeline, queue, held = cluster.record.timeline, cluster.queue, cluster.deferral
        timeline.time_s.append(self._changed_s)
        if held is None:
            timeline.queue_jobs.append(queue.jobs)
            timeline.queue_chips.append(queue.chips)
        else:
            timeline.queue_jobs.append(queue.jobs + len(held.jobs))
            timeline.queue_chips.append(queue.chips + held.chips)
        for pool, column in enumerate(timeline.busy_chips):
            column.append(cluster.busy[pool])
        if self._draws:
            timeline.it_nw.append(cluster.it_nw)
        feed = cluster.feed
        if feed is not None:
            timeline.throttle.append(feed.throttle)
            if feed.storage is not None:
                timeline.battery_w.append(feed.storage.level_w)
                timeline.soc_j.append(feed.storage.soc_j)
