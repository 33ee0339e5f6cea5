"""Whether a plug-in can be called as its axis calls it, told from its signature before anything runs."""

import inspect
from collections.abc import Iterable, Mapping

from policies.placement import Placer
from scenarios.errors import ScenarioError, nearest

TAKES: Mapping[str, tuple[str, ...]] = {
    "order": ("job",),
    "backfill": ("view", "order", "placer"),
    "placement": ("free", "chips", "avoid"),
}


def check_call(axis: str, name: str, policy: object) -> None:
    """ScenarioError where a policy cannot be called with what its axis gives, or is plainly one of another axis."""
    if isinstance(policy, Placer):
        if axis != "placement":
            raise ScenarioError(f"{axis} {name}: is a Placer; allowed: placement: {name}")
        return
    takes, about = TAKES[axis], f"{axis} {name}"
    if not callable(policy):
        text = f"is no function or class, and {type(policy).__name__} has no __call__"
        raise ScenarioError(f"{about}: {text}; allowed: what is called with ({', '.join(takes)})")
    signature = _signature(policy)
    if signature is None:
        return
    other = next((other for other, words in TAKES.items() if tuple(signature.parameters) == words), axis)
    if other != axis or not _binds(signature, len(takes)):
        hint = "" if other == axis else f"; did you mean {other}: {name}?"
        raise ScenarioError(f"{about}: takes {signature}; allowed: ({', '.join(takes)}){hint}")


def check_parameters(about: str, found: object, parameters: Iterable[str]) -> None:
    """ScenarioError where a class or function has no such parameters, or a class needs others."""
    signature = _signature(found)
    if signature is None:
        return
    kinds = {name: one.kind for name, one in signature.parameters.items()}
    known = [
        name
        for name, kind in kinds.items()
        if kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    ]
    if inspect.Parameter.VAR_KEYWORD not in kinds.values():
        for name in parameters:
            if name not in known:
                raise ScenarioError(f"{about}: unknown parameter {name!r}{nearest(name, known)}; it takes {signature}")
    if isinstance(found, type):
        try:
            signature.bind(**dict.fromkeys(parameters))
        except TypeError as error:
            file_and_name = about.split(maxsplit=1)[1]
            raise ScenarioError(f"{about}: {error}; give it as {{{file_and_name}: {{...}}}}") from None


def _signature(found: object) -> inspect.Signature | None:
    """What a callable takes; None where it does not say, as some written in C."""
    try:
        return inspect.signature(found)  # type: ignore[arg-type]  # what is no callable raises TypeError
    except (TypeError, ValueError):
        return None


def _binds(signature: inspect.Signature, arguments: int) -> bool:
    try:
        signature.bind(*[None] * arguments)
    except TypeError:
        return False
    return True
