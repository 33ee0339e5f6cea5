"""The max-min fair shares of time of all gangs that run or wait, and how many of them run where.

A run keeps them only where its policy asks for them. They are computed when somebody asks and the gangs or the plant
have changed, once a round at most, or at once for gangs that the last ones do not cover. What is asked twice at an
instant is answered alike, so that for a policy the books do not change.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from policies.max_min import ITERATIONS, Group, OverLimit, allocate
from policies.queue import QueuedJob
from policies.time_accounts import Accounts
from scenarios.instants import instant
from topologies.plant import Shape

if TYPE_CHECKING:
    from policies.view import View

ROUND_S = 3600.0  # where no slices say otherwise; six minutes in the paper, whose jobs stop and go on in seconds
Kind: TypeAlias = tuple[Shape, float]
"""(shape, weight): gangs of one kind are alike."""
_Count = TypeVar("_Count", int, float)


class TimeShares:
    """The running gangs by kind and pool, and the last shares of time of all that ran or waited.

    weights: by class; a gang of weight 2 is due twice as much. round_s: rounds begin at multiples of it. solved,
    unsolved: how often the shares were computed, and how often the solver gave up, so that those before stayed.
    """

    __slots__ = (
        *("_due", "_earned_s", "_iterations", "_kinds", "_level", "_pools", "_seen", "_seen_s", "_shares", "_weights"),
        *("_weights_there", "accounts", "round_s", "running", "solved", "unsolved"),
    )

    def __init__(
        self,
        weights: Sequence[float],
        pools: int,
        round_s: float = ROUND_S,
        by_job: bool = False,
        iterations: int = ITERATIONS,
    ) -> None:
        """Nobody runs or waits. by_job: keep what each gang is due and has had, too."""
        self.running: dict[Kind, list[int]] = {}  # gangs by pool
        self.solved = self.unsolved = 0
        self.round_s = round_s
        self.accounts = Accounts(self) if by_job else None
        self._weights = weights
        self._weights_there = sorted(set(weights))
        self._pools = pools
        self._iterations = iterations
        self._kinds: dict[int, Kind] = {}  # of running gangs, by row
        self._shares: dict[Kind, list[float]] = {}  # of the time of a gang, by pool
        self._due: dict[Kind, list[float]] = {}  # gangs by pool: how many there are times their share
        self._earned_s: dict[Kind, list[float]] = {}  # the shares of a gang that was always there up to _seen_s, summed
        self._level = 0.0
        self._seen: tuple[object, ...] = ()  # what the last shares were to be computed for
        self._seen_s = -math.inf

    def join(self, job: QueuedJob, now_s: float) -> None:
        """A job comes to the queue, or comes back to it."""
        if self.accounts is not None:
            self.accounts.join(job, now_s)

    def start(self, job: QueuedJob, pool: int, now_s: float) -> None:
        """A gang starts."""
        kind = self._kinds[job.row] = self.kind_of(job)
        if kind not in self.running:
            self.running[kind] = [0] * self._pools
        self.running[kind][pool] += 1
        if self.accounts is not None:
            self.accounts.start(job, pool, now_s)

    def stop(self, row: int, pool: int, now_s: float) -> None:
        """A gang ends or is stopped."""
        kind = self._kinds.pop(row)
        running = self.running[kind]
        running[pool] -= 1
        if not any(running):
            del self.running[kind]
        if self.accounts is not None:
            self.accounts.stop(row, now_s)

    def end(self, row: int) -> None:
        """A job has ended."""
        if self.accounts is not None:
            self.accounts.end(row)

    def kind_of(self, job: QueuedJob) -> Kind:
        """What a job's share depends on."""
        return job.shape, self._weights[job.job_class]

    def running_of(self, shape: Shape) -> list[int]:
        """The running gangs of a shape by pool, of all weights."""
        return [sum(gangs) for gangs in zip([0] * self._pools, *self._of(shape, self.running), strict=True)]

    def due_of(self, shape: Shape, view: "View") -> list[float]:
        """How many gangs of a shape are due in each pool, of all weights; zeros where nothing could be computed."""
        self.update(view, not self._of(shape, self._due))
        return [sum(gangs) for gangs in zip([0.0] * self._pools, *self._of(shape, self._due), strict=True)]

    def share_of(self, kind: Kind) -> Sequence[float]:
        """The last share of time of a gang by pool; zeros where there was none of its kind."""
        return self._shares.get(kind) or [0.0] * self._pools

    def knows(self, kind: Kind) -> bool:
        """Whether the last shares cover a kind."""
        return kind in self._shares

    def earned_s(self, kind: Kind, now_s: float) -> list[float]:
        """The time by pool that a gang is due that has been there since time 0 [s]."""
        since_s, shares = now_s - self._seen_s, self._shares.get(kind)
        before_s = self._earned_s.get(kind) or [0.0] * self._pools
        return (
            [*before_s]
            if shares is None
            else [was + share * since_s for was, share in zip(before_s, shares, strict=True)]
        )

    def round_at(self, now_s: float) -> int:
        """The number of the round that a time is in; its begin is part of it."""
        number = round(now_s / self.round_s)
        return number - (self.begin_s(number) > now_s)

    def begin_s(self, number: int) -> float:
        """When a round begins [s]."""
        return instant(number * self.round_s)

    def update(self, view: "View", someone_new: bool = False) -> None:
        """Compute the shares anew if it is time and anything is another than when that was last done."""
        now_s = view.now_s
        if not someone_new and self._seen and self.round_at(now_s) == self.round_at(self._seen_s):
            return
        groups, chips, feed_nw = self._present(view)
        seen = (groups, chips, feed_nw)
        if seen == self._seen:
            return
        self._earned_s |= {kind: self.earned_s(kind, now_s) for kind in self._shares}
        self._seen, self._seen_s = seen, now_s
        try:
            found = allocate(groups, chips, feed_nw, self._level, self._iterations)
        except OverLimit:
            self.unsolved += 1
            return
        self.solved += 1
        self._level = found.first
        kinds = [(shape, weight) for shape, weight, _ in groups]
        self._shares = dict(zip(kinds, found.shares.tolist(), strict=True))
        gangs = [group.gangs for group in groups]
        self._due = {
            kind: [count * part for part in self._shares[kind]] for kind, count in zip(kinds, gangs, strict=True)
        }

    def _of(self, shape: Shape, by_kind: Mapping[Kind, list[_Count]]) -> list[list[_Count]]:
        return [by_kind[shape, weight] for weight in self._weights_there if (shape, weight) in by_kind]

    def _present(self, view: "View") -> tuple[list[Group], list[int], int | None]:
        """The gangs that run or wait, the chips of each pool that are there, and the power for all of them [nW]."""
        there: Counter[Kind] = Counter()
        chips = [free.free for free in view.free]
        feed_nw = view.headroom.feed_nw
        for kind, running in self.running.items():
            there[kind] += sum(running)
            for pool, gangs in enumerate(running):
                if gangs:
                    chips[pool] += gangs * kind[0].chips
                    feed_nw += gangs * kind[0].gang_nw(pool)
        for shape, lane in view.queue.lanes.items():
            if len(self._weights_there) == 1:
                there[shape, self._weights_there[0]] += len(lane.jobs)
            else:
                there.update([(shape, self._weights[job.job_class]) for job in lane.jobs])
        groups = [Group(shape, weight, gangs) for (shape, weight), gangs in there.items()]
        groups.sort(key=_needs)  # by what they are and not by when they came
        return groups, chips, feed_nw if view.headroom.capped else None


def _needs(group: Group) -> tuple[tuple[int, ...], int, tuple[float, ...], tuple[int, ...], float, int]:
    shape, weight, _ = group
    return shape.pools, shape.chips, shape.pace_s, shape.draw_nw, weight, shape.priority
