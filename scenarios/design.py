"""The design of a sweep: which points, each a policy and the values of some keys, are to be run."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scenarios.errors import ScenarioError
from scenarios.ranges import Span, number_of, values_of

POLICY = "policy"  # the parameter that holds a policy's SPEC
MOST_POINTS = 100_000


@dataclass(frozen=True, slots=True)
class Axis:
    """Parameters that change together: usually one, several where they are zipped. values: a row per step."""

    names: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Open:
    """A key whose values are to be sampled from a span."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Design:
    """The parameters of a sweep by name, in the order asked for, and their values at every point."""

    names: tuple[str, ...]
    points: tuple[tuple[str, ...], ...]

    def units(self) -> dict[str, str]:
        """The common unit of each parameter whose values are all numbers; empty for plain numbers."""
        found = {}
        for at, name in enumerate(self.names):
            numbers = [number_of(point[at]) for point in self.points]
            units = {number[1] for number in numbers if number is not None}
            if None not in numbers and len(units) == 1 and name != POLICY:
                found[name] = units.pop()
        return found


def axis(key: str, text: str, where: str) -> Axis | Open:
    """A key and the text of its values, such as "10..50:10 MW"."""
    found = values_of(text, where)
    if isinstance(found, Span):
        return Open(key, found)
    return Axis((key,), tuple((value,) for value in found))


def zipped(parts: Sequence[Axis | Open], where: str) -> Axis:
    """Axes of the same length walked side by side."""
    closed = [part for part in parts if isinstance(part, Axis)]
    if len(closed) < len(parts):
        raise ScenarioError("a range without a step cannot be zipped", where)
    lengths = [len(part.values) for part in closed]
    if len(set(lengths)) > 1:
        found = ", ".join(f"{part.names[0]} has {length}" for part, length in zip(closed, lengths, strict=True))
        raise ScenarioError(f"zipped keys need equally many values; found: {found}", where)
    names = tuple(name for part in closed for name in part.names)
    rows = zip(*(part.values for part in closed), strict=True)
    return Axis(names, tuple(tuple(itertools.chain.from_iterable(row)) for row in rows))


def design(axes: Iterable[Axis | Open], sample: int | None, seed: int) -> Design:
    """Every combination of the axes; open ones are sampled together, `sample` times, as one Latin hypercube.

    The last axis changes fastest. Raises ScenarioError for a key that stands twice, for open axes without a sample
    and the other way round, and for more points than anyone would run.
    """
    axes = list(axes)
    opened = [one for one in axes if isinstance(one, Open)]
    if opened and sample is None:
        text = "is a range without a step; give it one (10..50:10 MW), or say how many points to sample (--sample 64)"
        raise ScenarioError(text, opened[0].name)
    if sample is not None and sample > MOST_POINTS:
        raise ScenarioError(f"found {sample:,}; allowed: at most {MOST_POINTS:,} points", "--sample")
    if sample is not None and not opened:
        raise ScenarioError("needs a key with a range without a step, such as site.feed=10..50 MW", "--sample")
    closed = [one for one in axes if isinstance(one, Axis)]
    if opened and sample is not None:
        closed.append(_hypercube(opened, sample, seed))
    names = distinct(name for one in closed for name in one.names)
    count = 1
    for one in closed:
        count *= len(one.values)
        if count > MOST_POINTS:
            raise ScenarioError(f"the sweep has more than {MOST_POINTS:,} points; sample some of them with --sample")
    rows = itertools.product(*(one.values for one in closed))
    return Design(names, tuple(tuple(itertools.chain.from_iterable(row)) for row in rows))


def distinct(names: Iterable[str]) -> tuple[str, ...]:
    """The parameters of a design; ScenarioError for one that stands twice."""
    found = tuple(names)
    twice = next((name for at, name in enumerate(found) if name in found[:at]), None)
    if twice is not None:
        raise ScenarioError("is varied twice", twice)
    return found


def _hypercube(opened: Sequence[Open], sample: int, seed: int) -> Axis:
    """Points of which each key's span sees equally many in each of `sample` equal parts (McKay et al., 1979)."""
    from scipy.stats.qmc import LatinHypercube  # takes a second to import

    shares = LatinHypercube(len(opened), rng=seed).random(sample)
    rows = tuple(tuple(one.span.at(share) for one, share in zip(opened, row, strict=True)) for row in shares.tolist())
    return Axis(tuple(one.name for one in opened), tuple(dict.fromkeys(rows)))
