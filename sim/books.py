"""The books of gangs whose speed may change: what each has done and drawn, stay by stay, written into the record."""

import math

from outputs.record import Meter, Record, Segment, Spent
from policies.interruptions import Interruptions
from sim.gangs import Gang


class Books:
    """The running gangs, by row of the record, and what their stays came to."""

    def __init__(self, record: Record, meter: Meter, losses: Interruptions) -> None:
        self.gangs: dict[int, Gang] = {}
        self.add_group = meter.add_group
        self.cap = meter.cap
        self._record = record
        self._meter = meter
        self._losses = losses
        self._stopped: set[int] = set()  # jobs that have been stopped before
        self._before: dict[int, Spent] = {}  # what gangs had spent at the end of the warmup

    def restart_s(self, row: int) -> float:
        """What a job needs before it goes on from where it was stopped [s]."""
        return self._losses.restart_s if row in self._stopped else 0.0

    def start(self, gang: Gang, keep_place: bool) -> None:
        """A stay begins."""
        row = gang.run.row
        self.gangs[row] = gang
        if row in self._stopped:
            self._meter.resumed_s[row] = gang.from_s
        else:
            self._record.start_s[row] = gang.from_s
        if gang.job.sizes is not None:
            self._meter.chips[row] = gang.run.chips
            self._meter.scaled[row] = gang.scaled
        if keep_place:
            self._meter.placements[row] = gang.run.placement

    def end(self, gang: Gang, now_s: float) -> None:
        """The last stay of a job ends with its work done."""
        row = gang.run.row
        del self.gangs[row]
        self._meter.energy_j[row] = gang.energy_j(now_s)
        self._keep(gang, gang.work)
        self._keep_stretch(gang, now_s)
        self._keep_spent(gang, now_s)

    def interrupt(self, gang: Gang, now_s: float, warned_s: float, by: str) -> float:
        """A stay ends early, for want of power or by the policy; the work done in it that its checkpoint keeps."""
        row, meter = gang.run.row, self._meter
        del self.gangs[row]
        done_s = gang.done_s(now_s)
        kept_s = self._losses.kept_s(done_s, warned_s)
        kept = min(gang.work, kept_s / gang.pace_s)
        self._keep(gang, kept)
        counted_j = meter.counted_j.pop(row, 0.0)
        run, energy_j = gang.run, gang.energy_j(now_s)
        meter.segments.append(
            Segment(
                *(
                    row,
                    run.pool,
                    run.chips,
                    gang.from_s,
                    now_s,
                    energy_j,
                    counted_j,
                    done_s - kept_s,
                    run.placement,
                    by,
                ),
                self._spent_after(gang, now_s),
            )
        )
        self._stopped.add(row)
        meter.resumed_s[row] = math.inf
        return kept

    def end_warmup(self, now_s: float) -> None:
        """Read what has been done and drawn up to the end of the warmup."""
        meter = self._meter
        for row in self._stopped | self.gangs.keys():
            meter.counted_done[row], meter.counted_work_s[row] = meter.done[row], meter.work_s[row]
        for row, gang in self.gangs.items():
            meter.counted_j[row] = gang.energy_j(now_s)
            self._before[row] = self._spent(gang, now_s)
            done = gang.done(now_s)
            meter.counted_done[row] += done
            meter.counted_work_s[row] += done * gang.asked_pace_s

    def close(self, end_s: float) -> None:
        """Read what the gangs that still run have done and drawn."""
        for row, gang in self.gangs.items():
            self._meter.energy_j[row] = gang.energy_j(end_s)
            self._keep(gang, gang.done(end_s))
            self._keep_stretch(gang, end_s)
            self._keep_spent(gang, end_s)

    def _keep(self, gang: Gang, work: float) -> None:
        """Work that is done for good."""
        self._meter.done[gang.run.row] += work
        self._meter.work_s[gang.run.row] += work * gang.asked_pace_s

    def _keep_stretch(self, gang: Gang, now_s: float) -> None:
        if self._record.journeys is not None:
            stretch = gang.stretch(now_s)
            if stretch is not None:
                self._record.journeys.stretch[gang.run.row] = stretch

    def _keep_spent(self, gang: Gang, now_s: float) -> None:
        spent, row, meter = self._spent_after(gang, now_s), gang.run.row, self._meter
        meter.worked_s[row], meter.throttled_s[row] = spent.worked_s, spent.throttled_s
        if spent.traffic_s:
            meter.traffic_s[row] = spent.traffic_s
        if spent.restart_s:
            meter.restart_s[row] = spent.restart_s
        if spent.checkpoint_s:
            meter.checkpoint_s[row] = spent.checkpoint_s

    def _spent_after(self, gang: Gang, now_s: float) -> Spent:
        """How the time of a stay went after the warmup; to be called once, at its end."""
        before = self._before.pop(gang.run.row, None)  # also where it stops at the very end of the warmup
        if now_s <= self._record.warmup_s:
            return Spent()
        spent = self._spent(gang, now_s)
        if before is None:
            return spent
        return spent._replace(
            throttled_s=spent.throttled_s - before.throttled_s,
            traffic_s=spent.traffic_s - before.traffic_s,
            restart_s=spent.restart_s - before.restart_s,
            worked_s=spent.worked_s - before.worked_s,
            checkpoint_s=spent.checkpoint_s - before.checkpoint_s,
        )

    def _spent(self, gang: Gang, now_s: float) -> Spent:
        """How the time of a stay went up to now."""
        row, journeys, progress_s = gang.run.row, self._record.journeys, gang.progress_s(now_s)
        restart_s = gang.restart_s
        return Spent(
            gang.throttled_s(now_s),
            gang.traffic_s(now_s),
            min(progress_s, restart_s),
            max(0.0, progress_s - restart_s),
            gang.scaled if journeys is None else journeys.computing[row],
            gang.planned_pace_s / gang.pace_s if gang.pace_s else 1.0,
            gang.checkpoint_s(now_s),
        )
