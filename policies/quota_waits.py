"""Who waits for nothing but quota: such a gang is no head of the queue, and others go on as if it were not there.

A gang for which neither chips nor quota are there waits for what comes last, if running gangs end as planned. So where
the quotas add up to the chips there are, which come free together, it is a head like any other; where its tenant is at
a limit of its own, it is not.
"""

from policies.placement import Placer
from policies.queue import QueuedJob
from policies.reservation import reserve_in
from policies.trial import Trial
from policies.view import View


def waits_for_quota(view: View, trial: Trial, job: QueuedJob) -> bool:
    """Whether a gang that cannot start could sooner if it had no quota, in each pool that it may use."""
    shape, quotas = job.shape, trial.quotas()
    if quotas is None or shape.quota < 0 or any(quotas.allows(shape, pool) for pool in shape.pools):
        return False
    lacking = [pool for pool in shape.pools if not trial.fits(shape, pool)]
    free, bound = (reserve_in(view, trial, job, lacking, limits) for limits in (None, quotas))
    return all(without.shadow_s < within.shadow_s for without, within in zip(free, bound, strict=True))


def first(view: View, placer: Placer, whole: bool = False) -> QueuedJob | None:
    """The head of the queue: the first job that waits for something else than quota.

    whole: with who waits for quota all of the same quota wait who come after it.
    """
    if view.quotas is None:
        return view.queue.head(view)
    trial, held = Trial(view, placer), set[int]()
    walk = view.queue.walk(view, ())
    for job in walk:
        if job.shape.quota not in held:
            if not waits_for_quota(view, trial, job):
                return job
            if whole:
                held.add(job.shape.quota)
        walk.leave()
    return None
