"""What holds of reclaim in every run, recounted from its saved stays: who is stopped, and who never waits in vain."""

import filecmp
import json
import tempfile
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from outputs.metrics import measure
from sim.cli import main
from sim.run import prepare
from sim.simulation import simulate

TEXT = """\
name: reclaim
horizon: until-done
fleet: [{{pool: p, rack: {rack}}}]
workload:
  - {{class: low, kind: trace, format: csv, file: low.csv}}
  - {{class: high, kind: trace, format: csv, file: high.csv, priority: 1}}
tenants:
{tenants}
policy: {{order: fifo, backfill: {backfill}, preemption: {preemption}}}
failures: {{restart: {restart} s, checkpoint: {{every: 40 s, stall: {stall} s}}}}
"""
CHIPS, NAMES = 16, "xyz"


class Entry(NamedTuple):
    """A tenant of the cohort: its quota, its rule and the parameters of it [s]."""

    nominal: int
    rule: str
    min_run_s: int
    grace_s: int

    @property
    def written(self):
        """The rule as a scenario writes it."""
        if self.rule == "never" or not self.nominal:
            return "never"
        return f"{{{self.rule}: {{min_run: {self.min_run_s} s, grace: {self.grace_s} s}}}}"


class Stay(NamedTuple):
    """A stay and what is known of its job."""

    job: str
    chips: int
    from_s: float
    to_s: float
    by: str | None
    tenant: str
    high: bool
    submit_s: float


RULES = st.sampled_from(["never", "lower-priority", "any"])
ENTRY = st.builds(Entry, st.just(0), RULES, st.sampled_from([0, 0, 15, 60]), st.sampled_from([30, 30, 4]))
JOB = st.tuples(st.integers(1, 8), st.integers(1, 200), st.sampled_from(NAMES), st.booleans())


@st.composite
def entries(draw):
    """The tenants; their quotas add up to the chips that there are."""
    first, second = sorted((draw(st.integers(0, CHIPS)), draw(st.integers(0, CHIPS))))
    parts = (first, second - first, CHIPS - second)
    return [draw(ENTRY)._replace(nominal=part) for part in parts]


def run(jobs, rules, **words):
    """The stays of a run over jobs of (chips, run time, tenant, whether of the high class), ten seconds apart."""
    submits = count(0, 10)
    rows = {"low": [], "high": []}
    every = [*jobs, *[(1, 1, name, high) for name in NAMES for high in (False, True)]]
    for submit_s, (chips, run_s, who, high) in zip(submits, every, strict=False):
        of_class = rows["high" if high else "low"]
        of_class.append(f"{len(of_class)},{submit_s},{chips},{run_s},{run_s},{who}")
    tenants = [
        f"  - {{tenant: {name}, cohort: main, quota: {{p: {rule.nominal}}}, reclaim: {rule.written}}}"
        for name, rule in zip(NAMES, rules, strict=True)
    ]
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in rows.items():
            head = "number,submit_s,chips,run_s,estimate_s,tenant\n"
            (Path(folder) / f"{name}.csv").write_text(head + "\n".join(lines) + "\n")
        path = Path(folder) / "reclaim.yaml"
        path.write_text(TEXT.format(tenants="\n".join(tenants), **words))
        scenario, plant, policy = prepare(path)
        result = measure(simulate(scenario, plant, policy, 0), plant, scenario)
    assert (result.jobs["status"] == "completed").all()
    of_job = result.jobs.select("job_id", "tenant", "submit_s")
    columns = "job_id", "chips", "from_s", "to_s", "stopped_by", "tenant", "submit_s"
    if result.stays is None:
        return []
    found = result.stays.join(of_job, on="job_id").select(columns).rows()
    return [Stay(*row[:6], row[0].startswith("high"), row[6]) for row in found]


def leaves_s(stay, stall, graces):
    """When a stay stops to work: when it was told to go where it was stopped, and could write a checkpoint."""
    if stay.by is None or stall == 0:
        return stay.to_s
    if stay.by == "policy":
        return stay.to_s - stall  # the 30 s of preemption are enough
    return min(stay.to_s - stall * (grace >= stall) for grace in graces)


SETUPS = {
    "backfill": st.sampled_from(["none", "greedy", "easy", "conservative", "max-min"]),
    "preemption": st.sampled_from(["none", "{priority: {min_run: 0 s}}", "{order: {min_run: 20 s}}"]),
    "restart": st.sampled_from([0, 25]),
}


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    jobs=st.lists(JOB, max_size=40),
    rules=entries(),
    stall=st.sampled_from([0, 20]),
    rack=st.sampled_from([f"plain, chips: {CHIPS}", "dgx-h100, count: 2"]),
    **SETUPS,
)
def test_nobody_is_stopped_who_does_not_borrow_and_each_keeps_its_quota(jobs, rules, stall, rack, **words):
    grace = rules[0].grace_s
    rules = [rule._replace(grace_s=grace) for rule in rules]
    nominal = dict(zip(NAMES, (rule.nominal for rule in rules), strict=True))
    stays = run(jobs, rules, stall=stall, rack=rack, **words)
    for stop in stays:
        if stop.by == "reclaim":
            told_s = leaves_s(stop, stall, [grace])
            stopped = [other for other in stays if other.tenant == stop.tenant and other.from_s <= told_s < other.to_s]
            left = sum(other.chips for other in stopped if leaves_s(other, stall, [grace]) > told_s)
            assert left >= nominal[stop.tenant]
            assert any(rule.rule != "never" for name, rule in zip(NAMES, rules, strict=True) if name != stop.tenant)
            assert told_s - stop.from_s >= min(rule.min_run_s for rule in rules if rule.rule != "never")
    for now_s in {stay.from_s for stay in stays}:  # the quotas are all lent, so that only their sum binds
        assert sum(stay.chips for stay in stays if stay.from_s <= now_s < stay.to_s) <= CHIPS


def waiting(stays, now_s):
    """The jobs that wait after an instant, in the order of the queue, each as one of its stays."""
    running = {stay.job for stay in stays if stay.from_s <= now_s < stay.to_s}
    later = {stay.job: stay for stay in stays if stay.submit_s <= now_s < stay.to_s and stay.job not in running}
    return sorted(later.values(), key=lambda stay: stay.submit_s)


def first_in_line(lined_up, room, backfill):
    """Of a tenant's jobs that wait those that are within its quota and that no other of it holds up."""
    if backfill == "none":
        lined_up = lined_up[:1]
    within = [job for job in lined_up if job.chips <= room]
    return within if backfill in ("greedy", "max-min") else within[:1]


@settings(derandomize=True, deadline=None, max_examples=150)
@given(jobs=st.lists(JOB, min_size=5, max_size=40), rules=entries(), stall=st.sampled_from([0, 20]), **SETUPS)
def test_who_waits_within_its_quota_waits_for_no_borrower_that_may_be_stopped(jobs, rules, stall, backfill, **words):
    stays = run(jobs, rules, stall=stall, rack=f"plain, chips: {CHIPS}", backfill=backfill, **words)
    entry = dict(zip(NAMES, rules, strict=True))
    ready = {stay.from_s + rule.min_run_s for stay in stays for rule in rules}
    for now_s in sorted({time_s for stay in stays for time_s in (stay.from_s, stay.to_s, stay.submit_s)} | ready):
        here = [stay for stay in stays if stay.from_s <= now_s < stay.to_s]
        graces = [rule.grace_s for rule in rules]
        if any(leaves_s(stay, stall, graces) <= now_s for stay in here):
            continue  # stops are under way; whoever still waits is looked at when they are over
        used = {name: sum(stay.chips for stay in here if stay.tenant == name) for name in NAMES}
        free = CHIPS - sum(used.values())
        for name, rule in entry.items():
            lined_up = [job for job in waiting(stays, now_s) if job.tenant == name]
            for job in first_in_line(lined_up, rule.nominal - used[name], backfill) if rule.written != "never" else ():
                assert free < job.chips, (now_s, job)
                for gang in here:
                    spare = used[gang.tenant] - entry[gang.tenant].nominal
                    lower = rule.rule == "any" or (job.high and not gang.high)
                    if gang.tenant != name and gang.chips <= spare and lower and now_s >= gang.from_s + rule.min_run_s:
                        assert free + gang.chips < job.chips, (now_s, job, gang)


DAYS = """\
name: reclaim
horizon: 4 days
warmup: 1 day
fleet: [{{pool: a, rack: dgx-h100, count: 4}}, {{pool: t, rack: trn2-48xl, count: 1}}]
site: {{feed: 60 kW, curtailment: [{{at: 2 days, for: 3 hours, to: 25 kW}}]}}
workload:
  - {{class: small, kind: synthetic, chips: {{choice: [1, 2, 4]}}, arrivals: {{per_hour: 6}},
     duration: {{lognormal: {{median: 1 hour, sigma: 1}}}}, tenant: {{choice: {{x: 0.6, y: 0.4}}}}}}
  - {{class: large, kind: synthetic, chips: {{choice: [4, 8, 12]}}, arrivals: {{per_hour: 0.5}}, priority: 1,
     duration: {{lognormal: {{median: 2 hours, sigma: 1}}}}, tenant: {{choice: {{x: 0.4, y: 0.6}}}},
     malleable: {{from: 2, to: 24, efficiency: 0.9}}}}
tenants:
  - {{tenant: x, cohort: main, quota: {{a: 12, t: 8}}, lend: 8, reclaim: lower-priority}}
  - {{tenant: y, cohort: main, quota: {{a: 20, t: 8}}, borrow: 10, reclaim: {{any: {{min_run: 5 min}}}}}}
policy: {{backfill: {backfill}, preemption: {preemption}, scaling: {scaling}}}
"""


@pytest.mark.parametrize(
    ("backfill", "preemption", "scaling"),
    [("easy", "none", "none"), ("greedy", "priority", "elastic"), ("conservative", "order", "none")],
)
def test_the_resolved_copy_gives_the_same_bytes(backfill, preemption, scaling, tmp_path):
    path, folders = tmp_path / "reclaim.yaml", []
    path.write_text(DAYS.format(backfill=backfill, preemption=preemption, scaling=scaling))
    for out in ("first", "again"):
        folders.append(tmp_path / out)
        words = ["run", str(path), "--quiet", "--no-render", "--out", str(folders[-1])]
        done = CliRunner().invoke(main, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        path = folders[-1] / "scenario.yaml"
    assert json.loads((folders[0] / "summary.json").read_text())["reclaims"] > 0
    names = sorted({path.name for path in folders[0].iterdir()} - {"run.json"})
    assert filecmp.cmpfiles(*folders, names, shallow=False) == (names, [], [])
