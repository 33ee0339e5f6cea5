"""A scenario file to a checked scenario: names, files, policies and what it hands on."""

import datetime
import io
import math

import numpy as np
import pytest
from ruamel.yaml import YAML

from scenarios.errors import ScenarioError
from scenarios.files import LIBRARY, find, library, locate
from scenarios.jobs import BATCH_JOBS
from scenarios.load import load
from scenarios.schema import DEFAULT_START

SMALL = """\
name: a
horizon: 7 days
fleet: [{pool: cpu, rack: plain, chips: 8}]
workload:
  - {class: w, kind: synthetic, chips: CHIPS, duration: 1 hour, arrivals: {per_hour: 40}}
"""
REPLAY = """\
name: a
horizon: HORIZON
fleet: [{pool: cpu, rack: plain, chips: 8}]
workload:
  - {class: log, kind: trace, format: FORMAT, file: FILE}
"""
OWN = "number,submit_s,chips,run_s\n"


def synthetic(chips="1"):
    return SMALL.replace("CHIPS", chips)


def replay(file="log.csv", form="csv", horizon="until-done"):
    return REPLAY.replace("FILE", file).replace("FORMAT", form).replace("HORIZON", horizon)


@pytest.fixture
def log(tmp_path):
    """Writes log.csv of so many jobs, one a second, of 2 chips and more."""

    def write(number):
        (tmp_path / "log.csv").write_text(OWN + "".join(f"{n},{n},{n + 1},5\n" for n in range(1, number + 1)))

    return write


def tables(scenario, seed=1):
    """The jobs of the first class, in batches."""
    return list(scenario.jobs(scenario.keys.workload[0], seed, lambda jobs: np.ones(len(jobs))))


def submitted(scenario):
    """The submit times of the first class."""
    return np.concatenate([table.submit_s for table in tables(scenario)])


def test_a_library_scenario_is_found_by_its_name():
    assert find("hello") == LIBRARY / "hello.yaml"
    assert find("hello") in library()


def test_a_file_is_found_by_its_path_before_a_library_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hello").write_text(synthetic())
    assert load(find("hello")).keys.name == "a"


def test_a_name_that_is_nowhere_is_refused_with_the_nearest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScenarioError) as error:
        find("helo")
    assert error.value.message.startswith(
        "no such file, and no library scenario; did you mean 'hello'? (library: curtailment, dual-track, hello"
    )
    assert error.value.where == "helo"


def test_a_file_is_looked_for_beside_the_scenario(loaded, log, tmp_path):
    log(3)
    scenario = loaded(replay())
    assert scenario.keys.workload[0].file == str(tmp_path / "log.csv")
    assert submitted(scenario).tolist() == [1.0, 2.0, 3.0]


def test_the_files_of_an_empirical_law_are_looked_for_beside_the_scenario_too(loaded, tmp_path):
    (tmp_path / "sizes").mkdir()
    (tmp_path / "sizes" / "v.csv").write_text("v\n1\n2\n")
    law = "{empirical: {file: sizes/v.csv, column: v}}"
    assert loaded(synthetic(law)).keys.workload[0].chips.empirical.file == str(tmp_path / "sizes" / "v.csv")


def test_a_missing_file_of_an_empirical_law_is_refused_where_it_is_named(loaded):
    with pytest.raises(ScenarioError, match=r"s\.yaml:5: workload\.w\.chips: no such file: .*lost\.csv"):
        loaded(synthetic("{empirical: {file: lost.csv, column: v}}"))


def test_a_file_of_the_library_keeps_its_bare_name(loaded):
    keys = loaded(replay("philly-sample.csv.gz", "philly")).keys
    assert keys.workload[0].file == "philly-sample.csv.gz"
    assert load(find("philly")).keys.workload[0].file == "philly-sample.csv.gz"
    assert locate("philly-sample.csv.gz") == LIBRARY / "philly-sample.csv.gz"


def test_a_file_beside_the_scenario_wins_over_one_of_the_library(loaded, tmp_path):
    (tmp_path / "philly-sample.csv.gz").write_text(OWN + "1,0,2,3\n")
    assert len(submitted(loaded(replay("philly-sample.csv.gz")))) == 1


@pytest.mark.parametrize("file", ["lost.csv", ".", "../lost.csv"])
def test_a_missing_trace_is_refused_at_its_key(loaded, tmp_path, file):
    with pytest.raises(ScenarioError) as error:
        loaded(replay(file))
    assert error.value.where == f"{tmp_path}/s.yaml:5"
    assert error.value.message == f"workload.log.file: no such file: {(tmp_path / file).resolve()}"


def test_an_unknown_trace_format_is_refused_at_its_key(loaded, log, tmp_path):
    log(1)
    with pytest.raises(ScenarioError) as error:
        loaded(replay(form="cvs"))
    assert error.value.where == f"{tmp_path}/s.yaml:5"
    assert error.value.message.startswith("workload.log.format: unknown trace format 'cvs'; did you mean 'csv'?")


def test_a_bad_row_is_refused_at_the_line_of_the_trace_not_of_the_scenario(loaded, log, tmp_path):
    log(2)
    with (tmp_path / "log.csv").open("a") as file:
        file.write("3,0,0,5\n")
    with pytest.raises(ScenarioError) as error:
        loaded(replay())
    assert error.value.where == f"{tmp_path}/log.csv:4"
    assert loaded(replay(), "workload.log.on_bad_row=skip").warnings == [
        "log.csv: 1 bad row skipped, the first on line 4"
    ]


def test_jobs_keeps_the_first_of_a_trace_and_the_horizon_those_up_to_it(loaded, log):
    log(10)
    assert submitted(loaded(replay(), "workload.log.jobs=4")).tolist() == [1, 2, 3, 4]
    assert submitted(loaded(replay(horizon="5 s"))).tolist() == [1, 2, 3, 4, 5]


def test_a_long_trace_is_handed_on_in_batches_that_lose_nothing(loaded, log):
    log(2 * BATCH_JOBS + 5)
    scenario = loaded(replay())
    sizes = [len(table) for table in tables(scenario)]
    assert sizes == [BATCH_JOBS, BATCH_JOBS, 5]
    assert submitted(scenario).tolist() == list(range(1, 2 * BATCH_JOBS + 6))


def test_synthetic_jobs_end_at_the_horizon(loaded):
    times = submitted(loaded(synthetic()))
    assert 6.9 * 86_400 < times.max() <= 7 * 86_400


@pytest.mark.parametrize(
    ("chips", "smallest"),
    [
        ("4", 4),
        ("{choice: {8: 1, 2: 9}}", 2),
        ("{choice: [8, 3]}", 3),
        ("{uniform: [5, 9]}", 5),
        ("{exponential: {mean: 9}}", 1),
    ],
)
def test_the_smallest_gang_is_what_the_law_can_draw_at_least(loaded, chips, smallest):
    scenario = loaded(synthetic(chips))
    assert scenario.gang_sizes(scenario.keys.workload[0])[0] == smallest
    assert min(table.chips.min() for table in tables(scenario)) == smallest


def test_the_smallest_gang_of_a_trace_is_its_smallest_job(loaded, log):
    log(3)
    scenario = loaded(replay())
    assert scenario.gang_sizes(scenario.keys.workload[0])[0] == 2


def test_a_bare_word_is_a_policy_preset_whose_axes_an_override_may_change(loaded):
    text = synthetic() + "policy: easy\n"
    assert loaded(text).keys.policy.preset == "easy"
    changed = loaded(text, "policy.order=sjf").keys.policy
    assert (changed.preset, changed.order, changed.backfill) == ("easy", "sjf", None)
    again = loaded(text, "policy=fifo", "policy.order=sjf").keys.policy
    assert (again.preset, again.order) == ("fifo", "sjf")


def test_the_last_of_two_overrides_of_a_key_counts(loaded):
    assert loaded(synthetic(), "seed=1", "seed=2").keys.seed == 2


def test_a_scenario_points_at_its_lines_and_options(loaded, tmp_path):
    scenario = loaded(synthetic(), "seed=4")
    assert scenario.where("fleet", 0, "rack") == f"{tmp_path}/s.yaml:3"
    assert scenario.where("seed") == "--set seed=4"
    assert str(scenario.error("too few", "fleet", 0, "chips")) == f"{tmp_path}/s.yaml:3: fleet.cpu.chips: too few"


def test_until_done_never_ends_by_the_clock(loaded, log):
    log(1)
    assert loaded(replay()).end_s == math.inf
    assert loaded(replay(horizon="2 days")).end_s == 172_800.0


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-01", datetime.datetime(2026, 3, 1)),
        ("2026-03-01T06:00:00", datetime.datetime(2026, 3, 1, 6)),
        ("'2026-03-01T06:00:00+02:00'", datetime.datetime(2026, 3, 1, 4)),
        ("'2026-03-01'", datetime.datetime(2026, 3, 1)),
    ],
)
def test_a_start_is_a_moment_in_utc(loaded, written, moment):
    assert loaded(synthetic() + f"start: {written}\n").keys.start == moment.replace(tzinfo=datetime.UTC)
    assert loaded(synthetic()).keys.start == DEFAULT_START


@pytest.mark.parametrize("path", library(), ids=lambda path: path.stem)
def test_a_checked_scenario_written_out_is_read_back_the_same(path, loaded):
    keys = load(path).keys
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.representer.add_representer(tuple, lambda dumper, pair: dumper.represent_list(pair))
    yaml.dump(keys.model_dump(by_alias=True, exclude_none=True), text)
    assert loaded(text.getvalue()).keys == keys


def test_a_trace_whose_jobs_all_come_after_the_horizon_is_refused_where_its_file_is_named(loaded, tmp_path):
    (tmp_path / "log.csv").write_text(OWN + "1,1700000000,1,10\n2,1700000060,1,10\n")
    with pytest.raises(ScenarioError) as error:
        loaded(replay(horizon="2 days"))
    said = (
        "workload.log.file: no job is submitted before the horizon: the first comes at 1,700,000,000 s (19,675.9 days)"
    )
    assert error.value.message == f"{said}; begin: first-job lays it on second 0"


def test_a_first_job_decades_from_the_start_is_warned_of_until_it_is_laid_on_second_0(loaded, tmp_path):
    (tmp_path / "log.csv").write_text(OWN + "1,1700000000,1,10\n2,1700000060,1,10\n")
    said = "the first job of log comes at 1,700,000,000 s (19,675.9 days); begin: first-job lays it on second 0"
    assert loaded(replay()).warnings == [said]
    laid = loaded(replay(), "workload.log.begin=first-job")
    assert laid.warnings == []
    assert laid.traces["log"].jobs.submit_s.tolist() == [0.0, 60.0]
