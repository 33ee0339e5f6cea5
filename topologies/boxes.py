"""Which chips of a domain are free, where they are not all alike, and slices of them. No policy.

They are not alike in a torus. Behind a switch they are, but for the node that they are in, where somebody asks for one.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from topologies.tori import Torus, best_free

if TYPE_CHECKING:
    from topologies.free import FreeChips, Placement


class Box(int):
    """How many chips of a domain a slice has, which is all that arithmetic sees, and as bits which ones they are.

    A contiguous box of a torus where there was one; what the lowest free chips form where there was none.
    """

    mask: int

    def __new__(cls, chips: int, mask: int) -> "Box":
        """The chips of a mask; ValueError where it has another number of them."""
        if mask.bit_count() != chips:
            raise ValueError(f"found {mask.bit_count()} bits for a slice of {chips} chips; allowed: one for each")
        slice_ = super().__new__(cls, chips)
        slice_.mask = mask
        return slice_

    def __getnewargs__(self) -> tuple[int, int]:  # type: ignore[override]  # int's own gives one number
        """What a copy is made of."""
        return int(self), self.mask


class FreeBoxes:
    """Which chips of each domain are free.

    nodes: the same by node, where a domain is more than one node and somebody asks for one; a node is a run of chips.
    """

    __slots__ = ("chips", "nodes", "size", "torus")

    def __init__(self, torus: Torus | None, chips: list[int], size: int, nodes: "FreeChips | None" = None) -> None:
        self.torus = torus  # None behind a switch
        self.chips = chips  # free chips by domain, as bits
        self.size = size  # chips of a domain
        self.nodes = nodes

    def copy(self) -> "FreeBoxes":
        """The same chips, to be changed alone."""
        return FreeBoxes(self.torus, self.chips[:], self.size, None if self.nodes is None else self.nodes.copy())

    def has_box(self, domain: int, chips: int) -> bool:
        """Whether so many free chips of a domain form a contiguous box; behind a switch any chips do."""
        free = self.chips[domain]
        return free.bit_count() >= chips if self.torus is None else best_free(self.torus, free, chips) != 0

    def slice_in(self, domain: int, chips: int) -> Box:
        """The best box of so many chips that is free in a domain, the lowest free chips where none is.

        Behind a switch the free chips of the fewest nodes. ValueError where fewer are free.
        """
        free = self.chips[domain]
        if self.torus is not None:
            return Box(chips, best_free(self.torus, free, chips) or _lowest(free, chips))
        return Box(chips, fewest_nodes(free, chips, self.size if self.nodes is None else self.nodes.domain_chips))

    def holds(self, placement: "Placement") -> bool:
        """Whether the chips of a placement are free."""
        return all(self._mask(chips) & ~self.chips[domain] == 0 for domain, chips in placement)

    def by_node(self, placement: "Placement") -> "Placement":
        """A placement by nodes instead of domains; empty where nodes are not told apart."""
        if self.nodes is None:
            return ()
        node_chips, found = self.nodes.domain_chips, []
        nodes, whole = self.size // node_chips, (1 << node_chips) - 1
        for domain, chips in placement:
            mask = self._mask(chips)
            while mask:
                at = ((mask & -mask).bit_length() - 1) // node_chips
                part = mask & whole << at * node_chips
                found.append((domain * nodes + at, part.bit_count()))
                mask ^= part
        return tuple(found)

    def change(self, placement: "Placement", freed: bool) -> None:
        """Chips change hands; ValueError, and no change, where one of them cannot."""
        changed: dict[int, int] = {}
        for domain, chips in placement:
            free, mask = changed.get(domain, self.chips[domain]), self._mask(chips)
            if mask & (free if freed else ~free):
                state = "free" if freed else "held"
                raise ValueError(f"domain {domain} has free chips {free:#x}; some of {mask:#x} are {state} already")
            changed[domain] = free ^ mask
        for domain, free in changed.items():
            self.chips[domain] = free
        if self.nodes is not None:
            by_node = self.by_node(placement)
            self.nodes.give(by_node) if freed else self.nodes.take(by_node)

    def _mask(self, chips: int) -> int:
        if isinstance(chips, Box):
            return chips.mask
        if chips != self.size:
            raise ValueError(f"found {chips} chips of a torus of {self.size}; allowed: a Box, or all of them")
        return (1 << chips) - 1


@lru_cache(1 << 16)
def fewest_nodes(free: int, chips: int, node_chips: int) -> int:
    """So many of the free chips, as bits, in the fewest nodes: the emptiest ones whole, then the fullest that fits.

    A node is a run of node_chips. Ties go to the lowest node, in it to the lowest chips. All if there are no more.
    """
    whole = (1 << node_chips) - 1
    nodes = [free & whole << at for at in range(0, free.bit_length(), node_chips)]
    taken = 0
    while chips > 0 and nodes:
        fitting = [node for node in nodes if node.bit_count() >= chips]
        node = min(fitting, key=int.bit_count) if fitting else max(nodes, key=int.bit_count)
        nodes.remove(node)
        part = node if node.bit_count() <= chips else _lowest(node, chips)
        taken |= part
        chips -= part.bit_count()
    return taken


def _lowest(free: int, chips: int) -> int:
    """The lowest so many of some free chips, as bits."""
    taken = 0
    for _ in range(chips):
        taken |= free & -free
        free &= free - 1
    return taken
