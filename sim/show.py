"""The listings of the command line: `megawatt show ...`. Imports of weight stand inside the commands."""

from pathlib import Path
from typing import Literal

import click

from scenarios.errors import ScenarioError

_MOST_CHIPS = 1_000_000


@click.group()
def show() -> None:
    """List what megawatt brings along, or show a topology or the steps of a model."""


def _add_listing(what: str) -> None:
    @show.command(what, help=f"List the {what}.")
    @click.option(
        "--sources", is_flag=True, help="With accelerators, racks and models: source and band of each figure."
    )
    def command(sources: bool) -> None:
        from outputs.listings import listing
        from outputs.tables import show as show_table

        for table in listing(what, sources):
            show_table(table)


for _what in ("scenarios", "sweeps", "policies", "accelerators", "racks", "models", "traces"):
    _add_listing(_what)


@show.command("topology")
@click.argument("name")
@click.option("--plot", "picture", type=click.Path(path_type=Path), help="Draw the graph into this PNG.")
@click.option("--force", is_flag=True, help="Replace the picture that stands there.")
def show_topology(name: str, picture: Path | None, force: bool) -> None:
    """Say how the chips of a rack are joined and what that carries.

    NAME is a rack, or a form of scale-out fabric: leaf-spine, rail-optimised or fat-tree.
    """
    from outputs.tables import show as show_table
    from outputs.topology_table import topology_tables

    tables = topology_tables(name)
    if picture is not None:
        from outputs.topology_plot import draw_topology
        from outputs.traces import check_replaceable

        check_replaceable(picture, force, "--plot")
        draw_topology(name, picture)
    for table in tables:
        show_table(table)
    if picture is not None:
        click.echo(click.format_filename(picture))


@show.command("step")
@click.argument("model")
@click.option("--rack", "racks", multiple=True, help="Only this rack; may be given several times.")
@click.option("--chips", default="512,1024,4096", show_default=True, help="Sizes of the gang.")
@click.option("--precision", type=click.Choice(["bf16", "fp8"]), help="Default: each accelerator's own.")
@click.option("--plot", "picture", type=click.Path(path_type=Path), help="Draw the steps into this PNG.")
@click.option("--force", is_flag=True, help="Replace the picture that stands there.")
def show_step(
    model: str,
    racks: tuple[str, ...],
    chips: str,
    precision: Literal["bf16", "fp8"] | None,
    picture: Path | None,
    force: bool,
) -> None:
    """Say how long a training step of MODEL takes on gangs of several sizes, and what it is made of.

    The gangs are packed in an empty pool whose network carries all that they send.
    """
    from outputs.step_table import step_rows, step_table
    from outputs.tables import show as show_table

    rows = step_rows(model, racks, _sizes(chips), precision)
    made = step_table(model, rows)
    if picture is not None:
        from outputs.step_plot import draw_steps
        from outputs.traces import check_replaceable

        if picture.suffix != ".png":
            raise ScenarioError("allowed: a name that ends in .png", f"--plot {picture}")
        check_replaceable(picture, force, "--plot")
        draw_steps(model, rows, picture)
    show_table(made)
    if picture is not None:
        click.echo(click.format_filename(picture))


def _sizes(chips: str) -> list[int]:
    sizes = []
    for part in chips.split(","):
        if not (part.strip().isascii() and part.strip().isdecimal()) or not 1 <= int(part) <= _MOST_CHIPS:
            raise ScenarioError(f"allowed: chips from 1 to {_MOST_CHIPS:,}, such as 512,1024", f"--chips {chips}")
        sizes.append(int(part))
    return sizes
