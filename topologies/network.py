"""The network of a plant: where gangs sit in its fabrics, and how fast they work there. It never changes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from topologies.domains import Domain, Seat, even_part
from topologies.fabric import Fabric
from topologies.free import FreeChips, Placement
from topologies.speeds import Speed


class Flow(NamedTuple):
    """What a gang puts on links up from leaves and pods: which, and what it would send on each [bytes/s]."""

    links: tuple[int, ...]
    bytes_per_s: float

    @property
    def weight(self) -> float:
        """Its part of a full link, as what it would send [GB/s]."""
        return max(1e-9, self.bytes_per_s / 1e9)


@dataclass(frozen=True, slots=True)
class Segment:
    """The fabric of one pool and the domains on it. Links up are numbered from first_link: those of groups, of pods."""

    domain: Domain
    form: Fabric
    first_link: int

    @property
    def capacities(self) -> list[float]:
        """What each link up carries, one direction [bytes/s]; links that are never full carry all that is below."""
        form = self.form
        pods = [form.pod_bytes_per_s] * form.pods if form.pods > 1 else []
        return [form.group_bytes_per_s] * form.groups + pods

    @property
    def shares(self) -> bool:
        """Whether gangs can ever get into each other's way: not where links up carry all that is sent from below."""
        below = self.form.group * self.form.ends.nics * self.form.ends.link_bytes_per_s
        pod_below = self.form.pod_groups * below
        narrow = self.form.groups > 1 and self.form.group_bytes_per_s < below
        return narrow or (self.form.pods > 1 and self.form.pod_bytes_per_s < pod_below)

    def free_chips(self, present: bool) -> FreeChips:
        """The free-capacity index of the pool, which knows leaves, pods and the chips of a torus."""
        form, domains = self.form, self.form.ends.domains
        groups = _runs(domains, form.group) if form.groups > 1 else ()
        pods = _runs(domains, form.group * form.pod_groups) if form.pods > 1 else ()
        return FreeChips(domains, self.domain.chips, present, groups, pods, self.domain.torus)

    def compact(self, chips: int) -> Seat:
        """The best seat of a gang in an empty pool: the fewest domains, as even as can be, under the fewest leaves."""
        size = self.domain.chips
        domains = -(-chips // size)
        even, (whole, rest) = even_part(chips, size), divmod(chips, size)
        slices = [size] * whole + [rest] * (rest > 0) if even is None else [even] * domains
        sides = self.domain.best_sides(slices[-1])
        under = min(chips, self.form.group * size)
        in_pod = min(chips, self.form.pod_groups * self.form.group * size)
        level = 0 if domains == 1 else 1 if under == chips else 2 if in_pod == chips else 3
        return Seat(chips, domains, math.gcd(*slices), sides, level, slices[0], under, in_pod)

    def seat(self, placement: Placement) -> Seat:
        """The seat of a placement."""
        if len(placement) == 1:
            ((_, count),) = placement
            return Seat(count, 1, count, self.domain.sides_of([count]), 0, count, count, count)
        slices = [count for _, count in placement]
        chips = sum(slices)
        groups = self._chips_by(placement, self.form.group)
        pods = self._chips_by(placement, self.form.group * self.form.pod_groups)
        level = 1 if len(groups) == 1 else 2 if len(pods) == 1 else 3
        sides = self.domain.sides_of(slices)
        under, in_pod = max(groups.values()), max(pods.values())
        return Seat(chips, len(placement), math.gcd(*slices), sides, level, max(slices), under, in_pod)

    def leaves(self, placement: Placement) -> int:
        """The leaf groups that a placement spans."""
        return len(self._chips_by(placement, self.form.group))

    def share(self, seat: Seat, scatters: bool) -> float:
        """The part of its NICs' bandwidth that a gang which is alone can use [1]."""
        form, nic = self.form, self.domain.nic_bytes_per_s
        share = 1.0
        if seat.level >= 2:
            share = min(share, form.group_bytes_per_s / (nic * _crossing(seat, seat.under, scatters)))
        if seat.level == 3:
            share = min(share, form.pod_bytes_per_s / (nic * _crossing(seat, seat.in_pod, scatters)))
        return share

    def flow(self, placement: Placement, seat: Seat, scatters: bool) -> Flow:
        """What a gang that reaches beyond its leaves puts on links up."""
        groups = self._chips_by(placement, self.form.group)
        links = [self.first_link + group for group in groups]
        if seat.level == 3:
            pods = self._chips_by(placement, self.form.group * self.form.pod_groups)
            links += [self.first_link + self.form.groups + pod for pod in pods]
        return Flow(tuple(links), self.domain.nic_bytes_per_s * _crossing(seat, seat.under, scatters))

    def _chips_by(self, placement: Placement, domains: int) -> dict[int, int]:
        found: dict[int, int] = {}
        for domain, chips in placement:
            at = domain // domains
            found[at] = found.get(at, 0) + chips
        return found


def _runs(domains: int, length: int) -> list[int]:
    """Domains one after the other in runs of a length, as bits."""
    return [((1 << min(length, domains - first)) - 1) << first for first in range(0, domains, length)]


def _crossing(seat: Seat, below: int, scatters: bool) -> float:
    """The chips whose NICs are busy with what leaves a group of leaves, or a pod, that holds so many of the gang.

    In a ring those of one domain: the next group gets what the last domain of this one sends. When all send to all,
    each chip's traffic to the others outside.
    """
    return below * (1 - below / seat.chips) if scatters else seat.widest


@dataclass(frozen=True, slots=True)
class Network:
    """The fabrics by pool, None for plain processors, and the speeds by class and pool, None where nothing is sent.

    contention: whether gangs share links up.
    """

    segments: tuple[Segment | None, ...]
    speeds: tuple[tuple[Speed | None, ...], ...]
    contention: bool
    _planned: dict[tuple[int, int, int], float | None] = field(default_factory=dict)

    def planned_pace_s(self, job_class: int, pool: int, chips: int) -> float | None:
        """Seconds a unit of work of a gang at its best seat, None where its speed does not depend on seats."""
        key = (job_class, pool, chips)
        if key not in self._planned:
            segment, speed = self.segments[pool], self.speeds[job_class][pool]
            if segment is None or speed is None:
                self._planned[key] = None
            else:
                seat = segment.compact(chips)
                self._planned[key] = speed.pace_s(seat, segment.share(seat, speed.scatters))
        return self._planned[key]

    @property
    def capacities(self) -> Sequence[float]:
        """What all links up carry [bytes/s]."""
        return [rate for segment in self.segments if segment is not None for rate in segment.capacities]
