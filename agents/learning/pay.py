"""What the agents of a team are rewarded for."""

import math
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
        worst: No reward is below this; a learner of values is thrown by the rare ones that are.
    """

    global_weight: float = 0.5
    violated_eur_per_user_h: float = 0.5
    worst: float = -math.inf

    def rewards(self, step: Step, peak_eur_per_h: Array, fixed_eur_per_user_h: float, tick_s: float) -> Array:
        """Return ``float32 [W, Z]``; the scenario's own reward where the charge is the scenario's."""
        zones, worlds = step.reward.zones, step.reward.worlds
        weight = self.violated_eur_per_user_h / fixed_eur_per_user_h
        eur = zones["resource_eur"] + zones["change_eur"] + weight * zones["quality_eur"]
        per_tick = peak_eur_per_h * tick_s / SECONDS_PER_HOUR
        together = eur.sum(axis=1) / per_tick.sum() + weight * worlds["fairness_penalty"]
        mixed: Array = (self.global_weight - 1.0) * eur / per_tick - self.global_weight * together[:, None]
        kept: Array = np.maximum(mixed, self.worst)
        return kept.astype(np.float32)
