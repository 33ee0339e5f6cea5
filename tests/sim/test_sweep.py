"""Sweeps: paired runs, the same bytes in any order and after any interruption, failures that stay alone."""

import json
import random
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from outputs import sweep_folder
from outputs.sweep_folder import sweep_of
from policies.presets import PRESETS
from scenarios.design import axis, zipped
from scenarios.errors import ScenarioError
from scenarios.sweep_file import Asked, Until, find_sweep, policies_axis, read_sweep
from sim.cli import main
from sim.planning import plan
from sim.run import prepare
from sim.runs import Place, Progress
from sim.simulation import simulate
from sim.sweep import sweep
from sim.work import Bench

RATE = "workload.w.arrivals.per_hour"


class Here:
    """Does the runs in this process, in an order of its own; can stop after some of them as a crash would."""

    def __init__(self, scenario, desk, shuffle=None, crash_after=None):
        self._bench = Bench(scenario, desk)
        self._shuffle, self._left = shuffle, crash_after
        self.done = 0

    def run(self, tasks):
        tasks = list(tasks)
        if self._shuffle is not None:
            random.Random(self._shuffle).shuffle(tasks)
        for task in tasks:
            if self._left is not None and self.done == self._left:
                raise KeyboardInterrupt
            self.done += 1
            yield [self._bench.run(task)]

    def close(self):
        pass


class Told(Progress):
    """Keeps what it is told."""

    def __init__(self):
        self.warnings, self.starts, self.ends = [], [], 0

    def start(self, runs, done):
        self.starts.append((runs, done))

    def ended(self, task, outcome):
        self.ends += 1

    def warn(self, text):
        self.warnings.append(text)


def asked(scenario, *axes, **more):
    return Asked(scenario, axes=axes, **{"replications": 3, **more})


def swept(what, folder, resume=False, told=None, **how):
    told = told or Told()
    return sweep(plan(what, told.warn), partial(Here, **how), Place(folder, resume), lambda _: None, told)


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_replications_have_the_seeds_of_the_scenario_onward_and_every_point_the_same(queue_file, tmp_path):
    folder = swept(asked(queue_file, policies_axis(["fifo", "sjf"], ""), axis(RATE, "2,3", "")), tmp_path / "s")
    runs = sweep_of(folder).runs
    assert runs.columns[:6] == ["policy", RATE, "replication", "seed", "status", "error"]
    assert runs["policy"].to_list() == ["fifo"] * 6 + ["sjf"] * 6
    assert runs[RATE].to_list() == [2.0, 2.0, 2.0, 3.0, 3.0, 3.0] * 2
    assert runs["seed"].to_list() == [3, 4, 5] * 4
    # the jobs of a seed are the same under both policies
    assert runs["submitted_jobs"].to_list()[:6] == runs["submitted_jobs"].to_list()[6:]
    assert runs["wait_mean_s"].to_list()[3:6] != runs["wait_mean_s"].to_list()[9:]


def test_a_row_of_a_sweep_is_the_run_with_its_seed(queue_file, tmp_path):
    folder = swept(asked(queue_file, policies_axis(["sjf"], "")), tmp_path / "s")
    row = sweep_of(folder).runs.row(1, named=True)
    made = CliRunner().invoke(
        main, ["run", str(queue_file), "--policy", "sjf", "--seed", "4", "--no-render", "--out", str(tmp_path / "r")]
    )
    assert made.exit_code == 0, made.output
    summary = json.loads((tmp_path / "r" / "summary.json").read_text())
    assert {name: row[name] for name in summary} == summary


def test_a_finished_folder_holds_its_files_and_nothing_else(queue_file, tmp_path):
    folder = swept(asked(queue_file), tmp_path / "s")
    assert sorted(content(folder)) == ["runs.parquet", "scenario.yaml", "sweep.json"]
    run, plant, policy = prepare(folder / "scenario.yaml")
    assert simulate(run, plant, policy, 3).end_time_s == 4 * 86_400


@pytest.mark.parametrize("shuffle", [1, 2, 3])
def test_the_order_in_which_runs_end_changes_no_byte(queue_file, tmp_path, shuffle):
    what = asked(queue_file, policies_axis(["fifo", "srtf"], ""), axis(RATE, "2,3,oops", ""))
    straight = swept(what, tmp_path / "a")
    assert content(swept(what, tmp_path / "b", shuffle=shuffle)) == content(straight)


@pytest.mark.parametrize("crash_after", range(7))
def test_a_sweep_that_was_interrupted_goes_on_where_it_was(queue_file, tmp_path, crash_after):
    what = asked(queue_file, policies_axis(["fifo", "sjf"], ""))
    straight = swept(what, tmp_path / "a")
    if crash_after < 6:
        with pytest.raises(KeyboardInterrupt):
            swept(what, tmp_path / "b", crash_after=crash_after, shuffle=9)
    told = Told()
    folder = swept(what, tmp_path / "b", resume=True, told=told)
    assert told.starts == [(6, crash_after % 6)]
    assert told.ends == 6 - crash_after % 6
    assert content(folder) == content(straight)


def test_a_sweep_that_is_finished_is_left_alone(queue_file, tmp_path):
    what = asked(queue_file)
    before = content(swept(what, tmp_path / "a"))
    told = Told()
    assert content(swept(what, tmp_path / "a", resume=True, told=told)) == before
    assert told.starts == []


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("step", range(12))
def test_a_crash_while_the_folder_is_finished_loses_nothing(queue_file, tmp_path, step, monkeypatch):
    what = asked(queue_file, policies_axis(["fifo", "sjf"], ""))

    def draw(folder):
        (folder / "comparison.csv").write_text("a\n")
        (folder / "picture.png").write_text("b\n")

    def finished(folder, resume):
        told = Told()
        return sweep(plan(what, told.warn), Here, Place(folder, resume), draw, told)

    straight = finished(tmp_path / "a", False)
    left = step

    def stepping(own):
        def run(*arguments, **more):
            nonlocal left
            if left == 0:
                left = -1
                raise Crash
            left -= 1
            return own(*arguments, **more)

        return run

    with monkeypatch.context() as patch:
        patch.setattr(sweep_folder, "_synced", stepping(sweep_folder._synced))
        patch.setattr(sweep_folder.shutil, "rmtree", stepping(sweep_folder.shutil.rmtree))
        patch.setattr(Path, "replace", stepping(Path.replace))
        patch.setattr(Path, "unlink", stepping(Path.unlink))
        with pytest.raises(Crash):
            finished(tmp_path / "b", False)
        assert left == -1
    assert content(finished(tmp_path / "b", True)) == content(straight)


def test_runs_that_fail_are_told_with_their_error_and_the_others_count(queue_file, tmp_path):
    told = Told()
    folder = swept(asked(queue_file, axis(RATE, "2,-1,3", "")), tmp_path / "s", told=told)
    assert len(told.warnings) == 1
    assert "--vary workload.w.arrivals.per_hour=-1" in told.warnings[0]
    runs = sweep_of(folder).runs
    assert runs["status"].to_list() == ["done"] * 3 + ["failed"] * 3 + ["done"] * 3
    assert "found -1" in runs["error"].to_list()[3]
    assert runs["wait_mean_s"].null_count() == 3


def test_a_plug_in_that_raises_in_some_runs_takes_only_those(queue_file, tmp_path):
    (tmp_path / "mine.py").write_text(
        "def mine(job):\n"
        "    if job.submit_s > 4 * 86400 - 900:\n"
        "        raise ValueError('too late')\n"
        "    return job.submit_s\n"
    )
    policies = policies_axis(["fifo", f"order={tmp_path / 'mine.py'}:mine"], "")
    runs = sweep_of(swept(asked(queue_file, policies), tmp_path / "s")).runs
    assert runs["status"].to_list()[:3] == ["done"] * 3
    assert set(runs["status"].to_list()[3:]) == {"done", "failed"}
    assert "too late" in runs.filter(pl.col("status") == "failed")["error"][0]


def test_files_are_read_as_they_were_when_the_sweep_began(queue_file, tmp_path):
    what = asked(queue_file, axis(RATE, "2,3", ""))
    straight = swept(what, tmp_path / "a")

    class Editing(Here):
        def run(self, tasks):
            for outcomes in super().run(tasks):
                queue_file.write_text("name: [")
                yield outcomes

    told = Told()
    folder = sweep(plan(what, told.warn), Editing, Place(tmp_path / "b"), lambda _: None, told)
    assert content(folder) == content(straight)


def test_going_on_with_another_sweep_is_refused(queue_file, tmp_path):
    what = asked(queue_file, axis(RATE, "2,3", ""))
    with pytest.raises(KeyboardInterrupt):
        swept(what, tmp_path / "s", crash_after=1)
    with pytest.raises(ScenarioError, match=r"begun otherwise .*the values differ"):
        swept(asked(queue_file, axis(RATE, "2,4", "")), tmp_path / "s", resume=True)
    with pytest.raises(ScenarioError, match=r"replications: it was 3, now it is 4"):
        swept(asked(queue_file, axis(RATE, "2,3", ""), replications=4), tmp_path / "s", resume=True)
    text = queue_file.read_text()
    queue_file.write_text(text.replace("4 days", "5 days"))
    with pytest.raises(ScenarioError, match="the scenario or a file that it names has changed"):
        swept(what, tmp_path / "s", resume=True)
    queue_file.write_text(text)
    assert sweep_of(swept(what, tmp_path / "s", resume=True)).runs.height == 6


def test_until_goes_on_in_batches_until_every_mean_is_known_well_enough(queue_file, tmp_path):
    policies = policies_axis(["fifo", "sjf"], "")
    loose = asked(queue_file, policies, until=Until(1.5, 4, 40), metrics=("wait_mean_s",))
    assert sweep_of(swept(loose, tmp_path / "a")).runs.height == 2 * 4
    told = Told()
    tight = asked(queue_file, policies, until=Until(0.15, 4, 200), metrics=("wait_mean_s",))
    found = sweep_of(swept(tight, tmp_path / "b", told=told))
    replications = found.runs.height // 2
    assert replications % 4 == 0
    assert 8 <= replications < 200
    assert told.starts[-1] == (2 * replications, 2 * (replications - 4))
    for (_,), runs in found.runs.group_by("policy"):
        waits = runs["wait_mean_s"]
        half = 1.96 * waits.std() / len(waits) ** 0.5  # below the half-width by Student's t
        assert half <= 0.15 * waits.mean()
    few = swept(asked(queue_file, policies, until=Until(0.0001, 4, 6)), tmp_path / "c", told=told)
    assert sweep_of(few).runs.height == 2 * 6
    assert "after 6 replications some means are not known" in told.warnings[-1]


def test_until_gives_the_same_bytes_after_an_interruption(queue_file, tmp_path):
    what = asked(queue_file, policies_axis(["fifo", "sjf"], ""), until=Until(0.3, 3, 30), metrics=("wait_mean_s",))
    straight = swept(what, tmp_path / "a")
    count = sweep_of(straight).runs.height
    assert count > 6
    with pytest.raises(KeyboardInterrupt):
        swept(what, tmp_path / "b", crash_after=7, shuffle=1)
    assert content(swept(what, tmp_path / "b", resume=True)) == content(straight)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ({"axes": (axis("seed", "1,2", ""),)}, "seed: cannot be varied"),
        ({"axes": (axis("workload.x.chips", "1,2", ""),)}, "nothing is named 'x'"),
        ({"axes": (axis("horizn", "1 day,2 days", ""),)}, "unknown key; did you mean 'horizon'"),
        ({"settings": (("horizon=no", "--set"),)}, "--set horizon=no"),
        ({"axes": (policies_axis(["fifo", "easi"], ""),)}, "unknown policy 'easi'; did you mean 'easy'"),
    ],
)
def test_what_makes_every_run_fail_is_said_before_anything_runs(queue_file, what, said):
    with pytest.raises(ScenarioError, match=said):
        plan(Asked(queue_file, **what), lambda _: None)


def test_zipped_keys_are_run_side_by_side(queue_file, tmp_path):
    pair = zipped([axis(RATE, "1,2", ""), axis("fleet.cpus.chips", "2,4", "")], "")
    runs = sweep_of(swept(asked(queue_file, pair), tmp_path / "s")).runs
    assert list(zip(runs[RATE], runs["fleet.cpus.chips"], strict=True)) == [(1, 2)] * 3 + [(2, 4)] * 3


def test_the_librarys_comparison_of_policies_holds_every_preset_and_can_be_run():
    asked = read_sweep(find_sweep("which-policy"))
    planned = plan(asked, pytest.fail)
    assert {policy for (policy,) in planned.design.points} == set(PRESETS)
    assert asked.replications == 10


def test_until_a_metric_that_no_run_has_ends_after_the_first_batch(queue_file, tmp_path):
    what = asked(queue_file, until=Until(0.1, 2, 40), metrics=("wait_meen_s",))
    with pytest.raises(ScenarioError, match="--metric: unknown metric 'wait_meen_s'; did you mean 'wait_mean_s'"):
        swept(what, tmp_path / "s")
    assert not (tmp_path / "s").exists()  # else it would be in the way of the same sweep with the right name
