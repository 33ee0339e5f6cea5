"""Collective times against published bus bandwidths (docs/collectives.md states these fits and errors).

Source of the points: stas00/ml-engineering@744d01e, network/README.md (CC BY-SA 4.0); NVL72 there from a GTC slide
without a size, taken as 16 GiB. Line rates: NVLink 4 450, NVLink 5 900, EFA 50 GB/s a chip, one direction.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from topologies.catalog import scale_out, scale_up
from topologies.collectives import (
    Group,
    all_gather_s,
    all_reduce_s,
    bus_bytes_per_s,
    cheapest_all_reduce,
    hierarchical_all_reduce_s,
    reduce_scatter_s,
    ring_all_reduce_s,
    switch_all_reduce_s,
)
from topologies.slices import switched

KIB, MIB, GIB = 2**10, 2**20, 2**30
NVLINK_4, NVLINK_5, EFA = 450e9, 900e9, 50e9
LARGE = GIB

H200 = Group(1, switched(8, NVLINK_4), EFA, scale_up("nvlink4"), scale_out("efa"))
B200 = Group(1, switched(8, NVLINK_5), EFA, scale_up("nvlink5"), scale_out("efa"))
NVL72 = Group(1, switched(72, NVLINK_5), EFA, scale_up("nvlink5"), scale_out("efa"))
P6 = Group(4, switched(8, NVLINK_5), EFA, scale_up("nvlink5"), scale_out("efa"))


@dataclass(frozen=True, slots=True)
class Point:
    """A measured bus bandwidth [GB/s], and the error that the docs state, model over measured less 1."""

    group: Group
    size_bytes: int
    measured: float
    collective: Callable[[float, Group], float]
    error: float
    passes: int = 2

    def model(self, out=None):
        """The model's bus bandwidth [GB/s], over another network if given."""
        group = self.group if out is None else replace(self.group, out=out)
        time_s = self.collective(self.size_bytes, group)
        return bus_bytes_per_s(self.size_bytes, time_s, group.ranks, self.passes) / 1e9


WITH_RING = Point(H200, 16 * GIB, 367, ring_all_reduce_s, 0.005)
WITH_NVLS = Point(H200, 16 * GIB, 480, all_reduce_s, 0.003)
NOT_FITTED = [
    Point(H200, 16 * GIB, 361, all_gather_s, 0.021, passes=1),
    Point(H200, 16 * GIB, 363, reduce_scatter_s, 0.016, passes=1),
]
NVL72_RING = Point(NVL72, 16 * GIB, 680, ring_all_reduce_s, -0.004)
BLACKWELL_SWITCHES = [
    Point(B200, 16 * GIB, 846, all_reduce_s, -0.043),
    Point(B200, 4 * GIB, 741, all_reduce_s, 0.090),
    Point(NVL72, 16 * GIB, 850, all_reduce_s, -0.048),
]
P6_CURVE = [
    Point(P6, 16 * GIB, 381.8, all_reduce_s, -0.001),
    Point(P6, GIB, 362, all_reduce_s, -0.022),
    Point(P6, 128 * MIB, 198, all_reduce_s, 0.190),
    Point(P6, 16 * MIB, 64, all_reduce_s, 0.032),
    Point(P6, MIB, 5.4, all_reduce_s, -0.083),
]
OUTLIER = Point(P6, 32 * KIB, 0.01, all_reduce_s, 14.67)
POINTS = [WITH_RING, WITH_NVLS, *NOT_FITTED, NVL72_RING, *BLACKWELL_SWITCHES, *P6_CURVE]


def root_mean_square(points, out):
    """Of the logarithm of model over measured."""
    return math.sqrt(np.mean([math.log(point.model(out) / point.measured) ** 2 for point in points]))


def fitted_base_us(points):
    """The base of EFA with the smallest error [us], everything else as shipped."""
    out = scale_out("efa")
    return min(range(600), key=lambda base_us: root_mean_square(points, replace(out, base_s=base_us * 1e-6)))


def rounded(value):
    """What the catalog gives in two decimals."""
    return pytest.approx(value, abs=0.0051)


# errors


@pytest.mark.parametrize("point", [*POINTS, OUTLIER], ids=lambda point: f"{point.measured:g} GB/s")
def test_the_error_is_what_the_docs_state(point):
    tolerance = 0.0006 if point is not OUTLIER else 0.006
    assert point.model() / point.measured - 1 == pytest.approx(point.error, abs=tolerance)


def test_large_buffers_are_within_10_percent_and_all_but_the_outlier_within_20():
    large = [point for point in POINTS if point.size_bytes >= LARGE]
    assert max(abs(point.model() / point.measured - 1) for point in large) < 0.10
    assert max(abs(point.model() / point.measured - 1) for point in POINTS) < 0.20


def test_the_outlier_took_longer_than_a_buffer_32_times_as_large():
    """So that no time that grows with the size can meet both; 0.01 is rounded: at most 0.015."""
    small_s = OUTLIER.size_bytes * 2 * 31 / 32 / (0.015 * 1e9)
    larger_s = MIB * 2 * 31 / 32 / (5.4 * 1e9)
    assert small_s > 11 * larger_s


def test_the_algorithms_on_the_p6_curve_are_those_that_the_docs_name():
    names = [cheapest_all_reduce(point.size_bytes, P6)[0] for point in P6_CURVE]
    assert names == ["ring", "hierarchical", "tree", "tree", "tree"]


# where the constants come from


def test_ring_and_switch_efficiencies_are_measured_over_line_rate():
    assert scale_up("nvlink4").ring_efficiency == rounded(367 / 450)
    assert scale_up("nvlink4").switch_efficiency == rounded(480 / 450)
    assert scale_up("nvlink5").ring_efficiency == rounded(680 / 900)


def test_the_switches_of_blackwell_have_the_mean_of_three_points_in_logarithms():
    logs = [math.log(point.measured / 900) for point in BLACKWELL_SWITCHES]
    assert scale_up("nvlink5").switch_efficiency == rounded(math.exp(np.mean(logs)))
    for point in BLACKWELL_SWITCHES:
        assert cheapest_all_reduce(point.size_bytes, point.group)[1] == switch_all_reduce_s(
            point.size_bytes, point.group
        )


@pytest.mark.parametrize(
    ("all_reduce", "share"), [(ring_all_reduce_s, 381.8 / 400), (hierarchical_all_reduce_s, 381.8 * 3 / 31 / 50)]
)
def test_either_efficiency_of_the_network_alone_gives_the_16_gib_point(all_reduce, share):
    """share: of the line rate, with the latency still in it."""
    alone = replace(P6_CURVE[0], collective=all_reduce)
    assert alone.model() == pytest.approx(alone.measured, rel=0.005)
    time_s = 2 * 31 / 32 * alone.size_bytes / (alone.measured * 1e9)
    out = scale_out("efa")
    efficiency = out.ring_efficiency if all_reduce is ring_all_reduce_s else out.hierarchical_efficiency
    assert efficiency == rounded(share * time_s / (time_s - all_reduce(0, P6)))


def test_the_base_of_efa_has_the_smallest_error_over_the_curve():
    out = scale_out("efa")
    assert fitted_base_us(P6_CURVE) == pytest.approx(out.base_s * 1e6, abs=5)
    assert root_mean_square(P6_CURVE, out) == pytest.approx(0.089, abs=0.0006)


def test_no_one_point_moves_the_base_of_efa_out_of_its_band():
    without = [fitted_base_us([point for point in P6_CURVE if point is not left]) for left in P6_CURVE]
    assert (min(without), max(without)) == pytest.approx((305, 367), abs=5)
    low_us, high_us = (scale_out("efa", band).base_s * 1e6 for band in ("low", "high"))
    assert low_us <= min(without) <= max(without) <= high_us


def test_with_the_constants_of_nccl_alone_the_small_buffers_would_be_far_too_fast():
    nccl = replace(scale_out("efa"), base_s=8.4e-6, ring_step_s=14e-6, tree_step_s=14e-6)
    errors = [point.model(nccl) / point.measured - 1 for point in P6_CURVE]
    assert errors == pytest.approx([0.002, 0.034, 0.666, 1.873, 2.966], abs=0.001)


def test_longer_steps_would_fit_the_curve_as_well_as_a_base():
    out = replace(scale_out("efa"), base_s=8.4e-6)

    def error(step_us):
        return root_mean_square(P6_CURVE, replace(out, ring_step_s=step_us * 1e-6, tree_step_s=step_us * 1e-6))

    assert min(range(200), key=error) == 93
    assert error(93) == pytest.approx(0.090, abs=0.0006)


@pytest.mark.parametrize(
    ("domains", "band", "name", "bus_gb_per_s"),
    [
        (2, "base", "hierarchical", 551),
        (4, "base", "ring", 381),
        (64, "base", "tree", 381),
        (64, "low", "hierarchical", 294),
    ],
)
def test_beyond_the_measured_four_domains_the_model_says_what_the_docs_state(domains, band, name, bus_gb_per_s):
    """band: of the ring's efficiency."""
    out = replace(scale_out("efa"), ring_efficiency=scale_out("efa", band).ring_efficiency)
    group = replace(P6, domains=domains, out=out)
    found, time_s = cheapest_all_reduce(16 * GIB, group)
    assert found == name
    assert bus_bytes_per_s(16 * GIB, time_s, group.ranks, 2) / 1e9 == pytest.approx(bus_gb_per_s, abs=0.6)
