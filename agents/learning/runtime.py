"""Learned policies at work, behind the contract of every controller: NumPy, and no torch."""

from pathlib import Path
from typing import Final

import numpy as np

from agents.floor import MemoryFloor
from agents.learning.card import SHIPPED, Card, Weights, load_policy
from agents.learning.rows import ZoneRows
from metaverse_env.action import ActionCodec
from metaverse_env.contracts import View
from metaverse_env.errors import CheckpointError, ConfigurationError, LifecycleError, UnknownNameError
from metaverse_env.telemetry import Command
from metaverse_env.units import RESOURCES
from metaverse_env.zones import ZoneGraph

Array = np.ndarray

_LAYERS: Final = ("first", "second")


class Network:
    """Two hidden layers with tanh and a linear head, which may see the input too.

    Args:
        weights: ``first.weight [H, row]``, ``first.bias [H]``, the same of ``second`` and ``head``; a head that is
            wider than ``H`` reads the second layer and then the row.
        row_size: Numbers in a row.
        outputs: Numbers that come out.

    Raises:
        CheckpointError: A tensor is missing, of another shape, or not finite.
    """

    def __init__(self, weights: Weights, row_size: int, outputs: int) -> None:
        names = [f"{layer}.{kind}" for layer in (*_LAYERS, "head") for kind in ("weight", "bias")]
        if set(weights) != set(names) or not all(np.isfinite(weights[name]).all() for name in names):
            raise CheckpointError(f"weights need finite {', '.join(names)}; found {', '.join(sorted(weights))}")
        self._parts = [np.ascontiguousarray(weights[name].T, dtype=np.float32) for name in names]
        width = self._parts[0].shape[-1]
        head = self._parts[4]
        shapes = [(row_size, width), (width,), (width, width), (width,), head.shape, (outputs,)]
        fits = head.shape in ((width, outputs), (width + row_size, outputs))
        if not fits or [part.shape for part in self._parts] != shapes:
            raise CheckpointError(
                f"weights of shapes {[part.shape for part in self._parts]} do not fit rows of {row_size}"
            )
        self._head, self._skip = head[:width], head[width:]

    def __call__(self, rows: Array) -> Array:
        """Return ``float32 [..., N, outputs]`` of rows ``[..., N, row]``."""
        first, first_bias, second, second_bias, _, bias = self._parts
        hidden = np.tanh(np.tanh(rows @ first + first_bias) @ second + second_bias)
        outputs: Array = hidden @ self._head + bias
        return outputs + rows @ self._skip if len(self._skip) else outputs


class LearnedPolicy:
    """A policy that was trained, for any number of zones.

    Args:
        card: What it is.
        weights: Of its network.

    Raises:
        CheckpointError: The weights do not fit the card.
    """

    def __init__(self, card: Card, weights: Weights) -> None:
        self.card = card
        outputs = int(np.prod(card.choices)) if card.action == "factors" else card.choices[0]
        self._network = Network(weights, card.row_size, outputs)
        self._rows: ZoneRows | None = None
        self._codec: ActionCodec | None = None
        self._handover = 0
        self._floor = MemoryFloor()

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Prepare for these zones; a learned policy remembers nothing but kills for want of memory."""
        self._rows, self._codec = ZoneRows(zones, len(self.card.zone_features), self.card.neighbours), None
        self._floor = MemoryFloor()

    def act(self, view: View) -> Command:
        """Decide for every zone.

        Raises:
            LifecycleError: Before reset.
            ConfigurationError: The view has no observation, or one of another layout, or other actions.
        """
        if self._rows is None:
            raise LifecycleError("act before reset; call reset(zones, worlds) first")
        observation = self._observation(view, self._rows)
        if self._codec is None:
            self._codec = self._fitting(view)
        rows = self._rows.actor(observation)
        # World by world: how a product of matrices is rounded depends on their size, and who decides on the edge of its
        # dead band must not depend on the worlds beside it.
        outputs = self._network(rows.reshape(len(observation), self._rows.zones, -1)).reshape(len(rows), -1)
        continuous = self.card.action == "continuous"
        actions = self._scalings(outputs, view.pending.allocation) if continuous else self._factors(outputs)
        command = self._codec.decode(actions.reshape(len(observation), self._rows.zones, -1), view.pending)
        return self._floor.under(command, view)

    def _observation(self, view: View, rows: ZoneRows) -> Array:
        """Return the observation of a view, if it is of the layout that the policy learned with."""
        if view.observation is None:
            raise ConfigurationError("a learned policy needs view.observation, which shells and environments fill in")
        size = rows.zones * rows.features + len(self.card.world_features)
        if view.observation.shape[1] != size:
            with_forecast = "with" if self.card.forecast else "without"
            raise ConfigurationError(
                f"policy {self.card.algorithm!r} was trained {with_forecast} forecasts, on {size} numbers a world, and "
                f"this world shows {view.observation.shape[1]}; choose the forecaster accordingly"
            )
        return view.observation

    def _fitting(self, view: View) -> ActionCodec:
        """Return the codec of the policy's actions in this world."""
        if view.codec is None:
            raise ConfigurationError("a learned policy needs view.codec, which shells and environments fill in")
        codec = view.codec.of_type("continuous" if self.card.action == "continuous" else "discrete")
        scales = len(RESOURCES)
        if len(codec.choices) < scales or (
            self.card.action == "factors" and tuple(codec.choices[:scales]) != self.card.choices
        ):
            raise ConfigurationError(
                f"policy {self.card.algorithm!r} chooses among {self.card.choices} factors, this world offers "
                f"{codec.choices}. It was trained for scaling='vertical': use that, with the factors that it knows, or "
                "a classical controller such as hpa"
            )
        self._handover = len(codec.choices) - scales
        return codec

    def _scalings(self, outputs: Array, pending: Array) -> Array:
        """Return continuous actions ``[W x Z, choices]``; who never learned to hand over does not."""
        actions = self.card.dead_band.apply(np.clip(outputs, -1.0, 1.0), pending.reshape(len(outputs), -1))
        missing = len(RESOURCES) + self._handover - actions.shape[1]
        padded: Array = np.pad(actions, ((0, 0), (0, max(missing, 0))), constant_values=-1.0)
        return padded[:, : len(RESOURCES) + self._handover]

    def _factors(self, outputs: Array) -> Array:
        """Return the best combination of factors ``[W x Z, choices]``, and nothing handed over."""
        best = np.stack(np.unravel_index(outputs.argmax(axis=1), self.card.choices), axis=1)
        return np.pad(best, ((0, 0), (0, self._handover)))


def learned(algorithm: str, source: str) -> LearnedPolicy:
    """Return a learned policy.

    Args:
        algorithm: What trained it.
        source: The scenario that a shipped one was trained for, or the path of one of a policy's two files.

    Raises:
        UnknownNameError: None is shipped for that scenario.
        ConfigurationError: There is no such file, or none is shipped for any scenario.
        CheckpointError: It is damaged or for another layout of observations.
    """
    if Path(source).suffix:
        return LearnedPolicy(*load_policy(Path(source)))
    shipped = {path.stem.removeprefix(f"{algorithm}_"): path for path in SHIPPED.glob(f"{algorithm}_*.json")}
    if not shipped:
        raise ConfigurationError(
            f"no {algorithm} policy is shipped; train one with 'metaverse train {algorithm}' and name it "
            f"{algorithm}@FOLDER/{algorithm}.json"
        )
    if source not in shipped:
        raise UnknownNameError(f"scenario of a shipped {algorithm} policy, or file *.json,", source, shipped)
    return LearnedPolicy(*load_policy(shipped[source]))


def mappo(weights: str = "multi_zone") -> LearnedPolicy:
    """Return the policy of a team with a central critic; see :func:`learned`."""
    return learned("mappo", weights)


def ippo(weights: str = "multi_zone") -> LearnedPolicy:
    """Return the policy of independent learners; see :func:`learned`."""
    return learned("ippo", weights)


def ppo(weights: str = "single_zone") -> LearnedPolicy:
    """Return the single-zone policy of PPO; see :func:`learned`."""
    return learned("ppo", weights)


def dqn(weights: str = "single_zone") -> LearnedPolicy:
    """Return the single-zone policy of DQN; see :func:`learned`."""
    return learned("dqn", weights)
