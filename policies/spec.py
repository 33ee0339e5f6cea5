"""What --policy says, as overrides of a scenario's keys."""

from collections.abc import Iterable
from typing import TypeAlias

from policies.presets import PRESETS
from policies.registry import AXES
from scenarios.errors import ScenarioError, unknown

Override: TypeAlias = tuple[str, str]
"""KEY=VALUE and the option it came from."""


def overrides(spec: str, place: str = "--policy") -> list[str]:
    """A --policy SPEC as KEY=VALUE overrides: a preset's name and/or axis=value parts, joined by commas.

    A preset replaces the scenario's policy, an axis only its own value. ScenarioError for what is neither, with the
    place: the option, or the line of a sweep file.
    """
    found, where = [], f"{place} {spec}"
    for at, part in enumerate(_parts(spec)):
        axis, separator, value = part.strip().partition("=")
        if separator and axis in AXES and value.strip():
            found.append(f"policy.{axis}={value.strip()}")
        elif not separator and at == 0 and axis in PRESETS:
            found.append(f"policy={axis}")
        else:
            if axis in PRESETS and not separator:
                raise ScenarioError(f"the preset {axis!r} must come first", where)
            if separator and axis in AXES:
                raise ScenarioError(unknown(axis, value.strip(), AXES[axis]), where)
            axes = [name for name, values in AXES.items() if axis in values]
            if axes and not separator:
                raise ScenarioError(f"{axis!r} is a value of an axis: write {axes[0]}={axis}", where)
            kind, names = ("axis", AXES) if separator else ("policy", PRESETS)
            hint = "" if separator else "; or axis=value parts such as order=sjf,backfill=none"
            raise ScenarioError(unknown(kind, axis, names) + hint, where)
    return found


def arranged(settings: Iterable[Override], spec: Iterable[Override]) -> list[Override]:
    """Overrides by --set and by a --policy SPEC in the order in which they are to be applied.

    A preset stands for all axes, and so it comes before whatever is set on one; axis=value parts come last.
    """
    settings, spec = list(settings), list(spec)
    presets = [one for one in spec if _is_whole(one)]
    if not presets:
        return settings + spec
    whole = [one for one in settings if _is_whole(one)]
    return [
        *whole,
        *presets,
        *(one for one in settings if not _is_whole(one)),
        *(one for one in spec if not _is_whole(one)),
    ]


def _is_whole(override: Override) -> bool:
    """Whether an override replaces the whole policy."""
    return override[0].partition("=")[0].strip() == "policy"


def _parts(spec: str) -> list[str]:
    """The parts between commas, those in braces and brackets left alone."""
    parts, depth = [""], 0
    for letter in spec:
        depth += (letter in "{[") - (letter in "}]")
        if letter == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
