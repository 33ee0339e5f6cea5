"""Power from the chip to the meter: what racks draw, and the limits on the way. Pure functions on plain numbers."""

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from scenarios.hardware import RackEntry, Stage

Draw = TypeVar("Draw", float, NDArray[np.float64])

NW_PER_W = 1_000_000_000
"""Draws are kept as whole nanowatts: sums of millions of starts and ends stay exact, and 9 GW still fit."""


def stage_input_w(output_w: float, stage: Stage) -> float:
    """What a conversion stage draws [W]: P_in = m (P_out / m + c) / eta, m converters in parallel, c lost in each."""
    return (output_w + stage.units * stage.fixed) / stage.efficiency


def rack_draw_w(rack: RackEntry, idle_w: float, busy_chips: float = 0, busy_w: float = 0.0) -> float:
    """What a rack draws at its input [W] with so many busy chips of busy_w each, the others idle at idle_w."""
    return stage_input_w(rack_busbar_w(rack, idle_w, busy_chips, busy_w), rack.rack_stage)


def rack_busbar_w(rack: RackEntry, idle_w: float, busy_chips: float = 0, busy_w: float = 0.0) -> float:
    """What a rack's nodes, switches and fans draw behind its own conversion stage [W].

    Busy chips are spread evenly over the nodes; since all stages are linear the sum does not depend on where they are.
    """
    nodes = rack.chips // rack.node_chips
    chips_w = busy_chips * (busy_w + rack.host_per_chip) + (rack.chips - busy_chips) * idle_w
    node_w = stage_input_w(rack.host + chips_w / nodes, rack.node_stage)
    if rack.chassis is None:
        return nodes * node_w + rack.fixed
    chassis_w = stage_input_w(rack.chassis.nodes * node_w + rack.chassis.switches, rack.chassis.stage)
    return nodes // rack.chassis.nodes * chassis_w + rack.fixed


def hosts_w(rack: RackEntry) -> float:
    """What a rack's hosts, switches and fans draw whatever its chips do, before conversion [W]."""
    nodes = rack.chips // rack.node_chips
    chassis = 0 if rack.chassis is None else nodes // rack.chassis.nodes
    return nodes * rack.host + (chassis * rack.chassis.switches if rack.chassis is not None else 0.0) + rack.fixed


def busy_chip_w(rack: RackEntry, idle_w: float, busy_w: float) -> float:
    """What a rack draws more at its input [W] when one idle chip becomes busy: chip and host share, all stages."""
    chassis = rack.chassis.stage.efficiency if rack.chassis is not None else 1.0
    through = rack.node_stage.efficiency * chassis * rack.rack_stage.efficiency
    return (busy_w + rack.host_per_chip - idle_w) / through


def stored_w(give_w: Draw, round_trip: float) -> Draw:
    """What flows into a battery that gives so much at the meter, below 0 while it takes up charge [W].

    Losses are the same both ways: giving P draws P / sqrt(round trip) from the store, taking P adds P sqrt(round trip).
    """
    one_way = math.sqrt(round_trip)
    return -give_w * ((give_w > 0) / one_way + (give_w <= 0) * one_way)


def feed_w(it_w: float, fixed_w: float, proportional: float) -> float:
    """What the meter sees [W]: feed = IT (1 + proportional) + fixed."""
    return it_w * (1.0 + proportional) + fixed_w
