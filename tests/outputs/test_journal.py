"""The journal: what was added is there after a crash, and nothing half."""

import json
import resource
import signal

import pytest

from outputs.journal import NAME, Journal
from scenarios.errors import ScenarioError


def row(number, size=0):
    return {"key": f"[{number}]", "summary": {"x": 0.1 + number}, "error": None, "warnings": [], "pad": "z" * size}


def test_what_was_added_is_read_back_to_the_bit(tmp_path):
    journal = Journal(tmp_path)
    rows = [row(number) for number in range(5)]
    journal.add(rows[:2])
    journal.add(rows[2:])
    assert journal.done == {"[0]", "[1]", "[2]", "[3]", "[4]"}
    journal.close()
    again = Journal(tmp_path)
    assert list(again.rows()) == rows
    again.close()


def test_a_journal_cut_at_any_byte_holds_every_whole_line_and_goes_on(tmp_path):
    journal = Journal(tmp_path)
    journal.add([row(number) for number in range(3)])
    journal.close()
    whole = (tmp_path / NAME).read_bytes()
    for end in range(len(whole) + 1):
        (tmp_path / NAME).write_bytes(whole[:end])
        journal = Journal(tmp_path)
        kept = whole[:end].count(b"\n")
        assert len(journal.done) == kept
        journal.add([row(9)])
        assert [line["key"] for line in journal.rows()] == [*(f"[{number}]" for number in range(kept)), "[9]"]
        journal.close()


def test_a_torn_line_longer_than_a_block_is_cut_off(tmp_path):
    journal = Journal(tmp_path)
    journal.add([row(0)])
    journal.close()
    with (tmp_path / NAME).open("ab") as file:
        file.write(json.dumps(row(1, 200_000)).encode())
    journal = Journal(tmp_path)
    assert journal.done == {"[0]"}
    journal.close()


def test_two_processes_cannot_write_one_journal(tmp_path):
    journal = Journal(tmp_path)
    with pytest.raises(ScenarioError, match="another process is working on this sweep"):
        Journal(tmp_path)
    journal.close()
    Journal(tmp_path).close()


def test_a_damaged_line_is_named(tmp_path):
    (tmp_path / NAME).write_text(f"{json.dumps(row(0))}\nnonsense\n{json.dumps(row(1))}\n")
    with pytest.raises(ScenarioError, match=f"{NAME}:2: is damaged"):
        Journal(tmp_path)


def test_a_full_disk_is_said_and_what_was_added_before_is_kept(tmp_path):
    journal = Journal(tmp_path)
    journal.add([row(0)])
    limits, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
        with pytest.raises(ScenarioError, match=r"cannot be written: .*; what is done is kept: make space.*--resume"):
            journal.add([row(1, 5_000)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    journal = Journal(tmp_path)
    assert journal.done == {"[0]"}
    journal.add([row(1)])
    journal.close()


@pytest.mark.parametrize(
    "line",
    [
        {"key": 3},
        {"key": "[3]", "summary": {}, "error": None},
        {"key": "[3]", "summary": None, "error": None, "warnings": []},
        {"key": "[3]", "summary": [1], "error": None, "warnings": []},
        {"key": "[3]", "summary": {"x": "1"}, "error": None, "warnings": []},
        [],
    ],
)
def test_a_line_that_is_no_run_is_damage(tmp_path, line):
    text = "".join(f"{json.dumps(one)}\n" for one in (row(0), line))
    (tmp_path / NAME).write_text(text)
    with pytest.raises(ScenarioError, match=f"{NAME}:2: is damaged"):
        Journal(tmp_path)


def test_a_journal_that_is_no_longer_the_one_that_is_written_is_not_read(tmp_path):
    journal = Journal(tmp_path)
    journal.add([row(0)])
    (tmp_path / NAME).unlink()
    with pytest.raises(ScenarioError, match="was removed or replaced"):
        list(journal.rows())
    other = Journal(tmp_path)
    other.add([row(1)])
    with pytest.raises(ScenarioError, match="was removed or replaced"):
        list(journal.rows())
    assert [line["key"] for line in other.rows()] == ["[1]"]
    journal.close()
    other.close()
