"""The picture of a topology, by its name: a rack's scale-up domain or a form of fabric."""

from pathlib import Path

from outputs.domain_plot import domain_figure
from outputs.drawing import look
from outputs.fabric_plot import fabric_figure
from outputs.topology_table import about
from topologies.interconnect import FABRICS, topology


def draw_topology(name: str, picture: Path) -> None:
    """Draw a topology into a PNG; ScenarioError for an unknown name."""
    graph = topology(name)
    with look():
        figure = (fabric_figure if name in FABRICS else domain_figure)(graph, f"{name}: {about(name)}")
        picture.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(picture, format="png", dpi=120)
