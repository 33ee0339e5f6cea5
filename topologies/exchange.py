"""What the chips of a training job send each other in a step, and how long that takes. Pure functions.

A gang is split into tensor x context x data x pipeline chips, tensor innermost, pipeline outermost (the order of
Megatron-LM); experts are shared out over chips of a stage. Activations, gradients and weights travel as 2-byte numbers.
"""

from dataclasses import dataclass

from scenarios.hardware import ModelEntry, TaskFacts
from scenarios.network import Parallelism
from topologies.collectives import all_gather_s, all_to_all_s
from topologies.domains import Domain, Seat

_NUMBER_BYTES = 2
# in the forward pass, and backward; recomputed, the forward pass is done twice
_GATHERS_A_LAYER = (4, 4)  # an all-gather and a reduce-scatter around attention and around the MLP
_KV_GATHERS = (1, 2)  # keys and values
_ALL_TO_ALLS = (2, 2)  # dispatch and combine
_SHARDED_GATHERS = 3  # weights forward, weights backward, gradients
_STORED_BYTES = 34  # of each number of a layer's width
_RECOMPUTED_BYTES = 2
_RECOMPUTING = 4 / 3  # three passes become four
_RESIDENT_BYTES = 4  # weights and gradients of a parameter; the optimizer's state is always shared out


@dataclass(frozen=True, slots=True)
class Job:
    """What is trained: a model, sequences of so many tokens, so many in a step."""

    model: ModelEntry
    sequence: int
    batch: int
    facts: TaskFacts


@dataclass(frozen=True, slots=True)
class Split:
    """A way to train on a gang.

    sharded: weights and gradients are shared out too (ZeRO-3, FSDP). recomputed: activations are computed again in the
    backward pass, with a third more computing in all, and not stored.
    """

    degrees: Parallelism
    chips: int
    sharded: bool = False
    recomputed: bool = False

    @property
    def model_chips(self) -> int:
        """Chips of a data-parallel replica."""
        return self.degrees.tensor * self.degrees.context * self.degrees.pipeline

    @property
    def replicas(self) -> int:
        """Data-parallel replicas."""
        return self.chips // self.model_chips

    def times(self, passes: tuple[int, int]) -> int:
        """How often something is done that the forward and the backward pass do so many times."""
        forward, backward = passes
        return (2 if self.recomputed else 1) * forward + backward

    def chunks(self, job: Job) -> int:
        """Chunks of layers that each stage works on in turn."""
        layers = job.model.layers / self.degrees.pipeline
        return max(1, round(layers / job.facts.chunk_layers)) if self.degrees.pipeline > 1 else 1

    def crossing(self, seat: Seat, below: int) -> float:
        """The chips whose NICs are busy with what leaves a group of leaves, or a pod, that holds so many of the gang.

        Gradients go in rings of a stage each: a slice's NICs, or a tensor group's where that is wider, for each ring
        over the edge: none where stages end there, two where one stage ends within. Experts send to all of their group,
        whose chips follow each other. What stages send each other is little and left out.
        """
        stage = self.chips // self.degrees.pipeline
        rings = 0 if below % stage == 0 else 1 if stage % below == 0 or stage == self.chips else 2
        experts, away = self.degrees.expert, 0.0
        if below % experts:
            away = below * (1 - below / experts) if below < experts else experts / 2
        return max(rings * max(seat.least, self.degrees.tensor), away)

    def sequences(self, job: Job) -> int:
        """Sequences of a step in the busiest replica."""
        return -(-job.batch // self.replicas)

    def micro_batches(self, job: Job) -> int:
        """Micro-batches of a step in the busiest replica."""
        return -(-self.sequences(job) // self.degrees.micro_batch)


@dataclass(frozen=True, slots=True)
class Times:
    """What a step is made of, without the computing of a token.

    chip_tokens: tokens of the step over the chips that work on them, by the busiest replica, a third more where they
    are recomputed. micro_batches: of a step.
    bubble: idle share of a pipeline over its work. blocking_s: exchange that the next layer waits for. gather_s:
    gradients and weights. pipeline_s: activations from stage to stage. sharded as in Split.
    """

    chip_tokens: float
    micro_batches: int
    bubble: float
    blocking_s: float
    gather_s: float
    pipeline_s: float
    sharded: bool


def memory_bytes(job: Job, split: Split) -> float:
    """HBM of a chip that training takes [bytes]: weights, gradients, optimizer, activations.

    Activations are 34 s b h a layer where attention is not stored, 2 s b h where all is recomputed.
    Source: Rajbhandari et al., ZeRO, arXiv 1910.02054; Korthikanti et al., arXiv 2205.05198, table 2; Narayanan et al.,
    arXiv 2104.04473 (a stage holds the activations of as many micro-batches as there are stages).
    """
    model, degrees = job.model, split.degrees
    dense, experts = _parameters(model, degrees)
    each = job.facts.bytes_per_parameter
    over, expert_over = split.replicas * degrees.context, _expert_replicas(split)
    layers = model.layers / degrees.pipeline
    if split.sharded:
        held = each * (dense / over + experts / expert_over) + 2 * _NUMBER_BYTES * (dense + experts) / layers
    else:
        state = each - _RESIDENT_BYTES
        held = dense * (_RESIDENT_BYTES + state / over) + experts * (_RESIDENT_BYTES + state / expert_over)
    stored = min(degrees.pipeline, split.micro_batches(job)) * layers * degrees.micro_batch
    if degrees.pipeline > 1:
        stored *= 1 + (degrees.pipeline - 1) / (degrees.pipeline * split.chunks(job))
    numbers = model.width * job.sequence * stored / (degrees.tensor * degrees.context)
    return held + numbers * (_RECOMPUTED_BYTES if split.recomputed else _STORED_BYTES)


def times(job: Job, split: Split, domain: Domain, seat: Seat, share: float) -> Times:
    """The parts of a step on a gang's seat; share: of the NICs' bandwidth that is left to it [1].

    In each layer of a micro-batch of b sequences of s tokens, width h: tensor parallel with sequence parallel, 8
    all-gathers or reduce-scatters of 2 b s h / context bytes (4 where a layer has experts: their MLP is not split);
    context parallel, 3 all-gathers of keys and values; experts, 4 all-to-alls of the k copies of each token. In a
    step: a reduce-scatter of the gradients and an all-gather of the weights; sharded, 3 gathers a micro-batch. Between
    stages: activations, once each way for each chunk.
    Source: Korthikanti et al., arXiv 2205.05198; Narayanan et al., arXiv 2104.04473; Rajbhandari et al., arXiv
    1910.02054; Lepikhin et al., GShard, arXiv 2006.16668.
    """
    degrees, model = split.degrees, job.model
    micro_batches = split.micro_batches(job)
    layers = -(-model.layers // degrees.pipeline)  # of the busiest stage
    # of a mean micro-batch on the chips of a tensor group
    tokens = split.sequences(job) / micro_batches * job.sequence / degrees.context
    layer_s = 0.0
    if degrees.tensor > 1:
        gathers = split.times(_GATHERS_A_LAYER) / (2 if model.experts else 1)
        group = domain.group(degrees.tensor, 1, seat, share)
        layer_s += gathers * all_gather_s(_NUMBER_BYTES * tokens * model.width, group)
    if degrees.context > 1:
        keys_bytes = 2 * _NUMBER_BYTES * tokens * degrees.context * model.kv_width / degrees.tensor
        group = domain.group(degrees.context, degrees.tensor, seat, share)
        layer_s += split.times(_KV_GATHERS) * all_gather_s(keys_bytes, group)
    if degrees.expert > 1:
        copies = tokens / degrees.tensor * model.experts_per_token
        group = domain.group(degrees.expert, 1, seat, share)
        layer_s += split.times(_ALL_TO_ALLS) * all_to_all_s(_NUMBER_BYTES * copies * model.width, group)
    chunks = split.chunks(job)
    computed = micro_batches * tokens / degrees.tensor * layers / model.layers
    return Times(
        chip_tokens=computed * (_RECOMPUTING if split.recomputed else 1.0),
        micro_batches=micro_batches,
        bubble=_bubble(degrees.pipeline, chunks, micro_batches),
        blocking_s=micro_batches * layers * layer_s,
        gather_s=_gather_s(job, split, domain, seat, share) * (micro_batches if split.sharded else 1),
        pipeline_s=_pipeline_s(split, micro_batches * chunks, tokens * model.width, domain, seat, share),
        sharded=split.sharded,
    )


def _gather_s(job: Job, split: Split, domain: Domain, seat: Seat, share: float) -> float:
    """The gathers of weights and gradients of a step, or of a micro-batch where they are sharded [s]."""
    degrees = split.degrees
    dense, experts = _parameters(job.model, degrees)
    passes = _SHARDED_GATHERS if split.sharded else 2
    ranks = split.replicas * degrees.context
    total_s = passes * all_gather_s(_NUMBER_BYTES * dense, domain.ring(ranks, degrees.tensor, seat, share))
    if experts:
        group = domain.ring(_expert_replicas(split), degrees.expert, seat, share)
        total_s += passes * all_gather_s(_NUMBER_BYTES * experts, group)
    return total_s


def _pipeline_s(split: Split, sends: int, numbers: float, domain: Domain, seat: Seat, share: float) -> float:
    """Sending activations on and their gradients back, one after the other on each chip [s]."""
    degrees = split.degrees
    if degrees.pipeline == 1:
        return 0.0
    size_bytes = _NUMBER_BYTES * numbers / degrees.tensor
    if seat.domains > 1:  # stages that lie in two domains set the pace
        rate = domain.out.ring_efficiency * share * domain.nic_bytes_per_s
        return 2 * sends * (domain.out.ring_step_s + size_bytes / rate)
    rate = domain.up.ring(2) * domain.slice(2, seat.sides).ring_bytes_per_s
    return 2 * sends * (domain.up.ring_step_s + size_bytes / rate)


def _bubble(stages: int, chunks: int, micro_batches: int) -> float:
    """Idle share of an interleaved pipeline of p stages, v chunks each, over its work in m micro-batches [1].

    (p - 1) / (v m), and (v p + m - 1 - v m) / (v m) where m < p: each chunk then waits for the one before it.
    Source: Narayanan et al., arXiv 2104.04473, section 2.2, for m >= p.
    """
    if micro_batches >= stages:
        return (stages - 1) / (chunks * micro_batches)
    return (chunks * stages + micro_batches - 1 - chunks * micro_batches) / (chunks * micro_batches)


def _parameters(model: ModelEntry, degrees: Parallelism) -> tuple[float, float]:
    """Parameters on a chip: those that all tokens use, and those of experts.

    Of E experts each token uses k, so active = dense + experts k/E.
    """
    inactive = model.parameters - model.active_parameters
    idle_share = 1 - model.experts_per_token / model.experts if model.experts else 0.0
    experts = min(model.parameters, inactive / idle_share) if idle_share > 0 else 0.0
    dense = (model.parameters - experts) / (degrees.tensor * degrees.pipeline)
    return dense, experts / (degrees.expert * degrees.pipeline)


def _expert_replicas(split: Split) -> int:
    """Copies of each expert: the chips of a stage over those that share the experts out."""
    return max(1, split.chips // split.degrees.pipeline // split.degrees.expert)
