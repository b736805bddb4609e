"""What a fusion learns from: simulated zones whose users show the samples, and what came of it.

A world draws signals from a bank and averages them. With a bank of unit vectors, one a sample, its intent tells how
often each sample was shown: so the worlds run once, whatever the embeddings are, and the same worlds judge a fusion and
its rivals. Labels are the simulator's: what users do now and later, and how much more they will need.
"""

import json
import tempfile
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from metaverse_env.scenario import Scenario, load_scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.units import MEMORY
from predictors.stgnn.data import EPISODE_TICKS, RandomAllocations

Array = np.ndarray

AHEAD_TICKS: Final = (4, 8, 16)
"""How far the labels look: one, two and four minutes."""
POOLED_TICKS: Final = 4
"""Signals of a minute are pooled, as the forecaster pools them."""
EVERY_TICKS: Final = 4
MULTIPLES: Final = (0.6, 3.0)
"""Of demand, that are allocated: usage is seen under some load, as it would be."""


@dataclass(frozen=True, eq=False)
class Experience:
    """``N`` moments of zones.

    Attributes:
        shares: ``float32 [N, P]``, which share of a minute's signals each sample had; samples modality by modality, in
            it activity by activity.
        now: ``int64 [N]``, what users do.
        later: ``int64 [N, 3]``, what they do at :data:`AHEAD_TICKS`.
        growth: ``float32 [N, 3, 2]``, log of the demand for CPU and bandwidth then over the use observed now.
        context: ``float32 [N, 4]``, logs of observed users, and of their use of each resource.
        world: ``int64 [N]``.
    """

    shares: Array
    now: Array
    later: Array
    growth: Array
    context: Array
    world: Array


def live_through(
    scenario: str, activities: Sequence[str], modalities: Sequence[str], samples: int, seeds: Sequence[int]
) -> Experience:
    """Run one world a seed with samples that only have numbers.

    Args:
        scenario: Its zones and users; the bank is replaced.
        activities: In the order of the samples.
        modalities: Likewise.
        samples: Of each activity in each modality.
        seeds: Of the worlds.

    Raises:
        ScenarioError: The scenario has an activity that is not among these.
    """
    with tempfile.TemporaryDirectory() as folder:
        bank = _numbered_bank(Path(folder) / "numbers.npz", activities, modalities, samples)
        base = load_scenario(scenario)
        intents = base.intents.model_copy(update={"bank": str(bank)})
        world = SimulatedWorld(base.with_changes(intents=intents), worlds=len(seeds), intents=True)
    order = [list(activities).index(activity.name) for activity in base.intents.activities]
    return _rows(world, seeds, np.array(order))


def _numbered_bank(path: Path, activities: Sequence[str], modalities: Sequence[str], samples: int) -> Path:
    count = len(modalities) * len(activities) * samples
    vectors = np.eye(count, dtype=np.float32).reshape(len(modalities), len(activities), samples, count)
    about = np.array(json.dumps({"what": "numbers of samples"}))
    np.savez(path, vectors=vectors, activities=np.array(activities), modalities=np.array(modalities), provenance=about)
    return path


def _rows(world: SimulatedWorld, seeds: Sequence[int], order: Array) -> Experience:
    telemetry = world.reset(seeds=list(seeds))
    policy = RandomAllocations(telemetry.users.shape, MULTIPLES, np.random.default_rng([21, *seeds]))
    demand, memory_mb = np.array(telemetry.usage), np.array(telemetry.usage[..., MEMORY])
    recent: deque[Array] = deque(maxlen=POOLED_TICKS)
    shares, context, doing, needing = {}, {}, [], []
    for tick in range(EPISODE_TICKS):
        seen = world.step(policy.next(demand, memory_mb))
        zones, signals = seen.telemetry.zones, seen.telemetry.zones["signals"]
        recent.append(seen.telemetry.intents * signals[..., None])
        demand, memory_mb = seen.outcome.zones["demand"].copy(), world.state.zones["memory_mb"].copy()
        doing.append(order[world.state.zones["activity"]])
        needing.append(np.log(np.maximum(demand[..., [0, 2]], 1e-3)))
        if tick >= POOLED_TICKS and tick % EVERY_TICKS == 0 and tick + max(AHEAD_TICKS) < EPISODE_TICKS:
            counts = np.sum(recent, axis=0)
            shares[tick] = counts / np.maximum(counts.sum(axis=-1, keepdims=True), 1.0)
            measured = np.concatenate([zones["users"][..., None], zones["usage"]], axis=-1)
            context[tick] = np.log(np.maximum(measured, 0.01))
    return _experience(shares, context, np.stack(doing), np.stack(needing))


def _experience(shares: dict[int, Array], context: dict[int, Array], doing: Array, needing: Array) -> Experience:
    """Put the moments that have signals one below the other."""
    ticks = np.array(list(shares))
    ahead = ticks[:, None] + np.array(AHEAD_TICKS)
    shown = np.stack(list(shares.values()))
    there = shown.sum(axis=-1) > 0.5
    worlds = np.broadcast_to(np.arange(shown.shape[1])[:, None], shown.shape[1:3])
    seen = np.stack(list(context.values()))
    growth = needing[ahead] - seen[:, None][..., [1, 3]]
    return Experience(
        shares=shown[there].astype(np.float32),
        now=doing[ticks][there].astype(np.int64),
        later=np.moveaxis(doing[ahead], 1, -1)[there].astype(np.int64),
        growth=np.moveaxis(growth, 1, -2)[there].astype(np.float32),
        context=seen[there].astype(np.float32),
        world=np.broadcast_to(worlds, there.shape)[there].astype(np.int64),
    )


def scenario_activities(scenario: str | Scenario) -> tuple[str, ...]:
    """Return the names of what users do in a scenario."""
    return tuple(activity.name for activity in load_scenario(scenario).intents.activities)
