"""Training rates and memory: formulas by hand, measured rows before rooflines, and the catalog's own derivations."""

import csv
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies import catalog
from topologies.rates import (
    measured_rate,
    roofline_tokens_per_s,
    smallest_training_gang,
    training_bytes,
    training_flop_per_token,
)

TASKS = catalog.tasks()
CHIPS = sorted(catalog.table("accelerators"))
MODELS = sorted(catalog.table("models"))
ROW = ("training", "llama3-70b", "h100-sxm", "fp8", 8192)
DERIVED = [
    (chip, metric)
    for chip, facts in catalog.table("accelerators").items()
    for metric, fact in facts.items()
    if metric.startswith("mfu_") and fact.source.startswith("derived")
]


def rows():
    with (catalog.FOLDER / "training.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def peak_of(chip, precision):
    return chip.dense_fp8 if precision == "fp8" else chip.dense_bf16


# work per token


def test_training_llama3_70b_costs_6_n_and_6_l_a_s_flop_a_token():
    by_hand = 6 * 70.55e9 + 6 * 80 * (64 * 128) * 8192
    assert training_flop_per_token(catalog.model("llama3-70b"), 8192) == pytest.approx(by_hand, rel=1e-12)
    assert by_hand == pytest.approx(455.5e9, rel=1e-3)


def test_a_model_with_experts_costs_its_active_parameters_only():
    by_hand = 6 * 5.13e9 + 6 * 36 * (64 * 64) * 4096
    assert training_flop_per_token(catalog.model("gpt-oss-120b"), 4096) == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_attention_grows_with_the_sequence_and_the_rest_does_not(name):
    model = catalog.model(name)
    at = [training_flop_per_token(model, sequence) for sequence in (1000, 2000, 3000)]
    assert at[2] - at[1] == pytest.approx(at[1] - at[0])
    assert 2 * at[0] - at[1] == pytest.approx(6 * model.active_parameters)


@pytest.mark.parametrize("name", [name for name in MODELS if name != "deepseek-v3"])
def test_the_attention_width_is_heads_times_head_width(name):
    facts = catalog.table("models")[name]
    assert catalog.model(name).attention_width == int(facts["heads"].value) * int(facts["head_width"].value)


# rooflines


def test_a_roofline_is_peak_times_mfu_over_the_work_of_a_token():
    rate = roofline_tokens_per_s(catalog.model("llama3-70b"), catalog.accelerator("h100-sxm"), "bf16", 8192, TASKS)
    assert rate == pytest.approx(989e12 * 0.40 / (6 * 70.55e9 + 6 * 80 * 8192 * 8192))


@pytest.mark.parametrize("gone", ["dense_fp8", "mfu_fp8"])
def test_there_is_no_roofline_where_peak_or_mfu_is_unknown(gone):
    chip = catalog.accelerator("h100-sxm").model_copy(update={gone: None})
    model = catalog.model("llama3-70b")
    assert roofline_tokens_per_s(model, chip, "fp8", 8192, TASKS) is None
    assert roofline_tokens_per_s(model, chip, "bf16", 8192, TASKS) is not None


def test_a_chip_without_fp8_has_no_fp8_roofline():
    assert (
        roofline_tokens_per_s(catalog.model("llama3-8b"), catalog.accelerator("a100-sxm"), "fp8", 8192, TASKS) is None
    )


def test_experts_lower_the_roofline_by_their_share_of_mfu():
    model, chip = catalog.model("gpt-oss-120b"), catalog.accelerator("h100-sxm")
    dense = model.model_copy(update={"experts": 0})
    with_experts = roofline_tokens_per_s(model, chip, "bf16", 4096, TASKS)
    assert with_experts == pytest.approx(
        TASKS.relative_mfu_of_experts * roofline_tokens_per_s(dense, chip, "bf16", 4096, TASKS)
    )


@pytest.mark.parametrize("name", CHIPS)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("precision", ["bf16", "fp8"])
def test_no_roofline_is_above_the_peak(name, model, precision):
    chip, entry = catalog.accelerator(name), catalog.model(model)
    rate = roofline_tokens_per_s(entry, chip, precision, entry.sequence, TASKS)
    if rate is not None:
        assert 0 < rate * training_flop_per_token(entry, entry.sequence) <= peak_of(chip, precision)


# measured rows


def test_a_measured_row_is_found_by_its_five_keys():
    assert measured_rate(catalog.rates(), *ROW).tokens_per_s_per_chip == 1664


@pytest.mark.parametrize(
    ("at", "other"), [(0, "fine-tuning"), (1, "llama3-71b"), (2, "h200-sxm"), (3, "bf16"), (4, 4096)]
)
def test_a_row_that_differs_in_one_key_is_not_meant(at, other):
    only = [rate for rate in catalog.rates() if measured_rate([rate], *ROW) is not None]
    assert len(only) == 1
    wanted = list(ROW)
    wanted[at] = other
    assert measured_rate(only, *wanted) is None


def test_no_two_measured_rows_are_of_the_same_work():
    keys = [(rate.task, rate.model, rate.accelerator, rate.precision, rate.sequence) for rate in catalog.rates()]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("rate", catalog.rates(), ids=lambda rate: f"{rate.task}-{rate.model}-{rate.accelerator}")
def test_no_measured_rate_is_above_the_peak(rate):
    model, chip = catalog.model(rate.model), catalog.accelerator(rate.accelerator)
    flop_per_s = rate.tokens_per_s_per_chip * training_flop_per_token(model, rate.sequence)
    assert flop_per_s <= peak_of(chip, rate.precision)


# where the catalog says "derived"


@pytest.mark.parametrize(("chip", "metric"), DERIVED)
def test_a_derived_mfu_follows_from_its_training_row_within_one_percent(chip, metric):
    entry, precision = catalog.accelerator(chip), metric.removeprefix("mfu_")
    fact = catalog.table("accelerators")[chip][metric]
    name = "llama3-405b" if "405B" in fact.source else "llama3-70b"
    (row,) = [
        row
        for row in rows()
        if (row["task"], row["model"], row["accelerator"], row["precision"]) == ("training", name, chip, precision)
    ]
    flop = training_flop_per_token(catalog.model(name), int(row["sequence"]))
    derived = float(row["tokens_per_s_per_chip"]) * flop / peak_of(entry, precision)
    assert float(fact.value) == pytest.approx(derived, rel=0.01)


def test_there_are_derived_figures_to_check():
    assert {chip for chip, _ in DERIVED} >= {"h100-sxm", "b200-sxm", "gb200", "gb300", "trainium1"}


@pytest.mark.parametrize("chip", ["h100-sxm", "b200-sxm", "gb200", "gb300"])
def test_the_share_of_experts_lies_in_its_band_for_every_measured_chip(chip):
    entry, model = catalog.accelerator(chip), catalog.model("gpt-oss-120b")
    fact = catalog.table("tasks")["mixture-of-experts"]["relative_mfu"]
    rate = measured_rate(catalog.rates(), "training", "gpt-oss-120b", chip, "bf16", 4096)
    share = rate.tokens_per_s_per_chip * training_flop_per_token(model, 4096) / entry.dense_bf16 / entry.mfu_bf16
    assert float(fact.low) <= share <= float(fact.high)


# memory


def test_llama3_70b_on_h100_needs_16_bytes_a_parameter_and_one_sequences_activations():
    total = 16 * 70.55e9 + 2 * 8192 * 8192 * 80
    assert training_bytes(catalog.model("llama3-70b"), 8192, TASKS) == pytest.approx(total)
    gang = smallest_training_gang(catalog.model("llama3-70b"), catalog.accelerator("h100-sxm"), 8192, TASKS)
    assert gang == math.ceil(total / (0.9 * 80e9)) == 16


def test_a_model_with_experts_must_hold_them_all():
    assert training_bytes(catalog.model("gpt-oss-120b"), 4096, TASKS) > 16 * 116e9


def test_a_chip_of_unknown_memory_has_no_least_gang():
    chip = catalog.accelerator("h100-sxm").model_copy(update={"hbm": None})
    assert smallest_training_gang(catalog.model("llama3-8b"), chip, 8192, TASKS) is None


@given(st.floats(1e6, 1e13), st.integers(1, 10**6), st.floats(1e9, 1e12), st.floats(0.1, 1))
@settings(derandomize=True, deadline=None)
def test_the_least_gang_holds_the_model_and_one_chip_less_does_not(parameters, sequence, hbm, usable):
    model = catalog.model("llama3-8b").model_copy(update={"parameters": parameters})
    chip = catalog.accelerator("h100-sxm").model_copy(update={"hbm": hbm})
    tasks = TASKS.model_copy(update={"usable_hbm": usable})
    gang = smallest_training_gang(model, chip, sequence, tasks)
    needed = training_bytes(model, sequence, tasks)
    assert gang >= 1
    assert gang * usable * hbm >= needed * (1 - 1e-12)
    assert (gang - 1) * usable * hbm < needed


@pytest.mark.parametrize("rate", catalog.rates(), ids=lambda rate: f"{rate.task}-{rate.model}-{rate.accelerator}")
def test_every_measured_gang_holds_its_model(rate):
    model, chip = catalog.model(rate.model), catalog.accelerator(rate.accelerator)
    assert rate.chips >= smallest_training_gang(model, chip, rate.sequence, TASKS)
