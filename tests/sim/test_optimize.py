"""A search for the best point: what it finds, that its bytes do not depend on interruptions, what it refuses."""

import shlex
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from outputs.statistics import estimate
from outputs.sweep_folder import sweep_of
from scenarios.design import axis
from scenarios.errors import ScenarioError
from scenarios.sweep_file import Asked, policies_axis
from sim.cli import main
from sim.runs import Place, Progress
from sim.search import Search, search
from sim.work import Outcome

pytest.importorskip("optuna", reason="needs the extra optimize")


class Formula:
    """In the place of real runs: a known function of the point, with luck that depends on the seed alone."""

    def __init__(self, scenario, desk, crash_after=None):
        self.tasks, self._left = [], crash_after

    def run(self, tasks):
        for task in tasks:
            if self._left is not None and len(self.tasks) == self._left:
                raise KeyboardInterrupt
            self.tasks.append(task)
            values = dict(text.split("=") for text, _ in task.overrides)
            chips, horizon_h = int(values["fleet.cpus.chips"]), float(values["horizon"].removesuffix(" h"))
            cost = (chips - 11) ** 2 + (horizon_h - 100) ** 2 / 100 + (values["policy"] != "sjf") + task.seed % 7 / 10
            if chips == 20:
                yield [Outcome(task.key, None, error="too many")]
            else:
                yield [Outcome(task.key, {"simulated_s": 1.0, "cost": cost})]

    def close(self):
        pass


AXES = (
    policies_axis(["fifo", "sjf"], ""),
    axis("fleet.cpus.chips", "1..20", ""),
    axis("horizon", "72.0..240 h", ""),
)


def looked(path, least=True, trials=60, metric="cost"):
    return Search(Asked(path, axes=AXES, replications=2, metrics=(metric,)), least, trials, batch=4, confirm=5)


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_best_of_a_known_function_is_found_and_confirmed_with_fresh_seeds(queue_file, tmp_path):
    found = search(looked(queue_file), Formula, Place(tmp_path / "s"), lambda _: None, Progress())
    assert found.best["policy"] == "sjf"
    assert abs(int(found.best["fleet.cpus.chips"]) - 11) <= 1
    assert abs(float(found.best["horizon"].removesuffix(" h")) - 100) <= 15
    trials = pl.read_csv(tmp_path / "s" / "trials.csv")
    assert trials["trial"].to_list() == list(range(1, 61))
    assert trials["cost"].min() == trials["best_so_far"][-1]
    assert trials["best_so_far"].to_list() == trials["cost"].cum_min().fill_null(strategy="forward").to_list()
    runs = sweep_of(tmp_path / "s").runs
    fresh = runs.filter(pl.col("replication") >= 2)
    assert sorted(fresh["seed"].to_list()) == [5, 6, 7, 8, 9]  # the scenario's seed is 3
    assert found.confirmed == estimate(fresh["cost"].to_list(), 0.95)
    assert len(set(fresh.select("policy", "fleet.cpus.chips", "horizon").iter_rows())) == 1


def test_the_most_is_the_least_of_the_opposite(queue_file, tmp_path):
    found = search(looked(queue_file, least=False), Formula, Place(tmp_path / "s"), lambda _: None, Progress())
    assert int(found.best["fleet.cpus.chips"]) <= 2
    assert float(found.best["horizon"].removesuffix(" h")) > 230
    assert found.confirmed.mean > 285  # of 297.3; the policy, which is worth 1, may be either


def test_a_point_whose_runs_fail_is_never_the_best(queue_file, tmp_path):
    only = Asked(
        queue_file, axes=(*AXES[::2], axis("fleet.cpus.chips", "19,20", "")), replications=2, metrics=("cost",)
    )
    found = search(Search(only, False, 12), Formula, Place(tmp_path / "s"), lambda _: None, Progress())
    assert found.best["fleet.cpus.chips"] == "19"
    trials = pl.read_csv(tmp_path / "s" / "trials.csv")
    assert trials.filter(pl.col("fleet.cpus.chips") == 20)["cost"].null_count() > 0


@pytest.mark.parametrize("least", [True, False])
def test_a_region_where_runs_fail_is_left(queue_file, tmp_path, least):
    only = Asked(queue_file, axes=(*AXES[::2], axis("fleet.cpus.chips", "19,20", "")), metrics=("cost",))
    search(Search(only, least, 40), Formula, Place(tmp_path / "s"), lambda _: None, Progress())
    late = pl.read_csv(tmp_path / "s" / "trials.csv")["cost"][20:]
    assert late.null_count() < late.len() / 2


@pytest.mark.parametrize("crash_after", [0, 1, 30, 41, 42])
def test_a_search_that_was_interrupted_comes_to_the_same_bytes(queue_file, tmp_path, crash_after):
    def done(folder, resume, **how):
        hire = partial(Formula, **how)
        return search(looked(queue_file, trials=20), hire, Place(folder, resume), lambda _: None, Progress())

    straight = done(tmp_path / "a", False)
    runs = sweep_of(tmp_path / "a").runs.height
    assert runs > 40
    with pytest.raises(KeyboardInterrupt):
        done(tmp_path / "b", False, crash_after=crash_after)
    found = done(tmp_path / "b", True)
    assert content(tmp_path / "a") == content(tmp_path / "b")
    assert (found.best, found.confirmed) == (straight.best, straight.confirmed)
    assert done(tmp_path / "b", True).confirmed == straight.confirmed  # finished: only read


def test_a_metric_that_no_run_has_is_refused_with_the_nearest(queue_file, tmp_path):
    with pytest.raises(ScenarioError, match="--minimize: unknown metric 'coast'; did you mean 'cost'"):
        search(looked(queue_file, metric="coast"), Formula, Place(tmp_path / "s"), lambda _: None, Progress())
    assert not (tmp_path / "s").exists()


def test_a_point_whose_runs_lack_the_metric_is_never_the_best(queue_file, tmp_path):
    class Empty(Formula):
        def run(self, tasks):
            for (one,) in super().run(tasks):
                hours = dict(text.split("=") for text, _ in self.tasks[-1].overrides)["horizon"]
                lacks = float(hours.removesuffix(" h")) < 150
                yield [Outcome(one.key, {"simulated_s": 1.0}) if lacks else one]

    found = search(looked(queue_file), Empty, Place(tmp_path / "s"), lambda _: None, Progress())
    assert float(found.best["horizon"].removesuffix(" h")) >= 150
    trials = pl.read_csv(tmp_path / "s" / "trials.csv")
    assert 0 < trials["cost"].null_count() < trials.height


def test_a_finished_folder_that_was_damaged_is_said_to_be(queue_file, tmp_path):
    def done():
        return search(looked(queue_file, trials=4), Formula, Place(tmp_path / "s", True), lambda _: None, Progress())

    done()
    for text in ("", "a,b\n1,2\n"):
        (tmp_path / "s" / "trials.csv").write_text(text)
        with pytest.raises(ScenarioError, match="s: is damaged"):
            done()


@pytest.fixture
def in_its_folder(tmp_path, monkeypatch, queue_file):
    monkeypatch.chdir(tmp_path)


def megawatt(*words: str) -> Result:
    return CliRunner().invoke(main, ["optimize", "queue.yaml", *words], catch_exceptions=False)


SMALL = ("--trials", "6", "--replications", "2", "--confirm", "3", "--batch", "3", "--jobs", "1", "--no-render")


@pytest.mark.usefixtures("in_its_folder")
def test_the_command_says_the_best_point_its_metric_over_fresh_runs_and_how_to_run_it():
    result = megawatt(
        "--over", "fleet.cpus.chips=3,4,9", "--set", "horizon=3 days", "--minimize", "wait_mean_s", *SMALL
    )
    assert result.exit_code == 0, result.output
    assert "the least wait_mean_s of 6 trials:\n  fleet.cpus.chips: 9\n" in result.stdout
    assert "over 3 fresh runs" in result.stdout
    line = shlex.split(next(line for line in result.stdout.splitlines() if line.startswith("  megawatt run")))
    assert line == ["megawatt", "run", "queue.yaml", "--set", "horizon=3 days", "--set", "fleet.cpus.chips=9"]
    assert result.stdout.splitlines()[-1] == "runs/queue-search"
    assert CliRunner().invoke(main, [*line[1:], "--quiet", "--no-render"]).exit_code == 0
    compared = CliRunner().invoke(main, ["compare", "runs/queue-search"])
    assert compared.exit_code == 0, compared.output


@pytest.mark.usefixtures("in_its_folder")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--over", "fleet.cpus.chips=3..9"], "optimize: needs --minimize METRIC or --maximize METRIC"),
        (["--minimize", "x"], "optimize: needs --over KEY=LOW..HIGH or --policy"),
        (["--minimize", "x", "--maximize", "y", "--policy", "sjf"], "--minimize: cannot be used with --maximize"),
        (["--minimize", "x", "--over", "fleet.cpu.chips=3..9"], "nothing is named 'cpu'; did you mean 'cpus'"),
        (["--minimize", "x", "--over", "seed=1..9"], "seed: cannot be varied"),
        (["--minimize", "x", "--over", "horizon=9..1 h"], "the lower end first"),
        (["--minimize", "x", "--over", "horizon=1..9 h", "--over", "horizon=1..3 h"], "horizon: is varied twice"),
    ],
)
def test_mistakes_are_one_clear_message_and_leave_nothing(words, said):
    result = megawatt(*words)
    assert result.exit_code == 2, result.output
    (message,) = result.stderr.splitlines()
    assert said in message
    assert [path.name for path in Path().iterdir()] == ["queue.yaml"]
