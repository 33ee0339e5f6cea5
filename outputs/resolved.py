"""The resolved scenario: every default, override, policy and catalog constant written out.

Running this text gives the same bytes as the run it came from.
"""

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML

from policies.build import Policy
from scenarios.load import Scenario
from topologies.build import used_catalog


def resolved(scenario: Scenario, policy: Policy, seed: int) -> str:
    """The YAML text of a scenario with nothing left to a default."""
    data = _written(scenario.keys.model_dump(by_alias=True, exclude_none=True))
    data["seed"] = seed
    data["policy"] = _written(policy.written)
    data["catalog"] = _written(used_catalog(scenario).used().model_dump(by_alias=True, exclude_none=True))
    yaml = YAML(typ="safe", pure=True)
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # ruamel declares it None
    yaml.default_flow_style = False
    yaml.width = 120
    text = io.StringIO()
    yaml.dump(data, text)
    return text.getvalue()


def _written(node: Any) -> Any:
    """Tuples as lists, which is how YAML writes them."""
    if isinstance(node, Mapping):
        return {key: _written(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_written(value) for value in node]
    return node
