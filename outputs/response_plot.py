"""How metrics answer to a parameter that is a number: lines with bands on a grid, dots with intervals for samples."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import ScaledTranslation

from outputs.comparison import Compared, Comparison
from outputs.drawing import COLORS
from outputs.point_labels import Labels
from outputs.points import Point, Value
from outputs.scales import Scale
from outputs.sweep_axes import SweepAxes, axes_of, grouped, number
from outputs.sweep_drawing import axis_label, new_figure, scale_for, wrapped

_MOST_PANELS, _MOST_PARAMETERS, _MOST_TICKS = 3, 4, 12
_WIDE = 50.0  # a span of values that wants a logarithmic axis
_MAP = "viridis"
_MOST_BANDS, _ASIDE_PT = 4, 3.0  # lines whose intervals are bands; the points by which the bars of more stand aside


def response_figure(compared: Comparison, metrics: Sequence[str]) -> Figure | None:
    """Metrics against a parameter; None where no varied parameter is a number."""
    labels = Labels(compared.points)
    design = axes_of(compared.points, labels.varied)
    if not design.numbers:
        return None
    if design.scattered:
        return _samples(compared, labels, design, metrics[0])
    return _grid(compared, labels, design.numbers[0], design, metrics[:_MOST_PANELS])


@dataclass(frozen=True, slots=True)
class _Line:
    points: Sequence[Point]
    color: str
    label: str
    bold: bool  # one of few: with its intervals
    aside_pt: float | None = None  # intervals as bars, and so far beside the others; None: as a band


def _grid(compared: Comparison, labels: Labels, x: int, design: SweepAxes, metrics: Sequence[str]) -> Figure:
    lines = _lines(compared, labels, x, design)
    figure = new_figure(compared, 11, 1.6 + 3.2 * len(metrics))
    panels = figure.subplots(len(metrics), 1, sharex=True, squeeze=False)[:, 0]
    for metric, axes in zip(metrics, panels, strict=True):
        scale = scale_for(compared.of(metric))
        for line in lines:
            _draw(figure, axes, line, [compared.at(point, metric) for point in line.points], scale, x)
        axes.set_ylabel(_two_lines(axis_label(scale, metric)))
    _finish(panels[-1], labels, compared, x)
    if len(lines) > 1:
        rest = [labels.axis(at) for at in labels.varied if at != x]
        _legend(figure, panels[0], "" if lines[0].bold else f"a line for each {' and '.join(rest)}")
    return figure


def _lines(compared: Comparison, labels: Labels, x: int, design: SweepAxes) -> list[_Line]:
    """The points that differ in x alone; where these are many, coloured by one of the other parameters."""
    others = [at for at in labels.varied if at != x]
    groups = {
        values: sorted(points, key=lambda point: number(point.values[x]))
        for values, points in grouped(compared.points.all, others).items()
    }
    if len(groups) <= len(COLORS):
        named, banded = zip(groups.values(), COLORS, strict=False), len(groups) <= _MOST_BANDS
        return [
            _Line(
                points,
                color,
                wrapped(labels.point(points[0], (x,))),
                True,
                None if banded else _ASIDE_PT * (at - (len(groups) - 1) / 2),
            )
            for at, (points, color) in enumerate(named)
        ]
    by = next(iter(design.others), design.numbers[-1])
    values = compared.points.values_of(by)
    colors = dict(zip(values, _shades(len(values)), strict=True))
    shown = values if len(values) <= len(COLORS) else [values[0], values[len(values) // 2], values[-1]]
    names = {value: wrapped(labels.chosen(by, value)) for value in shown}
    return [
        _Line(points, colors[points[0].values[by]], names.get(points[0].values[by], ""), False)
        for points in groups.values()
    ]


def _shades(count: int) -> Sequence[str]:
    """Distinct colours while they last, else shades in order."""
    if count <= len(COLORS):
        return COLORS[:count]
    shades = matplotlib.colormaps[_MAP].resampled(count)
    return [matplotlib.colors.to_hex(shades(at)) for at in range(count)]


def _draw(figure: Figure, axes: Axes, line: _Line, found: Sequence[Compared], scale: Scale, x: int) -> None:
    at = [number(one.point.values[x]) for one in found]
    means = [math.nan if one.estimate.mean is None else one.estimate.mean / scale.size for one in found]
    if not line.bold:
        axes.plot(at, means, color=line.color, linewidth=0.9, alpha=0.7, label=line.label or None)
        return
    half = [math.nan if one.estimate.half_width is None else one.estimate.half_width / scale.size for one in found]
    if line.aside_pt is not None:
        beside = axes.transData + ScaledTranslation(line.aside_pt / 72, 0, figure.dpi_scale_trans)
        axes.plot(at, means, "o-", color=line.color, markersize=4, linewidth=1.5, label=line.label, transform=beside)
        axes.errorbar(at, means, half, fmt="none", ecolor=line.color, elinewidth=1.2, capsize=2, transform=beside)
        ends = [(x_at, y + e) for x_at, y, h in zip(at, means, half, strict=True) for e in (0, -h, h)]
        axes.update_datalim([end for end in ends if not math.isnan(end[1])])  # what stands aside does not count
        axes.autoscale_view()
        return
    axes.plot(at, means, "o-", color=line.color, markersize=4.5, linewidth=1.8, label=line.label)
    low, high = ([mean + sign * part for mean, part in zip(means, half, strict=True)] for sign in (-1, 1))
    axes.fill_between(at, low, high, color=line.color, alpha=0.17, linewidth=0)


def _samples(compared: Comparison, labels: Labels, design: SweepAxes, metric: str) -> Figure:
    """A panel for each number, with a dot and an interval for each point."""
    numbers = design.numbers[:_MOST_PARAMETERS]
    columns = min(2, len(numbers))
    rows = math.ceil(len(numbers) / columns)
    figure = new_figure(compared, 13, 1.4 + 3.6 * rows)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
    scale = scale_for(compared.of(metric))
    groups = grouped(compared.points.all, design.others)
    for x, axes in itertools.zip_longest(numbers, panels):
        if x is None:
            axes.set_visible(False)
            continue
        for (values, points), color in zip(groups.items(), _shades(len(groups)), strict=True):
            _dots(
                axes, [compared.at(point, metric) for point in points], scale, x, color, _name(labels, design, values)
            )
        _finish(axes, labels, compared, x)
    for axes in panels[::columns]:
        axes.set_ylabel(_two_lines(axis_label(scale, metric)))
    if 1 < len(groups) <= len(COLORS):
        _legend(figure, panels[0])
    return figure


def _name(labels: Labels, design: SweepAxes, values: Sequence[Value]) -> str:
    return wrapped(", ".join(labels.chosen(at, value) for at, value in zip(design.others, values, strict=True)))


def _dots(axes: Axes, found: Sequence[Compared], scale: Scale, x: int, color: str, label: str) -> None:
    known = [one for one in found if one.estimate.mean is not None]
    at = [number(one.point.values[x]) for one in known]
    means = [(one.estimate.mean or 0.0) / scale.size for one in known]
    halves = [(one.estimate.half_width or 0.0) / scale.size for one in known]
    axes.errorbar(at, means, halves, fmt="none", ecolor=color, elinewidth=0.8, alpha=0.35)
    axes.plot(at, means, "o", color=color, markersize=4, label=label or None)


def _finish(axes: Axes, labels: Labels, compared: Comparison, x: int) -> None:
    """The name of the parameter, and its values as ticks where they are few."""
    values = sorted(number(value) for value in compared.points.values_of(x) if value is not None)
    axes.set_xlabel(labels.axis(x))
    geometric = _geometric(values)
    if geometric:
        axes.set_xscale("log")
    places = [math.log(value) for value in values] if geometric else values
    least = (places[-1] - places[0]) / (2 * _MOST_TICKS)  # closer ones would print over each other
    if len(values) <= _MOST_TICKS and all(after - before >= least for before, after in itertools.pairwise(places)):
        axes.set_xticks(values, [labels.value(x, value) for value in values], minor=False)
        axes.set_xticks([], minor=True)


def _geometric(values: Sequence[float]) -> bool:
    """Whether values span magnitudes, and their middle one is nearer the geometric mean of the ends."""
    low, high, middle = values[0], values[-1], values[len(values) // 2]
    if low <= 0 or high / low < _WIDE:
        return False
    linear, logarithmic = (middle - low) / (high - low), math.log(middle / low) / math.log(high / low)
    return abs(logarithmic - 0.5) < abs(linear - 0.5)


def _legend(figure: Figure, axes: Axes, title: str = "") -> None:
    handles, names = axes.get_legend_handles_labels()
    each = dict(zip(names, handles, strict=True))
    widest = max(len(line) for name in each for line in name.splitlines())
    columns = max(1, min(5, 120 // (widest + 6)))
    made = figure.legend(list(each.values()), list(each), loc="outside lower center", ncols=columns, fontsize=10)
    if title:
        made.set_title(title)


def _two_lines(label: str) -> str:
    return label.replace(", more is", "\nmore is").replace(", less is", "\nless is")
