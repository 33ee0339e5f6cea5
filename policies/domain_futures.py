"""The free chips of single domains over future time, worked out where somebody asks and carried over between plans."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from policies.outlook import Outlook
from policies.promise import Promise
from policies.steps import Steps
from policies.view import Release

_ByDomain: TypeAlias = dict[int, tuple[tuple[float, int, int], ...]]
"""Who runs in each domain: planned end [s], chips there, row."""


class DomainFutures:
    """The domains of an outlook. Sums are kept as long as no promise there changes."""

    __slots__ = ("_outlook", "_running", "_steps")

    def __init__(self, outlook: Outlook) -> None:
        self._outlook = outlook
        self._running: list[_ByDomain | None] = [None] * len(outlook.held)  # by pool, where somebody has asked
        self._steps: dict[tuple[int, int], Steps] = {}  # by pool and domain

    def copy(self, outlook: Outlook) -> "DomainFutures":
        """The same for a copy of the outlook."""
        twin = DomainFutures(outlook)
        twin._running = [of and of.copy() for of in self._running]
        return twin

    def free(self, pool: int, domain: int) -> Steps:
        """The free chips of a domain over time; to be read only."""
        steps = self._steps.get((pool, domain))
        if steps is None:
            futures, now_s = self._outlook.futures, self._outlook.now_s
            runs = sorted([(end_s, chips) for end_s, chips, _ in self._runs_in(pool).get(domain, ())])
            steps = Steps(now_s, futures.free[pool].in_domain(domain), runs)
            for promise in self._outlook.held[pool].values():
                if promise.whole >> domain & 1:
                    steps.add(promise.start_s, promise.end_s, -futures.free[pool].domain_chips)
                for at, chips in promise.parts:
                    if at == domain:
                        steps.add(promise.start_s, promise.end_s, -chips)
            self._steps[pool, domain] = steps
        return steps

    def forget(self, promise: Promise) -> None:
        """A promise comes or goes."""
        if self._steps:
            for domain, _ in promise.placement:
                self._steps.pop((promise.pool, domain), None)

    def started(self, run: Release) -> None:
        """A gang starts."""
        running = self._running[run.pool]
        if running is not None:
            for domain, chips in run.placement:
                running[domain] = (*running.get(domain, ()), (run.planned_end_s, chips, run.row))

    def follow(self, earlier: "DomainFutures", gone: Iterable[Release]) -> None:
        """Take over who runs where from earlier ones, since when no more than these have gone."""
        self._running = [of and of.copy() for of in earlier._running]
        for run in gone:
            running = self._running[run.pool]
            if running is not None:
                for domain, _ in run.placement:
                    running[domain] = tuple([other for other in running.get(domain, ()) if other[2] != run.row])

    def _runs_in(self, pool: int) -> _ByDomain:
        found = self._running[pool]
        if found is None:
            found = self._running[pool] = {}
            runs: Sequence[Release] = self._outlook.futures.running[pool]
            for run in runs:
                for domain, chips in run.placement:
                    found[domain] = (*found.get(domain, ()), (run.planned_end_s, chips, run.row))
        return found
