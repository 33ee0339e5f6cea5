"""`megawatt compare` and `megawatt plot`, for saved runs and for saved sweeps. Imports of weight stand inside."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from scenarios.errors import ScenarioError
from sim.sweep_options import print_sweeps

_DATES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
_FOR_SWEEPS, _FOR_RUNS = "is for sweeps", "is for runs"


def _folders(command: Callable[..., None]) -> Callable[..., None]:
    return click.argument(
        "folders", metavar="RUN...|SWEEP...", nargs=-1, required=True, type=click.Path(path_type=Path)
    )(command)


def _sweep_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--baseline", metavar="KEY=VALUE,...", help="Of a sweep: what points are compared to."),
        click.option("--pareto", metavar="X,Y", help="Of a sweep: two metrics; +X: more is better, -X: less is."),
        click.option("--metric", "metrics", metavar="NAME", multiple=True, help="Of a sweep: show this metric."),
    ):
        command = option(command)
    return command


def _dates(command: Callable[..., None]) -> Callable[..., None]:
    for name, to, what in (("--to", "until", "precedes"), ("--from", "since", "follows")):
        words = f"Of a run: draw only what {what} this date (UTC)."
        command = click.option(name, to, type=click.DateTime(_DATES), help=words)(command)
    return command


@click.command()
@_folders
@_dates
@_sweep_options
def plot(
    folders: tuple[Path, ...],
    since: datetime | None,
    until: datetime | None,
    metrics: tuple[str, ...],
    pareto: str | None,
    baseline: str | None,
) -> None:
    """Draw the pictures of saved runs again, or of a part of them, or those of saved sweeps."""
    from outputs.sweep_folder import is_sweep

    for_runs: Mapping[str, Any] = {"--from": since, "--to": until}
    for_sweeps: Mapping[str, Any] = {"--metric": metrics, "--pareto": pareto, "--baseline": baseline}
    for folder in folders:
        _refuse(for_runs if is_sweep(folder) else for_sweeps, _FOR_RUNS if is_sweep(folder) else _FOR_SWEEPS, folder)
    for folder in folders:
        if is_sweep(folder):
            from outputs.sweep_plot import redraw_sweep

            made = redraw_sweep(folder, metrics, pareto, baseline)
        else:
            from outputs.plots import redraw

            made = redraw(folder, _utc(since), _utc(until))
        for picture in made:
            click.echo(click.format_filename(picture))


@click.command()
@_folders
@click.option("--plot", "picture", type=click.Path(path_type=Path), help="Of runs: draw their power into this PNG.")
@click.option("--force", is_flag=True, help="Replace the picture that stands there.")
@_dates
@_sweep_options
@click.option("--confidence", metavar="PERCENT", help="Of a sweep: confidence of the intervals; default: the sweep's.")
def compare(
    folders: tuple[Path, ...],
    picture: Path | None,
    force: bool,
    since: datetime | None,
    until: datetime | None,
    metrics: tuple[str, ...],
    pareto: str | None,
    baseline: str | None,
    confidence: str | None,
) -> None:
    """Put saved runs beside each other, with differences to the first; or the points of saved sweeps.

    Points of a sweep have means with intervals, and paired differences to the first policy or to a baseline of your
    own. Several sweeps are compared as one.
    """
    from outputs.sweep_folder import is_sweep

    for_sweeps = {"--metric": metrics, "--pareto": pareto, "--baseline": baseline, "--confidence": confidence}
    sweeps = [folder for folder in folders if is_sweep(folder)]
    if not sweeps:
        _refuse(for_sweeps, _FOR_SWEEPS, folders[0])
        _compare_runs(folders, picture, force, since, until)
        return
    if len(sweeps) < len(folders):
        raise ScenarioError("is a sweep; compare runs with runs and sweeps with sweeps", str(sweeps[0]))
    _refuse({"--plot": picture, "--force": force, "--from": since, "--to": until}, _FOR_RUNS, folders[0])
    print_sweeps(folders, metrics, pareto, baseline, confidence)


def _compare_runs(
    runs: Sequence[Path], picture: Path | None, force: bool, since: datetime | None, until: datetime | None
) -> None:
    from outputs.compare import compare_table
    from outputs.tables import show

    if picture is None and (since is not None or until is not None):
        raise ScenarioError("needs --plot", "--from" if since is not None else "--to")
    if picture is not None and picture.suffix != ".png":
        raise ScenarioError("allowed: a name that ends in .png", f"--plot {picture}")
    made = compare_table(runs)
    if picture is not None:
        from outputs.plots import compare as draw
        from outputs.traces import check_replaceable

        check_replaceable(picture, force, "--plot")
        draw(runs, picture, _utc(since), _utc(until))
    show(made)
    if picture is not None:
        click.echo(click.format_filename(picture))


def _refuse(options: Mapping[str, Any], reason: str, folder: Path) -> None:
    given = next((name for name, value in options.items() if value), None)
    if given is not None:
        what = "a run" if reason is _FOR_SWEEPS else "a sweep"
        raise ScenarioError(f"{reason}; {folder} is {what}", given)


def _utc(end: datetime | None) -> datetime | None:
    return None if end is None else end.replace(tzinfo=UTC)
