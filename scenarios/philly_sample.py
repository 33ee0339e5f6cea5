"""Makes library/philly-sample.csv.gz: synthetic jobs with the columns and the manners of the Philly trace.

Run `python -m scenarios.philly_sample` to write it again. The shares of sizes and the median and spread of run
times by size are those of the public trace (Jeon et al., ATC 2019, CC-BY-4.0: 82,247 jobs); the jobs themselves
are drawn here. Like the original, the rows are not sorted, most jobs take one GPU, and the few large ones hold
most of the GPU time.
"""

import gzip
import io
from pathlib import Path

import numpy as np

from scenarios.draws import stream

SAMPLE = Path(__file__).parent / "library" / "philly-sample.csv.gz"
JOBS = 6_000
DAYS = 14
FIRST = np.datetime64("2017-10-02T00:00:00")
GPUS = np.array([1, 2, 4, 8, 16, 32])
GPU_WEIGHTS = np.array([76_627, 1_818, 1_870, 1_643, 199, 67])  # jobs in the public trace
MEDIAN_S = np.array([1_117, 367, 367, 23_683, 21_137, 21_137])
SIGMA = np.array([1.97, 3.80, 3.80, 2.79, 3.20, 3.20])  # of the logarithm
LONGEST_S = 10 * 86_400  # the trace's 99 % point for 8 GPUs is 12 days; ESTIMATE, to end with the fortnight
CLUSTERS = np.array(["alpha", "beta", "gamma", "delta"])
CLUSTER_WEIGHTS = np.array([41_226, 16_091, 9_953, 7_423])  # the four largest virtual clusters


def sample_text() -> str:
    """The sample as CSV text."""
    rng = stream(2017, "philly sample")
    size = rng.choice(len(GPUS), JOBS, p=GPU_WEIGHTS / GPU_WEIGHTS.sum())
    run_s = np.rint(MEDIAN_S[size] * np.exp(SIGMA[size] * rng.standard_normal(JOBS)))
    run_s = np.clip(run_s, 1, LONGEST_S).astype(np.int64)
    submit_s = np.sort(rng.integers(0, DAYS * 86_400, JOBS))
    cluster = rng.choice(CLUSTERS, JOBS, p=CLUSTER_WEIGHTS / CLUSTER_WEIGHTS.sum())
    stamps = np.datetime_as_string(FIRST + submit_s.astype("timedelta64[s]"), unit="s")
    rows = io.StringIO()
    rows.write("timestamp,duration,num_gpus,gpu_time,cluster\n")
    for at in rng.permutation(JOBS):
        gpus, length = int(GPUS[size[at]]), int(run_s[at])
        stamp = stamps[at].replace("T", " ")
        rows.write(f"{stamp},{length}.0,{gpus},{gpus * length}.0,{cluster[at]}\n")
    return rows.getvalue()


def write_sample(path: Path) -> None:
    """Write the sample, compressed, the same bytes each time."""
    path.write_bytes(gzip.compress(sample_text().encode(), mtime=0))


if __name__ == "__main__":
    write_sample(SAMPLE)
