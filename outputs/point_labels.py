"""Points and parameters in words, as short as tells them apart."""

from outputs.baseline import Baseline
from outputs.points import Point, Points, Value, value_text

_BY_THEMSELVES = ("policy", "sweep")  # parameters whose values need no name
_FIGURES = 4


class Labels:
    """The words for the points of a sweep; parameters with one value are left out."""

    def __init__(self, points: Points) -> None:
        self._points = points
        names = points.sweep.parameters
        ends = [name.rsplit(".", 1)[-1] for name in names]
        self.short = [end if ends.count(end) == 1 else name for name, end in zip(names, ends, strict=True)]
        self.varied = [at for at in range(len(names)) if len(points.values_of(at)) > 1]
        self._rounded = [self._tells_apart(at) for at in range(len(names))]

    def _tells_apart(self, at: int) -> bool:
        values = self._points.values_of(at)
        return len({_figures(value) for value in values}) == len(values)

    def head(self, at: int) -> str:
        """A parameter with its unit, such as "feed [MW]"."""
        unit = self._points.sweep.units.get(self._points.sweep.parameters[at], "")
        return f"{self.short[at]} [{unit}]" if unit else self.short[at]

    def axis(self, at: int) -> str:
        """A parameter by its whole name with its unit, such as "site.feed [MW]"."""
        name, unit = self._points.sweep.parameters[at], self._points.sweep.units.get(self._points.sweep.parameters[at])
        return f"{name} [{unit}]" if unit else name

    def value(self, at: int, value: Value) -> str:
        """A value without its unit; samples in four figures where that tells them apart."""
        return _figures(value) if self._rounded[at] else value_text(value)

    def chosen(self, at: int, value: Value) -> str:
        """A value with its parameter, such as "feed 20 MW"; a policy is named by itself."""
        text = self.value(at, value)
        if self._points.sweep.parameters[at] in _BY_THEMSELVES:
            return text
        unit = self._points.sweep.units.get(self._points.sweep.parameters[at], "")
        return f"{self.short[at]} {text}{'' if not unit or value is None else f' {unit}'}"

    def point(self, point: Point, without: tuple[int, ...] = ()) -> str:
        """A point by its varied parameters, or those that are left."""
        parts = [self.chosen(at, point.values[at]) for at in self.varied if at not in without]
        return ", ".join(parts) or ("" if without else "the only point")

    def baseline(self, baseline: Baseline) -> str:
        """The baseline in the same words."""
        known = {at: value for at, value in baseline.values.items() if at in self.varied} or baseline.values
        return ", ".join(self.chosen(at, value) for at, value in known.items())


def _figures(value: Value) -> str:
    if not isinstance(value, float):
        return value_text(value)
    text = f"{value:.{_FIGURES}g}"
    return value_text(float(text)) if "e" in text else text
