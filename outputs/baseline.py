"""What the points of a sweep are compared to: the point that has chosen values of some parameters, the others equal."""

from collections.abc import Mapping
from dataclasses import dataclass

from outputs.points import Points, Value, value_text
from outputs.sweep_folder import Sweep
from scenarios.errors import ScenarioError, nearest, unknown

SWEEP, POLICY = "sweep", "policy"  # the parameter of sweeps that are joined, and of policies
_OPTION = "--baseline"
_LISTED = 12


@dataclass(frozen=True, slots=True)
class Baseline:
    """Chosen values by the number of their parameter."""

    values: Mapping[int, Value]
    label: str  # such as "policy=fifo,site.feed=20"

    def of(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        """The point that a point is compared to."""
        return tuple(self.values.get(at, value) for at, value in enumerate(values))


def baseline_of(points: Points, text: str | None) -> Baseline | None:
    """The baseline that a user asked for, else the first sweep of several, else the first policy, else the first point.

    None in a sweep without points; ScenarioError for a text that names no parameter, no value of it or no point.
    """
    if not points.all:
        return None
    names, first = points.sweep.parameters, points.all[0].values
    if text is not None:
        chosen = _asked_for(points, text)
        if not any(all(point.values[at] == value for at, value in chosen.items()) for point in points.all):
            raise ScenarioError("no point of the sweep has these values together", f"{_OPTION} {text}")
    else:
        several = [name for name in (SWEEP, POLICY) if name in names and len(points.values_of(names.index(name))) > 1]
        chosen = dict(enumerate(first))
        if several:
            at = names.index(several[0])
            chosen = {at: first[at]}
    return Baseline(chosen, ",".join(f"{names[at]}={value_text(value)}" for at, value in chosen.items()))


def _asked_for(points: Points, text: str) -> dict[int, Value]:
    where, chosen = f"{_OPTION} {text}", {}
    for name, word in _parts(text, points.sweep):
        if name not in points.sweep.parameters:
            raise ScenarioError(unknown("parameter", name, points.sweep.parameters), where)
        at = points.sweep.parameters.index(name)
        if at in chosen:
            raise ScenarioError(f"names {name} twice", where)
        chosen[at] = _value(points, at, word, where)
    return chosen


def _parts(text: str, sweep: Sweep) -> list[tuple[str, str]]:
    """KEY=VALUE parts. A comma may belong to a value, as in policy=order=sjf,backfill=none: no parameter follows it."""
    parts: list[tuple[str, str]] = []
    for part in text.split(","):
        name, sign, word = part.partition("=")
        name = name.strip()
        if parts and name not in sweep.parameters and not (sign and nearest(name, sweep.parameters)):
            before, words = parts.pop()
            parts.append((before, f"{words},{part}"))
        elif sign:
            parts.append((name, word.strip()))
        else:
            raise ScenarioError("allowed: KEY=VALUE parts joined by commas, such as policy=easy", f"{_OPTION} {text}")
    return parts


def _value(points: Points, at: int, word: str, where: str) -> Value:
    values, unit = points.values_of(at), points.sweep.units.get(points.sweep.parameters[at], "")
    number = _number(word.removesuffix(unit).strip()) if points.is_number(at) else None
    for value in values:
        if value_text(value) == word or (number is not None and value == number):
            return value
    texts = [value_text(value) for value in values]
    rest = f" and {len(texts) - _LISTED} more" if len(texts) > _LISTED else ""
    name = points.sweep.parameters[at]
    allowed = f"(allowed: {', '.join(texts[:_LISTED])}{rest}{f' in {unit}' if unit else ''})"
    raise ScenarioError(f"no point has {name} {word!r}{nearest(word, texts)} {allowed}", where)


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
