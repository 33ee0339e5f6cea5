"""The keys of tenants: their quotas by pool, and what they may borrow from and lend to a cohort."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from scenarios.values import Keys, Name

OTHERS = "others"  # the entry of all tenants that no entry names, together
Chips = Annotated[int, Field(ge=0, le=10**9)]
_ByPool = Annotated[dict[Name, Chips], Field(min_length=1)]
Limit = Annotated[
    Annotated[Chips, Tag("each pool")] | Annotated[_ByPool, Tag("by pool")],
    Discriminator(lambda raw: "by pool" if isinstance(raw, dict) else "each pool"),
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

    @model_validator(mode="after")
    def _cohort_to_share_with(self) -> "Tenant":
        for key in ("borrow", "lend"):
            if self.cohort is None and getattr(self, key) is not None:
                text = f"a tenant without a cohort cannot {key}: give it the key cohort"
                raise PydanticCustomError("at_key", text, {"key": key})
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


def alone_in_cohorts(tenants: Sequence[Tenant]) -> Iterator[str]:
    """What to warn of: cohorts that nobody shares."""
    cohorts: list[Any] = [entry.cohort for entry in tenants]
    for entry in tenants:
        if entry.cohort is not None and cohorts.count(entry.cohort) == 1:
            yield f"the tenant {entry.tenant} is alone in the cohort {entry.cohort}: it can borrow from nobody"
