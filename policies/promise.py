"""The reservation of a waiting gang under conservative backfilling."""

import math
from typing import NamedTuple

from policies.queue import QueuedJob
from scenarios.instants import instant
from topologies.free import Placement


class Promise(NamedTuple):
    """The reservation of a waiting gang: a place from a time to another [s]. At infinity it has none, in no pool.

    length_s: the estimate of its run time in that pool. whole and parts: the domains that it takes wholly, as bits, and
    what it takes of others.
    """

    job: QueuedJob
    pool: int
    start_s: float
    end_s: float
    placement: Placement
    length_s: float
    whole: int = 0
    parts: Placement = ()

    def takes_nw(self) -> int:
        """What the gang draws more at the feed."""
        return self.job.shape.gang_nw(self.pool)


def promised(job: QueuedJob, pool: int, start_s: float, placement: Placement, domain_chips: int) -> Promise:
    """The promise of a place from a time on. A gang that takes no time holds its place at its start."""
    length_s = job.estimate_s(pool)
    whole, parts = 0, []
    for part in placement:
        if part[1] == domain_chips:
            whole |= 1 << part[0]
        else:
            parts.append(part)
    return Promise(job, pool, start_s, span_end_s(start_s, length_s), placement, length_s, whole, tuple(parts))


def span_end_s(start_s: float, length_s: float) -> float:
    """When a gang ends; one that takes no time holds its place at its start."""
    return max(instant(start_s + length_s), math.nextafter(start_s, math.inf))
