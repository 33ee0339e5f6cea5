"""Running gangs whose speed may change: groups that share a cap, in virtual time.

Gangs of one class in one pool under the same levels of the power tree have one cap and one speed, so a change of
speed touches groups and not jobs: each group counts the full-speed seconds that have passed in it, and a gang ends
when that count reaches the one it was given at its start.
"""

import math
from heapq import heappop, heappush

from policies.loads import Load
from policies.queue import Past, QueuedJob
from policies.view import Release
from scenarios.instants import instant
from topologies.plant import ClassPlan


class Gang:
    """A running gang: where it stands in its group's count of seconds and joules, and when it is due.

    factor: its speed over that of its group, below 1 where it shares links of the network.
    """

    __slots__ = (
        *("_asked", "_done_s", "_mark_s", "_needs_s", "_traffic_s", "due_s", "factor", "from_energy_j", "from_s"),
        *("from_progress_s", "from_throttled_s", "gone", "group", "halted_s", "job", "pace_s", "restart_s", "run"),
        *("_until_s", "_until_throttled_s", "turn", "under", "work"),
    )

    def __init__(
        self,
        run: Release,
        job: QueuedJob,
        work: float,
        pace_s: float,
        group: "Group",
        now_s: float,
        restart_s: float,
        under: dict[int, int],
    ) -> None:
        self.run = run
        self.job = job
        self._asked = job.shape if job.sizes is None else job.sizes.asked
        self.work = work  # what is left to do, in the class's units
        self.pace_s = pace_s  # of a unit at full speed where it sits
        self.group = group
        self.under = under  # its chips under each limit
        self.from_s = now_s
        self.from_progress_s = group.progress_s(now_s)
        self.from_energy_j = group.chip_j(now_s)
        self.from_throttled_s = group.throttled_s(now_s)
        self.restart_s = restart_s  # before it goes on from where it was stopped
        self._needs_s = work * pace_s + restart_s
        self._mark_s, self._done_s, self._traffic_s, self.factor = self.from_progress_s, 0.0, 0.0, 1.0
        self.due_s = self.from_progress_s + self._needs_s  # in the group's own time
        self.turn = 0  # its place among the starts of its group
        self.gone = False
        self.halted_s: float | None = None  # from then on it writes its last checkpoint
        self._until_throttled_s = self._until_s = 0.0  # what the counts were then

    @property
    def stopping(self) -> bool:
        """Whether it writes its last checkpoint before it leaves its chips."""
        return self.halted_s is not None

    def halt(self, now_s: float) -> None:
        """Work no more; it draws what it drew."""
        self._done_s, self._traffic_s = self.progress_s(now_s), self.traffic_s(now_s)
        self._until_throttled_s, self._until_s = self.throttled_s(now_s), self.group.progress_s(now_s)
        self.halted_s = now_s
        self.turn = 0  # it has no end any more

    def job_at(self, now_s: float) -> QueuedJob:
        """The job as it would wait if it were stopped at a time and lost nothing."""
        return self.job_after(now_s, self.done(now_s))

    def job_after(self, now_s: float, done: float) -> QueuedJob:
        """The job as it waits after this stay, with so much of its work done and kept in it."""
        job = self.job
        asked, first_s, before_s = job.past or (job.estimate, self.from_s, 0.0)
        past = Past(asked, first_s, instant(before_s + now_s - self.from_s))
        return QueuedJob(job.row, self._asked, job.submit_s, max(0.0, job.estimate - done), *job[4:8], past, job.sizes)

    def left_s(self, now_s: float) -> float:
        """The estimate of the run time that the same job has left, in the fastest pool that it may use [s]."""
        return instant(max(0.0, self.job.estimate - self.done(now_s)) * min(self._asked.pace_s))

    def done_s(self, now_s: float) -> float:
        """Full-speed seconds of work in this stay, its restart left out [s]."""
        return max(0.0, self.progress_s(now_s) - self.restart_s)

    def done(self, now_s: float) -> float:
        """Work done in this stay, in the class's units."""
        return min(self.work, self.done_s(now_s) / self.pace_s)

    def retime(self, now_s: float, factor: float) -> None:
        """Work at another factor of the group's speed from now on."""
        self._done_s, self._traffic_s = self.progress_s(now_s), self.traffic_s(now_s)
        self._mark_s, self.factor = self.group.progress_s(now_s), factor
        self.due_s = self._mark_s + max(0.0, self._needs_s - self._done_s) / factor

    @property
    def planned_pace_s(self) -> float:
        """Seconds a unit of work at full speed on the best seat of the pool [s]."""
        return self.job.shape.pace_in(self.run.pool)

    @property
    def asked_pace_s(self) -> float:
        """The same in the size that the job asked for [s]."""
        return self._asked.pace_in(self.run.pool)

    @property
    def scaled(self) -> float:
        """What a chip does over what it would do in the size that the job asked for, not above 1."""
        if self.job.sizes is None:
            return 1.0
        return min(1.0, self._asked.chips * self.asked_pace_s / (self.run.chips * self.planned_pace_s))

    def stretch(self, now_s: float) -> float | None:
        """Time on chips over that alone, None where it never shared links [1]."""
        done_s = self.progress_s(now_s)
        if (self.factor == 1 and self._mark_s == self.from_progress_s) or done_s <= 0:
            return None
        until_s = self.group.progress_s(now_s) if self.halted_s is None else self._until_s
        return (until_s - self.from_progress_s) / done_s

    def energy_j(self, now_s: float) -> float:
        """What its chips and their host share have drawn since it started, before conversion [J]."""
        return self.run.chips * (self.group.chip_j(now_s) - self.from_energy_j)

    def progress_s(self, now_s: float) -> float:
        """Full-speed seconds since it started, its restart included [s]."""
        if self.halted_s is not None:
            return self._done_s
        return self._done_s + (self.group.progress_s(now_s) - self._mark_s) * self.factor

    def throttled_s(self, now_s: float) -> float:
        """What caps have taken since it started [s]."""
        if self.halted_s is not None:
            return self._until_throttled_s
        return self.group.throttled_s(now_s) - self.from_throttled_s

    def traffic_s(self, now_s: float) -> float:
        """What the traffic of others has taken since it started [s]."""
        if self.halted_s is not None:
            return self._traffic_s
        return self._traffic_s + (self.group.progress_s(now_s) - self._mark_s) * (1.0 - self.factor)

    def checkpoint_s(self, now_s: float) -> float:
        """What its last checkpoint has taken [s]."""
        return 0.0 if self.halted_s is None else now_s - self.halted_s


class Group:
    """Gangs with one cap: their load, and the full-speed seconds and joules a chip that have passed."""

    __slots__ = (
        *("_busy_w", "_chip_j", "_ends", "_progress_s", "_since_s", "_span_w", "_started", "_throttled_s"),
        *("draw_nw", "fraction", "gangs", "load", "number", "speed"),
    )

    def __init__(self, number: int, pool: int, plan: ClassPlan) -> None:
        self.number = number
        range_nw = plan.range_nw[pool]
        self.load = Load(
            0, plan.draw_nw[pool] - range_nw, range_nw, plan.floor[pool], plan.exponent, plan.value, under={}
        )
        self.draw_nw = plan.draw_nw[pool]  # of one chip, now
        self.fraction = self.speed = 1.0
        self.gangs = 0
        self._busy_w = plan.busy_w[pool]
        self._span_w = plan.span_w[pool]
        # at full speed from time 0 on, this count is the clock itself and ends fall on the same float
        self._since_s = self._progress_s = self._throttled_s = self._chip_j = 0.0
        self._ends: list[tuple[float, int, int, Gang]] = []
        self._started = 0

    def add(self, gang: Gang) -> None:
        """A gang starts."""
        self.gangs += 1
        self.reorder(gang)
        self.load.chips += gang.run.chips
        for limit, chips in gang.under.items():
            self.load.under[limit] = self.load.under.get(limit, 0) + chips

    def reorder(self, gang: Gang) -> None:
        """Put a gang in its place among the ends."""
        self._started += 1  # a job that stops and goes on at once is due at the same time twice
        gang.turn = self._started
        heappush(self._ends, (gang.due_s, gang.run.row, self._started, gang))

    def remove(self, gang: Gang) -> None:
        """A gang ends or is stopped."""
        self.gangs -= 1
        gang.gone = True
        self.load.chips -= gang.run.chips
        for limit, chips in gang.under.items():
            self.load.under[limit] -= chips

    def put(self, now_s: float, fraction: float) -> None:
        """Change the cap from now on."""
        load, lasted_s = self.load, now_s - self._since_s
        self._progress_s += lasted_s * self.speed
        self._throttled_s += lasted_s * (1.0 - self.speed)
        self._chip_j += lasted_s * (self._busy_w - (1.0 - self.fraction) * self._span_w)
        self._since_s = now_s
        self.fraction, self.speed = fraction, load.speed(fraction)
        self.draw_nw = load.draw_nw(fraction)

    def progress_s(self, now_s: float) -> float:
        """Full-speed seconds that have passed [s]."""
        return self._progress_s + (now_s - self._since_s) * self.speed

    def throttled_s(self, now_s: float) -> float:
        """Seconds that caps have taken [s]."""
        return self._throttled_s + (now_s - self._since_s) * (1.0 - self.speed)

    def chip_j(self, now_s: float) -> float:
        """What a busy chip with its host share has drawn, before conversion [J]."""
        return self._chip_j + (now_s - self._since_s) * (self._busy_w - (1.0 - self.fraction) * self._span_w)

    def next_end_s(self) -> float:
        """When the next gang ends at this speed [s]; infinite for never."""
        ends = self._ends
        while ends and (ends[0][3].gone or ends[0][3].turn != ends[0][2]):
            heappop(ends)
        if not ends or self.speed == 0:
            return math.inf
        return instant(self._since_s + (ends[0][0] - self._progress_s) / self.speed)

    def next_gang(self) -> Gang:
        """The gang that ends next; after next_end_s only."""
        return self._ends[0][3]
