"""What holds at the meter now: the row of the site's steps as plain numbers."""

import math

import numpy as np

from scenarios.contract import SiteSteps
from scenarios.instants import instant
from topologies.headroom import UNLIMITED_NW
from topologies.plant import Site
from topologies.power import NW_PER_W


class Contract:
    """The cap, the contract, what has been announced, and the watts at the meter per watt of IT.

    curtailed: an event holds the cap below the contract. fell: the cap is lower than it was before the last change.
    """

    __slots__ = (
        *("_event", "_free_rows", "_row", "_site", "_steps", "announced_w", "cap_nw", "cap_w", "contract_w"),
        *("curtailed", "fell", "overhead"),
    )

    def __init__(self, steps: SiteSteps, site: Site) -> None:
        self._steps = steps
        self._site = site
        self._free_rows = np.flatnonzero(steps.announced_w == steps.contract_w)  # no event holds or is announced
        self.cap_w = math.inf
        self.change(0)
        self.fell = False

    def change(self, row: int) -> None:
        """A row of the steps holds from now on."""
        steps, before_w = self._steps, self.cap_w
        self._row = row
        self.cap_w = float(steps.cap_w[row])
        self.contract_w = float(steps.contract_w[row])
        self.announced_w = float(steps.announced_w[row])
        self.overhead = float(steps.overhead[row])
        at = int(steps.event[row])
        self._event = steps.events[at] if at >= 0 else None
        self.curtailed = at >= 0
        self.fell = self.cap_w < before_w
        self.cap_nw = self.it_nw(self.cap_w)

    def warned_s(self, now_s: float) -> float:
        """How long the operator has known of what holds [s].

        Infinite without an event: the phases of a contract are known, and heat builds up over the hour.
        """
        return math.inf if self._event is None else instant(now_s - self._event.notice_s)

    def lead_s(self, now_s: float) -> float:
        """How long the battery has had to get ready for an event that begins now [s]."""
        return now_s - self._event.notice_s if self._event is not None and now_s == self._event.from_s else 0.0

    def rise(self, admitted_nw: int) -> tuple[float, int] | None:
        """When the whole contract holds again, and what more may then be admitted [nW]; None where it holds now."""
        if self.announced_w == self.contract_w:
            return None
        later = self._free_rows[np.searchsorted(self._free_rows, self._row) :]
        if not len(later):
            return None
        by_nw = self.it_nw(float(self._steps.contract_w[later[0]])) - admitted_nw
        return (float(self._steps.time_s[later[0]]), by_nw) if by_nw > 0 else None

    def meter_w(self, it_nw: int) -> float:
        """What the meter reads [W]."""
        return it_nw / NW_PER_W * self.overhead + self._site.fixed_w

    def it_nw(self, cap_w: float) -> int:
        """The IT draw at which the meter reads so much [nW]."""
        if cap_w == math.inf:
            return UNLIMITED_NW
        return math.floor((cap_w - self._site.fixed_w) / self.overhead * NW_PER_W)
