"""What a job keeps of its work when it is stopped."""

from dataclasses import dataclass

from scenarios.instants import ticks


@dataclass(frozen=True, slots=True)
class Interruptions:
    """A checkpoint is written every so long and takes stall_s; a stopped job needs restart_s before it goes on."""

    every_s: float
    stall_s: float
    restart_s: float

    def write_s(self, grace_s: float) -> float:
        """How long a gang that is told so long before holds its chips to write a checkpoint [s]."""
        return self.stall_s if grace_s >= self.stall_s else 0.0

    def kept_s(self, done_s: float, warned_s: float) -> float:
        """Run time that a stop leaves [s]: all of it where the warning allows a last write, else whole intervals."""
        if warned_s >= self.stall_s:
            return done_s
        return min(done_s, ticks(done_s) // max(1, ticks(self.every_s)) * self.every_s)
