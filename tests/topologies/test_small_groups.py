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

KIB, MIB = 2**10, 2**20
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


SHORT_SIZES = (16 * KIB, 256 * KIB)
SHORT_US = {  # by links and chips, at 16 and 256 KiB a chip; the first was used in the fit
    all_reduce_s: {
        "nvlink4": {2: (7.3, 8.8), 4: (12.5, 11.8), 8: (19.0, 19.1)},
        "nvlink5": {2: (11.0, 11.3), 4: (16.0, 17.3), 8: (26.6, 28.3)},
    },
    all_gather_s: {
        "nvlink4": {2: (6.2, 7.6), 4: (8.5, 9.2), 8: (11.2, 13.6)},
        "nvlink5": {2: (9.8, 10.2), 4: (13.6, 13.5), 8: (19.5, 18.9)},
    },
}


@pytest.mark.parametrize("time_s", SHORT_US)
@pytest.mark.parametrize("links", LINKS)
@pytest.mark.parametrize("chips", [2, 4, 8])
def test_a_short_buffer_takes_its_measured_time_within_a_sixth_and_the_band_holds_it(time_s, links, chips):
    for size, measured_us in zip(SHORT_SIZES, SHORT_US[time_s][links][chips], strict=True):
        base, low, high = (time_s(size, group(links, chips, band)) * 1e6 for band in ("base", "low", "high"))
        assert base == pytest.approx(measured_us, rel=1 / 6)
        assert min(low, high) <= measured_us <= max(low, high)


@pytest.mark.parametrize("links", LINKS)
@pytest.mark.parametrize("chips", [2, 4, 8, 72])
def test_a_long_buffer_goes_as_if_there_were_no_short_ones(links, chips):
    found = group(links, chips)
    never = replace(found, up=replace(found.up, short_step_s=0.0))
    for time_s in (all_reduce_s, all_gather_s):
        assert time_s(128 * MIB, found) == time_s(128 * MIB, never)
        assert time_s(KIB, found) <= time_s(KIB, never)


def test_across_domains_and_without_a_short_step_buffers_go_as_long_ones():
    found = group("nvlink4", 8)
    across = replace(found, domains=2, nic_bytes_per_s=50e9)
    for one in (across, group("nvlink4", 8)):
        short = replace(one, up=replace(one.up, short_base_s=0.0, short_step_s=1e-9))
        assert (all_gather_s(KIB, short) < all_gather_s(KIB, one)) == (one is not across)
    never = replace(found, up=replace(found.up, short_base_s=0.0, short_step_s=0.0))
    assert all_gather_s(0, never) == pytest.approx(8.4e-6 + 7 * 3.4e-6)
