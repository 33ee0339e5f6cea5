"""The million-job year with a network whose links up are shared, against the same without contention.

One gang in eleven is larger than a node, and exchanges 8 GB in every step of some 0.4 s over leaves with a third of the
links up: in the mean each chip-second becomes 9 % longer by the traffic of others.
Run: python tests/benchmarks/contention.py [days]
"""

import sys
import tempfile
from pathlib import Path

from measure import megawatt, ratio
from year import scenario

NETWORK = "network: {oversubscription: 3}\n"
EXCHANGE = "    communication: {size: 8 GB, compute: 200 ms, overlap: 0.2}\npolicy:"


def command(days: float, contention: str, folder: Path) -> list[str]:
    """The run of the year, with or without contention."""
    folder.mkdir()
    text = scenario(days).replace("\npolicy:", f"\n{EXCHANGE}").replace("fleet:", f"{NETWORK}fleet:")
    return megawatt(text, folder, "--set", f"network.contention={contention}")


if __name__ == "__main__":
    days = float(sys.argv[1]) if len(sys.argv) > 1 else 365.0
    with tempfile.TemporaryDirectory() as name:
        alone = command(days, "false", Path(name) / "alone")
        ratio(command(days, "true", Path(name) / "shared"), alone, rounds=3, yardstick="no contention")
