"""How fast a gang works and whether its work fits: training on one accelerator, without the network.

Interconnect effects are not in these rates; a measured row carries those of its own placement.
"""

from collections.abc import Iterable

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


def measured_tokens_per_s(
    rates: Iterable[MeasuredRate], task: str, model: str, accelerator: str, precision: Precision, sequence: int
) -> float | None:
    """The measured rate of one chip in just this work [tokens/s]; None where nobody measured it."""
    wanted = (task, model, accelerator, precision, sequence)
    for rate in rates:
        if (rate.task, rate.model, rate.accelerator, rate.precision, rate.sequence) == wanted:
            return rate.tokens_per_s_per_chip
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
