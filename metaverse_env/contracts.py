"""The contracts between the storeys of the house. Executable twins are in :mod:`metaverse_env.testing`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

import numpy as np

from metaverse_env.action import ActionCodec
from metaverse_env.errors import SampleError
from metaverse_env.history import History
from metaverse_env.telemetry import Command, Forecast, Telemetry, Tick
from metaverse_env.zones import ZoneGraph

if TYPE_CHECKING:
    from metaverse_env.scenario import Scenario
    from metaverse_env.simulator.constants import Constants

Array = np.ndarray


@runtime_checkable
class World(Protocol):
    """Zones that can be observed and commanded: a simulation, or a real cluster."""

    zones: ZoneGraph

    @property
    def tick_s(self) -> float:
        """Length of a tick, s."""
        ...

    @property
    def worlds(self) -> int:
        """How many independent worlds there are, ``W``."""
        ...

    def reset(self, *, seeds: Sequence[int | None], worlds: Array | None = None) -> Telemetry:
        """Start anew the worlds that the mask ``worlds [W]`` names (all when ``None``).

        A seed of ``None`` continues that world's own sequence of episodes.
        """
        ...

    def step(self, command: Command) -> Tick:
        """Let one tick pass under a command."""
        ...


@runtime_checkable
class Described(Protocol):
    """A world that knows its own constants: environments around it take these, whatever scenario they are given."""

    scenario: "Scenario"

    @property
    def constants(self) -> "Constants":
        """The scenario, packed for this world's zones."""
        ...


@runtime_checkable
class Predictor(Protocol):
    """A belief about the future. Stateless: whoever calls it owns the history."""

    horizon: int

    def forecast(self, history: History, ticks: Sequence[int] | None = None) -> Forecast:
        """Forecast every zone at the given ticks ahead (all up to the horizon when ``None``)."""
        ...


@dataclass(frozen=True, eq=False)
class Encoded:
    """What an encoder made of a batch.

    Attributes:
        modality: ``"image"``, ``"speech"`` or ``"motion"``.
        backend: Name of the encoder, as in its table.
        version: Of its code and weights; another version gives other embeddings.
        texts: One text a sample; empty where a sample was refused.
        embeddings: ``float32 [samples, dimension]``; NaN where a sample was refused, never zeros passed as data.
        problems: Why a sample was refused, by its place in the batch.
    """

    modality: str
    backend: str
    version: str
    texts: tuple[str, ...]
    embeddings: Array
    problems: Mapping[int, SampleError]

    @property
    def mask(self) -> Array:
        """``bool [samples]``, which were encoded."""
        return np.array([place not in self.problems for place in range(len(self.texts))], dtype=bool)


@runtime_checkable
class Encoder(Protocol):
    """One modality: raw samples to text and embedding.

    Attributes:
        modality: ``"image"``, ``"speech"`` or ``"motion"``.
        backend: Name in the table of encoders.
        version: Of its code and weights.
        dimension: Length of an embedding, always the same.
    """

    modality: str
    backend: str
    version: str
    dimension: int

    def encode(self, samples: Sequence[object], *, strict: bool = True) -> Encoded:
        """Encode a batch; the result of a sample does not depend on its mates.

        Args:
            samples: Raw samples of the modality.
            strict: Whether a sample that cannot be encoded is an error; otherwise the result tells the problem.

        Raises:
            SampleError: In strict mode, after the others were encoded: the error carries the whole result.
        """
        ...


class View(NamedTuple):
    """What a policy may see.

    Attributes:
        telemetry: The latest observation.
        forecast: The belief about the future, or ``None`` without a forecaster.
        pending: The command that was given last; what is asked for but perhaps not in effect yet.
        history: The observations so far; empty where the environment neither forecasts nor was told to remember.
        limits: ``float32 [2, 3]``, least and most that a zone may be given: cores, MB, Mbps.
        latency_objective_ms: The p95 that users must not exceed.
        tick_s: Time until the next decision, s. What time it is stands in ``telemetry.weather["time_s"]``.
        pod_size: ``float32 [3]``, what one pod has, where a zone is scaled by whole pods; ``None`` where pods change
            their size.
        observation: ``float32 [W, size]``, the same as features in [-1, 1], for learned policies; see
            :mod:`metaverse_env.observation`.
        codec: What learned policies turn actions into commands with.
    """

    telemetry: Telemetry
    forecast: Forecast | None
    pending: Command
    history: History
    limits: Array
    latency_objective_ms: float
    tick_s: float
    pod_size: Array | None = None
    observation: Array | None = None
    codec: ActionCodec | None = None


@runtime_checkable
class Policy(Protocol):
    """A controller, learned or classical.

    One that declares ``reads_forecast = False`` decides the same whether there is a forecast or not, so that whoever
    lets it act may save making one.
    """

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Forget everything; prepare for ``worlds`` worlds of these zones."""
        ...

    def act(self, view: View) -> Command:
        """Decide what to ask of the world for the next tick."""
        ...


def reveal(part: Any, world: World) -> None:
    """Hand the world itself to what declares ``clairvoyant = True``, by its ``bind(world)``; to nothing else.

    Such a policy or forecaster is a bound of what can be reached. Whoever lets policies act calls this before their
    reset; a shell does it with its forecaster.
    """
    if getattr(part, "clairvoyant", False):
        part.bind(world)
