"""The command `megawatt sweep`. Imports of weight stand inside."""

import math
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.errors import ScenarioError

if TYPE_CHECKING:
    from scenarios.design import Axis, Open
    from scenarios.sweep_file import Asked
    from sim.planning import Plan
    from sim.runs import Hire

_OUT = "Sweep folder; default: runs/NAME or the next free number."


@click.command()
@click.argument("scenario")
@click.option("--set", "settings", metavar="KEY=VALUE", multiple=True, help="Override a key in all runs.")
@click.option(
    "--policy", "policies", metavar="SPEC", multiple=True, help="A policy to compare; the first is the baseline."
)
@click.option("--vary", metavar="KEY=VALUES", multiple=True, help="Values of a key: 8,16,32 or 10..50:10 MW.")
@click.option("--zip", "zipped", metavar="KEY=VALUES", multiple=True, help="Keys that change together, not crossed.")
@click.option(
    "--sample", type=click.IntRange(1), help="So many points of a Latin hypercube over ranges without a step."
)
@click.option("--replications", type=click.IntRange(1, 10_000), help="Runs of each point. [default: 10]")
@click.option("--until", metavar="REL", help="Go on until each mean is known to this share of itself, such as 2%.")
@click.option("--batch", type=click.IntRange(2, 10_000), help="With --until: replications between looks. [default: 10]")
@click.option("--most", type=click.IntRange(2, 10_000), help="With --until: the most replications. [default: 200]")
@click.option("--metric", "metrics", metavar="NAME", multiple=True, help="A metric to show; --until goes by the first.")
@click.option("--baseline", metavar="KEY=VALUE,...", help="What differences are to, such as policy=easy.")
@click.option("--confidence", metavar="SHARE", help="Of the intervals. [default: 95%]")
@click.option("--uncertainty", type=click.Choice(["low", "base", "high"]), help="End of the catalog's bands to use.")
@click.option("--seed", type=click.IntRange(0, 2**62), help="Seed of the first replication; default: the scenario's.")
@click.option("--jobs", type=click.IntRange(1, 4096), help="Worker processes. [default: one a core]")
@click.option("--dask", metavar="ADDRESS", help="Run on this Dask scheduler instead, such as tcp://head:8786.")
@click.option("--out", type=click.Path(path_type=Path), help=_OUT)
@click.option("--resume", is_flag=True, help="Go on with a sweep that was interrupted.")
@click.option("--force", is_flag=True, help="Replace the sweep that stands at --out.")
@click.option("--dry-run", is_flag=True, help="Check the sweep and say how many runs it has.")
@click.option("--quiet", is_flag=True, help="Print the sweep folder only.")
@click.option("--no-render", is_flag=True, help="Draw no pictures.")
def sweep(scenario: str, **options: Any) -> None:
    """Run a scenario over policies and values, each several times with the same random streams, and compare.

    SCENARIO is a scenario or a sweep file, or the name of one of the library. Options add to a sweep file.
    """
    from sim.planning import plan
    from sim.runs import Place
    from sim.sweep import sweep as run_sweep
    from sim.sweep_progress import SweepReporter

    _agree(options)
    asked = _asked(scenario, options)
    reporter = SweepReporter(options["quiet"], asked.metrics, len(asked.settings))
    planned = plan(asked, reporter.warn)
    if options["dry_run"]:
        click.echo(f"{planned.facts['name']}: {_size(planned)}")
        return
    try:
        folder = run_sweep(
            planned,
            _hire(options),
            Place(options["out"], options["resume"], options["force"]),
            _draw if not options["no_render"] else _no_pictures,
            reporter,
        )
    finally:
        reporter.close()
    click.echo(click.format_filename(folder))


def _agree(options: dict[str, Any]) -> None:
    """ScenarioError for options that do not go together."""
    for one, other in (("replications", "until"), ("jobs", "dask"), ("resume", "force")):
        if options[one] and options[other]:
            raise ScenarioError(f"cannot be used with --{other}", f"--{one}")
    for one in ("batch", "most"):
        if options[one] and not options["until"]:
            raise ScenarioError("needs --until", f"--{one}")
    if options["force"] and options["out"] is None:
        raise ScenarioError("needs --out; without it a sweep never stands in the way of another", "--force")


def _asked(scenario: str, options: dict[str, Any]) -> "Asked":
    """What the file and the options ask for together."""
    from scenarios.files import find
    from scenarios.sweep_file import Asked, Until, find_sweep, read_sweep

    path = find_sweep(scenario)
    asked = Asked(find(scenario)) if path is None else read_sweep(path)
    settings = [(text, "--set") for text in options["settings"]]
    if options["uncertainty"] is not None:
        settings.append((f"uncertainty={options['uncertainty']}", "--uncertainty"))
    given = {name: options[name] for name in ("sample", "replications", "baseline", "seed")}
    given["metrics"] = options["metrics"] or None
    if options["confidence"] is not None:
        given["confidence"] = _share("--confidence", options["confidence"], 0.5, 0.9999)
    if options["until"] is not None:
        relative = _share("--until", options["until"], 1e-6, 1.0)
        given["until"] = Until(relative, options["batch"] or 10, options["most"] or 200)
    asked = replace(asked, **{name: value for name, value in given.items() if value is not None})
    if options["replications"] is not None:
        asked = replace(asked, until=None)
    return replace(asked, settings=(*asked.settings, *settings)).with_axes(_axes(options))


def _axes(options: dict[str, Any]) -> list["Axis | Open"]:
    from scenarios.design import axis, zipped
    from scenarios.sweep_file import policies_axis
    from scenarios.units import shown

    def parsed(texts: Sequence[str], option: str) -> list["Axis | Open"]:
        found = []
        for text in texts:
            key, separator, values = text.partition("=")
            if not separator or not key.strip():
                allowed = "KEY=VALUES, such as site.feed='10..50:10 MW'"
                raise ScenarioError(f"found {shown(text)}; allowed: {allowed}", option)
            found.append(axis(key.strip(), values, f"{option} {text}"))
        return found

    axes: list[Axis | Open] = []
    if options["policies"]:
        axes.append(policies_axis(options["policies"], "--policy"))
    axes += parsed(options["vary"], "--vary")
    if options["zipped"]:
        axes.append(zipped(parsed(options["zipped"], "--zip"), "--zip"))
    return axes


def _share(option: str, text: str, low: float, high: float) -> float:
    """A share such as 2% or 0.02."""
    from scenarios.units import parse_quantity, shown

    try:
        share = parse_quantity(text, "percent") if text.strip().endswith(("%", "percent")) else float(text)
    except ValueError:
        share = math.nan
    if not low <= share <= high:
        raise ScenarioError(f"found {shown(text)}; allowed: {low:g} to {high:g}, such as 5%", option)
    return share


def _size(planned: "Plan") -> str:
    points, rule = len(planned.points), planned.asked.until
    if rule is None:
        runs = points * planned.asked.replications
        return f"{points:,} points, {planned.asked.replications:,} replications each, {runs:,} runs"
    return f"{points:,} points, at least {points * rule.batch:,} and at most {points * rule.most:,} runs"


def _hire(options: dict[str, Any]) -> "Hire":
    from sim.workers import Workers

    if options["dask"] is not None:
        try:
            from sim.dask_workers import DaskWorkers
        except ModuleNotFoundError:
            text = "needs the extra cluster: pip install 'megawatt[cluster]'"
            raise ScenarioError(text, "--dask") from None
        return partial(DaskWorkers, options["dask"])
    count = options["jobs"] or len(os.sched_getaffinity(0))
    return partial(Workers, count)


def _draw(folder: Path) -> None:
    _no_pictures(folder)


def _no_pictures(folder: Path) -> None:
    from outputs.comparison import comparison_frame
    from outputs.sweep_folder import sweep_of

    comparison_frame(sweep_of(folder)).write_csv(folder / "comparison.csv")
