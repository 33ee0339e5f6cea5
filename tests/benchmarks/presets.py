"""All presets beside each other: what each costs relative to fifo, and on the Philly trace what each is good for.

The year's fleet and mix over 36.5 days (100,000 jobs), 12 tenants, at 80 % load and, where gangs have to wait, 110 %.
--philly: philly-2017 on 63 dgx-h100 until all is done, as a table for the docs; needs MEGAWATT_DATA.
Run: python tests/benchmarks/presets.py [--philly] [PRESET...]; whatever --policy takes may stand for a preset, such as
"backfill={conservative: {depth: 10}}".
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import cpu_s, megawatt
from orders import text

from policies.presets import PRESETS

PHILLY = """
name: philly-2017
horizon: until-done
fleet: [{pool: gpus, rack: dgx-h100, count: 63}]
workload: [{class: log, kind: trace, format: philly, file: FILE}]
"""
# A feed that never binds, and a grid with a daily course (ESTIMATE): only the hours that carbon-aware waits for matter.
SITE = """site:
  feed: 20 MW
  carbon: {synthetic: {mean: 350 gCO2/kWh, daily: 100 gCO2/kWh, noise: 50 gCO2/kWh}}
"""
LIMIT_S = 900  # of one run; slower ones are left out and said to be


def run(made: str, preset: str, folder: Path) -> tuple[float, dict[str, float]] | str:
    """CPU time and summary of a run, or why there is none."""
    command = ["timeout", str(LIMIT_S), *megawatt(made, folder, "--quiet", "--policy", preset)]
    checked = [*command[2:5], "validate", str(folder / "scenario.yaml"), "--policy", preset]
    refused = subprocess.run(checked, capture_output=True, text=True, check=False)
    if refused.returncode:
        return refused.stderr.strip().rpartition(": ")[2]
    try:
        used_s, _, _ = cpu_s(command)
    except SystemExit:
        return f"not done in {LIMIT_S} s"
    return used_s, json.loads((folder / "out/summary.json").read_text())


def costs(presets: list[str], folder: Path) -> None:
    """CPU time of each preset over that of fifo; carbon-aware needs a site, and so does its fifo."""
    plain = [(preset, "") for preset in presets if preset != "carbon-aware"]
    sited = [("fifo", SITE), ("carbon-aware", SITE)] if "carbon-aware" in presets else []
    for load in (0.8, 1.1):
        print(f"  load {load:.0%}")
        fifo_s = 0.0
        for preset, site in plain + sited:
            done = run(text(load) + site, preset, folder)
            if isinstance(done, str):
                print(f"  {preset:16} {done}", flush=True)
                continue
            fifo_s = done[0] if preset == "fifo" else fifo_s
            print(f"  {preset:16} {cells(*done, fifo_s)}", flush=True)


def cells(used_s: float, summary: dict[str, float], fifo_s: float) -> str:
    """CPU time of a run, alone and over that of fifo, and what it did."""
    wait_h, stops = summary["wait_mean_s"] / 3600, summary.get("preemptions", 0)
    return f"{used_s:7.2f} s  {used_s / fifo_s:6.2f} times fifo   mean wait {wait_h:7.2f} h  {stops:8,} stops"


def table(presets: list[str], folder: Path) -> None:
    """Completion times and waits [h] of each preset on the trace."""
    made = PHILLY.replace("FILE", str(Path(os.environ["MEGAWATT_DATA"]) / "traces/philly-2017/philly.csv.gz"))
    print("| preset | JCT mean | p50 | p99 | wait mean | p50 | p99 | makespan [days] | stops |")
    print("|---|---|---|---|---|---|---|---|---|")
    for preset in presets:
        done = run(made, preset, folder)
        if isinstance(done, str):
            print(f"| `{preset}` | {done} | | | | | | | |", flush=True)
            continue
        of = done[1]
        hours = [of[f"{what}_{which}_s"] / 3600 for what in ("jct", "wait") for which in ("mean", "p50", "p99")]
        row = [f"{value:,.2f}" if value < 10 else f"{value:,.0f}" for value in hours]
        row += [f"{of['makespan_s'] / 86400:,.1f}", f"{of.get('preemptions', 0):,}"]
        print(f"| `{preset}` | {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    words = sys.argv[1:]
    chosen = list(dict.fromkeys(["fifo", *([word for word in words if word != "--philly"] or PRESETS)]))
    with tempfile.TemporaryDirectory() as made_in:
        (table if "--philly" in words else costs)(chosen, Path(made_in))
