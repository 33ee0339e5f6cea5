"""Placement by fragmentation: where a gang leaves the fewest free chips that others cannot use.

Source: Weng et al., Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent,
USENIX ATC 2023. There nodes hold tasks that share GPUs, and the mix of tasks is known from history;
here domains hold gangs of whole chips, and the mix is that of the gangs that run or wait.
"""

from collections import Counter
from collections.abc import Mapping
from itertools import accumulate
from operator import itemgetter

from policies.placement import Placer, pack_smallest_part, sliced, whole_domains
from policies.view import View
from topologies.free import FreeChips, Placement, domain_bits

_chips = itemgetter(2)  # of a Release; counting a thousand gangs by attribute takes three times as long


def mix_of(view: View) -> Counter[int]:
    """How many gangs of each size run or wait, in all pools."""
    mix: Counter[int] = Counter()
    for running in view.running:
        mix.update(map(_chips, running))
    for shape, lane in view.queue.lanes.items():
        mix[shape.chips] += len(lane.jobs)
    return mix


def unusable(mix: Mapping[int, int], domain_chips: int) -> list[int]:
    """Expected free chips of a domain that a gang of a mix cannot use, times the gangs, for each number of free chips.

    A gang uses no chip of a domain that has fewer free ones than it needs; one that is larger than a domain needs
    it whole: F(free) = free * (gangs that need more). Shape (domain_chips + 1,).
    """
    needs = [0] * (domain_chips + 1)
    for chips, gangs in mix.items():
        needs[min(chips, domain_chips)] += gangs
    fit = accumulate(needs)
    return [free * (sum(needs) - gangs) for free, gangs in enumerate(fit)]


def fragmentation(free: FreeChips, chips: int, avoid: int = 0) -> Placement | None:
    """Where the chips that the gangs now running and waiting could not use grow the least; as pack without any.

    A larger gang takes whole empty domains as under pack, and so its remainder goes where it fragments the least.
    """
    return _place(free, chips, avoid, [0] * (free.domain_chips + 1))


def seeing(view: View) -> Placer:
    """The placement in view of the gangs that run and wait; they are counted when somebody is to be placed."""
    tables: dict[int, list[int]] = {}
    mix: Counter[int] = Counter()

    def place(free: FreeChips, chips: int, avoid: int = 0) -> Placement | None:
        size = free.domain_chips
        if size not in tables:
            mix.update({} if mix else mix_of(view))
            tables[size] = unusable(mix, size)
        return _place(free, chips, avoid, tables[size])

    return Placer(place, pack_smallest_part, spans=True)


def _place(free: FreeChips, chips: int, avoid: int, lost: list[int]) -> Placement | None:
    found = whole_domains(free, chips, avoid)
    if found is None:
        return None
    placed, rest = found
    if rest:
        able = list(free.levels(rest, avoid | domain_bits(placed)))
        if not able:
            return None
        # Of equal ones the first, which is the fullest.
        _, domains = min(able, key=lambda level: lost[level[0] - rest] - lost[level[0]])
        placed = (*placed, ((domains & -domains).bit_length() - 1, rest))
    return sliced(free, placed)


FRAGMENTATION = Placer(fragmentation, pack_smallest_part, seeing=seeing, spans=True)
