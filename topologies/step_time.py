"""The time of a training step: computing, exchange that is not hidden behind it, and the bubble of the pipeline."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import product

from scenarios.hardware import TaskFacts
from scenarios.network import Parallelism
from topologies.domains import Domain, Seat
from topologies.exchange import Job, Split, Times, memory_bytes, times

_POWERS = tuple(2**n for n in range(11))
_MICRO_BATCHES = _CONTEXTS = (1, 2, 4)
_MOST_TENSOR = 64
_HALVINGS = 200


@dataclass(frozen=True, slots=True)
class Step:
    """A step [s]: computing, exposed exchange that layers wait for, bubble, exposed background exchange."""

    compute_s: float
    blocking_s: float
    bubble_s: float
    background_s: float

    @property
    def total_s(self) -> float:
        """The whole step [s]."""
        return self.compute_s + self.blocking_s + self.bubble_s + self.background_s

    @property
    def computing(self) -> float:
        """The part of the step in which the chips compute [1]."""
        return self.compute_s / self.total_s

    def longer(self, factor: float) -> "Step":
        """The same step so many times as long."""
        parts = (self.compute_s, self.blocking_s, self.bubble_s, self.background_s)
        return Step(*[factor * part for part in parts])


def step(parts: Times, token_s: float, facts: TaskFacts) -> Step:
    """A step whose chips compute a token in token_s.

    compute = token_s chip_tokens; blocking = (1 - hidden) t_blocking; bubble = share (compute + blocking); background
    = max(0, t_gather - w) + max(0, t_pipeline - what is left of overlap compute), where w = overlap compute, over the
    micro-batches unless weights are sharded: gradients are ready in the last micro-batch, weights needed in the first.
    """
    compute_s = parts.chip_tokens * token_s
    blocking_s = (1 - facts.blocking_overlap) * parts.blocking_s
    room_s = facts.background_overlap * compute_s
    window_s = room_s if parts.sharded else room_s / parts.micro_batches
    hidden_s = min(parts.gather_s, window_s)
    background_s = parts.gather_s - hidden_s + max(0.0, parts.pipeline_s - (room_s - hidden_s))
    return Step(compute_s, blocking_s, parts.bubble * (compute_s + blocking_s), background_s)


def token_s_of(parts: Times, total_s: float, facts: TaskFacts) -> float | None:
    """The computing time of a token [s] with which a step takes total_s; None where the exchange alone takes longer.

    The step grows with it, so halving finds it to the last bit.
    """
    low, high = 0.0, total_s / parts.chip_tokens
    if step(parts, low, facts).total_s >= total_s:
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if step(parts, middle, facts).total_s < total_s:
            low = middle
        else:
            high = middle
    return high


def ways(job: Job, degrees: Parallelism, chips: int, usable_bytes: float) -> list[Split]:
    """The ways to train with these degrees that fit, with as little sharing out and recomputing as must be."""
    if chips % (degrees.tensor * degrees.context * degrees.pipeline):
        return []
    found = []
    for recomputed in (False, True):
        for sharded in (False, True) if degrees.pipeline == 1 else (False,):
            split = Split(degrees, chips, sharded, recomputed)
            if memory_bytes(job, split) <= usable_bytes:
                found.append(split)
                break
    return found


def given(job: Job, degrees: Parallelism, chips: int, usable_bytes: float) -> Split:
    """The way to train with degrees that somebody has tried: it is not doubted that they fit, without recomputing."""
    plain = Split(degrees, chips)
    must = degrees.pipeline == 1 and memory_bytes(job, plain) > usable_bytes
    return Split(degrees, chips, sharded=must)


def scaled(parts: Times, scale: float) -> Times:
    """The same step with exchange that takes so many times as long."""
    if scale == 1:
        return parts
    return replace(
        parts,
        blocking_s=scale * parts.blocking_s,
        gather_s=scale * parts.gather_s,
        pipeline_s=scale * parts.pipeline_s,
    )


def fastest(
    job: Job,
    domain: Domain,
    seat: Seat,
    share: Callable[[Split], float],
    token_s: float,
    scale: float,
    usable_bytes: float,
) -> Split:
    """The way to train that is the fastest on a seat among those that fit, ties to the least splitting.

    share: of the NICs' bandwidth, by the split. scale: of all exchange.

    What an autotuner would find: all powers of two of tensor (up to 64), pipeline and expert degrees, micro-batches and
    contexts of 1, 2 and 4. Where none fits by the estimate of memory, the one that takes the least.
    """
    best, best_s, smallest, least_bytes = None, 0.0, Split(Parallelism(), seat.chips), math.inf
    for degrees in _candidates(job.model.layers, job.model.experts, seat.chips):
        for split in ways(job, degrees, seat.chips, usable_bytes):
            parts = scaled(times(job, split, domain, seat, share(split)), scale)
            total_s = step(parts, token_s, job.facts).total_s
            if best is None or total_s < best_s:
                best, best_s = split, total_s
        if best is None:
            tight = Split(degrees, seat.chips, degrees.pipeline == 1, recomputed=True)
            needs = memory_bytes(job, tight)
            if needs < least_bytes:
                smallest, least_bytes = tight, needs
    return best or smallest


@cache
def _candidates(layers: int, experts: int, chips: int) -> tuple[Parallelism, ...]:
    found = []
    for pipeline, tensor, context in product(_POWERS, _POWERS, _CONTEXTS):
        if pipeline > layers or tensor > _MOST_TENSOR or chips % (tensor * pipeline * context):
            continue
        for expert, micro_batch in product(_POWERS, _MICRO_BATCHES):
            if expert <= max(1, experts) and chips // pipeline % expert == 0:
                found.append(
                    Parallelism(
                        tensor=tensor, pipeline=pipeline, context=context, expert=expert, micro_batch=micro_batch
                    )
                )
    return tuple(found)
