"""The formats of recorded logs: the Standard Workload Format, tables of known columns, and tables of any."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from scenarios.errors import ScenarioError
from scenarios.swf import FIELD, LEFT_OUT, TEXTS, header_facts
from scenarios.tables import TextTable, read_table
from scenarios.trace_columns import (
    NO_TIME,
    Column,
    Layout,
    at_least,
    clock_length,
    mapped,
    moment,
    number,
    tenant,
    whole,
)
from scenarios.trace_keys import Asked, ColumnKeys
from scenarios.values import LONGEST_S

CSV_COLUMNS = ("number", "submit_s", "chips", "run_s", "estimate_s", "tenant")


@dataclass(frozen=True, slots=True)
class Format:
    """A trace format: what its columns are, its rows and one-line description, and what its header says."""

    layout: Callable[[TextTable, str, Asked], Layout]
    rows: Callable[[str, Path], TextTable]
    about: str
    sample: str = ""  # a file of the library
    facts: Callable[[str], dict[str, str]] | None = None


def _swf(table: TextTable, path: str, asked: Asked) -> Layout:
    """Fields 1, 2, 4, 8 or else 5, 9 or else 4, and 12; see scenarios.swf."""
    del table, path, asked
    field = FIELD
    procs = pl.when(number(field[7]) <= 0).then(field[4]).otherwise(field[7])
    request = number(field[8])
    estimate = pl.when(request <= 0).then(number(field[3])).when(request <= LONGEST_S).then(request)
    user = number(field[11])
    columns = [
        Column("number", field[0], whole(field[0], 0), "a job number"),
        Column("submit_s", field[1], at_least(number(field[1]), 0), "seconds of at least 0"),
        Column("run_s", field[3], at_least(number(field[3]), 0), "seconds of at least 0"),
        Column("chips", procs, whole(procs, 1), "a whole number of processors of at least 1"),
        Column("estimate_s", field[8], estimate, "seconds, or -1 where it is missing"),
        Column("tenant", field[11], pl.when(user >= 0).then(field[11]).otherwise(pl.lit("unknown")), "a user"),
    ]
    return Layout(columns, left_out=LEFT_OUT, texts=TEXTS)


def _csv(table: TextTable, path: str, asked: Asked) -> Layout:
    """The columns that are asked for, or our own; of these estimate_s and tenant may be left out."""
    if asked.columns is not None:
        return mapped(table, path, asked.columns)
    seconds: dict[str, str | dict[str, str]] = {
        name: {"name": f"{name}_s", "unit": "s"} for name in ("submit", "run", "estimate")
    }
    own = seconds | {"number": "number", "chips": "chips", "tenant": "tenant"}
    there = {key: name for key, name in own.items() if key not in ("estimate", "tenant") or _of(name) in table.header}
    return mapped(table, path, ColumnKeys.model_validate(there))


def _of(name: str | dict[str, str]) -> str:
    return name if isinstance(name, str) else name["name"]


def _philly(table: TextTable, path: str, asked: Asked) -> Layout:
    """Source: Jeon et al., Analysis of Large-Scale Multi-Tenant GPU Clusters, ATC 2019 (a published subset)."""
    del asked
    keys = {"submit": "timestamp", "run": {"name": "duration", "unit": "s"}, "chips": "num_gpus", "tenant": "cluster"}
    layout = mapped(table, path, ColumnKeys.model_validate(keys), "GPUs")
    return replace(layout, texts=_texts(table, path, {"queue": "cluster", "user": "cluster"}))


def _helios(table: TextTable, path: str, asked: Asked) -> Layout:
    """Source: github.com/S-Lab-System-Group/HeliosData, README, cluster_log.csv (Hu et al., SC 2021)."""
    del asked
    keys = {"submit": "submit_time", "run": "duration", "chips": "gpu_num", "tenant": "user", "number": "job_id"}
    texts = {"status": "state", "queue": "vc", "user": "user"}
    return _of_gpus(table, path, keys, "start_time", texts)


def _acme(table: TextTable, path: str, asked: Asked) -> Layout:
    """Source: github.com/InternLM/AcmeTrace, README, trace_seren.csv and trace_kalos.csv (Hu et al., NSDI 2024).

    The run time is end_time - start_time: in the README's rows of Kalos, duration holds the wait too. The numbers
    of Kalos are texts, so that jobs are numbered in their order.
    """
    del asked
    keys = {
        "submit": "submit_time",
        "run": {"from": "start_time", "to": "end_time"},
        "chips": "gpu_num",
        "tenant": "user",
    }
    texts = {"status": "state", "queue": "type", "user": "user"}
    return _of_gpus(table, path, keys, "start_time", texts)


def _openb(table: TextTable, path: str, asked: Asked) -> Layout:
    """Source: github.com/alibaba/clusterdata, cluster-trace-gpu-v2023/README.md (Weng et al., ATC 2023)."""
    run = {"from": "scheduled_time", "to": "deletion_time"}
    keys = {"submit": "creation_time", "run": run, "chips": "num_gpu"}
    texts = {"status": "pod_phase", "queue": "qos"}
    layout = _of_gpus(table, path, keys, "scheduled_time", texts)
    share = (number(table.field("num_gpu", path)) == 1) & (number(table.field("gpu_milli", path)) < 1000)
    what = "pods that share a GPU"
    if asked.shares == "skip":
        return replace(layout, left_out={**layout.left_out, what: share})
    if asked.shares == "round-up":
        return replace(layout, noted={f"{what}, rounded up to one GPU": share})
    shared = table.rows.filter(share)
    if len(shared):
        milli = shared.select(table.field("gpu_milli", path)).item(0, 0)
        text = f"gpu_milli: found {milli!r}, a share of a GPU ({len(shared)} such rows)"
        raise ScenarioError(f"{text}; allowed: with shares: round-up or skip", f"{path}:{shared['line'][0]}")
    return layout


def _of_gpus(table: TextTable, path: str, keys: Mapping[str, object], start: str, texts: dict[str, str]) -> Layout:
    """A table of known columns, of whose rows those that never started and those without a GPU are left out."""
    layout = mapped(table, path, ColumnKeys.model_validate(keys), "GPUs")
    left_out = {
        "jobs that never started": table.field(start, path).is_in(NO_TIME),
        "jobs without a GPU": number(table.field(str(keys["chips"]), path)) == 0,
    }
    return replace(layout, left_out=left_out, texts=_texts(table, path, texts))


def _texts(table: TextTable, path: str, names: dict[str, str]) -> dict[str, pl.Expr]:
    return {what: table.field(name, path) for what, name in names.items() if name in table.header}


def _sacct(table: TextTable, path: str, asked: Asked) -> Layout:
    """Source: slurm.schedmd.com/sacct.html, Job Accounting Fields and --parsable2.

    Chips are the GPUs of AllocTRES, or the CPUs where no job of the file has one.
    """
    del asked
    job, submit, start, elapsed = (table.field(name, path) for name in ("JobID", "Submit", "Start", "Elapsed"))
    run = clock_length(elapsed)
    left_out = {"job steps": job.str.contains(".", literal=True), "jobs that never started": start.is_in(NO_TIME)}
    chips, name = _sacct_chips(table, path)
    if name == "AllocTRES":
        left_out["jobs without a GPU"] = chips.is_null() | (chips == "0")
    columns = [
        Column("submit_s", submit, moment(table, submit), "a time such as 2017-10-09T07:01:55", "Submit"),
        Column("run_s", elapsed, at_least(run, 0), "a time such as 1-02:03:04", "Elapsed"),
        Column("chips", chips, whole(chips, 1), "a whole number of at least 1", name),
    ]
    identity = "JobIDRaw" if "JobIDRaw" in table.header else "JobID"
    numbers = table.field(identity, path)
    if table.rows.select(numbers.str.contains(r"^\d+(?:\.|$)").all()).item():  # no parts of arrays, such as 12_3
        columns.append(Column("number", numbers, whole(numbers, 0), "a job number", identity))
    if "Timelimit" in table.header:
        limit = table.field("Timelimit", path)
        none = limit.is_in(["", "UNLIMITED", "Partition_Limit"])
        estimate = pl.when(none).then(run).otherwise(clock_length(limit))
        columns.append(Column("estimate_s", limit, estimate, "a time such as 1-02:03:04, or UNLIMITED", "Timelimit"))
    if "User" in table.header:
        columns.append(tenant(table.field("User", path), "User"))
    texts = _texts(table, path, {"status": "State", "queue": "Partition", "partition": "Partition", "user": "User"})
    if "status" in texts:
        texts["status"] = texts["status"].str.replace(r" by .*$", "")  # CANCELLED by 1234
    return Layout(columns, True, left_out, texts=texts)


def _sacct_chips(table: TextTable, path: str) -> tuple[pl.Expr, str]:
    if "AllocTRES" in table.header:
        gpus = table.field("AllocTRES", path).str.extract(r"(?:^|,)gres/gpu=(\d+)")
        if table.rows.select(gpus.is_not_null().any()).item():
            return gpus, "AllocTRES"
    name = "AllocCPUS" if "AllocCPUS" in table.header else "NCPUS"
    return table.field(name, path), name


def _words(text: str, path: Path) -> TextTable:
    """Rows of words without a header; blank lines and lines that begin with ; are passed over."""
    del path
    lines = pl.DataFrame({"text": text.split("\n")}).with_row_index("line", offset=1)
    lines = lines.filter(~pl.col("text").str.contains(r"^\s*(;|$)"))
    return TextTable([], 1, " ", lines.select("line", pl.col("text").str.extract_all(r"\S+").alias("fields")))


FORMATS = {
    "swf": Format(_swf, _words, "Standard Workload Format, 18 fields (Parallel Workloads Archive)", facts=header_facts),
    "philly": Format(
        _philly,
        read_table,
        "Microsoft Philly 2017: timestamp,duration,num_gpus,gpu_time,cluster",
        "philly-sample.csv.gz",
    ),
    "helios": Format(_helios, read_table, "SenseTime Helios 2020: cluster_log.csv of a cluster", "helios-sample.csv"),
    "acme": Format(_acme, read_table, "Shanghai AI Lab Acme 2023: trace_seren.csv, trace_kalos.csv", "acme-sample.csv"),
    "openb": Format(
        _openb, read_table, "Alibaba cluster-trace-gpu-v2023: openb_pod_list_default.csv", "openb-sample.csv"
    ),
    "sacct": Format(
        _sacct, functools.partial(read_table, marks="|,;\t"), "Slurm accounting: sacct -P", "sacct-sample.txt"
    ),
    "csv": Format(_csv, read_table, "a table of mapped columns, or our own: " + ",".join(CSV_COLUMNS)),
}
