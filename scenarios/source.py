"""YAML text to plain data that knows its lines. Knows nothing of what the keys mean.

YAML 1.2. Aliases, anchors and tags, files over 256 KB and deep nesting are refused while the text is
still a flat stream of events, before anything is built from them.
"""

import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent, ScalarEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from scenarios.errors import ScenarioError, nearest
from scenarios.files import at_hand
from scenarios.units import shown

Key: TypeAlias = tuple[str | int, ...]

MAX_BYTES = 256_000
MAX_DEPTH = 24
_SURROGATE = re.compile("[\ud800-\udfff]")
NAME_KEYS = ("pool", "class", "tenant")  # the keys that name the items of a list


class _Plain(SafeConstructor):
    """Leaves dates as text: YAML 1.2 knows no dates, and a wrong one must be named with its key."""


_Plain.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)


@dataclass(slots=True)
class Source:
    """A scenario's data as written, with the file and line of every key; overrides say where they came from."""

    path: Path
    data: dict[str, Any]
    lines: dict[Key, int]
    overrides: dict[Key, str] = field(default_factory=dict)

    def where(self, *key: str | int) -> str:
        """The "file:line" of a key, or of the nearest key around it; the option's text for an override."""
        around = [key[:end] for end in range(len(key), -1, -1)]
        for outer in around:
            if outer in self.overrides:
                return self.overrides[outer]
        for outer in around:
            if outer in self.lines:
                return f"{self.path}:{self.lines[outer]}"
        return str(self.path)

    def set(self, text: str, option: str = "--set") -> None:
        """Apply one KEY=VALUE: a dotted path (list items by name) and a value read as YAML."""
        path, separator, value = text.partition("=")
        if not separator or not path.strip():
            raise ScenarioError(f"found {text!r}; allowed: KEY=VALUE, such as horizon='30 days'", option)
        parts, label = path.strip().split("."), f"{option} {shown(text)[1:-1]}"
        if not all(parts):
            raise ScenarioError("found an empty name in the key; allowed: names joined by single dots", label)
        if len(parts) > MAX_DEPTH:
            raise ScenarioError(f"has more than {MAX_DEPTH} levels", label)
        key: Key = ()
        node: Any = self.data
        for part in parts[:-1]:
            step = self._step(node, part, label)
            node = node.setdefault(step, {}) if isinstance(node, dict) else node[step]
            key = (*key, step)
        step = self._step(node, parts[-1], label)
        node[step] = read_yaml(value, label)[0]
        self.overrides[(*key, step)] = label

    def _step(self, node: Any, part: str, label: str) -> str | int:
        if isinstance(node, dict):
            return next((name for name in node if str(name) == part), part)  # a key may be a number
        if isinstance(node, list):
            names = [item_name(item) for item in node]
            if part in names:
                return names.index(part)
            if part.isdecimal() and int(part) < len(node) and not names[int(part)]:
                return int(part)
            known = [name or str(at) for at, name in enumerate(names)]
            raise ScenarioError(f"nothing is named {part!r}{nearest(part, known)} (allowed: {', '.join(known)})", label)
        raise ScenarioError(f"{part!r} stands below a value that holds no keys", label)


def item_name(item: object) -> str:
    """The name of a list's item (its pool, class or tenant), or an empty text."""
    if isinstance(item, dict):
        for name_key in NAME_KEYS:
            if isinstance(item.get(name_key), str):
                return str(item[name_key])
    return ""


def dotted(key: Key, data: object) -> str:
    """A key as --set takes it: list items by their name where they have one."""
    parts, node = [], data
    for step in key:
        inner: object = None
        if isinstance(node, dict):
            inner = node.get(step)
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            inner = node[step]
        parts.append((item_name(inner) or str(step)) if isinstance(step, int) else str(step))
        node = inner
    return ".".join(parts)


def read_source(path: Path) -> Source:
    """Read a scenario file; ScenarioError where it cannot be read or is no mapping of keys."""
    try:
        with at_hand(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ScenarioError(f"cannot be read: {error.strerror}", str(path)) from None
    if len(raw) > MAX_BYTES:
        raise ScenarioError(f"is larger than {MAX_BYTES // 1000} KB, which no scenario needs", str(path))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ScenarioError(f"is not UTF-8 text (byte {error.start})", str(path)) from None
    data, lines = read_yaml(text, str(path))
    if not isinstance(data, dict):
        raise ScenarioError("holds no keys; allowed: a mapping such as 'name: hello'", f"{path}:1")
    return Source(path, data, lines)


def read_yaml(text: str, where: str) -> tuple[Any, dict[Key, int]]:
    """Plain data and the line of every key in a YAML text."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Plain
    try:
        _refuse_costly(yaml, text, where)
        node = YAML(typ="safe", pure=True).compose(io.StringIO(text))
        data = yaml.load(io.StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"{where}:{mark.line + 1}" if mark is not None else where
        # of a key that stands twice the library also quotes the values, mappings as {}
        problem = (error.problem or error.context or "").partition(" with value ")[0]
        raise ScenarioError(f"is not YAML: {problem}", line) from None
    except TypeError:
        raise ScenarioError("is not YAML that a scenario can use: keys must be plain words or numbers", where) from None
    except (YAMLError, ValueError, OverflowError) as error:
        raise ScenarioError(f"is not YAML: {str(error).splitlines()[0]}", where) from None
    lines: dict[Key, int] = {}
    if node is not None:
        _collect_lines(node, (), lines, where)
    return data, lines


def write_yaml(data: Any, flow: bool = False) -> str:
    """Plain data as YAML text, keys in their order; flow: on one line, with braces and brackets."""
    yaml = YAML(typ="safe", pure=True)
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # ruamel declares it None
    yaml.default_flow_style = flow
    yaml.width = 2**31 if flow else 120
    text = io.StringIO()
    yaml.dump(data, text)
    return text.getvalue()


def _refuse_costly(yaml: YAML, text: str, where: str) -> None:
    depth = 0
    for event in yaml.parse(io.StringIO(text)):
        line = f"{where}:{event.start_mark.line + 1}"
        if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor is not None):
            raise ScenarioError("YAML anchors and aliases are not allowed: write the value out", line)
        if isinstance(event, CollectionStartEvent | ScalarEvent) and event.tag is not None:
            raise ScenarioError(f"YAML tags are not allowed (found {event.tag})", line)
        if isinstance(event, ScalarEvent) and event.value == "<<":
            raise ScenarioError("YAML merge keys are not allowed: write the values out", line)
        if isinstance(event, CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise ScenarioError(f"nests deeper than {MAX_DEPTH} levels", line)
        elif isinstance(event, CollectionEndEvent):
            depth -= 1


def _collect_lines(node: Node, key: Key, lines: dict[Key, int], where: str) -> None:
    lines.setdefault(key, node.start_mark.line + 1)
    if isinstance(node, ScalarNode) and not node.value.isascii() and _SURROGATE.search(node.value):
        raise ScenarioError("holds half a character (a lone surrogate)", f"{where}:{node.start_mark.line + 1}")
    if isinstance(node, MappingNode):
        for name, value in node.value:
            if isinstance(name, ScalarNode):
                whole = str(name.tag).endswith(":int") and name.value.isdecimal()
                step = int(name.value) if whole else name.value
                lines[(*key, step)] = name.start_mark.line + 1
                _collect_lines(name, (*key, step), lines, where)
                _collect_lines(value, (*key, step), lines, where)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            _collect_lines(value, (*key, index), lines, where)
