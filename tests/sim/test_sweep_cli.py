"""`megawatt sweep` as a user meets it: options, messages, exit codes, tables, progress."""

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
import termios
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from outputs.journal import Journal
from outputs.sweep_folder import sweep_of
from sim.cli import main

RATE = "workload.w.arrivals.per_hour"


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch, queue_file):
    monkeypatch.chdir(tmp_path)


def megawatt(*words: str) -> Result:
    return CliRunner().invoke(main, words, catch_exceptions=False)


def refused(*words: str) -> str:
    """The one message of a sweep that must be refused, and that leaves nothing behind."""
    before = sorted(Path().rglob("*"))
    result = megawatt("sweep", *words)
    assert result.exit_code == 2, result.output
    assert sorted(Path().rglob("*")) == before
    (message,) = result.stderr.splitlines()
    return message


def test_a_sweep_prints_its_tables_and_its_folder_and_draws_its_pictures():
    words = ("--policy", "fifo", "--policy", "sjf", "--vary", f"{RATE}=2..3:1", "--replications", "3", "--jobs", "1")
    result = megawatt("sweep", "queue.yaml", *words, "--metric", "wait_mean_s")
    assert result.exit_code == 0, result.output
    assert "4 points of policy" in result.stdout
    assert "paired differences to fifo" in result.stdout
    assert result.stdout.splitlines()[-1] == "runs/queue-sweep"
    names = {path.name for path in Path("runs/queue-sweep").iterdir()}
    assert {"comparison.csv", "comparison.png", "response.png", "runs.parquet", "scenario.yaml", "sweep.json"} == names
    again = megawatt("sweep", "queue.yaml", *words, "--metric", "wait_mean_s", "--quiet", "--no-render")
    assert again.stdout == "runs/queue-sweep-2\n"
    for name in ("comparison.csv", "runs.parquet", "sweep.json"):
        assert Path("runs/queue-sweep", name).read_bytes() == Path("runs/queue-sweep-2", name).read_bytes()


def test_a_sweep_file_runs_by_its_name_and_options_add_to_it():
    Path("s.yaml").write_text(f"sweep: rates\nscenario: queue.yaml\nreplications: 2\nvary:\n  {RATE}: [2, 3]\n")
    result = megawatt("sweep", "s.yaml", "--policy", "sjf", "--quiet", "--no-render", "--jobs", "1")
    assert result.exit_code == 0, result.output
    found = sweep_of(Path("runs/rates"))
    assert found.parameters == ("policy", RATE)
    assert found.runs.height == 4


def test_a_dry_run_counts_and_writes_nothing():
    result = megawatt("sweep", "queue.yaml", "--policy", "fifo", "--policy", "sjf", "--until", "5%", "--dry-run")
    assert result.stdout == "queue-sweep: 2 points, at least 20 and at most 400 runs\n"
    result = megawatt("sweep", "queue.yaml", "--vary", f"{RATE}=1..4", "--sample", "30", "--dry-run")
    assert result.stdout == "queue-sweep: 4 points, 10 replications each, 40 runs\n"  # whole numbers
    assert [path.name for path in Path().iterdir()] == ["queue.yaml"]


def test_zipped_values_may_repeat_but_no_row_of_them():
    words = ("queue.yaml", "--zip", f"{RATE}=2,2,3", "--zip", "horizon=2 days,3 days,3 days", "--dry-run")
    assert megawatt("sweep", *words).stdout.startswith("queue-sweep: 3 points")
    words = ("queue.yaml", "--zip", f"{RATE}=2,2", "--zip", "horizon=2 days,2 days")
    assert refused(*words) == f"megawatt: {RATE},horizon: holds '2,2 days' twice"


def test_an_axis_that_is_set_for_all_runs_holds_beside_each_preset_as_in_a_single_run():
    specs, words = ("fifo", "fifo,order=fifo"), ("--set", "policy.order=sjf", "--quiet", "--no-render")
    policies = [word for spec in specs for word in ("--policy", spec)]
    assert megawatt("sweep", "queue.yaml", *policies, *words, "--replications", "1", "--jobs", "1").exit_code == 0
    for spec in specs:
        assert megawatt("run", "queue.yaml", "--policy", spec, *words, "--out", spec).exit_code == 0
    waits = [json.loads(Path(spec, "summary.json").read_text())["wait_mean_s"] for spec in specs]
    assert waits[0] < waits[1]  # shortest job first, and first come first served
    assert sweep_of(Path("runs/queue-sweep")).runs["wait_mean_s"].to_list() == waits


def test_runs_that_failed_are_listed_and_the_exit_code_is_2():
    words = ("--vary", f"{RATE}=2,-3", "--replications", "2", "--jobs", "1", "--no-render")
    result = megawatt("sweep", "queue.yaml", *words)
    assert result.exit_code == 2
    assert f"runs with {RATE}=-3 will fail" in result.stderr
    assert "2 of 4 runs failed" in result.stderr
    assert "-3" in result.stdout
    assert pl.read_csv("runs/queue-sweep/comparison.csv").filter(pl.col(RATE) == 2)["runs"].max() == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing.yaml"], "no such file, and no library scenario"),
        (["queue.yaml", "--vary", "horizon"], "--vary: found 'horizon'; allowed: KEY=VALUES"),
        (["queue.yaml", "--vary", "horizon=1 day..2"], "is a range without a step"),
        (["queue.yaml", "--vary", "horizn=1 day,2 days"], "unknown key; did you mean 'horizon'"),
        (["queue.yaml", "--vary", f"{RATE}=2,2"], "holds '2' twice"),
        (["queue.yaml", "--vary", f"{RATE}=2", "--vary", f"{RATE}=3"], "is varied twice"),
        (["queue.yaml", "--policy", "esay"], "did you mean 'easy'"),
        (["queue.yaml", "--replications", "3", "--until", "2%"], "--replications: cannot be used with --until"),
        (["queue.yaml", "--until", "200%"], "--until 200%: allowed: a share of the mean"),
        (["queue.yaml", "--batch", "4"], "--batch: needs --until"),
        (["queue.yaml", "--confidence", "9"], "--confidence 9: allowed"),
        (["queue.yaml", "--jobs", "2", "--dask", "tcp://x:1"], "--jobs: cannot be used with --dask"),
        (["queue.yaml", "--resume", "--force", "--out", "x"], "--resume: cannot be used with --force"),
        (["queue.yaml", "--force"], "--force: needs --out"),
        (["queue.yaml", "--resume"], "--resume: no unfinished sweep queue-sweep in runs/"),
        (["queue.yaml", "--out", "."], "--out .: exists already"),
        (["queue.yaml", "--policy", "easy", "--policy", " easy"], "policy: 'easy' and ' easy' are the same"),
        (["queue.yaml", "--vary", f"{RATE}=2,2.0"], f"{RATE}: '2' and '2.0' are the same"),
        (["queue.yaml", "--vary", f"{RATE}=1 ..1e1000000:1"], "allowed: numbers from 1e-30 to 1e30"),
        (["queue.yaml", "--vary", f"{RATE}=1..2", "--sample", str(10**15)], "--sample: found 1,000,000,000,000,000"),
        (["queue.yaml", "--policy", "easy", "--policy", "esay"], "did you mean 'easy'"),
        (["queue.yaml", "--zip", f"{RATE}=1,2", "--zip", "horizon=1 day"], "zipped keys need equally many values"),
    ],
)
def test_mistakes_are_one_clear_message(words, said):
    assert said in refused(*words)


@pytest.mark.parametrize(
    ("keys", "words", "said"),
    [
        ("vary: {fleet.nix.count: [1, 2]}", (), "megawatt: s.yaml:3: fleet.nix.count=1: nothing is named 'nix'"),
        ("zip: [{seed: [1, 2], fleet.nix.count: [1, 2]}]", (), "megawatt: seed: cannot be varied"),
        ("zip: [{fleet.nix.count: [1, 2]}]", (), "megawatt: s.yaml:3: fleet.nix.count=1: nothing is named 'nix'"),
        (f"vary: {{{RATE}: [2, 3, 2]}}", (), "megawatt: s.yaml:3: holds '2' twice"),
        (f"vary: {{{RATE}: [2, 3, 2.0]}}", (), "megawatt: s.yaml:3: '2' and '2.0' are the same"),
        (f"vary: {{{RATE}: [2, 3]}}", ("--vary", f"{RATE}=2,2"), f"megawatt: {RATE}: holds '2' twice"),
        ("vary: {horizon: 1..3 days}", (), "megawatt: s.yaml:3: horizon: is a range without a step"),
        (f"vary: {{{RATE}: [2, 3]}}\nbaseline: policy=eazy", (), "megawatt: s.yaml:4: baseline: "),
        (
            f"vary: {{{RATE}: [2, 3]}}\nbaseline: policy=eazy",
            ("--baseline", "policy=nix"),
            "megawatt: --baseline policy=nix: ",
        ),
        ("policies: [nix]", (), "megawatt: s.yaml:3: nix: unknown policy 'nix'"),
        ('policies: ["order=nix"]', (), "megawatt: s.yaml:3: order=nix: policy.order=nix: policy.order: unknown order"),
        (
            "vary: {fleet.nix.count: [1, 2]}",
            ("--vary", "fleet.nix.count=3"),
            "megawatt: --vary fleet.nix.count=3: noth",
        ),
    ],
)
def test_what_a_sweep_file_says_is_wrong_at_its_line_unless_an_option_took_its_place(keys, words, said):
    Path("s.yaml").write_text(f"sweep: rates\nscenario: queue.yaml\n{keys}\n")
    assert refused("s.yaml", *words).startswith(said)


@pytest.mark.parametrize("command", ["run", "validate"])
def test_a_sweep_file_is_no_scenario(command):
    Path("s.yaml").write_text(f"sweep: rates\nscenario: queue.yaml\nvary: {{{RATE}: [2, 3]}}\n")
    result = megawatt(command, "s.yaml")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("megawatt: s.yaml:1: this is a sweep file; allowed: megawatt sweep s.yaml (with --dry-run")


def test_a_name_that_no_metric_has_is_warned_of_after_the_first_run():
    words = ("--metric", "wait_meen_s", "--replications", "2", "--jobs", "1", "--no-render", "--quiet")
    result = megawatt("sweep", "queue.yaml", *words)
    assert "the first run has no metric wait_meen_s; did you mean 'wait_mean_s'?" in result.stderr


def test_an_existing_sweep_is_replaced_by_force_only_and_nothing_else_ever_is():
    words = ("sweep", "queue.yaml", "--replications", "1", "--jobs", "1", "--no-render", "--quiet", "--out")
    assert megawatt(*words, "s").exit_code == 0
    assert "exists already" in megawatt(*words, "s").stderr
    assert megawatt(*words, "s", "--force").exit_code == 0
    Path("mine").mkdir()
    Path("mine/letter.txt").write_text("dear")
    assert "is no sweep folder" in megawatt(*words, "mine", "--force").stderr
    assert Path("mine/letter.txt").read_text() == "dear"


@pytest.mark.parametrize("force", [[], ["--force"], ["--resume"]])
def test_a_folder_of_the_users_own_is_left_alone_whatever_its_files_are_called(force):
    Path("mine").mkdir()
    Path("queue.yaml").rename("mine/scenario.yaml")
    before = Path("mine/scenario.yaml").read_text()
    words = ("mine/scenario.yaml", "--replications", "1", "--jobs", "1", "--no-render", "--out", "mine", *force)
    message = refused(*words)
    assert "exists already" in message or "is no sweep folder" in message
    assert Path("mine/scenario.yaml").read_text() == before


def test_an_empty_folder_is_taken_but_not_the_current_one():
    words = ("../queue.yaml", "--replications", "1", "--jobs", "1", "--no-render", "--quiet", "--out")
    Path("here").mkdir()
    Path("link").symlink_to("here")
    assert "exists already" in refused(*("queue.yaml", *words[1:], "link"))
    with contextlib.chdir("here"):
        assert "is the current folder" in refused(*words, "../here")
    assert megawatt("sweep", "queue.yaml", *words[1:], "here").exit_code == 0


def test_what_an_interruption_at_the_very_start_left_is_taken():
    Path("s").mkdir()
    Path("s/.sweep.json").write_text("{")
    Path("s/scenario.yaml").write_text("na")
    words = ("queue.yaml", "--replications", "1", "--jobs", "1", "--no-render", "--quiet", "--out", "s")
    assert megawatt("sweep", *words, "--resume").exit_code == 0
    assert sorted(path.name for path in Path("s").iterdir()) == [
        *("comparison.csv", "runs.parquet", "scenario.yaml", "sweep.json")
    ]


def test_resume_is_spoken_of_where_it_helps_and_a_sweep_is_not_explained():
    words = ("queue.yaml", "--replications", "1", "--jobs", "1", "--no-render", "--quiet")
    assert megawatt("sweep", *words, "--out", "s").exit_code == 0
    assert refused(*words, "--out", "s") == (
        "megawatt: --out s: exists already; choose another folder, or --force to replace it"
    )
    message = megawatt("explain", "s").stderr
    assert message.startswith("megawatt: s: is the folder of a sweep; allowed: that of a run")
    Path("s/runs.parquet").unlink()  # now it is one that was interrupted
    assert "go on with --resume" in refused(*words, "--out", "s")
    assert "--resume" not in megawatt("run", "queue.yaml", "--out", "s").stderr


def test_a_sweep_that_another_process_works_on_is_not_replaced():
    words = ("queue.yaml", "--replications", "1", "--jobs", "1", "--no-render", "--quiet", "--out", "s")
    assert megawatt("sweep", *words).exit_code == 0
    journal = Journal(Path("s"))
    assert "another process is working on this sweep" in refused(*words, "--force")
    journal.close()
    assert megawatt("sweep", *words, "--force").exit_code == 0


def test_output_that_knows_ascii_only_gets_what_it_can_show():
    words = ("sweep", "queue.yaml", "--replications", "2", "--jobs", "1", "--no-render")
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    line = [sys.executable, "-m", "sim.cli", *words]
    made = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert re.search(r"^ +2 +\d+ \? \d+ ", made.stdout, re.MULTILINE), made.stdout


@pytest.mark.parametrize("columns", [200, 30])
def test_a_terminal_shows_runs_rate_time_left_and_the_best_point_in_one_line(columns):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    words = ["--policy", "fifo", "--policy", "sjf", "--replications", "40", "--jobs", "1", "--metric", "wait_mean_s"]
    line = [sys.executable, "-m", "sim.cli", "sweep", "queue.yaml", "--set", "horizon=60 days", *words, "--no-render"]
    process = subprocess.Popen(line, stderr=theirs, stdout=subprocess.DEVNULL)
    os.close(theirs)
    seen = b""
    while True:
        try:
            read = os.read(ours, 65_536)
        except OSError:  # the other end is closed
            break
        if not read:
            break
        seen += read
    os.close(ours)
    assert process.wait() == 0
    shown = seen.decode().replace("\x1b[K", "").split("\r")
    pattern = r"\d+/80 runs, [\d.e+]+ runs/s, [\d.,]+ \S+ left; best wait_mean_s [\d.,e+]+: policy=(fifo|sjf)"
    assert max(map(len, shown)) < columns
    assert columns < 100 or any(re.fullmatch(pattern, one) for one in shown), shown
    assert not shown[-1].strip()


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ("polcy=fifo", "--baseline polcy=fifo: unknown parameter 'polcy'; did you mean 'policy'?"),
        ("policy=easy", "--baseline policy=easy: no point has policy 'easy'"),
        (f"policy=sjf,{RATE}=4", f"no point has {RATE} '4'"),
    ],
)
def test_a_baseline_that_is_no_point_is_refused_before_the_first_run(baseline, message):
    axes = ("--policy", "fifo", "--policy", "sjf", "--vary", f"{RATE}=2,3")
    assert message in refused("queue.yaml", *axes, "--baseline", baseline)
    assert megawatt("sweep", "queue.yaml", *axes, "--baseline", "policy=sjf", "--dry-run").exit_code == 0
