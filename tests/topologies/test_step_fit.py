"""docs/communication.md against the model: the 405B table, and measurements that no rate here was made from."""

from pathlib import Path

import pytest

from outputs.step_table import split_name, step_rows
from scenarios.network import Parallelism
from topologies import catalog
from topologies.domains import Domain
from topologies.exchange import Job, times
from topologies.fabric import Endpoints, Switches, two_tiers
from topologies.network import Segment
from topologies.rates import Trains, rated, training_flop_per_token
from topologies.step_time import given, step, token_s_of
from topologies.trained import trained

PAGE = (Path(__file__).parents[2] / "docs" / "communication.md").read_text(encoding="utf-8")
FACTS = catalog.tasks()
LLAMA = catalog.model("llama3-405b")
AMPLE = 1e15  # HBM that never binds


def segment(rack):
    entry, joined = catalog.rack(rack), catalog.interconnect(rack)
    ends = Endpoints(20_000 // entry.domain_chips, joined.nics, joined.nic_bandwidth, 0.0)
    switches = Switches(2 * joined.nics, 0.0, 10_000)
    return Segment(Domain.of(joined, entry.domain_chips), two_tiers(ends, switches, 1.0, 1), 0)


def speed(rack, model):
    entry, where = catalog.rack(rack), segment(rack)
    chip, what = catalog.accelerator(entry.accelerator), catalog.model(model)
    rate = rated(Trains("training", model, what, what.sequence), entry.accelerator, chip, catalog.rates(), FACTS)
    return trained(rate, chip.hbm, FACTS, where, where.domain), rate


def rate_of(rack, batch, chips, degrees, token_s):
    """Tokens/s of each chip."""
    where, job = segment(rack), Job(LLAMA, 8192, batch, FACTS)
    parts = times(job, given(job, degrees, chips, AMPLE), where.domain, where.compact(chips), 1.0)
    return batch * 8192 / step(parts, token_s, FACTS).total_s / chips


def said(row):
    """The cells of a line of the page."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {row}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize("chips", [512, 1024, 4096])
@pytest.mark.parametrize("rack", ["dgx-h100", "gb200-nvl72", "trn2-ultraserver"])
def test_the_405b_table(rack, chips):
    (row,) = step_rows("llama3-405b", [rack], [chips], None)
    cells = said(f"{rack} | {chips:,} ")
    parts = (row.step.compute_s, row.step.blocking_s, row.step.bubble_s, row.step.background_s)
    assert cells[2] == split_name(row.split)
    assert cells[3] == f"{row.step.total_s:.2f} s"
    assert cells[4:8] == [f"{100 * part / row.step.total_s:.1f} %" for part in parts]
    assert cells[8] == f"{row.tokens_per_s_per_chip:.0f}"


def test_twice_the_chips_with_the_same_batch_against_llama_3s_own_training():
    """arXiv 2407.21783, table 4: TP8 PP16, 16 M tokens a step; 430 TFLOP/s on 8,192 chips and 400 on 16,384."""
    degrees, where = Parallelism(tensor=8, pipeline=16), segment("dgx-h100")
    flop, job = 6 * 405.85e9 + 6 * 126 * 16384 * 8192, Job(LLAMA, 8192, 2048, FACTS)
    parts = times(job, given(job, degrees, 8192, AMPLE), where.domain, where.compact(8192), 1.0)
    token_s = token_s_of(parts, 2048 * 8192 * flop / (8192 * 430e12), FACTS)
    model = rate_of("dgx-h100", 2048, 16384, degrees, token_s) * flop / 1e12
    assert said("Llama 3 405B, BF16 on H100")[1:] == [
        "400",
        f"{model:.0f}",
        f"{model / 400 - 1:+.1%}".replace("%", " %"),
    ]


def test_a_smaller_batch_on_the_same_chips():
    degrees = Parallelism(tensor=8, pipeline=8, context=2)
    token_s = speed("dgx-h100", "llama3-405b")[0].token_s
    small, usual = (rate_of("dgx-h100", batch, 1024, degrees, token_s) for batch in (512, 1536))
    assert said("Llama 3 405B, FP8 on 1,024 H100")[2:] == [f"{small:.0f}", f"{small / 292 - 1:+.1%}".replace("%", " %")]
    measured = 292 / 311
    ratio = small / usual
    assert said("the same, with both")[1:] == [
        f"{measured:.3f}",
        f"{ratio:.3f}",
        f"{ratio / measured - 1:+.1%}".replace("%", " %"),
    ]


@pytest.mark.parametrize(
    ("rack", "row"), [("dgx-h100", "1,024 H100"), ("gb200-nvl72", "256 GB200"), ("gb300-nvl72", "256 GB300")]
)
def test_a_large_model_from_the_row_of_a_smaller_one(rack, row):
    small, small_rate = speed(rack, "llama3-70b")
    _, rate = speed(rack, "llama3-405b")
    longer = training_flop_per_token(LLAMA, 8192) / training_flop_per_token(small_rate.what.model, 8192)
    model = rate_of(rack, rate.row.batch, rate.row.chips, rate.row.parallelism, small.token_s * longer)
    cells = said(f"Llama 3 405B on {row} from the 70B row")
    assert cells[1].startswith(f"{rate.tokens_per_s:,.0f}")
    assert cells[2:] == [f"{model:.0f}", f"{model / rate.tokens_per_s - 1:+.0%}".replace("%", " %")]


def test_the_computing_part_of_a_gang_is_that_of_its_step_when_it_is_alone():
    made, _ = speed("dgx-h100", "llama3-405b")
    seat = segment("dgx-h100").compact(512)
    alone = made.step(seat, made.alone(seat).share)
    computing = made.alone(seat).computing
    assert computing == alone.compute_s / alone.total_s
    assert f"{100 * computing:.1f} %" == said("dgx-h100 | 512 ")[4]
    assert computing > made.step(seat, 0.5 * made.alone(seat).share).computing
