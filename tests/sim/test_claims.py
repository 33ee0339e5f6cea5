"""Chips and power while gangs write their last checkpoints, in whole runs: who gets them and who plans on them."""

import pytest

NOW = "{priority: {min_run: 0 s}}"
DOMAINS = "dgx-h100, count: 2"
# Three idle racks draw 3 * (1 kW + 8 * 100 W) = 5.4 kW, each busy chip 0.9 * 1,000 - 100 = 800 W more.
SITE = """
site: {feed: FEED kW}
catalog:
  accelerators:
    c: {stack: cuda, tdp: 1000 W, idle: 100 W, minimum_cap: 200 W, source: by hand, confidence: high}
  racks:
    r: {accelerator: c, chips: 8, domain_chips: 8, node_chips: 8, host: 1 kW, source: by hand, confidence: high}
"""


def test_each_of_two_who_come_together_takes_chips_at_once(by_hand):
    a, b = [(0, 8, 900), (0, 8, 900)], [(100, 8, 50), (100, 8, 50)]
    stays, _ = by_hand(a, b, "fifo", NOW, DOMAINS, "greedy", stall=20)
    assert stays[:4] == [("a/0", 0, 120), ("a/1", 0, 120), ("b/0", 120, 170), ("b/1", 120, 170)]


@pytest.mark.parametrize("later_s", [100, 105])
def test_what_a_stop_frees_beyond_its_own_job_is_enough_for_another(later_s, by_hand):
    # a/1 stops for the four chips of b/0; its other four come free at 120 too, so that nobody stops for b/1
    b = [(100, 4, 50), (later_s, 4, 50)]
    stays, _ = by_hand([(0, 8, 900), (0, 8, 900)], b, "fifo", NOW, DOMAINS, "greedy", stall=20)
    assert stays[:4] == [("a/0", 0, 900), ("a/1", 0, 120), ("b/0", 120, 170), ("b/1", 120, 170)]


def test_somebody_behind_the_head_of_a_closed_queue_takes_no_chips(by_hand):
    # b/0 gets its chips from a/1, and b/1 the other four of it; b/2 stands behind a/2, who may stop nobody
    b = [(100, 4, 50), (100, 4, 50), (102, 4, 50)]
    stays, _ = by_hand([(0, 8, 900), (0, 8, 900), (101, 2, 10)], b, "fifo", NOW, DOMAINS, stall=20, horizon="160 s")
    assert stays == [("a/0", 0, 160), ("a/1", 0, 120), ("b/0", 120, 160), ("b/1", 120, 160)]


def test_what_a_stop_frees_is_nobodys_whose_rank_stops_nobody(by_hand):
    # a/2 would fit beside b/0, where a/1 was, but is not above it: a/1, who came first, waits for its eight chips
    a = [(0, 8, 900), (0, 8, 900), (105, 4, 10)]
    stays, _ = by_hand(a, [(100, 4, 50)], "fifo", NOW, DOMAINS, stall=20)
    assert stays[:4] == [("a/0", 0, 900), ("a/1", 0, 120), ("b/0", 120, 170), ("a/1", 170, 970)]


def test_power_that_a_stop_frees_counts_for_the_next_in_line(by_hand):
    # 19 kW are enough for 17 busy chips. For b/0 the two gangs of four stop; then there is a chip's power left for b/1,
    # who sees it before the two have gone.
    a, b = [(0, 8, 900), (0, 4, 900), (0, 4, 900)], [(100, 8, 50), (101, 1, 50)]
    site = SITE.replace("FEED", "19")
    stays, _ = by_hand(a, b, "fifo", NOW, "r, count: 3", "greedy", stall=20, site=site)
    assert stays[0] == ("a/0", 0, 900)
    assert stays[3:5] == [("b/0", 120, 170), ("b/1", 120, 170)]


def test_who_waits_for_others_to_write_takes_no_power_from_who_starts_before(by_hand):
    # 18.2 kW are enough for 16 busy chips. For b/0 two gangs of four write until 120, for b/1 the gang of eight until
    # 121: until then it is that gang that draws, and not b/1.
    a, b = [(0, 8, 900), (0, 4, 900), (0, 4, 900)], [(100, 8, 50), (101, 1, 50)]
    site = SITE.replace("FEED", "18.2")
    stays, _ = by_hand(a, b, "fifo", NOW, "r, count: 3", "greedy", stall=20, site=site)
    assert {("b/0", 120, 170), ("a/0", 0, 121), ("b/1", 121, 171)} < set(stays)


@pytest.mark.parametrize("backfill", ["easy", "conservative"])
def test_nobody_passes_the_head_because_others_write(backfill, by_hand):
    # a/1 needs all 16 chips, at 600. While a/0 writes for b/1, two of its chips are nobody's; a/2, who would run for
    # hours, may not take the four that are idle.
    a, b = [(0, 8, 500), (50, 16, 100), (105, 4, 9999)], [(0, 4, 600), (100, 6, 50)]
    stays, _ = by_hand(a, b, "sjf", NOW, DOMAINS, backfill, stall=20)
    assert {("a/0", 0, 120), ("b/1", 120, 170), ("a/1", 600, 700)} < set(stays)


@pytest.mark.parametrize("backfill", ["easy", "conservative"])
def test_nobody_passes_the_head_for_power_because_others_write(backfill, by_hand):
    # two idle racks and 15 busy chips draw 15.6 kW, and a/1 needs 15, at 600. While a/0 writes for b/1 both draw, as
    # planning sees it; a/2, who would run for hours, may not take the chip and the power that are left.
    a, b = [(0, 5, 500), (50, 15, 100), (105, 1, 9999)], [(0, 5, 600), (100, 4, 50)]
    stays, _ = by_hand(a, b, "sjf", NOW, "r, count: 2", backfill, stall=20, site=SITE.replace("FEED", "15.6"))
    assert {("a/0", 0, 120), ("b/1", 120, 170), ("a/1", 600, 700)} < set(stays)


@pytest.mark.parametrize("order", ["fifo", "sjf"])
def test_who_starts_beside_a_job_that_ranks_above_it_goes_after_its_minimum_run_time(order, by_hand):
    # both come at 0, and the first in the queue gets the chip; nothing else happens for hours
    stays, _ = by_hand([(0, 1, 9000)], [(0, 1, 9999)], order, "{priority: {min_run: 60 s}}", backfill="greedy")
    assert stays == [("a/0", 0, 60), ("b/0", 60, 10059), ("a/0", 10059, 18999)]


def test_a_run_is_done_with_its_last_job_though_somebody_was_to_look_later(by_hand):
    _, result = by_hand([(0, 1, 100)], [(10, 1, 20)], "srtf", "{order: {min_run: 1 hour}}")
    assert result.summary["simulated_s"] == 120
    _, result = by_hand([(0, 1, 100)], [(10, 1, 20)], "las", "{time-slice: {slice: 1 hour}}")
    assert result.summary["simulated_s"] == 120


def test_a_gang_that_stops_in_the_instant_in_which_it_started_holds_nothing(by_hand):
    # a/0 is first in the queue, and b/0 takes the chip at once
    stays, result = by_hand([(0, 1, 50)], [(0, 1, 90)], "fifo", NOW, backfill="greedy", horizon="70 s")
    assert stays == [("a/0", 0, 0), ("b/0", 0, 70)]
    assert result.jobs["status"].to_list() == ["waiting", "running"]
    assert result.summary["preemptions"] == 1
