"""Scaling: malleable gangs grow while nobody waits and shrink for those who do. At most one claim a pass.

A gang that changes its size writes a checkpoint, gives its chips back and goes on in another size like a gang that was
stopped, so that each change costs a write and a restart.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from policies.claim import Claim, Stoppable
from policies.interruptions import Interruptions
from policies.placement import Placer
from policies.queue import QueuedJob
from policies.trial import Trial, seat_under
from policies.view import ROOMLESS, Decisions, Start, View
from scenarios.instants import instant
from topologies.plant import Shape


class ScalingKind(NamedTuple):
    """What a scenario can choose; its parameters make a policy of it."""

    about: str


@dataclass(frozen=True, slots=True)
class Elastic:
    """Malleable gangs in whatever size the queue leaves them.

    min_run_s: a gang keeps its size for so long. passing: whether others are helped where the first one cannot be.
    """

    min_run_s: float
    losses: Interruptions
    passing: bool

    def decide(self, view: View, placer: Placer, decisions: Decisions) -> None:
        """Add starts in a smaller size, and a claim that shrinks gangs for who waits or makes one grow."""
        if decisions.claim is not None:
            return
        trial = Trial(view, placer)
        for start in decisions.starts:
            trial.start(*start)
        started = {start.job.row for start in decisions.starts}
        if view.queue.jobs == len(started):
            self._grow(view, trial, decisions)
            return
        walk = view.queue.walk(view, decisions.starts)
        for job in walk:
            if job.row in started:
                walk.next()
                continue
            walk.leave()
            if decisions.blocked.get(job.shape) not in ROOMLESS:
                continue
            helped = self._start_smaller(trial, job, decisions) or self._shrink_for(view, trial, job, decisions)
            if decisions.claim is not None or not (helped or self.passing):
                return

    def _start_smaller(self, trial: Trial, job: QueuedJob, decisions: Decisions) -> bool:
        """Start a malleable job in the largest size that has room."""
        for shape in _smaller(job, job.shape.chips):
            found = trial.find(shape)
            if found is not None:
                start = Start(job._replace(shape=shape), *found)
                trial.start(*start)
                decisions.smaller.append((job, start))
                return True
        return False

    def _shrink_for(self, view: View, trial: Trial, job: QueuedJob, decisions: Decisions) -> bool:
        """Halve running gangs, as often as it takes, until a job has room, in its own smallest size if it has some."""
        ready = self._ready(view, decisions, [gang for gang in view.malleable if _smaller(gang.job, gang.run.chips)])
        ready.sort(key=_over_asked, reverse=True)
        shape = [job.shape, *_smaller(job, job.shape.chips)][-1]
        for pool in shape.pools:
            here = [gang for gang in ready if gang.run.pool == pool]
            least = [_smaller(gang.job, gang.run.chips)[-1].chips for gang in here]
            spare = trial.free(pool).free
            for count, gang in enumerate(here):
                spare += gang.run.chips - least[count]
                if spare >= shape.chips:
                    starts = _shrunk(view, trial, job._replace(shape=shape), pool, here[: count + 1])
                    if starts is not None:
                        decisions.claim = Claim(job, starts, tuple(here[: count + 1]), math.inf)
                        return True
        return False

    def _grow(self, view: View, trial: Trial, decisions: Decisions) -> None:
        """Let the gang that has the least of what it asked for grow to the largest size that pays."""
        cost_s = self.losses.stall_s + self.losses.restart_s
        ready = self._ready(view, decisions, [gang for gang in view.malleable if _larger(gang)])
        for gang in sorted(ready, key=_over_asked):
            pool, job = gang.run.pool, gang.job_at(view.now_s)
            pace_s = gang.job.shape.pace_in(pool)
            for shape in _larger(gang):
                if job.estimate * (pace_s - shape.pace_in(pool)) > cost_s:
                    start = _Room(trial, pool, [gang]).seat(job._replace(shape=shape))
                    if start is not None:
                        decisions.claim = Claim(None, (start,), (gang,), math.inf)
                        return

    def _ready(self, view: View, decisions: Decisions, gangs: Sequence[Stoppable]) -> list[Stoppable]:
        """Those that have run for long enough; of the others it is kept when the first one will have."""
        ready = []
        for gang in gangs:
            if gang.stopping:
                continue
            ready_s = instant(gang.from_s + self.min_run_s)
            if ready_s <= view.now_s:
                ready.append(gang)
            else:
                decisions.look_s = min(decisions.look_s, ready_s)
        return ready


def _smaller(job: QueuedJob, chips: int) -> list[Shape]:
    """The sizes of a job below so many chips, the largest first."""
    return [] if job.sizes is None else [shape for shape in reversed(job.sizes.shapes) if shape.chips < chips]


def _larger(gang: Stoppable) -> list[Shape]:
    """The sizes above the one that a gang runs in and that its pool has, the largest first."""
    run, sizes = gang.run, gang.job.sizes
    if sizes is None:
        return []
    return [shape for shape in reversed(sizes.shapes) if shape.chips > run.chips and run.pool in shape.pools]


def _over_asked(gang: Stoppable) -> tuple[float, float, int]:
    """Chips over those asked for; of equals the one that got its chips last."""
    asked = gang.job.shape if gang.job.sizes is None else gang.job.sizes.asked
    return gang.run.chips / asked.chips, gang.from_s, gang.run.row


def _shrunk(
    view: View, trial: Trial, job: QueuedJob, pool: int, gangs: Sequence[Stoppable]
) -> tuple[Start, ...] | None:
    """A job and all of some gangs, halved as seldom as it takes, seated in their place; None where they do not fit."""
    most = max(len(_smaller(gang.job, gang.run.chips)) for gang in gangs)
    for halvings in range(most):
        room, starts = _Room(trial, pool, gangs), []
        for one, gang in [(job, None), *[(gang.job_at(view.now_s), gang) for gang in gangs]]:
            if gang is not None:
                sizes = _smaller(gang.job, gang.run.chips)
                one = one._replace(shape=sizes[min(halvings, len(sizes) - 1)])
            start = room.seat(one)
            if start is None:
                break
            starts.append(start)
        else:
            return tuple(starts)
    return None


class _Room:
    """The free chips, the power and the quotas of a pool when gangs of it have gone; to seat others there."""

    __slots__ = ("_free", "_headroom", "_placer", "_pool", "_quotas")

    def __init__(self, trial: Trial, pool: int, gangs: Sequence[Stoppable]) -> None:
        quotas = trial.quotas()
        self._free, self._headroom, self._quotas = trial.free(pool).copy(), trial.headroom().copy(), quotas
        self._pool, self._placer = pool, trial.placer
        if quotas is not None:
            self._quotas = quotas.ahead()
        for gang in gangs:
            run = gang.run
            self._free.give(run.placement)
            self._headroom.give(pool, run.placement, run.gang_nw // run.chips)
            if self._quotas is not None:
                self._quotas.let_go(run.row, pool, run.chips)

    def seat(self, job: QueuedJob) -> Start | None:
        """Seat a job, and take its chips, its power and its quota; None where it has no room."""
        shape, pool, quotas = job.shape, self._pool, self._quotas
        if pool not in shape.pools or shape.gang_nw(pool) > self._headroom.feed_nw:
            return None
        if quotas is not None and not quotas.allows(shape, pool):
            return None
        placement = seat_under(self._free, self._headroom, self._placer, shape, pool)
        if placement is None:
            return None
        self._free.take(placement)
        self._headroom.take(pool, placement, shape.gang_nw(pool) // shape.chips)
        if quotas is not None and shape.quota >= 0:
            quotas.take(shape.quota, pool, shape.chips)
        return Start(job, pool, placement)
