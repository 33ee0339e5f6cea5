"""Step series: integrals and envelopes against a count by hand and a brute-force reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outputs.steps import durations, envelope, integral

TIMES = np.array([0.0, 10.0, 15.0, 40.0])
VALUES = np.array([2.0, 5.0, 0.0, 3.0])


def test_an_integral_counts_each_step_for_as_long_as_it_lasts():
    assert durations(TIMES, 0, 50).tolist() == [10, 5, 25, 10]
    assert integral(VALUES, durations(TIMES, 0, 50)) == 2 * 10 + 5 * 5 + 0 + 3 * 10


def test_a_window_cuts_the_steps_at_its_edges():
    assert durations(TIMES, 12, 41).tolist() == [0, 3, 25, 1]
    assert durations(TIMES, 45, 50).tolist() == [0, 0, 0, 5]


@st.composite
def series(draw):
    gaps = draw(st.lists(st.floats(0.01, 50), min_size=1, max_size=60))
    times = np.concatenate([[0.0], np.cumsum(gaps)])
    values = draw(st.lists(st.integers(0, 9), min_size=len(times), max_size=len(times)))
    return times, np.array(values, float)


@settings(derandomize=True, max_examples=200, deadline=None)
@given(series(), st.integers(1, 40))
def test_an_envelope_is_what_a_look_at_every_bin_finds(steps, bins):
    times, values = steps
    end = float(times[-1]) * 1.1
    edges = np.linspace(0, end, bins + 1)
    found = envelope(times, values, 0.0, end, bins)
    for at in range(bins):
        low, high = edges[at], edges[at + 1]
        inside = values[(times > low) & (times <= high)]
        seen = np.append(inside, values[np.searchsorted(times, low, side="right") - 1])
        assert (found.low[at], found.high[at]) == (seen.min(), seen.max())
        mean = integral(values, durations(times, low, high)) / (high - low)
        assert found.mean[at] == pytest.approx(mean, abs=1e-9)


def test_a_single_spike_among_a_million_steps_is_not_lost():
    times = np.arange(1_000_000, dtype=float)
    values = np.tile([10.0, 20.0], 500_000)
    values[123_456] = 999.0
    found = envelope(times, values, 0.0, 1_000_000.0, 900)
    assert found.high.max() == 999.0
    assert found.mean.mean() == pytest.approx(15.0, abs=0.01)
    assert set(found.low) == {10.0}
