"""What ships with the schema: the library, the made sample, the template and the JSON schema."""

import gzip
import json

import pytest

from scenarios.errors import ScenarioError
from scenarios.files import library
from scenarios.load import load
from scenarios.philly_sample import DAYS, GPUS, JOBS, SAMPLE, sample_text, write_sample
from scenarios.schema import ScenarioKeys
from scenarios.template import write_template
from scenarios.traces import read_trace


@pytest.mark.parametrize("path", library(), ids=lambda path: path.stem)
def test_a_library_scenario_loads_without_warnings_under_the_name_of_its_file(path):
    scenario = load(path)
    assert scenario.keys.name == path.stem
    assert scenario.keys.description
    assert scenario.warnings == []


def test_the_shipped_sample_is_what_its_program_makes():
    assert gzip.decompress(SAMPLE.read_bytes()).decode() == sample_text()


def test_the_sample_is_written_as_the_same_bytes_each_time(tmp_path):
    write_sample(tmp_path / "a.gz")
    write_sample(tmp_path / "b.gz")
    assert (tmp_path / "a.gz").read_bytes() == (tmp_path / "b.gz").read_bytes()


def test_the_sample_has_the_manners_of_the_trace_that_it_stands_for():
    stamps = [row.split(",")[0] for row in sample_text().splitlines()[1:]]
    jobs = read_trace("philly", SAMPLE).jobs
    assert len(jobs) == len(stamps) == JOBS
    assert stamps != sorted(stamps)
    assert (DAYS - 1) * 86_400 < jobs.submit_s.max() < DAYS * 86_400
    assert set(jobs.chips) == set(GPUS.tolist())
    assert (jobs.chips == 1).mean() > 0.9
    gpu_time_s = jobs.chips * jobs.work
    assert gpu_time_s[jobs.chips >= 8].sum() > gpu_time_s[jobs.chips < 8].sum()


def test_the_template_is_a_scenario_that_loads(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load(write_template("mine")).keys.name == "mine"
    assert write_template("other.yaml").name == "other.yaml"


def test_the_template_leaves_a_file_that_stands_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.yaml").write_text("precious")
    with pytest.raises(ScenarioError, match=r"mine\.yaml: exists already and is left as it is"):
        write_template("mine")
    assert (tmp_path / "mine.yaml").read_text() == "precious"


@pytest.mark.parametrize("name", ["", "../mine", "a b", "-x", "a.b", "x/y", ".yaml", "a\n"])
def test_the_template_refuses_a_name_that_is_no_word(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ScenarioError, match="allowed: up to 100 letters, digits, - and _"):
        write_template(name)
    assert list(tmp_path.iterdir()) == []


def test_the_json_schema_has_every_top_level_key_and_the_names_that_users_write():
    schema = json.loads(json.dumps(ScenarioKeys.model_json_schema(by_alias=True)))
    assert set(schema["properties"]) == set(ScenarioKeys.model_fields)
    assert set(schema["required"]) == {"name", "horizon", "fleet", "workload"}
    assert schema["properties"]["horizon"]["type"] == "string"
    assert schema["additionalProperties"] is False
    for kind in ("Synthetic", "Trace"):
        assert "class" in schema["$defs"][kind]["properties"]
