"""What a plan has gained since it was last looked at: gangs that ended before their estimates, promises that moved.

A reservation that could not be earlier can only be so now where something has been gained.
"""

from collections.abc import Sequence
from typing import NamedTuple

from policies.view import Release
from topologies.free import Placement

ANYWHERE = -1


class Gain(NamedTuple):
    """More chips, power or quota from a time on [s]: in domains of a pool, or anywhere in the plant.

    run: the running gang that ended, None for other gains.
    """

    pool: int
    domains: tuple[int, ...]
    from_s: float
    run: Release | None = None


def domains_of(placement: Placement) -> tuple[int, ...]:
    """The domains of a placement."""
    return tuple([domain for domain, _ in placement])


def ended(before: Sequence[Release], after: Sequence[Release]) -> list[Release] | None:
    """Who is in the first of two rising lists only; None where somebody is in the second only."""
    gone, at = list[Release](), 0
    while len(gone) <= len(before) - len(after):
        at += _alike(before, at + len(gone), after, at)
        if at == len(after):
            return [*gone, *before[at + len(gone) :]]
        gone += before[at + len(gone) : at + len(gone) + 1]
    return None


def _alike(some: Sequence[Release], first: int, others: Sequence[Release], at: int) -> int:
    """How many are the same from two positions on: slices compare faster than their items one by one."""
    alike, most = 0, len(others) - at
    if some[first : first + most] == others[at:]:
        return most
    while alike < most:
        more = (alike + most + 1) // 2
        if some[first + alike : first + more] == others[at + alike : at + more]:
            alike = more
        else:
            most = more - 1
    return alike
