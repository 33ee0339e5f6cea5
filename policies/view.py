"""What a policy sees and what it answers: plain values, no clock and no simulator.

A policy reads a View and returns Decisions. It changes nothing; the run applies what it decided.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from policies.queue import Queue, QueuedJob
from policies.quotas import Quotas
from policies.tenants import Tenants
from topologies.free import FreeChips, Placement, domain_bits
from topologies.headroom import Headroom
from topologies.plant import Shape

if TYPE_CHECKING:
    from policies.claim import Claim, Stoppable
    from policies.plan import Plan
    from policies.running import RunningGangs
    from policies.time_shares import TimeShares

NO_ROOM = "no room"  # fewer free chips than the gang needs
NO_POWER = "no power"  # enough free chips, but a level of the power tree has too little left
FRAGMENTED = "fragmented"  # enough free chips, but no placement for the gang
HELD = "held"  # it would fit, but the policy keeps the chips for somebody else
QUOTA = "quota"  # it would fit, but its tenant's quota allows it nowhere
ROOMLESS = (NO_ROOM, NO_POWER, FRAGMENTED, QUOTA)  # what room would help against
DEFERRED = "deferred"  # it waits outside the queue for a cheaper or cleaner hour


class Release(NamedTuple):
    """A running gang as planning sees it: it frees its chips when its estimate ends [s]."""

    planned_end_s: float
    row: int
    chips: int
    placement: Placement
    pool: int
    gang_nw: int


class Start(NamedTuple):
    """A decision: this job starts now, in this pool, on these chips."""

    job: QueuedJob
    pool: int
    placement: Placement


Blocked: TypeAlias = dict[Shape, str]


@dataclass(frozen=True, slots=True)
class Reservation:
    """The place of a waiting head under EASY.

    free and headroom: the pool's chips and the power at every level at shadow_s, without those of the backfilled jobs
    that will still run then. seat: where the head will sit, empty where it waits for racks. quotas: their use then.
    """

    head: QueuedJob
    pool: int
    shadow_s: float
    free: FreeChips
    headroom: Headroom
    seat: Placement
    quotas: Quotas | None = None

    def quotas_with(self, shape: Shape, pool: int) -> Quotas | None:
        """The use of quotas at shadow_s with one more gang that still runs then."""
        if self.quotas is None or pool != self.pool or shape.quota < 0:
            return self.quotas
        after = self.quotas.ahead()
        after.take(shape.quota, pool, shape.chips)
        return after

    def keeps_quota(self, shape: Shape, pool: int) -> bool:
        """Whether the head still has its quota at shadow_s with one more gang that runs then."""
        after = self.quotas_with(shape, pool)
        return after is None or after.allows(self.head.shape, self.pool)

    @property
    def domains(self) -> int:
        """The domains of the seat, as bits."""
        return domain_bits(self.seat)


class Memo(NamedTuple):
    """What a pass found, valid until chips are released: the head it stopped at and what cannot start."""

    head: QueuedJob | None
    blocked: Blocked
    reservation: Reservation | None = None


@dataclass(slots=True)
class View:
    """The state at one instant, after all completions and arrivals.

    free and running are by pool, running sorted by planned end. memo is what the previous pass
    returned, None if chips have been released since; arrived are the jobs that joined since then. rises: power that
    will come back at the feed at a known time, as releases without chips. plan is what the previous pass promised to
    those who wait: unlike the memo it outlives releases. tenants: what each holds and has used, where the order
    compares them. gangs: those that run, where they may be stopped. malleable: those that may change their size.
    quotas: what tenants may hold, where there are any. shares: who runs where and what is due to whom, where the
    placement or the backfill asks.
    """

    now_s: float
    queue: Queue
    free: Sequence[FreeChips]
    headroom: Headroom
    running: Sequence[Sequence[Release]]
    arrived: Sequence[QueuedJob] = ()
    memo: Memo | None = None
    rises: Sequence[Release] = ()
    plan: "Plan | None" = None
    tenants: Tenants | None = None
    gangs: "RunningGangs | None" = None
    malleable: "Collection[Stoppable]" = ()
    quotas: Quotas | None = None
    shares: "TimeShares | None" = None


@dataclass(slots=True)
class Decisions:
    """The jobs to start, in order, and for each shape that was tried in vain the reason.

    A shape that waits and is not in blocked stands behind the head of a queue that lets nobody pass. plan: the
    reservations of all who wait, where the policy makes them. claim: a job that running gangs are stopped for.
    look_s: when to look again although nothing may have happened, because gangs may then be stopped [s]. smaller: jobs
    of the queue and their starts in a smaller size, after the others.
    """

    starts: list[Start] = field(default_factory=list)
    blocked: Blocked = field(default_factory=dict)
    memo: Memo | None = None
    plan: "Plan | None" = None
    claim: "Claim | None" = None
    look_s: float = math.inf
    smaller: list[tuple[QueuedJob, Start]] = field(default_factory=list)
