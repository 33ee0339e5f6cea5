"""Time limits: a job of a log that has run for what its user asked for is killed where the scenario says so."""

import pytest

from sim.run import prepare

SCENARIO = """
name: limits
horizon: {horizon}
fleet: [{{pool: p, rack: plain, chips: 4}}]
workload: [{{class: log, kind: trace, format: csv, file: log.csv, limit: {limit}}}]
policy: {{backfill: none}}
"""
LOG = """number,submit_s,chips,run_s,estimate_s
1,0,4,100,40
2,10,4,30,30
3,20,4,20,50
"""


@pytest.fixture
def ran(tmp_path, measured):
    def run(limit, horizon="until-done"):
        (tmp_path / "log.csv").write_text(LOG)
        text = SCENARIO.format(limit=limit, horizon=horizon).replace("log.csv", str(tmp_path / "log.csv"))
        _, _, result = measured(text)
        return result

    return run


def test_a_job_that_asked_for_too_little_is_killed_and_the_next_starts_then(ran):
    result = ran("kill")
    assert result.jobs.select("job_id", "start_s", "end_s", "status", "work").rows() == [
        ("log/1", 0, 40, "killed", 160),
        ("log/2", 40, 70, "completed", 120),
        ("log/3", 70, 90, "completed", 80),
    ]


def test_without_a_limit_it_runs_on(ran):
    assert ran("run").jobs["end_s"].to_list() == [100, 130, 150]
    assert "killed_jobs" not in ran("run").summary


def test_who_is_killed_is_counted_and_has_no_completion_time(ran):
    summary = ran("kill").summary
    fates = ("completed", "killed", "running_at_end", "waiting_at_end", "rejected")
    assert [summary[f"{fate}_jobs"] for fate in fates] == [2, 1, 0, 0, 0]
    assert summary["jct_mean_s"] == (60 + 70) / 2
    assert summary["makespan_s"] == 90


def test_who_has_not_reached_its_limit_by_the_end_runs_still(ran):
    result = ran("kill", horizon="30 s")
    assert result.jobs["status"].to_list() == ["running", "waiting", "waiting"]
    assert result.summary["killed_jobs"] == 0


def test_a_limit_is_one_of_two_words(tmp_path):
    (tmp_path / "log.csv").write_text(LOG)
    path = tmp_path / "s.yaml"
    path.write_text(SCENARIO.format(limit="stop", horizon="1 day"))
    with pytest.raises(Exception, match=r"s\.yaml:5: workload\.log\.limit.*'run'.*'kill'"):
        prepare(path)
