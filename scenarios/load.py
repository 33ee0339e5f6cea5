"""A scenario file to a checked scenario: read, override, validate, and open what it refers to."""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from scenarios.chosen_rows import NotThereError
from scenarios.contract import SiteSteps, site_steps
from scenarios.distributions import Choice, Empirical, EmpiricalTimes, Uniform
from scenarios.draws import read_empirical
from scenarios.errors import ScenarioError
from scenarios.estimates import Pace, estimated
from scenarios.files import LIBRARY, exists, locate
from scenarios.instants import instant
from scenarios.jobs import JobTable
from scenarios.mistakes import first_mistake
from scenarios.plug_ins import anchor_plug_ins
from scenarios.schema import ScenarioKeys
from scenarios.signal_keys import SignalFile, SyntheticSignal
from scenarios.signals import Series, signal_series
from scenarios.source import Key, Source, dotted, read_source
from scenarios.synthetic import drawn_jobs
from scenarios.tenants import odd_tenants
from scenarios.traces import TraceFile, read_trace
from scenarios.units import DAY_S, YEAR_S
from scenarios.workload import Trace, Training, Work

SIGNALS = ("price", "carbon", "temperature")  # of a site


@dataclass(frozen=True, slots=True)
class Scenario:
    """A checked scenario: its keys in SI numbers, where each was written, and its traces as read."""

    keys: ScenarioKeys
    source: Source
    files: tuple[str, ...]  # traces and empirical tables, as the keys name them
    traces: dict[str, TraceFile] = field(repr=False)
    signals: dict[str, Series] = field(repr=False, default_factory=dict)  # those of files, which no seed changes

    def where(self, *key: str | int) -> str:
        """The "file:line" where a key was written, or the option that set it."""
        return self.source.where(*key)

    def error(self, message: str, *key: str | int) -> ScenarioError:
        """A ScenarioError at a key of this scenario."""
        return ScenarioError(f"{dotted(key, self.source.data)}: {message}", self.where(*key))

    @property
    def end_s(self) -> float:
        """The horizon in seconds; infinite for until-done."""
        return instant(self.keys.horizon) if isinstance(self.keys.horizon, float) else math.inf

    @property
    def warnings(self) -> list[str]:
        """What the user should know about the inputs."""
        found = [warning for trace in self.traces.values() for warning in trace.warnings]
        found += [warning for series in self.signals.values() for warning in series.warnings]
        named = (name for work in self.keys.workload for name in self.tenants(work))
        tenants = odd_tenants(self.keys.tenants or (), named, [work.priority for work in self.keys.workload])
        found += self._far_traces()
        return [*found, *self._late_racks(), *self._odd_site(), *self._no_network(), *tenants]

    def _far_traces(self) -> Iterator[str]:
        for name, trace in self.traces.items():
            first_s, last_s = (float(trace.jobs.submit_s[row]) for row in (0, -1))
            if first_s > max(YEAR_S, 10 * (last_s - first_s)):
                yield f"the first job of {name} comes at {_far(first_s)}; begin: first-job lays it on second 0"

    def _no_network(self) -> Iterator[str]:
        classes = self.keys.workload
        if self.keys.network and not any(work.communication or isinstance(work, Training) for work in classes):
            yield "no class exchanges anything, so that the network changes nothing: give a class communication"
        for work in self.keys.workload if self.keys.network is None else ():
            for name in ("communication", "parallelism", "batch"):
                if getattr(work, name, None) is not None:
                    yield f"{name} of {work.job_class} does nothing without the key network"

    def _late_racks(self) -> Iterator[str]:
        for fleet in self.keys.fleet:
            if fleet.delivery is not None and fleet.count is not None and math.isfinite(self.end_s):
                batches = 1 + int(max(-1.0, (self.end_s - fleet.delivery.first) // fleet.delivery.every))
                there = min(fleet.count, batches * fleet.delivery.racks)
                if there < fleet.count:
                    yield f"only {there} of the {fleet.count} racks of {fleet.pool} are delivered by the end"

    def _odd_site(self) -> Iterator[str]:
        site = self.keys.site
        if site is None:
            return
        if site.pue.proportional >= 1:
            pue = 1 + site.pue.proportional
            yield f"site.pue.proportional is what comes on top of IT: {site.pue.proportional:g} is a PUE of {pue:g}"
        for index, item in enumerate(site.curtailment):
            if item.by == 0 or (item.to is not None and item.to >= site.most_w):
                yield f"site.curtailment.{index} takes nothing away from the contract"

    def site_steps(self, seed: int) -> SiteSteps | None:
        """The cap, cooling, price and carbon over the run; None without a site. ScenarioError for a bad signal."""
        site = self.keys.site
        if site is None:
            return None
        signals = dict(self.signals)
        for name in SIGNALS:
            if getattr(site, name) is not None and name not in signals:
                signals[name] = self.read_signal(name, seed)
        try:
            return site_steps(site, signals, self.end_s, seed)
        except ValueError as error:
            raise self.error(str(error), "site", "curtailment") from None

    def read_signal(self, name: str, seed: int) -> Series:
        """A signal of the site over the run; ScenarioError for a bad one."""
        try:
            return signal_series(getattr(self.keys.site, name), name, self.keys.start, self.end_s, seed)
        except ValueError as error:
            raise self.error(str(error), "site", name) from None

    def certain_steps(self) -> SiteSteps | None:
        """The same without what is drawn at random, and so with the highest caps and the least overhead."""
        site = self.keys.site
        if site is None:
            return None
        planned = [item for item in site.curtailment if isinstance(item.lasts, float) and item.per_year is None]
        signals, outdoor = {}, site.temperature
        drawn = isinstance(outdoor, SyntheticSignal) and outdoor.synthetic.noise > 0
        if outdoor is not None and site.pue.slope_per_degree and not drawn:
            signals["temperature"] = self.read_signal("temperature", 0)
        return site_steps(site.model_copy(update={"curtailment": planned}), signals, self.end_s, 0)

    def jobs(self, work: Work, seed: int, pace_s: Pace) -> Iterator[JobTable]:
        """The jobs of a class up to the horizon, in batches. pace_s: what a unit of its work takes."""
        if isinstance(work, Trace):
            tables = self.traces[work.job_class].jobs.until(self.end_s).batches()
        else:
            tables = drawn_jobs(work, seed, self.keys.start, self.end_s)
        if work.estimate is not None:
            tables = estimated(tables, work.estimate, work.job_class, seed, pace_s)
        return map(JobTable.limited, tables) if isinstance(work, Trace) and work.limit == "kill" else tables

    def tenants(self, work: Work) -> tuple[str, ...]:
        """The tenants that a class's jobs can have."""
        if isinstance(work, Trace):
            return self.traces[work.job_class].jobs.tenant_names
        return tuple(work.tenant.choice) if isinstance(work.tenant, Choice) else (work.tenant,)

    def gang_sizes(self, work: Work) -> list[int]:
        """The sizes that a class's gangs can have, rising; only the smallest where a law has no list of them."""
        if isinstance(work, Trace):
            return [int(size) for size in np.unique(self.traces[work.job_class].jobs.chips)]
        match work.chips:
            case int(chips):
                return [chips]
            case Choice(choice=values):
                return sorted(values)
            case Uniform(uniform=(low, _)):
                return [low]
            case _:
                return [1]


def load(path: Path, overrides: Sequence[tuple[str, str]] = ()) -> Scenario:
    """Read and check a scenario; overrides are (KEY=VALUE, option it came from).

    Raises ScenarioError for anything that is wrong, with the file and line or the option.
    """
    source = read_source(path)
    if "sweep" in source.data:
        text = f"this is a sweep file; allowed: megawatt sweep {path} (with --dry-run it is checked only)"
        raise ScenarioError(text, source.where("sweep"))
    for index in range(len(overrides) + 1):
        if isinstance(source.data.get("policy"), str):  # a bare word is a preset
            source.data["policy"] = {"preset": source.data["policy"]}
        if index < len(overrides):
            source.set(*overrides[index])
    anchor_plug_ins(source)
    files = tuple(dict.fromkeys(_anchor_files(source.data, path.parent)))
    try:
        keys = ScenarioKeys.model_validate(source.data)
    except ValidationError as error:
        raise first_mistake(error, source) from None
    traces = {}
    for index, work in enumerate(keys.workload):
        if isinstance(work, Trace):
            traces[work.job_class] = _open_trace(work, source, index)
        _open_laws(work, source, index)
    scenario = Scenario(keys, source, files, traces)
    of_files = [name for name in SIGNALS if isinstance(getattr(keys.site, name, None), SignalFile)]
    scenario = replace(scenario, signals={name: scenario.read_signal(name, keys.seed) for name in of_files})
    _refuse_late_traces(scenario)
    scenario.site_steps(keys.seed)  # a bad signal is found before anything runs
    return scenario


def _open_trace(work: Trace, source: Source, index: int) -> TraceFile:
    path = locate(work.file)
    if not exists(path):
        key = ("workload", index, "file")
        raise ScenarioError(f"{dotted(key, source.data)}: no such file: {path}", source.where(*key))
    try:
        trace = read_trace(work.format, path, work.on_bad_row, work.begin, work.asked)
    except NotThereError as error:
        named = ("workload", index, "where", error.key)
        raise ScenarioError(f"{dotted(named, source.data)}: {error.message}", source.where(*named)) from None
    except ScenarioError as error:
        if error.where:
            raise
        key = ("workload", index, "format")
        raise ScenarioError(f"{dotted(key, source.data)}: {error.message}", source.where(*key)) from None
    return trace if work.jobs is None else replace(trace, jobs=trace.jobs.head(work.jobs))


def _refuse_late_traces(scenario: Scenario) -> None:
    for index, work in enumerate(scenario.keys.workload):
        if isinstance(work, Trace):
            first_s = float(scenario.traces[work.job_class].jobs.submit_s[0])
            if first_s > scenario.end_s:
                text = f"no job is submitted before the horizon: the first comes at {_far(first_s)}"
                raise scenario.error(f"{text}; begin: first-job lays it on second 0", "workload", index, "file")


def _far(time_s: float) -> str:
    return f"{time_s:,.15g} s ({time_s / DAY_S:,.1f} days)"


def _open_laws(work: Work, source: Source, index: int) -> None:
    """Read the files of empirical laws, so that a bad one is found before anything runs."""
    laws: dict[Key, object] = {
        (name,): getattr(work, name, None) for name in ("chips", "deadline", "duration", "tokens")
    }
    laws["estimate", "factor"] = work.estimate and work.estimate.factor
    for name, law in laws.items():
        if isinstance(law, Empirical | EmpiricalTimes):
            if not exists(locate(law.empirical.file)):
                key = ("workload", index, *name)
                text = f"{dotted(key, source.data)}: no such file: {law.empirical.file}"
                raise ScenarioError(text, source.where(*key))
            read_empirical(law.empirical)


def _anchor_files(node: Any, folder: Path) -> list[str]:
    """Make each relative `file` absolute, and list them all.

    A bare name of the library stays, so that copies of its scenarios run anywhere.
    """
    found = []
    if isinstance(node, dict):
        name = node.get("file")
        if isinstance(name, str) and not (exists(LIBRARY / name) and not exists(folder / name)):
            in_library = exists(LIBRARY / name) and folder.resolve() == LIBRARY.resolve()
            node["file"] = name if in_library else os.path.normpath(folder.resolve() / name)
        if isinstance(name, str):
            found.append(node["file"])
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        found += _anchor_files(child, folder)
    return found
