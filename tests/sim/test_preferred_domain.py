"""Gangs that prefer one domain and are spread over two for want of it, in whole runs."""

import pytest

RACKS = """
name: racks
horizon: 2 days
fleet: [{pool: nvl, rack: gb200-nvl72, count: 2}]
NETWORK
workload:
  - {class: big, kind: trace, format: csv, file: BIG}
  - {class: small, kind: trace, format: csv, file: SMALL, TOPOLOGY}
policy: {placement: PLACEMENT}
"""
COMMUNICATION = "communication: {collective: all-reduce, size: 2 GB, compute: 200 ms}"
PREFERRED = "topology: {preferred: domain}"


@pytest.fixture
def ran(tmp_path, measured):
    """Two gangs of 64 hold a rack each for ten hours; one of 16 comes after a minute."""
    (tmp_path / "big.csv").write_text("number,submit_s,chips,run_s\n1,0,64,36000\n2,0,64,36000\n")
    (tmp_path / "small.csv").write_text("number,submit_s,chips,run_s\n1,60,16,600\n")

    def run(topology, placement="pack", network=""):
        text = RACKS.replace("BIG", str(tmp_path / "big.csv")).replace("SMALL", str(tmp_path / "small.csv"))
        text = text.replace("TOPOLOGY", topology).replace("PLACEMENT", placement).replace("NETWORK", network)
        _, _, result = measured(text)
        return result.jobs.filter(result.jobs["job_class"] == "small").row(0, named=True), result

    return run


@pytest.mark.parametrize("placement", ["pack", "first-fit", "fragmentation", "topology", "efficient", "cheapest"])
def test_it_starts_at_once_on_what_two_racks_have_left(ran, placement):
    job, result = ran(PREFERRED, placement)
    assert (job["start_s"], job["end_s"]) == (60, 660)
    assert result.summary["preferred_level_met_fraction"] == 0


def test_without_the_word_it_waits_for_one_rack(ran):
    job, _ = ran("priority: 1")
    assert job["start_s"] == 36_000


def test_under_a_network_it_runs_as_slowly_as_the_fabric_between_the_racks_makes_it(ran):
    network = "network: {fabric: leaf-spine, link: 400 Gbit/s}"
    spread, _ = ran(f"{PREFERRED}, {COMMUNICATION}", network=network)
    whole, _ = ran(COMMUNICATION, network=network)
    assert (spread["start_s"], spread["domains"], whole["start_s"], whole["domains"]) == (60, 2, 36_000, 1)
    assert whole["placement_slowdown"] == 1
    assert spread["placement_slowdown"] > 1
    assert spread["run_s"] == pytest.approx(whole["run_s"] * spread["placement_slowdown"])
