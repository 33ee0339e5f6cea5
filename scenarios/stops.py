"""The keys of preemption and scaling: how running gangs are stopped or resized for others."""

from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from scenarios.units import HOUR_S
from scenarios.values import Duration, Keys, LongDuration


class Stops(Keys):
    """How running gangs are stopped for others."""

    min_run: Duration = Field(default=600.0, description="a gang keeps its chips for so long; ESTIMATE")
    grace: Duration = Field(
        default=30.0,
        description="what a gang is told before it must go, time to write a checkpoint or not; that of Kubernetes",
    )


class Slices(Stops):
    """The same at the ends of time slices only."""

    slice: LongDuration = Field(default=HOUR_S, description="slices begin at multiples of it; ESTIMATE")


class PriorityPreemption(Keys):
    """Classes of higher priority take chips from those of lower priority."""

    priority: Stops


class OrderPreemption(Keys):
    """Who comes first in the order takes chips from who comes last."""

    order: Stops


class TimeSlicePreemption(Keys):
    """As order, at the ends of slices."""

    time_slice: Slices = Field(alias="time-slice")


_PREEMPTIONS: dict[str, type[Keys]] = {
    "priority": PriorityPreemption,
    "order": OrderPreemption,
    "time-slice": TimeSlicePreemption,
}


def _preemption(raw: Any) -> str | None:
    if isinstance(raw, str):
        return "name"
    if isinstance(raw, dict):
        return next(iter(raw)) if len(raw) == 1 and next(iter(raw)) in _PREEMPTIONS else None
    return next((name for name, kind in _PREEMPTIONS.items() if isinstance(raw, kind)), None)


PreemptionChoice = Annotated[
    Annotated[str, Tag("name")]
    | Annotated[PriorityPreemption, Tag("priority")]
    | Annotated[OrderPreemption, Tag("order")]
    | Annotated[TimeSlicePreemption, Tag("time-slice")],
    Discriminator(
        _preemption,
        custom_error_type="house",
        custom_error_message="allowed: a name that megawatt show policies lists, or one with parameters such as "
        "{priority: {min_run: 10 min, grace: 30 s}} or {time-slice: {slice: 1 hour}}",
    ),
]


class Elastic(Keys):
    """How often malleable gangs change their size."""

    min_run: Duration = Field(default=1800.0, description="a gang keeps its size for so long; ESTIMATE")


class ElasticScaling(Keys):
    """Malleable gangs grow while nobody waits and shrink for those who do."""

    elastic: Elastic


def _scaling(raw: Any) -> str | None:
    if isinstance(raw, str):
        return "name"
    named = isinstance(raw, ElasticScaling) or (isinstance(raw, dict) and list(raw) == ["elastic"])
    return "elastic" if named else None


ScalingChoice = Annotated[
    Annotated[str, Tag("name")] | Annotated[ElasticScaling, Tag("elastic")],
    Discriminator(
        _scaling,
        custom_error_type="house",
        custom_error_message="allowed: a name that megawatt show policies lists, or {elastic: {min_run: 30 min}}",
    ),
]
