"""How good a policy is on worlds that it does not learn from, and which of two is to be kept."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from agents.learning.settings import VALIDATION_SEED, Settings
from agents.learning.tally import Tally
from metaverse_env.contracts import Policy
from metaverse_env.envs.shell import Shell
from metaverse_env.recording import play

EXCESS_WEIGHT: Final = 4.0
"""Cost of violating twice as much as allowed, in times the cost [choice]."""


@dataclass(frozen=True)
class Judge:
    """Worlds of seeds that nobody learns from, in the physics.

    Attributes:
        shell: The worlds.
        allowed_percent: Share of user-seconds that may be violated.
    """

    shell: Shell
    allowed_percent: float

    @classmethod
    def of(cls, settings: Settings) -> "Judge":
        """Make the worlds for a training."""
        worlds = settings.validation_worlds
        return cls(Shell(settings.scenario, worlds, "physics", settings.forecaster), settings.violated_percent)

    def figures(self, policy: Policy) -> dict[str, float]:
        """Return what :meth:`~agents.learning.tally.Tally.figures` says of an episode in every world.

        Violations are a mean over worlds, as in benchmarks: pooled over users, one crowd would decide for all.
        """
        tally, worlds = Tally(), self.shell.world.worlds
        violated, users = np.zeros(worlds), np.zeros(worlds)
        seeds = range(VALIDATION_SEED, VALIDATION_SEED + worlds)
        for turn in play(self.shell, policy, seeds, self.shell.scenario.episode_ticks):
            terms = turn.step.reward.worlds
            tally.add(terms)
            violated += terms["violated_user_share"] * terms["users"]
            users += terms["users"]
        return tally.figures() | {"violated_percent": 100.0 * float((violated / np.maximum(users, 1.0)).mean())}

    def loss(self, figures: dict[str, float]) -> float:
        """Return the cost, raised where more is violated than allowed: the less, the better the policy."""
        excess = max(0.0, figures["violated_percent"] / self.allowed_percent - 1.0)
        return figures["cost_eur_per_h"] * (1.0 + EXCESS_WEIGHT * excess)
