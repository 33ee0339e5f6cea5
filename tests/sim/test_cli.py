"""The command line as a user meets it: exit codes, one clear message, nothing left behind."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sim.cli import main

GOOD = """\
name: small
horizon: 1 day
fleet:
  - {pool: dgx, rack: dgx-h100, count: 2}
workload:
  - class: tuning
    kind: synthetic
    chips: 8
    duration: 1 hour
    arrivals: {per_hour: 1}
"""


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def megawatt(*words: str) -> Result:
    return CliRunner().invoke(main, words, catch_exceptions=False)


def refused(text: str, *words: str) -> str:
    """The one message of a run that must be refused and must leave nothing behind."""
    Path("bad.yaml").write_text(text)
    before = sorted(Path.cwd().rglob("*"))
    result = megawatt("run", "bad.yaml", "--no-render", *words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert sorted(Path.cwd().rglob("*")) == before
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


@pytest.mark.parametrize(
    ("good", "bad", "line", "words"),
    [
        ("horizon: 1 day", "horizn: 1 day", 2, ["horizn", "did you mean 'horizon'?"]),
        ("1 day", "2 MW", 2, ["horizon", "'2 MW'", "a power", "a time"]),
        ("1 day", "86400", 2, ["horizon", "86400", "bare number", "'30 days'"]),
        ("count: 2", "count: -2", 4, ["fleet.dgx.count", "-2", "greater than or equal to 1"]),
        ("count: 2", "count: true", 4, ["fleet.dgx.count", "True", "a whole number"]),
        ("count: 2", "count: '4'", 4, ["fleet.dgx.count", "'4'", "a whole number"]),
        ("per_hour: 1", "per_hour: .nan", 10, ["workload.tuning.arrivals.per_hour", "nan"]),
        ("dgx-h100", "dgx-h10", 4, ["fleet.dgx.rack", "did you mean 'dgx-h100'?", "plain"]),
        ("chips: 8", "chips: 17", 8, ["workload.tuning.chips", "17", "16"]),
        ("name: small", "name: a/b", 1, ["name", "'a/b'"]),
        ("kind: synthetic", "kind: synthetik", 7, ["workload.tuning.kind", "'synthetik'", "kind: trace"]),
        ("    chips: 8\n", "", 6, ["workload.tuning.chips", "missing"]),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_line_and_key(good, bad, line, words):
    message = refused(GOOD.replace(good, bad))
    assert message.startswith(f"megawatt: bad.yaml:{line}: ")
    assert all(word in message for word in words), message


def test_an_unknown_policy_is_refused_with_the_nearest_name():
    assert "bad.yaml:11: policy.order: unknown order 'fifi'; did you mean 'fifo'?" in refused(
        GOOD + "policy: {order: fifi}\n"
    )
    assert "bad.yaml:11: policy: unknown policy 'esay'; did you mean 'easy'?" in refused(GOOD + "policy: esay\n")
    assert "--policy sfj" in refused(GOOD, "--policy", "sfj")
    assert "--policy order=sfj" in refused(GOOD, "--policy", "order=sfj")


def test_a_mistake_in_an_override_names_the_option():
    assert "--set horizon=3: horizon: found 3" in refused(GOOD, "--set", "horizon=3")
    assert "did you mean 'dgx'?" in refused(GOOD, "--set", "fleet.dgy.count=3")


TRACE = "name: log\nhorizon: until-done\nfleet: [{pool: cpu, rack: plain, chips: 4}]\nworkload:\n"


def test_a_missing_trace_is_named_where_the_scenario_names_it():
    message = refused(TRACE + "  - {class: log, kind: trace, format: swf, file: nowhere.swf}\n")
    assert message.startswith("megawatt: bad.yaml:5: workload.log.file: no such file")


def test_a_broken_row_is_named_with_the_line_of_the_trace_and_can_be_skipped():
    good = "{} 0 -1 10 1 -1 -1 1 10 -1 1 0 0 -1 1 1 -1 -1\n"
    Path("log.swf").write_text("; header\n" + good.format(1) + good.format(2).replace("10", "ten") + good.format(3))
    text = TRACE + "  - {class: log, kind: trace, format: swf, file: log.swf}\n"
    message = refused(text)
    assert re.match(r"megawatt: \S*log\.swf:3: run_s: found 'ten'; allowed: seconds of at least 0", message), message
    result = megawatt("run", "bad.yaml", "--no-render", "--set", "workload.log.on_bad_row=skip")
    assert result.exit_code == 0
    assert "warning: log.swf: 1 bad row skipped, the first on line 3" in result.stderr


def test_jobs_larger_than_their_pool_are_rejected_counted_and_warned_of():
    Path("large.yaml").write_text(GOOD.replace("chips: 8", "chips: {choice: [8, 24]}"))
    result = megawatt("run", "large.yaml", "--no-render", "--out", "out")
    summary = json.loads(Path("out/summary.json").read_text())
    assert result.exit_code == 0
    assert 0 < summary["rejected_jobs"] < summary["submitted_jobs"]
    rejected = f"warning: {summary['rejected_jobs']} jobs were rejected, of up to 24 chips"
    assert f"{rejected}: larger than every pool it may use" in result.stderr


def test_an_existing_out_is_refused_and_replaced_only_with_force():
    Path("good.yaml").write_text(GOOD)
    assert megawatt("run", "good.yaml", "--out", "here", "--no-render").exit_code == 0
    first = Path("here/run.json").stat().st_ino
    again = megawatt("run", "good.yaml", "--out", "here", "--no-render")
    assert (again.exit_code, Path("here/run.json").stat().st_ino) == (2, first)
    assert "--out here: exists already" in again.stderr
    assert megawatt("run", "good.yaml", "--out", "here", "--no-render", "--force").exit_code == 0
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["good.yaml", "here"]


def test_force_does_not_remove_a_folder_that_is_no_run():
    Path("good.yaml").write_text(GOOD)
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("years of work")
    result = megawatt("run", "good.yaml", "--out", "mine", "--force", "--no-render")
    assert result.exit_code == 2 and "no run folder" in result.stderr
    assert Path("mine/thesis.txt").read_text() == "years of work"


def test_runs_without_out_go_to_the_next_free_folder():
    Path("good.yaml").write_text(GOOD)
    folders = [megawatt("run", "good.yaml", "--quiet", "--no-render").stdout.strip() for _ in range(3)]
    assert folders == ["runs/small", "runs/small-2", "runs/small-3"]


def test_quiet_prints_the_folder_only_and_a_run_has_its_files():
    result = megawatt("run", "hello", "--quiet", "--out", "out")
    assert (result.stdout, result.stderr) == ("out\n", "")
    names = {path.name for path in Path("out").iterdir()}
    data = {"scenario.yaml", "run.json", "summary.json", "jobs.parquet", "timeline.parquet", "capacity.parquet"}
    assert names == data | {"utilization.png", "queue.png", "power.png", "capacity.png"}
    Path("out/queue.png").unlink()
    pictures = ["out/utilization.png", "out/queue.png", "out/power.png", "out/capacity.png"]
    assert megawatt("plot", "out").stdout.splitlines() == pictures
    assert Path("out/queue.png").read_bytes().startswith(b"\x89PNG")


def test_the_summary_is_printed_and_the_folder_comes_last():
    result = megawatt("run", "hello", "--no-render")
    assert "utilization" in result.stdout and "why jobs waited" in result.stdout
    assert result.stdout.splitlines()[-1] == "runs/hello"


def test_a_new_scenario_runs_and_is_never_overwritten():
    assert megawatt("new", "scenario", "mine").stdout == "mine.yaml\n"
    assert megawatt("run", "mine.yaml", "--no-render").exit_code == 0
    text = Path("mine.yaml").read_text()
    assert megawatt("new", "scenario", "mine").exit_code == 2
    assert Path("mine.yaml").read_text() == text


@pytest.mark.parametrize("what", ["scenarios", "sweeps", "policies", "accelerators", "racks", "traces"])
def test_show_lists_what_there_is(what):
    result = megawatt("show", what)
    named = {
        "scenarios": "philly",
        "sweeps": "which-policy",
        "policies": "backfill=easy",
        "accelerators": "h100-sxm",
        "racks": "dgx-h100",
    }
    assert result.exit_code == 0
    assert named.get(what, "swf") in result.stdout


ULTRASERVER = """\
trn2-ultraserver
what it is      64 chips (trainium2) in a torus of 4 x 4 x 4
chips           64
links           192
  chip to chip  64 GB/s or 128 GB/s each way
farthest pair   6 links, 9 us
bisection       2.048 TB/s each way
scale-out NICs  64 of 25 GB/s each way
"""


def test_show_topology_prints_what_a_rack_can_do_and_draws_it():
    result = megawatt("show", "topology", "trn2-ultraserver", "--plot", "new/torus.png")
    assert result.exit_code == 0
    assert result.stdout.startswith(ULTRASERVER)
    assert "   64           640 GB/s  4 x 4 x 4\n" in result.stdout
    assert "aws-neuron/aws-neuron-sdk@81ce03a about-neuron/arch/trn2-arch" in result.stdout
    assert result.stdout.splitlines()[-1] == "new/torus.png"
    assert Path("new/torus.png").read_bytes().startswith(b"\x89PNG")


def test_show_topology_replaces_a_picture_only_with_force():
    Path("mine.png").write_text("mine")
    refusal = megawatt("show", "topology", "dgx-h100", "--plot", "mine.png")
    assert (refusal.exit_code, refusal.stdout, Path("mine.png").read_text()) == (2, "", "mine")
    assert "--plot mine.png: exists already" in refusal.stderr
    assert megawatt("show", "topology", "dgx-h100", "--plot", "mine.png", "--force").exit_code == 0
    assert Path("mine.png").read_bytes().startswith(b"\x89PNG")


def test_an_unknown_topology_is_refused_with_the_nearest_name():
    result = megawatt("show", "topology", "leaf-spin", "--plot", "never.png")
    assert (result.exit_code, result.stdout, Path("never.png").exists()) == (2, "", False)
    assert result.stderr.startswith("megawatt: unknown topology 'leaf-spin'; did you mean 'leaf-spine'? (allowed: ")
    assert megawatt("show", "topology").exit_code == 2
    assert megawatt("show", "topologies").exit_code == 2


def test_validate_says_what_it_checked_and_schema_is_json():
    assert megawatt("validate", "hello").stdout.startswith("hello: valid (32 chips in 1 pool; order fifo")
    assert json.loads(megawatt("schema").stdout)["properties"]["fleet"]
    assert megawatt("validate", "helo").exit_code == 2


def test_a_trace_becomes_the_job_table_and_replays_alike():
    Path("log.swf").write_text(
        "1 0 -1 100 3 -1 -1 3 100 -1 1 7 0 -1 1 1 -1 -1\n2 5 -1 9 2 -1 -1 2 20 -1 1 8 0 -1 1 1 -1 -1\n"
    )
    assert megawatt("trace", "swf", "log.swf", "--out", "log.csv").stdout == "log.csv\n"
    table = "number,submit_s,chips,run_s,estimate_s,tenant\n1,0.0,3,100.0,100.0,7\n2,5.0,2,9.0,20.0,8\n"
    assert Path("log.csv").read_text() == table
    assert megawatt("trace", "swf", "log.swf", "--out", "log.csv").exit_code == 2
    assert "jobs" in megawatt("trace", "csv", "log.csv").stdout


def test_help_loads_nothing_heavy():
    code = "import sys; from sim.cli import main; main(['--help'], standalone_mode=False); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"numpy", "polars", "pydantic", "pint", "simpy", "matplotlib", "networkx", "rich", "ruamel.yaml", "scipy"}
    assert not [name for name in heavy if f"'{name}'" in done.stdout]


def _cpu_s(pid):
    """What a running process has used so far [s]."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_exits_with_130_and_leaves_nothing(stop, tmp_path):
    Path("long.yaml").write_text(GOOD.replace("1 day", "30000 days").replace("per_hour: 1", "per_hour: 40"))
    command = [sys.executable, "-m", "sim.cli", "run", "long.yaml"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for _ in range(600):  # a busy machine takes its time to get so far
        if _cpu_s(running.pid) > 2:
            break
        time.sleep(0.1)
    assert running.poll() is None, "the run ended before it could be interrupted"
    running.send_signal(stop)
    out, err = running.communicate(timeout=30)
    assert (running.returncode, out) == (130, "")
    assert err == "megawatt: interrupted\n"
    assert [path.name for path in tmp_path.iterdir()] == ["long.yaml"]


def test_force_without_out_is_refused():
    result = megawatt("run", "hello", "--force")
    assert result.exit_code == 2 and "--force: needs --out" in result.stderr


def test_a_trace_of_the_library_is_found_by_its_name_and_says_when_it_starts():
    assert "2017-10-02T00:06:09" in megawatt("trace", "philly", "philly-sample.csv.gz").stdout


def test_a_run_without_a_cap_says_what_its_policy_stopped():
    Path("long.yaml").write_text(GOOD.replace("1 hour", "3 hours").replace("per_hour: 1", "per_hour: 2"))
    done = megawatt("run", "long.yaml", "--no-render", "--policy", "gavel")
    assert done.exit_code == 0
    assert re.search(r"stops +[1-9]\d* of running jobs, 0.0 chip-h lost", done.stdout)
