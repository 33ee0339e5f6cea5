"""Equal fractions: every group the same part of its range, as much as each level of the power tree allows.

Source: Bertsekas and Gallager, Data Networks, 2nd edition, section 6.5.2 (max-min fairness by progressive filling).
"""

import math
from collections.abc import Sequence

from policies.loads import Level, Load, tight_levels

_ALL_AT_FLOORS = -1.0
_JUST_BELOW = 1 - 2.0**-50  # outweighs the roundings of a quotient and of a product


def equal(loads: Sequence[Load], feed_nw: int | None, limits_nw: Sequence[int]) -> list[float]:
    """All groups at one fraction of their range, but no group below its floor: the largest that every level holds.

    With lower limits max-min fair: the fraction rises; where a level is full its groups stay, the others go on.
    """
    if limits_nw:
        return _fill_progressively(loads, tight_levels(loads, feed_nw, limits_nw))
    if feed_nw is None or sum([load.chips * load.full_nw for load in loads]) <= feed_nw:
        return [1.0] * len(loads)
    spare_nw = feed_nw - sum([load.chips * load.base_nw for load in loads])
    common = _common([(load.chips, load) for load in loads if load.chips and load.range_nw], spare_nw)
    return [max(load.floor, common) if load.chips and load.range_nw else 1.0 for load in loads]


def _fill_progressively(loads: Sequence[Load], levels: Sequence[Level]) -> list[float]:
    """Settle the groups of the level that is full first, then those of the next in what these leave it."""
    fractions = [1.0] * len(loads)
    commons = [_common_under(level, loads) for level in levels]
    while (common := min(commons, default=math.inf)) < 1.0:
        settled = list(levels[commons.index(common)].chips)
        for at in settled:
            fractions[at] = max(loads[at].floor, common)
        for number, level in enumerate(levels):
            if not level.chips.keys().isdisjoint(settled):
                level.settle(loads, fractions, settled)
                commons[number] = _common_under(level, loads)
    return fractions


def _common_under(level: Level, loads: Sequence[Load]) -> float:
    """The common fraction of a level's groups; infinite where all that are left fit at full demand."""
    if level.holds_full(loads):
        return math.inf
    return _common([(chips, loads[at]) for at, chips in level.chips.items()], level.spare_nw)


def _common(parts: Sequence[tuple[int, Load]], spare_nw: int) -> float:
    """The largest fraction at which chips of groups draw no more of their ranges than they may; -1 for all at floors.

    A group whose floor is above the fraction keeps its floor, and the fraction of the others falls.
    """
    while parts:
        common = spare_nw / sum([chips * load.range_nw for chips, load in parts])
        if sum([chips * int(common * load.range_nw) for chips, load in parts]) > spare_nw:
            common *= _JUST_BELOW
        rising = [part for part in parts if part[1].floor <= common]
        if len(rising) == len(parts):
            return common
        spare_nw -= sum([chips * int(load.floor * load.range_nw) for chips, load in parts if load.floor > common])
        parts = rising
    return _ALL_AT_FLOORS
