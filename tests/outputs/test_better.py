"""Whether more of a metric is better."""

import pytest

from outputs.better import better_words, more_is_better

MORE = """
    trained_tokens tuning/trained_tokens tokens_per_usd utilization_fraction dgx/utilization_fraction goodput_fraction
    completed_jobs work_chip_h work_value_chip_h capacity/productive_fraction throttle_mean_fraction
"""
LESS = """
    wait_mean_s chat/wait_p95_s jct_mean_s tenant/a/jct_mean_s bounded_slowdown_p99_ratio fabric_slowdown_mean
    preemptions electricity_usd electricity_usd_per_mwh usd_per_million_tokens feed_energy_j energy_j_per_token carbon_g
    lost_chip_h lost_tokens waiting_at_end_jobs waiting_no_power_chip_h queue_mean_jobs rejected_jobs
    capacity/lost_work_fraction
"""
NEITHER = """
    submitted_jobs simulated_s installed_chip_h held_chip_h cap_w energy_jobs_j resizes x running_at_end_jobs
    capacity/no_demand_fraction feed_mean_fraction tenant/a/borrowed_chip_h
"""


@pytest.mark.parametrize(
    ("metric", "better"),
    [(name, better) for names, better in ((MORE, True), (LESS, False), (NEITHER, None)) for name in names.split()],
)
def test_the_name_tells_whether_more_is_better(metric, better):
    assert more_is_better(metric) is better
    assert better_words(metric) == {True: "more is better", False: "less is better", None: ""}[better]
