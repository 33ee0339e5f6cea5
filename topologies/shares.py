"""Max-min fair rates of flows that come and go, one at a time. What a flow or a link stands for is not known here.

The rates are those that fair_share.fair_rates computes all at once. A flow's rate is weight * level, where

- the level of a flow is the lowest of that which meets its demand and those at which its links are full,
- a link is full at the lowest level L, if any, that is (capacity - what its flows below L take) / (weights of others).

Only full links hold flows back, and a link can be full only while the demands of its flows exceed its capacity: then it
is tight. So a flow on no tight link has its demand and takes nothing from the flows that it meets: it comes and goes
without a look at them, in a time that depends on the number of its links alone.

Weights, demands and levels are whole numbers of steps of 2**-64, and what a flow takes of steps of 2**-128. So no sum
depends on the order of its terms; and as each level follows from lower ones, the equations have one solution: the rates
are a function of the flows that are there, to the last bit, however they came and went.
"""

from collections.abc import Sequence
from heapq import heappop, heappush

_BITS = 64
_ONE = 2.0**_BITS  # 1 in steps
_NEVER = 1 << 1024  # above every level
_LEAST, _HEAVIEST, _MOST = 1e-9, 1e9, 1e200  # so that steps are fine enough, and floats hold them


class _Flow:
    """A flow. It has a level while it is on a tight link."""

    __slots__ = ("demand", "level", "links", "pull", "sated", "steps", "taken", "taken_above", "tight", "weight")

    def __init__(self, links: tuple[int, ...], weight: float, demand: float, steps: int) -> None:
        self.links = links
        self.weight = weight
        self.demand = demand
        self.steps = steps  # of the demand
        self.tight: list[int] = []  # those of the links that are

    def tighten(self, link: int) -> None:
        """Count a link of the flow as tight from now on."""
        if not self.tight:
            self.pull = int(self.weight * _ONE)
            self.sated = (self.steps << _BITS) // self.pull
            self.move(self.sated)
        self.tight.append(link)

    def move(self, level: int) -> None:
        self.level = level
        self.taken = self.pull * level
        self.taken_above = self.taken + self.pull  # one step of level higher

    def rate(self) -> float:
        """[bytes/s]; a demand that is met is given as it is, though the level that meets it is rounded down."""
        if not self.tight or self.level == self.sated:
            return self.demand
        return self.taken / _ONE / _ONE


class Shares:
    """The max-min fair rates of the flows that are there, over links whose capacities stay as they are."""

    __slots__ = ("_capacity", "_every_link", "_flows", "_full", "_on", "_room")

    def __init__(self, capacities: Sequence[float]) -> None:
        """No flows yet. capacities (n_links,) [bytes/s]: from 0 to 1e200, else ValueError."""
        for capacity in capacities:
            if not 0 <= capacity <= _MOST:
                raise ValueError(f"found a capacity of {capacity}; allowed: from 0 to {_MOST}")
        self._room = [int(capacity * _ONE) for capacity in capacities]  # less all demands: below 0 on a tight link
        self._capacity = [steps << _BITS for steps in self._room]
        self._full = [_NEVER] * len(self._room)  # the level at which each link is full
        self._on: list[dict[int, _Flow]] = [{} for _ in self._room]
        self._every_link = frozenset(range(len(self._room)))
        self._flows: dict[int, _Flow] = {}

    def rate(self, flow: int) -> float:
        """The rate of a flow [bytes/s]; ValueError if it is not there."""
        return self._present(flow).rate()

    def add(self, flow: int, links: tuple[int, ...], weight: float, demand: float) -> dict[int, float]:
        """Let a flow come: the rates [bytes/s] of it and of those whose rate changed, by rising flow.

        links: each carries the whole rate. weight [1]: its part of a full link is in proportion. demand [bytes/s]: the
        most that it takes. A rate below the demand is up to weight * 2**-64 bytes/s low, as levels are.
        Raises ValueError for a flow that is there, a link that is not or stands twice, a weight that is not from 1e-9
        to 1e9 and a demand that is not from 1e-9 to 1e200.
        """
        self._check(flow, links, weight, demand)
        steps = int(demand * _ONE)
        new = self._flows[flow] = _Flow(links, weight, demand, steps)
        on, room = self._on, self._room
        tight = []
        for link in links:
            on[link][flow] = new
            left = room[link] = room[link] - steps
            if left < 0:
                tight.append(link)
        if not tight:
            return {flow: demand}
        for link in tight:
            for one in (new,) if room[link] + steps < 0 else on[link].values():  # it was tight before, or was not
                one.tighten(link)
        return self._settle({link: self._full_from(link, 0) for link in tight}, {flow: -1.0})

    def remove(self, flow: int) -> dict[int, float]:
        """Let a flow go: the rates [bytes/s] of those whose rate changed, by rising flow.

        Only a full link holds flows back: room on others is of no use. Raises ValueError for a flow that is not there.
        """
        gone = self._present(flow)
        del self._flows[flow]
        on, room, steps, tight = self._on, self._room, gone.steps, gone.tight
        for link in gone.links:
            del on[link][flow]
            room[link] += steps
        if not tight:
            return {}
        changed = self._settle({link: self._full[link] for link in tight}, {})
        for link in tight:
            if room[link] >= 0:
                for one in on[link].values():
                    one.tight.remove(link)
        return changed

    def _settle(self, looks: dict[int, int], before: dict[int, float]) -> dict[int, float]:
        """Solve the equations after a change: the rates that are not as before, which are noted as flows move.

        looks: links to look at, and for each a level below which it is not full. We look at them by rising level.
        What stands below the level of a look is final; what stands above is what comes if all links not yet looked at
        stay full where they are. A flow that is stopped sooner leaves room: of use to links that are full, and no
        sooner than where they are. A flow that is let go may fill any of its links. No other link can change.
        """
        due: dict[int, int] = {}
        heap: list[tuple[int, int]] = []
        while True:
            for link, level in looks.items():
                if level < due.get(link, _NEVER):
                    due[link] = level
                    heappush(heap, (level, link))
            if not heap:
                return {flow: rate for flow in sorted(before) if (rate := self._flows[flow].rate()) != before[flow]}
            level, link = heappop(heap)
            looks = {}
            if due.get(link) == level:  # no sooner look took the place of this one
                del due[link]
                is_full = self._filling(link, level) == level
                looks = self._stop(link, level, before) if is_full else self._let_go(link, level, before)

    def _stop(self, link: int, level: int, before: dict[int, float]) -> dict[int, int]:
        """Stop the flows of a link that is full at this level; the looks that this calls for."""
        full, eased = self._full, set()
        full[link] = level
        for flow, held in self._on[link].items():
            if held.level > level:
                before.setdefault(flow, held.rate())
                held.move(level)
                eased.update(held.tight)
        return {other: full[other] for other in eased if other != link}

    def _let_go(self, link: int, level: int, before: dict[int, float]) -> dict[int, int]:
        """Let those go that a link stopped at this level, as it is not full there; the looks that this calls for."""
        full, pressed = self._full, {link}
        if full[link] == level:
            full[link] = _NEVER
            for flow, held in self._on[link].items():
                if held.level == level:
                    before.setdefault(flow, held.rate())
                    held.move(min([held.sated, *[full[other] for other in held.tight]]))
                    pressed.update(held.tight)
        return {other: min(self._full_from(other, level), full[other]) for other in pressed}

    def _full_from(self, link: int, level: int) -> int:
        """The lowest level from this one on at which a link is full, as the levels of its flows stand; or _NEVER."""
        if self._full[link] == _NEVER:  # it may well stay so: it does if it could carry a step more of every flow
            above = sum([flow.taken_above for flow in self._on[link].values()])
            if above <= self._capacity[link]:
                return _NEVER
        filling = self._filling(link, level)
        while level < filling < _NEVER:
            level, filling = filling, self._filling(link, filling)
        return filling

    def _filling(self, link: int, level: int) -> int:
        """The level that fills a link if its flows below this level stay there and the others rise to it, or _NEVER.

        If the link is full at none below this one, it is this one or higher: a flow that stays leaves more to others.
        """
        if self._room[link] >= 0:
            return _NEVER
        left, pull = self._capacity[link], 0
        for flow in self._on[link].values():
            if flow.level < level:
                left -= flow.taken
            else:
                pull += flow.pull
        return left // pull if pull else _NEVER

    def _present(self, flow: int) -> _Flow:
        if flow not in self._flows:
            raise ValueError(f"found flow {flow}, which is not there; allowed: one that was added and not removed")
        return self._flows[flow]

    def _check(self, flow: int, links: tuple[int, ...], weight: float, demand: float) -> None:
        if flow in self._flows:
            raise ValueError(f"found flow {flow}, which is there already; allowed: one that is not")
        if len(set(links)) != len(links) or not self._every_link.issuperset(links):
            raise ValueError(f"found links {links}; allowed: different ones from 0 to {len(self._room) - 1}")
        if not (_LEAST <= weight <= _HEAVIEST and _LEAST <= demand <= _MOST):
            allowed = f"a weight from {_LEAST} to {_HEAVIEST}, a demand from {_LEAST} to {_MOST}"
            raise ValueError(f"found a weight of {weight} and a demand of {demand}; allowed: {allowed}")
