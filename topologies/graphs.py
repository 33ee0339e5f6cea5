"""Scale-up graphs: how the chips of one domain are joined. Pure functions on plain numbers.

Nodes carry `kind` (chip or switch). Edges carry bytes_per_s, what goes through in EACH direction [bytes/s], latency_s
[s], and links, the parallel cables that they stand for. What theory needs stands in the graph's `form`; the theory
itself in graph_facts.py, the figures of real machines in catalog/interconnect.csv, scale-out fabrics in fabric.py.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import networkx as nx

from topologies.tori import Torus

Topology: TypeAlias = "nx.Graph[str]"


@dataclass(frozen=True, slots=True)
class Switched:
    """Every chip has the same links to every switch."""

    chips: int
    switches: int
    chip_bytes_per_s: float


@dataclass(frozen=True, slots=True)
class Sleds:
    """Two racks of sleds of chips: a switch a sled, a switch a rack, and a link to the same place of the other rack.

    The three rates are a chip's, in one direction.
    """

    sleds: int  # in a rack
    chips: int  # in a sled
    sled_bytes_per_s: float
    rack_bytes_per_s: float
    peer_bytes_per_s: float


def switched(
    chips: int,
    switches: int,
    links: int,
    chip_bytes_per_s: float,
    latency_s: float,
    tray_chips: int,
    tray_switches: int,
) -> Topology:
    """Chips that all reach each other through one stage of switches, such as an HGX board or an NVL72 rack.

    chips: 8 and 72. switches: 4 (HGX H100), 2 (HGX B200), 18 (NVL72). links: of one chip, shared out over the switches
    as evenly as whole links can be. chip_bytes_per_s: of all links of a chip, in one direction [bytes/s]. tray_chips,
    tray_switches: how many stand in one tray; nodes carry their `tray`.
    Source: Ishii and Wells, The NVLink-Network Switch, Hot Chips 34 (2022): all-to-all through NVSwitch; NVIDIA DGX
    GB200 documentation: 18 compute trays of 4 GPUs, 9 switch trays of 2 ASICs.
    """
    graph: Topology = nx.Graph(form=Switched(chips, switches, chip_bytes_per_s))
    graph.add_nodes_from((f"chip {at}", {"kind": "chip", "tray": at // tray_chips}) for at in range(chips))
    graph.add_nodes_from((f"switch {at}", {"kind": "switch", "tray": at // tray_switches}) for at in range(switches))
    for at in range(switches):
        share = links // switches + (at < links % switches)
        rate = chip_bytes_per_s * share / links
        for chip in range(chips):
            graph.add_edge(f"chip {chip}", f"switch {at}", bytes_per_s=rate, latency_s=latency_s, links=share)
    return graph


def torus(sides: Sequence[int], link_bytes_per_s: Sequence[float], latency_s: float) -> Topology:
    """Chips on a grid whose rows, columns and layers all close to rings; nodes carry their place, `at`.

    sides: chips along each dimension, at least 3: (4, 4) for a Trainium instance, (4, 4, 4) for a Trn2 UltraServer,
    whose third dimension joins the same place of four instances. link_bytes_per_s: of one link in one direction, a
    figure a dimension [bytes/s]. Raises ValueError for a side below 3, on which two links would coincide.
    Source: Dally and Towles, Principles and Practices of Interconnection Networks (2004), chapter 5; AWS Neuron
    documentation, trn1-arch and trn2-arch (aws-neuron/aws-neuron-sdk@81ce03a).
    """
    if min(sides) < 3:
        raise ValueError(f"found a torus of sides {tuple(sides)}; allowed: at least 3 chips a ring")
    graph: Topology = nx.Graph(form=Torus(tuple(sides), tuple(link_bytes_per_s)))
    places = list(itertools.product(*map(range, sides)))
    names = {place: f"chip {number}" for number, place in enumerate(places)}
    graph.add_nodes_from((names[place], {"kind": "chip", "at": place}) for place in places)
    for place in places:
        for dimension, (side, rate) in enumerate(zip(sides, link_bytes_per_s, strict=True)):
            following = (*place[:dimension], (place[dimension] + 1) % side, *place[dimension + 1 :])
            graph.add_edge(names[place], names[following], bytes_per_s=rate, latency_s=latency_s, links=1)
    return graph


def ring(chips: int, link_bytes_per_s: float, latency_s: float) -> Topology:
    """Chips in a circle, such as the 12 of an inf2.48xlarge: a torus of one dimension.

    Source: AWS Neuron documentation, inf2-arch (aws-neuron/aws-neuron-sdk@81ce03a), where the ring stands in a picture.
    """
    return torus((chips,), (link_bytes_per_s,), latency_s)


def sleds(form: Sleds, latency_s: float) -> Topology:
    """Any-to-any through switches in sleds and racks, with direct links between two racks: a Trn3 Gen2 UltraServer.

    18 sleds of 4 chips in a rack. One node stands for all PCIe switches of a sled or of a rack, one edge for all links
    of a chip to it. Nodes carry their `rack`, and their `sled` where they have one.
    Source: AWS Neuron documentation, trn3-arch (aws-neuron/aws-neuron-sdk@81ce03a): 4, 5 and 2 PCIe Gen6 x8 a chip
    within the sled, within the rack and to the other rack. ESTIMATE: how the switches of a rack are wired, and that the
    links between racks join chips of the same place, since neither is published.
    """
    graph: Topology = nx.Graph(form=form)
    rack_chips = form.sleds * form.chips
    for number in range(2 * rack_chips):
        rack, place = divmod(number, rack_chips)
        graph.add_node(f"chip {number}", kind="chip", rack=rack, sled=place // form.chips)
    for number in range(2 * form.sleds):
        rack, sled = divmod(number, form.sleds)
        graph.add_node(f"sled switch {number}", kind="switch", rack=rack, sled=sled)
    for number in range(2 * rack_chips):
        rack, place = divmod(number, rack_chips)
        ways = {
            f"sled switch {number // form.chips}": form.sled_bytes_per_s,
            f"rack switch {rack}": form.rack_bytes_per_s,
        }
        if rack:
            ways[f"chip {place}"] = form.peer_bytes_per_s
        for other, rate in ways.items():
            graph.add_edge(f"chip {number}", other, bytes_per_s=rate, latency_s=latency_s, links=1)
    for rack in range(2):
        graph.nodes[f"rack switch {rack}"].update(kind="switch", rack=rack)
    return graph


def chips_of(form: Switched | Torus | Sleds) -> int:
    """The chips of a domain of this form."""
    match form:
        case Switched():
            return form.chips
        case Torus():
            return math.prod(form.sides)
        case Sleds():
            return 2 * form.sleds * form.chips
