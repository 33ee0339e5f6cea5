"""Jobs that can never start, jobs that are stopped for ever, and runs until done that never get done."""

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from scenarios.errors import ScenarioError
from sim.cli import main
from sim.standstill import STOPS_A_JOB, Standstill

# Sixteen busy chips of two racks draw 16.16 kW of IT, and two racks with idle ones 5.4 kW.
TWO_RACKS = """\
name: hot
horizon: HORIZON
site:
  feed: 17 kW
  temperature: 35 degC
  pue: {slope_per_degree: SLOPE, free_cooling_below: 18 degC}
fleet: [{pool: dgx, rack: dgx-h100, count: 2}]
workload:
  - {class: big, kind: synthetic, chips: 16, duration: 1 hour, arrivals: {per_hour: 1}, jobs: 3}
  - {class: small, kind: synthetic, chips: 1, duration: 10 min, arrivals: {per_hour: 1}, jobs: 20}
policy: {backfill: none}
"""
TAKE_TURNS = """\
name: turns
horizon: until-done
fleet: [{pool: p, rack: plain, chips: 1}]
workload:
  - {class: c, kind: synthetic, chips: 1, duration: 2 hours, arrivals: {per_hour: 100}, jobs: 2}
policy: gavel
failures: {checkpoint: {stall: 1 min}}
"""


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def megawatt(*words: str, text: str = TAKE_TURNS) -> Result:
    Path("s.yaml").write_text(text)
    return CliRunner().invoke(main, words, catch_exceptions=False)


def hot(site: str = "", horizon: str = "until-done", slope: str = "0.01") -> str:
    text = TWO_RACKS.replace("HORIZON", horizon).replace("SLOPE", slope)
    return text.replace("  feed: 17 kW\n  temperature: 35 degC\n", site) if site else text


def statuses(result) -> dict[str, set[str]]:
    jobs = result.jobs
    return {name: set(jobs.filter(pl.col("job_class") == name)["status"]) for name in ("big", "small")}


# what can never start


def test_what_constant_heat_never_lets_start_is_refused_as_what_a_constant_overhead_does_not(measured):
    steady = hot("  feed: 17 kW\n").replace("slope_per_degree: 0.01, free_cooling_below: 18 degC", "proportional: 0.17")
    for text in (hot(), steady):
        with pytest.raises(ScenarioError, match="big: no job of this class could ever start: draws more than the feed"):
            measured(text)
    assert statuses(measured(hot(slope="0.002"))[2])["big"] == {"completed"}


def test_what_no_later_phase_allows_is_rejected_when_that_phase_begins_and_blocks_nobody(measured):
    phases = "  phases: [{at: 0 s, cap: 30 kW}, {at: 40 min, cap: 14 kW}]\n  temperature: 10 degC\n"
    record, _, result = measured(hot(phases))
    assert statuses(result) == {"big": {"rejected"}, "small": {"completed"}}
    assert record.left_over is None
    assert any("3 jobs were rejected, of up to 16 chips: draws more than the feed" in text for text in result.warnings)


def test_what_a_later_phase_allows_waits_for_it(measured):
    phases = "  phases: [{at: 0 s, cap: 14 kW}, {at: 1 days, cap: 30 kW}]\n  temperature: 10 degC\n"
    result = measured(hot(phases))[2]
    assert statuses(result) == {"big": {"completed"}, "small": {"completed"}}
    assert result.jobs.filter(pl.col("job_class") == "big")["start_s"].min() >= 86400


def test_heat_that_ends_with_the_last_step_of_a_file_never_ends_in_a_run_until_done(measured, tmp_path):
    rows = "".join(f"2026-01-01T{hour:02}:00:00,{degrees}\n" for hour, degrees in [(0, 10), (1, 35), (2, 36)])
    Path("heat.csv").write_text(f"time,degrees\n{rows}")
    signal = f"{{file: {tmp_path}/heat.csv, column: degrees, unit: degC}}"
    site = f"  feed: 17 kW\n  temperature: {signal}\n"
    assert statuses(measured(hot(site))[2]) == {"big": {"rejected"}, "small": {"completed"}}


def test_what_waits_for_a_cool_hour_at_the_end_of_a_part_of_the_year_still_waits(measured):
    swing = "{synthetic: {mean: 20 degC, daily: 15 degC, peak_hour: 16}}"
    result = measured(hot(f"  feed: 17 kW\n  temperature: {swing}\n", horizon="20 hours"))[2]
    assert "rejected" not in statuses(result)["big"]


def test_a_job_that_only_one_pool_could_seat_is_rejected_when_that_pool_has_too_little_power(measured):
    # Eight chips fit into a rack of either pool, but plain ones are too few: only the feed of the other counts.
    fleet = "fleet: [{pool: few, rack: plain, chips: 4}, {pool: dgx, rack: dgx-h100, count: 2}]"
    phases = "  phases: [{at: 0 s, cap: 30 kW}, {at: 40 min, cap: 14 kW}]\n  temperature: 10 degC\n"
    text = hot(phases).replace("fleet: [{pool: dgx, rack: dgx-h100, count: 2}]", fleet)
    assert statuses(measured(text)[2]) == {"big": {"rejected"}, "small": {"completed"}}


# who takes turns and gets nowhere


def test_a_run_in_which_stops_keep_no_work_ends_with_a_message_and_is_saved():
    done = megawatt("run", "s.yaml", "--no-render", "--out", "out")
    assert done.exit_code == 3
    assert f"nobody gets on: {2 * STOPS_A_JOB} stops of 2 jobs in a row have kept no work" in done.stderr
    summary = json.loads(Path("out/summary.json").read_text())
    jobs = pl.read_parquet("out/jobs.parquet")
    assert summary["preemptions"] == jobs["preemptions"].sum() >= 2 * STOPS_A_JOB
    assert (summary["running_at_end_jobs"], summary["waiting_at_end_jobs"]) == (1, 1)
    assert megawatt("explain", "out").exit_code == 0


def test_with_a_horizon_it_is_a_warning_and_the_stops_are_in_the_table_without_any_power():
    done = megawatt("run", "s.yaml", "--no-render", "--out", "out", "--set", "horizon=20 days")
    assert done.exit_code == 0
    assert "stops             480 of running jobs" in done.stdout
    assert "warning: nobody gets on: " in done.stderr


def test_quiet_says_why_all_the_same():
    done = megawatt("run", "s.yaml", "--no-render", "--out", "out", "--quiet")
    assert (done.exit_code, done.stdout) == (3, "out\n")
    assert done.stderr.startswith("megawatt: until-done has no end: jobs that wait: 1, that run: 1")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("settings", "warned"),
    [
        ([], True),
        (["failures.checkpoint.stall=20 s"], False),  # within the grace
        (["failures.checkpoint.every=50 min"], False),  # of the 53 that a slice leaves
        (["failures.checkpoint={stall: 20 s}", "failures.restart=1 hour"], True),
        (["policy={preset: gavel, preemption: {time-slice: {slice: 2 hours}}}"], False),
        (["policy=tiresias"], True),
        (["policy={order: las, preemption: {order: {min_run: 20 min}}}"], True),
        (["policy=srtf"], False),  # who stops another is not stopped for it again
        (["policy={order: fifo, backfill: greedy, preemption: time-slice}"], False),
    ],
)
def test_validate_warns_where_a_turn_keeps_nothing(settings, warned):
    done = megawatt("validate", "s.yaml", *[word for setting in settings for word in ("--set", setting)])
    assert done.exit_code == 0
    assert ("jobs that take turns may never end" in done.stderr) == warned


class Runner:
    """A running gang, known by its row."""

    def __init__(self, row: int) -> None:
        self.run = self
        self.row = row


def test_others_may_be_stopped_for_long_while_one_goes_on():
    still = Standstill()
    for at in range(10 * STOPS_A_JOB):
        still.stop(at % 2, [Runner(7)])
        assert not still.lasts
    still.stop(0, [Runner(1)])
    assert still.lasts
    still.get_on()
    assert not still.lasts and still.stops == 0


# runs until done that are not


def test_a_run_until_done_that_leaves_jobs_says_how_many_and_why_and_is_saved():
    Path("mine.py").write_text(
        "from policies.view import Decisions\ndef mine(view, order, placer):\n    return Decisions()\n"
    )
    words = ["--set", "policy={backfill: 'mine.py:mine'}"]
    done = megawatt("run", "s.yaml", "--no-render", "--out", "out", *words)
    assert done.exit_code == 3
    assert "until-done has no end: jobs that wait: 2, that run: 0 (2 of c: held); nothing is to come" in done.stderr
    assert json.loads(Path("out/run.json").read_text())["warnings"][-1].startswith("until-done has no end")
