"""What users say that their jobs will take: the keys of an error model, and the estimates that it makes.

Users ask for more than they need, in few round values, and rarely for exactly what it takes. Sources: Mu'alem and
Feitelson, IEEE TPDS 12(6), 2001; Tsafrir, Etsion and Feitelson, Modeling user runtime estimates, JSSPP 2005.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from pydantic import Field, field_validator, model_validator

from scenarios.distributions import Numbers
from scenarios.draws import Floats, draw, stream
from scenarios.jobs import JobTable
from scenarios.values import LONGEST_S, Keys, LongDuration, Share, house

SHORTEST_S = 1.0  # of what is made here, so that an order may divide by it

Pace: TypeAlias = Callable[[JobTable], Floats]
"""Seconds a unit of work in the fastest pool that each job may use, nan where it may use none, shape (n_jobs,)."""


class Estimate(Keys):
    """What users say a job will take, which is all that a policy may plan with."""

    factor: Numbers = Field(default=1.0, description="estimate / run time")
    accurate: Share = Field(default=0.0, description="share of jobs whose estimate is their run time")
    rounded_to: Annotated[list[LongDuration], Field(min_length=1)] | None = Field(
        default=None, description="a time or a list of them: up to the next, beyond the last up to its multiples"
    )
    at_most: LongDuration | None = Field(default=None, description="what a queue allows to ask for")

    @field_validator("rounded_to", mode="before")
    @classmethod
    def _one_or_more(cls, raw: Any) -> Any:
        return raw if isinstance(raw, list) or raw is None else [raw]

    @field_validator("rounded_to")
    @classmethod
    def _rising(cls, values: list[float] | None) -> list[float] | None:
        if values is not None and any(low >= high for low, high in pairwise(values)):
            raise house("allowed: times that rise")
        return values

    @model_validator(mode="after")
    def _says_something(self) -> "Estimate":
        if not self.model_fields_set:
            raise house("allowed: at least one of factor, accurate, rounded_to, at_most")
        return self


class TraceEstimate(Estimate):
    """As for drawn jobs, and what it starts from."""

    of: Literal["run-time", "trace"] = Field(
        default="run-time", description="what factor distorts: the run time, or the estimate that the trace has"
    )


def estimated(
    tables: Iterator[JobTable], keys: Estimate, job_class: str, seed: int, pace_s: Pace
) -> Iterator[JobTable]:
    """The jobs of a class with the estimates of an error model. Who is accurate has a random stream of its own."""
    factors, accurate = (stream(seed, f"{what} of {job_class}") for what in ("estimate", "accuracy"))
    recorded = isinstance(keys, TraceEstimate) and keys.of == "trace"
    for jobs in tables:
        guess = (jobs.estimate if recorded else jobs.work) * draw(keys.factor, factors, len(jobs))
        exact = accurate.random(len(jobs)) < keys.accurate
        unit_s = pace_s(jobs)
        guess_s = np.where(exact, jobs.work, guess) * unit_s
        asked_s = np.where(exact, guess_s, round_up(guess_s, keys.rounded_to))
        asked_s = np.clip(asked_s, SHORTEST_S, keys.at_most or LONGEST_S)
        same = np.isnan(unit_s) | (asked_s == guess_s)  # what needs no change keeps its bits
        yield replace(jobs, estimate=np.where(same, np.where(exact, jobs.work, guess), asked_s / unit_s))


def round_up(time_s: Floats, values_s: list[float] | None) -> Floats:
    """The next of some rising values, beyond the last one the next of its multiples [s], shape of time_s."""
    if values_s is None:
        return time_s
    values, last_s = np.array(values_s), values_s[-1]
    at = np.minimum(np.searchsorted(values, time_s), len(values) - 1)
    return np.where(time_s <= last_s, values[at], np.ceil(time_s / last_s) * last_s)
