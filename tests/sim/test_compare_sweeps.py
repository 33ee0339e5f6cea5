"""megawatt compare and megawatt plot on the folders of sweeps."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sim.cli import main


@pytest.fixture(autouse=True)
def two_sweeps(tmp_path, monkeypatch, sweep_of_runs, save_sweep):
    """Folders `s` and `t`: fifo, easy and sjf wait 10 to 12 hours each, less 1 and 2 hours; in t half an hour more."""
    monkeypatch.chdir(tmp_path)
    for name, more in (("s", 0), ("t", 1800)):
        runs = [
            ((policy,), r, {"wait_mean_s": 3600.0 * (10 + r - less) + more, "completed_jobs": 5.0 + less, "cap_w": 1.0})
            for less, policy in enumerate(("fifo", "easy", "sjf"))
            for r in range(3)
        ]
        save_sweep(sweep_of_runs(("policy",), runs), tmp_path / name)


def megawatt(*words: str) -> Result:
    return CliRunner().invoke(main, words, catch_exceptions=False)


def test_the_tables_of_a_sweep():
    made = megawatt("compare", "s")
    assert made.exit_code == 0, made.output
    assert [" ".join(line.split()) for line in made.stdout.splitlines()] == [
        "by-hand: 3 points of policy, 9 runs; mean ± half of the 95 % interval",
        "wait, mean [h] jobs completed",
        "policy runs less is better more is better",
        "fifo 3 11.0 ± 2.5 5 ± 0",
        "easy 3 10.0 ± 2.5 6 ± 0",
        "sjf 3 9.0 ± 2.5 7 ± 0",
        "",
        "paired differences to fifo:",
        "wait, mean [h] jobs completed",
        "policy pairs less is better more is better",
        "easy 3 -1 ± 0 (-9.1 %) better +1 ± 0 (+20.0 %) better",
        "sjf 3 -2 ± 0 (-18.2 %) better +2 ± 0 (+40.0 %) better",
        "better: 0 lies outside of the interval (no correction for many comparisons).",
        "",
        "Pareto front, by the means, for less of wait, mean and more of jobs completed (1 of 3 points):",
        "policy wait, mean [h] jobs completed",
        "sjf 9.0 ± 2.5 7 ± 0",
    ]


def test_a_baseline_metrics_a_confidence_and_goals_of_ones_own():
    words = ("--baseline", "policy=sjf", "--metric", "cap_w", "--confidence", "99%", "--pareto", "-wait_mean_s,+cap_w")
    made = megawatt("compare", "s", *words)
    assert made.exit_code == 0, made.output
    assert "half of the 99 % interval" in made.stdout
    assert "paired differences to sjf:" in made.stdout
    assert "jobs completed" not in made.stdout
    assert "less of wait, mean and more of cap_w (1 of 3 points)" in made.stdout


def test_two_sweeps_are_compared_as_one():
    made = megawatt("compare", "s", "t", "--metric", "wait_mean_s")
    assert made.exit_code == 0, made.output
    assert "6 points of sweep, policy, 18 runs" in made.stdout
    assert "paired differences to s, the other parameters equal:" in made.stdout
    rows = [line.split() for line in made.stdout.splitlines() if line.startswith("t ") and "(+" in line]
    assert [row[:6] for row in rows] == [["t", policy, "3", "+30", "±", "0"] for policy in ("fifo", "easy", "sjf")]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("compare", "s", "run"), "s: is a sweep; compare runs with runs and sweeps with sweeps"),
        (("compare", "s", "s"), "s: is given twice"),
        (("compare", "s", "--plot", "p.png"), "--plot: is for runs; s is a sweep"),
        (("compare", "s", "--force"), "--force: is for runs; s is a sweep"),
        (("compare", "run", "--metric", "wait_mean_s"), "--metric: is for sweeps; run is a run"),
        (("compare", "run", "--baseline", "policy=easy"), "--baseline: is for sweeps; run is a run"),
        (("compare", "s", "--metric", "wait_men_s"), "unknown metric 'wait_men_s'; did you mean 'wait_mean_s'?"),
        (("compare", "s", "--baseline", "policy=esy"), "no point has policy 'esy'; did you mean 'easy'?"),
        (("compare", "s", "--confidence", "95"), "--confidence 95: allowed: a percentage"),
        (("compare", "s", "--pareto", "wait_mean_s"), "--pareto wait_mean_s: allowed: two metrics"),
        (("plot", "s", "--from", "2026-01-01"), "--from: is for runs; s is a sweep"),
        (("plot", "run", "--pareto", "a,b"), "--pareto: is for sweeps; run is a run"),
        (("plot", "s", "--metric", "wait"), "--metric wait: unknown metric 'wait'"),
        (("compare", "none"), "is no run folder"),
    ],
)
def test_what_does_not_fit_is_refused(words, message):
    Path("run").mkdir()
    Path("run/run.json").write_text("{}")
    result = megawatt(*words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not result.stdout


def test_a_sweep_that_is_not_finished_says_how_to_go_on():
    Path("s/runs.parquet").unlink()
    for command in ("compare", "plot"):
        result = megawatt(command, "s")
        assert result.exit_code == 2
        assert "not finished; go on with --resume" in result.stderr


def test_the_pictures_of_a_sweep_are_listed_as_they_are_drawn():
    made = megawatt("plot", "s", "t", "--metric", "wait_mean_s", "--pareto", "wait_mean_s,completed_jobs")
    assert made.exit_code == 0, made.output
    drawn = [f"{folder}/{name}.png" for folder in "st" for name in ("comparison", "pareto")]
    assert made.stdout.splitlines() == drawn
    assert all(Path(name).read_bytes()[:4] == b"\x89PNG" for name in drawn)
