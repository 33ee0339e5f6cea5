"""The catalog's entries as a scenario may write them: accelerators, racks, models, measured rates, task facts.

The shipped tables become the same entries, so that a resolved scenario can write out each constant it used.
"""

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from scenarios.network import Parallelism
from scenarios.units import format_quantity
from scenarios.values import (
    Bandwidth,
    Bytes,
    Count,
    Duration,
    FlopRate,
    Fraction,
    Keys,
    Name,
    Positive,
    PositivePower,
    Power,
    RentalPrice,
    house,
)

Precision = Literal["bf16", "fp8"]
TokenTask = Literal["training", "fine-tuning"]
Band = Literal["low", "base", "high"]
PeakToMean = Annotated[float, Field(ge=1, le=3)]
Share = Annotated[float, Field(ge=0, le=1)]

MOST_OF_A_TORUS = 1024  # boxes in larger ones take too long to look for
USUAL_MINIMUM_CAP = 0.3
"""ESTIMATE: the lowest cap over TDP of a chip whose entry gives none (A100 0.25 and H100 0.29, by nvidia-smi)."""


class Entry(Keys):
    """Where an entry's figures come from; estimates names the fields that are no published figure."""

    source: str = Field(description="where the figures come from, or ESTIMATE")
    confidence: Literal["high", "medium", "low", "estimate"]
    estimates: list[str] = []


class AcceleratorEntry(Entry):
    """One chip. What is left out makes the work that needs it impossible here (no rate, no memory check)."""

    stack: Name = Field(description="the software it runs, such as cuda or neuron")
    tdp: PositivePower
    idle: Power
    minimum_cap: Power | None = Field(default=None, description="the lowest cap that the chip can be set to")
    hbm: Bytes | None = None
    dense_bf16: FlopRate | None = None
    dense_fp8: FlopRate | None = None
    training_precision: Precision | None = None
    mfu_bf16: Fraction | None = Field(default=None, description="model FLOP utilization of dense training")
    mfu_fp8: Fraction | None = None
    rental: RentalPrice | None = Field(default=None, description="what an hour of a chip costs to rent")

    @model_validator(mode="after")
    def _idle_below_tdp(self) -> "AcceleratorEntry":
        if self.idle > self.tdp:
            raise house("found an idle draw above tdp; allowed: at most tdp")
        return self

    @model_validator(mode="after")
    def _minimum_cap_from_idle_to_tdp(self) -> "AcceleratorEntry":
        if self.minimum_cap is not None and not self.idle <= self.minimum_cap <= self.tdp:
            found, idle, tdp = (format_quantity(watts, "W") for watts in (self.minimum_cap, self.idle, self.tdp))
            raise house(f"found a minimum_cap of {found}; allowed: from idle ({idle}) to tdp ({tdp})")
        return self

    @property
    def lowest_cap_w(self) -> float:
        """The lowest cap that the chip can be set to [W]: minimum_cap, else 0.3 of tdp (ESTIMATE), at least idle."""
        return max(self.idle, USUAL_MINIMUM_CAP * self.tdp) if self.minimum_cap is None else self.minimum_cap


Efficiency = Annotated[float, Field(ge=0.01, le=1)]


class Stage(Keys):
    """A conversion stage of `units` parallel converters: P_in = units * (P_out / units + fixed) / efficiency."""

    units: Count = 1
    fixed: Power = 0.0
    efficiency: Efficiency = 1.0


class Chassis(Keys):
    """Nodes that share switches and a conversion stage."""

    nodes: Count
    switches: Power = 0.0
    stage: Stage = Stage()


class RackEntry(Entry):
    """A rack (or a server that is counted alone): its chips, its scale-up domains and its power.

    Nodes of node_chips draw `host` always and `host_per_chip` more for each busy chip; `fixed` is the rack's own
    switches and fans. rating is what the rack may draw at its input, times derating.
    """

    accelerator: Name
    chips: Count
    domain_chips: Count
    node_chips: Count
    host: Power = 0.0
    host_per_chip: Power = 0.0
    node_stage: Stage = Stage()
    chassis: Chassis | None = None
    fixed: Power = 0.0
    rack_stage: Stage = Stage()
    rating: PositivePower | None = None
    derating: Fraction = 1.0

    @model_validator(mode="after")
    def _whole_parts(self) -> "RackEntry":
        if self.chips % self.domain_chips:
            raise house(f"found {self.chips} chips in domains of {self.domain_chips}; allowed: whole domains")
        if self.chips % self.node_chips:
            raise house(f"found {self.chips} chips in nodes of {self.node_chips}; allowed: whole nodes")
        if self.chassis is not None and self.chips // self.node_chips % self.chassis.nodes:
            raise house(f"found {self.chips // self.node_chips} nodes in chassis of {self.chassis.nodes}")
        return self


class ModelEntry(Entry):
    """A transformer: what its training costs and holds. attention_width is heads times head width."""

    parameters: Positive
    active_parameters: Positive
    layers: Count
    width: Count
    attention_width: Count
    sequence: Count
    experts: Annotated[int, Field(ge=0)] = 0
    experts_per_token: Annotated[int, Field(ge=0)] = 0
    kv_heads: Count | None = Field(default=None, description="default: as many keys and values as attention_width")
    head_width: Count | None = None
    batch: Count = Field(default=256, description="sequences of a training step; ESTIMATE where none is given")

    @property
    def kv_width(self) -> int:
        """Width of the keys, and of the values, of a layer."""
        if self.kv_heads is None or self.head_width is None:
            return self.attention_width
        return self.kv_heads * self.head_width

    @model_validator(mode="after")
    def _active_within_all(self) -> "ModelEntry":
        if self.active_parameters > self.parameters:
            raise house("found more active_parameters than parameters")
        return self


class MeasuredRate(Keys):
    """A measured row: tokens/s/chip of a task with a model on an accelerator, and how the model was split there."""

    task: TokenTask
    model: Name
    accelerator: Name
    precision: Precision
    sequence: Count
    chips: Count
    tokens_per_s_per_chip: Positive
    batch: Count | None = Field(default=None, description="sequences of a step; default: as the class's")
    parallelism: Parallelism | None = None
    source: str
    confidence: Literal["high", "medium", "low", "estimate"]


class TaskFacts(Keys):
    """Constants of the kinds of work, and how long a rack takes to come up.

    A cap exponent is the k of topologies/cap_law.py; peak_to_mean is the planning peak of a busy chip's draw over
    its mean. The overlaps are those of topologies/step_time.py; chunk_layers are the layers of a chunk of a pipeline.
    """

    training_demand: Fraction
    fine_tuning_demand: Fraction
    synthetic_demand: Fraction
    trace_demand: Fraction
    training_cap_exponent: Fraction
    fine_tuning_cap_exponent: Fraction
    synthetic_cap_exponent: Fraction
    trace_cap_exponent: Fraction
    training_peak_to_mean: PeakToMean
    fine_tuning_peak_to_mean: PeakToMean
    synthetic_peak_to_mean: PeakToMean
    trace_peak_to_mean: PeakToMean
    rack_boot: Duration
    relative_mfu_of_experts: Fraction
    bytes_per_parameter: Positive
    usable_hbm: Fraction
    fine_tuning_sequence: Count
    fine_tuning_batch: Count
    background_overlap: Share
    blocking_overlap: Share
    chunk_layers: Positive


class ScaleUpEntry(Keys):
    """Constants of the links inside a domain; what they mean stands in topologies/collectives.py.

    Efficiencies without a number are those of 8 chips and more; those of 2 and 4 default to the next larger ones, those
    of an all-to-all to a ring's. Without short_step all buffers go as long ones.
    """

    base: Duration
    ring_step: Duration
    tree_step: Duration
    ring_efficiency: Positive
    switch: Duration = 0.0
    switch_efficiency: Annotated[float, Field(ge=0, le=2)] = 0.0
    switch_from: Annotated[int, Field(ge=2, le=10**6)] = 2
    ring_efficiency_2: Positive | None = None
    ring_efficiency_4: Positive | None = None
    all_to_all_efficiency: Positive | None = None
    all_to_all_efficiency_2: Positive | None = None
    all_to_all_efficiency_4: Positive | None = None
    short_base: Duration = 0.0
    short_step: Duration = 0.0


class ScaleOutEntry(Keys):
    """Constants of the network across domains, as in topologies/collectives.py."""

    base: Duration
    ring_step: Duration
    tree_step: Duration
    post: Duration
    ring_efficiency: Positive
    hierarchical_efficiency: Positive


class InterconnectEntry(Entry):
    """What joins the chips of a rack's domains, and their NICs. Bandwidths are those of one direction.

    bandwidth: of a chip into its switches. sides and links of a torus: chips, and bandwidth of a link, by dimension.
    rails: NICs of a node. nics: of a domain.
    """

    bandwidth: Bandwidth | None = Field(default=None, description="of a chip behind switches")
    sides: Annotated[list[Annotated[int, Field(ge=3, le=64)]], Field(min_length=1, max_length=3)] | None = Field(
        default=None, description="of a torus"
    )
    links: list[Bandwidth] | None = Field(default=None, description="of a torus, by dimension")
    nics: Annotated[int, Field(ge=1, le=4096)]
    nic_bandwidth: Bandwidth
    rails: Count = 1
    scale_up: ScaleUpEntry
    scale_out: ScaleOutEntry

    @model_validator(mode="after")
    def _switched_or_torus(self) -> "InterconnectEntry":
        if (self.bandwidth is None) == (self.sides is None):
            raise house("allowed: exactly one of bandwidth (behind switches) and sides (of a torus)")
        if len(self.sides or ()) != len(self.links or ()):
            raise house("allowed: as many links as sides")
        if math.prod(self.sides or ()) > MOST_OF_A_TORUS:
            raise house(f"found a torus of {math.prod(self.sides or ()):,} chips; allowed: up to {MOST_OF_A_TORUS:,}")
        if self.nics % self.rails:
            raise house(f"found {self.rails} rails for {self.nics} NICs; allowed: a divisor of the NICs")
        return self


class Catalog(Keys):
    """A scenario's own hardware and models; an entry here wins over the shipped one of its name."""

    accelerators: dict[Name, AcceleratorEntry] = {}
    racks: dict[Name, RackEntry] = {}
    interconnects: dict[Name, InterconnectEntry] = Field(default={}, description="by rack; used with a network")
    models: dict[Name, ModelEntry] = {}
    rates: list[MeasuredRate] | None = Field(default=None, description="replaces the shipped measured rows")
    tasks: TaskFacts | None = None
