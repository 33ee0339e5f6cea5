"""Volumes of a training step by hand, and what a chip must hold."""

import pytest

from scenarios.network import Parallelism
from topologies import catalog
from topologies.collectives import all_gather_s, all_to_all_s
from topologies.domains import Domain, Seat
from topologies.exchange import Job, Split, memory_bytes, times

FACTS = catalog.tasks()
LLAMA, OSS = catalog.model("llama3-70b"), catalog.model("gpt-oss-120b")
H100 = Domain.of(catalog.interconnect("dgx-h100"), 8)


def seat(domains):
    return Seat(8 * domains, domains, 8, (), 0 if domains == 1 else 1, 8, 8 * domains, 8 * domains)


def job(model=LLAMA, sequence=8192, batch=256):
    return Job(model, sequence, batch, FACTS)


def parts(split, domains, model=LLAMA, share=1.0):
    return times(job(model), split, H100, seat(domains), share)


def test_data_parallel_chips_gather_weights_and_scatter_gradients_once():
    found = parts(Split(Parallelism(), 64), 8)
    group = H100.group(64, 1, seat(8), 1.0)
    assert found.gather_s == pytest.approx(2 * all_gather_s(2 * 70.55e9, group))
    assert (found.blocking_s, found.pipeline_s, found.bubble, found.micro_batches) == (0, 0, 0, 4)
    assert found.chip_tokens == 4 * 8192


def test_sharded_weights_are_gathered_twice_and_gradients_scattered_in_every_micro_batch():
    whole, sharded = (parts(Split(Parallelism(), 64, sharded=way), 8).gather_s for way in (False, True))
    assert sharded == pytest.approx(whole * 3 / 2 * 4)


def test_tensor_parallel_chips_exchange_activations_eight_times_a_layer():
    found = parts(Split(Parallelism(tensor=8), 64), 8)
    once_s = all_gather_s(2 * 8192 * 8192, H100.group(8, 1, seat(8), 1.0))
    assert found.micro_batches == 32
    assert found.blocking_s == pytest.approx(32 * 80 * 8 * once_s)
    assert found.chip_tokens == 32 * 8192 / 8


def test_a_tensor_group_over_two_domains_goes_over_the_network():
    within, across = (parts(Split(Parallelism(tensor=tensor), 64), 8).blocking_s for tensor in (8, 16))
    assert across > 2 * within


def test_contexts_exchange_keys_and_values():
    found = parts(Split(Parallelism(context=2), 64), 8)
    once_s = all_gather_s(2 * 2 * 8192 * 8 * 128, H100.group(2, 1, seat(8), 1.0))
    assert found.micro_batches == 8
    assert found.blocking_s == pytest.approx(8 * 80 * 3 * once_s)
    assert found.chip_tokens == 8 * 8192 / 2


def test_a_pipeline_has_a_bubble_and_sends_activations():
    found = parts(Split(Parallelism(tensor=4, pipeline=8), 64), 8)
    chunks = 80 / 8 / 2  # two layers a chunk
    assert found.micro_batches == 128
    assert found.bubble == pytest.approx(7 / (chunks * 128))
    size = 2 * 8192 * 8192 / 4
    step_s = H100.out.ring_step_s + size / (0.96 * 50e9)
    assert found.pipeline_s == pytest.approx(2 * 128 * chunks * step_s)


def test_experts_exchange_the_copies_of_each_token():
    found = parts(Split(Parallelism(expert=8), 64), 8, OSS)
    group = H100.group(8, 1, seat(8), 1.0)
    assert found.blocking_s == pytest.approx(4 * 36 * 4 * all_to_all_s(2 * 8192 * 4 * 2880, group))


def test_experts_that_are_shared_out_are_gathered_among_fewer():
    together, apart = (parts(Split(Parallelism(expert=expert), 64), 8, OSS).gather_s for expert in (1, 8))
    assert apart < together  # each over its own NIC, where all together used eight


def test_less_of_the_nics_takes_longer_where_the_network_is_crossed_only():
    split = Split(Parallelism(tensor=8), 64)
    full, half = parts(split, 8), parts(split, 8, share=0.5)
    assert half.gather_s > 1.5 * full.gather_s
    assert half.blocking_s == full.blocking_s


def test_recomputing_is_a_fourth_pass():
    plain, again = (parts(Split(Parallelism(), 64, True, way), 8).chip_tokens for way in (False, True))
    assert again == pytest.approx(4 / 3 * plain)


def test_a_batch_that_does_not_divide_keeps_the_busiest_replica_longer():
    split = Split(Parallelism(), 24)
    assert split.micro_batches(job(batch=256)) == 11


@pytest.mark.parametrize(
    ("split", "gigabytes"),
    [
        # 70.55e9 parameters: 4 bytes each and 12 over 64 replicas; 34 x 8192 x 8192 bytes a layer
        (Split(Parallelism(), 64), 70.55 * (4 + 12 / 64) + 34 * 8192**2 * 80 / 1e9),
        # 16 bytes over 64 and two layers gathered; 2 bytes a number of a layer
        (Split(Parallelism(), 64, True, True), 70.55 * 16 / 64 + 4 * 70.55 / 80 + 2 * 8192**2 * 80 / 1e9),
        # a 32nd of the model, 2 replicas; 10 layers of 8 micro-batches over 4 chips
        (
            Split(Parallelism(tensor=4, pipeline=8), 64),
            70.55 / 32 * (4 + 12 / 2) + 34 * 8192**2 * 10 * 8 * (1 + 7 / 40) / 4 / 1e9,
        ),
    ],
)
def test_what_a_chip_holds(split, gigabytes):
    assert memory_bytes(job(), split) / 1e9 == pytest.approx(gigabytes)


@pytest.mark.parametrize("row", [row for row in catalog.rates() if row.parallelism and row.task == "training"], ids=str)
def test_the_memory_of_measured_rows_is_within_a_half_of_what_their_chips_have(row):
    """An estimate: 8-bit numbers, offloading and recomputing in part are not in it."""
    chip, model = catalog.accelerator(row.accelerator), catalog.model(row.model)
    measured = Job(model, row.sequence, row.batch, FACTS)
    ways = [Split(row.parallelism, row.chips, sharded, again) for sharded in (False, True) for again in (False, True)]
    assert min(memory_bytes(measured, split) for split in ways) < 1.5 * chip.hbm
