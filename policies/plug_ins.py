"""Policies of the user's own: found by FILE.py:NAME, or by a name that an installed package offers.

A package offers one as an entry point of the group megawatt.policies whose name is AXIS.NAME, such as order.fair. A
file is read anew for every run and nothing is written beside it, so that it means the same in every process.
"""

import hashlib
import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from policies.faults import PlugIn, PlugInError, raised
from policies.placement import Placer
from policies.signatures import check_call, check_parameters
from policies.watchdog import Watchdog
from scenarios.errors import ScenarioError, nearest, unknown
from scenarios.files import at_hand, exists
from scenarios.plug_ins import PLUGGABLE, Parameters, file_and_name, named

GROUP = "megawatt.policies"


class Finder:
    """Finds the plug-ins of one policy; a file that serves several axes is read once."""

    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog = watchdog
        self._read: dict[str, tuple[ModuleType, str]] = {}

    def find(self, axis: str, choice: str | dict[str, Parameters], builtin: Mapping[str, object]) -> PlugIn:
        """The plug-in that a scenario's choice names; ScenarioError for whatever keeps it from being one."""
        text, parameters = named(choice)
        parts = file_and_name(text)
        if parts is not None:
            return self._from_file(axis, *parts, parameters)
        if text in builtin:
            raise ScenarioError(f"{axis} {text} takes no parameters")
        offers = [entry for name, entry in offered(axis) if name == text]
        if not offers:
            hint = f"; allowed too: FILE.py:NAME, with the .py: {text.replace(':', '.py:')}" if ":" in text else ""
            raise ScenarioError(unknown(axis, text, {*builtin, *(name for name, _ in offered(axis))}) + hint)
        if len(offers) > 1:
            packages = ", ".join(sorted(package_of(entry) for entry in offers))
            raise ScenarioError(f"{axis} {text} is offered by several packages ({packages}): uninstall all but one")
        return self._installed(axis, text, offers[0], parameters)

    def _from_file(self, axis: str, file: str, name: str, parameters: Parameters) -> PlugIn:
        path = Path(file)
        if not exists(path):
            raise ScenarioError(f"no such file: {path}")
        module, sha256 = self._module(axis, path)
        about = f"{axis} {path.name}"
        own = [key for key, value in vars(module).items() if _of(value, module) and not key.startswith("_")]
        listed = f"{path.name} holds {', '.join(sorted(own))}" if own else f"{path.name} holds no function or class"
        if not name:
            raise ScenarioError(f"{about}: needs the name of a policy: {path.name}:NAME ({listed})")
        if name not in vars(module):
            raise ScenarioError(f"{about}: nothing is named {name!r}{nearest(name, own)} ({listed})")
        short, written = f"{path.name}:{name}", f"{path}:{name}"
        policy = self._made(axis, short, vars(module)[name], parameters, file)
        return PlugIn(axis, short, {written: parameters} if parameters else written, policy, file, sha256)

    def _module(self, axis: str, path: Path) -> tuple[ModuleType, str]:
        file = str(path)
        if file not in self._read:
            raw = at_hand(path).read_bytes()
            sha256 = hashlib.sha256(raw).hexdigest()
            module = ModuleType(f"megawatt_plug_in_{hashlib.sha256(file.encode('utf-8', 'replace')).hexdigest()[:12]}")
            module.__file__ = file
            sys.modules[module.__name__] = module  # dataclasses and pickle look their module up by name

            def execute() -> None:
                exec(compile(raw, file, "exec", dont_inherit=True), vars(module))

            try:
                self._watched(f"{axis} {path.name}", file, execute)
            except BaseException:
                del sys.modules[module.__name__]
                raise
            self._read[file] = module, sha256
        return self._read[file]

    def _installed(self, axis: str, name: str, entry: EntryPoint, parameters: Parameters) -> PlugIn:
        found = self._watched(f"{axis} {name} of {package_of(entry)}", None, entry.load)
        module = sys.modules.get(entry.module)
        file = getattr(module, "__file__", None)
        policy = self._made(axis, name, found, parameters, file)
        sha256 = hashlib.sha256(Path(file).read_bytes()).hexdigest() if file and exists(Path(file)) else None
        return PlugIn(axis, name, {name: parameters} if parameters else name, policy, file, sha256)

    def _made(self, axis: str, name: str, found: Any, parameters: Parameters, file: str | None) -> Any:
        """The policy that a name stands for: an object of a class, a function with its parameters, or itself."""
        about = f"{axis} {name}"
        own_axis = getattr(found, "axis", axis)
        if own_axis != axis:
            hint = f"{own_axis}: {name}" if own_axis in PLUGGABLE else f"axis = {axis!r}"
            raise ScenarioError(f"{about}: says that its axis is {own_axis!r}; allowed: {hint}")
        if isinstance(found, type):
            check_parameters(about, found, parameters)
            made = self._watched(about, file, lambda: found(**parameters))
        elif parameters:
            if isinstance(found, Placer) or not callable(found):
                raise ScenarioError(f"{about}: takes no parameters, being no class or function")
            check_parameters(about, found, parameters)
            made = partial(found, **parameters)
        else:
            made = found
        check_call(axis, name, made)
        return made

    def _watched(self, about: str, file: str | None, run: Callable[[], Any]) -> Any:
        """What the user's code gives; a fault of it where it raises or does not end."""
        try:
            return self._watchdog.call(about, file, run)
        except (PlugInError, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001  # an exit() in a policy is a mistake like any other
            raise raised(about, file, error) from None


def from_file(axis: str, path: Path, name: str, **parameters: Any) -> Any:
    """The policy NAME of a file as a run would use it, but without the checks of its answers: for its own tests."""
    return Finder(Watchdog(60.0)).find(axis, {f"{path.resolve()}:{name}": parameters}, {}).policy


def offered(axis: str) -> list[tuple[str, EntryPoint]]:
    """What installed packages offer on an axis, by name."""
    found = [(entry.name.partition("."), entry) for entry in entry_points(group=GROUP)]
    return sorted(((name, entry) for (its_axis, _, name), entry in found if its_axis == axis), key=lambda one: one[0])


def installed() -> list[tuple[str, str, str]]:
    """(axis, name, package) of all that installed packages offer; without a name where the axis takes no plug-in."""
    named = [(axis, name, package_of(entry)) for axis in PLUGGABLE for name, entry in offered(axis)]
    others = [entry for entry in entry_points(group=GROUP) if entry.name.partition(".")[0] not in PLUGGABLE]
    return [*named, *((entry.name, "", package_of(entry)) for entry in others)]


def package_of(entry: EntryPoint) -> str:
    """The distribution that an entry point comes from, with its version."""
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else entry.module


def _of(value: object, module: ModuleType) -> bool:
    """Whether a module defines a function, class or placer itself."""
    return isinstance(value, Placer) or (callable(value) and getattr(value, "__module__", "") == module.__name__)
