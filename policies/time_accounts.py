"""What each gang is due by its max-min share, what it has had, and the pairs of gangs and pools in order of the two.

Source: Narayanan et al. (Gavel), OSDI 2020, section 5: the pair of a job and a type of accelerator whose share of time
X is the largest multiple of the share f that it has had there goes first. Here f is of the time since the job came, and
X is the mean over it, since shares change as others come and go: due time over time had. A pair that was never served
comes before all that were, the larger X first; one without a share now comes last. Ties go to the earlier submission.
"""

import math
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from policies.queue import QueuedJob
from topologies.plant import Shape

if TYPE_CHECKING:
    from policies.time_shares import Kind, TimeShares
    from policies.view import View

PairKey: TypeAlias = tuple[float, float, float, int]
"""(less the priority, less the share, submit_s, row) of a gang in a pool: the lowest goes first."""


class Account:
    """A gang: the time that it was due when it came, and that it has had, by pool [s]."""

    __slots__ = ("_before_s", "_from_s", "_had_s", "job", "keys", "kind", "pool")

    def __init__(self, job: QueuedJob, kind: "Kind", before_s: list[float]) -> None:
        self.job = job
        self.kind = kind
        self.pool = -1  # where it runs
        self.keys: dict[int, PairKey] = {}  # by pool, as they were when last looked at
        self._before_s = before_s
        self._had_s = [0.0] * len(before_s)
        self._from_s = 0.0

    def start(self, pool: int, now_s: float) -> None:
        """It gets chips."""
        self.pool, self._from_s = pool, now_s

    def stop(self, now_s: float) -> None:
        """It leaves them."""
        self._had_s[self.pool] += now_s - self._from_s
        self.pool = -1

    def had_s(self, pool: int, now_s: float) -> float:
        """The time that it has had in a pool [s]."""
        return self._had_s[pool] + (now_s - self._from_s if pool == self.pool else 0.0)

    def is_there(self, view: "View") -> bool:
        """Whether it runs or waits; some leave the queue because they are held for a better hour."""
        return self.pool >= 0 or view.queue.waiting(self.job) is not None

    def rank(self, share: Sequence[float], earned_s: Sequence[float], now_s: float) -> None:
        """Look anew where it stands in each pool, by what gangs of its kind are due now and have been since time 0."""
        for pool in self.job.shape.pools:
            priority = 0.0
            if share[pool] > 0:
                had_s = self.had_s(pool, now_s)
                priority = (earned_s[pool] - self._before_s[pool]) / had_s if had_s > 0 else math.inf
            self.keys[pool] = (-priority, -share[pool], self.job.submit_s, self.job.row)


class Accounts:
    """The accounts of all gangs that run or wait, and the pairs of those that wait, by shape and pool, in order.

    Where a pair stands is looked at once a round, as in the paper, and when a gang comes.
    """

    __slots__ = ("_new", "_round", "_shares", "by_row", "pairs")

    def __init__(self, shares: "TimeShares") -> None:
        self.by_row: dict[int, Account] = {}
        self.pairs: dict[tuple[Shape, int], list[PairKey]] = {}
        self._shares = shares
        self._new: dict[int, Account] = {}  # they wait, and nobody has looked where they stand
        self._round = -1

    def join(self, job: QueuedJob, now_s: float) -> None:
        """A job comes to the queue, or comes back to it."""
        account = self._of(job, now_s)
        account.job = job
        if account.keys:
            self._put(account)
        else:
            self._new[job.row] = account

    def start(self, job: QueuedJob, pool: int, now_s: float) -> None:
        """A gang starts."""
        waiting = self.by_row.get(job.row)
        if waiting is not None and self._new.pop(job.row, None) is None:
            self._take(waiting)
        self._of(job, now_s).start(pool, now_s)

    def stop(self, row: int, now_s: float) -> None:
        """A gang ends or is stopped."""
        self.by_row[row].stop(now_s)

    def end(self, row: int) -> None:
        """A job has ended."""
        del self.by_row[row]

    def look(self, view: "View") -> None:
        """Look where all pairs stand if a round has begun, and where those stand that have come since."""
        shares, now_s = self._shares, view.now_s
        shares.update(view, any(not shares.knows(account.kind) for account in self._new.values()))
        number = shares.round_at(now_s)
        if number != self._round:
            self._round = number
            self.pairs.clear()
            gone = [row for row, account in self.by_row.items() if not account.is_there(view)]
            for row in gone:
                del self.by_row[row]
            self._rank(self.by_row.values(), now_s)
        else:
            self._rank(self._new.values(), now_s)
        self._new.clear()

    def _rank(self, accounts: Iterable[Account], now_s: float) -> None:
        """Look where pairs stand, and put those that wait into their places."""
        due: dict[Kind, tuple[Sequence[float], Sequence[float]]] = {}
        for account in accounts:
            kind = account.kind
            if kind not in due:
                due[kind] = self._shares.share_of(kind), self._shares.earned_s(kind, now_s)
            account.rank(*due[kind], now_s)
            if account.pool < 0:
                self._put(account)

    def _of(self, job: QueuedJob, now_s: float) -> Account:
        account = self.by_row.get(job.row)
        if account is None or account.job.shape is not job.shape:  # another size is another job
            kind = self._shares.kind_of(job)
            account = self.by_row[job.row] = Account(job, kind, self._shares.earned_s(kind, now_s))
        return account

    def _put(self, account: Account) -> None:
        for pool, key in account.keys.items():
            insort(self.pairs.setdefault((account.job.shape, pool), []), key)

    def _take(self, account: Account) -> None:
        for pool, key in account.keys.items():
            pairs = self.pairs.get((account.job.shape, pool), [])
            at = bisect_left(pairs, key)
            if at < len(pairs) and pairs[at] == key:
                del pairs[at]
