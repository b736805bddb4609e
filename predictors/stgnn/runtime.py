"""The forecaster at work, without torch: a compiled function writes its inputs, ONNX Runtime runs it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from metaverse_env.errors import CheckpointError
from metaverse_env.forecasters import HORIZON
from metaverse_env.history import TICKS, History
from metaverse_env.plugins import resolve
from metaverse_env.telemetry import Forecast
from metaverse_env.units import QUANTILES, TARGETS
from metaverse_env.zones import ZoneGraph
from predictors.stgnn.blocks import Block, Blocks, cut_worlds, neighbour_table
from predictors.stgnn.card import WEIGHTS, Card, read_card
from predictors.stgnn.features import EMBEDDING, FLOORS, FORECAST_FEATURES, HISTORY_WIDTH, forecast_inputs
from predictors.stgnn.session import Session

Array = np.ndarray

MOST: Final = np.float32(1e9)
"""Where a forecast is cut, in any unit [choice]: the exponential of what it makes of absurd input is infinite."""


class StgnnForecaster:
    """Demand and latency of every zone up to 16 ticks ahead, by the shipped network or another.

    Not for two threads at once: its working memory is its own.

    Demand is what users would consume if nothing limited them, not what was used; of memory what will be in use.
    Latency assumes that allocations stay as they are.

    Args:
        stem: Path of the network without suffix.
        intents: Whether it hears what users announce; without, worlds need not make intents.
        device: Of torch, such as ``"cuda"``, to run there; ``None`` runs on one thread by ONNX Runtime, without torch.

    Raises:
        CheckpointError: The files do not fit this version, or each other.
        ConfigurationError: There is no such device.
    """

    horizon = HORIZON

    def __init__(
        self, stem: str | Path = WEIGHTS / "stgnn_forecaster", device: str | None = None, intents: bool = True
    ) -> None:
        self.needs_intents = intents
        self.card: Card = read_card(Path(stem), "forecaster")
        self._session = Session(Path(stem).with_suffix(".onnx")) if device is None else _on_torch(Path(stem), device)
        self._blocks = Blocks()

    def forecast(self, history: History, ticks: Sequence[int] | None = None) -> Forecast:
        """Forecast all zones of all worlds; see :class:`~metaverse_env.contracts.Predictor`.

        Raises:
            CheckpointError: The history has another length, or intents of another width, than the network was made for.
        """
        ahead = tuple(range(1, HORIZON + 1)) if ticks is None else tuple(ticks)
        values, time_s = history.values, history.time_s
        length, worlds, zones, width = values.shape
        if length != TICKS or width not in (HISTORY_WIDTH, HISTORY_WIDTH + EMBEDDING):
            raise CheckpointError(
                f"the network reads {TICKS} ticks and intents of width {EMBEDDING} or 0; the history has {length} "
                f"ticks and intents of width {width - HISTORY_WIDTH}"
            )
        result = np.empty((worlds, zones, len(ahead), len(TARGETS), len(QUANTILES)), dtype=np.float32)
        for block in cut_worlds(worlds, zones):
            part = values[:, block]
            rows = self._blocks.get(history.graph, (part.shape[1], *ahead), forecast_block)
            write_inputs(part, time_s[:, block], rows)
            self._session.run(rows.inputs, rows.output)
            np.minimum(rows.output.reshape(result[block].shape), MOST, out=result[block])
        return Forecast(result, ahead)


def _on_torch(stem: Path, device: str) -> Any:
    """Return a session on a device; torch is imported only where it is asked for."""
    return resolve("engine", "torch", {"torch": "predictors.stgnn.torch_session:TorchSession"}, "predictors")(
        stem, device
    )


def write_inputs(values: Array, time_s: Array, block: Block) -> None:
    """Write the network's inputs for histories ``[L, W, Z, …]`` at ``[L, W]``, as many worlds as the block is for."""
    inputs = block.inputs
    levels = np.empty((TICKS, len(FLOORS)), dtype=np.float32)
    forecast_inputs(values, values.view(np.int32), time_s, levels, inputs["features"], inputs["last"])


def forecast_block(graph: ZoneGraph, worlds: int, *ahead: int) -> Block:
    """Return memory for one call: the inputs of the network for so many worlds, at ticks ``ahead``, and its output."""
    rows = worlds * len(graph)
    neighbours, weights = neighbour_table(graph, worlds)
    inputs = {
        "features": np.zeros((rows, len(FORECAST_FEATURES)), dtype=np.float32),
        "last": np.zeros((rows, len(TARGETS)), dtype=np.float32),
        "neighbours": neighbours,
        "weights": weights,
        "ticks": np.array(ahead, dtype=np.int64) - 1,
    }
    return Block(inputs, np.zeros((rows, len(ahead), len(TARGETS) * len(QUANTILES)), dtype=np.float32))
