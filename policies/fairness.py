"""Orders that compare tenants: the one with the lowest share goes first, and its own jobs by submission.

A share changes with what the tenant holds and has used, never with how long its jobs wait. Tenants of equal shares go
by their first jobs, so that ties go to the earlier submission, then to the order of the source.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from policies.tenants import Account, Tenants

if TYPE_CHECKING:
    from policies.view import View

Share: TypeAlias = Callable[[Account, Tenants, "View"], float]


@dataclass(frozen=True, slots=True)
class ByTenant:
    """An order by a share of each tenant; half_life_s: how fast the usage of an account fades, infinite for never."""

    share: Share
    half_life_s: float = math.inf


def used(account: Account, tenants: Tenants, view: "View") -> float:
    """Lowest faded usage of the tenant first, chips times time (Slurm multifactor; Maui: Jackson et al., JSSPP 2001).

    [chip-s]. What starts in a pass adds to the usage only as time goes on: a tenant's jobs may start in a row.
    """
    return account.used_at(view.now_s, tenants.half_life_s)


def dominant_share(account: Account, tenants: Tenants, view: "View") -> float:
    """Lowest dominant share of the tenant first (DRF: Ghodsi et al., NSDI 2011).

    Resources are the chips of each pool that are there now, and what the feed admits now. The share is the largest of
    what the tenant holds over what there is [1]; each start counts at once (algorithm 1 there).
    """
    share = 0.0
    for held, all_held, free in zip(account.chips, tenants.chips, view.free, strict=True):
        if held:
            share = max(share, held / max(1, free.free + all_held))
    if account.draw_nw:  # without a cap what is left is beyond all bounds, and the share next to nothing
        share = max(share, account.draw_nw / max(1, view.headroom.feed_nw + tenants.draw_nw))
    return share


def fair_share(half_life_s: float) -> ByTenant:
    """The order by faded usage."""
    return ByTenant(used, half_life_s)


DRF = ByTenant(dominant_share)
