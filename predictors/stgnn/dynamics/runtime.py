"""The learned dynamics at work, without torch: compiled functions write its inputs, ONNX Runtime runs it."""

from pathlib import Path
from typing import Final

import numpy as np

from metaverse_env.errors import CheckpointError
from metaverse_env.simulator import entry
from metaverse_env.simulator.dynamics import Simulation
from metaverse_env.simulator.kernel import Output
from metaverse_env.zones import ZoneGraph
from predictors.stgnn.blocks import Block, Blocks, cut_worlds
from predictors.stgnn.card import WEIGHTS, Card, read_card
from predictors.stgnn.dynamics.features import (
    DYNAMICS_FEATURES,
    MEMORY,
    TARGETS,
    dynamics_inputs,
    remember_waiting,
    start_inputs,
)
from predictors.stgnn.dynamics.sharing import sharing_table, slots_back
from predictors.stgnn.features import EMBEDDING
from predictors.stgnn.session import Session

Array = np.ndarray

OUTPUTS: Final = 8
"""Demand of three resources, three quantiles of latency, two speeds of memory."""
_WRITTEN: Final = ("features", "users", "allocation", "waiting", "shares", "noise")
_DEVIATING: Final = [0, 1, 2, 4]
"""Outputs that noise moves: demand, and p95, which stands for all of latency."""
_MOST_SHOWN: Final = 2.5
"""A zone that starts further away from what is usual starts this many standard deviations away from it."""
_LEAST_SPREAD: Final = 1e-3
_LEAST_MEASURED: Final = 1e-3


class StgnnDynamics:
    """Demand and latency by the shipped network or another, instead of by formulas.

    People, activities, allocations, kills and restarts stay those of the simulator.

    Args:
        stem: Path of the network without suffix.

    Raises:
        CheckpointError: The files do not fit this version, or each other.
    """

    needs_intents = True

    def __init__(self, stem: str | Path = WEIGHTS / "stgnn_dynamics") -> None:
        self.card: Card = read_card(Path(stem), "dynamics")
        self._weave = weave(np.array(self.card.residual_keep, dtype=np.float32))
        self._session = Session(Path(stem).with_suffix(".onnx"))
        self._blocks = Blocks()
        self._memory = np.zeros((0, 0), dtype=MEMORY)
        self._back = np.zeros((0, 0), dtype=np.int64)

    def reset(self, simulation: Simulation, worlds: Array) -> None:
        """Start the worlds named by ``worlds [W]`` with the deviations from what is usual that they now show.

        Raises:
            CheckpointError: The scenario's intents have another width than the network was made for.
        """
        state, width = simulation.state, simulation.constants.bank.shape[3]
        if width != EMBEDDING:
            raise CheckpointError(
                f"the network reads intents of width {EMBEDDING}, those of scenario {simulation.scenario.name!r} have"
                f" {width}; use dynamics='physics', or train a network for them"
            )
        if self._memory.shape != state.zones.shape:
            self._memory = np.zeros(state.zones.shape, dtype=MEMORY)
        self._back = slots_back(simulation.graph.neighbours)
        for block in cut_worlds(*state.zones.shape):
            if worlds[block].any():
                self._start(simulation, worlds, block)

    def _start(self, simulation: Simulation, worlds: Array, block: slice) -> None:
        """Start one block: see what the network says without noise, and with noise of one deviation."""
        state = simulation.state
        rows = self._blocks.get(simulation.graph, (block.stop - block.start,), _dynamics_block)
        written = [rows.inputs[name] for name in _WRITTEN]
        start_inputs(*state[:3], simulation.constants.zones, worlds, self._memory, block.start, *written)
        usual = self._deviating(rows, 0.0)
        spread = np.log(self._deviating(rows, 1.0) / usual)
        memory = self._memory[block]
        measured = np.concatenate([state.zones["measured"][block, :, 0, 1:4], memory["waiting_ms"][..., None]], axis=2)
        shown = np.log(np.maximum(measured, _LEAST_MEASURED).reshape(usual.shape) / usual) / (spread + _LEAST_SPREAD)
        shown = np.clip(shown, -_MOST_SHOWN, _MOST_SHOWN).reshape(measured.shape)
        parts = split_deviation(shown, memory["residual"][:, :, 1], self._weave)
        memory["residual"][worlds[block]] = parts[worlds[block]]

    def _deviating(self, rows: Block, noise: float) -> Array:
        """Return demand and p95 ``[N, 4]`` under the same noise everywhere."""
        rows.inputs["noise"][:] = noise
        self._session.run(rows.inputs, rows.output)
        return rows.output[:, _DEVIATING]

    def advance(self, simulation: Simulation, commands: Array, before: Array, out: Output) -> None:
        """Let one tick pass; see :class:`~metaverse_env.simulator.dynamics.Dynamics`."""
        state, constants = simulation.state, simulation.constants
        entry.step_people(*state, commands, *out, *simulation.replay, *constants)
        targets = np.empty((*state.zones.shape, OUTPUTS), dtype=np.float32)
        for block in cut_worlds(*state.zones.shape):
            rows = self._blocks.get(simulation.graph, (block.stop - block.start,), _dynamics_block)
            dynamics_inputs(
                state.worlds, state.remote, out.outcome, out.telemetry, out.intents, constants.edges, self._back,
                self._weave, self._memory, block.start, *[rows.inputs[name] for name in _WRITTEN],
            )  # fmt: skip
            self._session.run(rows.inputs, rows.output)
            targets[block] = rows.output.reshape(targets[block].shape)
        entry.step_learned(*state, targets, before, *out, *constants)
        remember_waiting(out.outcome, state.nodes, constants.zones, self._memory)


def weave(keep: Array) -> Array:
    """Return weight, correlation and gain ``float32 [4, 2, 3]`` of the quick and the slow part of each deviation.

    Args:
        keep: ``[4, 4]``, the fields of :class:`~predictors.stgnn.dynamics.residuals.Parts`.
    """
    shares, keeps = np.stack([keep[:, 0], 1.0 - keep[:, 0]], axis=1), keep[:, 1:3]
    weights = keep[:, 3:] * np.sqrt(shares)
    return np.stack([weights, keeps, np.sqrt(1.0 - keeps**2)], axis=2).astype(np.float32)


def split_deviation(shown: Array, chance: Array, woven: Array) -> Array:
    """Return a quick and a slow part ``[…, 2, 4]``, both standard normal, that add up to what a zone shows.

    Args:
        shown: ``[…, 4]``, in standard deviations as the network foretells them.
        chance: ``[…, 4]``, another such that has nothing to do with it: what is shown does not say how it splits.
        woven: See :func:`weave`.
    """
    size = np.hypot(woven[:, 0, 0], woven[:, 1, 0])
    shown, quick, slow = shown / size, woven[:, 0, 0] / size, woven[:, 1, 0] / size
    return np.stack([quick * shown + slow * chance, slow * shown - quick * chance], axis=-2)


def _dynamics_block(graph: ZoneGraph, worlds: int) -> Block:
    neighbours = sharing_table(graph, worlds)
    widths = {"features": len(DYNAMICS_FEATURES), "users": 1, "allocation": 3, "waiting": 1, "noise": TARGETS + 1}
    inputs = {name: np.zeros((len(neighbours), width), dtype=np.float32) for name, width in widths.items()}
    inputs |= {"neighbours": neighbours, "shares": np.zeros((*neighbours.shape, 1), dtype=np.float32)}
    return Block(inputs, np.zeros((len(neighbours), OUTPUTS), dtype=np.float32))
