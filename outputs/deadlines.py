"""Deadlines: which jobs had one, and which of them it passed by."""

import numpy as np

from outputs.jobs import Bools, Jobs


def deadline_metrics(jobs: Jobs, counted: Bools, end_s: float) -> dict[str, float]:
    """Jobs that had not ended by their deadline; nothing where no counted job has one.

    The fraction is over the jobs that had ended or whose deadline had passed by the end of the run: of the others
    nobody knows yet.
    """
    has = counted & np.isfinite(jobs.deadline_s)
    if not has.any():
        return {}
    passed = jobs.deadline_s < np.where(jobs.ended, jobs.end_s, end_s)
    missed, known = int((has & passed).sum()), int((has & (passed | jobs.ended)).sum())
    metrics: dict[str, float] = {"deadline_missed_jobs": missed}
    if known:
        metrics["deadline_missed_fraction"] = missed / known
    return metrics
