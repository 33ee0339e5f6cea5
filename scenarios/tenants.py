"""The keys of tenants: their quotas by pool, what they may borrow from and lend to a cohort, and take back from it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from scenarios.errors import nearest
from scenarios.stops import Stops
from scenarios.units import shown
from scenarios.values import Keys, Name, house

OTHERS = "others"  # the entry of all tenants that no entry names, together
Chips = Annotated[int, Field(ge=0, le=10**9)]
_ByPool = Annotated[dict[Name, Chips], Field(min_length=1)]
Limit = Annotated[
    Annotated[Chips, Tag("each pool")] | Annotated[_ByPool, Tag("by pool")],
    Discriminator(lambda raw: "by pool" if isinstance(raw, dict) else "each pool"),
]


class ReclaimAny(Keys):
    """Take lent quota back from whoever has borrowed it."""

    stops: Stops = Field(alias="any")


class ReclaimLower(Keys):
    """Take lent quota back from gangs of a lower priority than the job for which it is."""

    stops: Stops = Field(alias="lower-priority")


def _written(raw: Any) -> Any:
    words = [raw] if isinstance(raw, str) else list(raw) if isinstance(raw, dict) else []
    if raw != "never" and words not in (["any"], ["lower-priority"]) and not isinstance(raw, Keys):
        text = "allowed: never, lower-priority or any, the last two also as {any: {min_run: 10 min, grace: 30 s}}"
        raise house(f"found {shown(raw)}; {text}")
    return raw


def _tag(raw: Any) -> str:
    if isinstance(raw, str):
        return "word"
    return "any" if isinstance(raw, ReclaimAny) or (isinstance(raw, dict) and "any" in raw) else "lower-priority"


def _with_defaults(choice: str | ReclaimAny | ReclaimLower) -> str | ReclaimAny | ReclaimLower:
    """A word alone stands for the defaults of its parameters."""
    if choice == "any":
        return ReclaimAny(any=Stops())
    return ReclaimLower.model_validate({"lower-priority": Stops()}) if choice == "lower-priority" else choice


Reclaim = Annotated[
    Annotated[Literal["never", "lower-priority", "any"], Tag("word")]
    | Annotated[ReclaimAny, Tag("any")]
    | Annotated[ReclaimLower, Tag("lower-priority")],
    Discriminator(_tag),
    BeforeValidator(_written),
    AfterValidator(_with_defaults),
]


class Tenant(Keys):
    """What the gangs of a tenant may hold. Kueue's words: nominalQuota, borrowingLimit, lendingLimit."""

    tenant: str = Field(min_length=1, description="as classes and traces name it; others: all that no entry names")
    cohort: Name | None = Field(default=None, description="those who share what they leave unused; default: nobody")
    quota: dict[Name, Chips] = Field(description="nominal quota in chips by pool; 0 in pools that are not named")
    borrow: Limit | None = Field(
        default=None, description="chips beyond the quota, in each pool or by pool; default: what the cohort has"
    )
    lend: Limit | None = Field(
        default=None, description="most chips of the quota that others may use; default: all of it"
    )
    reclaim: Reclaim = Field(
        default="never", description="whose gangs stop when the tenant needs lent quota back (reclaimWithinCohort)"
    )

    @model_validator(mode="after")
    def _cohort_to_share_with(self) -> "Tenant":
        for key, nothing in (("borrow", None), ("lend", None), ("reclaim", "never")):
            if self.cohort is None and getattr(self, key) != nothing:
                text = f"a tenant without a cohort cannot {key}: give it the key cohort"
                raise PydanticCustomError("at_key", text, {"key": key})
        if self.reclaim != "never" and not any(self.quota.values()):
            text = "a tenant without a quota has lent nothing that it could reclaim: give it chips in some pool"
            raise PydanticCustomError("at_key", text, {"key": "reclaim"})
        return self

    def borrows(self, pool: str) -> int | None:
        """The most chips of a pool beyond its quota, None for no limit."""
        if self.cohort is None:
            return 0
        return self.borrow.get(pool) if isinstance(self.borrow, dict) else self.borrow

    def lends(self, pool: str) -> int:
        """The most chips of its quota in a pool that others may use."""
        nominal = self.quota.get(pool, 0)
        limit = self.lend.get(pool) if isinstance(self.lend, dict) else self.lend
        return nominal if limit is None else min(nominal, limit)


def entry_of(tenant: str, entries: Sequence[str]) -> int:
    """The position of the entry that holds for a tenant: its own, else that of all others; -1 where there is none."""
    return next((entries.index(name) for name in (tenant, OTHERS) if name in entries), -1)


def odd_tenants(tenants: Sequence[Tenant], named: Iterable[str], priorities: Sequence[int]) -> Iterator[str]:
    """What to warn of: cohorts that nobody shares, reclaim from lower priorities that no class has, and likely typos.

    named: the tenants of the jobs. One without an entry is not limited, which may be meant, or misspelt.
    """
    entries = [entry.tenant for entry in tenants]
    for name in sorted({name for name in named if name and entry_of(name, entries) < 0}):
        hint = nearest(name, entries)
        if hint:
            yield f"the tenant {name} has no entry in tenants and is not limited{hint}"
    cohorts: list[Any] = [entry.cohort for entry in tenants]
    for entry in tenants:
        if entry.cohort is not None and cohorts.count(entry.cohort) == 1:
            yield f"the tenant {entry.tenant} is alone in the cohort {entry.cohort}: it can borrow from nobody"
        elif isinstance(entry.reclaim, ReclaimLower) and len(set(priorities)) == 1:
            yield f"the tenant {entry.tenant} reclaims from lower priorities, but all classes have the same one"
