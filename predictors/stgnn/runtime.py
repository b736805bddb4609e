"""The networks at work, without torch: compiled functions write their inputs, ONNX Runtime runs them.

Many worlds are run a block at a time, so that what a network works in stays small whatever the batch.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from metaverse_env.errors import CheckpointError
from metaverse_env.forecasters import HORIZON
from metaverse_env.history import TICKS, History
from metaverse_env.simulator import entry
from metaverse_env.simulator.dynamics import Simulation
from metaverse_env.simulator.kernel import Output
from metaverse_env.telemetry import Forecast
from metaverse_env.units import QUANTILES, TARGETS
from metaverse_env.zones import ZoneGraph
from predictors.stgnn.card import WEIGHTS, Card, read_card
from predictors.stgnn.dynamics_features import (
    DYNAMICS_FEATURES,
    LAGS,
    REMEMBERED_FLOORS,
    dynamics_inputs,
    remember_tick,
)
from predictors.stgnn.features import EMBEDDING, FLOORS, FORECAST_FEATURES, HISTORY_WIDTH, forecast_inputs
from predictors.stgnn.session import Session

Array = np.ndarray

_ROWS_AT_ONCE: Final = 2048
"""Zones that a network is given in one call: what it works in stays within a few MB."""


def neighbour_table(graph: ZoneGraph, worlds: int) -> tuple[Array, Array]:
    """Return neighbours ``int64 [W Z, D]`` and weights ``float32 [W Z, D, 1]`` of ``worlds`` disjoint graphs.

    Where a zone has no neighbour stands row 0 with weight 0.
    """
    first = len(graph) * np.arange(worlds, dtype=np.int64)[:, None, None]
    rows = np.where(graph.neighbours >= 0, graph.neighbours + first, 0)
    degree = graph.neighbours.shape[1]
    return rows.reshape(-1, degree), np.tile(graph.weights, (worlds, 1)).astype(np.float32)[:, :, None]


def _blocks(worlds: int, zones: int) -> list[slice]:
    """Cut worlds into blocks of at most :data:`_ROWS_AT_ONCE` zones, but of one world at least."""
    size = max(1, _ROWS_AT_ONCE // zones)
    return [slice(first, min(first + size, worlds)) for first in range(0, worlds, size)]


class _Block(NamedTuple):
    """The memory that one call of a network reads and writes."""

    inputs: dict[str, Array]
    output: Array


class _Blocks:
    """Blocks of one network, made when first needed, for as long as the graph stays the same."""

    def __init__(self) -> None:
        self._graph: ZoneGraph | None = None
        self._made: dict[tuple[int, ...], _Block] = {}

    def get(self, graph: ZoneGraph, key: tuple[int, ...], make: Any) -> _Block:
        if graph is not self._graph:
            self._graph, self._made = graph, {}
        if key not in self._made:
            self._made[key] = make(graph, *key)
        return self._made[key]

    def __getstate__(self) -> dict[str, Any]:
        return {"_graph": None, "_made": {}}


class StgnnForecaster:
    """Demand and latency of every zone up to 16 ticks ahead, by the shipped network or another.

    Not for two threads at once: its working memory is its own.

    Demand is what users would consume if nothing limited them (memory: what it tends to), not what was used; latency
    assumes that allocations stay as they are.

    Args:
        stem: Path of the network without suffix.

    Raises:
        CheckpointError: The files do not fit this version, or each other.
    """

    horizon = HORIZON
    needs_intents = True

    def __init__(self, stem: str | Path = WEIGHTS / "stgnn_forecaster") -> None:
        self.card: Card = read_card(Path(stem), "forecaster")
        self._session = Session(Path(stem).with_suffix(".onnx"))
        self._blocks = _Blocks()
        self._levels = np.zeros((TICKS, len(FLOORS)), dtype=np.float32)

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
        for block in _blocks(worlds, zones):
            part = values[:, block]
            rows = self._blocks.get(history.graph, (part.shape[1], *ahead), _forecast_block)
            inputs = rows.inputs
            forecast_inputs(
                part, part.view(np.int32), time_s[:, block], self._levels, inputs["features"], inputs["last"]
            )
            self._session.run(inputs, rows.output)
            result[block] = rows.output.reshape(result[block].shape)
        return Forecast(result, ahead)


def _forecast_block(graph: ZoneGraph, worlds: int, *ahead: int) -> _Block:
    rows = worlds * len(graph)
    neighbours, weights = neighbour_table(graph, worlds)
    inputs = {
        "features": np.zeros((rows, len(FORECAST_FEATURES)), dtype=np.float32),
        "last": np.zeros((rows, len(TARGETS)), dtype=np.float32),
        "neighbours": neighbours,
        "weights": weights,
        "ticks": np.array(ahead, dtype=np.int64) - 1,
    }
    return _Block(inputs, np.zeros((rows, len(ahead), len(TARGETS) * len(QUANTILES)), dtype=np.float32))


class StgnnDynamics:
    """Demand and latency by the shipped network or another, instead of by formulas.

    People, activities, allocations, kills and restarts stay those of the simulator. Demand of memory is what is in use.

    Args:
        stem: Path of the network without suffix.

    Raises:
        CheckpointError: The files do not fit this version, or each other.
    """

    needs_intents = True

    def __init__(self, stem: str | Path = WEIGHTS / "stgnn_dynamics") -> None:
        self.card: Card = read_card(Path(stem), "dynamics")
        self._keep = np.array(self.card.residual_keep, dtype=np.float32)
        self._session = Session(Path(stem).with_suffix(".onnx"))
        self._blocks = _Blocks()
        self._ring = np.zeros((0, 0, LAGS, len(FLOORS)), dtype=np.float32)
        self._before = np.zeros((0, 0, EMBEDDING), dtype=np.float32)

    def reset(self, simulation: Simulation, worlds: Array) -> None:
        """Remember that the worlds named by ``worlds [W]`` have long been as they are, without intents.

        Raises:
            CheckpointError: The scenario's intents have another width than the network was made for.
        """
        zones = simulation.state.zones
        if simulation.constants.bank.shape[3] != EMBEDDING:
            raise CheckpointError(
                f"the network reads intents of width {EMBEDDING}, those of scenario {simulation.scenario.name!r} have"
                f" {simulation.constants.bank.shape[3]}; use dynamics='physics', or train a network for them"
            )
        if self._ring.shape[:2] != zones.shape:
            self._ring = np.zeros((*zones.shape, LAGS, len(FLOORS)), dtype=np.float32)
            self._before = np.zeros((*zones.shape, EMBEDDING), dtype=np.float32)
        now = zones[worlds]
        measured = now["measured"][:, :, 0]
        load = measured[..., 1:4] / now["current"]
        values = np.concatenate([measured[..., :4], measured[..., 5:6], load], axis=2)
        self._ring[worlds] = np.log(np.maximum(values, REMEMBERED_FLOORS))[:, :, None]
        self._before[worlds] = 0.0

    def advance(self, simulation: Simulation, commands: Array, before: Array, out: Output) -> None:
        """Let one tick pass; see :class:`~metaverse_env.simulator.dynamics.Dynamics`."""
        state, constants = simulation.state, simulation.constants
        entry.step_people(*state, commands, *out, *simulation.replay, *constants)
        targets = np.empty((*state.zones.shape, len(TARGETS)), dtype=np.float32)
        for block in _blocks(*state.zones.shape):
            rows = self._blocks.get(simulation.graph, (block.stop - block.start,), _dynamics_block)
            inputs = rows.inputs
            dynamics_inputs(
                state.worlds, state.zones, state.remote, out.outcome, out.telemetry, out.intents, constants.edges,
                self._keep, self._ring, self._before, block.start,
                inputs["features"], inputs["last"], inputs["allocation"], inputs["stays"], inputs["comes"],
                inputs["demand_noise"], inputs["latency_noise"],
            )  # fmt: skip
            self._session.run(inputs, rows.output)
            targets[block] = rows.output.reshape(targets[block].shape)
        entry.step_learned(*state, targets, before, *out, *constants)
        remember_tick(out.outcome, self._ring)


def _dynamics_block(graph: ZoneGraph, worlds: int) -> _Block:
    rows = worlds * len(graph)
    neighbours, _ = neighbour_table(graph, worlds)
    widths = {"features": len(DYNAMICS_FEATURES), "last": 4, "allocation": 3, "stays": 1}
    widths |= {"demand_noise": 3, "latency_noise": 1}
    inputs = {name: np.zeros((rows, width), dtype=np.float32) for name, width in widths.items()}
    inputs |= {"comes": np.zeros((*neighbours.shape, 1), dtype=np.float32), "neighbours": neighbours}
    return _Block(inputs, np.zeros((rows, len(TARGETS)), dtype=np.float32))
