"""The command `megawatt sweep`. Imports of weight stand inside."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from scenarios.errors import ScenarioError
from sim.sweep_options import agree, all_runs, axes_of, drawer, exit_code, hire, place_of, print_sweeps, settings_of

if TYPE_CHECKING:
    from scenarios.design import Axis, Open
    from scenarios.sweep_file import Asked
    from sim.planning import Plan

_COUNT = click.IntRange(1, 10_000)


@click.command()
@click.argument("scenario")
@click.option("--policy", "policies", metavar="SPEC", multiple=True, help="A policy; the first is the baseline.")
@click.option("--vary", metavar="KEY=VALUES", multiple=True, help="Values of a key: 8,16,32 or 10..50:10 MW.")
@click.option("--zip", "zipped", metavar="KEY=VALUES", multiple=True, help="Keys that change together, not crossed.")
@click.option("--sample", type=click.IntRange(1), help="Points of a Latin hypercube over ranges without a step.")
@click.option("--replications", type=_COUNT, help="Runs of each point. [default: 10]")
@click.option("--until", metavar="REL", help="Go on until each mean is known to this share of itself, such as 2%.")
@click.option("--batch", type=_COUNT, help="With --until: replications between looks. [default: 10]")
@click.option("--most", type=_COUNT, help="With --until: the most replications. [default: 200]")
@click.option("--metric", "metrics", metavar="NAME", multiple=True, help="A metric to show; --until goes by the first.")
@click.option("--baseline", metavar="KEY=VALUE,...", help="What differences are to, such as policy=easy.")
@all_runs
@click.option("--dry-run", is_flag=True, help="Check the sweep and say how many runs it has.")
def sweep(scenario: str, **options: Any) -> None:
    """Run a scenario over policies and values, each several times with the same random streams, and compare.

    SCENARIO is a scenario or a sweep file, or the name of one of the library. Options add to a sweep file.
    """
    from sim.planning import plan
    from sim.sweep import sweep as run_sweep
    from sim.sweep_progress import SweepReporter

    agree(options, ("replications", "until"))
    asked = _asked(scenario, options)
    with SweepReporter(options["quiet"], asked.metrics, asked.settings) as reporter:
        planned = plan(asked, reporter.warn)
        if options["dry_run"]:
            click.echo(f"{planned.base.name}: {_size(planned)}")
            return
        draw = drawer(asked, not options["no_render"])
        folder = run_sweep(planned, hire(options), place_of(options), draw, reporter)
    if not options["quiet"]:
        print_sweeps([folder], baseline=asked.baseline)
    click.echo(click.format_filename(folder))
    click.get_current_context().exit(exit_code(folder))


def _asked(scenario: str, options: dict[str, Any]) -> "Asked":
    """What the file and the options ask for together."""
    from outputs.joined import confidence_of
    from scenarios.files import find
    from scenarios.sweep_file import BASELINE, Asked, Until, find_sweep, read_sweep

    path = find_sweep(scenario)
    asked = Asked(find(scenario)) if path is None else read_sweep(path)
    given = {name: options[name] for name in ("sample", "replications", "baseline", "seed")}
    given["metrics"] = options["metrics"] or None
    if options["confidence"] is not None:
        given["confidence"] = confidence_of(options["confidence"], "--confidence")
    asked = replace(asked, **{name: value for name, value in given.items() if value is not None})
    if options["baseline"] is not None:
        asked = replace(asked, places={name: at for name, at in asked.places.items() if name != BASELINE})
    if options["replications"] is not None:
        asked = replace(asked, until=None)
    if options["until"] is not None:
        asked = replace(asked, until=Until(_relative(options["until"]), options["batch"] or 10, options["most"] or 200))
    elif options["batch"] or options["most"]:
        raise ScenarioError("needs --until", "--batch" if options["batch"] else "--most")
    return replace(asked, settings=(*asked.settings, *settings_of(options))).with_axes(_axes(options))


def _axes(options: dict[str, Any]) -> list["Axis | Open"]:
    from scenarios.design import zipped
    from scenarios.sweep_file import policies_axis

    axes: list[Axis | Open] = []
    if options["policies"]:
        axes.append(policies_axis(options["policies"], "--policy"))
    axes += axes_of(options["vary"], "--vary")
    if options["zipped"]:
        axes.append(zipped(axes_of(options["zipped"], "--zip"), "--zip"))
    return axes


def _relative(text: str) -> float:
    """The share of --until: 2% or 0.02."""
    from scenarios.sweep_file import LEAST_UNTIL

    number, sign, rest = text.partition("%")
    try:
        share = float(number) / (100 if sign else 1)
    except ValueError:
        share = 0.0
    if rest.strip() or not LEAST_UNTIL <= share <= 1:
        raise ScenarioError("allowed: a share of the mean such as 2%", f"--until {text}")
    return share


def _size(planned: "Plan") -> str:
    points, rule = len(planned.points), planned.asked.until
    if rule is None:
        runs = points * planned.asked.replications
        return f"{points:,} points, {planned.asked.replications:,} replications each, {runs:,} runs"
    return (
        f"{points:,} points, at least {points * min(rule.batch, rule.most):,} and at most {points * rule.most:,} runs"
    )
