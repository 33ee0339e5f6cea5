"""The keys of the network: the fabric of a site, how a class splits a model over its chips, and what it exchanges."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from scenarios.units import shown
from scenarios.values import Bandwidth, Bytes, Count, Keys, PositiveDuration, house

Collective = Literal["all-reduce", "all-gather", "reduce-scatter", "all-to-all"]
Degree = Annotated[int, Field(ge=1, le=10**6)]
_MOST_RATIO = 100


def _oversubscription(raw: Any) -> float | list[float]:
    ratios = raw if isinstance(raw, list) else [raw]
    numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in ratios)
    if not numbers or not all(1 <= one <= _MOST_RATIO for one in ratios) or (isinstance(raw, list) and len(raw) != 2):
        allowed = f"a number from 1 to {_MOST_RATIO}, or for a fat-tree a list of two, such as [2, 4]"
        raise house(f"found {shown(raw)}; allowed: {allowed}")
    return [float(one) for one in raw] if isinstance(raw, list) else float(raw)


Oversubscription = Annotated[float | list[float], BeforeValidator(_oversubscription)]


class Network(Keys):
    """The scale-out fabric, alike for each pool: every pool has one of its own.

    Without this key every gang works at the rate of its class wherever it sits.
    """

    fabric: Literal["leaf-spine", "rail-optimised", "fat-tree"] = "leaf-spine"
    oversubscription: Oversubscription = Field(
        default=1.0, description="links down over links up of a leaf; in a fat-tree a list adds that of a spine"
    )
    link: Bandwidth | None = Field(default=None, description="of a NIC, one direction; default: that of each rack")
    rails: Count | None = Field(default=None, description="leaves that the NICs of a domain are dealt to")
    ports: Annotated[int, Field(ge=2, le=10**6)] = Field(default=64, description="of a switch")
    spine_ports: Annotated[int, Field(ge=2, le=10**6)] = Field(
        default=576, description="of a spine where there are two tiers; ESTIMATE: a large modular chassis"
    )
    contention: bool = Field(default=True, description="whether gangs share the links up from their leaves")

    @model_validator(mode="after")
    def _tiers(self) -> "Network":
        if isinstance(self.oversubscription, list) and self.fabric != "fat-tree":
            raise house("a list of oversubscriptions goes with fabric: fat-tree only")
        return self

    @property
    def tiers(self) -> tuple[float, float]:
        """The oversubscription of the leaves and of the spines [1]."""
        if isinstance(self.oversubscription, list):
            return self.oversubscription[0], self.oversubscription[1]
        return self.oversubscription, 1.0


class Parallelism(Keys):
    """How a model is split: a gang's chips over the product of these are its data-parallel replicas."""

    tensor: Degree = 1
    pipeline: Degree = 1
    context: Degree = 1
    expert: Degree = Field(default=1, description="chips that share out the experts of a layer")
    micro_batch: Degree = Field(default=1, description="sequences that a replica works on at a time")


class Communication(Keys):
    """What the chips of a gang exchange in each step, given directly.

    The run time (or the rate) of the class is that of a gang that is packed and alone; elsewhere a step takes longer.
    """

    collective: Collective = "all-reduce"
    size: Bytes = Field(description="buffer of each chip")
    compute: PositiveDuration = Field(description="computing of a step")
    overlap: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.0, description="share of the computing that can hide the exchange"
    )
