"""Quotas of tenants in whole runs: no limit is ever exceeded, by the job rows; what is refused; what is measured."""

import filecmp
import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.quotas import Quotas
from sim.cli import main
from sim.run import prepare

HEADER = "number,submit_s,chips,run_s,estimate_s,tenant\n"
SCENARIO = """\
name: quotas
horizon: until-done
fleet: [{pool: a, rack: plain, chips: 12}, {pool: b, rack: plain, chips: 8}]
workload: [{class: log, kind: trace, format: csv, file: log.csv}]
"""
POOLS = {"a": 12, "b": 8}
BACKFILLS = ["none", "greedy", "easy", "conservative", "max-min"]


@pytest.fixture
def ran(tmp_path):
    """Runs a scenario over a log of (submit, chips, run, estimate, tenant) into a folder; its path."""

    def run(rows, tenants, *options, out="out", text=SCENARIO):
        lines = [",".join(map(str, (at, *row))) for at, row in enumerate(rows)]
        (tmp_path / "log.csv").write_text(HEADER + "\n".join(lines) + "\n")
        (tmp_path / "quotas.yaml").write_text(text + tenants)
        words = [
            "run",
            str(tmp_path / "quotas.yaml"),
            "--quiet",
            "--no-render",
            "--force",
            "--out",
            str(tmp_path / out),
        ]
        done = CliRunner().invoke(main, [*words, *options], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return tmp_path / out

    return run


@pytest.fixture
def refused(tmp_path):
    """The one message with which a scenario over a log is refused, without its folder."""

    def run(rows, tenants, text=SCENARIO):
        lines = [",".join(map(str, (at, *row))) for at, row in enumerate(rows)]
        (tmp_path / "log.csv").write_text(HEADER + "\n".join(lines) + "\n")
        (tmp_path / "quotas.yaml").write_text(text + tenants)
        done = CliRunner().invoke(main, ["validate", str(tmp_path / "quotas.yaml")])
        assert done.exit_code == 2, done.output
        (line,) = done.stderr.splitlines()
        return line.removeprefix("megawatt: ").replace(f"{tmp_path}/", "")

    return run


def jobs_of(folder):
    return pl.read_parquet(folder / "jobs.parquet").sort(pl.col("job_id").str.slice(4).cast(pl.Int64))


def summary_of(folder):
    return json.loads((folder / "summary.json").read_text())


CHIPS = st.integers(0, 12)
LIMIT = st.none() | CHIPS | st.fixed_dictionaries({"a": CHIPS})
ENTRY = st.fixed_dictionaries({"quota": st.dictionaries(st.sampled_from("ab"), CHIPS), "borrow": LIMIT, "lend": LIMIT})
ROWS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(1, 10), st.integers(1, 20), st.integers(1, 20), st.sampled_from("xyzw")),
    min_size=1,
    max_size=30,
)


def limit_in(limit, pool, otherwise):
    found = limit.get(pool) if isinstance(limit, dict) else limit
    return otherwise if found is None else found


def written(entries):
    """The entries as a scenario writes them: x and y in a cohort, z alone, w without a quota."""
    lines = []
    for name, entry in zip("xyz", entries, strict=True):
        keys = {"tenant": name, **({"cohort": "main"} if name != "z" else {}), "quota": entry["quota"]}
        keys |= {key: entry[key] for key in ("borrow", "lend") if name != "z" and entry[key] is not None}
        lines.append(f"  - {json.dumps(keys)}")
    return "tenants:\n" + "\n".join(lines) + "\n"


def exceeded(jobs, entries):
    """The first instant at which some limit is exceeded, recounted from the job rows; None where none ever is."""
    held = [row for row in jobs.select("tenant", "pool", "chips", "start_s", "end_s").iter_rows() if row[3] is not None]
    for now_s in {row[3] for row in held}:
        for pool in POOLS:
            shared = 0
            for name, entry in zip("xyz", entries, strict=True):
                used = sum(n for who, at, n, start, end in held if (who, at) == (name, pool) and start <= now_s < end)
                nominal = entry["quota"].get(pool, 0)
                if name == "z":
                    if used > nominal:
                        return now_s
                    continue
                if used > nominal + limit_in(entry["borrow"], pool, 1_000):
                    return now_s
                lent = min(nominal, limit_in(entry["lend"], pool, nominal))
                shared += max(0, used - (nominal - lent)) - lent
            if shared > 0:
                return now_s
    return None


def most_in(entries, name, pool):
    """What a tenant may hold in a pool when nobody else holds anything."""
    if name == "w":
        return POOLS[pool]
    own = entries["xyz".index(name)]
    nominal = own["quota"].get(pool, 0)
    if name == "z":
        return min(nominal, POOLS[pool])
    other = entries["yx".index(name)]
    there = other["quota"].get(pool, 0)
    lent = min(there, limit_in(other["lend"], pool, there))
    return min(POOLS[pool], nominal + limit_in(own["borrow"], pool, 1_000), nominal + lent)


@pytest.mark.parametrize("backfill", BACKFILLS)
@settings(derandomize=True, deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, entries=st.tuples(ENTRY, ENTRY, ENTRY), order=st.sampled_from(["fifo", "sjf", "drf", "wfp3"]))
def test_no_limit_is_ever_exceeded_and_who_can_start_ends(backfill, rows, entries, order, ran):
    whole = [(0, 8, 1, 1, "w"), *[(0, 1, 1, 1, name) for name in "xyz"]]
    can_start = [name for name in "xyz" if max(most_in(entries, name, pool) for pool in POOLS) > 0]
    rows = [row for row in [*whole, *rows] if row[4] == "w" or row[4] in can_start]
    entries = [
        entry if name in can_start else {**entry, "quota": {"a": 1}} for name, entry in zip("xyz", entries, strict=True)
    ]
    if len(can_start) < 3:
        return  # a tenant none of whose gangs can start is refused at once
    folder = ran(rows, written(entries), "--policy", f"order={order},backfill={backfill}")
    jobs = jobs_of(folder)
    assert exceeded(jobs, entries) is None
    fits = [any(chips <= most_in(entries, name, pool) for pool in POOLS) for _, chips, _, _, name in rows]
    assert jobs["status"].to_list() == ["completed" if fit else "rejected" for fit in fits]


@pytest.mark.parametrize("backfill", BACKFILLS)
def test_a_quota_of_the_whole_fleet_changes_no_start(backfill, ran):
    rows = [(7 * at % 50, 1 + 5 * at % 8, 3 + at % 11, 3 + at % 11, "x") for at in range(60)]
    options = ("--policy", f"backfill={backfill}")
    free = jobs_of(ran(rows, "", *options))
    bound = jobs_of(ran(rows, "tenants: [{tenant: x, quota: {a: 12, b: 8}}]", *options))
    assert free.equals(bound)


@pytest.mark.parametrize("backfill", BACKFILLS)
def test_in_an_idle_cohort_a_tenant_within_its_quota_starts_at_once(backfill, ran):
    """y would hold all of pool a, but x lends nothing of its 6 chips: x never waits while it is within them."""
    tenants = """
tenants:
  - {tenant: x, cohort: main, quota: {a: 6}, borrow: 0, lend: 0}
  - {tenant: y, cohort: main, quota: {a: 6}, borrow: {b: 0}}
"""
    rows = [*[(0, 3, 100, 100, "y") for _ in range(6)], (5, 6, 10, 10, "x"), (20, 2, 10, 10, "x"), (20, 4, 10, 10, "x")]
    jobs = jobs_of(ran(rows, tenants, "--policy", f"backfill={backfill}"))
    assert jobs.filter(tenant="x")["wait_s"].to_list() == [0, 0, 0]
    assert jobs.filter(tenant="y")["start_s"].to_list() == [0, 0, 100, 100, 200, 200]


LENT = """
tenants:
  - {tenant: x, cohort: main, quota: {a: 8}, lend: 3}
  - {tenant: y, cohort: main, quota: {a: 2}, borrow: {a: 4, b: 0}}
"""


def test_the_lending_limit_and_the_borrowing_limit_by_hand(ran):
    """y may hold its 2 and the 3 that x lends: 5 at most, though it may borrow 4. x gets 8 + 2 when y is idle."""
    rows = [(0, 5, 10, 10, "y"), (0, 1, 10, 10, "y"), (0, 5, 10, 10, "x"), (0, 1, 10, 10, "x"), (50, 10, 5, 5, "x")]
    folder = ran([*rows, (60, 6, 5, 5, "y")], LENT)
    jobs = jobs_of(folder)
    assert jobs["start_s"].to_list() == [0, 10, 0, 10, 50, None]
    assert jobs["reason"].to_list()[5].startswith("more than its tenant's quota and what it may borrow")
    summary = summary_of(folder)
    assert summary["waiting_quota_chip_h"] == 2 * 10 / 3600
    hours = {name: summary[f"tenant/{name}/held_chip_h"] * 3600 for name in "xy"}
    assert hours == pytest.approx({"x": 50 + 10 + 50, "y": 50 + 10})
    borrowed = {name: summary[f"tenant/{name}/borrowed_chip_h"] * 3600 for name in "xy"}
    assert borrowed == pytest.approx({"x": 2 * 5, "y": 3 * 10})
    assert [summary[f"tenant/y/{what}_jobs"] for what in ("submitted", "completed", "rejected")] == [3, 2, 1]
    assert summary["tenant/x/wait_mean_s"] == pytest.approx(10 / 3)


EXAMPLE = """
name: example
horizon: 1 hour
fleet: [{pool: blackwell, rack: plain, chips: 200}, {pool: trainium, rack: plain, chips: 200}]
workload:
  - {class: any, kind: synthetic, chips: 1, duration: 1 hour, arrivals: {per_hour: 1},
     tenant: {choice: [research, product]}}
"""


@pytest.mark.parametrize(
    ("held", "more"), [((0, 0), (96, 80)), ((0, 80), (48, 0)), ((96, 0), (0, 32)), ((48, 0), (48, 80))]
)
def test_the_example_of_the_documentation_is_as_it_says(held, more, tmp_path):
    text = (Path(__file__).parents[2] / "docs/policies.md").read_text()
    yaml = text[text.index("## Quotas of tenants") :].split("```yaml\n")[1].split("```")[0]
    (tmp_path / "example.yaml").write_text(EXAMPLE + yaml)
    _, _, policy = prepare(tmp_path / "example.yaml")
    quotas = Quotas(policy.quotas)
    for number, chips in enumerate(held):
        quotas.take(number, 0, chips)
    assert (quotas.room(0, 0), quotas.room(1, 0)) == more
    assert Quotas(policy.quotas).room(1, 1) == 16


def test_idle_chips_that_only_quota_forbids_are_held_by_the_policy(ran):
    folder = ran([(0, 2, 10, 10, "x"), (0, 2, 10, 10, "x")], "tenants: [{tenant: x, quota: {b: 3}}]")
    capacity = pl.read_parquet(folder / "capacity.parquet").filter(pl.col("chip_s") > 0)
    found = {(pool, state): chip_s for pool, state, chip_s in capacity.select("pool", "state", "chip_s").iter_rows()}
    # the second waits for 10 s, while it would have fitted in the first pool
    assert found[("a", "held by policy")] == 20
    assert found[("b", "productive")] == 40


def test_tenants_that_nobody_names_are_not_limited_or_share_the_quota_of_others(ran):
    rows = [(0, 4, 10, 10, name) for name in "uvwx"]
    x = "{tenant: x, quota: {a: 4}}"
    free = jobs_of(ran(rows, f"tenants: [{x}]"))
    assert free["start_s"].to_list() == [0, 0, 0, 10]  # the three take all of the pool that x may use
    assert free["pool"].to_list() == ["a"] * 4
    folder = ran(rows, f"tenants: [{x}, {{tenant: others, quota: {{b: 4}}}}]")
    jobs = jobs_of(folder)
    assert jobs["start_s"].to_list() == [0, 10, 20, 0]
    assert jobs["pool"].to_list() == ["b", "b", "b", "a"]
    assert summary_of(folder)["tenant/others/submitted_jobs"] == 3


def test_the_resolved_copy_gives_the_same_bytes_and_no_tenants_are_as_none(ran, tmp_path):
    rows = [(7 * at % 50, 1 + 5 * at % 8, 3 + at % 11, 3 + at % 11, "xy"[at % 2]) for at in range(60)]
    first = ran(rows, LENT)
    again = ran(rows, "", out="again", text=(first / "scenario.yaml").read_text())
    names = sorted({path.name for path in first.iterdir()} - {"run.json"})
    assert filecmp.cmpfiles(first, again, names, shallow=False) == (names, [], [])
    without = ran(rows, "", out="without")
    nulled = ran(rows, LENT, "--set", "tenants=", out="nulled")
    assert "tenants" not in (without / "scenario.yaml").read_text()
    assert filecmp.cmpfiles(without, nulled, names, shallow=False) == (names, [], [])


def test_an_option_reaches_a_tenant_by_its_name(ran):
    rows = [(0, 8, 10, 10, "y"), (0, 1, 10, 10, "x")]
    jobs = jobs_of(ran(rows, LENT, "--set", "tenants.x.lend=8", "--set", "tenants.y.borrow=6"))
    assert jobs["status"].to_list() == ["completed", "completed"]


STOPS = """
name: stops
horizon: until-done
site: {feed: 45 kW, curtailment: [{at: [2 hours, 6 hours, 9 hours], for: 30 min, to: 20 kW}]}
fleet: [{pool: a, rack: dgx-h100, count: 4}]
workload:
  - {class: small, kind: synthetic, chips: {choice: {1: 0.5, 4: 0.3, 8: 0.2}}, arrivals: {per_hour: 8}, jobs: 80,
     duration: {lognormal: {median: 1 hour, sigma: 1}}, tenant: {choice: {x: 0.7, y: 0.3}}}
  - {class: urgent, kind: synthetic, chips: {choice: [4, 12]}, arrivals: {per_hour: 1}, jobs: 15, priority: 1,
     duration: {lognormal: {median: 1 hour, sigma: 1}}, tenant: {choice: {x: 0.5, y: 0.5}},
     malleable: {from: 1, to: 24, efficiency: 0.9}}
tenants:
  - {tenant: x, cohort: main, quota: {a: 12}, borrow: 6}
  - {tenant: y, cohort: main, quota: {a: 10}, lend: 4}
policy: {power: POWER, preemption: PREEMPTION, scaling: SCALING}
"""


@pytest.mark.parametrize("backfill", BACKFILLS)
@pytest.mark.parametrize(
    ("power", "preemption", "scaling"),
    [
        ("shed", "{priority: {min_run: 1 min}}", "none"),
        ("throttle", "{order: {min_run: 1 min}}", "none"),
        ("throttle", "none", "{elastic: {min_run: 1 min}}"),
        ("shed", "{priority: {min_run: 1 min}}", "{elastic: {min_run: 1 min}}"),
        ("throttle", "{time-slice: {slice: 20 min, min_run: 1 min}}", "{elastic: {min_run: 1 min}}"),
    ],
)
def test_stops_give_quota_back_and_no_stay_exceeds_a_limit(backfill, power, preemption, scaling, ran):
    text = STOPS.replace("POWER", power).replace("PREEMPTION", preemption).replace("SCALING", scaling)
    folder = ran([], "", "--policy", f"order=sjf,backfill={backfill}", text=text)
    jobs, stays = pl.read_parquet(folder / "jobs.parquet"), pl.read_parquet(folder / "stays.parquet")
    assert len(stays) > len(jobs) and jobs["end_s"].null_count() == 0
    held = stays.join(jobs.select("job_id", "tenant"), on="job_id").select("tenant", "chips", "from_s", "to_s").rows()
    most = 0
    for now_s in {from_s for _, _, from_s, _ in held}:
        x, y = (sum(n for who, n, start, end in held if who == name and start <= now_s < end) for name in "xy")
        assert x <= 18 and max(0, x) + max(0, y - 6) <= 12 + 4
        most = max(most, x)
    assert most > 12  # it has borrowed


PLUG_IN = """
from policies.view import Decisions, Start
def mine(view, order, placer):
    jobs = [job for lane in view.queue.lanes.values() for job in lane.jobs]
    return Decisions([Start(job, 0, ((0, job.shape.chips),)) for job in jobs])
"""


def test_a_backfill_that_starts_a_gang_over_its_quota_is_stopped(tmp_path):
    (tmp_path / "log.csv").write_text(HEADER + "0,0,4,10,10,x\n1,0,4,10,10,x\n")
    (tmp_path / "mine.py").write_text(PLUG_IN)
    text = SCENARIO + "tenants: [{tenant: x, quota: {a: 6}}]\npolicy: {backfill: mine.py:mine}\n"
    (tmp_path / "quotas.yaml").write_text(text)
    done = CliRunner().invoke(main, ["run", str(tmp_path / "quotas.yaml"), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    words = "starts a job in pool 0 on ((0, 4),), which the quota of its tenant does not allow (job log/1, at 0 s)"
    assert done.stderr.strip().endswith(words)


@pytest.mark.parametrize(
    ("tenants", "words"),
    [
        ("{tenant: z, quota: {a: 1}}", "5: tenants.z.tenant: unknown tenant 'z' (allowed: others, x, y)"),
        ("{tenant: x, quota: {c: 1}}", "5: tenants.x.quota.c: unknown pool 'c' (allowed: a, b)"),
        (
            "{tenant: x, cohort: m, quota: {a: 4}, lend: {c: 1}}",
            "5: tenants.x.lend.c: unknown pool 'c' (allowed: a, b)",
        ),
        ("{tenant: x, quota: {a: 3}}", "5: tenants.x.quota: no job of this tenant could ever start: more than its "),
        ("{tenant: x, quota: {}}, {tenant: y, quota: {}}", "4: workload.log: no job of this class could ever start: "),
        ("{tenant: x, quota: {a: 4}, borrow: 2}", "5: tenants.x.borrow: a tenant without a cohort cannot borrow: "),
        ("{tenant: x, quota: {a: 4}, lend: 0}", "5: tenants.x.lend: a tenant without a cohort cannot lend: "),
        ("{tenant: x, quota: {a: -4}}", "5: tenants.x.quota.a: found -4; allowed: greater than or equal to 0"),
        ("{tenant: x, quota: 4}", "5: tenants.x.quota: found 4; allowed: "),
        ("{tenant: x, cohort: m, quota: {a: 4}, borrow: some}", "5: tenants.x.borrow: found 'some'; allowed: a whole "),
        ("{tenant: x}", "5: tenants.x.quota: this key is missing"),
        ("{tenant: 3, quota: {a: 4}}", "5: tenants.0.tenant: found 3; allowed: text"),
        ("{tenant: x, quota: {a: 4}}, {tenant: x, quota: {a: 4}}", "5: tenants: the name x is used twice"),
        ("{tenant: x, quota: {a: 4}, burst: 2}", "5: tenants.x.burst: unknown key (allowed: tenant, cohort, quota, "),
    ],
)
def test_wrong_quotas_are_refused_at_their_line(tenants, words, refused):
    message = refused([(0, 4, 10, 10, "x"), (0, 4, 10, 10, "y")], f"tenants: [{tenants}]\n")
    assert message.startswith(f"quotas.yaml:{words}")


def test_a_cohort_of_one_is_warned_of(ran):
    folder = ran([(0, 4, 10, 10, "x")], "tenants: [{tenant: x, cohort: main, quota: {a: 4}}]")
    warnings = json.loads((folder / "run.json").read_text())["warnings"]
    assert warnings == ["the tenant x is alone in the cohort main: it can borrow from nobody"]


def test_a_tenant_whose_entry_is_likely_misspelt_is_warned_of_and_one_that_is_meant_to_have_none_is_not(ran):
    jobs = [(0, 4, 10, 10, "research"), (0, 4, 10, 10, "reserch"), (0, 4, 10, 10, "guest")]
    folder = ran(jobs, "tenants: [{tenant: research, quota: {a: 4}}]")
    warnings = json.loads((folder / "run.json").read_text())["warnings"]
    assert warnings == ["the tenant reserch has no entry in tenants and is not limited; did you mean 'research'?"]
