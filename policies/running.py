"""The running gangs as preemption sees them: by rank, those that yield first at the end."""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from enum import Enum

from policies.bounds import Bounds, Rank
from policies.claim import Pending, Stoppable
from policies.order import deadline, fifo, ljf, priority, sjf, smallest_first, srtf
from policies.queue import QueuedJob, StaticOrder
from topologies.free import FreeChips
from topologies.plant import Shape


class Change(Enum):
    """How the rank of a gang moves while it runs."""

    NEVER = "never"
    DOWN = "down"
    ANY = "any"


def change_of(order: StaticOrder) -> Change:
    """How what an order says of a job moves while it runs; of a user's own order nothing is known."""
    if order in (fifo, sjf, ljf, smallest_first, priority, deadline):
        return Change.NEVER
    return Change.DOWN if order is srtf else Change.ANY


class RunningGangs:
    """All running gangs, sorted by what their ranks were when last looked at.

    Where ranks only go down that bounds them from above: a gang whose old rank is not above a job's need not be asked.
    Those that count against a quota are also kept by it. pending: the stops under way.
    """

    __slots__ = ("_change", "_entries", "_fresh", "_fresh_s", "_known", "_of_quota", "_rank", "bounds", "pending")

    def __init__(self, rank: Callable[[QueuedJob], Rank], change: Change, min_run_s: float) -> None:
        self.pending: Pending | None = None
        self._rank = rank
        self._change = change
        self._entries: list[tuple[Rank, int, Stoppable]] = []
        self._known: dict[int, Rank] = {}  # by row
        self._of_quota: dict[tuple[int, int], dict[int, Stoppable]] = {}  # by quota and pool, by row
        self._fresh: set[int] = set()  # rows that have been looked at in this instant
        self._fresh_s = -1.0
        self.bounds = Bounds(min_run_s)

    def add(self, gang: Stoppable, now_s: float) -> None:
        """A gang starts."""
        rank = self._rank(gang.job_at(now_s))
        self._put(rank, gang)
        self.bounds.start(gang, rank)
        if now_s == self._fresh_s:
            self._fresh.add(gang.run.row)
        if gang.job.shape.quota >= 0:
            self._of_quota.setdefault((gang.job.shape.quota, gang.run.pool), {})[gang.run.row] = gang

    def remove(self, gang: Stoppable) -> None:
        """A gang ends or has been stopped."""
        row = gang.run.row
        self.bounds.leave(gang.run)
        self._fresh.discard(row)
        del self._entries[bisect_left(self._entries, (self._known.pop(row), row))]
        if gang.job.shape.quota >= 0:
            del self._of_quota[gang.job.shape.quota, gang.run.pool][row]

    def under(self, quota: int, pool: int) -> Iterable[Stoppable]:
        """The gangs of a pool that count against a quota, those that stop included, as they started."""
        return self._of_quota.get((quota, pool), {}).values()

    def look(self, now_s: float) -> None:
        """Time may have passed since gangs were last asked about."""
        if now_s != self._fresh_s:
            self._fresh_s = now_s
            self._fresh.clear()
            if self._change is Change.ANY:
                self.bounds.clear()

    def after(self, rank: Rank, now_s: float) -> list[tuple[Rank, Stoppable]]:
        """The gangs above a rank and theirs, the highest first; those of equal ranks by their row, the last first."""
        self.look(now_s)
        entries = self._entries
        below = self._below(rank)
        if not self._known_now:
            above, entries[below:] = entries[below:], []
            higher, fresh = [], self._fresh
            for now, row, gang in above:
                if row not in fresh:
                    fresh.add(row)
                    now = self._known[row] = self._rank_now(gang, now_s)
                if now > rank:
                    higher.append((now, row, gang))
                else:
                    insort(entries, (now, row, gang))  # rows differ, so that gangs are never compared
            below = len(entries)
            higher.sort()
            entries += higher
        return [(known, gang) for known, _, gang in reversed(entries[below:])]

    def failed(
        self, shape: Shape, rank: Rank, free: Sequence[FreeChips], above: Iterable[tuple[Rank, Stoppable]]
    ) -> None:
        """Remember that a claim has failed, as Bounds.failed; at most for this instant where ranks may rise."""
        self.bounds.failed(shape, rank, free, above, self._known)

    def most_after(self, rank: Rank, pools: Sequence[int]) -> int:
        """No more chips of some pools than these are on gangs above a rank."""
        return sum([gang.run.chips for _, _, gang in self._entries[self._below(rank) :] if gang.run.pool in pools])

    @property
    def _known_now(self) -> bool:
        """Whether the ranks of all gangs are those of this instant."""
        return self._change is Change.NEVER or len(self._fresh) == len(self._entries)

    def _rank_now(self, gang: Stoppable, now_s: float) -> Rank:
        if self._change is Change.DOWN:  # srtf: to make a job of the gang first takes three times as long
            return (gang.left_s(now_s), gang.job.submit_s, gang.job.row)
        return self._rank(gang.job_at(now_s))

    def _below(self, rank: Rank) -> int:
        """How many of the entries are certainly not above a rank."""
        if self._change is Change.ANY and not self._known_now:
            return 0
        entries = self._entries
        below = len(entries)
        while below and entries[below - 1][0] > rank:
            below -= 1
        return below

    def _put(self, rank: Rank, gang: Stoppable) -> None:
        row = gang.run.row
        self._known[row] = rank
        insort(self._entries, (rank, row, gang))
