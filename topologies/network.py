"""The network of a plant: where gangs sit in its fabrics, and how fast they work there. It never changes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, overload

from topologies.domains import Domain, Seat, Uplinks, even_part
from topologies.fabric import Fabric
from topologies.free import FreeChips, Placement
from topologies.speeds import Speed


class Flow(NamedTuple):
    """What a gang puts on links up from leaves and pods: which, and what it would send on each [bytes/s]."""

    links: tuple[int, ...]
    chips: float  # whose NICs are busy with it: its weight
    bytes_per_s: float


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

    def free_chips(self, present: bool, node_chips: int = 0) -> FreeChips:
        """The free-capacity index of the pool, which knows leaves, pods and the chips of a torus.

        node_chips: of a node, where it is to know these too.
        """
        form, domains = self.form, self.form.ends.domains
        groups = _Runs(domains, form.group) if form.groups > 1 else ()
        pods = _Runs(domains, form.group * form.pod_groups) if form.pods > 1 else ()
        return FreeChips(domains, self.domain.chips, present, groups, pods, self.domain.torus, node_chips)

    def compact(self, chips: int) -> Seat:
        """The packed seat of a gang in an empty pool: few domains, equal parts where they serve, under few leaves."""
        size = self.domain.chips
        even, (whole, rest) = even_part(chips, size), divmod(chips, size)
        if even is None or chips // even > self.form.ends.domains:
            slices = [size] * whole + [rest] * (rest > 0)
        else:
            slices = [even] * (chips // even)
        sides = self.domain.best_sides(slices[-1])
        under = min(chips, self.form.group * slices[0])
        in_pod = min(chips, self.form.pod_groups * self.form.group * slices[0])
        level = 0 if len(slices) == 1 else 1 if under == chips else 2 if in_pod == chips else 3
        return Seat(chips, len(slices), math.gcd(*slices), sides, level, slices[-1], under, in_pod)

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
        return Seat(chips, len(placement), math.gcd(*slices), sides, level, min(slices), under, in_pod)

    def leaves(self, placement: Placement) -> int:
        """The leaf groups that a placement spans."""
        return len(self._chips_by(placement, self.form.group))

    @property
    def up(self) -> Uplinks:
        """What the links up carry beside what a chip can send."""
        return Uplinks(self.form.group_bytes_per_s, self.form.pod_bytes_per_s, self.domain.nic_bytes_per_s)

    def flow(self, placement: Placement, seat: Seat, chips: float) -> Flow:
        """What a gang that reaches beyond its leaves puts on links up, with the NICs of so many chips busy on each."""
        links = [self.first_link + group for group in self._chips_by(placement, self.form.group)]
        if seat.level == 3:
            pods = self._chips_by(placement, self.form.group * self.form.pod_groups)
            links += [self.first_link + self.form.groups + pod for pod in pods]
        return Flow(tuple(links), chips, self.domain.nic_bytes_per_s * chips)

    def _chips_by(self, placement: Placement, domains: int) -> dict[int, int]:
        found: dict[int, int] = {}
        for domain, chips in placement:
            at = domain // domains
            found[at] = found.get(at, 0) + chips
        return found


class _Runs(Sequence[int]):
    """Domains one after the other in runs of a length, as bits that are made when they are looked at."""

    def __init__(self, domains: int, length: int) -> None:
        self._domains = domains
        self._length = length

    def __len__(self) -> int:
        return -(-self._domains // self._length)

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> list[int]: ...
    def __getitem__(self, at: int | slice) -> int | list[int]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        first = range(0, self._domains, self._length)[at]
        return ((1 << min(self._length, self._domains - first)) - 1) << first


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
        """Seconds a unit of work of a gang on its packed seat, None where its speed does not depend on seats."""
        key = (job_class, pool, chips)
        if key not in self._planned:
            segment, speed = self.segments[pool], self.speeds[job_class][pool]
            if segment is None or speed is None:
                self._planned[key] = None
            else:
                self._planned[key] = speed.alone(segment.compact(chips)).pace_s
        return self._planned[key]

    def unbound_pace_s(self, job_class: int, pool: int, chips: int) -> float | None:
        """As planned_pace_s, with links up that carry all that is sent."""
        segment, speed = self.segments[pool], self.speeds[job_class][pool]
        return None if segment is None or speed is None else speed.pace_s(segment.compact(chips), 1.0)

    @property
    def capacities(self) -> Sequence[float]:
        """What all links up carry [bytes/s]."""
        return [rate for segment in self.segments if segment is not None for rate in segment.capacities]
