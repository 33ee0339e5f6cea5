"""What the pictures of a sweep share: their title, the words of their points, and means with intervals."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from outputs.better import better_words
from outputs.comparison import Compared, Comparison
from outputs.point_labels import Labels
from outputs.scales import Scale, scale_of
from outputs.statistics import Estimate

PALE = "#b9b9b9"
_LINE, _MOST_LINES = 34, 3  # characters of a label


def new_figure(compared: Comparison, width: float, height: float) -> Figure:
    """A figure with the sweep's name and what its intervals are."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"{compared.sweep.name} ({_intervals(compared)})", x=0.01, ha="left", fontsize=13)
    return figure


def _intervals(compared: Comparison) -> str:
    counts = sorted({len(point.rows) for point in compared.points.all if point.rows})
    if counts[-1] == 1:
        return "one run a point: no intervals"
    runs = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    return f"means of {runs} runs with {100 * compared.sweep.confidence:.6g} % intervals"


def scale_for(found: Sequence[Compared]) -> Scale:
    """The unit for the means of one metric."""
    return scale_of(found[0].metric, (one.estimate.mean for one in found if one.estimate.mean is not None))


def axis_label(scale: Scale, metric: str) -> str:
    """A metric with its unit and which way is better."""
    better = better_words(metric)
    return f"{scale.head}, {better}" if better else scale.head


def point_label(labels: Labels, one: Compared) -> str:
    """A point in a few short lines, with what failed."""
    text = wrapped(labels.point(one.point))
    done, failed = len(one.point.rows), one.point.failed
    if not failed:
        return text
    return f"{text} (failed)" if not done else f"{text} ({failed} of {done + failed} failed)"


def wrapped(text: str, line: int = _LINE) -> str:
    """A label broken after its commas into a few lines; what does not fit ends in dots."""
    lines = [""]
    for part in text.replace(", ", ",\0").split(","):
        piece = part.replace("\0", " ")
        if lines[-1] and len(lines[-1]) + len(piece) + 1 > line:
            lines.append(piece.lstrip())
        else:
            lines[-1] += ("," if lines[-1] else "") + piece
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], lines[_MOST_LINES - 1] + " ..."]
    cut = [each if len(each) <= 2 * line else each[: 2 * line - 3] + "..." for each in lines]
    return ",\n".join(cut)


def whisker(axes: Axes, at: float, found: Estimate, scale: Scale, color: str, marker: str = "o") -> None:
    """A mean with its interval, lying; nothing where there is no mean."""
    if found.mean is None:
        return
    half = None if found.half_width is None else found.half_width / scale.size
    axes.errorbar(
        found.mean / scale.size, at, xerr=half, fmt=marker, color=color, markersize=6, linewidth=1.8, capsize=4
    )
