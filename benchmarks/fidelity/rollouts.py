"""An hour of many worlds under a policy, by one dynamics or another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from benchmarks.clock import DecisionClock
from benchmarks.fidelity.series import Figures, figures
from benchmarks.scores import Scores
from benchmarks.tally import Tally
from metaverse_env.contracts import Policy
from metaverse_env.envs.shell import Shell
from metaverse_env.recording import play
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.world import SimulatedWorld
from metaverse_env.units import MEMORY, TARGETS

Array = np.ndarray

OTHER_NOISE: Final = 1_000_003
"""Added to a seed for noise that has nothing to do with it."""


@dataclass(frozen=True)
class Rollout:
    """What truly happened.

    Attributes:
        values: ``float32 [T, W, Z, 4]``: demand for CPU, memory in use, demand for egress, p95 latency.
        running: ``bool [T, W, Z]``.
        scores: See :mod:`benchmarks.scores`.
    """

    values: Array
    running: Array
    scores: Scores

    def figures(self) -> dict[str, Figures]:
        """Return the figures of each target, over all zones of all worlds."""
        ticks = len(self.values)
        running = self.running.reshape(ticks, -1)
        return {
            name: figures(self.values[..., index].reshape(ticks, -1), running) for index, name in enumerate(TARGETS)
        }


def roll_out(
    scenario: str | Scenario,
    dynamics: Any,
    policy: Policy,
    seeds: Sequence[int],
    ticks: int,
    noise_seed: int | None = None,
) -> Rollout:
    """Let a policy act for some ticks in one world per seed.

    Args:
        scenario: A name, a file or a scenario.
        dynamics: A name or an object.
        policy: Who decides.
        seeds: Of the users, and of the noise where no other is given.
        ticks: How long.
        noise_seed: Of the first world's noise; the others count on from it.
    """
    world = SimulatedWorld(scenario, len(seeds), dynamics)
    shell = Shell(world.scenario, forecaster="none", world=world, remember=True)
    rows, running = [], []
    tally, clock = Tally(len(seeds), len(world.zones), world.tick_s), DecisionClock()
    for turn in play(shell, policy, seeds, ticks, noise_seed, clock):
        outcome = turn.step.tick.outcome.zones
        now = np.concatenate([outcome["demand"], outcome["latency_ms"][..., None]], axis=-1)
        now[..., MEMORY] = world.state.zones["memory_mb"]
        rows.append(now)
        running.append(outcome["down"] <= 0.0)
        tally.add(outcome, turn.step.reward.worlds)
    return Rollout(np.stack(rows), np.stack(running), tally.scores(clock.decisions_ms))
