"""Preemption on one plain pool, stay by stay, against a brute force that sorts and adds up everybody anew."""

import math
from bisect import bisect_right
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outputs.metrics import measure
from sim.run import prepare
from sim.simulation import simulate

CHIPS = 8
QUEUES_CHIP_S = (100, 400)
SCENARIO = """
name: reference
horizon: until-done
fleet: [{{pool: p, rack: plain, chips: 8}}]
workload: [{classes}]
policy: {{order: {order}, backfill: {backfill}, preemption: {{{kind}: {stops}}}}}
failures: {{restart: {restart} s, checkpoint: {{every: {every} s, stall: {stall} s}}}}
"""
CLASS = "{{class: c{at}, kind: trace, format: csv, file: c{at}.csv, priority: {at}}}"


@dataclass(eq=False)
class Job:
    """A job that waits or runs; what it has behind it is that of its earlier stays."""

    row: int
    priority: int
    submit_s: float
    chips: int
    run_s: float
    asked_s: float
    left_s: float  # of what it asked for
    done_s: float = 0
    held_s: float = 0
    first_s: float = math.inf
    stopped: bool = False
    from_s: float = 0
    halted_s: float | None = None


ORDERS = {
    "fifo": lambda job: job.submit_s,
    "sjf": lambda job: job.asked_s,
    "srtf": lambda job: job.left_s,
    "smallest-first": lambda job: job.chips,
    "priority": lambda job: -job.priority,
    "{las: {thresholds: [100 s, 400 s]}}": lambda job: (
        bisect_right(QUEUES_CHIP_S, job.chips * job.held_s),
        job.first_s,
    ),
}


@dataclass
class Claim:
    """A job that gets its chips when the gangs that stop for it have written."""

    job: Job
    stops: list[Job]
    due_s: float


@dataclass
class BruteForce:
    """All that happens, with nothing kept sorted and nothing remembered."""

    ahead: list[Job]
    order: str
    backfill: str
    kind: str
    min_run_s: float
    grace_s: float
    slice_s: float
    stall_s: float
    every_s: float
    restart_s: float
    now_s: float = 0
    waiting: list[Job] = field(default_factory=list)
    running: list[Job] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    stays: list[tuple] = field(default_factory=list)

    def play(self):
        while self.ahead or self.running:
            self.now_s = min(self.times())
            self.end_due()
            for claim in [claim for claim in self.claims if claim.due_s <= self.now_s]:
                self.finish(claim)
            self.waiting += [job for job in self.ahead if job.submit_s <= self.now_s]
            self.ahead = [job for job in self.ahead if job.submit_s > self.now_s]
            again = True
            while again:
                began = self.start()
                claimed = self.claim(began)
                again = self.end_due() or claimed or (began and not self.min_run_s)
        return sorted(self.stays, key=lambda stay: stay[:3])

    def times(self):
        yield from [job.submit_s for job in self.ahead]
        yield from [self.ends_s(job) for job in self.running if job.halted_s is None]
        yield from [claim.due_s for claim in self.claims]
        yield from [job.from_s + self.min_run_s for job in self.running if job.from_s + self.min_run_s > self.now_s]
        if self.waiting:
            yield (self.now_s // self.slice_s + 1) * self.slice_s

    def restarts_s(self, job):
        return self.restart_s if job.stopped else 0

    def ends_s(self, job):
        return job.from_s + self.restarts_s(job) + job.run_s - job.done_s

    def worked_s(self, job):
        until_s = self.now_s if job.halted_s is None else job.halted_s
        return max(0, until_s - job.from_s - self.restarts_s(job))

    def kept_s(self, worked_s):
        return worked_s if self.grace_s >= self.stall_s else worked_s // self.every_s * self.every_s

    def after(self, job, worked_s):
        """A running job as it waits after a stop that leaves so much of this stay."""
        return replace(
            job,
            left_s=max(0, job.left_s - worked_s),
            done_s=job.done_s + worked_s,
            held_s=job.held_s + self.now_s - job.from_s,
            first_s=min(job.first_s, job.from_s),
            stopped=True,
            halted_s=None,
        )

    def key(self, job):
        return ORDERS[self.order](job), job.submit_s, job.row

    def rank(self, job):
        return (-job.priority,) if self.kind == "priority" else self.key(job)

    def rank_running(self, job):
        return self.rank(self.after(job, self.worked_s(job)))

    def write_s(self):
        return self.stall_s if self.grace_s >= self.stall_s else 0

    def cost(self, job):
        worked_s = self.worked_s(job)
        return job.chips * (worked_s - self.kept_s(worked_s) + self.write_s() + self.restart_s)

    def missing(self):
        """Chips that claims need beyond those of the gangs that stop for them."""
        return sum(claim.job.chips - sum(job.chips for job in claim.stops) for claim in self.claims)

    def free(self):
        return CHIPS - max(0, self.missing()) - sum(job.chips for job in self.running)

    def end_due(self):
        due = [job for job in self.running if job.halted_s is None and self.ends_s(job) <= self.now_s]
        for job in due:
            self.running.remove(job)
            self.stays.append((job.row, job.from_s, self.now_s, 0, None))
        return due

    def finish(self, claim):
        self.claims.remove(claim)
        for job in claim.stops:
            self.running.remove(job)
            worked_s = self.worked_s(job)
            kept_s = self.kept_s(worked_s)
            self.stays.append((job.row, job.from_s, self.now_s, worked_s - kept_s, "policy"))
            self.waiting.append(self.after(job, kept_s))
        claim.job.from_s = self.now_s
        self.running.append(claim.job)

    def start(self):
        began = []
        for job in sorted(self.waiting, key=self.key):
            if job.chips <= self.free():
                self.waiting.remove(job)
                job.from_s = self.now_s
                self.running.append(job)
                began.append(job)
            elif self.backfill == "none":
                break
        return began

    def claim(self, began):
        if self.kind == "time-slice" and self.now_s % self.slice_s:
            return False
        free = self.free() + max(0, -self.missing())  # when the writes under way are over
        stopping = [gang for claim in self.claims for gang in claim.stops]
        for job in sorted(self.waiting, key=self.key):
            stops = self.stops_for(job, began, free)
            outranks = all(self.rank_running(gang) > self.rank(job) for gang in stopping)
            if stops or (self.claims and outranks and job.chips <= free):
                self.waiting.remove(job)
                for gang in stops:
                    gang.halted_s = self.now_s
                due_s = self.now_s + self.write_s() if stops else self.claims[-1].due_s
                self.claims.append(Claim(job, stops, due_s))
                if not self.write_s():
                    self.finish(self.claims[-1])
                return True
            if self.backfill == "none":
                break
        return False

    def stops_for(self, job, began, free):
        gangs = [gang for gang in self.running if gang.halted_s is None and gang not in began]
        gangs = [gang for gang in gangs if self.now_s >= gang.from_s + self.min_run_s]
        gangs = [gang for gang in gangs if self.rank_running(gang) > self.rank(job)]
        if self.kind == "priority":
            gangs.sort(key=lambda gang: (self.rank(gang), -self.cost(gang), gang.row), reverse=True)
        else:
            gangs.sort(key=self.rank_running, reverse=True)
        missing, chosen = job.chips - free, []
        while gangs and missing > sum(gang.chips for gang in chosen):
            chosen.append(gangs.pop(0))
        if missing > sum(gang.chips for gang in chosen):
            return []
        for gang in chosen[::-1]:
            if missing <= sum(other.chips for other in chosen) - gang.chips:
                chosen.remove(gang)
        return chosen


JOBS = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 400),
        st.integers(1, CHIPS),
        st.sampled_from([0, 1, 5, 20, 50, 100, 300]),
        st.sampled_from([1, 7, 50, 100, 300]),
    ),
    min_size=2,
    max_size=20,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    rows=JOBS,
    order=st.sampled_from(sorted(ORDERS)),
    backfill=st.sampled_from(["none", "greedy"]),
    kind=st.sampled_from(["priority", "order", "time-slice"]),
    min_run_s=st.sampled_from([0, 10, 60]),
    grace_s=st.sampled_from([0, 4, 30]),
    slice_s=st.sampled_from([7, 50, 100]),
    stall_s=st.sampled_from([0, 3, 20]),
    every_s=st.sampled_from([7, 40]),
    restart_s=st.sampled_from([0, 7, 30]),
)
def test_stays_are_those_of_a_brute_force(tmp_path_factory, rows, order, backfill, kind, **times):
    if kind == "order" and "las" in order:
        kind = "time-slice"  # nobody looks when a gang passes a threshold, but at the ends of slices
    folder = tmp_path_factory.mktemp("reference")
    rows = sorted(rows)  # by class, as the simulator numbers them
    jobs = [Job(row, *values, left_s=values[-1]) for row, values in enumerate(rows)]
    classes = sorted({job.priority for job in jobs})
    for at in classes:
        lines = [
            f"{job.row},{job.submit_s},{job.chips},{job.run_s},{job.asked_s}\n" for job in jobs if job.priority == at
        ]
        (folder / f"c{at}.csv").write_text("number,submit_s,chips,run_s,estimate_s\n" + "".join(lines))
    names = ["min_run", "grace"] + ["slice"] * (kind == "time-slice")
    stops = "{" + ", ".join([f"{name}: {times[name + '_s']} s" for name in names]) + "}"
    (folder / "scenario.yaml").write_text(
        SCENARIO.format(
            classes=", ".join([CLASS.format(at=at) for at in classes]),
            **{"order": order, "backfill": backfill, "kind": kind, "stops": stops},
            **{name: times[name + "_s"] for name in ("restart", "every", "stall")},
        )
    )
    scenario, plant, policy = prepare(folder / "scenario.yaml")
    record = simulate(scenario, plant, policy, 0)
    columns = measure(record, plant, scenario).stays.select("job_id", "from_s", "to_s", "lost_s", "stopped_by")
    found = sorted([(int(job_id[3:]), *rest) for job_id, *rest in columns.rows()], key=lambda stay: stay[:3])
    expected = BruteForce(jobs, order, backfill, kind, **times).play()
    assert [stay[:3] + stay[4:] for stay in found] == [stay[:3] + stay[4:] for stay in expected]
    assert [stay[3] for stay in found] == pytest.approx([stay[3] for stay in expected])
    assert record.end_time_s == max(stay[2] for stay in expected)
