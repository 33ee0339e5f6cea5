"""Classes that require or prefer one node, domain or leaf, in whole runs; and what is refused with one message."""

import filecmp
import re
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from outputs.metrics import measure
from sim.cli import main
from sim.run import prepare
from sim.simulation import Simulation
from topologies.boxes import Box

# NVL72s of nodes of 4 chips, three racks to a leaf, and UltraServers of nodes of 16 chips, two to a leaf
MIXED = """\
name: units
horizon: {days} days
warmup: 6 hours
seed: {seed}
network: {{fabric: leaf-spine, oversubscription: 2, ports: 324}}
site: {{feed: 2 MW, curtailment: [{{at: [12 hours, 30 hours], for: 3 hours, to: 900 kW}}]}}
fleet: [{{pool: nvl, rack: gb200-nvl72, count: 8}}, {{pool: trn, rack: trn2-ultraserver, count: 4}}]
workload:
{classes}
policy: {{backfill: {backfill}, placement: {placement}, power: shed}}
"""
CLASS = """\
  - {{class: {}, kind: synthetic, chips: {{choice: {}}}, {}arrivals: {{per_hour: {}}}, stacks: [cuda, neuron],
     duration: {{lognormal: {{median: 1 hour, sigma: 1}}}}, estimate: {{factor: {{uniform: [1, 2]}}}}}}
"""
CLASSES = "".join(
    CLASS.format(*facts)
    for facts in [
        ("nodes", "[1, 2, 3, 4]", "topology: {required: node}, ", 30),
        ("small", "[2, 4, 6]", "topology: {preferred: node}, ", 15),
        ("whole", "[16, 32, 64]", "topology: {required: domain}, ", 3),
        ("large", "[24, 48, 96, 144]", "topology: {required: leaf, preferred: domain}, ", 1),
        ("free", "[8, 80]", "", 3),
    ]
)
LEVELS = {"nodes": "node", "whole": "domain", "large": "leaf"}
PREFERRED = {"small": "node", "large": "domain"}
LEAF_DOMAINS, DOMAIN_CHIPS, NODE_CHIPS = (3, 2), (72, 64), (4, 16)


def spanned(level, pool, placement):
    """How many units of a level a gang has chips in."""
    if level == "leaf":
        return len({domain // LEAF_DOMAINS[pool] for domain, _ in placement})
    if level == "domain":
        return len(placement)
    chips = set()
    for domain, part in placement:
        mask = part.mask if isinstance(part, Box) else (1 << part) - 1
        assert isinstance(part, Box) or part == DOMAIN_CHIPS[pool]  # else it is not known which chips they are
        chips |= {domain * DOMAIN_CHIPS[pool] + at for at in range(DOMAIN_CHIPS[pool]) if mask >> at & 1}
    return len({chip // NODE_CHIPS[pool] for chip in chips})


@pytest.mark.parametrize(
    ("backfill", "placement", "seed"),
    [
        ("easy", "pack", 1),
        ("easy", "spread", 2),
        ("easy", "topology", 3),
        ("greedy", "contiguous", 4),
        ("none", "fragmentation", 5),
        ("greedy", "first-fit", 6),
        ("conservative", "pack", 7),
    ],
)
def test_no_running_gang_ever_spans_two_units_that_it_may_not(backfill, placement, seed, tmp_path):
    path = tmp_path / "units.yaml"
    days = 0.6 if backfill == "conservative" else 2
    path.write_text(MIXED.format(backfill=backfill, placement=placement, seed=seed, days=days, classes=CLASSES))
    scenario, plant, policy = prepare(path)
    assert [segment.form.group for segment in plant.network.segments] == list(LEAF_DOMAINS)
    names = [work.job_class for work in scenario.keys.workload]
    simulation = Simulation(scenario, plant, policy, seed)
    seen, last = set(), {}
    going = True
    while going:  # the last pass may follow the last event
        going = simulation.advance(1)
        for pool, running in enumerate(simulation.cluster.held.running):
            for run in running:
                key = run.row, run.planned_end_s, *[getattr(part, "mask", part) for _, part in run.placement]
                if key in seen:
                    continue
                seen.add(key)
                name = simulation.record.job_id(run.row, names).partition("/")[0]
                if name in LEVELS:
                    assert spanned(LEVELS[name], pool, run.placement) == 1, name
                if name in PREFERRED:
                    last[run.row] = name, spanned(PREFERRED[name], pool, run.placement) == 1
    record = simulation.finish()
    result = measure(record, plant, scenario)
    late = {row: kept for row, kept in last.items() if submit_s(record, row) >= 6 * 3600}
    for name in PREFERRED:
        met = [is_met for of, is_met in late.values() if of == name]
        assert 0 < sum(met) < len(met) or days < 1
        assert result.summary[f"{name}/preferred_level_met_fraction"] == pytest.approx(sum(met) / len(met))
    every = [is_met for _, is_met in late.values()]
    assert result.summary["preferred_level_met_fraction"] == pytest.approx(sum(every) / len(every))
    assert "nodes/preferred_level_met_fraction" not in result.summary


def submit_s(record, row):
    for _, jobs in record.tables:
        if row < len(jobs):
            return jobs.submit_s[row]
        row -= len(jobs)
    raise AssertionError


DGX = """\
name: own
horizon: 2 days
fleet: [{pool: dgx, rack: dgx-h100, count: 4}]
workload:
  - {class: a, kind: synthetic, chips: %s, duration: 2 hours, arrivals: {per_hour: 2}, topology: {%s}}
"""


def megawatt(*words: str) -> Result:
    return CliRunner().invoke(main, words, catch_exceptions=False)


def refused(text: str, *words: str) -> str:
    """The one message of a scenario that must be refused."""
    Path("own.yaml").write_text(text)
    result = megawatt("run", "own.yaml", "--no-render", "--out", "never", *words)
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1), result.output
    assert not Path("never").exists()
    return result.stderr.removeprefix("megawatt: ").strip().replace(f"{Path.cwd()}/", "")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
def test_a_run_with_levels_runs_again_to_the_same_bytes_from_its_resolved_copy(folder):
    Path("own.yaml").write_text(MIXED.format(backfill="easy", placement="pack", seed=1, days=1, classes=CLASSES))
    assert megawatt("run", "own.yaml", "--no-render", "--out", "first").exit_code == 0
    assert "  topology:\n    required: leaf\n    preferred: domain\n" in Path("first/scenario.yaml").read_text()
    assert megawatt("run", "first/scenario.yaml", "--no-render", "--out", "second").exit_code == 0
    names = sorted({path.name for path in Path("first").iterdir()} - {"run.json"})
    assert filecmp.cmpfiles("first", "second", names, shallow=False) == (names, [], [])


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("chips", "topology", "message"),
    [
        ("8", "required: rack", "own.yaml:5: workload.a.topology.required: found 'rack'; allowed: "),
        ("8", "", "own.yaml:5: workload.a.topology: allowed: required, preferred or both, such as {required: leaf, "),
        ("8", "required: domain, preferred: leaf", "topology.preferred: allowed: a level within the required one, "),
        ("8", "required: node, preferred: node", "topology.preferred: allowed: a level within the required one, "),
        ("8", "required: leaf", "own.yaml:5: workload.a.topology.required: leaf needs to know which domains share "),
        ("8", "preferred: leaf", "topology.preferred: leaf needs to know which domains share leaves: set network"),
        (
            "{choice: [16, 32]}",
            "required: domain",
            "own.yaml:5: workload.a.topology.required: no gang of this class could ever start, of 16 chips or more: "
            "its class requires one domain, and the largest that it may use has 8 chips",
        ),
        ("9", "required: node", "its class requires one node, and the largest that it may use has 8 chips"),
    ],
)
def test_levels_that_make_no_sense_are_refused(chips, topology, message):
    assert message in refused(DGX % (chips, topology))


@pytest.mark.usefixtures("folder")
def test_levels_that_a_pool_does_not_have_are_refused():
    plain = DGX.replace("rack: dgx-h100, count: 4", "rack: plain, chips: 32")
    network = plain.replace("fleet:", "network: {fabric: leaf-spine}\nfleet:")
    have = "own.yaml:5: workload.a.topology.required: pool dgx is of plain processors, which have no nodes"
    assert refused(plain % ("8", "required: node")) == have
    assert "pool dgx is of plain processors, which have no leaves" in refused(network % ("8", "preferred: leaf"))
    rack = "rack: mine, count: 4}]\ncatalog: {racks: {mine: {accelerator: h100-sxm, chips: 24, domain_chips: 12, "
    rack += "node_chips: 8, source: me, confidence: low}}}"
    own = DGX.replace("rack: dgx-h100, count: 4}]", rack)
    assert refused(own % ("8", "required: node")).endswith("nodes of 8 chips and domains of 12 do not nest in mine")


@pytest.mark.usefixtures("folder")
def test_in_a_torus_a_size_that_has_no_box_in_a_node_never_starts_under_contiguous():
    text = DGX.replace(
        "rack: dgx-h100, count: 4}]", "rack: trn2-ultraserver, count: 4}]\nnetwork: {fabric: leaf-spine}"
    )
    message = refused(text % ("10", "required: node"), "--policy", "placement=contiguous")
    assert "its size has no place within one node in a pool it may use, however empty" in message
    Path("own.yaml").write_text(text % ("10", "required: node"))
    assert megawatt("validate", "own.yaml").exit_code == 0


@pytest.mark.usefixtures("folder")
def test_gangs_that_no_unit_could_ever_hold_are_rejected_and_a_pool_without_such_a_unit_is_left_out():
    fleet = "[{pool: dgx, rack: dgx-h100, count: 4}, {pool: nvl, rack: gb200-nvl72, count: 2}]"
    text = DGX.replace("[{pool: dgx, rack: dgx-h100, count: 4}]", fleet)
    Path("own.yaml").write_text(text % ("{choice: [8, 24, 80]}", "required: domain"))
    result = megawatt("run", "own.yaml", "--no-render", "--out", "out")
    assert result.exit_code == 0
    jobs = pl.read_parquet("out/jobs.parquet")
    status = set(jobs.select("chips", "pool", "status").rows())
    assert {(80, None, "rejected"), (24, "nvl", "completed"), (8, "dgx", "completed")} <= status
    assert not {pool for chips, pool, _ in status if chips == 24} & {"dgx"}
    reason = "its class requires one domain, and the largest that it may use has 72 chips"
    assert set(jobs["reason"]) == {None, reason}
    assert reason in result.output


GUARDED = """\
name: own
horizon: 2 days
network: {fabric: leaf-spine, ports: 32}
fleet: [{pool: dgx, rack: dgx-h100, count: 4}]
workload:
  - {class: a, kind: synthetic, chips: 16, duration: 2 hours, arrivals: {per_hour: 2}, topology: {required: %s}}
"""
ACROSS = """\
from policies.view import Decisions, Start
def mine(view, order, placer):
    return Decisions([Start(view.queue.head(view), 0, {placement})])
"""


@pytest.mark.usefixtures("folder")
def test_a_backfill_of_the_users_own_that_breaks_a_requirement_is_named_with_the_job_and_the_time():
    Path("mine.py").write_text(ACROSS.format(placement="((1, 8), (2, 8))"))
    message = refused(GUARDED % "leaf", "--policy", "backfill=mine.py:mine")
    assert message.startswith("mine.py:2: backfill mine.py:mine starts a job in pool 0 on ((1, 8), (2, 8)), ")
    assert "which is not within one leaf, as its class requires (job a/1, at " in message
    Path("mine.py").write_text(ACROSS.format(placement="((0, 8), (1, 8))"))  # which is one leaf
    message = refused(GUARDED % "leaf", "--policy", "backfill=mine.py:mine")
    assert "but domain 0 has 0 free chips (job a/2, at " in message


DEAF = """\
from policies.placement import pack
def mine(free, chips, avoid):
    return pack(free, chips, avoid) if chips == 1 or free.free == {heard} else {placement}
"""


@pytest.mark.usefixtures("folder")
def test_a_placement_of_the_users_own_that_breaks_a_requirement_is_named_with_the_job_and_the_time():
    asked = (
        "mine.py:2: placement mine.py:mine, asked for 16 chips, returned ((1, 8), (2, 8)), but it was told to avoid "
    )
    Path("mine.py").write_text(DEAF.format(heard=0, placement="((1, 8), (2, 8))"))
    assert refused(GUARDED % "leaf", "--policy", "placement=mine.py:mine").startswith(asked)  # tried before the run
    Path("mine.py").write_text(DEAF.format(heard=32, placement="((1, 8), (2, 8))"))
    small = "  - {class: b, kind: synthetic, chips: 1, duration: 10 days, arrivals: {per_hour: 900}, jobs: 1}\n"
    message = refused(GUARDED % "leaf" + small, "--policy", "placement=mine.py:mine")
    assert message.startswith(asked), message
    assert re.search(r"domain [012] \(job a/\d, at [\d.]+ s\)$", message), message
