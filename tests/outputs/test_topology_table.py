"""The tables of a topology: its facts, all-reduce or domain rates, and the figures with their sources."""

import io

import pytest
from rich.console import Console

from outputs.tables import bandwidth
from outputs.topology_table import about, links, topology_tables
from topologies.interconnect import names, topology


def text(name):
    console = Console(file=io.StringIO(), width=400, markup=False, highlight=False)
    for made in topology_tables(name):
        console.print(made)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


@pytest.mark.parametrize("name", names())
def test_every_topology_has_its_facts_its_rates_and_its_sources(name):
    shown = text(name)
    assert about(name) in shown
    assert "bisection" in shown
    assert ("ring all-reduce" in shown) != ("when all domains send alike" in shown)
    assert "built from" in shown and "confidence" in shown


def test_what_a_topology_is_fits_in_a_line():
    assert about("dgx-h100") == "8 chips (h100-sxm), each on every one of 4 switches"
    assert about("trn2-48xl") == "16 chips (trainium2) in a torus of 4 x 4"
    assert about("inf2-48xl") == "12 chips (inferentia2) in a ring"
    assert about("trn3-gen2") == "144 chips (trainium3) in two racks of 18 sleds"


def test_links_are_told_by_the_kinds_that_they_join():
    assert links(topology("dgx-h100")) == {"chip to switch": "4 or 5 links, 100 GB/s or 125 GB/s each way"}
    assert links(topology("leaf-spine")) == {
        "domain to leaf": "8 links, 400 GB/s each way",
        "leaf to spine": "5 links, 250 GB/s each way",
    }


def test_an_estimate_and_a_band_are_told():
    assert "ESTIMATE: as a hop of NeuronLink" in text("trn3-gen2")
    assert "16 to 64" in text("trn2-ultraserver")


def test_a_fabric_tells_what_a_domain_can_send_by_how_far_it_goes():
    shown = text("fat-tree")
    assert "to other leaves            200 GB/s" in shown
    assert "to other pods              100 GB/s" in shown


@pytest.mark.parametrize(("rate", "said"), [(12.5e9, "12.5 GB/s"), (450e9, "450 GB/s"), (32.4e12, "32.4 TB/s")])
def test_a_bandwidth_is_told_as_a_person_says_it(rate, said):
    assert bandwidth(rate) == said
