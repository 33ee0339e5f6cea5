"""How a scenario names a policy of the user's own: FILE.py:NAME, alone or with parameters. Opens no file.

A relative file resolves against the scenario's folder where the scenario names it, and against the current folder
where an option does.
"""

import os
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, JsonValue

from scenarios.files import current_folder
from scenarios.source import Source
from scenarios.units import shown
from scenarios.values import house

PLUGGABLE = ("order", "backfill", "placement")
Parameters: TypeAlias = dict[str, JsonValue]


def _choice(raw: Any) -> Any:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, dict) and len(raw) == 1:
        ((name, parameters),) = raw.items()
        if isinstance(name, str) and isinstance(parameters, dict):
            wrong = next((key for key in parameters if not (isinstance(key, str) and key.isidentifier())), None)
            if wrong is None:
                return raw
            raise house(f"found the parameter {shown(wrong)}; allowed: names such as weight")
    raise house(
        f"found {shown(raw)}; allowed: a name that megawatt show policies lists, FILE.py:NAME, or one of your own "
        "with its parameters, such as {mine.py:Mine: {weight: 2}}"
    )


Choice = Annotated[str | dict[str, Parameters], BeforeValidator(_choice)]


def named(choice: str | dict[str, Parameters]) -> tuple[str, Parameters]:
    """The name of a chosen policy and its parameters."""
    if isinstance(choice, str):
        return choice, {}
    ((name, parameters),) = choice.items()
    return name, parameters


def file_and_name(text: str) -> tuple[str, str] | None:
    """The parts of FILE.py:NAME, the second empty where it is missing; None for what names no Python file."""
    file, separator, name = text.rpartition(":")
    if separator and file.endswith(".py"):
        return file, name.strip()
    return (text, "") if text.endswith(".py") else None


def anchor_plug_ins(source: Source) -> None:
    """Make the files of the plug-ins that a scenario's policy names absolute."""
    policy = source.data.get("policy")
    if not isinstance(policy, dict):
        return
    for axis in PLUGGABLE:
        choice = policy.get(axis)
        by_option = any(("policy", axis)[:end] in source.overrides for end in (1, 2))
        folder = current_folder() if by_option else source.path.parent.resolve()
        if isinstance(choice, str):
            policy[axis] = _absolute(choice, folder)
        elif isinstance(choice, dict) and len(choice) == 1:
            policy[axis] = {_absolute(name, folder): inner for name, inner in choice.items()}


def _absolute(name: Any, folder: Path) -> Any:
    parts = file_and_name(name) if isinstance(name, str) else None
    if parts is None:
        return name
    file, inner = parts
    path = os.path.normpath(folder / file)
    return f"{path}:{inner}" if inner else path
