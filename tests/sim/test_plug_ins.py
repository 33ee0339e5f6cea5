"""Policies of the user's own in whole runs: what works, and the one message for whatever does not."""

import filecmp
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sim.cli import main

SCENARIO = """\
name: own
horizon: 2 days
fleet: [{pool: dgx, rack: dgx-h100, count: 2}]
workload:
  - {class: a, kind: synthetic, chips: {choice: [2, 8]}, duration: 2 hours, arrivals: {per_hour: 2}}
policy: {plug_in_limit: 0.3 s}
"""
BACKFILL = """\
from policies.trial import Trial
from policies.view import Decisions, Start
def mine(view, order, placer):
    job = view.queue.head(view)
    {body}
"""
PLACEMENT = "def mine(free, chips, avoid):\n    {body}\n"
BUILT_IN = "from policies.{module} import {name}\ndef mine(view, order, placer):\n    return {name}(view, placer)\n"
ORDER = "def mine(job):\n    {body}\n"


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("own.yaml").write_text(SCENARIO)


def megawatt(*words: str) -> Result:
    return CliRunner().invoke(main, words, catch_exceptions=False)


def ran(out: str, *words: str, scenario: str = "own.yaml") -> Path:
    result = megawatt("run", scenario, "--no-render", "--quiet", "--out", out, *words)
    assert (result.exit_code, result.stderr) == (0, "")
    return Path(out)


def refused(*words: str, scenario: str = "own.yaml") -> str:
    """The one message of a run that must be refused and must leave nothing behind."""
    before = sorted(Path.cwd().rglob("*"))
    result = megawatt("run", scenario, "--no-render", *words)
    lines = result.stderr.splitlines()
    assert (result.exit_code, result.stdout, len(lines)) == (2, "", 1), result.output
    assert sorted(Path.cwd().rglob("*")) == before
    return lines[0].removeprefix("megawatt: ").replace(f"{Path.cwd()}/", "")


def same_bytes(one: Path, other: Path, *but: str) -> None:
    names = sorted({path.name for path in one.iterdir()} - {"run.json", *but})
    assert filecmp.cmpfiles(one, other, names, shallow=False) == (names, [], [])


@pytest.mark.parametrize(
    ("axis", "builtin", "text"),
    [
        ("order", "fifo", ORDER.format(body="return job.submit_s")),
        ("order", "sjf", ORDER.format(body="return job.estimate * min(job.shape.pace_s)")),
        ("placement", "pack", "from policies.placement import pack as mine\n"),
        ("placement", "pack", "from policies.placement import PACK as mine\n"),
        ("placement", "topology", "from policies.topology import TOPOLOGY as mine\n"),
        ("backfill", "easy", BUILT_IN.format(name="easy", module="easy")),
        ("backfill", "greedy", BUILT_IN.format(name="greedy", module="backfill")),
    ],
)
def test_a_plug_in_that_equals_a_built_in_policy_gives_the_same_bytes_but_for_names(axis, builtin, text):
    Path("mine.py").write_text(text)
    own = ran("own", "--policy", f"{axis}=mine.py:mine")
    same_bytes(own, ran("built-in", "--policy", f"{axis}={builtin}"), "scenario.yaml")
    facts = json.loads((own / "run.json").read_text())
    assert facts["policy"][axis] == "mine.py:mine"
    assert facts["inputs_sha256"][f"{Path.cwd()}/mine.py"] == hashlib.sha256(text.encode()).hexdigest()
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["built-in", "mine.py", "own", "own.yaml"]


@pytest.mark.parametrize(("name", "module"), [("easy", "easy"), ("conservative", "conservative")])
@pytest.mark.parametrize("order", ["sjf", "{las: {thresholds: [1 hour]}}", "fair-share", "drf", "wfp3"])
def test_a_backfill_of_ones_own_equals_a_built_in_one_under_every_kind_of_order(order, name, module):
    Path("mine.py").write_text(BUILT_IN.format(name=name, module=module))
    classes = "  - {class: b, kind: synthetic, chips: 4, duration: 1 hour, arrivals: {per_hour: 1}, tenant: other}\n"
    Path("own.yaml").write_text(SCENARIO.replace("policy:", classes + "policy:"))
    own = ran("own", "--policy", f"order={order},backfill=mine.py:mine")
    spec = "{conservative: {depth: all}}" if name == "conservative" else name
    same_bytes(own, ran("built-in", "--policy", f"order={order},backfill={spec}"), "scenario.yaml")


def test_a_backfill_of_ones_own_is_given_the_order_of_ones_own():
    Path("mine.py").write_text(
        "def last(job):\n    return -job.submit_s\n"
        + BACKFILL.format(
            body="waiting = [order(one) for lane in view.queue.lanes.values() for one in lane.jobs]\n"
            "    assert order(job) == -job.submit_s == min(waiting)\n"
            "    return greedy(view, placer)"
        )
        + "from policies.backfill import greedy\n"
    )
    own = ran("own", "--policy", "order=mine.py:last,backfill=mine.py:mine")
    same_bytes(own, ran("built-in", "--policy", "order=mine.py:last,backfill=greedy"), "scenario.yaml")


@pytest.mark.parametrize("axis", ["placement", "backfill"])
def test_plug_ins_equal_built_in_policies_where_power_and_a_torus_bind(axis):
    Path("mine.py").write_text(
        "from policies.easy import easy\nfrom policies.placement import PACK as placement\n"
        "def backfill(view, order, placer):\n    return easy(view, placer)\n"
    )
    words = ("--set", "horizon=3 days")
    own = ran("own", "--policy", f"{axis}=mine.py:{axis}", *words, scenario="dual-track")
    same_bytes(own, ran("built-in", *words, scenario="dual-track"), "scenario.yaml")


def test_the_resolved_copy_names_the_file_and_its_parameters_and_runs_to_the_same_bytes(monkeypatch):
    Path("sub").mkdir()
    text = "class Mine:\n    def __init__(self, weight, names=()):\n        self.weight = weight\n"
    Path("sub/mine.py").write_text(
        text + "    def __call__(self, job):\n        return -self.weight * job.shape.chips\n"
    )
    choice = "order: {mine.py:Mine: {weight: 2, names: [a, b]}}"
    Path("sub/own.yaml").write_text(SCENARIO.replace("policy: {", f"policy: {{{choice}, "))
    first = ran("first", scenario="sub/own.yaml")
    resolved = (first / "scenario.yaml").read_text()
    assert f"{Path.cwd()}/sub/mine.py:Mine" in resolved and "weight: 2" in resolved
    monkeypatch.chdir("sub")
    again = ran(
        "again", scenario=str(first.absolute() / "scenario.yaml") if first.is_absolute() else "../first/scenario.yaml"
    )
    same_bytes(Path("..") / first, again)


def test_a_file_on_the_command_line_is_looked_for_in_the_current_folder():
    Path("sub").mkdir()
    Path("sub/own.yaml").write_text(SCENARIO)
    Path("mine.py").write_text(ORDER.format(body="return 0"))
    ran("one", "--policy", "order=mine.py:mine,backfill=none", scenario="sub/own.yaml")
    ran("two", "--set", "policy.order=mine.py:mine", scenario="sub/own.yaml")
    ran("three", "--policy", "sjf,order=./mine.py:mine", scenario="sub/own.yaml")


def test_parameters_can_be_given_on_the_command_line_and_to_a_function():
    Path("mine.py").write_text("def mine(job, *, weight, by=1):\n    return weight * job.submit_s / by\n")
    ran("out", "--policy", "order={mine.py:mine: {weight: 2, by: 4}},backfill=greedy")


def test_a_file_is_read_anew_for_every_run():
    Path("mine.py").write_text(ORDER.format(body="return job.submit_s"))
    ran("one", "--policy", "order=mine.py:mine")
    Path("mine.py").write_text(ORDER.format(body="return -job.submit_s"))
    one, two = Path("one/jobs.parquet"), ran("two", "--policy", "order=mine.py:mine") / "jobs.parquet"
    assert one.read_bytes() != two.read_bytes()


def test_an_order_that_changes_its_mind_is_asked_once_a_job():
    Path("mine.py").write_text("import random\ndef mine(job):\n    return random.random()\n")
    ran("out", "--policy", "order=mine.py:mine")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "no such file: mine.py"),
        ("", "nothing is named 'mine' (mine.py holds no function or class)"),
        ("def mien(job): ...\n", "nothing is named 'mine'; did you mean 'mien'? (mine.py holds mien)"),
        ("mine = 3\n", "is no function or class, and int has no __call__; allowed: what is called with (job)"),
        ("class mine: ...\n", "is no function or class, and mine has no __call__"),
        (
            "def mine(view, order, placer): ...\n",
            "takes (view, order, placer); allowed: (job); did you mean backfill: ",
        ),
        ("def mine(): ...\n", "takes (); allowed: (job)"),
        ("from policies.placement import PACK as mine\n", "is a Placer; allowed: placement: mine.py:mine"),
        ("def mine(job): ...\nmine.axis = 'backfill'\n", "says that its axis is 'backfill'; allowed: backfill: "),
        ("class mine:\n    def __init__(self, weight): ...\n", "missing a required argument: 'weight'"),
    ],
)
def test_what_is_no_policy_is_refused_with_the_option(text, words):
    if text is not None:
        Path("mine.py").write_text(text)
    message = refused("--policy", "order=mine.py:mine")
    assert message.startswith("--policy order=mine.py:mine: policy.order=mine.py:mine: policy.order: ")
    assert words in message


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("x = 1\ndef mine(job)\n", 2, "order mine.py: is not Python: expected ':'"),
        ("x = 1\n1 / 0\n", 2, "order mine.py raised ZeroDivisionError: division by zero"),
        ("import nowhere\n", 1, "order mine.py raised ModuleNotFoundError: No module named 'nowhere'"),
        ("exit()\n", 1, "order mine.py raised SystemExit: None"),
        ("x = 1\nwhile True:\n    x += 1\n", 3, "order mine.py has not ended after 0.3 s (policy.plug_in_limit)"),
        (
            "class mine:\n    def __init__(self):\n        raise ValueError('no')\n",
            3,
            "order mine.py:mine raised ValueError: no",
        ),
    ],
)
def test_a_file_that_does_not_load_is_refused_with_its_own_line(text, line, words):
    Path("mine.py").write_text(text)
    message = refused("--policy", "order=mine.py:mine")
    where, _, rest = message.partition(": ")
    assert (where.partition(":")[0], rest) == ("mine.py", words)
    assert line - 1 <= int(where.partition(":")[2]) <= line


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("order: mine.py", "needs the name of a policy: mine.py:NAME (mine.py holds mine)"),
        ("order: mine:mine", "; allowed too: FILE.py:NAME"),
        ("order: {mine.py:mine: {weigth: 2}}", "unknown parameter 'weigth'; did you mean 'weight'?"),
        ("order: {fifo: {weight: 2}}", "order fifo takes no parameters"),
        ("order: {mine.py:mine: 2}", "allowed: a name that megawatt show policies lists, FILE.py:NAME"),
        ("order: {mine.py:mine: {2: 2}}", "found the parameter 2; allowed: names such as weight"),
        ("order: [mine.py:mine]", "allowed: a name that megawatt show policies lists, FILE.py:NAME"),
        ("power: mine.py:mine", "unknown power 'mine.py:mine' (allowed: "),
        ("plug_in_limit: 0 s", "allowed: more than 0 s"),
    ],
)
def test_a_wrong_choice_is_refused_with_the_line_of_the_scenario(policy, words):
    Path("mine.py").write_text("def mine(job, weight=1): ...\n")
    Path("own.yaml").write_text(SCENARIO.replace("policy: {plug_in_limit: 0.3 s}", f"policy: {{{policy}}}"))
    message = refused()
    assert message.startswith("own.yaml:6: policy.") and words in message


@pytest.mark.parametrize(
    ("axis", "text", "line", "words"),
    [
        ("order", "return 1 / 0", 2, "raised ZeroDivisionError: division by zero"),
        ("order", "raise SystemExit", 2, "raised SystemExit"),
        ("order", "return 'first'", 1, "returned 'first'; allowed: a number"),
        ("order", "return None", 1, "returned None; allowed: a number"),
        ("order", "return 10 ** 400", 1, "returned a very large whole number; allowed: a number"),
        ("order", "return float('nan')", 1, "returned nan; allowed: a number"),
        ("order", "return (x for x in iter(int, 1) if x).__next__()", 2, "has not ended after 0.3 s"),
        ("order", "__import__('time').sleep(1e6)", 2, "has not ended after 0.3 s"),
    ],
)
def test_an_order_that_does_wrong_is_named_with_its_line_the_job_and_the_time(axis, text, line, words):
    Path("mine.py").write_text(ORDER.format(body=text))
    message = refused("--policy", "order=mine.py:mine")
    assert message.startswith(f"mine.py:{line}: order mine.py:mine {words}")
    assert "(job a/1, at " in message and message.endswith(" s)")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("return ((0, chips + 1),)", "which is 3 chips; the gang has 2"),
        ("return ((2, chips),)", "but there is no domain 2; allowed: 0 to 1"),
        ("return ((-1, chips),)", "but there is no domain -1; allowed: 0 to 1"),
        ("return ((0, 1),) * chips", "which names a domain twice"),
        ("return ((0, 0), (1, chips))", "but 0 chips of domain 0 are none"),
        ("return 7", "which is no placement; allowed: (domain, chips) pairs"),
        ("return ((0.0, chips),)", "which is no placement"),
        ("return iter([(0, chips)])", "which is no placement"),
        ("free.take(((0, 1),)); return None", "changed the free chips that it was shown; allowed: free.copy()"),
        ("return [].pop()", "raised IndexError: pop from empty list"),
        ("x = 1\n    while True: x += 1", "has not ended after 0.3 s"),
    ],
)
def test_a_placement_that_does_wrong_is_stopped_before_the_run(text, words):
    Path("mine.py").write_text(PLACEMENT.format(body=text))
    message = refused("--policy", "placement=mine.py:mine")
    assert message.startswith("mine.py:") and "placement mine.py:mine" in message and words in message


def test_a_placement_on_chips_that_are_not_free_is_named_with_a_job_and_the_time():
    Path("mine.py").write_text(PLACEMENT.format(body="return ((0, chips),)"))
    message = refused("--policy", "placement=mine.py:mine")
    assert message.startswith("mine.py:1: placement mine.py:mine, asked for ")
    assert "but domain 0 has " in message and "(job a/" in message and message.endswith(" s)")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("return None", "returned None; allowed: Decisions(starts, blocked)"),
        ("return Decisions([job])", "starts QueuedJob(row=0"),
        ("return Decisions([Start(job, 1, ((0, job.shape.chips),))])", "a pool that it may not use; allowed: 0"),
        ("return Decisions([Start(job, 0, ((0, 9),))])", "which is 9 chips; the gang has "),
        ("return Decisions([Start(job, 0, ((7, job.shape.chips),))])", "but there is no domain 7"),
        (
            "return Decisions([Start(job, 0, ((0, job.shape.chips),))] * 2)",
            "which it has started already (job a/1, at ",
        ),
        ("return Decisions([Start(job._replace(row=10**9), 0, ((0, 2),))])", "which is not waiting"),
        ("return Decisions([], {job.shape: 'tired'})", "is blocked; allowed: a shape -> one of 'no room', "),
        ("return Decisions([], {8: 'no room'})", "says that {8: 'no room'} is blocked"),
        ("view.free[0].take(((0, 1),)); return Decisions()", "changed the view; allowed: copies"),
        ("view.queue.remove(job); return Decisions()", "changed the view; allowed: copies"),
        ("return job.nothing", "raised AttributeError: 'QueuedJob' object has no attribute 'nothing' (job a/1, at "),
        ("x = 1\n    while True: x += 1", "has not ended after 0.3 s (policy.plug_in_limit) (job a/1, at "),
    ],
)
def test_a_backfill_that_does_wrong_is_named_with_its_line_and_the_time(text, words):
    Path("mine.py").write_text(BACKFILL.format(body=text))
    message = refused("--policy", "backfill=mine.py:mine")
    assert message.startswith("mine.py:") and "backfill mine.py:mine" in message and words in message
    assert "at 230.542 s)" in message


def test_a_backfill_cannot_start_a_gang_on_chips_that_are_not_free():
    Path("mine.py").write_text(BACKFILL.format(body="return Decisions([Start(job, 0, ((0, job.shape.chips),))])"))
    message = refused("--policy", "backfill=mine.py:mine")
    assert "but domain 0 has " in message and "(job a/" in message


@pytest.mark.parametrize(
    ("rating", "words"), [("", "overdraws the cap"), ("pdus: {count: 1, rating: 12 kW}", "overdraws a rack or a PDU")]
)
def test_a_backfill_cannot_start_a_gang_over_the_cap_or_a_rating(rating, words):
    Path("mine.py").write_text(
        BACKFILL.format(
            body="return Decisions([Start(job, 0, ((at, 8),)) for at in (0, 1) if view.free[0].in_domain(at) == 8][:1])"
        )
    )
    feed = "1 MW" if rating else "12 kW"
    text = SCENARIO.replace("[2, 8]", "[8]").replace(
        "fleet:", f"site: {{feed: {feed}{', ' + rating if rating else ''}}}\nfleet:"
    )
    Path("own.yaml").write_text(text.replace("count: 2", "count: 2"))
    assert words in refused("--policy", "backfill=mine.py:mine")


def test_a_plug_in_that_catches_the_mistake_of_another_does_not_hide_it():
    Path("mine.py").write_text(
        BACKFILL.format(
            body="try: Trial(view, placer).find(job.shape)\n    except Exception: pass\n    return Decisions()"
        )
        + "calls = []\ndef place(free, chips, avoid):\n    calls.append(1)\n"
        + "    return ((0, chips),) if len(calls) < 5 else 7\n"
    )
    message = refused("--policy", "backfill=mine.py:mine,placement=mine.py:place")
    assert "placement mine.py:place, asked for" in message


def test_what_catches_every_interruption_ends_with_the_process():
    Path("mine.py").write_text(
        "def mine(job):\n    x = 1\n    try:\n        while True:\n            x += 1\n"
        "    except BaseException:\n        return mine(job)\n"
    )
    command = [sys.executable, "-m", "sim.cli", "run", "own.yaml", "--no-render", "--policy", "order=mine.py:mine"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1 and "mine.py:mine has not ended after 0.3 s" in done.stderr
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["mine.py", "own.yaml"]


def offer(monkeypatch: pytest.MonkeyPatch, **entries: str) -> None:
    """An installed package that offers policies."""
    site, name = Path("site"), "fairness"
    (site / f"{name}-1.0.dist-info").mkdir(parents=True)
    (site / f"{name}-1.0.dist-info/METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"{key.replace('__', '.')} = {value}" for key, value in entries.items()]
    (site / f"{name}-1.0.dist-info/entry_points.txt").write_text("\n".join(["[megawatt.policies]", *lines, ""]))
    (site / "fairness_policies.py").write_text(
        "def fair(job):\n    return job.submit_s\ndef bad(job):\n    return 1 / 0\n"
    )
    monkeypatch.syspath_prepend(str(site.absolute()))


def test_an_installed_package_offers_policies_by_name(monkeypatch):
    offer(monkeypatch, order__fair="fairness_policies:fair", order__bad="fairness_policies:bad", scaling__x="a:b")
    own = ran("own", "--policy", "order=fair")
    same_bytes(own, ran("built-in"), "scenario.yaml")
    assert "order: fair\n" in (own / "scenario.yaml").read_text()
    assert f"{Path.cwd()}/site/fairness_policies.py" in json.loads((own / "run.json").read_text())["inputs_sha256"]
    listed = megawatt("show", "policies").stdout
    assert "order=fair" in listed and "of fairness 1.0" in listed and "scaling.x" in listed
    assert "did you mean 'fair'? (allowed: bad, deadline, drf, fair, " in refused("--policy", "order=fairr")
    assert "fairness_policies.py:4: order bad raised ZeroDivisionError" in refused("--policy", "order=bad")


def test_a_name_that_two_packages_offer_is_refused(monkeypatch):
    offer(monkeypatch, order__fair="fairness_policies:fair")
    other = Path("site/other-2.0.dist-info")
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 2.0\n")
    (other / "entry_points.txt").write_text("[megawatt.policies]\norder.fair = fairness_policies:fair\n")
    assert "order fair is offered by several packages (fairness 1.0, other 2.0)" in refused("--policy", "order=fair")


@pytest.mark.parametrize("axis", ["order", "placement", "backfill"])
def test_a_new_policy_runs_its_test_passes_and_it_is_never_overwritten(axis):
    assert megawatt("new", "policy", "mine", "--axis", axis).stdout == "mine.py\ntest_mine.py\n"
    ran("out", "--policy", f"{axis}=mine.py:mine")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_mine.py"]
    tested = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    )
    assert (tested.returncode, "2 passed" in tested.stdout) == (0, True), tested.stdout
    text = Path("mine.py").read_text()
    Path("test_mine.py").unlink()
    again = megawatt("new", "policy", "mine")
    assert (again.exit_code, Path("mine.py").read_text(), Path("test_mine.py").exists()) == (2, text, False)


@pytest.mark.parametrize("name", ["my-order", "class", "3rd", "a/b", ""])
def test_a_new_policy_needs_a_name_that_python_can_use(name):
    assert megawatt("new", "policy", name).exit_code == 2
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["own.yaml"]


def test_the_examples_of_the_documentation_run_on_every_axis():
    text = (Path(__file__).parents[2] / "docs/policies.md").read_text()
    blocks = [block.split("```")[0] for block in text.split("```python\n")[1:]]
    Path("mine.py").write_text("\n\n".join(blocks))
    own = "order={mine.py:Weighted: {weight: 2}},placement=mine.py:emptiest,backfill=mine.py:first_ten"
    for policy in ("order=mine.py:small_first", own):
        ran(f"run-{len(policy)}", "--policy", policy)
