"""What a graph can do, derived once: hops, bisection, all-reduce bandwidth. Pure functions on the graphs of this room.

Rates are those of the wires, in one direction; what software makes of them is not known here.
"""

import itertools
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import networkx as nx

from topologies import slices
from topologies.fabric import Fabric
from topologies.graphs import Sleds, Switched, Topology, chips_of
from topologies.tori import Torus

ENDS = ("chip", "domain")  # the kinds of node that send and receive; all others pass on


@dataclass(frozen=True, slots=True)
class GraphFacts:
    """A graph in numbers. nodes: how many of each kind; links: cables; hops and latency_s: between the farthest ends.

    bisection_bytes_per_s: the least that goes each way between two halves of the ends [bytes/s], None where the graph
    is too irregular for its theory.
    """

    nodes: Mapping[str, int]
    links: int
    hops: int
    latency_s: float
    bisection_bytes_per_s: float | None


def facts(graph: Topology) -> GraphFacts:
    """The facts of a graph of graphs.py or fabric.py, whose ends are all alike: distances are taken from the first."""
    kinds: dict[str, str] = {node: graph.nodes[node]["kind"] for node in graph}
    ends = [node for node, kind in kinds.items() if kind in ENDS]
    hops = nx.single_source_shortest_path_length(graph, ends[0])
    latency_s = nx.single_source_dijkstra_path_length(graph, ends[0], weight="latency_s")
    return GraphFacts(
        Counter(kinds.values()),
        int(graph.size(weight="links")),
        max(hops[node] for node in ends),
        max(latency_s[node] for node in ends),
        bisection_bytes_per_s(graph),
    )


def bisection_bytes_per_s(graph: Topology) -> float | None:
    """The least bandwidth each way over any cut of the ends into halves [bytes/s]; None where theory does not say.

    Switched: half the chips times a chip's bandwidth, wherever the switches are counted.
    Torus with even sides: 2 N / k links across the cheapest dimension (k its side); a ring: 2 links.
    Sleds: the direct links between two racks.
    Fabric whose groups are full: half the uplinks of the highest tier where its pods (or groups) can be halved.
    Source: Dally and Towles (2004), sections 3.3 and 5.2; Leiserson, IEEE Transactions on Computers C-34 (1985).
    """
    match graph.graph["form"]:
        case Switched(chips=chips, chip_bytes_per_s=rate):
            return float(chips // 2 * rate)
        case Torus() as form:
            return _torus_bisection(form)
        case Sleds() as form:
            return form.sleds * form.chips * form.peer_bytes_per_s
        case Fabric() as form:
            return _fabric_bisection(form)
    return None


def _torus_bisection(form: Torus) -> float | None:
    chips = math.prod(form.sides)
    if len(form.sides) > 1 and any(side % 2 for side in form.sides):
        return None
    return min(2 * (chips // side) * rate for side, rate in zip(form.sides, form.link_bytes_per_s, strict=True))


def _fabric_bisection(form: Fabric) -> float | None:
    link = form.ends.link_bytes_per_s
    if form.groups == 1:  # every leaf has a link to every domain
        return form.ends.domains // 2 * form.ends.nics * link
    if not form.full or (form.pods if form.pods > 1 else form.groups) % 2:
        return None
    if form.pods > 1:
        return form.pods // 2 * form.spines * form.spine_up * link
    return form.groups // 2 * form.rails * form.up * link


def allreduce_bytes_per_s(graph: Topology, chips: int) -> float | None:
    """The bandwidth B of a ring all-reduce over so many chips of a domain, at its best place [bytes/s].

    B is what each chip sends, so that S bytes over n chips take S / B * 2 (n - 1) / n. None where the group has no
    place: more chips than there are, or no box of this size in a torus.
    Switched: all links of the chip. Torus: the best box, see box_bytes_per_s. Sleds: the links into sled and rack, and
    for whole sleds of both racks those between them too.
    Source: NCCL tests, doc/PERFORMANCE.md (bus bandwidth).
    """
    form = graph.graph["form"]
    if isinstance(form, Fabric) or not 2 <= chips <= chips_of(form):
        return None
    match form:
        case Switched():
            return form.chip_bytes_per_s
        case Torus():
            box = best_box(form, chips)
            return None if box is None else box_bytes_per_s(form, box)
        case Sleds():
            return _sleds_bytes_per_s(form, chips)
    return None


def _sleds_bytes_per_s(form: Sleds, chips: int) -> float | None:
    within = form.sled_bytes_per_s + form.rack_bytes_per_s
    if chips <= form.sleds * form.chips:
        return within
    return None if chips % (2 * form.chips) else within + form.peer_bytes_per_s


def box_bytes_per_s(form: Torus, box: tuple[int, ...]) -> float:
    """The all-reduce bandwidth of a box of a torus [bytes/s], box: chips along each dimension; 0 for one chip.

    A dimension wraps around within the box where the box is as wide as the torus.
    """
    if math.prod(box) == 1:
        return 0.0
    wraps = [width == side for width, side in zip(box, form.sides, strict=True)]
    return slices.box(box, wraps, form.link_bytes_per_s).ring_bytes_per_s


def best_box(form: Torus, chips: int) -> tuple[int, ...] | None:
    """The box of so many chips whose all-reduce is the fastest; None where the torus holds no such box."""
    widths = [[width for width in range(side, 0, -1) if chips % width == 0] for side in form.sides]
    boxes = [box for box in itertools.product(*widths) if math.prod(box) == chips]
    return max(boxes, key=lambda box: box_bytes_per_s(form, box), default=None)


def group_sizes(graph: Topology) -> list[int]:
    """The sizes of groups that people use: powers of two, and the whole domain."""
    whole = chips_of(graph.graph["form"])
    return [*(2**power for power in range(1, whole.bit_length()) if 2**power < whole), whole]


def domain_bytes_per_s(graph: Topology) -> dict[str, float]:
    """What a domain of a fabric can send [bytes/s] when all do alike, by the highest tier that it crosses.

    leaf: within its group. spine: to other groups of its pod. core: to other pods. Uplinks are shared evenly.
    """
    form = graph.graph["form"]
    if not isinstance(form, Fabric):
        raise TypeError(f"found {form}; allowed: a fabric")
    link = form.ends.link_bytes_per_s
    rates = {"leaf": form.ends.nics * link}
    if form.groups > 1:
        rates["spine"] = form.rails * form.up * link / form.group
    if form.pods > 1:
        rates["core"] = form.spines * form.spine_up * link / (form.pod_groups * form.group)
    return rates
