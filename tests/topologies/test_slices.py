"""What a slice can send: switched chips, boxes of a torus, and the busiest link of an all-to-all counted hop by hop."""

import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topologies.slices import box, switched

GB_PER_S = 1e9
TRN2_LINKS = (128 * GB_PER_S, 128 * GB_PER_S, 64 * GB_PER_S)


def busiest_link_share(extent, wraps):
    """Bytes on the busiest directed link of one line, each chip sending 1 byte, an equal part to each of the line."""
    load = dict.fromkeys(itertools.product(range(extent), (1, -1)), 0.0)
    for start, end in itertools.product(range(extent), repeat=2):
        forward = (end - start) % extent if wraps else end - start
        ways = {1: forward, -1: extent - forward} if wraps else {1: forward, -1: -forward}
        hops = {way: count for way, count in ways.items() if count >= 0}
        best = [way for way, count in hops.items() if count == min(hops.values())] if forward else []
        for way in best:
            for hop in range(hops[way]):
                load[(start + way * hop) % extent, way] += 1 / extent / len(best)
    return max(load.values())


def test_behind_a_switch_a_chip_sends_at_its_line_rate_in_m_less_1_steps():
    part = switched(8, 450 * GB_PER_S)
    assert (part.chips, part.steps) == (8, 7)
    assert part.ring_bytes_per_s == part.all_to_all_bytes_per_s == 450 * GB_PER_S


def test_an_ultraserver_of_64_chips_has_640_gb_per_s_a_chip_and_a_server_of_16_has_512():
    """AWS: 1,024 GB/s a chip in a server and 256 across the four, both directions together."""
    whole = box((4, 4, 4), (True, True, True), TRN2_LINKS)
    assert (whole.chips, whole.steps, whole.ring_bytes_per_s) == (64, 9, 640 * GB_PER_S)
    server = box((4, 4, 1), (True, True, False), TRN2_LINKS)
    assert (server.chips, server.steps, server.ring_bytes_per_s) == (16, 6, 512 * GB_PER_S)


def test_an_open_line_has_half_the_rings_of_one_that_wraps_around():
    assert box((4,), (False,), (100.0,)).ring_bytes_per_s == 0.5 * box((4,), (True,), (100.0,)).ring_bytes_per_s == 100


def test_one_chip_needs_no_link():
    part = box((1, 1), (False, False), (100.0, 100.0))
    assert (part.chips, part.steps, part.ring_bytes_per_s) == (1, 0, math.inf)


def test_a_dimension_without_its_link_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        box((4, 4), (True, True), (100.0,))


@pytest.mark.parametrize("wraps", [True, False])
@pytest.mark.parametrize("extent", range(2, 10))
def test_all_to_all_on_a_line_takes_as_long_as_its_busiest_link_counted_hop_by_hop(extent, wraps):
    part = box((extent,), (wraps,), (100.0,))
    time_s = (extent - 1) / extent / part.all_to_all_bytes_per_s  # of 1 byte a chip
    assert time_s == pytest.approx(busiest_link_share(extent, wraps) / 100.0, rel=1e-12)


def test_the_dimension_with_the_busiest_link_sets_the_pace_of_all_to_all():
    part = box((4, 4, 4), (True, True, True), TRN2_LINKS)
    slowest = box((4,), (True,), TRN2_LINKS[2:])
    assert part.all_to_all_bytes_per_s * 64 / 63 == pytest.approx(slowest.all_to_all_bytes_per_s * 4 / 3)


@given(st.lists(st.tuples(st.integers(1, 6), st.booleans(), st.floats(1, 1e12)), min_size=1, max_size=3), st.data())
@settings(derandomize=True, deadline=None)
def test_the_order_of_the_dimensions_does_not_matter(dimensions, data):
    other = data.draw(st.permutations(dimensions))
    one, two = box(*zip(*dimensions, strict=True)), box(*zip(*other, strict=True))
    assert (one.chips, one.steps) == (two.chips, two.steps)
    assert one.ring_bytes_per_s == pytest.approx(two.ring_bytes_per_s)
    assert one.all_to_all_bytes_per_s == pytest.approx(two.all_to_all_bytes_per_s)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=3), st.data())
@settings(derandomize=True, deadline=None)
def test_wrapping_around_never_slows_a_box(extents, data):
    wraps = data.draw(st.lists(st.booleans(), min_size=len(extents), max_size=len(extents)))
    rates = [100.0] * len(extents)
    closed, some = box(extents, [True] * len(extents), rates), box(extents, wraps, rates)
    assert closed.ring_bytes_per_s >= some.ring_bytes_per_s
    assert closed.all_to_all_bytes_per_s >= some.all_to_all_bytes_per_s
