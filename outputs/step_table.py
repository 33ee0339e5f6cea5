"""The table of `megawatt show step`: how long a training step of a model takes on gangs of several sizes."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.table import Table

from outputs.tables import table
from scenarios.errors import ScenarioError, unknown
from scenarios.hardware import Precision
from topologies import catalog
from topologies.domains import Domain
from topologies.exchange import Split
from topologies.fabric import Endpoints, Switches, least_rails, two_tiers
from topologies.network import Segment
from topologies.rates import Rated, Trains, rated
from topologies.step_time import Step
from topologies.trained import Trained, trained

_PORTS = 10**9  # enough for any gang on two tiers that carry all


class StepRow(NamedTuple):
    """A gang of a rack's chips in an empty pool: how it splits the model, its step, and tokens/s of each chip."""

    rack: str
    chips: int
    split: Split
    step: Step
    tokens_per_s_per_chip: float
    basis: str
    batch: int


def step_rows(model: str, racks: Sequence[str], sizes: Sequence[int], precision: Precision | None) -> list[StepRow]:
    """Steps on a fabric that carries all traffic; racks and sizes that cannot train the model are left out.

    ScenarioError for unknown names.
    """
    if model not in catalog.table("models"):
        raise ScenarioError(unknown("model", model, catalog.table("models")))
    known = list(catalog.table("racks"))
    for rack in racks:
        if rack not in known:
            raise ScenarioError(unknown("rack", rack, known), "--rack")
    return [row for rack in dict.fromkeys(racks) or known for row in _of_rack(model, rack, sizes, precision)]


def _of_rack(model: str, rack: str, sizes: Sequence[int], precision: Precision | None) -> Iterator[StepRow]:
    entry, joined = catalog.rack(rack), catalog.interconnect(rack)
    chip, facts, what = catalog.accelerator(entry.accelerator), catalog.tasks(), catalog.model(model)
    rate = rated(
        Trains("training", model, what, what.sequence, precision), entry.accelerator, chip, catalog.rates(), facts
    )
    if rate is None or chip.hbm is None:
        return
    domain = Domain.of(joined, entry.domain_chips)
    ends = Endpoints(2 * -(-max(sizes) // entry.domain_chips), joined.nics, joined.nic_bandwidth, 0.0)
    switches = Switches(2 * joined.nics, 0.0, _PORTS)
    segment = Segment(domain, two_tiers(ends, switches, 1.0, least_rails(ends, switches, 1.0, 1)), 0)
    speed = trained(rate, chip.hbm, facts, segment, domain)
    for chips in sizes:
        if chips >= rate.least:
            yield _row(rack, chips, speed, segment, rate)


def _row(rack: str, chips: int, speed: Trained, segment: Segment, rate: Rated) -> StepRow:
    seat = segment.compact(chips)
    step, split = speed.step(seat, 1.0), speed.split(seat)
    tokens = speed.job.batch * speed.job.sequence / step.total_s / chips
    basis = "the chip's usual utilization"
    if rate.row is not None:
        basis = f"{rate.row.precision}, measured on {rate.row.chips:,}: {rate.row.tokens_per_s_per_chip:,.0f}"
    if speed.scale < 1:
        basis += f"; exchange x {speed.scale:.2f}"
    return StepRow(rack, chips, split, step, tokens, basis, speed.job.batch)


def step_table(model: str, rows: Sequence[StepRow]) -> Table:
    """The rows as a table; ScenarioError where there are none."""
    if not rows:
        raise ScenarioError(
            f"no rack can train {model} on so few chips, or at a rate that is known; allowed: larger gangs"
        )
    heads = [
        "rack",
        "chips ",
        "split",
        "step ",
        "computing ",
        "waiting exchange ",
        "bubble ",
        "background ",
        "tokens/s/chip ",
    ]
    lines = [
        [
            row.rack,
            f"{row.chips:,}",
            split_name(row.split),
            f"{row.step.total_s:,.2f} s",
            *(
                f"{part / row.step.total_s:.1%}"
                for part in (row.step.compute_s, row.step.blocking_s, row.step.bubble_s, row.step.background_s)
            ),
            f"{row.tokens_per_s_per_chip:,.0f}",
            row.basis,
        ]
        for row in rows
    ]
    title = f"training {model}, batches of {rows[0].batch:,} sequences; exchange that is hidden costs nothing"
    return table(title, [*heads, "rate from"], lines)


def split_name(split: Split) -> str:
    """How a model is split, in a few letters: "TP8 PP8 CP2 DP8"."""
    degrees = split.degrees
    parts = [("TP", degrees.tensor), ("PP", degrees.pipeline), ("CP", degrees.context), ("EP", degrees.expert)]
    name = " ".join(f"{letters}{count}" for letters, count in parts if count > 1)
    ways = [word for word, used in (("sharded", split.sharded), ("recomputed", split.recomputed)) if used]
    return " ".join([*([name] if name else []), f"DP{split.replicas}", *ways])
