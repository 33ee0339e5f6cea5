"""Pictures: drawn from a saved folder alone, readable for two days and for a year of a million steps."""

import datetime
import json

import numpy as np
import polars as pl
import pytest

from outputs.plots import render
from scenarios.errors import ScenarioError


def run_folder(path, times, end_s):
    steps = len(times)
    wave = (50 + 40 * np.sin(np.arange(steps))).astype(np.int64)
    line = {
        "time_s": times,
        "queue_jobs": wave,
        "queue_chips": wave * 8,
        "busy_chips/a": wave,
        "busy_chips/b": wave // 2,
    }
    pl.DataFrame(line).write_parquet(path / "timeline.parquet")
    facts = {
        "name": "picture",
        "start": "2026-01-01T00:00:00+00:00",
        "warmup_s": end_s / 10,
        "end_time_s": end_s,
        "pools": {"a": 100, "b": 60},
        "policy": {"order": "fifo"},
        "seed": 1,
    }
    (path / "run.json").write_text(json.dumps(facts))
    return path


@pytest.mark.parametrize(("steps", "days"), [(1, 2), (300, 2), (1_000_000, 365)])
def test_pictures_are_drawn_whatever_the_number_of_steps(tmp_path, steps, days):
    folder = run_folder(tmp_path, np.linspace(0, days * 86_400 * 0.999, steps), days * 86_400.0)
    made = render(folder)
    assert [path.name for path in made] == ["utilization.png", "queue.png"]
    again = {path: path.read_bytes() for path in made}
    render(folder)
    assert all(path.read_bytes() == data and len(data) > 10_000 for path, data in again.items())


def test_a_picture_does_not_depend_on_the_users_matplotlib_settings(tmp_path):
    import matplotlib

    folder = run_folder(tmp_path, np.linspace(0, 80_000, 50), 86_400.0)
    plain = [path.read_bytes() for path in render(folder)]
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "black", "lines.linewidth": 9}):
        assert [path.read_bytes() for path in render(folder)] == plain


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(ScenarioError, match=r"is no run folder: it holds no run\.json"):
        render(tmp_path)


def test_a_part_of_a_run_is_drawn_into_files_of_its_own(tmp_path):
    folder = run_folder(tmp_path, np.linspace(0, 364 * 86_400, 200_000), 365 * 86_400.0)
    whole = [path.read_bytes() for path in render(folder)]
    since, until = (datetime.datetime(2026, 6, day, tzinfo=datetime.UTC) for day in (1, 2))
    made = render(folder, since, until)
    assert [path.name for path in made] == [
        "utilization_20260601T0000_20260602T0000.png",
        "queue_20260601T0000_20260602T0000.png",
    ]
    assert all(path.read_bytes() != old for path, old in zip(made, whole, strict=True))
    with pytest.raises(ScenarioError, match=r"allowed: --from before --to, from 2026-01-01T00:00 to 2027-01-01T00:00"):
        render(folder, until, since)
