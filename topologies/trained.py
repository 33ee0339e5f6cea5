"""The speed of gangs that train a model: its rate on one chip, and what the network makes of it."""

from dataclasses import dataclass, field

from scenarios.hardware import TaskFacts
from scenarios.network import Parallelism
from topologies.domains import Domain, Seat
from topologies.exchange import Job, Split, times
from topologies.network import Segment
from topologies.rates import Rated
from topologies.step_time import Step, fastest, given, step, token_s_of

_USUAL_CHIPS = 64  # of the measured rows that the usual utilizations come from
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Trained:
    """Training of a model. token_s: computing of a token on one chip. tried: how a measured row, or the user, splits.

    demanded: whether no other split is allowed. usable_bytes: HBM of a chip for training.
    """

    job: Job
    domain: Domain
    token_s: float
    usable_bytes: float
    tried: Parallelism | None
    demanded: bool
    _paces: dict[tuple[Seat, float, float], float] = field(default_factory=dict)
    _splits: dict[tuple[Seat, float], Split] = field(default_factory=dict)

    @property
    def scatters(self) -> bool:
        """Experts exchange tokens with all others."""
        return self.job.model.experts > 0

    def suits(self, chips: int) -> bool:
        """Whether a split that is demanded divides a gang."""
        return self.tried is None or not self.demanded or self._divides(chips)

    def pace_s(self, seat: Seat, share: float, alone: float | None = None) -> float:
        """Seconds a token of a gang."""
        alone = share if alone is None else alone
        key = (seat, share, alone)
        pace_s = self._paces.get(key)
        if pace_s is None:
            tokens = self.job.batch * self.job.sequence
            pace_s = self._paces[key] = self.step(seat, share, alone).total_s / tokens
        return pace_s

    def step(self, seat: Seat, share: float, alone: float) -> Step:
        """A step on a seat."""
        parts = times(self.job, self.split(seat, alone), self.domain, seat, share)
        return step(parts, self.token_s, self.job.facts)

    def split(self, seat: Seat, alone: float) -> Split:
        """The way to train on a seat: as it was tried where that suits the slices, else the fastest that fits."""
        key = (seat, alone)
        if key not in self._splits:
            self._splits[key] = self._choose(seat, alone)
        return self._splits[key]

    def _choose(self, seat: Seat, alone: float) -> Split:
        tried = self.tried
        if tried is not None and self._divides(seat.chips):
            split = given(self.job, tried, seat.chips, self.usable_bytes)
            busy = split.replicas * tried.micro_batch <= self.job.batch  # no replica is without a sequence
            if self.demanded or (busy and seat.block % tried.tensor == 0):
                return split
        return fastest(self.job, self.domain, seat, alone, self.token_s, self.usable_bytes)

    def _divides(self, chips: int) -> bool:
        tried = self.tried or Parallelism()
        whole = chips % (tried.tensor * tried.context * tried.pipeline) == 0
        return whole and chips // tried.pipeline % tried.expert == 0


def trained(
    rate: Rated,
    hbm_bytes: float,
    facts: TaskFacts,
    segment: Segment,
    home: Domain,
    batch: int | None = None,
    parallelism: Parallelism | None = None,
) -> Trained | None:
    """The speed of a class in a pool; None where the exchange of its rate's placement takes longer than its step.

    home: the pool's domains with the rack's own NICs, on which the rate was measured. batch: sequences of a step, by
    default the model's, or those of fine-tuning. parallelism: where it is demanded.
    """
    what, row = rate.what, rate.row
    usual = what.model.batch if what.task == "training" else facts.fine_tuning_batch
    usable_bytes = facts.usable_hbm * hbm_bytes
    reference = Job(what.model, what.sequence, usual if row is None or row.batch is None else row.batch, facts)
    token_s = _token_s(rate, reference, segment, home, usable_bytes)
    if token_s is None:
        return None
    job = Job(what.model, what.sequence, batch or usual, facts)
    tried = parallelism or (None if row is None else row.parallelism)
    return Trained(job, segment.domain, token_s, usable_bytes, tried, parallelism is not None)


def _token_s(rate: Rated, reference: Job, segment: Segment, home: Domain, usable_bytes: float) -> float | None:
    """The computing of a token on one chip [s], from a rate that has the exchange of its own placement in it.

    A measured row's placement is its own, packed; that of a usual utilization is a gang of 64 chips, or of as many
    whole domains as hold the model.
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
        return token_s_of(times(reference, split, home, seat, 1.0), total_s, reference.facts)
    token_s, last = 1.0 / rate.tokens_per_s, None
    for _ in range(_ROUNDS):  # the fastest split depends on the computing, a little
        split = fastest(reference, home, seat, 1.0, token_s, usable_bytes)
        if split == last:
            break
        found = token_s_of(times(reference, split, home, seat, 1.0), total_s, reference.facts)
        if found is None:
            return None
        last, token_s = split, found
    return token_s
