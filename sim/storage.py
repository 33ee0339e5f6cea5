"""The battery at the feed: state of charge, what it gives or takes, and when to look at it again."""

import math

from topologies.plant import Battery
from topologies.power import stored_w

RAMP_STEPS = 16  # a ramp is taken in steps of a sixteenth of the power, each when the ramp has passed it


class Storage:
    """A battery's state. level_w is what it gives at the meter, negative while it takes up charge."""

    __slots__ = ("_ramp_from_s", "_since_s", "_step_s", "facts", "level_w", "soc_j")

    def __init__(self, facts: Battery) -> None:
        self.facts = facts
        self.level_w = 0.0
        self.soc_j = facts.initial_j
        self._since_s = 0.0
        self._ramp_from_s: float | None = None
        self._step_s = facts.power_w / RAMP_STEPS / facts.ramp_w_per_s

    @property
    def full(self) -> bool:
        """Whether it takes up no more."""
        return self.soc_j >= self.facts.energy_j

    def advance(self, now_s: float) -> None:
        """Bring the state of charge up to now; exactly to its bound where that is reached."""
        if now_s >= self.limit_s():
            self.soc_j = self.facts.reserve_j if self.level_w > 0 else self.facts.energy_j
        else:
            self.soc_j += self._stored_w() * (now_s - self._since_s)
        self._since_s = now_s
        if (self.level_w > 0 and self.soc_j <= self.facts.reserve_j) or (self.level_w < 0 and self.full):
            self.level_w = 0.0

    def reach_w(self, now_s: float, want_w: float, lead_s: float) -> float:
        """What it can give now of what is wanted [W].

        The first call of a rise starts the ramp, lead_s ago where the operator was told of it so long before.
        """
        if self.soc_j <= self.facts.reserve_j or want_w <= 0:
            self._ramp_from_s = None
            return 0.0
        want_w = min(want_w, self.facts.power_w)
        given_w = max(0.0, self.level_w)
        if want_w <= given_w or self._step_s == 0:
            self._ramp_from_s = None
            return want_w
        if self._ramp_from_s is None:
            self._ramp_from_s = now_s - lead_s if given_w == 0 else now_s
        passed = now_s >= self._ramp_from_s + self._step_s  # as next_s says it, so that rounding cannot miss it
        steps = max(int(passed), math.floor((now_s - self._ramp_from_s) / self._step_s))
        return min(want_w, given_w + steps * self.facts.power_w / RAMP_STEPS)

    def put(self, now_s: float, level_w: float) -> None:
        """Give (or take, below 0) so much from now on."""
        if self._ramp_from_s is not None and (level_w != self.level_w or now_s >= self._ramp_from_s + self._step_s):
            self._ramp_from_s = now_s
        self.level_w = level_w

    def next_s(self) -> float:
        """When it is full or down to its reserve, or the ramp has passed its next step; infinite for never."""
        ramp_s = math.inf if self._ramp_from_s is None else self._ramp_from_s + self._step_s
        return min(ramp_s, self.limit_s())

    def limit_s(self) -> float:
        """When it is full or down to its reserve; infinite for never."""
        stored = self._stored_w()
        if stored == 0:
            return math.inf
        bound_j = self.facts.reserve_j if stored < 0 else self.facts.energy_j
        return self._since_s + (bound_j - self.soc_j) / stored

    def _stored_w(self) -> float:
        return stored_w(self.level_w, self.facts.round_trip)
