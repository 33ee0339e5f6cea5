#!/bin/bash
# In the measured NCCL tables of aiconfigurator-core 0.12.0 an all-to-all of 2 B200 takes as long as one of 4 or 8.
#
# Expected: every chip sends (n-1)/n of its buffer, so that with the same bandwidth two chips would need 0.57 of the time
# of eight. Seen (NCCL 2.29.2, 8 x B200, 512 MiB a chip, half precision): 0.81, 0.83 and 0.83 ms, which is 0.37 of the
# line rate of 900 GB/s for two chips and 0.63 for eight. On H100 two take 0.64 of the time of eight.
# Exits 0 while the tables say so, and 1 when they have changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q polars==1.34.0
"$folder/venv/bin/pip" download -q --no-deps -d "$folder" aiconfigurator-core==0.12.0
python3 -m zipfile -e "$folder"/aiconfigurator_core-*.whl "$folder/package"
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys
from pathlib import Path

import polars as pl

SIZE_BYTES, LINE_BYTES_PER_S = 512 * 2**20, {"h100_sxm": 450e9, "b200_sxm": 900e9}


def times_ms(system):
    (path,) = Path("package").glob(f"**/{system}/comm/nccl/2.29.2/nccl_perf.parquet")
    rows = pl.read_parquet(path).filter(
        (pl.col("op_name") == "alltoall") & (pl.col("nccl_dtype") == "half") & (pl.col("message_size") == SIZE_BYTES // 2)
    )
    return dict(rows.select("num_gpus", "latency").iter_rows())


ratios = {}
for system, line in LINE_BYTES_PER_S.items():
    times = times_ms(system)
    ratios[system] = times[2] / times[8]
    for chips in (2, 4, 8):
        bus = SIZE_BYTES * (chips - 1) / chips / (times[chips] / 1e3)
        print(f"{system}, {chips} chips: {times[chips]:.3f} ms, {bus / line:.2f} of the line rate")
print("two over eight:", {system: round(ratio, 2) for system, ratio in ratios.items()}, "expected of the same bandwidth: 0.57")
sys.exit(0 if ratios["b200_sxm"] > 0.95 and ratios["h100_sxm"] < 0.7 else 1)
PYTHON
