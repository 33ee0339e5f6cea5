"""CPU time to build the graphs of 100,000 chips and to derive their facts."""

import resource
import time
from collections.abc import Callable

from topologies.fabric import fat_tree, leaf_spine, rail_optimised
from topologies.graph_facts import allreduce_bytes_per_s, facts, group_sizes
from topologies.graphs import Topology, chips_of
from topologies.interconnect import endpoints, switches, topology

CASES: dict[str, tuple[str, Callable[[int], Topology]]] = {
    "HGX, leaf-spine of 512 ports": ("dgx-h100", lambda count: leaf_spine(endpoints("dgx-h100", count), switches(512))),
    "HGX, rails, 512 ports": ("dgx-h100", lambda count: rail_optimised(endpoints("dgx-h100", count), switches(512))),
    "HGX, fat tree of 128 ports": ("dgx-h100", lambda count: fat_tree(endpoints("dgx-h100", count), switches(128))),
    "HGX, fat tree, rails, 128 ports": (
        "dgx-h100",
        lambda count: fat_tree(endpoints("dgx-h100", count), switches(128), (1.0, 1.0), 8),
    ),
    "NVL72, fat tree, 72 rails, 144 ports, 2:1 at the spines": (
        "gb200-nvl72",
        lambda count: fat_tree(endpoints("gb200-nvl72", count), switches(144), (1.0, 2.0), 72),
    ),
}


def main() -> None:
    for name, (rack, build) in CASES.items():
        begun = time.process_time()
        domain = topology.__wrapped__(rack)  # not from the cache
        for size in group_sizes(domain):
            allreduce_bytes_per_s(domain, size)
        count = -(-100_000 // chips_of(domain.graph["form"]))
        graph = build(count)
        built_s = time.process_time() - begun
        facts(domain), facts(graph)
        all_s = time.process_time() - begun
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        size = f"{count:,} domains, {graph.number_of_nodes():,} nodes, {graph.number_of_edges():,} edges"
        print(f"{name}: {size}: built in {built_s:.2f} s, with facts {all_s:.2f} s; up to {memory_mb:.0f} MB")


if __name__ == "__main__":
    main()
