"""A log in tenths or in milliseconds is scheduled as the same log in whole seconds, and as integers say.

The reference counts processors in whole units of time and knows no floats. tests/benchmarks/decimal_times.py compares
20,000 jobs in this way.
"""

import math

import numpy as np
import pytest

from outputs.jobs import job_columns
from scenarios.jobs import BATCH_JOBS
from sim.run import prepare
from sim.simulation import simulate

CHIPS = 16
UNITS = {"s": 1, "tenths": 10, "ms": 1000}
BACKFILLS = ["none", "greedy", "easy", "{conservative: {depth: all}}"]
STOPS = [
    "order: srtf, preemption: {order: {min_run: MIN, grace: GRACE}}",
    "order: {las: {thresholds: [SERVICE]}}, backfill: greedy, preemption: {order: {min_run: MIN, grace: 0 s}}",
    "order: priority, preemption: {priority: {min_run: MIN, grace: GRACE}}",
]
SCENARIO = """
name: decimal
horizon: until-done
fleet: [{{pool: p, rack: plain, chips: 16}}]
workload:
  - {{class: a, kind: trace, format: csv, file: a.csv}}
  - {{class: b, kind: trace, format: csv, file: b.csv, priority: 1}}
policy: {{{policy}}}
failures: {{restart: {restart} s, checkpoint: {{every: {every} s, stall: {stall} s}}}}
"""


def drawn(count, seed):
    """Jobs (submit, processors, run, asked) in whole units; short ones, so that many instants coincide."""
    rng = np.random.default_rng(seed)
    submit = np.cumsum(rng.integers(0, 13, count))
    run = rng.integers(1, 41, count)
    procs = rng.choice([1, 2, 4, 8, 16], count, p=[0.4, 0.2, 0.2, 0.15, 0.05])
    return np.stack([submit, procs, run, run * rng.choice([1, 1, 2, 5], count)], axis=1).tolist()


def decimal(units, a_second):
    """Whole units as the decimal text of seconds."""
    if a_second == 1:
        return str(units)
    digits = round(math.log10(a_second))
    return f"{units // a_second}.{units % a_second:0{digits}d}"


def starts(folder, jobs, policy, a_second):
    """The start of each job in whole units, by megawatt."""

    def seconds(units):
        return decimal(units, a_second)

    for name, first in (("a", 0), ("b", 1)):
        rows = [
            f"{number},{seconds(submit)},{procs},{seconds(run)},{seconds(asked)}"
            for number, (submit, procs, run, asked) in enumerate(jobs)
            if number % 2 == first
        ]
        (folder / f"{name}.csv").write_text("\n".join(["number,submit_s,chips,run_s,estimate_s", *rows]))
    for word, units in (("MIN", 7), ("GRACE", 2), ("SERVICE", 60)):
        policy = policy.replace(word, f"{seconds(units)} s")
    times = {"restart": seconds(3), "every": seconds(11), "stall": seconds(2)}
    (folder / "s.yaml").write_text(SCENARIO.format(policy=policy, **times))
    scenario, plant, built = prepare(folder / "s.yaml")
    record = simulate(scenario, plant, built, 0)
    columns = job_columns(record)
    by_number = columns.start_s[np.argsort(columns.number)]
    ends = columns.end_s[np.argsort(columns.number)]
    return np.round(by_number * a_second).astype(int).tolist(), np.round(ends * a_second).astype(int).tolist()


class Reference:
    """Strict order, greedy, EASY and conservative backfill on processors, in whole numbers."""

    def __init__(self, jobs, backfill):
        self.jobs = jobs
        self.free = CHIPS
        self.running = {}  # row: planned end
        self.waiting = []
        self.reserved = {}
        self.starts = {}
        self.decide = {"none": self.none, "greedy": self.greedy, "easy": self.easy}.get(backfill, self.conservative)

    def run(self):
        arrivals, ends = list(enumerate(self.jobs)), {}
        while arrivals or self.waiting or ends:
            now = min([job[0] for _, job in arrivals[:1]] + list(ends.values()))
            for row in [row for row, end in ends.items() if end == now]:
                del ends[row], self.running[row]
                self.free += self.jobs[row][1]
            while arrivals and arrivals[0][1][0] == now:
                self.waiting.append(arrivals.pop(0)[0])
            self.waiting.sort(key=self.place)
            for row in self.decide(now):
                ends[row] = now + self.jobs[row][2]
        return [self.starts[row] for row in range(len(self.jobs))]

    def place(self, row):
        """By submission; of one instant class by class, as far as they came in the same batch of jobs."""
        return self.jobs[row][0], row // 2 // BATCH_JOBS, row % 2, row

    def start(self, row, now):
        self.waiting.remove(row)
        self.free -= self.jobs[row][1]
        self.starts[row] = now
        self.running[row] = now + self.jobs[row][3]
        return row

    def none(self, now):
        started = []
        while self.waiting and self.jobs[self.waiting[0]][1] <= self.free:
            started.append(self.start(self.waiting[0], now))
        return started

    def greedy(self, now):
        return [self.start(row, now) for row in list(self.waiting) if self.jobs[row][1] <= self.free]

    def easy(self, now):
        started = self.none(now)
        if not self.waiting:
            return started
        head, *others = self.waiting
        left, shadow = self.free, now
        for end, row in sorted((end, row) for row, end in self.running.items()):
            if left >= self.jobs[head][1] and end > shadow:
                break
            left, shadow = left + self.jobs[row][1], end
        extra = left - self.jobs[head][1]
        for row in others:
            procs, asked = self.jobs[row][1], self.jobs[row][3]
            if procs > self.free or (now + asked > shadow and procs > extra):
                continue
            extra -= procs * (now + asked > shadow)
            started.append(self.start(row, now))
        return started

    def conservative(self, now):
        moved = True
        while moved:
            moved = False
            for row in self.waiting:
                was = self.reserved.pop(row, None)
                if was is not None:
                    self.reserved[row] = self.earliest(row, now)
                    moved = moved or self.reserved[row] != was
        for row in self.waiting:
            if row not in self.reserved:
                self.reserved[row] = self.earliest(row, now)
        due = [row for row in self.waiting if self.reserved[row] == now]
        for row in due:
            del self.reserved[row]
            self.start(row, now)
        return due

    def earliest(self, row, now):
        spans = [(now, end, self.jobs[other][1]) for other, end in self.running.items()]
        spans += [(at, at + self.jobs[other][3], self.jobs[other][1]) for other, at in self.reserved.items()]
        _, procs, _, asked = self.jobs[row]
        for start in sorted({now, *(end for _, end, _ in spans)}):
            edges = [start, *(begin for begin, _, _ in spans if start < begin < start + asked)]
            held = [sum(chips for begin, end, chips in spans if begin <= edge < end) for edge in edges]
            if max(held) + procs <= CHIPS:
                return start
        raise AssertionError("at the end of all spans everything is free")


@pytest.mark.parametrize("backfill", BACKFILLS)
def test_decimal_logs_start_where_a_reference_in_whole_numbers_starts_them(tmp_path, backfill):
    jobs = drawn(400, seed=1)
    expected = Reference(jobs, backfill).run()
    for a_second in UNITS.values():
        assert starts(tmp_path, jobs, f"backfill: {backfill}", a_second)[0] == expected


@pytest.mark.parametrize("stops", STOPS)
def test_decimal_logs_are_stopped_as_those_in_whole_seconds_are(tmp_path, stops):
    jobs = drawn(400, seed=2)
    expected = starts(tmp_path, jobs, stops, 1)
    for a_second in (10, 1000):
        assert starts(tmp_path, jobs, stops, a_second) == expected


def test_an_end_and_an_arrival_at_one_decimal_instant_are_one_instant(tmp_path):
    jobs = [[11, 8, 22, 22], [12, 16, 5, 5], [33, 8, 3, 3]]  # 1.1 + 2.2 as floats is after 3.3
    assert starts(tmp_path, jobs, "backfill: greedy", 10)[0] == Reference(jobs, "greedy").run() == [11, 33, 38]
