"""How the numbers of a metric are written: one name, unit and number of digits for a whole column or axis."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from outputs.compare import ROWS
from outputs.statistics import Estimate
from scenarios.units import DAY_S, HOUR_S

_LABELS = {metric: label.split(" [")[0] for label, metric, _ in ROWS}
_MOST_DIGITS, _FEWEST_FIGURES = 9, 4

# by the end of the name, the longest first: units with their sizes, the largest first; the last is for all below
_UNITS: Sequence[tuple[str, Sequence[tuple[str, float]]]] = (
    ("_usd_per_mwh", (("USD/MWh", 1.0),)),
    ("_g_per_kwh", (("gCO2/kWh", 1.0),)),
    ("_chip_h", (("million chip-h", 1e6), ("chip-h", 1.0))),
    ("_fraction", (("%", 0.01),)),
    ("_tokens", (("trillion", 1e12), ("billion", 1e9), ("million", 1e6), ("", 1.0))),
    ("_usd", (("million USD", 1e6), ("USD", 1.0))),
    ("_s", (("days", DAY_S), ("h", HOUR_S), ("min", 60.0), ("s", 1.0))),
    ("_w", (("MW", 1e6), ("kW", 1e3))),
    ("_j", (("GWh", 3.6e12), ("MWh", 3.6e9), ("kWh", 3.6e6))),
    ("_g", (("t", 1e6), ("kg", 1e3))),
    ("_h", (("h", 1.0),)),
)
_LEAST = 2.0  # of a unit: 1.5 days are 36 h


@dataclass(frozen=True, slots=True)
class Scale:
    """The unit of a metric's numbers."""

    label: str
    unit: str
    size: float

    @property
    def head(self) -> str:
        """The label with its unit, such as "wait, mean [h]"."""
        return f"{self.label} [{self.unit}]" if self.unit else self.label


def scale_of(metric: str, values: Iterable[float]) -> Scale:
    """A unit in which the largest of the values reads well."""
    most = max((abs(value) for value in values), default=0.0)
    units = next((units for end, units in _UNITS if metric.endswith(end)), (("", 1.0),))
    unit, size = next(((unit, size) for unit, size in units if most >= _LEAST * size), units[-1])
    return Scale(metric_label(metric), unit, size)


def metric_label(metric: str) -> str:
    """A metric in words where there are some, else its name: "chat: wait, mean" for chat/wait_mean_s."""
    if metric in _LABELS:
        return _LABELS[metric]
    owner, _, name = metric.rpartition("/")
    return f"{owner}: {_LABELS[name]}" if name in _LABELS else metric


def digits(found: Sequence[Estimate], scale: Scale) -> int:
    """Digits after the point that give the typical interval two figures, or the means four where there is none."""
    halves = [one.half_width / scale.size for one in found if one.half_width]
    if halves:
        return _digits(median(halves), 2)
    means = [abs(one.mean) / scale.size for one in found if one.mean]
    return 0 if all(value.is_integer() for value in means) else _digits(max(means), _FEWEST_FIGURES)


def _digits(value: float, figures: int) -> int:
    return min(max(figures - 1 - math.floor(math.log10(value)), 0), _MOST_DIGITS)


def spread_text(found: Estimate, scale: Scale, places: int, signed: bool = False) -> str:
    """ "3.21 +- 0.04" in the unit of the scale; "-" for nothing, the mean alone where there is no interval."""
    if found.mean is None:
        return "-"
    mean = round(found.mean / scale.size, places) + 0.0  # + 0.0: no minus before a zero
    text = f"{mean:+,.{places}f}" if signed else f"{mean:,.{places}f}"
    return text if found.half_width is None else f"{text} ± {found.half_width / scale.size:,.{places}f}"
