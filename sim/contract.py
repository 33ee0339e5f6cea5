"""What holds at the meter now: the row of the site's steps as plain numbers."""

import math

from scenarios.contract import SiteSteps
from topologies.headroom import UNLIMITED_NW
from topologies.plant import Site
from topologies.power import NW_PER_W


class Contract:
    """The cap, the contract, what has been announced, and the watts at the meter per watt of IT."""

    __slots__ = ("_site", "_steps", "_told_s", "announced_w", "cap_nw", "cap_w", "contract_w", "curtailed", "overhead")

    def __init__(self, steps: SiteSteps, site: Site) -> None:
        self._steps = steps
        self._site = site
        self._told_s = 0.0  # when the curtailment that holds was announced
        self.curtailed = False
        self.change(0, 0.0)

    def change(self, row: int, now_s: float) -> None:
        """A row of the steps holds from now on."""
        steps, before = self._steps, self.curtailed
        self.cap_w = float(steps.cap_w[row])
        self.contract_w = float(steps.contract_w[row])
        self.announced_w = float(steps.announced_w[row])
        self.overhead = float(steps.overhead[row])
        self.curtailed = self.cap_w < self.contract_w
        self.cap_nw = self.it_nw(self.cap_w)
        if self.curtailed and not before:
            self._told_s = now_s - float(steps.warned_s[row])

    def warned_s(self, now_s: float) -> float:
        """How long the operator has known of the curtailment that holds [s]; 0 without one."""
        return now_s - self._told_s if self.curtailed else 0.0

    def meter_w(self, it_nw: int) -> float:
        """What the meter reads [W]."""
        return it_nw / NW_PER_W * self.overhead + self._site.fixed_w

    def it_nw(self, cap_w: float) -> int:
        """The IT draw at which the meter reads so much [nW]."""
        if cap_w == math.inf:
            return UNLIMITED_NW
        return math.floor((cap_w - self._site.fixed_w) / self.overhead * NW_PER_W)
