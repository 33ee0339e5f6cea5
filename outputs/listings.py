"""What megawatt brings along, as tables for the terminal: scenarios, policies, the hardware catalog, trace formats."""

from rich.table import Table

from outputs.tables import table
from policies.plug_ins import installed
from policies.presets import PRESETS
from policies.registry import AXES, DEFAULTS, about
from scenarios.files import library
from scenarios.load import load
from scenarios.sweep_file import library_sweeps, read_sweep
from scenarios.trace_formats import FORMATS
from topologies.catalog import Fact, rates
from topologies.catalog import table as catalog


def listing(what: str, sources: bool) -> list[Table]:
    """The tables of `megawatt show WHAT`."""
    if what == "scenarios":
        keys = [load(path).keys for path in library()]
        return [table("", ["name", "description"], [[scenario.name, scenario.description] for scenario in keys])]
    if what == "sweeps":
        sweeps = [read_sweep(path) for path in library_sweeps()]
        return [table("", ["name", "description"], [[sweep.name or "", sweep.description] for sweep in sweeps])]
    if what == "policies":
        return _policies()
    if what == "traces":
        forms = [[name, form.about, form.sample] for name, form in FORMATS.items()]
        return [table("", ["format", "what it is", "sample (synthetic)"], forms)]
    tables = [_sources(what) if sources else _overview(what)]
    if what == "models":
        tables.append(_rates())
    return tables


def _policies() -> list[Table]:
    rows = [
        [f"{axis}={name}", ("(default) " if DEFAULTS[axis] == name else "") + about(policy)]
        for axis, known in AXES.items()
        for name, policy in known.items()
    ]
    rows += [
        [f"{axis}={name}", f"of {package}"] if name else [axis, f"of {package}; an entry point is named AXIS.NAME"]
        for axis, name, package in installed()
    ]
    presets = [
        [name, ", ".join(f"{axis}={value}" for axis, value in preset.axes.items()), preset.about]
        for name, preset in PRESETS.items()
    ]
    return [
        table("axes", ["policy", "what it does"], rows),
        table("\npresets", ["name", "stands for", "what it is"], presets),
    ]


def _overview(what: str) -> Table:
    """A row an item, a column a metric; estimates carry a star."""
    items = catalog(what)
    metrics = list(dict.fromkeys(metric for facts in items.values() for metric in facts))
    rows = [[name, *[_cell(facts.get(metric)) for metric in metrics]] for name, facts in items.items()]
    heads = ["name", *[metric.replace("_", " ") + " " for metric in metrics]]
    return table(f"{what} (* is an ESTIMATE; --sources shows its band and where every figure comes from)", heads, rows)


def _cell(fact: Fact | None) -> str:
    if fact is None:
        return "-"
    number = fact.value
    try:
        size = float(fact.value)
        number = f"{size:,.6g}" if size < 1e6 else f"{size / 1e9:.4g}e9"
    except ValueError:
        pass  # a name
    return number + (f" {fact.unit}" if fact.unit else "") + ("*" if fact.confidence == "estimate" else "")


def _sources(what: str) -> Table:
    heads = ["name", "metric", "value ", "low ", "high ", "unit", "confidence", "source", "note"]
    rows = [
        [fact.item, fact.metric, fact.value, fact.low, fact.high, fact.unit, fact.confidence, fact.source, fact.note]
        for facts in catalog(what).values()
        for fact in facts.values()
    ]
    return table("", heads, rows)


def _rates() -> Table:
    heads = ["task", "model", "accelerator", "precision", "sequence ", "chips ", "tokens/s/chip ", "source"]
    rows = [
        [
            *(rate.task, rate.model, rate.accelerator, rate.precision, str(rate.sequence), str(rate.chips)),
            *(f"{rate.tokens_per_s_per_chip:,.0f}", rate.source),
        ]
        for rate in rates()
    ]
    return table("\nmeasured training rates", heads, rows)
