"""Files of saved runs and sweeps that are no files, or far too large: one message, and nothing is waited for."""

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from sim.cli import main

SMALL = """
name: small
horizon: 6 hours
fleet: [{pool: nodes, rack: dgx-h100, count: 2}]
workload: [{class: c, kind: synthetic, chips: 8, duration: 1 hour, arrivals: {per_hour: 2}}]
"""


def words_of(*words):
    found = CliRunner().invoke(main, [str(word) for word in words])
    return found.exit_code, found.output


def no_file(path: Path, kind: str) -> None:
    path.unlink()
    if kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(1 << 40)  # takes no space


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    (folder / "small.yaml").write_text(SMALL)
    assert words_of("run", folder / "small.yaml", "--quiet", "--no-render", "--out", folder / "run")[0] == 0
    swept = words_of(
        "sweep",
        folder / "small.yaml",
        "--vary",
        "fleet.nodes.count=2,3",
        "--replications",
        1,
        "--out",
        folder / "sweep",
    )
    assert swept[0] == 0, swept[1]
    return folder


@pytest.mark.parametrize("kind", ["device", "pipe", "folder", "huge"])
@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("run.json", "compare"),
        ("run.json", "explain"),
        ("run.json", "plot"),
        ("summary.json", "compare"),
        ("capacity.parquet", "explain"),
        ("timeline.parquet", "plot"),
    ],
)
def test_what_is_no_file_of_a_run_is_refused_by_name(kind, name, command, saved, tmp_path):
    shutil.copytree(saved / "run", tmp_path / "run")
    no_file(tmp_path / "run" / name, kind)
    code, output = words_of(command, tmp_path / "run")
    assert code == 2, output
    said = "holds more than" if kind == "huge" else "is no file"
    assert f"{tmp_path / 'run' / name}: {said}" in output and len(output.splitlines()) == 1


@pytest.mark.parametrize("kind", ["device", "pipe", "folder", "huge"])
@pytest.mark.parametrize("name", ["runs.parquet", "sweep.json"])
def test_what_is_no_file_of_a_sweep_is_refused(kind, name, saved, tmp_path):
    shutil.copytree(saved / "sweep", tmp_path / "sweep")
    no_file(tmp_path / "sweep" / name, kind)
    code, output = words_of("compare", tmp_path / "sweep")
    assert code == 2 and len(output.splitlines()) == 1, output
    assert str(tmp_path / "sweep") in output


@pytest.mark.parametrize("kind", ["device", "pipe", "folder", "huge"])
def test_a_journal_that_is_no_file_is_refused(kind, saved, tmp_path):
    shutil.copytree(saved / "sweep", tmp_path / "sweep")
    (tmp_path / "sweep" / "runs.parquet").unlink()  # as before it had ended
    journal = tmp_path / "sweep" / "journal.jsonl"
    journal.touch()
    no_file(journal, kind)
    words = [
        "sweep",
        saved / "small.yaml",
        "--vary",
        "fleet.nodes.count=2,3",
        "--replications",
        1,
        "--out",
        tmp_path / "sweep",
    ]
    for option in ("--resume", "--force"):
        code, output = words_of(*words, option)
        assert code == 2 and f"{journal}: " in output, output
