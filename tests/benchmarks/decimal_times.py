"""Random logs in seconds, tenths and milliseconds against whole numbers: how many jobs start at another time.

Run: python tests/benchmarks/decimal_times.py [JOBS]
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "sim"))

from test_decimal_times import BACKFILLS, STOPS, UNITS, Reference, drawn, starts

if __name__ == "__main__":
    jobs = drawn(int((sys.argv[1:] or ["20000"])[0]), seed=7)
    with tempfile.TemporaryDirectory() as name:
        expected = {f"backfill: {backfill}": Reference(jobs, backfill).run() for backfill in BACKFILLS}
        expected |= {stops: starts(Path(name), jobs, stops, 1)[0] for stops in STOPS}  # the same in whole seconds
        for policy, instants in expected.items():
            for unit, a_second in UNITS.items():
                found, _ = starts(Path(name), jobs, policy, a_second)
                differ = sum([one != other for one, other in zip(found, instants, strict=True)])
                print(f"  {policy}, {unit}: {differ} of {len(jobs)} start at another time")
