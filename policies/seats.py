"""Whether what a plug-in calls a placement is one: so many chips, that exist, that are free, where they may be."""

from operator import index
from typing import Any

from policies.queue import QueuedJob
from policies.trial import Trial
from topologies.boxes import Box
from topologies.free import FreeChips, Placement
from topologies.levels import inside


class Wrong(Exception):  # noqa: N818  # it is raised and caught inside one check
    """What is wrong with an answer, as the end of a sentence."""


def checked_seat(answer: object, free: FreeChips, chips: int, avoid: int) -> Placement:
    """A placement of plain whole numbers; Wrong where it is none.

    In a torus a count of chips in a domain is made the best box that is free there, as built-in placements do.
    """
    try:
        if not isinstance(answer, tuple | list):
            raise TypeError
        pairs = [(index(domain), part if isinstance(part, Box) else index(part)) for domain, part in answer]
    except (TypeError, ValueError):
        raise Wrong("which is no placement; allowed: (domain, chips) pairs, such as ((0, 8), (1, 8))") from None
    domains = [domain for domain, _ in pairs]
    for domain, part in pairs:
        if not 0 <= domain < free.domains:
            raise Wrong(f"but there is no domain {domain}; allowed: 0 to {free.domains - 1}")
        if part < 1:
            raise Wrong(f"but {part} chips of domain {domain} are none")
        if avoid >> domain & 1:
            raise Wrong(f"but it was told to avoid domain {domain}")
    if len(set(domains)) < len(domains):
        raise Wrong("which names a domain twice")
    given = sum([part for _, part in pairs])
    if given != chips:
        raise Wrong(f"which is {given} chips; the gang has {chips}")
    for domain, part in pairs:
        if part > free.in_domain(domain):
            raise Wrong(f"but domain {domain} has {free.in_domain(domain)} free chips")
    seat = tuple([(domain, part if isinstance(part, Box) else free.slice_in(domain, part)) for domain, part in pairs])
    if not free.holds(seat):
        raise Wrong("but not all of these chips are free")
    return seat


def start_seat(trial: Trial, job: QueuedJob, pool: Any, placement: object) -> Placement:
    """Where a start sits after those that a trial has planned; Wrong where chips or power are not there for it."""
    shape = job.shape
    if type(pool) is not int or pool not in shape.pools:
        raise Wrong(f"a pool that it may not use; allowed: {', '.join(map(str, shape.pools))}")
    if not trial.allows(shape, pool):
        raise Wrong("which the quota of its tenant does not allow")
    seat = checked_seat(placement, trial.free(pool), shape.chips, 0)
    required = None if shape.within is None else shape.within.required
    if required is not None and not inside(trial.free(pool), seat, required):
        raise Wrong(f"which is not within one {required}, as its class requires")
    headroom, draw_nw = trial.headroom(), shape.draw_nw[shape.pools.index(pool)]
    if shape.chips * draw_nw > headroom.feed_nw:
        raise Wrong("which overdraws the cap")
    if headroom.overdrawn(pool, seat, draw_nw):
        raise Wrong("which overdraws a rack or a PDU")
    return seat
