"""The learned dynamics at work, without torch: compiled functions write its inputs, ONNX Runtime runs it."""

from pathlib import Path

import numpy as np

from metaverse_env.errors import CheckpointError
from metaverse_env.simulator import entry
from metaverse_env.simulator.dynamics import Simulation
from metaverse_env.simulator.kernel import Output
from metaverse_env.units import TARGETS
from metaverse_env.zones import ZoneGraph
from predictors.stgnn.blocks import Block, Blocks, cut_worlds, neighbour_table
from predictors.stgnn.card import WEIGHTS, Card, read_card
from predictors.stgnn.dynamics.features import (
    DYNAMICS_FEATURES,
    LAGS,
    REMEMBERED_FLOORS,
    dynamics_inputs,
    remember_tick,
)
from predictors.stgnn.features import EMBEDDING, FLOORS
from predictors.stgnn.session import Session

Array = np.ndarray


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
        self._blocks = Blocks()
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
        for block in cut_worlds(*state.zones.shape):
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


def _dynamics_block(graph: ZoneGraph, worlds: int) -> Block:
    rows = worlds * len(graph)
    neighbours, _ = neighbour_table(graph, worlds)
    widths = {"features": len(DYNAMICS_FEATURES), "last": 4, "allocation": 3, "stays": 1}
    widths |= {"demand_noise": 3, "latency_noise": 1}
    inputs = {name: np.zeros((rows, width), dtype=np.float32) for name, width in widths.items()}
    inputs |= {"comes": np.zeros((*neighbours.shape, 1), dtype=np.float32), "neighbours": neighbours}
    return Block(inputs, np.zeros((rows, len(TARGETS)), dtype=np.float32))
