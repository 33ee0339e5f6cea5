"""What a workload hands to the run: jobs as columns, in the order of their submission."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BATCH_JOBS = 4096  # jobs turned into Python numbers at a time, so that memory does not grow with the trace


class Arrival(NamedTuple):
    """One job as it is submitted; the fields are those of JobTable."""

    submit_s: float
    chips: int
    work: float
    estimate: float
    portable: bool
    tenant: int
    deadline_s: float


@dataclass(frozen=True, slots=True)
class JobTable:
    """Jobs as arrays of shape (n_jobs,), sorted by submit time; ties keep the order of the source.

    work is what a job has to do and estimate what its user says of it: seconds of run time for logs and laws of
    durations, tokens for training. portable: may use every stack of its class, else the first only. number is the
    job's own number; tenant indexes tenant_names. deadline_s: when a job should have ended, infinite for
    never. killed: where a time limit ends the job, which cuts its work; None where there is no limit. Times in seconds
    since the start.
    """

    number: NDArray[np.int64]
    submit_s: NDArray[np.float64]
    chips: NDArray[np.int64]
    work: NDArray[np.float64]
    estimate: NDArray[np.float64]
    portable: NDArray[np.bool_]
    tenant: NDArray[np.int64]
    deadline_s: NDArray[np.float64]
    tenant_names: tuple[str, ...]
    killed: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.submit_s)

    def limited(self) -> "JobTable":
        """The same jobs where nobody runs for longer than its user has asked for."""
        return replace(self, work=np.minimum(self.work, self.estimate), killed=self.work > self.estimate)

    def head(self, n: int) -> "JobTable":
        """The first n jobs."""
        return self._rows(slice(0, n))

    def until(self, end_s: float) -> "JobTable":
        """The jobs submitted at or before end_s."""
        return self.head(int(np.searchsorted(self.submit_s, end_s, side="right")))

    def batches(self) -> Iterator["JobTable"]:
        """The same jobs in pieces of BATCH_JOBS."""
        for first in range(0, len(self), BATCH_JOBS):
            yield self._rows(slice(first, first + BATCH_JOBS))

    def arrivals(self, tenants: NDArray[np.int64]) -> Iterator[Arrival]:
        """The jobs one by one; tenants gives each of tenant_names its number in the run."""
        columns = (self.submit_s, self.chips, self.work, self.estimate, self.portable, tenants[self.tenant])
        lists = [column.tolist() for column in (*columns, self.deadline_s)]
        return map(Arrival._make, zip(*lists, strict=True))

    def _rows(self, rows: slice) -> "JobTable":
        return JobTable(
            self.number[rows],
            self.submit_s[rows],
            self.chips[rows],
            self.work[rows],
            self.estimate[rows],
            self.portable[rows],
            self.tenant[rows],
            self.deadline_s[rows],
            self.tenant_names,
            None if self.killed is None else self.killed[rows],
        )
