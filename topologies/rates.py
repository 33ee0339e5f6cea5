"""How fast a gang works and whether its work fits: training on one accelerator, without the network.

Interconnect effects are not in these rates; a measured row carries those of its own placement.
"""

from collections.abc import Iterable
from typing import NamedTuple

from scenarios.hardware import AcceleratorEntry, MeasuredRate, ModelEntry, Precision, TaskFacts


def training_flop_per_token(model: ModelEntry, sequence: int) -> float:
    """Model FLOP of one trained token [FLOP]: 6 N_active + 6 L A s, with causal attention.

    N_active active parameters, L layers, A heads times head width, s sequence length.
    Source: Chowdhery et al., PaLM, arXiv 2204.02311, appendix B, halved for the causal mask.
    """
    return 6 * model.active_parameters + 6 * model.layers * model.attention_width * sequence


def roofline_tokens_per_s(
    model: ModelEntry, chip: AcceleratorEntry, precision: Precision, sequence: int, tasks: TaskFacts
) -> float | None:
    """Training rate of one chip by its peak and its usual utilization [tokens/s]; None where either is unknown."""
    peak = chip.dense_fp8 if precision == "fp8" else chip.dense_bf16
    mfu = chip.mfu_fp8 if precision == "fp8" else chip.mfu_bf16
    if peak is None or mfu is None:
        return None
    share = tasks.relative_mfu_of_experts if model.experts else 1.0
    return peak * mfu * share / training_flop_per_token(model, sequence)


def measured_rate(
    rates: Iterable[MeasuredRate], task: str, model: str, accelerator: str, precision: Precision, sequence: int
) -> MeasuredRate | None:
    """The measured row of just this work; None where nobody measured it."""
    wanted = (task, model, accelerator, precision, sequence)
    for rate in rates:
        if (rate.task, rate.model, rate.accelerator, rate.precision, rate.sequence) == wanted:
            return rate
    return None


def training_bytes(model: ModelEntry, sequence: int, tasks: TaskFacts) -> float:
    """HBM that a gang needs at least to train a model [bytes].

    Weights, gradients and Adam's state of every parameter (all of them, with experts), and the activations of one
    sequence with full recomputation, 2 bytes s h L. Source: Rajbhandari et al., ZeRO, arXiv 1910.02054;
    Korthikanti et al., arXiv 2205.05198, table 2.
    """
    return tasks.bytes_per_parameter * model.parameters + 2.0 * sequence * model.width * model.layers


def smallest_training_gang(model: ModelEntry, chip: AcceleratorEntry, sequence: int, tasks: TaskFacts) -> int | None:
    """The fewest chips whose HBM holds the training of a model; None where the HBM is unknown."""
    if chip.hbm is None:
        return None
    return -int(-training_bytes(model, sequence, tasks) // (tasks.usable_hbm * chip.hbm))


class Trains(NamedTuple):
    """What is trained: the task, the model, sequences of so many tokens, and the precision where it is demanded."""

    task: str
    name: str
    model: ModelEntry
    sequence: int
    precision: Precision | None = None


class Rated(NamedTuple):
    """How fast one chip trains [tokens/s], by which measured row (None for a roofline), and the fewest chips."""

    tokens_per_s: float
    row: MeasuredRate | None
    what: Trains
    least: int


def rated(
    what: Trains, accelerator: str, chip: AcceleratorEntry, rates: Iterable[MeasuredRate], tasks: TaskFacts
) -> Rated | None:
    """How fast one chip trains, measured or else by its roofline; None where that cannot be said."""
    usual_precision = what.precision or chip.training_precision
    least = smallest_training_gang(what.model, chip, what.sequence, tasks)
    if usual_precision is None or least is None:
        return None
    # a measured rate in the accelerator's other precision is worth more than a roofline in its usual one
    tried: tuple[Precision, ...] = (what.precision,) if what.precision else (usual_precision, "bf16", "fp8")
    for precision in tried:
        row = measured_rate(rates, what.task, what.name, accelerator, precision, what.sequence)
        if row is not None:
            return Rated(row.tokens_per_s_per_chip, row, what, least)
    rate = roofline_tokens_per_s(what.model, chip, usual_precision, what.sequence, tasks)
    return None if rate is None else Rated(rate, None, what, least)
