"""The library scenario network: where gangs sit decides what they train."""

import polars as pl
import pytest

from scenarios.files import library
from sim.run import run


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    (path,) = [path for path in library() if path.stem == "network"]
    folder = tmp_path_factory.mktemp("network")
    short = ["horizon=24 days", "warmup=6 days"]
    return {
        placement: run(
            path,
            [(text, "--set") for text in (*short, f"policy.placement={placement}")],
            1,
            folder / placement,
            force=False,
            pictures=placement == "spread",
            progress=_quiet,
        )
        for placement in ("pack", "spread", "topology", "contiguous")
    }


def _quiet(_):
    """No progress."""


def test_spreading_costs_a_quarter_of_the_tokens(runs):
    pack, spread = (runs[placement].result.summary["trained_tokens"] for placement in ("pack", "spread"))
    assert 0.6 < spread / pack < 0.85


def test_the_topology_serves_no_worse_than_packing(runs):
    pack, topology = (runs[placement].result.summary["trained_tokens"] for placement in ("pack", "topology"))
    assert topology > 0.995 * pack


def test_contiguous_gangs_sit_in_boxes(runs):
    """The pace of a gang inside an UltraServer is that of the best box of its size: nothing is lost to placement."""
    jobs = pl.read_parquet(runs["contiguous"].folder / "jobs.parquet")
    boxed = jobs.filter((pl.col("pool") == "trainium") & (pl.col("chips") <= 64) & pl.col("domains").is_not_null())
    assert len(boxed) > 100
    assert boxed["domains"].unique().to_list() == [1]
    assert boxed["placement_slowdown"].min() > 0.999


def test_pictures_and_columns_say_what_it_cost(runs):
    assert (runs["spread"].folder / "network.png").stat().st_size > 10_000
    jobs = pl.read_parquet(runs["spread"].folder / "jobs.parquet").filter(pl.col("status") == "completed")
    assert jobs["placement_slowdown"].mean() > 1.1
    assert jobs["contention_slowdown"].mean() > 1.05
    assert (jobs["domains"] >= jobs["leaves"]).all()
