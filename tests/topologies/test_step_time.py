"""The step: what is hidden, what is not, and the way to split a model."""

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from scenarios.network import Parallelism
from topologies import catalog
from topologies.domains import Domain, Seat
from topologies.exchange import Job, Split, Times, memory_bytes, times
from topologies.step_time import fastest, given, step, token_s_of, ways

FACTS = catalog.tasks().model_copy(update={"background_overlap": 0.5, "blocking_overlap": 0.25})
LLAMA = catalog.model("llama3-70b")
H100 = Domain.of(catalog.interconnect("dgx-h100"), 8)
USABLE = 0.9 * 80e9
seconds = st.floats(0, 100)
all_parts = st.builds(
    Times, st.floats(1, 1e6), st.integers(1, 100), st.floats(0, 3), seconds, seconds, seconds, st.booleans()
)


def seat(domains, chips=8):
    return Seat(chips * domains, domains, chips, (), min(1, domains - 1), chips, chips * domains, chips * domains)


def test_a_step_by_hand():
    parts = Times(1000, 4, 0.1, blocking_s=2, gather_s=3, pipeline_s=1, sharded=False)
    found = step(parts, 0.01, FACTS)  # computes 10 s, 5 of which hide exchange, 1.25 of which gradients
    assert found.compute_s == pytest.approx(10)
    assert found.blocking_s == pytest.approx(1.5)
    assert found.bubble_s == pytest.approx(1.15)
    assert found.background_s == pytest.approx(3 - 1.25)
    assert found.total_s == pytest.approx(14.4)


def test_sharded_weights_hide_behind_all_of_the_computing():
    parts = Times(1000, 4, 0, 0, gather_s=3, pipeline_s=0, sharded=True)
    assert step(parts, 0.01, FACTS).background_s == 0


def test_activations_hide_behind_what_gradients_leave():
    parts = Times(1000, 1, 0, 0, gather_s=4, pipeline_s=3, sharded=False)
    assert step(parts, 0.01, FACTS).background_s == pytest.approx(4 + 3 - 5)


@for_all(all_parts, st.floats(1e-6, 1))
def test_the_computing_of_a_step_is_found_again(parts, token_s):
    total_s = step(parts, token_s, FACTS).total_s
    found = token_s_of(parts, total_s, FACTS)
    assert found is not None
    assert step(parts, found, FACTS).total_s == pytest.approx(total_s, rel=1e-12)


@for_all(all_parts, st.floats(1e-6, 1), st.floats(1.001, 10))
def test_slower_chips_make_a_longer_step_and_no_step_is_shorter_than_its_computing(parts, token_s, slower):
    found, later = (step(parts, token, FACTS).total_s for token in (token_s, slower * token_s))
    assert parts.chip_tokens * token_s <= found < later


def test_an_exchange_longer_than_the_whole_step_leaves_nothing_to_compute_with():
    parts = Times(1000, 1, 0, blocking_s=10, gather_s=0, pipeline_s=0, sharded=False)
    assert token_s_of(parts, 7.4, FACTS) is None
    assert token_s_of(parts, 7.6, FACTS) == pytest.approx(0.1 / 1000)


def test_a_model_that_fits_is_neither_shared_out_nor_recomputed():
    job = Job(catalog.model("llama3-8b"), 8192, 128, FACTS)
    assert ways(job, Parallelism(tensor=8), 64, USABLE)[0] == Split(Parallelism(tensor=8), 64)


def test_a_model_that_does_not_fit_is_shared_out_before_it_is_recomputed():
    job = Job(LLAMA, 8192, 256, FACTS)
    found = ways(job, Parallelism(tensor=4), 64, USABLE)
    assert found[0] == Split(Parallelism(tensor=4), 64, sharded=True)
    assert all(memory_bytes(job, split) <= USABLE for split in found)


def test_degrees_that_do_not_divide_a_gang_are_no_way():
    assert ways(Job(LLAMA, 8192, 256, FACTS), Parallelism(tensor=8), 60, USABLE) == []


@pytest.mark.parametrize("chips", [8, 16, 24, 64, 100, 512])
def test_the_fastest_split_is_no_slower_than_any_other_that_fits(chips):
    job, where = Job(LLAMA, 8192, 256, FACTS), seat(-(-chips // 8), min(8, chips)) if chips % 8 == 0 else seat(25, 4)
    found = fastest(job, H100, where, lambda _: 1.0, 1 / 1700, 1.0, USABLE)

    def total_s(split):
        return step(times(job, split, H100, where, 1.0), 1 / 1700, FACTS).total_s

    tried = [
        split
        for tensor in (1, 2, 4, 8, 16)
        for pipeline in (1, 2, 4, 5, 8)
        for split in ways(job, Parallelism(tensor=tensor, pipeline=pipeline), where.chips, USABLE)
        if pipeline != 5
    ]
    if tried:
        assert total_s(found) <= min(total_s(split) for split in tried)
        assert memory_bytes(job, found) <= USABLE
    assert where.chips % found.model_chips == 0


def test_where_nothing_fits_the_smallest_is_taken():
    found = fastest(
        Job(catalog.model("llama3-405b"), 8192, 1536, FACTS), H100, seat(1), lambda _: 1.0, 1e-3, 1.0, USABLE
    )
    assert found.recomputed


def test_a_split_that_somebody_has_tried_is_not_doubted():
    job = Job(LLAMA, 8192, 256, FACTS)
    assert given(job, Parallelism(), 64, USABLE) == Split(Parallelism(), 64, sharded=True)
    assert given(job, Parallelism(pipeline=2), 64, USABLE) == Split(Parallelism(pipeline=2), 64)
