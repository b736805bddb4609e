"""Telemetry to learn from: worlds of the physics under allocations that say nothing about their load.

Allocations that some controller chose would confound: it gives much where much is needed, so much would seem to cause
high latency. Here each zone is given a random multiple of its demand, held for a random while. The simulator tells the
demand that a throttled zone could not show; what a cluster could show is kept beside it, and the dynamics learns from
that alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from metaverse_env.history import TICKS, History
from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.simulator.dynamics import Dynamics
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.telemetry import Command, Tick
from metaverse_env.units import MEMORY
from metaverse_env.zones import ZoneGraph
from predictors.stgnn.dynamics.recording import measured_row
from predictors.stgnn.features import FORECAST_FEATURES, forecast_inputs

Array = np.ndarray

EPISODE_TICKS: Final = 240
HOLD_TICKS: Final = (4, 48)
"""How long an allocation is held, ticks: mostly longer than the horizon, so that the window sees changes and the future
sees none."""
LEAST_MEMORY: Final = 0.9
"""A zone given less than it holds is killed; 0.3 of it would leave hardly any that run."""
ENOUGH_SHARE: Final = 0.65
"""Share of allocations that cover the demand at least: the load that zones should be under is seen most."""
HANDOVERS: Final = (0.0, 0.0, 0.0, 0.1, 0.25, 0.5)


@dataclass(frozen=True, eq=False)
class Recording:
    """What ``W`` worlds of one scenario went through in ``T`` ticks.

    Attributes:
        graph: Their zones.
        values: ``float32 [T, W, Z, 11 + E]``, the rows of a :class:`~metaverse_env.history.History`.
        time_s: ``float64 [T, W]``.
        demand: ``float32 [T, W, Z, 3]`` of the zone's users; where memory tends to.
        latency_ms: ``float32 [T, W, Z]``, true p95.
        commands: ``int32 [T, W, Z]``, number of the command that was in force.
        measured: ``float32 [T, W, Z, 12]``, see :data:`~predictors.stgnn.dynamics.recording.MEASURED`.
        remote: ``float32 [T, W, Z, D]``, share of a zone's users that each neighbour served.
        most_latency_ms: What a zone shows that is down or hopeless.
    """

    graph: ZoneGraph
    values: Array
    time_s: Array
    demand: Array
    latency_ms: Array
    commands: Array
    measured: Array
    remote: Array
    most_latency_ms: float


class RandomAllocations:
    """Piecewise constant commands, multiples of demand that do not depend on it.

    Args:
        shape: ``(W, Z)``.
        multiples: Least and most multiple of demand.
        random: Where chance comes from.
    """

    def __init__(self, shape: tuple[int, int], multiples: tuple[float, float], random: np.random.Generator) -> None:
        self._random, self._multiples = random, multiples
        self._left = random.integers(0, HOLD_TICKS[1], size=shape)
        self._command: Command | None = None
        self.number = np.zeros(shape, dtype=np.int32)

    def next(self, demand: Array, memory_mb: Array) -> Command:
        """Return the next commands.

        Args:
            demand: ``[W, Z, 3]``.
            memory_mb: ``[W, Z]``, in use.
        """
        random, shape = self._random, self.number.shape
        low, high = np.log(self._multiples)
        enough = random.random(size=(*shape, 3)) < ENOUGH_SHARE
        wish = demand * np.exp(random.uniform(np.where(enough, max(low, 0.0), low), high))
        least = max(LEAST_MEMORY, self._multiples[0])
        spare = np.exp(random.uniform(np.log(least), high, size=shape))
        wish[..., MEMORY] = np.maximum(demand[..., MEMORY], memory_mb) * spare
        drawn = Command.of(wish, random.choice(HANDOVERS, size=shape))
        changed = np.ones(shape, dtype=bool) if self._command is None else self._left <= 0
        if self._command is not None:
            drawn.zones[~changed] = self._command.zones[~changed]
        self.number += changed
        self._left = np.where(changed, random.integers(*HOLD_TICKS, size=shape), self._left - 1)
        self._command = drawn
        return drawn


def record(
    scenario: str | Scenario,
    seeds: Sequence[int],
    multiples: tuple[float, float] = (0.3, 3.0),
    ticks: int = EPISODE_TICKS,
    dynamics: str | Dynamics = "physics",
) -> Recording:
    """Let one world per seed run under random allocations and keep what happened.

    Args:
        scenario: What to simulate.
        seeds: One per world.
        multiples: Of demand, that are allocated.
        ticks: ``T``.
        dynamics: That the worlds follow.
    """
    world = SimulatedWorld(scenario, worlds=len(seeds), intents=True, dynamics=dynamics)
    telemetry = world.reset(seeds=list(seeds))
    random = np.random.default_rng([20, *seeds])
    policy = RandomAllocations(telemetry.users.shape, multiples, random)
    history = History(len(seeds), world.zones, telemetry.intents.shape[2])
    demand, memory_mb = np.array(telemetry.usage), np.array(telemetry.usage[..., MEMORY])
    rows: list[dict[str, Array]] = []
    for _ in range(ticks):
        tick = world.step(policy.next(demand, memory_mb))
        history.append(tick.telemetry)
        demand, memory_mb = tick.outcome.zones["demand"], world.state.zones["memory_mb"].copy()
        rows.append(_row(history, tick, world) | {"commands": policy.number.copy()})
    columns = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    return Recording(graph=world.zones, most_latency_ms=world.scenario.service.down_latency_ms, **columns)


def _row(history: History, tick: Tick, world: SimulatedWorld) -> dict[str, Array]:
    outcome = tick.outcome.zones
    return {
        "values": history.values[-1].copy(),
        "time_s": history.time_s[-1].copy(),
        "demand": outcome["demand"].copy(),
        "latency_ms": outcome["latency_ms"].copy(),
        "measured": measured_row(world.state, world.constants.zones, outcome),
        "remote": world.state.remote.copy(),
    }


def make_recordings(seed: int, worlds: int, ticks: int = EPISODE_TICKS) -> list[Recording]:
    """Return what to learn from: the catalogue's scenarios, and the reference one on other layouts of other sizes.

    Args:
        seed: Of everything.
        worlds: Of 30 zones; the other sizes are scaled to the same number of zones.
        ticks: Of each world.
    """
    variants = list(_variants(seed))
    share = max(1, worlds // len(variants))
    recordings = []
    for number, scenario in enumerate(variants):
        count = max(1, round(share * 30 / scenario.layout.zones))
        first = 1_000_000 * (seed + 1) + 10_000 * number
        recordings.append(record(scenario, range(first, first + min(count, 10_000)), ticks=ticks))
    return recordings


def _variants(seed: int) -> Iterator[Scenario]:
    reference = load_scenario("multi_zone")
    yield from (reference, load_scenario("complex"), load_scenario("single_zone"))
    for number, zones in enumerate((30, 12, 30, 60)):
        layout = reference.layout.model_copy(update={"seed": 100 * seed + number + 1, "zones": zones})
        yield reference.with_changes(layout=layout, name=f"layout-{number}")


def window(recording: Recording, ticks: Array, worlds: Array) -> tuple[Array, Array]:
    """Return histories ``[L, B, Z, 11 + E]`` and times ``[L, B]`` that end at the given ticks of the given worlds.

    Rows before the first tick are zeros, as in a history that has just been started.
    """
    rows = ticks + np.arange(1 - TICKS, 1)[:, None]
    there = rows >= 0
    values = recording.values[np.maximum(rows, 0), worlds]
    values[~there] = 0.0
    return values, recording.time_s[np.maximum(rows, 0), worlds]


def forecast_features(values: Array, time_s: Array) -> tuple[Array, Array]:
    """Return features ``[B Z, …]`` and last levels ``[B Z, 4]`` of histories."""
    rows = values.shape[1] * values.shape[2]
    features = np.empty((rows, len(FORECAST_FEATURES)), dtype=np.float32)
    last = np.empty((rows, 4), dtype=np.float32)
    levels = np.empty((TICKS, 8), dtype=np.float32)
    forecast_inputs(values, values.view(np.int32), time_s, levels, features, last)
    return features, last
