"""Drawn jobs (synthetic, training, fine-tuning): Poisson arrivals with daily and weekly shapes, sizes and work.

Each quantity has a random stream of its own, so that changing the law of one leaves the others as they were.
"""

import datetime
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from scenarios.distributions import Choice
from scenarios.draws import draw, draw_counts, draw_index, stream
from scenarios.instants import instants
from scenarios.jobs import BATCH_JOBS, JobTable
from scenarios.units import DAY_S, HOUR_S
from scenarios.values import LONGEST_S
from scenarios.workload import Arrivals, Synthetic, Training

PEAK_HOUR_UTC = 14.0  # ESTIMATE: early afternoon, where submission logs of one site peak in its own local time
MOST_TOKENS = 1e18  # a thousand times the largest run: far beyond, but finite
_WEEK_S = 7 * DAY_S


def rate_shape(arrivals: Arrivals, start: datetime.datetime, time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Arrival rate relative to its mean over a week [1], shape of time_s.

    A cosine of 24 hours that peaks at PEAK_HOUR_UTC, times a step that lowers (or raises) Saturday and
    Sunday; the step is scaled so that the mean over a week stays 1.
    """
    since_monday_s = start.weekday() * DAY_S + start.hour * HOUR_S + start.minute * 60 + start.second
    week_s = (since_monday_s + time_s) % _WEEK_S
    swing = (arrivals.daily_peak_to_mean - 1.0) * np.cos(2 * np.pi * (week_s / DAY_S - PEAK_HOUR_UTC / 24))
    weekday = 7.0 / (5.0 + 2.0 * arrivals.weekend)
    return np.asarray((1.0 + swing) * np.where(week_s >= 5 * DAY_S, weekday * arrivals.weekend, weekday))


def peak_to_mean(arrivals: Arrivals) -> float:
    """An upper bound of rate_shape [1]."""
    return arrivals.daily_peak_to_mean * 7.0 / (5.0 + 2.0 * arrivals.weekend) * max(1.0, arrivals.weekend)


def arrival_times(
    arrivals: Arrivals, start: datetime.datetime, rng: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    """Endless batches of rising arrival times [s].

    A Poisson stream at the peak rate, thinned to the shape (Lewis and Shedler 1979).
    """
    peak = peak_to_mean(arrivals)
    flat = arrivals.daily_peak_to_mean == 1.0 and arrivals.weekend == 1.0
    now_s = 0.0
    while True:
        times = now_s + np.cumsum(rng.exponential(1.0 / (arrivals.per_s * peak), BATCH_JOBS))
        now_s = float(times[-1])
        times = instants(times)
        yield times if flat else times[rng.random(BATCH_JOBS) * peak < rate_shape(arrivals, start, times)]


def drawn_jobs(work: Synthetic | Training, seed: int, start: datetime.datetime, end_s: float) -> Iterator[JobTable]:
    """The jobs of a class in batches, until its number of jobs or end_s is reached."""

    def rng(what: str) -> np.random.Generator:
        return stream(seed, f"{what} of {work.job_class}")

    law, amount = (work.duration, "duration") if isinstance(work, Synthetic) else (work.tokens, "tokens")
    most = LONGEST_S if isinstance(work, Synthetic) else MOST_TOKENS
    sizes, amounts, tenants, moats, dues = (
        rng(what) for what in ("chips", amount, "tenant", "portability", "deadline")
    )
    names = tuple(work.tenant.choice) if isinstance(work.tenant, Choice) else (work.tenant,)
    made = 0
    for times in arrival_times(work.arrivals, start, rng("arrivals")):
        n = len(times)
        todo = np.minimum(draw(law, amounts, n), most)  # a heavy tail may not leave the clock's range
        table = JobTable(
            number=np.arange(made + 1, made + n + 1),
            submit_s=times,
            chips=draw_counts(work.chips, sizes, n),
            work=todo,
            estimate=todo,
            portable=moats.random(n) < portable_share(work, times, end_s),
            tenant=draw_index(work.tenant, tenants, n) if isinstance(work.tenant, Choice) else np.zeros(n, np.int64),
            deadline_s=np.full(n, np.inf) if work.deadline is None else instants(times + draw(work.deadline, dues, n)),
            tenant_names=names,
        )
        if work.jobs is not None:
            table = table.head(work.jobs - made)
        inside = table.until(end_s)
        if len(inside):
            yield inside
        made += n
        if len(inside) < len(table) or (work.jobs is not None and made >= work.jobs):
            return


def portable_share(work: Synthetic | Training, time_s: NDArray[np.float64], end_s: float) -> NDArray[np.float64]:
    """Share of the jobs submitted at time_s that may use every stack of their class [1], shape of time_s."""
    share = work.portable_share if isinstance(work, Training) else None
    if share is None:
        return np.ones_like(time_s)
    if share.start == share.end:
        return np.full_like(time_s, share.start)
    return share.start + (share.end - share.start) * time_s / end_s
