"""What a hostile or unlucky user meets: extremes, full disks, devices, damaged folders, interruptions while saving."""

import json
import os
import signal
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result

from outputs import folder as folder_module
from scenarios.errors import ScenarioError
from scenarios.files import find
from sim.cli import main
from sim.run import run


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def megawatt(*words: str) -> Result:
    return CliRunner().invoke(main, words, catch_exceptions=False)


def hello(out: str, force: bool = False, pictures: bool = False) -> Path:
    return run(find("hello"), [], None, Path(out), force, pictures, lambda _: None).folder


@pytest.mark.parametrize(
    "law",
    [
        "{weibull: {scale: 1 s, shape: 0.001}}",
        "{pareto: {minimum: 1 s, alpha: 0.001}}",
        "{lognormal: {median: 1 s, sigma: 20}}",
    ],
)
def test_the_heaviest_tails_keep_every_number_finite(law):
    settings = [
        f"workload.tuning.duration={law}",
        "workload.tuning.estimate.factor={pareto: {minimum: 1, alpha: 0.001}}",
    ]
    words = [word for setting in settings for word in ("--set", setting)]
    assert megawatt("run", "hello", "--no-render", "--out", "out", *words).exit_code == 0
    assert np.isfinite(list(json.loads(Path("out/summary.json").read_text()).values())).all()
    assert not pl.read_parquet("out/jobs.parquet")["estimate_s"].is_nan().any()


@pytest.mark.parametrize(
    "settings", [["horizon=1000 years"], ["start=2999-12-31", "horizon=1000 years"], ["horizon=1 ns"]]
)
def test_a_run_of_any_length_is_saved(settings):
    words = [word for setting in [*settings, "workload.tuning.jobs=3"] for word in ("--set", setting)]
    result = megawatt("run", "hello", "--out", "out", *words)
    assert (result.exit_code, Path("out/summary.json").exists()) == (0, True)


def test_the_largest_seed_can_be_run_again():
    assert megawatt("run", "hello", "--no-render", "--out", "out", "--seed", str(2**63 - 1)).exit_code == 0
    assert megawatt("validate", "out/scenario.yaml").exit_code == 0
    assert megawatt("run", "hello", "--seed", str(2**63)).exit_code == 2


def test_times_of_a_trace_have_an_upper_limit():
    Path("log.csv").write_text("number,submit_s,chips,run_s\n1,0,1,1e308\n")
    result = megawatt("trace", "csv", "log.csv")
    assert result.exit_code == 2 and "log.csv:2: run_s: found '1e308'" in result.stderr


def test_a_device_or_a_link_is_never_replaced_by_a_trace():
    Path("log.csv").write_text("number,submit_s,chips,run_s\n1,0,1,1\n")
    Path("link").symlink_to("elsewhere")
    os.mkfifo("pipe")
    for out in ("link", "pipe", "."):
        assert megawatt("trace", "csv", "log.csv", "--out", out, "--force").exit_code == 2
    assert Path("link").is_symlink() and Path("pipe").is_fifo()
    assert megawatt("trace", "csv", "pipe").exit_code == 2


@pytest.mark.parametrize("out", ["dangling", "x" * 300, "file/below", "b\udcff"])
def test_a_place_that_cannot_be_written_is_refused_and_nothing_is_left(out):
    Path("dangling").symlink_to("nowhere/at/all")
    Path("file").write_text("")
    before = sorted(os.listdir())  # noqa: PTH208  # names as the system has them
    result = megawatt("run", "hello", "--no-render", "--quiet", "--out", out)
    assert result.exit_code == (0 if out == "b\udcff" else 2)
    assert len(os.listdir()) == len(before) + (1 if out == "b\udcff" else 0)  # noqa: PTH208


def test_the_current_folder_is_never_replaced(monkeypatch):
    hello("here")
    monkeypatch.chdir("here")
    assert megawatt("run", "hello", "--out", ".", "--force").exit_code == 2
    assert Path("run.json").exists()


def test_a_full_disk_is_said_and_leaves_nothing(monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder_module, "_write", full)
    with pytest.raises(ScenarioError, match="cannot be saved: No space left on device"):
        hello("new/out")
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("renames", [1, 2])
def test_an_interruption_while_a_run_is_replaced_leaves_one_whole_run(monkeypatch, renames):
    hello("out")
    rename, calls = Path.rename, []

    def interrupted(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == renames:
            os.kill(os.getpid(), signal.SIGINT)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        hello("out", force=True)
    assert [path.name for path in Path().iterdir()] == ["out"]
    assert json.loads(Path("out/run.json").read_text())["name"] == "hello"


def test_a_failed_replacement_puts_the_old_run_back(monkeypatch):
    hello("out")
    Path("out/mark").write_text("old")
    rename = Path.rename

    def fails(self: Path, target: Path) -> Path:
        if Path(target).name == "out" and self.name != "old":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(ScenarioError, match="Input/output error"):
        hello("out", force=True)
    assert Path("out/mark").read_text() == "old"
    assert [path.name for path in Path().iterdir()] == ["out"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("run.json", "{}"),
        ("run.json", "[1]"),
        ("run.json", "{"),
        ("run.json", "[" * 100_000),
        ("timeline.parquet", "PAR1"),
        ("timeline.parquet", ""),
    ],
)
def test_a_damaged_run_folder_is_named_and_not_drawn(name, content):
    hello("out")
    Path("out", name).write_text(content)
    result = megawatt("plot", "out")
    assert result.exit_code == 2
    assert result.stderr.startswith("megawatt: out")
    assert len(result.stderr.splitlines()) == 1
