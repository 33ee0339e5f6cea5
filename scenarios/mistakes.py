"""What pydantic finds wrong, said as megawatt says it: where it was written, what was found, what is allowed."""

from typing import Any

from pydantic import ValidationError

from scenarios.distributions import KINDS
from scenarios.errors import ScenarioError, nearest
from scenarios.source import Key, Source, dotted
from scenarios.units import shown

_ALLOWED = {  # where pydantic's own words would not help
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "list_type": "a list",
    "too_short": "at least one item",
    "string_pattern_mismatch": "letters, digits, - and _",
}


def first_mistake(error: ValidationError, source: Source) -> ScenarioError:
    """The first mistake in the order of the file, with a count of the others."""
    mistakes = []
    for item in error.errors(include_url=False):
        key = _written_key(item["loc"], source.data)
        context = item.get("ctx", {})
        if item["type"] in ("unknown_key", "at_key"):
            key = (*key, context["key"])
        if item["type"] == "bad_kind":
            raw, hint = item["input"], ""
            if isinstance(raw, dict) and "kind" in raw:
                key, raw = (*key, "kind"), raw["kind"]
            elif isinstance(raw, dict) and raw:
                hint = nearest(str(next(iter(raw))), KINDS)
            text = f"found {shown(raw)}{hint}; {item['msg']}"
        elif item["type"] in ("house", "unknown_key", "at_key"):
            text = item["msg"]
        elif item["type"] == "missing":
            key, text = (*key, item["loc"][-1]), "this key is missing"
        else:
            allowed = _ALLOWED.get(item["type"], item["msg"].removeprefix("Input should be "))
            text = f"found {shown(item['input'])}; allowed: {allowed}"
        mistakes.append((source.lines.get(key[:-1] if item["type"] == "missing" else key, 0), key, text))
    _, key, text = min(mistakes, key=lambda mistake: mistake[0])
    more = f" ({len(mistakes) - 1} more in this file)" if len(mistakes) > 1 else ""
    name = dotted(key, source.data)
    return ScenarioError(f"{name}: {text}{more}" if name else f"{text}{more}", source.where(*key))


def _written_key(location: tuple[str | int, ...], data: Any) -> Key:
    """A pydantic location without the steps that only name the type (union tags)."""
    key: Key = ()
    node = data
    for step in location:
        listed = isinstance(node, list) and isinstance(step, int) and step < len(node)
        if listed or (isinstance(node, dict) and step in node):
            node = node[step]
            key = (*key, step)
    return key
