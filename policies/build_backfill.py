"""The backfill that a scenario names, with its parameters."""

import math
from functools import partial
from typing import Any

from policies.backfill import Backfill
from policies.conservative import conservative
from policies.registry import BACKFILLS
from scenarios.policy import Conservative, ConservativeBackfill


def build_backfill(choice: object, names: dict[str, str]) -> tuple[Backfill, dict[str, Any]]:
    """The backfill, and how a scenario would write it. choice: its key. names: by axis; that of this one is set."""
    if isinstance(choice, ConservativeBackfill):
        names["backfill"] = "conservative"
    if names["backfill"] != "conservative":
        return BACKFILLS[names["backfill"]], {"backfill": names["backfill"]}
    ahead = choice.conservative if isinstance(choice, ConservativeBackfill) else Conservative()
    depth = math.inf if ahead.depth == "all" else ahead.depth
    return partial(conservative, depth=depth), {"backfill": {"conservative": ahead.model_dump()}}
