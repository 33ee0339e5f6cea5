"""Recorded logs: what each format reads, and how a bad row or file is refused."""

import gzip

import pytest

from scenarios.errors import ScenarioError
from scenarios.traces import read_trace

OWN = "number,submit_s,chips,run_s,estimate_s,tenant\n"
PHILLY = "timestamp,duration,num_gpus,gpu_time,cluster\n"


def swf(number=1, submit=0, run=100, procs=4, requested=8, request_s=200, user=7):
    """One line of the Standard Workload Format; the other of its 18 fields are missing."""
    return f"{number} {submit} -1 {run} {procs} -1 -1 {requested} {request_s} -1 1 {user} -1 -1 -1 -1 -1 -1\n"


@pytest.fixture
def read(tmp_path):
    """Reads a text or bytes as a trace named log."""

    def of(form, raw, on_bad_row="fail"):
        (tmp_path / "log").write_bytes(raw.encode() if isinstance(raw, str) else raw)
        return read_trace(form, tmp_path / "log", on_bad_row)

    return of


@pytest.fixture
def refusal(read, tmp_path):
    """The message of a trace that is refused, after the path."""

    def of(form, raw, on_bad_row="fail"):
        with pytest.raises(ScenarioError) as error:
            read(form, raw, on_bad_row)
        return str(error.value).removeprefix(str(tmp_path / "log"))

    return of


def column(trace, name):
    return getattr(trace.jobs, name).tolist()


def tenants(trace):
    return [trace.jobs.tenant_names[index] for index in trace.jobs.tenant]


def test_an_swf_line_becomes_a_job(read):
    trace = read("swf", swf(number=3, submit=50))
    found = [column(trace, name) for name in ("number", "submit_s", "chips", "work", "estimate")]
    assert found == [[3], [50.0], [8], [100.0], [200.0]]
    assert tenants(trace) == ["7"]
    assert trace.warnings == ()


@pytest.mark.parametrize("missing", [-1, 0])
def test_missing_requested_processors_fall_back_to_the_allocated_ones(read, missing):
    assert column(read("swf", swf(requested=missing)), "chips") == [4]


@pytest.mark.parametrize("missing", [-1, 0])
def test_a_missing_request_of_time_falls_back_to_the_run_time(read, missing):
    assert column(read("swf", swf(request_s=missing)), "estimate") == [100.0]


def test_a_missing_user_is_the_tenant_unknown(read):
    assert tenants(read("swf", swf(user=-1) + swf(user=5))) == ["unknown", "5"]


def test_comments_and_blank_lines_are_passed_over_and_still_count_as_lines(read, refusal):
    text = "; Version: 2\n\n  ; indented\n" + swf() + "   \n\r\n" + swf(number=2, submit=5)
    assert column(read("swf", text), "number") == [1, 2]
    assert refusal("swf", text + swf(run=-1)).startswith(":8: run_s: found '-1'; ")


def test_a_relative_clock_is_kept_and_jobs_are_sorted_by_submission_ties_as_recorded(read):
    trace = read("swf", swf(1, submit=90) + swf(2, submit=50) + swf(3, submit=90) + swf(4, submit=50))
    assert column(trace, "number") == [2, 4, 1, 3]
    assert column(trace, "submit_s") == [50.0, 50.0, 90.0, 90.0]


def test_many_jobs_of_one_instant_keep_the_order_of_the_log(read):
    trace = read("swf", "".join(swf(number, submit=5 - number % 2) for number in range(2_000)))
    assert column(trace, "number") == [*range(1, 2_000, 2), *range(0, 2_000, 2)]


def test_fields_may_stand_apart_by_any_spaces_and_lines_end_as_on_windows(read):
    assert column(read("swf", "\t" + swf().replace(" ", "   ").replace("\n", "\r\n")), "chips") == [8]


@pytest.mark.parametrize(("form", "text"), [("swf", swf()), ("csv", OWN + "1,0,2,3,4,a\n")])
def test_a_compressed_file_is_known_by_its_first_bytes_not_its_name(read, form, text):
    assert column(read(form, gzip.compress(text.encode())), "number") == [1]


@pytest.mark.parametrize(
    "raw",
    [
        gzip.compress(swf().encode() * 50)[:-12],
        gzip.compress(swf().encode())[:-8] + b"12345678",
        gzip.compress(swf().encode()) + b"rest",
        b"\x1f\x8b",
        b"\x1f\x8b\x08" + b"\x00" * 30,
    ],
    ids=["cut", "checksum", "rest", "magic only", "zeros"],
)
def test_a_damaged_compressed_file_is_refused(refusal, raw):
    assert refusal("swf", raw).startswith(": is damaged: ")


HINT = "; on_bad_row: skip leaves such rows out"
BAD_ROWS = [
    ("swf", swf(run=-1), "run_s: found '-1'; allowed: seconds of at least 0"),
    ("swf", swf(submit=-5), "submit_s: found '-5'; allowed: seconds of at least 0"),
    ("swf", swf(submit="nan"), "submit_s: found 'nan'; allowed: seconds of at least 0"),
    ("swf", swf(run="inf"), "run_s: found 'inf'; allowed: seconds of at least 0"),
    ("swf", swf(number="x"), "number: found 'x'; allowed: a job number"),
    ("swf", swf(requested=-1, procs=-1), "chips: found '-1'; allowed: a whole number of processors of at least 1"),
    ("swf", swf(requested=1.5), "chips: found '1.5'; allowed: a whole number of processors of at least 1"),
    ("swf", "1 2 3\n", "found 3 fields; allowed: 18"),
    ("csv", "2,0,0,5,5,a\n", "chips: found '0'; allowed: a whole number of chips of at least 1"),
    ("csv", "2,0,1,,5,a\n", "run_s: found ''; allowed: seconds of at least 0"),
    ("csv", "2,0,1,5,-1,a\n", "estimate_s: found '-1'; allowed: seconds of at least 0"),
    ("csv", "2,0,1\n", "found 3 fields; allowed: 6"),
    ("philly", "yesterday,5,1,5,a\n", "timestamp: found 'yesterday'; allowed: a time such as 2017-10-09 07:01:55"),
    ("philly", "2017-10-09 07:01:55,5,0,0,a\n", "num_gpus: found '0'; allowed: a whole number of GPUs of at least 1"),
    ("philly", "2017-10-09 07:01:55,5,1,5\n", "found 4 fields; allowed: 5"),
]
GOOD_ROWS = {
    "swf": "; log\n" + swf(),
    "csv": OWN + "1,0,2,3,4,a\n",
    "philly": PHILLY + "2017-10-09 07:01:55,5.0,1,5.0,a\n",
}


@pytest.mark.parametrize(("form", "row", "said"), BAD_ROWS)
def test_a_bad_row_is_refused_with_its_line_number(refusal, form, row, said):
    assert refusal(form, GOOD_ROWS[form] + row) == f":3: {said}{HINT}"


@pytest.mark.parametrize(("form", "row", "said"), BAD_ROWS)
def test_skip_leaves_bad_rows_out_and_counts_them(read, form, row, said):
    trace = read(form, GOOD_ROWS[form] + row + row, "skip")
    assert len(trace.jobs) == 1
    assert trace.warnings == ("log: 2 bad rows skipped, the first on line 3",)


def test_a_philly_trace_is_sorted_and_starts_at_zero(read):
    rows = ["2017-10-09 00:01:40,60.0,8,480.0,b\n", "2017-10-09 00:00:10,30.0,1,30.0,a\n"]
    trace = read("philly", PHILLY + "".join(rows) + "2017-10-10 00:00:10,5,2,10,a\n")
    assert column(trace, "submit_s") == [0.0, 90.0, 86_400.0]
    assert column(trace, "chips") == [1, 8, 2]
    assert column(trace, "number") == [2, 1, 3]
    assert column(trace, "estimate") == column(trace, "work") == [30.0, 60.0, 5.0]
    assert tenants(trace) == ["a", "b", "a"]


def test_rows_that_stand_twice_are_kept_and_counted(read):
    row = "2017-10-09 00:01:40,60.0,8,480.0,b\n"
    trace = read("philly", PHILLY + row * 3 + row.replace(",b", ",a"))
    assert len(trace.jobs) == 4
    assert trace.warnings == ("log: 2 rows stand twice and are kept as recorded",)


def test_our_own_table_may_leave_out_estimate_and_tenant_and_order_its_columns_freely(read):
    trace = read("csv", "run_s, chips ,submit_s,number,note\n30,2,5.5,9,x\n")
    found = [column(trace, name) for name in ("number", "submit_s", "chips", "work", "estimate")]
    assert found == [[9], [5.5], [2], [30.0], [30.0]]
    assert tenants(trace) == ["default"]


@pytest.mark.parametrize(
    ("form", "raw", "said"),
    [
        (
            "csv",
            "number,submit,chips,run_s\n1,2,3,4\n",
            ":1: unknown column 'submit_s'; did you mean 'submit'? (allowed: number, submit, chips, run_s)",
        ),
        ("philly", OWN, ":1: unknown column 'timestamp' (allowed: number, "),
        ("csv", "", ": holds no job"),
        ("csv", OWN, ": holds no job"),
        ("swf", "", ": holds no job"),
        ("swf", "; only a comment\n", ": holds no job"),
        ("swf", b"\xff\xfe\x00\n", ":1: found 1 fields; allowed: 18"),
    ],
)
def test_a_file_without_jobs_or_columns_is_refused(refusal, form, raw, said):
    assert refusal(form, raw).startswith(said)


def test_a_trace_of_bad_rows_alone_is_refused_even_when_they_are_skipped(refusal):
    why = "1 bad row skipped, the first on line 1: run_s: found '-1'; allowed: seconds of at least 0"
    assert refusal("swf", swf(run=-1), "skip") == f": holds no job that can be replayed: {why}"


def test_an_unknown_format_is_refused_with_the_nearest_name(refusal):
    said = (
        "unknown trace format 'phily'; did you mean 'philly'? (allowed: acme, csv, helios, openb, philly, sacct, swf)"
    )
    assert refusal("phily", "") == said


def test_a_trace_that_cannot_be_read_is_refused_with_the_reason(tmp_path):
    with pytest.raises(ScenarioError, match="cannot be read: No such file or directory"):
        read_trace("swf", tmp_path / "lost.swf")


def test_the_date_of_an_swf_logs_second_zero_is_what_its_header_says(tmp_path):
    (tmp_path / "log.swf").write_text("; UnixStartTime: 1027839845\n1 0 -1 5 1 -1 -1 1 5 -1 1 0 0 -1 1 1 -1 -1\n")
    assert read_trace("swf", tmp_path / "log.swf").start.isoformat() == "2002-07-28T07:04:05+00:00"


def burst(number=1, submit=0, run=100, allocated=4, requested=4, status=1):
    """One line of the Standard Workload Format with its status."""
    return f"{number} {submit} 0 {run} {allocated} -1 -1 {requested} 200 -1 {status} 7 -1 -1 -1 -1 -1 -1\n"


def test_partial_executions_are_left_out_whatever_their_other_fields(read):
    parts = burst(status=2) + burst(status=3, submit=-1) + burst(status=4, run="x")
    trace = read("swf", burst(run=300) + parts + burst(2, 20))
    assert column(trace, "work") == [300.0, 100.0]
    said = "log: 3 rows of partial executions (status 2, 3 or 4) left out, the first on line 2"
    assert trace.warnings == (said,)


@pytest.mark.parametrize("nothing", [0, -1])
def test_a_job_cancelled_before_it_started_is_left_out_and_counted(read, nothing):
    trace = read("swf", burst() + burst(2, 10, run=nothing, allocated=nothing, requested=8, status=5))
    assert column(trace, "number") == [1]
    said = "log: 1 row of jobs cancelled before they started (status 5) left out, the first on line 2"
    assert trace.warnings == (said,)


@pytest.mark.parametrize(("status", "allocated", "run"), [(5, 4, 0), (1, 4, 0), (0, 4, 0), (5, 4, 30), (5, 0, 30)])
def test_a_job_that_ran_stays_however_short(read, status, allocated, run):
    assert column(read("swf", burst(run=run, allocated=allocated, status=status)), "work") == [run]


def test_fields_after_the_18th_are_passed_over_with_one_warning(read):
    longer = swf(2).replace("\n", " 0 q_short 1:ppn=2\n")
    trace = read("swf", swf() + longer + longer.replace("2", "3", 1))
    assert column(trace, "number") == [1, 2, 3]
    said = "log: 2 rows of more than 18 fields, of which the first 18 are read, the first on line 2"
    assert trace.warnings == (said,)


@pytest.mark.parametrize(
    ("form", "text"),
    [("swf", swf(7) + swf(8) + swf(7, 5)), ("csv", "number,submit_s,chips,run_s\n7,0,1,1\n7,1,1,1\n")],
)
def test_a_number_of_two_jobs_is_said_with_the_line_where_it_stands_again(read, form, text):
    assert read(form, text).warnings == ("log: 1 job number stands for more than one job, the first again on line 3",)


def test_begin_first_job_lays_the_first_job_on_second_0_and_its_date_on_the_start(tmp_path):
    (tmp_path / "log").write_text("; UnixStartTime: 1000000000\n; MaxProcs: 8\n" + swf(1, 500) + swf(2, 560))
    trace = read_trace("swf", tmp_path / "log", begin="first-job")
    assert column(trace, "submit_s") == [0.0, 60.0]
    assert trace.start.timestamp() == 1_000_000_500
    assert trace.facts == {"UnixStartTime": "1000000000", "MaxProcs": "8"}
