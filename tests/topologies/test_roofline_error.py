"""The training roofline against measured rows that it did not use (docs/model.md states this distribution)."""

import csv
from pathlib import Path

import numpy as np
import pytest

from topologies import catalog
from topologies.rates import roofline_tokens_per_s

MODELS = {
    "LLAMA3_8B": "llama3-8b",
    "LLAMA3_70B": "llama3-70b",
    "LLAMA3.1_405B": "llama3-405b",
    "GPT OSS 120B": "gpt-oss-120b",
    "DeepSeekV3": "deepseek-v3",
    "Qwen3_235B_a22B": "qwen3-235b",
}
SYSTEMS = {"DGX-H100": "h100-sxm", "DGX-B200": "b200-sxm", "DGX-GB200": "gb200", "DGX-GB300": "gb300"}
PRECISIONS = {"FP8": "fp8", "MXFP8": "fp8", "FP8-CS": "fp8", "FP8-MX": "fp8", "BF16": "bf16"}


def measured(data: Path) -> list[tuple[bool, str, float]]:
    """(has experts, accelerator, roofline over measured) of every row that the catalog did not use."""
    used = {(rate.model, rate.accelerator, rate.precision, rate.tokens_per_s_per_chip) for rate in catalog.rates()}
    found = []
    with (data / "catalog" / "megatron_bridge.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["section"] != "Pre-Training Performance" or row["precision"] not in PRECISIONS:
                continue
            if row["model"] not in MODELS or row["system"] not in SYSTEMS:
                continue
            name, chip, precision = MODELS[row["model"]], SYSTEMS[row["system"]], PRECISIONS[row["precision"]]
            rate = float(row["tok_s_per_gpu"])
            if (name, chip, precision, rate) not in used:
                model, sequence = catalog.model(name), int(row["seq_len"])
                guess = roofline_tokens_per_s(model, catalog.accelerator(chip), precision, sequence, catalog.tasks())
                assert guess is not None
                found.append((model.experts > 0, chip, guess / rate))
    return found


@pytest.mark.parametrize(
    ("experts", "rows", "median", "within_25", "worst"),
    [(False, 42, 0.99, 1.0, 0.17), (True, 65, 1.06, 0.677, 0.87)],
)
def test_the_roofline_errs_as_the_docs_say(data, experts, rows, median, within_25, worst):
    ratios = np.array([ratio for has_experts, _, ratio in measured(data) if has_experts == experts])
    assert len(ratios) == rows
    assert np.median(ratios) == pytest.approx(median, abs=0.01)
    assert np.mean(np.abs(ratios - 1) <= 0.25) == pytest.approx(within_25, abs=0.01)
    assert np.abs(ratios - 1).max() == pytest.approx(worst, abs=0.01)
