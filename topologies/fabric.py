"""Scale-out fabrics: domains on leaves, leaves on spines, spines on cores. Pure functions on plain numbers.

The endpoints are domains (or nodes), not chips: what is inside a domain is a graph of its own (graphs.py), built once
for each kind of rack. Nodes carry `kind` (domain, leaf, spine, core) and their `group`, `pod` and `rail` where they
have one; edges carry bytes_per_s of all their parallel links in EACH direction [bytes/s], latency_s [s] and links.
"""

import math
from dataclasses import dataclass
from typing import Any

import networkx as nx

from topologies.graphs import Topology

_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What hangs on a fabric: domains with so many NICs each, and the link of a NIC in one direction."""

    domains: int
    nics: int
    link_bytes_per_s: float
    latency_s: float


@dataclass(frozen=True, slots=True)
class Switches:
    """The switches of a fabric: ports, each of the speed of a NIC, and the time over a link between two of them."""

    ports: int
    latency_s: float
    spine_ports: int | None = None  # of the spines of two tiers, by default as the leaves'


@dataclass(frozen=True, slots=True)
class Fabric:
    """The form of a fabric. A group is the domains that share their leaves: one leaf, or one for each rail.

    Domains fill groups in order, and groups pods.
    """

    ends: Endpoints
    rails: int
    group: int  # domains in a group
    groups: int
    up: int  # uplinks of a leaf
    pod_groups: int
    pods: int
    spines: int  # in a pod
    spine_up: int  # uplinks of a spine
    cores: int

    @property
    def group_bytes_per_s(self) -> float:
        """What the leaves of a group can send up [bytes/s]."""
        return self.rails * self.up * self.ends.link_bytes_per_s

    @property
    def pod_bytes_per_s(self) -> float:
        """What the spines of a pod can send up [bytes/s]."""
        return self.spines * self.spine_up * self.ends.link_bytes_per_s

    @property
    def full(self) -> bool:
        """Whether every group has all its domains and every pod all its groups."""
        return self.ends.domains == self.groups * self.group and self.groups == self.pods * self.pod_groups


def leaf_spine(ends: Endpoints, switches: Switches, oversubscription: float = 1.0) -> Topology:
    """Two tiers: all NICs of a domain on one leaf, every leaf on every spine.

    oversubscription: a leaf's links down over its links up [1], at least 1; never exceeded, as uplinks are rounded up.
    Raises ValueError where a domain does not fit under a leaf, or where two tiers do not hold the domains.
    Source: Clos, A Study of Non-Blocking Switching Networks, Bell System Technical Journal 32 (1953).
    """
    return _build(two_tiers(ends, switches, oversubscription, 1), switches.latency_s)


def rail_optimised(
    ends: Endpoints, switches: Switches, oversubscription: float = 1.0, rails: int | None = None
) -> Topology:
    """Two tiers: NIC j of every domain on the leaf of rail j, so that like chips of a group are one leaf apart.

    rails: leaves of a group, by default one for each NIC. oversubscription and errors as in leaf_spine.
    Source: NVIDIA DGX SuperPOD Reference Architecture: groups of 32 nodes with 8 leaves; Wang et al., Rail-only,
    arXiv 2307.12169.
    """
    rails = ends.nics if rails is None else rails
    return _build(two_tiers(ends, switches, oversubscription, rails), switches.latency_s)


def fat_tree(
    ends: Endpoints, switches: Switches, oversubscription: tuple[float, float] = (1.0, 1.0), rails: int = 1
) -> Topology:
    """Three tiers: pods of leaves and spines, and cores that join the pods.

    oversubscription: links down over links up of a leaf, and of a spine [1]. In a pod each leaf has one link to each
    spine. rails: 1 puts a domain on one leaf; more make the pods rail-optimised. Raises ValueError where three tiers do
    not hold the domains.
    Source: Al-Fares et al., A Scalable, Commodity Data Center Network Architecture, SIGCOMM 2008; Leiserson, Fat-Trees,
    IEEE Transactions on Computers C-34 (1985).
    """
    return _build(three_tiers(ends, switches, oversubscription, rails), switches.latency_s)


def three_tiers(ends: Endpoints, switches: Switches, oversubscription: tuple[float, float], rails: int) -> Fabric:
    """The form of a fat_tree; ValueError where three tiers do not hold the domains."""
    group, groups, up = _leaves(ends, switches, oversubscription[0], rails)
    most = _down(switches, oversubscription[1]) // rails
    if most == 0:
        raise ValueError(f"a spine of {switches.ports} ports has too few for the leaves of {rails} rails")
    pods = -(-groups // most)
    pod_groups = -(-groups // pods)
    pods = -(-groups // pod_groups)
    spine_up = _up(pod_groups * rails, oversubscription[1]) if pods > 1 else 0
    if pods > switches.ports:
        raise ValueError(f"three tiers of {switches.ports}-port switches take {switches.ports} pods; needed: {pods}")
    cores = _cores(pods, up * spine_up, spine_up, switches.ports)
    return Fabric(ends, rails, group, groups, up, pod_groups, pods, up, spine_up, cores)


def two_tiers(ends: Endpoints, switches: Switches, oversubscription: float, rails: int) -> Fabric:
    """The form of a leaf_spine (with one rail) or of a rail_optimised fabric; ValueError as there."""
    group, groups, up = _leaves(ends, switches, oversubscription, rails)
    leaves, ports = groups * rails, switches.spine_ports or switches.ports
    if leaves > ports:
        raise ValueError(
            f"two tiers with spines of {ports} ports take {ports} leaves; needed: {leaves} (a fat-tree holds more)"
        )
    least = -(-leaves * up // ports)
    spines = next(count for count in range(least, up + 1) if up % count == 0) if leaves > 1 else 0
    return Fabric(ends, rails, group, groups, up, groups, 1, spines, 0, 0)


def least_rails(ends: Endpoints, switches: Switches, oversubscription: float, rails: int) -> int:
    """The fewest rails, from so many on, that divide a domain's NICs and put no more on a leaf than it takes."""
    most = _down(switches, oversubscription)
    if rails > ends.nics:
        raise ValueError(f"found {ends.nics} NICs a domain on {rails} rails; allowed: a divisor of the NICs")
    return next(count for count in range(rails, ends.nics + 1) if ends.nics % count == 0 and ends.nics // count <= most)


def _leaves(ends: Endpoints, switches: Switches, oversubscription: float, rails: int) -> tuple[int, int, int]:
    """Domains of a group, groups, and uplinks of a leaf; groups are filled evenly."""
    if ends.nics % rails:
        raise ValueError(f"found {ends.nics} NICs a domain on {rails} rails; allowed: a divisor of the NICs")
    on_a_leaf, most = ends.nics // rails, _down(switches, oversubscription)
    if on_a_leaf > most:
        text = f"a leaf of {switches.ports} ports takes {most} NICs; a domain brings {on_a_leaf} (more rails: fewer)"
        raise ValueError(text)
    groups = -(-ends.domains // (most // on_a_leaf))
    group = -(-ends.domains // groups)
    return group, -(-ends.domains // group), _up(group * on_a_leaf, oversubscription)


def _down(switches: Switches, oversubscription: float) -> int:
    """The most links down that leave ports for their share of links up."""
    if oversubscription < 1:
        raise ValueError(f"found an oversubscription of {oversubscription}; allowed: at least 1")
    return math.floor(switches.ports * oversubscription / (1 + oversubscription) + _ROUNDING)


def _up(down: int, oversubscription: float) -> int:
    return math.ceil(down / oversubscription - _ROUNDING)


def _cores(pods: int, pod_up: int, spine_up: int, ports: int) -> int:
    """The fewest cores that take all uplinks of the pods, as many from each pod and from each spine that they reach."""
    if pods == 1:
        return 0
    least = -(-pods * pod_up // ports)
    even = (count for count in range(least, pod_up + 1) if pod_up % count == 0)
    return next(count for count in even if count % spine_up == 0 or spine_up % count == 0)


def _build(form: Fabric, latency_s: float) -> Topology:
    """The graph of a form: domains by group, then leaves by group and rail, spines by pod, cores."""
    graph: Topology = nx.Graph(form=form)
    ends = form.ends
    for domain in range(ends.domains):
        group = domain // form.group
        graph.add_node(f"domain {domain}", kind="domain", group=group, pod=group // form.pod_groups)
    for leaf in range(form.groups * form.rails):
        group, rail = divmod(leaf, form.rails)
        graph.add_node(f"leaf {leaf}", kind="leaf", group=group, rail=rail, pod=group // form.pod_groups)
    for spine in range(form.pods * form.spines):
        graph.add_node(f"spine {spine}", kind="spine", pod=spine // form.spines)
    graph.add_nodes_from((f"core {core}", {"kind": "core"}) for core in range(form.cores))
    nics = _wire(ends.nics // form.rails, ends, ends.latency_s)
    for domain in range(ends.domains):
        first = domain // form.group * form.rails
        graph.add_edges_from((f"domain {domain}", f"leaf {first + rail}", nics) for rail in range(form.rails))
    if form.spines:
        wire = _wire(form.up // form.spines, ends, latency_s)
        for leaf in range(form.groups * form.rails):
            first = leaf // form.rails // form.pod_groups * form.spines
            graph.add_edges_from((f"leaf {leaf}", f"spine {first + spine}", wire) for spine in range(form.spines))
    if form.cores:
        _join_cores(graph, form, latency_s)
    return graph


def _join_cores(graph: Topology, form: Fabric, latency_s: float) -> None:
    """The uplinks of the spines, dealt to the cores in turn, alike in every pod."""
    reached = min(form.spine_up, form.cores)
    wire = _wire(form.spine_up // reached, form.ends, latency_s)
    for spine in range(form.pods * form.spines):
        first = spine % form.spines * form.spine_up
        cores = ((first + link) % form.cores for link in range(reached))
        graph.add_edges_from((f"spine {spine}", f"core {core}", wire) for core in cores)


def _wire(links: int, ends: Endpoints, latency_s: float) -> dict[str, Any]:
    return {"bytes_per_s": links * ends.link_bytes_per_s, "latency_s": latency_s, "links": links}
