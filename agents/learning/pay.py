"""What the agents of a team are rewarded for."""

from dataclasses import dataclass

import numpy as np

from metaverse_env.envs.shell import Step
from metaverse_env.units import SECONDS_PER_HOUR

Array = np.ndarray


@dataclass(frozen=True)
class Pay:
    """What agents are rewarded for.

    Attributes:
        global_weight: ``g`` in ``(1 - g) local + g global``.
        violated_eur_per_user_h: Charge for users above the objective.
        worst: If given, rewards are cut here and divided by it, and so lie in [-1, 0]. Learners of values need that:
            DQN's loss counts errors above 1 as if by the median, which is blind to what is rare and dear.
    """

    global_weight: float = 0.5
    violated_eur_per_user_h: float = 0.5
    worst: float | None = None

    def rewards(self, step: Step, peak_eur_per_h: Array, fixed_eur_per_user_h: float, tick_s: float) -> Array:
        """Return ``float32 [W, Z]``; the scenario's own reward where the charge is the scenario's."""
        zones, worlds = step.reward.zones, step.reward.worlds
        weight = self.violated_eur_per_user_h / fixed_eur_per_user_h
        eur = zones["resource_eur"] + zones["change_eur"] + weight * zones["quality_eur"]
        per_tick = peak_eur_per_h * tick_s / SECONDS_PER_HOUR
        together = eur.sum(axis=1) / per_tick.sum() + weight * worlds["fairness_penalty"]
        mixed: Array = (self.global_weight - 1.0) * eur / per_tick - self.global_weight * together[:, None]
        kept: Array = mixed if self.worst is None else np.maximum(mixed / -self.worst, -1.0)
        return kept.astype(np.float32)
