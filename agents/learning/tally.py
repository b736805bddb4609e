"""What worlds cost while somebody acted in them, and how many user-seconds were violated."""

from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass
class Tally:
    """What the worlds cost and how many user-seconds were violated since it was last emptied."""

    world_ticks: int = 0
    eur_per_h: float = 0.0
    violated_user_ticks: float = 0.0
    user_ticks: float = 0.0
    reward: float = 0.0

    def add(self, terms: Array) -> None:
        """Count a tick of all worlds, a record ``[W]`` of WORLD_REWARD."""
        self.world_ticks += len(terms)
        self.eur_per_h += float((terms["resource_eur_per_h"] + terms["change_eur_per_h"]).sum())
        self.violated_user_ticks += float((terms["violated_user_share"] * terms["users"]).sum())
        self.user_ticks += float(terms["users"].sum())
        self.reward += float(terms["reward"].sum())

    def figures(self) -> dict[str, float]:
        """Return means: EUR/h of a world, % of user-seconds violated, reward of a tick."""
        ticks, users = max(self.world_ticks, 1), max(self.user_ticks, 1.0)
        return {
            "cost_eur_per_h": self.eur_per_h / ticks,
            "violated_percent": 100.0 * self.violated_user_ticks / users,
            "reward": self.reward / ticks,
        }
