"""Collectives of 2, 4 and 8 chips behind switches against measured times: inside the catalog's bands, base near them.

Source of the times: NCCL 2.29.2 on 8 x H100 and 8 x B200, half precision, the tables of aiconfigurator-core 0.12.0
(PyPI, Apache-2.0). docs/collectives.md states the errors.
"""

import math
from dataclasses import replace

import pytest

from topologies.catalog import scale_out, scale_up
from topologies.collectives import Group, all_gather_s, all_reduce_s, all_to_all_s, reduce_scatter_s
from topologies.slices import switched

MIB = 2**20
LINKS = {"nvlink4": 450e9, "nvlink5": 900e9}
SIZES = (128 * MIB, 512 * MIB)
MEASURED_US = {  # by links and chips, at 128 and 512 MiB a chip
    all_reduce_s: {
        "nvlink4": {2: (466.2, 1686.4), 4: (613.2, 2299.7), 8: (578.7, 2111.1)},
        "nvlink5": {2: (270.6, 1005.3), 4: (341.6, 1270.8), 8: (398.4, 1334.6)},
    },
    all_gather_s: {
        "nvlink4": {2: (292.5, 1038.6), 4: (350.3, 1267.5), 8: (392.8, 1401.5)},
        "nvlink5": {2: (169.6, 612.3), 4: (195.7, 710.6), 8: (206.8, 761.4)},
    },
    reduce_scatter_s: {
        "nvlink4": {2: (311.5, 1077.9), 4: (355.2, 1299.8), 8: (382.2, 1399.4)},
        "nvlink5": {2: (185.1, 651.0), 4: (199.6, 728.8), 8: (208.0, 766.5)},
    },
    all_to_all_s: {
        "nvlink4": {2: (259.6, 958.9), 4: (364.8, 1397.0), 8: (402.4, 1490.4)},
        "nvlink5": {2: (224.6, 810.0), 4: (230.7, 825.2), 8: (236.6, 834.2)},
    },
}
POINTS = [
    (time_s, links, chips, size, measured / 1e6)
    for time_s, by_links in MEASURED_US.items()
    for links, by_chips in by_links.items()
    for chips, times in by_chips.items()
    for size, measured in zip(SIZES, times, strict=True)
]


def group(links, chips, band="base"):
    return Group(1, switched(chips, LINKS[links]), 0.0, scale_up(links, band), scale_out("efa"))


@pytest.mark.parametrize(("time_s", "links", "chips", "size", "measured_s"), POINTS)
def test_a_measured_time_lies_within_the_band_of_the_catalog(time_s, links, chips, size, measured_s):
    slowest, fastest = time_s(size, group(links, chips, "low")), time_s(size, group(links, chips, "high"))
    assert fastest <= measured_s <= slowest


@pytest.mark.parametrize("large", [True, False])
def test_base_times_are_near_the_measured_ones(large):
    errors = [
        time_s(size, group(links, chips)) / measured_s - 1
        for time_s, links, chips, size, measured_s in POINTS
        if (size == SIZES[1]) == large
    ]
    assert max(map(abs, errors)) < (0.17 if large else 0.24)
    assert abs(sum(errors) / len(errors)) < (0.04 if large else 0.1)


def test_an_all_to_all_of_2_of_4_or_8_chips_of_nvlink_5_takes_about_the_same_time():
    times = [all_to_all_s(512 * MIB, group("nvlink5", chips)) for chips in (2, 4, 8)]
    assert max(times) / min(times) < 1.03


def test_between_the_measured_sizes_the_efficiency_is_read_from_straight_lines():
    up = scale_up("nvlink5")
    assert up.ring(3) == pytest.approx(up.ring(2) + (math.log2(3) - 1) * (up.ring(4) - up.ring(2)))
    assert up.ring(2) < up.ring(3) < up.ring(4) < up.ring(6) < up.ring(8) == up.ring(72) == up.ring_efficiency


def test_links_of_which_only_one_figure_is_known_have_it_for_every_size():
    up = scale_up("neuronlink")
    assert {up.ring(chips) for chips in range(2, 65)} == {up.ring_efficiency}
    assert {up.all_to_all(chips) for chips in range(2, 65)} == {up.ring_efficiency}
    assert replace(up, all_to_all_efficiency=0.5).all_to_all(2) == 0.5


def test_switches_add_up_for_as_many_chips_as_gain_by_it():
    up = scale_up("nvlink4")
    assert [up.adds_up(chips) for chips in (2, 4, 8, 72)] == [False, False, True, True]
    assert not scale_up("neuronlink").adds_up(64)
