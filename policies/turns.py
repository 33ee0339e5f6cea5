"""Whether jobs that take turns on chips keep any of the work of a turn."""

import math

from policies.preemption import Preemption
from scenarios.units import format_quantity


def turn_s(preemption: Preemption) -> float:
    """The shortest time that a gang works before it may be stopped, its restart included [s].

    It keeps its chips for min_run_s, and then to the end of a slice, which the checkpoints of those before it begin.
    """
    slice_s = preemption.slice_s
    if slice_s is None:
        return preemption.min_run_s
    write_s = preemption.losses.write_s(preemption.grace_s)
    return max(1, math.ceil((write_s + preemption.min_run_s) / slice_s)) * slice_s - write_s


def wasted_turns(preemption: Preemption) -> str | None:
    """Why a job that was stopped once gets no further in a shortest turn; None where it does."""
    losses, shortest_s = preemption.losses, turn_s(preemption)
    work_s = shortest_s - losses.restart_s
    if work_s > 0 and losses.kept_s(work_s, preemption.grace_s) > 0:
        return None
    turn, restart = format_quantity(shortest_s, "s"), format_quantity(losses.restart_s, "s")
    text = f"a job may be stopped after {turn} on its chips, and then it keeps nothing: failures.restart is {restart}"
    if work_s > 0:
        grace, stall = format_quantity(preemption.grace_s, "s"), format_quantity(losses.stall_s, "s")
        every = format_quantity(losses.every_s, "s")
        text += f", failures.checkpoint.every {every}, and in a grace of {grace} no checkpoint of {stall} is written"
    return f"{text}; so jobs that take turns may never end"
