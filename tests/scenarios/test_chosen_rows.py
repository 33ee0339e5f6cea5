"""The key where of a trace: which rows of a log are replayed."""

import gzip

import pytest

from scenarios.errors import ScenarioError
from scenarios.load import load

SWF = """; UnixStartTime: 1704067200
1 0 -1 10 2 -1 -1 2 20 -1 1 5 7 -1 1 3 -1 -1
2 100 -1 10 4 -1 -1 4 20 -1 0 5 7 -1 2 3 -1 -1
3 86400 -1 10 8 -1 -1 8 20 -1 1 6 8 -1 2 4 -1 -1
4 172800 -1 -1 0 -1 -1 8 20 -1 1 6 8 -1 1 4 -1 -1
"""
CSV = "number,submit_s,chips,run_s,tenant\n1,0,1,5,a\n2,10,2,5,b\n3,20,3,5,a\n"
PHILLY = """timestamp,duration,num_gpus,gpu_time,cluster
2017-10-01 00:00:00,10,1,10,x
2017-10-03 00:00:00,10,2,20,y
"""
SCENARIO = """name: chosen
horizon: {horizon}
fleet: [{{pool: p, rack: plain, chips: 64}}]
workload:
  - class: log
    kind: trace
    format: {form}
    file: {file}
    where: {where}
"""


@pytest.fixture
def loaded(tmp_path):
    def load_it(where, form="swf", text=SWF, more="", horizon="30 days"):
        (tmp_path / "log").write_text(text)
        path = tmp_path / "s.yaml"
        path.write_text(SCENARIO.format(where=where, form=form, file=tmp_path / "log", horizon=horizon) + more)
        return load(path)

    return load_it


@pytest.fixture
def numbers(loaded):
    def chosen(*args, **more):
        return loaded(*args, **more).traces["log"].jobs.number.tolist()

    return chosen


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("{status: 0}", [2]),
        ("{status: [0, 1], queue: 2}", [2, 3]),
        ("{partition: [3]}", [1, 2]),
        ("{user: 6, queue: 2}", [3]),
        ("{group: '7'}", [1, 2]),
        ("{chips: 4}", [2]),
        ("{chips: [2, 8], to: 2 days}", [1, 3]),
        ("{chips: {from: 3, to: 4}}", [2]),
        ("{chips: {to: 3}}", [1]),
        ("{from: 2024-01-02, to: 2024-01-03}", [3]),
        ("{to: 2024-01-02}", [1, 2]),
        ("{from: 50 s, to: 2 hours}", [2]),
    ],
)
def test_rows_of_swf_are_chosen_by_what_they_say(numbers, where, expected):
    assert numbers(where) == expected


def test_rows_that_are_not_chosen_are_not_looked_at_further(loaded):
    with pytest.raises(ScenarioError, match="run_s"):
        loaded("{user: 6}")  # job 4 has no run time
    assert loaded("{user: 5}").warnings == []


def test_tables_are_chosen_by_tenant_and_size(numbers):
    assert numbers("{user: a, chips: {from: 2}}", "csv", CSV) == [3]
    assert numbers("{queue: y}", "philly", PHILLY) == [1]
    assert numbers("{to: 2017-10-02}", "philly", PHILLY) == [1]
    assert numbers("{to: 1 day}", "philly", PHILLY) == [1]
    assert numbers("{user: [x, y]}", "philly", PHILLY) == [1, 2]


def test_the_first_of_the_chosen_can_be_laid_on_second_0(loaded):
    jobs = loaded("{queue: 2}", more="    begin: first-job\n    jobs: 2\n").traces["log"].jobs
    assert (jobs.number.tolist(), jobs.submit_s.tolist()) == ([2, 3], [0, 86300])


@pytest.mark.parametrize(
    ("where", "form", "text", "message"),
    [
        ("{status: 9}", "swf", SWF, r"log: holds no job that where chooses, of 4 rows; status is 0, 1$"),
        ("{status: 1}", "csv", CSV, r"s\.yaml:9: workload\.log\.where\.status: .* allowed: user, chips, from, to"),
        ("{from: 2024-01-01}", "csv", CSV, r"where\.from: the log does not say the date .* such as 30 days"),
        ("{from: 2 days, to: 1 day}", "swf", SWF, r"where\.to: allowed: later than from"),
        ("{}", "swf", SWF, r"where: allowed: at least one of status, .*, chips, from, to"),
        ("{colour: red}", "swf", SWF, r"where\.colour: unknown key"),
        ("{chips: 0}", "swf", SWF, r"where\.chips"),
        ("{from: soon}", "swf", SWF, r"where\.from: found 'soon'"),
    ],
)
def test_what_cannot_be_chosen_by_is_said_at_its_key(loaded, where, form, text, message):
    with pytest.raises(ScenarioError, match=message):
        loaded(where, form, text)


def test_what_was_chosen_stands_in_the_resolved_scenario(loaded, tmp_path):
    scenario = loaded("{status: [0, 1], chips: {to: 4}, from: 2024-01-01, to: 9 days}")
    assert scenario.keys.workload[0].model_dump(by_alias=True, exclude_none=True)["where"] == {
        "status": [0, 1],
        "chips": {"from": 1, "to": 4},
        "from": "2024-01-01T00:00:00",
        "to": "9 days",
    }


def test_a_users_jobs_of_a_real_log_are_as_many_as_its_lines_say(data, tmp_path):
    log = data / "traces/hpc2n-2002/HPC2N-2002-2.1-cln.swf.gz"
    with gzip.open(log, "rt") as text:
        lines = [line.split() for line in text if line.strip() and not line.startswith(";")]
    user = lines[0][11]
    count = sum(fields[11] == user and int(fields[4]) <= 8 for fields in lines)
    path = tmp_path / "s.yaml"
    where = f"{{user: {user}, chips: {{to: 8}}}}"
    path.write_text(SCENARIO.format(where=where, form="swf", file=log.resolve(), horizon="until-done"))
    assert 0 < len(load(path).traces["log"].jobs) == count < len(lines)
