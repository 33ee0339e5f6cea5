"""The command `megawatt optimize`. Imports of weight stand inside."""

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from scenarios.errors import ScenarioError
from sim.sweep_options import agree, all_runs, axes_of, drawer, exit_code, hire, place_of, settings_of

if TYPE_CHECKING:
    from scenarios.design import Axis, Open
    from scenarios.sweep_file import Asked
    from sim.search import Found, Search


@click.command()
@click.argument("scenario")
@click.option("--over", metavar="KEY=VALUES", multiple=True, help="A key to choose: 10..50 MW, 1..8 or a,b,c.")
@click.option("--policy", "policies", metavar="SPEC", multiple=True, help="A policy to choose from.")
@click.option("--minimize", metavar="METRIC", help="The metric to make small.")
@click.option("--maximize", metavar="METRIC", help="The metric to make large.")
@click.option("--trials", type=click.IntRange(1, 100_000), default=50, show_default=True, help="Points to try.")
@click.option(
    "--replications", type=click.IntRange(1, 10_000), default=3, show_default=True, help="Runs of each point."
)
@click.option("--batch", type=click.IntRange(1, 1000), default=4, show_default=True, help="Points suggested at a time.")
@click.option(
    "--confirm", type=click.IntRange(2, 10_000), default=10, show_default=True, help="Fresh runs of the best point."
)
@all_runs
def optimize(scenario: str, **options: Any) -> None:
    """Look for the values and the policy that make one metric as small or as large as can be.

    The best point is run again with seeds that the search has not seen; that is the figure to believe.
    """
    try:
        import optuna as _  # noqa: F401  # only whether it is there
    except ModuleNotFoundError:
        raise ScenarioError("needs the extra optimize: pip install 'megawatt[optimize]'", "optimize") from None
    from sim.search import search
    from sim.sweep_progress import SweepReporter

    agree(options, ("minimize", "maximize"))
    looked = _search(scenario, options)
    asked = looked.asked
    with SweepReporter(options["quiet"], asked.metrics, asked.settings) as reporter:
        draw = drawer(asked, not options["no_render"])
        found = search(looked, hire(options), place_of(options), draw, reporter)
    if not options["quiet"]:
        _show(looked, found, scenario)
    click.echo(click.format_filename(found.folder))
    click.get_current_context().exit(exit_code(found.folder))


def _search(scenario: str, options: dict[str, Any]) -> "Search":
    from outputs.joined import confidence_of
    from scenarios.files import find
    from scenarios.sweep_file import Asked, policies_axis
    from sim.search import Search

    metric = options["minimize"] or options["maximize"]
    if not metric:
        raise ScenarioError("needs --minimize METRIC or --maximize METRIC, such as --minimize wait_mean_s", "optimize")
    axes: list[Axis | Open] = [policies_axis(options["policies"], "--policy")] if options["policies"] else []
    axes = [*axes, *axes_of(options["over"], "--over")]
    if not axes:
        raise ScenarioError("needs --over KEY=LOW..HIGH or --policy: what is to be chosen", "optimize")
    confidence = 0.95 if options["confidence"] is None else confidence_of(options["confidence"], "--confidence")
    asked = Asked(
        find(scenario),
        settings=settings_of(options),
        replications=options["replications"],
        metrics=(metric,),
        confidence=confidence,
        seed=options["seed"],
    ).with_axes(axes)
    return Search(asked, bool(options["minimize"]), options["trials"], options["batch"], options["confirm"])


def _show(looked: "Search", found: "Found", scenario: str) -> None:
    if found.best is None or found.confirmed is None or found.confirmed.mean is None:
        click.echo("no trial could be run; runs.parquet holds the error of each")
        return
    goal = "least" if looked.least else "most"
    click.echo(f"the {goal} {looked.metric} of {looked.trials:,} trials:")
    for name, value in found.best.items():
        click.echo(f"  {name}: {value}")
    known, spread = found.confirmed, ""
    if known.half_width is not None:
        spread = f" \u00b1 {known.half_width:.2g} ({100 * looked.asked.confidence:g} % interval)"
    click.echo(f"  {looked.metric}: {known.mean:.6g}{spread}, over {known.count:,} fresh runs")
    click.echo(f"  {_command(looked.asked, found.best, scenario)}")


def _command(asked: "Asked", best: Mapping[str, str], scenario: str) -> str:
    """The command line that runs a point."""
    from scenarios.design import POLICY

    words, spec = ["megawatt", "run", scenario], ""
    for text in [*(text for text, _ in asked.settings), *(f"{key}={value}" for key, value in best.items())]:
        key, _, value = text.partition("=")
        if key == POLICY:
            spec = value
        else:
            words += ["--set", text]
    return shlex.join([*words, "--policy", spec] if spec else words)
