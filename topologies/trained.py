"""The speed of gangs that train a model: its rate on one chip, and what the network makes of it."""

from dataclasses import dataclass, field
from functools import partial

from scenarios.hardware import TaskFacts
from scenarios.network import Parallelism
from topologies.domains import Domain, Seat, Uplinks
from topologies.exchange import Job, Split, Times, times
from topologies.network import Segment
from topologies.rates import Rated
from topologies.speeds import Alone
from topologies.step_time import Step, fastest, given, scaled, step, token_s_of, ways

_USUAL_CHIPS = 64  # of the measured rows that the usual utilizations come from
_ROUNDS = 5
_LEAST_COMPUTING = 0.5  # of a step that was measured; ESTIMATE


@dataclass(frozen=True, slots=True)
class Trained:
    """Training of a model. token_s: computing of a token on one chip. scale: of all exchange [1].

    usable_bytes: HBM of a chip for training. demanded: the only split that is allowed. tried: that of a measured row,
    on tried_chips; edge: how much slower it is there than the fastest split [1], which nobody has reached then.
    """

    job: Job
    domain: Domain
    up: Uplinks
    token_s: float
    scale: float
    usable_bytes: float
    demanded: Parallelism | None = None
    tried: Parallelism | None = None
    tried_chips: int = 0
    edge: float = 1.0
    _paces: dict[tuple[Seat, float], float] = field(default_factory=dict)
    _alone: dict[Seat, Alone] = field(default_factory=dict)
    _splits: dict[Seat, Split] = field(default_factory=dict)

    def suits(self, chips: int) -> bool:
        """Whether a split that is demanded divides a gang."""
        return self.demanded is None or _divides(self.demanded, chips)

    def alone(self, seat: Seat) -> Alone:
        """A gang on a seat with nobody else's traffic."""
        found = self._alone.get(seat)
        if found is None:
            split = self.split(seat)
            crossing = split.crossing(seat, seat.under)
            if seat.level == 3:
                crossing = max(crossing, split.crossing(seat, seat.in_pod))
            share = self._share(seat, split)
            computing = self.step(seat, share).computing
            found = self._alone[seat] = Alone(self.pace_s(seat, share), share, crossing, computing)
        return found

    def pace_s(self, seat: Seat, share: float) -> float:
        """Seconds a token of a gang."""
        pace_s = self._paces.get((seat, share))
        if pace_s is None:
            tokens = self.job.batch * self.job.sequence
            pace_s = self._paces[seat, share] = self.step(seat, share).total_s / tokens
        return pace_s

    def step(self, seat: Seat, share: float) -> Step:
        """A step on a seat."""
        return self._step(seat, self.split(seat), share)

    def split(self, seat: Seat) -> Split:
        """The way to train on a seat: as demanded, as a measured row of this size, else the fastest that fits."""
        found = self._splits.get(seat)
        if found is None:
            found = self._splits[seat] = self._choose(seat)
        return found

    def _choose(self, seat: Seat) -> Split:
        tried = self.tried
        if self.demanded is not None:
            return given(self.job, self.demanded, seat.chips, self.usable_bytes)
        if tried is not None and seat.chips == self.tried_chips and seat.block % tried.tensor == 0:
            return given(self.job, tried, seat.chips, self.usable_bytes)
        share = partial(self._share, seat)
        best = fastest(self.job, self.domain, seat, share, self.token_s, self.scale, self.usable_bytes)
        if tried is None or not _divides(tried, seat.chips):
            return best
        splits = [best, *ways(self.job, tried, seat.chips, self.usable_bytes)]
        return min(splits, key=lambda split: self._step(seat, split, share(split)).total_s)

    def _share(self, seat: Seat, split: Split) -> float:
        return self.up.share(seat, partial(split.crossing, seat))

    def _step(self, seat: Seat, split: Split, share: float) -> Step:
        parts = scaled(times(self.job, split, self.domain, seat, share), self.scale)
        found = step(parts, self.token_s, self.job.facts)
        as_known = split.degrees in (self.demanded, self.tried)
        return found if as_known or self.edge == 1 else found.longer(self.edge)


def _divides(degrees: Parallelism, chips: int) -> bool:
    whole = chips % (degrees.tensor * degrees.context * degrees.pipeline) == 0
    return whole and chips // degrees.pipeline % degrees.expert == 0


def trained(
    rate: Rated,
    hbm_bytes: float,
    facts: TaskFacts,
    segment: Segment,
    home: Domain,
    batch: int | None = None,
    parallelism: Parallelism | None = None,
) -> Trained:
    """The speed of a class in a pool.

    home: the pool's domains with the rack's own NICs, on which the rate was measured. batch: sequences of a step, by
    default the model's, or those of fine-tuning. parallelism: where it is demanded.
    """
    what, row = rate.what, rate.row
    usual = what.model.batch if what.task == "training" else facts.fine_tuning_batch
    usable_bytes = facts.usable_hbm * hbm_bytes
    reference = Job(what.model, what.sequence, usual if row is None or row.batch is None else row.batch, facts)
    token_s, scale = _token_s(rate, reference, segment, home, usable_bytes)
    edge = 1.0
    if row is not None and row.parallelism is not None:
        seat = segment.compact(row.chips)
        best = fastest(reference, home, seat, lambda _: 1.0, token_s, scale, usable_bytes)
        best_s = step(scaled(times(reference, best, home, seat, 1.0), scale), token_s, facts).total_s
        edge = max(1.0, reference.batch * reference.sequence / (row.chips * rate.tokens_per_s) / best_s)
    return Trained(
        Job(what.model, what.sequence, batch or usual, facts),
        segment.domain,
        segment.up,
        token_s,
        scale,
        usable_bytes,
        parallelism,
        None if row is None else row.parallelism,
        0 if row is None else row.chips,
        edge,
    )


def _token_s(rate: Rated, reference: Job, segment: Segment, home: Domain, usable_bytes: float) -> tuple[float, float]:
    """The computing of a token on one chip [s], from a rate that has the exchange of its own placement in it.

    A measured row's placement is its own, packed; that of a usual utilization is a domain, doubled until it has 64
    chips and holds the model. And the scale of all exchange: below 1 where it would take more than half of that step,
    which then shows that it is faster, or better hidden, than computed here.
    """
    row = rate.row
    if row is not None:
        chips = row.chips
    else:
        chips = segment.domain.chips
        while chips < max(_USUAL_CHIPS, rate.least):
            chips *= 2
    seat = segment.compact(chips)
    total_s = reference.batch * reference.sequence / (chips * rate.tokens_per_s)
    if row is not None and row.parallelism is not None:
        split = given(reference, row.parallelism, chips, usable_bytes)
        return _fitted(times(reference, split, home, seat, 1.0), total_s, reference.facts)
    token_s, scale, last = 1.0 / rate.tokens_per_s, 1.0, None
    for _ in range(_ROUNDS):  # the fastest split depends on the computing, a little
        split = fastest(reference, home, seat, lambda _: 1.0, token_s, scale, usable_bytes)
        if split == last:
            break
        last = split
        token_s, scale = _fitted(times(reference, split, home, seat, 1.0), total_s, reference.facts)
    return token_s, scale


def _fitted(parts: Times, total_s: float, facts: TaskFacts) -> tuple[float, float]:
    """The computing of a token with which a step takes so long, and the scale of its exchange."""
    least_s = _LEAST_COMPUTING * total_s / (1 + parts.bubble)
    token_s = token_s_of(parts, total_s, facts)
    if token_s is not None and token_s * parts.chip_tokens >= least_s:
        return token_s, 1.0
    low, high = 0.0, 1.0
    while (middle := (low + high) / 2) not in (low, high):
        if step(scaled(parts, middle), least_s / parts.chip_tokens, facts).total_s < total_s:
            low = middle
        else:
            high = middle
    token_s = token_s_of(scaled(parts, low), total_s, facts)
    return (least_s / parts.chip_tokens if token_s is None else token_s), low
