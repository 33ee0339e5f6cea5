"""What tenants hold and have used, for orders that compare them. A run keeps it only where its order asks for it.

Usage fades: half of it is forgotten every half-life. Nothing is updated as time passes, only when a tenant's gangs
start or end; what the usage is at another time follows from the chips held since.
"""

import math
from dataclasses import dataclass

_LN2 = math.log(2.0)


@dataclass(frozen=True, slots=True)
class Account:
    """A tenant: the chips it holds by pool, what they are admitted with [nW], and its usage up to mark_s [chip-s]."""

    chips: tuple[int, ...]
    draw_nw: int = 0
    used_chip_s: float = 0.0
    mark_s: float = 0.0

    def used_at(self, now_s: float, half_life_s: float) -> float:
        """Faded usage at a time that is not before mark_s [chip-s].

        Chips c held for a time t at half-life h add the integral of c 2^(-x/h) over 0..t, c h / ln 2 (1 - 2^(-t/h)).
        Source: Slurm's multifactor priority plugin, PriorityDecayHalfLife; here in closed form, not by periods.
        """
        chips, lasted_s = sum(self.chips), now_s - self.mark_s
        if half_life_s == math.inf:
            return self.used_chip_s + chips * lasted_s
        lost = -math.expm1(-_LN2 * lasted_s / half_life_s)
        return self.used_chip_s * (1.0 - lost) + chips * half_life_s / _LN2 * lost

    def holding(self, pool: int, chips: int, draw_nw: int, now_s: float, half_life_s: float) -> "Account":
        """The account with so many more (or fewer) chips of a pool and their draw from now on."""
        held = tuple([count + chips * (at == pool) for at, count in enumerate(self.chips)])
        return Account(held, self.draw_nw + draw_nw, self.used_at(now_s, half_life_s), now_s)


class Tenants:
    """The accounts by tenant, and what all of them hold."""

    __slots__ = ("_holders", "_none", "accounts", "chips", "draw_nw", "half_life_s")

    def __init__(self, pools: int, half_life_s: float = math.inf) -> None:
        self.half_life_s = half_life_s
        self.accounts: dict[int, Account] = {}
        self.chips = [0] * pools
        self.draw_nw = 0
        self._none = Account((0,) * pools)
        self._holders: dict[int, int] = {}  # of running gangs, by row

    def account(self, tenant: int) -> Account:
        """A tenant's account; an empty one where it has never held anything."""
        return self.accounts.get(tenant, self._none)

    def start(self, row: int, tenant: int, pool: int, chips: int, draw_nw: int, now_s: float) -> None:
        """A gang of a tenant starts."""
        self._holders[row] = tenant
        self._change(tenant, pool, chips, draw_nw, now_s)

    def end(self, row: int, pool: int, chips: int, draw_nw: int, now_s: float) -> None:
        """A gang ends or is stopped."""
        self._change(self._holders.pop(row), pool, -chips, -draw_nw, now_s)

    def _change(self, tenant: int, pool: int, chips: int, draw_nw: int, now_s: float) -> None:
        was = self.account(tenant)
        self.accounts[tenant] = was.holding(pool, chips, draw_nw, now_s, self.half_life_s)
        self.chips[pool] += chips
        self.draw_nw += draw_nw
