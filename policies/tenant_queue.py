"""The queue of orders by tenant: lanes stay sorted within each tenant, and a pass compares tenants only."""

from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heappop, heapreplace
from typing import TYPE_CHECKING

from policies.fairness import ByTenant
from policies.order import fifo
from policies.queue import OrderKey, Queue, QueuedJob, Walk, tail
from topologies.plant import Shape

if TYPE_CHECKING:
    from policies.view import Start, View


class TenantQueue(Queue):
    """All waiting jobs, by shape over all tenants in order of submission, and for each tenant by shape again."""

    __slots__ = ("_firsts", "_shares", "parts")

    def __init__(self, order: ByTenant) -> None:
        super().__init__(fifo)
        self._shares = order
        self.parts: dict[int, Queue] = {}
        self._firsts: dict[int, OrderKey] = {}  # of tenants, as far as they are known

    def add(self, job: QueuedJob) -> None:
        """Put a job in its place."""
        super().add(job)
        part = self.parts.get(job.tenant)
        if part is None:
            part = self.parts[job.tenant] = Queue(fifo)
        part.add(job)
        first = self._firsts.get(job.tenant)
        if first is not None and _key(job) < first:
            del self._firsts[job.tenant]

    def remove(self, job: QueuedJob) -> None:
        """Take out a job."""
        super().remove(job)
        part = self.parts[job.tenant]
        part.remove(job)
        if not part.jobs:
            del self.parts[job.tenant]
        if self._firsts.get(job.tenant) == _key(job):
            del self._firsts[job.tenant]

    def head(self, view: "View") -> QueuedJob | None:
        """The first job of the tenant with the lowest share."""
        if not self.parts:
            return None
        tenant = min(self.parts, key=lambda tenant: (self.share(tenant, view), self.first(tenant)))
        return self.parts[tenant].head(view)

    def walk(self, view: "View", starts: Sequence["Start"]) -> "TenantWalk":
        """A walk in the order of the shares, which follow the starts of the pass."""
        return TenantWalk(self, view, starts)

    def behind(self, _last: QueuedJob, jobs: Sequence[QueuedJob], view: "View") -> Sequence[QueuedJob] | None:
        """Some of the jobs in order; None unless all of them come after everybody else by what holds now."""
        return tail(self, jobs, view)

    def in_order(self, jobs: Sequence[QueuedJob], view: "View", starts: Sequence["Start"]) -> Iterable[QueuedJob]:
        """Some of the jobs, first to go first; each is asked for after the one before has or has not started."""
        if len(jobs) < 2:
            return jobs
        some = TenantQueue(self._shares)
        for job in jobs:
            some.add(job)
        return some.walk(view, starts).through()

    def share(self, tenant: int, view: "View", started: Sequence["Start"] = ()) -> float:
        """A tenant's share after some planned starts."""
        tenants, now_s = view.tenants, view.now_s
        if tenants is None:
            raise RuntimeError(f"{now_s} s: an order by tenant needs a view with tenants")
        account = tenants.account(tenant)
        for job, pool, _ in started:
            if job.tenant == tenant:
                gang_nw = job.shape.gang_nw(pool)
                account = account.holding(pool, job.shape.chips, gang_nw, now_s, tenants.half_life_s)
        return self._shares.share(account, tenants, view)

    def first(self, tenant: int) -> OrderKey:
        """The key of a tenant's first job."""
        key = self._firsts.get(tenant)
        if key is None:
            key = self._firsts[tenant] = min([lane.keys[0] for lane in self.parts[tenant].lanes.values()])
        return key


class TenantWalk(Walk):
    """A walk that looks at a tenant's lanes when it is the tenant's turn, and leaves lanes out by shape for all."""

    __slots__ = ("_by_share", "_ends_by", "_left", "_queue", "_seen", "_starts", "_view", "_walks")

    def __init__(self, queue: TenantQueue, view: "View", starts: Sequence["Start"]) -> None:
        super().__init__(())
        self._queue = queue
        self._view = view
        self._starts = starts
        self._seen = len(starts)
        self._by_share = [(queue.share(tenant, view, starts), queue.first(tenant), tenant) for tenant in queue.parts]
        heapify(self._by_share)
        self._walks: dict[int, Walk] = {}
        self._left: set[Shape] = set()
        self._ends_by: dict[Shape, tuple[float, float]] = {}

    def __iter__(self) -> Iterator[QueuedJob]:
        """The first job not yet passed, again and again until next, next_ending_by or leave moves on."""
        while self._by_share and len(self._left) < len(self._queue.lanes):
            job = self._top()
            if job is not None:
                yield job

    def next(self) -> None:
        """Go on to the next job; what has started since counts for its tenant."""
        self._inner().next()
        self._go_on()

    def next_ending_by(self, now_s: float, end_s: float) -> None:
        """Go on; of this shape only jobs whose estimate ends by end_s come up, of other tenants too."""
        inner = self._inner()
        self._ends_by[inner.first().shape] = (now_s, end_s)
        inner.next_ending_by(now_s, end_s)
        self._go_on()

    def leave(self) -> None:
        """Go on; nobody of this shape comes up again, of no tenant."""
        inner = self._inner()
        self._left.add(inner.first().shape)
        inner.leave()
        self._go_on()

    def _inner(self) -> Walk:
        return self._walks[self._by_share[0][2]]

    def _top(self) -> QueuedJob | None:
        """The first job of the first tenant; None where the tenant had to go back because of what was left out."""
        _, key, tenant = self._by_share[0]
        inner = self._walks.get(tenant)
        if inner is None:
            inner = self._walks[tenant] = self._walk_of(tenant)
        else:
            while inner and inner.first().shape in self._left:
                inner.leave()
        if inner and inner.first_key() == key:
            return inner.first()
        self._go_on()
        return None

    def _walk_of(self, tenant: int) -> Walk:
        """A walk through what is not left out of a tenant's lanes."""
        lanes = self._queue.parts[tenant].lanes
        walk = Walk([lane for shape, lane in lanes.items() if shape not in self._left and shape not in self._ends_by])
        for shape, (now_s, end_s) in self._ends_by.items():
            if shape in lanes and shape not in self._left:
                walk.enter_ending_by(lanes[shape], now_s, end_s)
        return walk

    def _go_on(self) -> None:
        """Put the first tenant where its share and its next job now belong, or out of the walk."""
        share, _, tenant = self._by_share[0]
        inner = self._walks[tenant]
        if not inner:
            heappop(self._by_share)
            return
        if len(self._starts) > self._seen:  # only this tenant's own: nobody else has had a turn since
            share = self._queue.share(tenant, self._view, self._starts)
            self._seen = len(self._starts)
        heapreplace(self._by_share, (share, inner.first_key(), tenant))


def _key(job: QueuedJob) -> OrderKey:
    return (job.submit_s, job.submit_s, job.row)
