"""The starting point that `megawatt new scenario` writes."""

import re
from pathlib import Path

from scenarios.errors import ScenarioError

_TEMPLATE = """\
# A scenario: what is built, what is asked of it and who decides. `megawatt validate {name}.yaml` checks it,
# `megawatt run {name}.yaml` runs it, `megawatt schema` lists every key.
name: {name}
description: One line that says what this scenario asks.
start: 2026-01-01            # UTC; the calendar of the pictures and of daily and weekly shapes
horizon: 7 days              # or until-done: when the last job has ended
warmup: 1 day                # jobs submitted before this are not counted
seed: 0

# site:                      # the power contract; without it nothing caps the draw
#   feed: 60 kW
#   pue: {{fixed: 2 kW, proportional: 0.1}}
#   battery: {{energy: 20 kWh, power: 20 kW}}
#   curtailment: [{{at: 3 days, for: 2 hours, by: 25 %, notice: 15 min}}]
#   price: 80 USD/MWh        # or {{file: prices.csv, column: price, unit: USD/MWh}}

fleet:                       # pools of like racks; `megawatt show racks` lists them
  - {{pool: dgx, rack: dgx-h100, count: 8}}
  # - {{pool: cpu, rack: plain, chips: 128}}        # identical processors without topology

workload:
  - class: tuning
    kind: synthetic
    chips: {{choice: {{1: 0.5, 4: 0.3, 8: 0.15, 16: 0.05}}}}      # value: weight
    duration: {{lognormal: {{median: 1 hour, sigma: 1}}}}        # or uniform, exponential, pareto, weibull, empirical
    arrivals: {{per_hour: 10, daily_peak_to_mean: 1.5, weekend: 0.5}}
    estimate: {{factor: {{uniform: [1, 3]}}}}                    # what users say / what it takes
    tenant: {{choice: {{research: 0.6, product: 0.4}}}}
  # - {{class: log, kind: trace, format: swf, file: my-log.swf.gz}}

# tenants:                   # what each may hold, lend and borrow; default: not limited
#   - {{tenant: research, cohort: main, quota: {{dgx: 40}}, lend: 16}}
#   - {{tenant: product, cohort: main, quota: {{dgx: 24}}, borrow: 16}}

policy: {{order: fifo, backfill: easy, placement: pack}}         # `megawatt show policies` lists them
"""


def write_template(name: str) -> Path:
    """Write NAME.yaml into the current folder; ScenarioError for a bad name or a file that stands there."""
    stem = name.removesuffix(".yaml")
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}", stem):
        raise ScenarioError("allowed: up to 100 letters, digits, - and _", f"new scenario {name}")
    path = Path(f"{stem}.yaml")
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(_TEMPLATE.format(name=stem))
    except FileExistsError:
        raise ScenarioError("exists already and is left as it is", str(path)) from None
    except OSError as error:
        raise ScenarioError(f"cannot be written: {error.strerror}", str(path)) from None
    return path
