"""What gangs that wait have in common: the pools that they may use, their size, and what tells them apart besides."""

from typing import ClassVar
from weakref import WeakValueDictionary

from topologies.levels import Within


class Shape:
    """What gangs of one class and size need, for each pool they may use, by position.

    pools: positions in the plant. chips: the gang's size. pace_s: seconds a unit of work at full speed.
    draw_nw: what one chip is admitted with, of what it draws more at its rack's input when busy [nW]. priority: of the
    class, where gangs are stopped for its sake; else 0, so that like gangs of all classes wait together. quota: the
    number of the quota that it counts against, -1 for none. within: the units that it may have to sit in, None for
    anywhere. Equal shapes are one object, so that a queue of shapes looks them up at the cost of an address.
    """

    __slots__ = ("__weakref__", "chips", "draw_nw", "pace_s", "pools", "priority", "quota", "within")
    _known: ClassVar["WeakValueDictionary[tuple[object, ...], Shape]"] = WeakValueDictionary()

    pools: tuple[int, ...]
    chips: int
    pace_s: tuple[float, ...]
    draw_nw: tuple[int, ...]
    priority: int
    quota: int
    within: Within | None

    def __new__(
        cls,
        pools: tuple[int, ...],
        chips: int,
        pace_s: tuple[float, ...],
        draw_nw: tuple[int, ...],
        *,
        priority: int = 0,
        quota: int = -1,
        within: Within | None = None,
    ) -> "Shape":
        """The shape of these needs."""
        key = (pools, chips, pace_s, draw_nw, priority, quota, within)
        shape = cls._known.get(key)
        if shape is None:
            shape = object.__new__(cls)
            shape.pools, shape.chips, shape.pace_s, shape.draw_nw, shape.priority, shape.quota, shape.within = key
            cls._known[key] = shape
        return shape

    def __repr__(self) -> str:
        """The shape as it was made."""
        more = f"{self.priority}, {self.quota}, {self.within}"
        return f"Shape({self.pools}, {self.chips}, {self.pace_s}, {self.draw_nw}, {more})"

    def of_priority(self, priority: int) -> "Shape":
        """The same for gangs of one priority alone."""
        return self._but(priority=priority)

    def of_quota(self, quota: int) -> "Shape":
        """The same for gangs that count against one quota alone."""
        return self._but(quota=quota)

    def _but(self, **changed: int) -> "Shape":
        kept = {"priority": self.priority, "quota": self.quota} | changed
        return Shape(self.pools, self.chips, self.pace_s, self.draw_nw, within=self.within, **kept)

    def in_size(
        self, pools: tuple[int, ...], chips: int, pace_s: tuple[float, ...], draw_nw: tuple[int, ...]
    ) -> "Shape":
        """The same for gangs of another size."""
        return Shape(pools, chips, pace_s, draw_nw, priority=self.priority, quota=self.quota, within=self.within)

    def only_in(self, pool: int) -> "Shape":
        """The same for gangs that may use one of its pools alone."""
        at = self.pools.index(pool)
        return self.in_size((pool,), self.chips, (self.pace_s[at],), (self.draw_nw[at],))

    def pace_in(self, pool: int) -> float:
        """Seconds a unit of work in a pool of this shape."""
        return self.pace_s[self.pools.index(pool)]

    def gang_nw(self, pool: int) -> int:
        """What the whole gang draws more in a pool of this shape [nW]."""
        return self.chips * self.draw_nw[self.pools.index(pool)]
