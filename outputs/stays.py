"""What jobs held, did and drew: their stays on chips, from the record's rows and the constants of class and pool."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from outputs.jobs import Bools, Floats, Ints, Jobs
from outputs.record import Record
from topologies.plant import Plant
from topologies.power import NW_PER_W


@dataclass(frozen=True, slots=True)
class Stays:
    """Stays of gangs on their chips up to the end of the run, arrays of shape (n_stays,).

    First the last stay of each job that started, in the order of the jobs, then those that a stop cut short.
    job: position among the jobs. energy_j: what its chips drew with their host share, before conversion, after the
    warmup; whole_j: in all. input_j: what it added at its rack's input, after the warmup. chip_s: chip-seconds held
    after the warmup. lost_s: run time that was lost with it.
    """

    job: Ints
    job_class: Ints
    pool: Ints
    chips: Ints
    from_s: Floats
    to_s: Floats
    chip_s: Floats
    energy_j: Floats
    whole_j: Floats
    input_j: Floats
    lost_s: Floats
    cut: int  # how many a stop has cut short, the last of all

    @property
    def last(self) -> Ints:
        """The jobs of the last stays."""
        return self.job[: len(self.job) - self.cut]

    def by_job(self, values: Floats, jobs: Jobs) -> Floats:
        """Sums by job, shape (n_jobs,), added in the order of the stays."""
        return np.asarray(np.bincount(self.job, weights=values, minlength=len(jobs.chips)), np.float64)

    def hold(self, jobs: Jobs) -> Bools:
        """Jobs that are on their chips at the end of the run, shape (n_jobs,)."""
        held = np.zeros(len(jobs.chips), np.bool_)
        held[self.last] = True
        return held & ~jobs.ended

    def total(self, values: Floats, among: Bools | None = None) -> float:
        """Sum without rounding error, of all or some stays."""
        return math.fsum((values if among is None else values[among]).tolist())


def stays_of(record: Record, jobs: Jobs, plant: Plant) -> Stays:
    """The stays of a run."""
    end_s, meter = record.end_time_s, record.meter
    last = np.flatnonzero(jobs.started)
    begin_s = jobs.start_s[last].copy()
    cut = [] if meter is None else meter.segments
    position = np.empty(len(jobs.row), np.int64)
    position[jobs.row] = np.arange(len(jobs.row))
    if meter is not None:
        for row, time_s in meter.resumed_s.items():
            begin_s[np.searchsorted(last, position[row])] = time_s
        # a job that waits again after a stop holds nothing now: its last stay is among those cut short
        holds = np.isfinite(begin_s)
        last, begin_s = last[holds], begin_s[holds]
    ended_s = np.where(jobs.ended[last], jobs.end_s[last], end_s)
    job = np.concatenate([last, position[[stay.row for stay in cut]]]) if cut else last
    pool = np.concatenate([jobs.pool[last], np.array([stay.pool for stay in cut], np.int64)])
    from_s = np.concatenate([begin_s, np.array([stay.from_s for stay in cut])])
    to_s = np.concatenate([ended_s, np.array([stay.to_s for stay in cut])])
    chips = jobs.held_chips[job]
    chips[len(last) :] = [stay.chips for stay in cut]
    window_s = np.clip(to_s, record.warmup_s, end_s) - np.clip(from_s, record.warmup_s, end_s)
    busy_w = _of(plant, "busy_w", jobs.job_class[job], pool)
    if meter is None:
        whole_j, energy_j = chips * busy_w * (to_s - from_s), chips * busy_w * window_s
    else:
        rows = jobs.row[last]
        counted = [meter.counted_j.get(row, 0.0) for row in rows.tolist()] + [stay.counted_j for stay in cut]
        whole_j = np.concatenate([np.array(meter.energy_j)[rows], np.array([stay.energy_j for stay in cut])])
        energy_j = np.where(to_s <= record.warmup_s, 0.0, whole_j - np.array(counted))
    idle_w = np.array([pool.chip_idle_w for pool in plant.pools])[pool]
    lost_s = np.concatenate([np.zeros(len(last)), np.array([stay.lost_s for stay in cut])])
    chip_s = np.asarray(chips * window_s)
    input_j = (energy_j - idle_w * chip_s) * input_per_chip(plant)[jobs.job_class[job], pool]
    return Stays(
        job, jobs.job_class[job], pool, chips, from_s, to_s, chip_s, energy_j, whole_j, input_j, lost_s, len(cut)
    )


def input_per_chip(plant: Plant) -> Floats:
    """Watts at the rack's input per watt of a chip with its host share, shape (n_classes, n_pools)."""
    busy_w, draw_nw = (np.array([getattr(plan, name) for plan in plant.plans]) for name in ("busy_w", "draw_nw"))
    above_w = busy_w - np.array([pool.chip_idle_w for pool in plant.pools])
    return np.asarray(np.divide(draw_nw / NW_PER_W, above_w, where=above_w > 0, out=np.zeros_like(above_w)))


def _of(plant: Plant, name: str, job_class: Ints, pool: Ints) -> Floats:
    """A figure of the class in the pool."""
    values: NDArray[np.float64] = np.array([getattr(plan, name) for plan in plant.plans], np.float64)
    return np.asarray(values[job_class, pool])


@dataclass(frozen=True, slots=True)
class Work:
    """What jobs have done and kept, in units of their work, arrays of shape (n_jobs,): in all and after the warmup.

    chip_s: what was done after the warmup in chip-seconds at full speed. A stop takes back what was done since the last
    checkpoint, also what was done before the warmup's end.
    """

    done: Floats
    counted: Floats
    chip_s: Floats

    def tokens(self, jobs: Jobs, plant: Plant) -> tuple[Floats, Floats]:
        """Tokens trained in all and after the warmup; 0 for jobs that do not train."""
        trains = np.array([plan.per_gang for plan in plant.plans], np.bool_)[jobs.job_class]
        return np.where(trains, self.done, 0.0), np.where(trains, self.counted, 0.0)


def work_of(record: Record, jobs: Jobs, stays: Stays, plant: Plant) -> Work:
    """The work of all jobs; of those that have not ended up to where they are."""
    meter = record.meter
    if meter is not None:
        done = np.array(meter.done)[jobs.row]
        before = np.array([meter.counted_done.get(row, 0.0) for row in jobs.row.tolist()])
        # what ended within the warmup was read by nobody at its end
        early = jobs.ended & (jobs.end_s <= record.warmup_s)
        work_s = np.array(meter.work_s)[jobs.row]
        before_s = np.array([meter.counted_work_s.get(row, 0.0) for row in jobs.row.tolist()])
        chip_s = jobs.chips * (work_s - np.where(early, work_s, before_s))
        return Work(done, done - np.where(early, done, before), chip_s)
    planned_s = jobs.work * planned_pace_s(jobs, plant)
    journeys = record.journeys
    needs_s = planned_s if journeys is None else jobs.work * np.array(journeys.pace_s)[jobs.row]
    lasted_s = stays.by_job(stays.to_s - stays.from_s, jobs)
    done = np.where(jobs.ended, jobs.work, 0.0)
    np.divide(jobs.work * lasted_s, needs_s, where=jobs.started & ~jobs.ended, out=done)
    inside = np.zeros(len(jobs.chips))
    np.divide(stays.by_job(stays.chip_s, jobs), jobs.chips * lasted_s, where=lasted_s > 0, out=inside)
    counted = done * inside
    if journeys is not None and (journeys.done or journeys.before):
        share, before = by_row(journeys.done, jobs, math.nan), by_row(journeys.before, jobs, math.nan)
        done = np.where(np.isnan(share), done, share * jobs.work)
        counted = np.where(np.isnan(before), done * inside, done - before * jobs.work)
    chip_s = np.zeros(len(jobs.chips))
    np.divide(counted * planned_s * jobs.chips, jobs.work, where=jobs.started & (jobs.work > 0), out=chip_s)
    return Work(done, counted, chip_s)


def by_kind(jobs: Jobs, plant: Plant, of: Callable[[int, int, int], float]) -> Floats:
    """A figure of (class, pool, chips) for each job that has started, nan for others; shape (n_jobs,)."""
    pools, sizes = len(plant.pools), int(jobs.held_chips.max()) + 1
    kinds = np.where(jobs.started, (jobs.job_class * pools + jobs.pool) * sizes + jobs.held_chips, -1)
    found, kind = np.unique(kinds, return_inverse=True)
    values = [
        math.nan if one < 0 else of(one // sizes // pools, one // sizes % pools, one % sizes) for one in found.tolist()
    ]
    return np.array(values)[kind]


def by_row(values: Mapping[int, float], jobs: Jobs, default: float) -> Floats:
    """What is known of some rows of the record, as an array over the jobs; shape (n_jobs,)."""
    column = np.full(len(jobs.row), default)
    column[list(values)] = list(values.values())
    return column[jobs.row]


def planned_pace_s(jobs: Jobs, plant: Plant) -> Floats:
    """Seconds a unit of work at full speed, on the best seat of the pool where each job ran last; nan before.

    Shape (n_jobs,).
    """
    if not len(jobs.chips):
        return np.empty(0)
    if plant.network is not None:
        return by_kind(jobs, plant, plant.planned_pace_s)
    trains = np.array([plan.per_gang for plan in plant.plans])[jobs.job_class]
    of_chip = _of(plant, "pace_s", jobs.job_class, np.maximum(jobs.pool, 0))
    return np.where(jobs.started, of_chip / np.where(trains, jobs.chips, 1), np.nan)
