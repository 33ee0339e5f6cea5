"""The resolved scenario: every default, override, policy and catalog constant written out.

Running this text gives the same bytes as the run it came from.
"""

from collections.abc import Mapping
from typing import Any

from policies.policy import Policy
from scenarios.load import Scenario
from scenarios.source import write_yaml
from topologies.build import used_catalog


def resolved(scenario: Scenario, policy: Policy, seed: int) -> str:
    """The YAML text of a scenario with nothing left to a default."""
    data = _written(scenario.keys.model_dump(by_alias=True, exclude_none=True))
    data["seed"] = seed
    data["policy"] = _written(policy.written)
    data["catalog"] = _written(used_catalog(scenario).used().model_dump(by_alias=True, exclude_none=True))
    return write_yaml(data)


def _written(node: Any) -> Any:
    """Tuples as lists, which is how YAML writes them."""
    if isinstance(node, Mapping):
        return {key: _written(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_written(value) for value in node]
    return node
