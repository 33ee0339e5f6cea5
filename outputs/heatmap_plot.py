"""A metric over two parameters that are numbers: cells of a grid, or coloured dots for samples."""

import math
from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from outputs.comparison import Comparison
from outputs.drawing import INK
from outputs.point_labels import Labels
from outputs.points import Point, Value
from outputs.scales import Scale, digits
from outputs.sweep_axes import axes_of, grouped, number
from outputs.sweep_drawing import axis_label, new_figure, scale_for, wrapped

_MAP = "cividis"  # even in lightness, and the same to the colour-blind
_MOST_PANELS, _COLUMNS, _MOST_NUMBERED, _MOST_TICKS = 6, 3, 12, 14


def heatmap_figure(compared: Comparison, metric: str) -> Figure | None:
    """The mean of a metric, a panel for each value of the other parameters; None without two numbers."""
    labels = Labels(compared.points)
    design = axes_of(compared.points, labels.varied)
    if len(design.numbers) < 2:
        return None
    x, y = sorted(design.numbers[:2])
    others = [at for at in labels.varied if at not in ((*design.numbers,) if design.scattered else (x, y))]
    groups = grouped(compared.points.all, others)
    found = compared.of(metric)
    scale, means = scale_for(found), [one.estimate.mean for one in found if one.estimate.mean is not None]
    shades = Normalize(min(means) / scale.size, max(means) / scale.size)
    shown = list(groups.items())[:_MOST_PANELS]
    columns = min(_COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    figure = new_figure(compared, max(9.0, 2.0 + 5.2 * columns), 1.0 + 4.2 * rows)
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    draw = _dots if design.scattered else _cells
    for axes, (values, points) in zip(panels, shown, strict=False):
        draw(axes, compared, points, metric, (x, y), shades, scale)
        words = ", ".join(labels.chosen(at, value) for at, value in zip(others, values, strict=True))
        axes.set_title(wrapped(words), loc="left", fontsize=11)
    for axes in panels[len(shown) :]:
        axes.set_visible(False)
    missing = any(not one.estimate.count for one in found)
    note = f"   ({'crosses' if design.scattered else 'hatched'}: no run is done)" if missing else ""
    figure.supxlabel(labels.axis(x) + note, fontsize=12)
    figure.supylabel(labels.axis(y), fontsize=12)
    more = f"\n(the first {len(shown)} of {len(groups)} panels)" if len(groups) > len(shown) else ""
    label = axis_label(scale, metric) + more
    figure.colorbar(ScalarMappable(shades, _MAP), ax=panels[: len(shown)].tolist(), label=label)
    return figure


def _cells(
    axes: Axes,
    compared: Comparison,
    points: Sequence[Point],
    metric: str,
    at: tuple[int, int],
    shades: Normalize,
    scale: Scale,
) -> None:
    """A cell for each pair of values, evenly spaced; hatched where no run is done."""
    labels, (xs, ys) = Labels(compared.points), (_sorted(compared, each) for each in at)
    column, row = ({value: number for number, value in enumerate(values)} for values in (xs, ys))
    found = [compared.at(point, metric) for point in points]
    places = digits([one.estimate for one in compared.of(metric)], scale)
    numbered = max(len(xs), len(ys)) <= _MOST_NUMBERED
    for one in found:
        x, y = column[one.point.values[at[0]]], row[one.point.values[at[1]]]
        if one.estimate.mean is None:
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor="#f4f4f4", edgecolor="#aaaaaa", hatch="///"))
            continue
        value = one.estimate.mean / scale.size
        color = matplotlib.colormaps[_MAP](shades(value))
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor=color, edgecolor="white", linewidth=0.6))
        if numbered:
            ink = INK if 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2] > 0.5 else "white"
            axes.text(x, y, f"{value:,.{places}f}", ha="center", va="center", fontsize=9, color=ink)
    _ticks(axes, [labels.value(at[0], value) for value in xs], [labels.value(at[1], value) for value in ys])
    axes.grid(visible=False)


def _sorted(compared: Comparison, at: int) -> list[Value]:
    return sorted((value for value in compared.points.values_of(at) if value is not None), key=number)


def _ticks(axes: Axes, xs: Sequence[str], ys: Sequence[str]) -> None:
    for texts, set_ticks, set_ends in ((xs, axes.set_xticks, axes.set_xlim), (ys, axes.set_yticks, axes.set_ylim)):
        step = math.ceil(len(texts) / _MOST_TICKS)
        set_ticks(range(0, len(texts), step), texts[::step])
        set_ends(-0.5, len(texts) - 0.5)


def _dots(
    axes: Axes,
    compared: Comparison,
    points: Sequence[Point],
    metric: str,
    at: tuple[int, int],
    shades: Normalize,
    scale: Scale,
) -> None:
    """A dot for each sample; a cross where no run is done."""
    found = [compared.at(point, metric) for point in points]
    known = [one for one in found if one.estimate.mean is not None]
    x, y = ([number(one.point.values[each]) for one in known] for each in at)
    colors = [(one.estimate.mean or 0.0) / scale.size for one in known]
    axes.scatter(x, y, c=colors, cmap=_MAP, norm=shades, s=60, edgecolors="#666666", linewidths=0.4)
    none = [one for one in found if one.estimate.mean is None]
    if none:
        axes.plot(*([number(one.point.values[each]) for one in none] for each in at), "x", color="#999999")
