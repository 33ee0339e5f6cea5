"""The first 100,000 jobs of HPC2N under EASY, full record, against a bare SimPy script that makes the same schedule.

Run: MEGAWATT_DATA=FOLDER python tests/benchmarks/replay.py
"""

import os
import sys
import tempfile
from pathlib import Path

import polars as pl
from measure import HERE, cpu_s, megawatt, ratio

SCENARIO = """
name: replay
horizon: until-done
fleet: [{{pool: cpu, rack: plain, chips: 240}}]
workload: [{{class: log, kind: trace, format: swf, jobs: 100000, file: {file}}}]
policy: easy
"""

if __name__ == "__main__":
    log = Path(os.environ["MEGAWATT_DATA"]) / "traces/hpc2n-2002/HPC2N-2002-2.1-cln.swf.gz"
    bare = [sys.executable, str(HERE / "bare_easy.py"), str(log), "240", "100000"]
    with tempfile.TemporaryDirectory() as folder:
        ours = megawatt(SCENARIO.format(file=log.resolve()), Path(folder))
        ratio(ours, bare, rounds=5)
        starts = pl.read_parquet(Path(folder) / "out/jobs.parquet")["start_s"].sum()
        print(f"  same schedule: {cpu_s(bare)[2].strip() == f'{starts:.0f}'}")
