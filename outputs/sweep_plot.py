"""Pictures of a sweep, drawn from its saved folder alone; and the first of them, the points beside each other.

Each picture is drawn only where it applies: `comparison` with two points or more, `response` with a parameter that is a
number, `heatmap` with two of them, `pareto` with two metrics of which it is known which way is better.
"""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from outputs.comparison import Compared, Comparison, verdict
from outputs.drawing import COLORS, INK, look
from outputs.heatmap_plot import heatmap_figure
from outputs.joined import undamaged
from outputs.main_metrics import main_metrics
from outputs.pareto import LEAST_POINTS, front_of, goals_of
from outputs.pareto_plot import pareto_figure
from outputs.point_labels import Labels
from outputs.response_plot import response_figure
from outputs.scales import scale_of
from outputs.selection import Selection, select
from outputs.sweep_drawing import PALE, axis_label, new_figure, point_label, scale_for, whisker, wrapped
from outputs.sweep_folder import sweep_of

VERDICTS = {"better": COLORS[2], "worse": COLORS[5], "*": COLORS[0], "": "#777777"}
_MOST_METRICS, _TALLEST = 3, 14.0  # of the panels above each other, in inches
_ROW, _LINE = 0.34, 0.18  # height of a point and of a line of its label, in inches
_BELOW = 0.22  # of a row: single runs stand below their mean
_DOTS = 60  # runs of a point of which every one is drawn


def render_sweep(
    folder: Path, metrics: Sequence[str] | None = None, pareto: str | None = None, baseline: str | None = None
) -> list[Path]:
    """Draw the pictures of a saved sweep into its folder; the files made.

    metrics: those to draw; default: the sweep's own, else some that its runs have. pareto: two metrics as X,Y.
    baseline: what points are compared to, as in comparison_frame. ScenarioError for a wrong one of these.
    """
    sweep = sweep_of(folder)
    compared, chosen = Comparison(sweep, baseline), main_metrics(sweep, metrics or ())
    goals = goals_of(sweep, pareto, chosen)
    if not chosen:
        return []
    with look():
        made = {"comparison": comparison_figure(compared, chosen)}
        made["response"] = response_figure(compared, chosen)
        made["heatmap"] = heatmap_figure(compared, chosen[0])
        if goals is not None:
            front = front_of(compared, goals)
            made["pareto"] = pareto_figure(compared, front) if len(front.pairs) >= LEAST_POINTS else None
        drawn = {name: figure for name, figure in made.items() if figure is not None}
        for name, figure in drawn.items():
            figure.savefig(folder / f"{name}.png", dpi=120)
    return [folder / f"{name}.png" for name in drawn]


def redraw_sweep(folder: Path, metrics: Sequence[str], pareto: str | None, baseline: str | None) -> list[Path]:
    """As render_sweep, for a folder that may have been damaged since it was saved: then ScenarioError."""
    with undamaged([folder]):
        return render_sweep(folder, metrics, pareto, baseline)


def comparison_figure(compared: Comparison, metrics: Sequence[str]) -> Figure | None:
    """Means with intervals, a row for each point, and beside them the paired differences; None for a single point."""
    if len(compared.points.all) < 2:
        return None
    chosen = select(compared, metrics[0])
    lines = max(point_label(Labels(compared.points), one).count("\n") for one in _at(compared, metrics[0], chosen)) + 1
    height = 0.8 + (len(chosen.points) + (chosen.left_out > 0)) * max(_ROW, _LINE * lines)
    metrics = metrics[: min(max(1, int(_TALLEST / height)), _MOST_METRICS)]
    paired = any(compared.base(point) not in (None, point) for point in chosen.points)
    figure = new_figure(compared, 13 if paired else 9, 1.2 + len(metrics) * height)
    panels = figure.subplots(len(metrics), 1 + paired, sharey=True, squeeze=False, width_ratios=[3, 2][: 1 + paired])
    verdicts: set[str] = set()
    for metric, row in zip(metrics, panels, strict=True):
        found = _at(compared, metric, chosen)
        _means(row[0], compared, found, chosen)
        if paired:
            _differences(row[1], found, chosen)
            verdicts |= {verdict(one) for one in found if one.difference.estimate.half_width is not None}
    if paired:
        _legend(figure, compared, verdicts)
    return figure


def _legend(figure: Figure, compared: Comparison, verdicts: set[str]) -> None:
    """What the dots, black points and the colours of the differences mean."""
    name = Labels(compared.points).baseline(compared.baseline) if compared.baseline is not None else ""
    handles = [Line2D([], [], color=PALE, marker=".", linestyle="none"), Line2D([], [], color=INK, marker="o")]
    handles += [
        Line2D([], [], color=color, marker=_marker(mark)) for mark, color in VERDICTS.items() if mark in verdicts
    ]
    words = {"": "the interval contains 0", "*": "it does not contain 0"}
    names = [
        "a single run",
        f"baseline: {wrapped(name)}",
        *(words.get(mark, mark) for mark in VERDICTS if mark in verdicts),
    ]
    figure.legend(handles, names, loc="outside lower center", ncols=len(names), fontsize=10)


def _marker(mark: str) -> str:
    return "D" if mark else "o"


def _at(compared: Comparison, metric: str, chosen: Selection) -> list[Compared]:
    return [compared.at(point, metric) for point in chosen.points]


def _places(chosen: Selection) -> list[int]:
    """The row of each point, with one left free for those left out."""
    gap = len(chosen.points) if chosen.left_out_after is None else chosen.left_out_after
    return [at + (at >= gap) for at in range(len(chosen.points))]


def _means(axes: Axes, compared: Comparison, found: Sequence[Compared], chosen: Selection) -> None:
    scale, labels, places = scale_for(found), Labels(compared.points), _places(chosen)
    for at, one in zip(places, found, strict=True):
        runs = list(compared.points.by_seed(one.point, one.metric).values())
        if 1 < len(runs) <= _DOTS:
            axes.plot(
                [value / scale.size for value in runs],
                [at + _BELOW] * len(runs),
                ".",
                color=PALE,
                markersize=5,
                zorder=1,
            )
        color = INK if compared.base(one.point) is one.point else COLORS[0]
        whisker(axes, at, one.estimate, scale, color)
    axes.set_yticks(places, [point_label(labels, one) for one in found], fontsize=10)
    axes.set_ylim(max(places) + 0.6, -0.6)
    axes.set_xlabel(axis_label(scale, found[0].metric))
    if chosen.left_out_after is not None:
        text = f"... {chosen.left_out:,} more points: the best and the worst are shown ..."
        axes.text(0.5, chosen.left_out_after, text, transform=axes.get_yaxis_transform(), ha="center", va="center")


def _differences(axes: Axes, found: Sequence[Compared], chosen: Selection) -> None:
    differences = [one.difference.estimate.mean for one in found]
    scale = scale_of(found[0].metric, (value for value in differences if value is not None))
    axes.axvline(0, color=INK, linewidth=1.2)
    for at, one in zip(_places(chosen), found, strict=True):
        whisker(axes, at, one.difference.estimate, scale, VERDICTS[verdict(one)], _marker(verdict(one)))
    axes.set_xlabel(f"paired difference [{scale.unit}]" if scale.unit else "paired difference")
    axes.tick_params(axis="y", length=0)
