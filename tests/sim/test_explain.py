"""`megawatt explain`: what it prints of a run, from the folder alone, and what it says of a damaged one."""

import json
import shutil

import polars as pl
import pytest
from click.testing import CliRunner

from sim.cli import main

SCENARIO = """
name: small
horizon: 2 hours
fleet: [{pool: east, rack: plain, chips: 10}, {pool: west, rack: plain, chips: 20}]
workload: [{class: a, kind: trace, format: csv, file: a.csv}]
"""


def explain(folder):
    done = CliRunner().invoke(main, ["explain", str(folder)])
    return done.exit_code, done.output


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A run in which a gang of 15 runs for two hours and one of 12 waits, and the scenario it came from is gone."""
    folder = tmp_path_factory.mktemp("explain")
    (folder / "a.csv").write_text("number,submit_s,chips,run_s\n1,0,15,7200\n2,3600,12,3600\n")
    (folder / "s.yaml").write_text(SCENARIO)
    done = CliRunner().invoke(main, ["run", str(folder / "s.yaml"), "--out", str(folder / "run"), "--quiet"])
    assert done.exit_code == 0, done.output
    (folder / "a.csv").unlink()
    (folder / "s.yaml").unlink()
    return folder / "run"


@pytest.fixture
def damaged(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "run")
    return tmp_path / "run"


def test_explain_prints_the_states_and_the_largest_losses_with_their_levers(saved):
    assert explain(saved) == (
        0,
        """\
small (fifo, easy, pack, reserve; seed 0)
                      east    west     all  chip-h
productive           0.0 %  75.0 %  50.0 %   30.00
no demand           65.0 %  12.5 %  30.0 %   18.00
no portable job     35.0 %   0.0 %  11.7 %    7.00
fragmentation        0.0 %  12.5 %   8.3 %    5.00
delivered [chip-h]   20.00   40.00           60.00

the largest losses
1. no demand: 18.00 chip-h, 30.0 % of what was delivered; 72.2 % of it in east
   Nobody waited for these chips.
   Lever: more arrivals, or fewer racks.
2. no portable job: 7.00 chip-h, 11.7 % of what was delivered; 100.0 % of it in east
   Those who waited could not use these chips, by their stack, their memory or their size.
   Lever: portable_share and stacks of the classes, smaller gangs, or other racks in the fleet.
3. fragmentation: 5.00 chip-h, 8.3 % of what was delivered; 100.0 % of it in west
   No whole gang of those who waited fitted where these chips were.
   Lever: topology: {preferred: domain}, the placement policy, or gang sizes that divide a domain.
""",
    )


def test_a_run_keeps_its_capacity_as_table_summary_and_picture(saved):
    frame = pl.read_parquet(saved / "capacity.parquet")
    assert frame.columns == ["pool", "state", "chip_s"]
    summary = json.loads((saved / "summary.json").read_text())
    shares = [share for name, share in summary.items() if name.startswith("capacity/")]
    assert len(shares) == 13 and sum(shares) == pytest.approx(1)
    assert summary["delivered_chip_h"] == frame["chip_s"].sum() / 3600 == 60
    assert (saved / "capacity.png").stat().st_size > 10_000


def test_what_is_lost_is_worth_tokens_where_all_jobs_train(tmp_path):
    path = tmp_path / "s.yaml"
    path.write_text(
        "name: t\nhorizon: 5 days\nsite: {feed: 60 kW}\nfleet: [{pool: p, rack: dgx-h100, count: 4}]\nworkload:\n"
        "  - {class: a, kind: fine-tuning, model: llama3-8b, chips: {choice: [8, 16]}, tokens: 1e9,\n"
        "     arrivals: {per_hour: 1}, stacks: [cuda]}\n"
    )
    done = CliRunner().invoke(main, ["run", str(path), "--out", str(tmp_path / "run"), "--quiet", "--no-render"])
    assert done.exit_code == 0, done.output
    code, text = explain(tmp_path / "run")
    assert code == 0
    assert "tokens at the rate of productive chips" in text
    assert "contracted" in text and "stranded: left while jobs waited" in text


def test_a_folder_without_capacity_says_so(damaged):
    (damaged / "capacity.parquet").unlink()
    code, text = explain(damaged)
    assert code == 2 and "holds no capacity.parquet" in text


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame.drop("chip_s"),
        lambda frame: frame.head(5),
        lambda frame: frame.clear(),
        lambda frame: frame.with_columns(pl.lit("gone").alias("state")),
        lambda frame: frame.with_columns(pl.lit("many").alias("chip_s")),
        lambda frame: frame.with_columns(pl.lit(None, pl.Float64).alias("chip_s")),
        lambda frame: frame.with_columns(pl.lit(float("nan")).alias("chip_s")),
        lambda frame: frame.with_columns(pl.lit(None, pl.String).alias("pool")),
    ],
)
def test_a_damaged_table_is_named(damaged, change):
    path = damaged / "capacity.parquet"
    change(pl.read_parquet(path)).write_parquet(path)
    code, text = explain(damaged)
    assert code == 2 and "capacity.parquet: is damaged" in text, text


def test_other_damage_is_named_too(damaged, tmp_path):
    (damaged / "capacity.parquet").write_bytes(b"PAR1")
    assert explain(damaged)[0] == 2
    (damaged / "run.json").write_text("{}")
    assert explain(damaged)[0] == 2
    assert explain(tmp_path)[0] == explain(tmp_path / "none")[0] == 2
