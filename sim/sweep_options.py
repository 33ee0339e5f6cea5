"""What the commands that do many runs share: options and what they stand for. Imports of weight stand inside."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scenarios.errors import ScenarioError

if TYPE_CHECKING:
    from scenarios.design import Axis, Open
    from scenarios.sweep_file import Asked
    from sim.runs import Hire, Place

_OUT = "Folder; default: runs/NAME or the next free number."
_ALL_RUNS = (
    click.option("--set", "settings", metavar="KEY=VALUE", multiple=True, help="Override a key in all runs."),
    click.option(
        "--uncertainty", type=click.Choice(["low", "base", "high"]), help="End of the catalog's bands to use."
    ),
    click.option("--confidence", metavar="SHARE", help="Of the intervals. [default: 95%]"),
    click.option(
        "--seed", type=click.IntRange(0, 2**62), help="Seed of the first replication; default: the scenario's."
    ),
    click.option("--jobs", type=click.IntRange(1, 4096), help="Worker processes. [default: one a core]"),
    click.option("--dask", metavar="ADDRESS", help="Run on this Dask scheduler instead, such as tcp://head:8786."),
    click.option("--out", type=click.Path(path_type=Path), help=_OUT),
    click.option("--resume", is_flag=True, help="Go on with what was interrupted."),
    click.option("--force", is_flag=True, help="Replace what stands at --out."),
    click.option("--quiet", is_flag=True, help="Print the folder only."),
    click.option("--no-render", is_flag=True, help="Draw no pictures."),
)


def all_runs(command: Callable[..., None]) -> Callable[..., None]:
    """The options that all commands of many runs have."""
    for option in reversed(_ALL_RUNS):
        command = option(command)
    return command


def agree(options: dict[str, Any], *pairs: tuple[str, str]) -> None:
    """ScenarioError for options that do not go together."""
    for one, other in (("jobs", "dask"), ("resume", "force"), *pairs):
        if options[one] and options[other]:
            raise ScenarioError(f"cannot be used with --{other}", f"--{one}")
    if options["force"] and options["out"] is None:
        raise ScenarioError("needs --out; without it nothing ever stands in the way of another", "--force")


def settings_of(options: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The overrides that all runs share."""
    settings = [(text, "--set") for text in options["settings"]]
    if options["uncertainty"] is not None:
        settings.append((f"uncertainty={options['uncertainty']}", "--uncertainty"))
    return tuple(settings)


def axes_of(texts: Sequence[str], option: str) -> list["Axis | Open"]:
    """Axes written as KEY=VALUES; ScenarioError for what is none."""
    from scenarios.design import axis
    from scenarios.units import shown

    found = []
    for text in texts:
        key, separator, values = text.partition("=")
        if not separator or not key.strip():
            raise ScenarioError(f"found {shown(text)}; allowed: KEY=VALUES, such as site.feed='10..50:10 MW'", option)
        found.append(axis(key.strip(), values, f"{option} {text}"))
    return found


def place_of(options: dict[str, Any]) -> "Place":
    """Where the folder goes."""
    from sim.runs import Place

    return Place(options["out"], options["resume"], options["force"])


def hire(options: dict[str, Any]) -> "Hire":
    """Who does the runs."""
    if options["dask"] is not None:
        try:
            from sim.dask_workers import DaskWorkers
        except ModuleNotFoundError:
            raise ScenarioError("needs the extra cluster: pip install 'megawatt[cluster]'", "--dask") from None
        return partial(DaskWorkers, options["dask"])
    from sim.workers import Workers

    return partial(Workers, options["jobs"] or len(os.sched_getaffinity(0)))


def print_sweeps(
    folders: Sequence[Path],
    metrics: Sequence[str] = (),
    pareto: str | None = None,
    baseline: str | None = None,
    confidence: str | None = None,
) -> None:
    """Print the tables of a saved sweep, or of several as one."""
    from outputs.sweep_tables import tables_of
    from outputs.tables import room, show

    for at, section in enumerate(tables_of(folders, metrics, pareto, baseline, confidence, room())):
        click.echo(("\n" if at else "") + section.title)
        for number, made in enumerate(section.tables):
            if number:
                click.echo()
            show(made)
        if section.note:
            click.echo(section.note)


def exit_code(folder: Path) -> int:
    """0 where all runs are done, 1 where a fault of ours ended one, else 2; says how many are missing."""
    from outputs.sweep_folder import FAILED, sweep_of
    from sim.work import FAULT

    runs = sweep_of(folder).runs
    errors = runs.filter(runs["status"] == FAILED)["error"].to_list()
    if not errors:
        return 0
    click.echo(f"megawatt: {len(errors):,} of {runs.height:,} runs failed; {folder}/runs.parquet says why", err=True)
    return 1 if any(error.startswith(FAULT) for error in errors) else 2


def drawer(asked: "Asked", pictures: bool) -> Callable[[Path], None]:
    """What makes comparison.csv and the pictures of a finished sweep."""

    def draw(folder: Path) -> None:
        from outputs.comparison import comparison_frame
        from outputs.sweep_folder import sweep_of

        comparison_frame(sweep_of(folder), asked.baseline).write_csv(folder / "comparison.csv")
        if pictures:
            from outputs.sweep_plot import render_sweep  # matplotlib takes half a second to import

            render_sweep(folder, baseline=asked.baseline)

    return draw
