"""CPU time and memory of whole processes, measured in turn so that a busy machine slows both sides alike."""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent


def cpu_s(command: list[str]) -> tuple[float, float, str]:
    """CPU seconds (user and system) and peak memory [MB] of a child process, and what it printed."""
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"{command} ended with {child.returncode}")
        out.seek(0)
        return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.read()


def megawatt(scenario: str, folder: Path, *words: str) -> list[str]:
    """The command that runs a scenario's text without pictures."""
    path = folder / "scenario.yaml"
    path.write_text(scenario)
    out = folder / "out"
    return [sys.executable, "-m", "sim.cli", "run", str(path), "--no-render", "--force", "--out", str(out), *words]


def ratio(ours: list[str], bare: list[str], rounds: int, yardstick: str = "bare SimPy") -> None:
    """Print the CPU time of our process over that of the yardstick, for each round and its median."""
    ratios = []
    for _ in range(rounds):
        bare_s, _, _ = cpu_s(bare)
        ours_s, memory_mb, _ = cpu_s(ours)
        ratios.append(ours_s / bare_s)
        print(f"  megawatt {ours_s:6.2f} s, {memory_mb:4.0f} MB   {yardstick} {bare_s:6.2f} s   ratio {ratios[-1]:.2f}")
    print(f"  median ratio {statistics.median(ratios):.2f}")
