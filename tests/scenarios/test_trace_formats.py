"""The named formats: what their samples hold, and what of a log is no job."""

import re
from pathlib import Path

import pytest

from scenarios.chosen_rows import Where
from scenarios.errors import ScenarioError
from scenarios.files import LIBRARY
from scenarios.load import load
from scenarios.trace_formats import FORMATS
from scenarios.trace_keys import Asked
from scenarios.traces import read_trace


def jobs(trace):
    """Rows of number, submit, chips, run, estimate and tenant."""
    table = trace.jobs
    columns = (table.number, table.submit_s, table.chips, table.work, table.estimate)
    tenants = [table.tenant_names[index] for index in table.tenant]
    return list(zip(*(column.tolist() for column in columns), tenants, strict=True))


def sample(name, **asked):
    return read_trace(name, LIBRARY / FORMATS[name].sample, asked=Asked(**asked))


def test_the_helios_sample_holds_its_jobs():
    trace = sample("helios")
    assert trace.start.isoformat() == "2020-06-01T08:05:00+00:00"
    assert jobs(trace)[:3] == [
        (9001, 0, 1, 600, 600, "uA"),
        (9002, 397, 8, 7200, 7200, "uB"),
        (9004, 1482, 4, 1800, 1800, "uA"),
    ]
    assert trace.warnings == ("helios-sample.csv: 2 rows of jobs without a GPU left out, the first on line 4",)


def test_the_acme_sample_holds_its_jobs_whose_run_time_is_without_the_wait():
    trace = sample("acme")
    assert trace.start.isoformat() == "2023-05-01T06:07:00+00:00"
    assert jobs(trace)[:3] == [(1, 0, 64, 3600, 3600, "up"), (2, 481, 8, 120, 120, "uq"), (3, 1023, 1, 600, 600, "ur")]
    assert len(jobs(trace)) == 8
    assert trace.warnings == (
        "acme-sample.csv: 1 row of jobs that never started left out, the first on line 7",
        "acme-sample.csv: 1 row of jobs without a GPU left out, the first on line 5",
    )


def test_an_offset_of_acmes_times_counts(tmp_path):
    log = tmp_path / "log.csv"
    log.write_text(
        "job_id,user,node_num,gpu_num,cpu_num,type,state,submit_time,start_time,end_time,duration,queue,gpu_time\n"
        "1,u,1,8,128,Other,FAILED,2023-03-01 08:00:00+08:00,2023-03-01 08:00:30+08:00,"
        "2023-03-01 00:01:30+00:00,60,30,9\n"
    )
    trace = read_trace("acme", log)
    assert trace.start.isoformat() == "2023-03-01T00:00:00+00:00"
    assert trace.jobs.work.tolist() == [60.0]


def test_shares_of_a_gpu_are_refused_until_it_is_said_what_they_become():
    said = (
        r"openb-sample\.csv:4: gpu_milli: found '460', a share of a GPU \(2 such rows\); allowed: with shares: round-up"
    )
    with pytest.raises(ScenarioError, match=said):
        sample("openb")


def test_the_openb_sample_holds_its_whole_gpus():
    trace = sample("openb", shares="skip")
    found = [(submit, chips, run) for _, submit, chips, run, _, _ in jobs(trace)]
    assert found == [
        (1200, 8, 9000),
        (1450, 1, 3600),
        (2500, 2, 5400),
        (3450, 4, 7200),
        (4600, 1, 300),
        (5250, 8, 14400),
    ]
    assert trace.warnings == (
        "openb-sample.csv: 1 row of jobs that never started left out, the first on line 9",
        "openb-sample.csv: 1 row of jobs without a GPU left out, the first on line 5",
        "openb-sample.csv: 2 rows of pods that share a GPU left out, the first on line 4",
    )


def test_shares_of_a_gpu_may_be_rounded_up():
    trace = sample("openb", shares="round-up")
    assert [(chips, run) for _, submit, chips, run, _, _ in jobs(trace) if submit in (1750, 2950)] == [
        (1, 1800),
        (1, 90),
    ]
    assert (
        "openb-sample.csv: 2 rows of pods that share a GPU, rounded up to one GPU, the first on line 4"
        in trace.warnings
    )


def test_the_sacct_sample_holds_its_jobs():
    trace = sample("sacct")
    assert trace.start.isoformat() == "2024-03-04T09:04:00+00:00"
    assert jobs(trace) == [
        (7001, 0, 8, 3600, 7200, "ada"),
        (7002, 270, 1, 65, 1800, "bo"),
        (7003, 570, 4, 100_000, 172_800, "ada"),
        (7006, 1650, 2, 7200, 7200, "bo"),
        (7007, 2070, 16, 5000, 5000, "ada"),
        (7008, 2520, 1, 900, 900, "bo"),
    ]
    assert trace.warnings == (
        "sacct-sample.txt: 3 rows of job steps left out, the first on line 3",
        "sacct-sample.txt: 1 row of jobs that never started left out, the first on line 8",
        "sacct-sample.txt: 1 row of jobs without a GPU left out, the first on line 9",
    )


@pytest.mark.parametrize("column", ["AllocCPUS", "NCPUS"])
def test_chips_of_a_slurm_log_without_gpus_are_its_processors(tmp_path, column):
    log = tmp_path / "log"
    log.write_text(f"JobID|Submit|Start|Elapsed|{column}\n5_1|2024-01-01T00:00:00|2024-01-01T00:00:05|00:01:00|64\n")
    assert jobs(read_trace("sacct", log)) == [(1, 0, 64, 60, 60, "default")]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            "5|2024-01-01T00:00:00|2024-01-01T00:00:05|1:00|4",
            ":2: Elapsed: found '1:00'; allowed: a time such as 1-02:",
        ),
        ("5|yesterday|2024-01-01T00:00:05|00:01:00|4", ":2: Submit: found 'yesterday'; allowed: a time such as 2017-"),
        ("5|2024-01-01T00:00:00|2024-01-01T00:00:05|00:01:00|", ":2: NCPUS: found ''; allowed: a whole number"),
    ],
)
def test_a_bad_row_of_a_slurm_log_is_refused_by_its_line(tmp_path, row, said):
    (tmp_path / "log").write_text(f"JobID|Submit|Start|Elapsed|NCPUS\n{row}\n")
    with pytest.raises(ScenarioError) as error:
        read_trace("sacct", tmp_path / "log")
    assert str(error.value).removeprefix(str(tmp_path / "log")).startswith(said)


def test_every_sample_says_by_what_its_rows_may_be_chosen():
    texts = {
        "helios": ("COMPLETED", "vcX", "uA"),
        "acme": ("COMPLETED", "Pretrain", "up"),
        "sacct": ("COMPLETED", "gpu", "ada"),
    }
    for name, first in texts.items():
        path = LIBRARY / FORMATS[name].sample
        table = FORMATS[name].rows(path.read_text(), path)
        layout = FORMATS[name].layout(table, str(path), Asked())
        found = table.rows.head(1).select(**layout.texts).row(0, named=True)
        assert (found["status"], found["queue"], found["user"]) == first


def test_the_scenario_of_the_documentation_reads_every_sample(tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text()
    (tmp_path / "s.yaml").write_text(re.search(r"```yaml\n(name: formats\n.*?)```", text, re.DOTALL)[1])
    traces = load(tmp_path / "s.yaml").traces
    assert {name: len(trace.jobs) for name, trace in traces.items()} == {
        "helios": 10,
        "acme": 8,
        "openb": 8,
        "slurm": 6,
        "own": 10,
    }


@pytest.mark.parametrize(
    ("name", "where", "sizes"),
    [
        ("helios", {"status": "FAILED", "queue": "vcY"}, [4]),
        ("acme", {"queue": ["Debug", "SFT"], "user": "up"}, [16, 8]),
        ("openb", {"status": "Running", "chips": 4}, [4]),
        ("sacct", {"status": "TIMEOUT", "partition": "gpu", "user": "bo"}, [2]),
    ],
)
def test_rows_of_the_named_formats_can_be_chosen(name, where, sizes):
    shares = {"shares": "skip"} if name == "openb" else {}
    assert sample(name, where=Where.model_validate(where), **shares).jobs.chips.tolist() == sizes
