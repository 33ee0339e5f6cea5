"""Schedules known job by job: small ones worked by hand, and recorded ones where the data is at hand."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

LOG = """
name: golden
horizon: until-done
fleet: [{{pool: cpu, rack: plain, chips: {chips}}}]
workload: [{{class: log, kind: trace, format: swf, file: {file}}}]
policy: {policy}
"""
PRESETS = {"FIFO": "fifo", "SJF": "sjf", "FIFO-skip": "fifo-skip", "SJF-skip": "sjf-skip", "EASY": "easy"}

# Four processors; (submit, run, processors, request) a job, and the starts under EASY worked by hand.
BY_HAND = {
    "a job that would outlast the head's reservation waits": (
        [(1000, 100, 3, 100), (1001, 100, 4, 100), (1002, 500, 1, 500)],
        [1000, 1100, 1200],
    ),
    "a head starts as soon as a job ends before its request": (
        [(1000, 50, 3, 100), (1001, 100, 4, 100), (1300, 10, 1, 10)],
        [1000, 1050, 1300],
    ),
    "a long job may take the processors that the head leaves over": (
        [(1000, 100, 2, 100), (1001, 100, 3, 100), (1002, 500, 1, 500)],
        [1000, 1100, 1002],
    ),
    "all releases of the shadow instant count for what is left over": (
        [(1000, 100, 1, 100), (1000, 100, 1, 100), (1001, 100, 3, 100), (1002, 500, 1, 500)],
        [1000, 1000, 1100, 1002],
    ),
    "a job past its request counts as ending now": (
        [(0, 300, 3, 100), (1, 100, 4, 100), (150, 10, 1, 10), (160, 10, 1, 10)],
        [0, 300, 400, 400],
    ),
}


def swf(rows: list[tuple[int, int, int, int]]) -> str:
    lines = [
        f"{n} {s} -1 {run} {p} -1 -1 {p} {req} -1 1 0 0 -1 1 1 -1 -1" for n, (s, run, p, req) in enumerate(rows, 1)
    ]
    return "; made by hand\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize("case", BY_HAND)
def test_easy_matches_a_schedule_worked_by_hand(case, simulated, tmp_path):
    rows, starts = BY_HAND[case]
    (tmp_path / "log.swf").write_text(swf(rows))
    jobs, _ = simulated(LOG.format(chips=4, file="log.swf", policy="easy"))
    assert jobs.start_s[np.argsort(jobs.number)].tolist() == starts
    assert jobs.end_s[np.argsort(jobs.number)].tolist() == [at + row[1] for at, row in zip(starts, rows, strict=True)]


RECORDED = [
    *[("synth3k", schedule) for schedule in PRESETS],
    *[(f"mini_{case}", "EASY") for case in ("reservation", "early_end", "extra", "tie_extra")],
]


@pytest.mark.parametrize(("log", "schedule"), RECORDED)
def test_a_recorded_schedule_is_reproduced_start_by_start(log, schedule, data: Path, simulated):
    answer = data / "golden" / f"{log}_{schedule}.csv"
    golden = pl.read_csv(answer).sort("job_id")
    chips = 128 if log == "synth3k" else 4
    jobs, _ = simulated(LOG.format(chips=chips, file=data / "golden" / f"{log}.swf", policy=PRESETS[schedule]))
    order = np.argsort(jobs.number)
    assert jobs.number[order].tolist() == golden["job_id"].to_list()
    assert jobs.start_s[order].tolist() == golden["start"].to_list()
    assert jobs.end_s[order].tolist() == golden["end"].to_list()


def test_a_reserved_head_never_starts_later_than_first_promised(simulated, tmp_path):
    """One that needs the whole machine, with no run over its request: others pass, it still starts at 1,000."""
    passing = [(10 + at, 400, 1, 450 + at) for at in range(40)]
    (tmp_path / "log.swf").write_text(swf([(0, 1000, 3, 1000), (1, 50, 4, 50), *passing]))
    jobs, _ = simulated(LOG.format(chips=4, file="log.swf", policy="easy"))
    assert jobs.start_s[jobs.number == 2] == 1000
    assert (jobs.start_s[jobs.number > 2] < 1000).sum() >= 2, "nobody passed the head: the test shows nothing"
