"""How a panel's forecaster is trained: settings, and the run through its members.

Members are trained one after the other, each stopped early, then averaged and gated on the validation part.
"""

from dataclasses import dataclass

import torch

from metaverse_env.errors import PanelError
from predictors.forecasting.selection import Linear
from predictors.forecasting.windows import Windows
from predictors.stgnn.panel.correction import MOST_LEARNED, GraphKind, Sizes
from predictors.stgnn.panel.innovation import measure_innovation
from predictors.stgnn.panel.network import PanelNet


@dataclass(frozen=True)
class Fitting:
    """How to train.

    Attributes:
        seed: Of weights and batches.
        members: Networks that are averaged.
        steps: At most, for each.
        minutes: At most, for all together; ``None`` has no limit, and only then is a run reproducible.
        patience: Rounds without gain before a member stops.
        rate: Learning rate at the start.
        hidden: Width; ``None`` takes 64, and 128 from 100 zones on.
        graph: ``None`` takes the panel's graph if it has one; to learn one of few hours is to learn noise.
        threads: Of torch.
    """

    seed: int = 0
    members: int = 3
    steps: int = 6_000
    minutes: float | None = None
    patience: int = 12
    rate: float = 2e-3
    hidden: int | None = None
    graph: GraphKind | None = None
    threads: int = 1


def build(linear: Linear, settings: Fitting) -> PanelNet:
    """Return an untrained network, which forecasts what ``linear`` does, on a GPU if there is one."""
    windows = linear.windows
    hidden = settings.hidden or (64 if windows.levels.shape[1] < 100 else 128)
    sizes = Sizes.of(windows, hidden, choose_graph(windows, settings.graph))
    net = PanelNet(sizes, settings.members, settings.seed).start_from(linear, measure_innovation(linear))
    return net.to(choose_device())


def choose_device() -> torch.device:
    """Return where to train."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def choose_graph(windows: Windows, wish: GraphKind | None) -> GraphKind:
    """Return along what zones hear each other: as wished, else along the panel's graph if it has one.

    Raises:
        PanelError: The wish is a graph that the panel does not have, or one to be learned of too many zones.
    """
    panel = windows.series.panel
    has_edges = panel.edge_index is not None and panel.edge_index.shape[1] > 0
    if wish == "given" and not has_edges:
        raise PanelError(f"panel {panel.source} has no edges to hear neighbours along; add edge_index, or use no graph")
    if wish == "learned" and len(panel.names) > MOST_LEARNED:
        raise PanelError(
            f"panel {panel.source} has {len(panel.names)} zones; a graph can be learned of {MOST_LEARNED} at most"
        )
    return wish or ("given" if has_edges else "none")
