"""Tables of any columns as logs: which column is what of a job, in which unit, and how a wrong one is refused."""

import pytest

from scenarios.errors import ScenarioError
from scenarios.load import load
from scenarios.trace_keys import Asked, ColumnKeys
from scenarios.traces import read_trace

SCENARIO = """name: log
horizon: 1 day
start: 2023-01-31
fleet: [{{pool: nodes, rack: plain, chips: 8}}]
policy: {{order: fifo, placement: pack}}
workload:
  - class: log
    kind: trace
    format: {format}
    file: log
{keys}
"""


@pytest.fixture
def read(tmp_path):
    """Reads a table by the columns of the keys, as rows of submit, chips, run, estimate and tenant, with the start."""

    def of(text, **keys):
        (tmp_path / "log").write_text(text)
        trace = read_trace("csv", tmp_path / "log", asked=Asked(ColumnKeys.model_validate(keys)))
        jobs = trace.jobs
        tenants = [jobs.tenant_names[index] for index in jobs.tenant]
        rows = zip(*(column.tolist() for column in (jobs.submit_s, jobs.chips, jobs.work, jobs.estimate)), strict=True)
        return [(*row, tenant) for row, tenant in zip(rows, tenants, strict=True)], trace.start

    return of


@pytest.fixture
def refusal(tmp_path):
    """The message of a scenario with such keys of a trace, after the folder."""

    def of(text, *keys, format="csv"):
        (tmp_path / "log").write_text(text)
        (tmp_path / "s.yaml").write_text(SCENARIO.format(format=format, keys="\n".join(f"    {key}" for key in keys)))
        with pytest.raises(ScenarioError) as error:
            load(tmp_path / "s.yaml")
        return str(error.value).removeprefix(f"{tmp_path}/")

    return of


def test_columns_are_what_the_keys_say_in_their_units(read):
    text = "id;gpu_num;start_time;took;limit;user\n7;2;1500;0,5;1;ann\n8;1;250;2;;\n"
    keys = {
        "submit": {"name": "start_time", "unit": "ms"},
        "run": {"name": "took", "unit": "min"},
        "estimate": {"name": "limit", "unit": "h"},
    }
    rows, start = read(text, chips="gpu_num", tenant="user", number="id", **keys)
    assert rows == [(0.25, 1, 120.0, 120.0, "unknown"), (1.5, 2, 30.0, 3600.0, "ann")]
    assert start is None


@pytest.mark.parametrize(
    ("submit", "start", "end"),
    [
        ("2023-01-31 18:00:00", "2023-01-31 18:00:10", "2023-01-31 19:00:10"),
        ("2023-01-31T20:00:00+02:00", "2023-01-31T18:00:10Z", "2023-01-31 12:00:10-0700"),
        ("2023-01-31 18:00", "2023-01-31T18:00", "2023-01-31T19:00:00.000"),
    ],
)
def test_dates_are_an_absolute_clock_and_a_run_may_be_the_time_between_two(read, submit, start, end):
    text = f"at,from,to,n\n2023-01-31 18:00:30Z,2023-02-01,2023-02-02,1\n{submit},{start},{end},4\n"
    rows, begun = read(text, submit="at", chips="n", run={"from": "from", "to": "to"})
    assert rows == [(0.0, 4, 3600.0, 3600.0, "default"), (30.0, 1, 86_400.0, 86_400.0, "default")]
    assert begun.isoformat() == "2023-01-31T18:00:00+00:00"


def test_a_run_between_two_numbers_is_in_their_units(read):
    run = {"from": {"name": "a", "unit": "ms"}, "to": "b"}
    assert read("s,a,b,n\n0,500,2,1\n", submit="s", chips="n", run=run)[0] == [(0.0, 1, 1.5, 1.5, "default")]


TABLE = "at,begin,end,gpus\n5,10,20,1\n6,20,10,1\n"
COLUMNS = "columns: {submit: at, chips: gpus, run: {from: begin, to: end}}"


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            COLUMNS,
            "log:3: begin to end: found '20 to 10'; allowed: a start and an end that is not earlier; on_bad_row: ",
        ),
        (
            COLUMNS.replace("gpus", "gpu"),
            "log:1: unknown column 'gpu'; did you mean 'gpus'? (allowed: at, begin, end, ",
        ),
        ("columns: {submit: at, run: end}", "s.yaml:11: workload.log.columns.chips: this key is missing"),
        (
            "columns: {submit: at, chips: gpus, run: {to: end}}",
            "s.yaml:11: workload.log.columns.run.from: this key is ",
        ),
        (
            "columns: {submit: {name: at, unit: MW}, chips: gpus, run: end}",
            "s.yaml:11: workload.log.columns.submit.unit: found 'MW'; allowed: a unit of time such as s, ms, min, h",
        ),
        (
            "columns: {submit: at, chips: gpus, run: end, tenants: gpus}",
            "s.yaml:11: workload.log.columns.tenants: unknown key; did you mean 'tenant'? (allowed: submit, chips, ",
        ),
        ("shares: skip", "s.yaml:11: workload.log.shares: allowed: with format: openb"),
    ],
)
def test_a_wrong_column_or_key_is_refused_where_it_stands(refusal, keys, said):
    assert refusal(TABLE, keys).startswith(said)


def test_columns_go_with_the_format_csv_alone(refusal):
    assert refusal(TABLE, COLUMNS, format="swf").endswith("columns: allowed: with format: csv")


def test_a_comma_that_may_mean_either_is_refused(refusal):
    text = 'at,took,gpus\n5,"1,250",1\n'
    said = "log: took: found '1,250', whose comma may be of decimals or of thousands; allowed: without marks of "
    assert refusal(text, "columns: {submit: at, chips: gpus, run: took}").startswith(said)


def test_a_run_between_a_date_and_a_number_is_refused(refusal):
    text = "at,begin,end,gpus\n5,None,20,1\n5,2023-01-31 18:00,20,1\n"
    assert refusal(text, COLUMNS) == "log: begin to end: found dates and numbers; allowed: two of one kind"


def test_a_column_of_numbers_may_begin_with_no_time(refusal):
    said = "log:2: begin to end: found 'None to 20'; allowed: a start and an end that is not earlier; on_bad_row: "
    assert refusal("at,begin,end,gpus\n5,None,20,1\n5,10,20,1\n", COLUMNS).startswith(said)
