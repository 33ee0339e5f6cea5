"""The picture of a Pareto front: two metrics of every point with their intervals, and the points that nobody beats."""

import itertools
from collections.abc import Sequence
from typing import Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import Bbox

from outputs.comparison import Compared, Comparison
from outputs.drawing import COLORS, INK
from outputs.pareto import Front
from outputs.point_labels import Labels
from outputs.scales import Scale
from outputs.sweep_drawing import PALE, axis_label, new_figure, scale_for, wrapped

_MOST_NAMED, _MOST_ALL = 20, 20  # members, and points in all, up to which each has its name
_LONGEST = 26  # characters of a name that stands beside its point; longer ones are listed below
_FONT, _LINE = 10, 0.19  # points, and a line of the list in inches
# where a name may stand, in points from its own: in the corners, above, below and beside it, then farther
_WAYS = ((1, 1), (-1, 1), (1, -1), (-1, -1), (0, 1), (0, -1), (1, 0), (-1, 0))
_OFFSETS = [(x * far, y * far, far) for far in (8, 15, 24) for x, y in _WAYS]
_CROWDED = 40  # points from which on the intervals of the beaten ones are drawn faintly
_NAME, _POINT, _INTERVAL = 20.0, 10.0, 2.0  # how bad it is to cover these, beside a distance of two points


def pareto_figure(compared: Comparison, front: Front) -> Figure:
    """Means and intervals; the front in colour and joined by what it leaves possible, the others pale."""
    members = {id(pair) for pair in front.members}
    beaten = [pair for pair in front.pairs if id(pair) not in members]
    named = [*front.members[:_MOST_NAMED], *(beaten if len(front.pairs) <= _MOST_ALL else ())]
    labels, numbers = Labels(compared.points), itertools.count(1)
    texts = [labels.point(one.point) for one, _ in named]
    names = [text if len(text) <= _LONGEST else str(next(numbers)) for text in texts]
    listed = [_hanging(name, text) for name, text in zip(names, texts, strict=True) if name != text]
    columns = max(1, min(3, 110 // (max((len(line) for text in listed for line in text.splitlines()), default=1) + 4)))
    lines = sum(text.count("\n") + 1.2 for text in listed) / columns
    figure = new_figure(compared, 11, 7 + _LINE * lines)
    axes = figure.subplots()
    x_scale, y_scale = (scale_for([pair[at] for pair in front.pairs]) for at in (0, 1))
    _crosses(axes, beaten, x_scale, y_scale, PALE, 5, 0.4 if len(front.pairs) > _CROWDED else 1.0)
    _steps(axes, front, x_scale, y_scale)
    _crosses(axes, front.members, x_scale, y_scale, COLORS[0], 8)
    axes.set_xlabel(axis_label(x_scale, front.goals.metrics[0]))
    axes.set_ylabel(axis_label(y_scale, front.goals.metrics[1]))
    if listed:
        handles = [Line2D([], [], linestyle="none") for _ in listed]
        look: dict[str, Any] = {"ncols": columns, "fontsize": _FONT, "handlelength": 0, "handletextpad": 0}
        figure.legend(handles, listed, loc="outside lower left", **look)
    _names(figure, axes, front, list(zip(named, names, strict=True)), x_scale, y_scale)
    return figure


def _hanging(name: str, text: str) -> str:
    """A number and what it stands for, the lines after the first set in."""
    return f"{name}  " + wrapped(text).replace("\n", "\n" + "  " * (len(name) + 1))


def _place(pair: tuple[Compared, Compared], x_scale: Scale, y_scale: Scale) -> tuple[float, float]:
    x, y = (one.estimate.mean or 0.0 for one in pair)
    return x / x_scale.size, y / y_scale.size


def _halves(pair: tuple[Compared, Compared], x_scale: Scale, y_scale: Scale) -> tuple[float, float]:
    x, y = (one.estimate.half_width or 0.0 for one in pair)
    return x / x_scale.size, y / y_scale.size


def _crosses(
    axes: Axes,
    pairs: Sequence[tuple[Compared, Compared]],
    x_scale: Scale,
    y_scale: Scale,
    color: str,
    size: float,
    alpha: float = 1.0,
) -> None:
    for pair in pairs:
        x, y = _place(pair, x_scale, y_scale)
        wide, high = _halves(pair, x_scale, y_scale)
        axes.errorbar(x, y, high, wide, fmt="none", ecolor=color, elinewidth=1.1, capsize=2, alpha=alpha)
        axes.plot(x, y, "o", color=color, markersize=size)


def _steps(axes: Axes, front: Front, x_scale: Scale, y_scale: Scale) -> None:
    """The border of what some point of the front beats."""
    places = sorted(_place(pair, x_scale, y_scale) for pair in front.members)
    where: Literal["pre", "post"] = "pre" if front.goals.more[0] else "post"
    axes.step(*zip(*places, strict=True), where=where, color=COLORS[0], linewidth=1.4, alpha=0.6)


def _names(
    figure: Figure,
    axes: Axes,
    front: Front,
    named: Sequence[tuple[tuple[Compared, Compared], str]],
    x_scale: Scale,
    y_scale: Scale,
) -> None:
    """Names beside their points, each in the first place where it covers no point, no interval and no other name."""
    figure.draw_without_rendering()
    pixels, frame = figure.dpi / 72, axes.get_window_extent()
    taken = [box for pair in front.pairs for box in _boxes(axes, pair, x_scale, y_scale)]
    for number, (pair, name) in enumerate(named):
        place = _place(pair, x_scale, y_scale)
        x, y = axes.transData.transform(place)
        width, height = 0.62 * _FONT * len(name) * pixels, 1.15 * _FONT * pixels
        tried: list[tuple[float, int, int, int, Bbox]] = []
        for dx, dy, far in _OFFSETS:
            left = x + dx * pixels - (width if dx < 0 else width / 2 if dx == 0 else 0)
            box = Bbox.from_bounds(left, y + dy * pixels - height / 2, width, height)
            inside = frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1
            covered = sum(weight for other, weight in taken if box.overlaps(other))
            tried.append((covered + far / 2 + (0 if inside else 1e6), len(tried), dx, dy, box))
        _, _, dx, dy, box = min(tried, key=lambda one: one[:2])
        taken.append((box, _NAME))
        axes.annotate(
            name,
            place,
            (dx, dy),
            textcoords="offset points",
            ha="left" if dx > 0 else "right" if dx < 0 else "center",
            va="center",
            fontsize=_FONT,
            color=INK if number < len(front.members) else "#777777",
        )


def _boxes(axes: Axes, pair: tuple[Compared, Compared], x_scale: Scale, y_scale: Scale) -> list[tuple[Bbox, float]]:
    """What a point and its intervals cover, in pixels, and how bad it is to cover them."""
    x, y = _place(pair, x_scale, y_scale)
    wide, high = _halves(pair, x_scale, y_scale)
    left, low = axes.transData.transform((x - wide, y - high))
    right, top = axes.transData.transform((x + wide, y + high))
    at, level = axes.transData.transform((x, y))
    return [
        (Bbox.from_extents(left, level - 1, right, level + 1), _INTERVAL),
        (Bbox.from_extents(at - 1, low, at + 1, top), _INTERVAL),
        (Bbox.from_bounds(at - 4, level - 4, 8, 8), _POINT),
    ]
