"""Why a run ended although jobs wait: in a run until done nothing can happen any more that would let them start."""

from collections import Counter
from collections.abc import Sequence

from policies.view import DEFERRED, HELD
from sim.cluster import Cluster
from sim.standstill import Standstill

MOST_CLASSES = 5


def left_over(cluster: Cluster, class_names: Sequence[str]) -> str | None:
    """How many jobs a run until done leaves behind, of which classes and why; None where all have ended."""
    waiting = _waiting(cluster)
    running = sum([len(of_pool) for of_pool in cluster.held.running])
    if not waiting and not running:
        return None
    parts = [f"{count:,} of {class_names[at]}: {reason}" for (at, reason), count in waiting.most_common(MOST_CLASSES)]
    more = len(waiting) - len(parts)
    text = f"until-done has no end: jobs that wait: {waiting.total():,}, that run: {running:,}"
    if parts:
        text += f" ({', '.join(parts)}{', ...' if more > 0 else ''})"
    if cluster.feed is not None and cluster.feed.standstill.lasts:
        return f"{text}; {stood_still(cluster.feed.standstill)}"
    return f"{text}; nothing is to come that would let them start or end"


def stood_still(standstill: Standstill) -> str:
    """What to say of jobs that are stopped again and again."""
    return (
        f"nobody gets on: {standstill.stops:,} stops of {standstill.jobs:,} jobs in a row have kept no work, "
        "and no job has ended meanwhile"
    )


def _waiting(cluster: Cluster) -> Counter[tuple[int, str]]:
    """The waiting jobs by class and reason."""
    blocked, found = cluster.keeping.blocked, Counter[tuple[int, str]]()
    for shape, lane in cluster.queue.lanes.items():
        found.update([(job.job_class, blocked.get(shape, HELD)) for job in lane.jobs])
    if cluster.deferral is not None:
        found.update([(job.job_class, DEFERRED) for job in cluster.deferral.jobs.values()])
    return found
