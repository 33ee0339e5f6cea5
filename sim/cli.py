"""The command line. The one place that prints, and that turns a mistake of the user into exit code 2.

Imports of weight stand inside the commands, so that --help answers at once.
"""

import codecs
import io
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.errors import ScenarioError, one_line
from sim.compare_cli import compare, plot
from sim.optimize_cli import optimize
from sim.show import show
from sim.sweep_cli import sweep

if TYPE_CHECKING:
    from scenarios.trace_keys import Shares

LEFT_OVER = 3  # exit code of a run until done that leaves jobs behind; its folder is saved
_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Commands(click.Group):
    """A click group whose commands end with the exit codes of the contract."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a mistake of the user ends with 2, an interruption with 130."""
        try:
            return super().invoke(ctx)
        except ScenarioError as error:
            click.echo(f"megawatt: {error}", err=True)
            ctx.exit(2)
        except BrokenPipeError:  # the reader has seen enough; click ends quietly
            raise
        except OSError as error:
            click.echo(f"megawatt: {one_line(str(error))}", err=True)
            ctx.exit(2)
        except (KeyboardInterrupt, click.Abort):
            click.echo("megawatt: interrupted", err=True)
            ctx.exit(130)


@click.group(cls=Commands, context_settings=_CONTEXT)
@click.version_option(package_name="megawatt", prog_name="megawatt")
def main() -> None:
    """Simulate AI data-center capacity: which racks, jobs and policies make the most of the megawatts."""
    signal.signal(signal.SIGTERM, _stop)
    if isinstance(sys.stdout, io.TextIOWrapper) and codecs.lookup(sys.stdout.encoding).name != "utf-8":
        sys.stdout.reconfigure(errors="replace")  # where there is no \u00b1, a ? stands for it


def _stop(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


_overrides = click.option(
    "--set", "settings", metavar="KEY=VALUE", multiple=True, help="Override a key, such as fleet.dgx.count=8."
)
_policy = click.option(
    "--policy",
    metavar="SPEC",
    help="A preset, which replaces the scenario's policy, and/or axis=value parts, which replace an axis each: easy, "
    "or order=sjf,backfill=none, or order=mine.py:mine.",
)


def _all_overrides(settings: tuple[str, ...], policy: str | None) -> list[tuple[str, str]]:
    from policies.spec import arranged, overrides

    spec = [] if policy is None else [(setting, f"--policy {policy}:") for setting in overrides(policy)]
    return arranged([(setting, "--set") for setting in settings], spec)


@main.command()
@click.argument("scenario")
@_overrides
@_policy
@click.option("--uncertainty", type=click.Choice(["low", "base", "high"]), help="End of the catalog's bands to use.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of the random streams; default: the scenario's.")
@click.option("--out", type=click.Path(path_type=Path), help="Run folder; default: runs/NAME or the next free number.")
@click.option("--force", is_flag=True, help="Replace the run that stands at --out.")
@click.option("--quiet", is_flag=True, help="Print the run folder only.")
@click.option("--no-render", is_flag=True, help="Draw no pictures.")
def run(
    scenario: str,
    settings: tuple[str, ...],
    policy: str | None,
    uncertainty: str | None,
    seed: int | None,
    out: Path | None,
    force: bool,
    quiet: bool,
    no_render: bool,
) -> None:
    """Run a scenario (a file or a library name)."""
    from scenarios.files import find
    from sim.progress import Reporter
    from sim.run import run as run_scenario

    if force and out is None:
        raise ScenarioError("needs --out; without it a run never stands in the way of another", "--force")
    overrides = _all_overrides(settings, policy)
    if uncertainty is not None:
        overrides.append((f"uncertainty={uncertainty}", "--uncertainty"))
    with Reporter(quiet) as reporter:
        done = run_scenario(find(scenario), overrides, seed, out, force, not no_render, reporter.report)
    if not quiet:
        from outputs.tables import show, summary_table

        for warning in done.result.warnings:
            click.echo(f"warning: {warning}", err=True)
        show(summary_table(done.name, done.result.summary))
    click.echo(click.format_filename(done.folder))
    if done.left_over:
        if quiet:
            click.echo(f"megawatt: {done.result.warnings[-1]}", err=True)
        sys.exit(LEFT_OVER)


@main.command()
@click.argument("scenario")
@_overrides
@_policy
def validate(scenario: str, settings: tuple[str, ...], policy: str | None) -> None:
    """Check a scenario without running it."""
    from scenarios.files import find
    from sim.run import prepare

    checked, plant, decided = prepare(find(scenario), _all_overrides(settings, policy))
    for warning in [*checked.warnings, *decided.warnings]:
        click.echo(f"warning: {warning}", err=True)
    pools = "1 pool" if len(plant.pools) == 1 else f"{len(plant.pools)} pools"
    axes = ", ".join(f"{axis} {name}" for axis, name in decided.names.items())
    click.echo(f"{checked.keys.name}: valid ({plant.chips:,} chips in {pools}; {axes})")


@main.command()
def schema() -> None:
    """Print the JSON Schema of scenario files."""
    import json

    from scenarios.schema import ScenarioKeys

    click.echo(json.dumps(ScenarioKeys.model_json_schema(by_alias=True), indent=2))


@main.command()
@click.argument("run", type=click.Path(path_type=Path))
def explain(run: Path) -> None:
    """Say where the capacity of a saved run went, and what would move its largest losses."""
    from outputs.explain import explanation
    from outputs.sweep_folder import is_sweep
    from outputs.tables import show as print_table

    if is_sweep(run):
        text = "is the folder of a sweep; allowed: that of a run (megawatt compare shows sweeps)"
        raise ScenarioError(text, str(run))
    found = explanation(run)
    for made in found.tables:
        print_table(made)
        click.echo()
    for line in found.lines:
        click.echo(line)


@main.command()
@click.argument("format", metavar="FORMAT")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="Write the project's job table as CSV.")
@click.option("--on-bad-row", type=click.Choice(["fail", "skip"]), default="fail", show_default=True)
@click.option(
    "--shares",
    type=click.Choice(["refuse", "round-up", "skip"]),
    default="refuse",
    show_default=True,
    help="What becomes of openb's rows that ask for a part of a GPU.",
)
@click.option("--force", is_flag=True, help="Replace the file that stands at --out.")
def trace(format: str, file: Path, out: Path | None, on_bad_row: str, shares: "Shares", force: bool) -> None:
    """Say what a recorded log holds, or write it as CSV.

    `megawatt show traces` lists the formats. The CSV is the job table that the trace format csv reads.
    """
    from outputs.tables import show as print_table
    from outputs.traces import check_replaceable, trace_table, write_csv
    from scenarios.files import exists, locate
    from scenarios.trace_keys import Asked
    from scenarios.traces import read_trace

    if out is not None:
        check_replaceable(out, force)
    read = read_trace(format, file if exists(file) else locate(str(file)), on_bad_row, asked=Asked(shares=shares))
    for warning in read.warnings:
        click.echo(f"warning: {warning}", err=True)
    if out is None:
        print_table(trace_table(file.name, read))
    else:
        write_csv(read.jobs, out)
        click.echo(click.format_filename(out))


@main.group()
def new() -> None:
    """Write a commented starting point for your own work."""


@new.command("scenario")
@click.argument("name")
def new_scenario(name: str) -> None:
    """Write NAME.yaml, a scenario that runs as it stands."""
    from scenarios.template import write_template

    click.echo(write_template(name))


@new.command("policy")
@click.argument("name")
@click.option("--axis", type=click.Choice(["order", "placement", "backfill"]), default="order", show_default=True)
def new_policy(name: str, axis: str) -> None:
    """Write NAME.py, a policy that works as it stands, and test_NAME.py, its test."""
    from policies.template import write_policy

    for path in write_policy(name, axis):
        click.echo(path)


for _command in (compare, optimize, plot, show, sweep):
    main.add_command(_command)


if __name__ == "__main__":
    sys.exit(main())
