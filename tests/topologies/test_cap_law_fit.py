"""The cap law against measured speeds under power limits (docs/cap-law.md states these fits and residuals).

V100 and P100: You et al., Zeus, NSDI 2023 (Apache-2.0). H200: MLPerf Inference v4.1, mlcommons/inference_results_v4.1.
"""

import csv
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from topologies import catalog
from topologies.cap_law import throttle

IDLE_W = {"v100": 35.0, "p100": 33.0, "h200": 72.0}
"""V100 and P100: ESTIMATE, the lowest mean draw of the whole table, of a network that hardly uses the chip."""
SHIPPED_K = catalog.tasks().training_cap_exponent


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement: speed is that at the limit over that at the highest limit.

    demand_w is the mean draw at the highest limit, which is what the program calls demand.
    """

    workload: str
    batch: int
    limit_w: float
    drawn_w: float
    speed: float
    demand_w: float
    lowest_limit_w: float

    @property
    def binds(self) -> bool:
        """The limit is below the demand: a rule that looks at no speed."""
        return self.limit_w < self.demand_w

    @property
    def light(self) -> bool:
        """No limit of the table binds this workload."""
        return self.demand_w <= self.lowest_limit_w


def zeus(data: Path, gpu: str) -> list[Row]:
    """The rows of a GPU below its highest limit; a workload is (dataset, network, batch size, optimizer)."""
    runs: dict[tuple[str, str, str, str], list[tuple[float, float, float]]] = {}
    with (data / "traces" / "zeus-2022" / f"summary_power_{gpu}.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            key = (line["dataset"], line["network"], line["batch_size"], line["optimizer"])
            measured = (float(line["power_limit"]), float(line["time_per_epoch"]), float(line["average_power"]))
            runs.setdefault(key, []).append(measured)
    rows = []
    for (dataset, _, batch, _), points in runs.items():
        *below, (_, full_s, demand_w) = sorted(points)
        lowest_w = below[0][0]
        rows += [
            Row(dataset, int(batch), limit_w, drawn_w, full_s / time_s, demand_w, lowest_w)
            for limit_w, time_s, drawn_w in below
        ]
    return rows


def mlperf(data: Path) -> list[Row]:
    """The H200 results under a cap; without one the chip is taken to demand its TDP of 700 W."""
    rows = []
    with (data / "catalog" / "powercap_curve.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            limits = re.fullmatch(r"relative throughput at (\d+) W of (\d+) W", line["metric"])
            if limits and line["item"].startswith("H200"):
                limit_w, tdp_w = float(limits[1]), float(limits[2])
                rows.append(Row(line["item"], 0, limit_w, limit_w, float(line["value"]), tdp_w, 0.0))
    return rows


def measured(data: Path, gpu: str) -> list[Row]:
    return mlperf(data) if gpu == "h200" else zeus(data, gpu)


def binding(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.binds]


def by_workload(rows: list[Row]) -> dict[str, list[Row]]:
    names = dict.fromkeys(row.workload for row in rows)
    return {name: [row for row in rows if row.workload == name] for name in names}


def fitted_k(rows: list[Row], idle_w: float) -> float:
    """The exponent of least squares on log speed over rows that bind: log speed = k log((x - idle) / (d - idle))."""
    share = np.log([(row.limit_w - idle_w) / (row.demand_w - idle_w) for row in rows])
    return float(share @ np.log([row.speed for row in rows]) / (share @ share))


def errors(rows: list[Row], idle_w: float, exponent: float) -> np.ndarray:
    """Predicted less measured speed [1] (n_rows,)."""
    return np.array([throttle(row.limit_w, idle_w, row.demand_w, exponent) - row.speed for row in rows])


def residuals(found: np.ndarray) -> tuple[float, float, float]:
    """Median, 90th percentile and largest absolute error of speed."""
    size = np.abs(found)
    return float(np.median(size)), float(np.quantile(size, 0.9)), float(size.max())


def stated(value):
    """What the page states in three decimals."""
    return pytest.approx(value, abs=0.0006)


# one exponent a chip


@pytest.mark.parametrize(
    ("gpu", "rows", "workloads", "exponent", "residual"),
    [
        ("v100", 203, 47, 0.454, (0.031, 0.107, 0.174)),
        ("p100", 36, 21, 0.332, (0.016, 0.070, 0.102)),
        ("h200", 7, 7, 0.564, (0.015, 0.024, 0.024)),
    ],
)
def test_one_exponent_a_chip_fits_as_the_docs_say(data, gpu, rows, workloads, exponent, residual):
    found = binding(measured(data, gpu))
    assert len(found) == rows
    assert len({(row.workload, row.demand_w) for row in found}) == workloads
    fit = fitted_k(found, IDLE_W[gpu])
    assert fit == stated(exponent)
    assert residuals(errors(found, IDLE_W[gpu], fit)) == stated(residual)


@pytest.mark.parametrize(
    ("gpu", "residual", "mean_error"),
    [
        ("v100", (0.045, 0.131, 0.224), -0.046),
        ("p100", (0.050, 0.090, 0.121), -0.029),
        ("h200", (0.016, 0.024, 0.026), 0.001),
    ],
)
def test_the_shipped_exponent_errs_as_the_docs_say(data, gpu, residual, mean_error):
    found = errors(binding(measured(data, gpu)), IDLE_W[gpu], SHIPPED_K)
    assert residuals(found) == stated(residual)
    assert found.mean() == stated(mean_error)


def test_work_that_fills_a_v100_as_training_does_wants_nearly_the_shipped_exponent(data):
    """Filled: a demand of at least 0.85 of TDP, the low end of the catalog's training demand."""
    least_w = catalog.tasks("low").training_demand * 250
    rows = [row for row in binding(zeus(data, "v100")) if row.demand_w >= least_w]
    assert (len(rows), len({row.demand_w for row in rows})) == (104, 19)
    assert fitted_k(rows, IDLE_W["v100"]) == stated(0.509)
    assert residuals(errors(rows, IDLE_W["v100"], 0.509)) == stated((0.038, 0.089, 0.167))
    shipped = errors(rows, IDLE_W["v100"], SHIPPED_K)
    assert residuals(shipped) == stated((0.040, 0.098, 0.192))
    assert shipped.mean() == stated(-0.035)


def test_the_catalogs_band_holds_every_chips_exponent(data):
    low, high = catalog.tasks("low").training_cap_exponent, catalog.tasks("high").training_cap_exponent
    for gpu, idle_w in IDLE_W.items():
        assert low <= fitted_k(binding(measured(data, gpu)), idle_w) <= high


def test_the_h200_results_one_by_one_want_from_0_49_to_0_61(data):
    alone = [fitted_k([row], IDLE_W["h200"]) for row in mlperf(data)]
    assert (min(alone), max(alone)) == stated((0.486, 0.611))


# one exponent a network


@pytest.mark.parametrize(
    ("gpu", "workload", "rows", "exponent", "residual"),
    [
        ("v100", "squad", 41, 0.579, (0.032, 0.065, 0.081)),
        ("v100", "imagenet", 41, 0.460, (0.039, 0.102, 0.142)),
        ("v100", "sentiment140", 27, 0.426, (0.032, 0.116, 0.160)),
        ("v100", "cifar100", 41, 0.391, (0.038, 0.090, 0.119)),
        ("v100", "librispeech", 53, 0.377, (0.041, 0.068, 0.092)),
        ("p100", "squad", 12, 0.331, (0.008, 0.021, 0.025)),
        ("p100", "imagenet", 10, 0.342, (0.017, 0.025, 0.026)),
        ("p100", "sentiment140", 7, 0.242, (0.014, 0.021, 0.025)),
        ("p100", "cifar100", 3, 0.540, (0.010, 0.013, 0.014)),
        ("p100", "librispeech", 4, 1.370, (0.007, 0.015, 0.018)),
    ],
)
def test_one_exponent_a_network_fits_as_the_docs_say(data, gpu, workload, rows, exponent, residual):
    found = by_workload(binding(zeus(data, gpu)))[workload]
    assert len(found) == rows
    fit = fitted_k(found, IDLE_W[gpu])
    assert fit == stated(exponent)
    assert residuals(errors(found, IDLE_W[gpu], fit)) == stated(residual)


@pytest.mark.parametrize(("gpu", "residual"), [("v100", (0.032, 0.112, 0.177)), ("p100", (0.017, 0.075, 0.104))])
def test_networks_that_the_fit_has_not_seen_err_hardly_more(data, gpu, residual):
    rows, idle_w = binding(zeus(data, gpu)), IDLE_W[gpu]
    unseen = [
        errors(own, idle_w, fitted_k([row for row in rows if row.workload != name], idle_w))
        for name, own in by_workload(rows).items()
    ]
    assert residuals(np.concatenate(unseen)) == stated(residual)


# rows where the limit is at or above the demand: the law says speed 1


@pytest.mark.parametrize(
    ("gpu", "rows", "residual", "mean_error"),
    [("v100", 79, (0.019, 0.049, 0.073), 0.019), ("p100", 69, (0.007, 0.041, 0.066), 0.010)],
)
def test_a_limit_above_the_mean_draw_still_costs_a_little(data, gpu, rows, residual, mean_error):
    found = [row for row in zeus(data, gpu) if not row.binds and not row.light]
    assert len(found) == rows
    assert residuals(errors(found, IDLE_W[gpu], SHIPPED_K)) == stated(residual)
    assert errors(found, IDLE_W[gpu], SHIPPED_K).mean() == stated(mean_error)


@pytest.mark.parametrize(
    ("gpu", "rows", "residual", "mean_error"),
    [("v100", 126, (0.021, 0.115, 0.168), -0.014), ("p100", 120, (0.029, 0.079, 0.158), 0.009)],
)
def test_work_that_no_limit_binds_errs_as_the_docs_say(data, gpu, rows, residual, mean_error):
    found = [row for row in zeus(data, gpu) if row.light]
    assert len(found) == rows
    assert residuals(errors(found, IDLE_W[gpu], SHIPPED_K)) == stated(residual)
    assert errors(found, IDLE_W[gpu], SHIPPED_K).mean() == stated(mean_error)


# what the exponent depends on


@pytest.mark.parametrize(
    ("gpu", "exponents"),
    [
        ("v100", {25: 0.495, 35: 0.454, 50: 0.392, 70: 0.303}),
        ("p100", {25: 0.356, 33: 0.332, 50: 0.282, 70: 0.222}),
        ("h200", {50: 0.592, 72: 0.564, 88: 0.543}),
    ],
)
def test_the_exponent_falls_as_the_idle_draw_rises(data, gpu, exponents):
    rows = binding(measured(data, gpu))
    for idle_w, exponent in exponents.items():
        assert fitted_k(rows, idle_w) == stated(exponent)
        assert residuals(errors(rows, idle_w, exponent))[0] <= 0.034


@pytest.mark.parametrize("gpu", ["v100", "p100"])
def test_the_idle_draw_is_below_every_measured_draw(data, gpu):
    lowest_w = min(row.drawn_w for row in zeus(data, gpu))
    assert IDLE_W[gpu] == pytest.approx(lowest_w, abs=0.3)


@pytest.mark.parametrize(
    ("gpu", "factor", "rows", "exponent", "root_mean_square"),
    [
        ("v100", 1.0, 203, 0.454, 0.052),
        ("v100", 1.1, 234, 0.383, 0.056),
        ("v100", 1.2, 253, 0.348, 0.063),
        ("p100", 1.0, 36, 0.332, 0.028),
        ("p100", 1.1, 47, 0.241, 0.025),
        ("p100", 1.2, 61, 0.186, 0.024),
    ],
)
def test_a_demand_above_the_mean_draw_lowers_the_exponent(data, gpu, factor, rows, exponent, root_mean_square):
    """The root mean square is over every row of the workloads that some limit binds, whatever the factor."""
    heavy = [row for row in zeus(data, gpu) if not row.light]
    scaled = [replace(row, demand_w=min(250.0, factor * row.demand_w)) for row in heavy]
    found = binding(scaled)
    assert len(found) == rows
    fit = fitted_k(found, IDLE_W[gpu])
    assert fit == stated(exponent)
    assert np.sqrt(np.mean(errors(scaled, IDLE_W[gpu], fit) ** 2)) == stated(root_mean_square)


def test_an_h200_that_demands_nine_tenths_of_tdp_wants_a_larger_exponent(data):
    rows = [replace(row, demand_w=0.9 * row.demand_w) for row in mlperf(data)]
    assert fitted_k(rows, IDLE_W["h200"]) == stated(0.699)


# what the law does not describe


def test_a_full_v100_loses_less_than_the_law_says_at_150_w_and_more_at_100_w(data):
    rows = [row for row in binding(zeus(data, "v100")) if row.demand_w >= 0.85 * 250]
    for limit_w, mean_error in {100: 0.035, 125: -0.021, 150: -0.060, 175: -0.046, 200: -0.013, 225: 0.016}.items():
        at_limit = [row for row in rows if row.limit_w == limit_w]
        assert errors(at_limit, IDLE_W["v100"], 0.509).mean() == stated(mean_error)


@pytest.mark.parametrize(("batch", "exponent"), [(8, 0.268), (256, 0.549)])
def test_small_batches_lose_less_than_large_ones_at_one_mean_draw(data, batch, exponent):
    rows = [row for row in binding(zeus(data, "v100")) if (row.workload, row.batch) == ("imagenet", batch)]
    assert rows[0].demand_w == pytest.approx(220.5, abs=0.5)
    assert fitted_k(rows, IDLE_W["v100"]) == stated(exponent)


@pytest.mark.parametrize(("gpu", "share"), [("v100", 0.939), ("p100", 0.901)])
def test_a_chip_under_a_limit_draws_a_little_less_than_it(data, gpu, share):
    rows = binding(zeus(data, gpu))
    assert np.median([row.drawn_w / row.limit_w for row in rows]) == stated(share)
