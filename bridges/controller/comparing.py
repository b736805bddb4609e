"""Whether the policy does better than the heuristic would have done, at the prices of the reward.

What the heuristic would have had is not measured, so it is given the benefit of the doubt: it pays for what it asked
for, and where that was more than the zone had, it is taken to have broken no objective; where it was not, it is taken
to have broken it as the policy did. A policy is worse when it costs more than that by a margin, over a window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from metaverse_env.reward import Reward
from metaverse_env.scenario import Scenario
from metaverse_env.telemetry import Command
from metaverse_env.units import MB_PER_GB, SECONDS_PER_HOUR

Array = np.ndarray
_MORE: Final = 1.05
"""So many times as much counts as more [choice]."""


def price_of(allocation: Array, scenario: Scenario) -> Array:
    """Return what allocations ``[…, 3]`` cost, EUR/h."""
    cost = scenario.cost
    gb = 1.0 / MB_PER_GB
    prices = (cost.cpu_eur_per_core_h, cost.memory_eur_per_gb_h * gb, cost.bandwidth_eur_per_mbps_h)
    priced: Array = np.asarray(allocation, dtype=np.float64) @ np.array(prices)
    return priced


@dataclass
class Comparison:
    """Sums of one window.

    Attributes:
        scenario: The prices.
        window: Its length, cycles.
        margin: Share by which more is worse.
    """

    scenario: Scenario
    window: int = 20
    margin: float = 0.1
    cycles: int = 0
    actual_eur: float = 0.0
    heuristic_eur: float = 0.0

    def note(self, reward: Reward, had: Array, heuristic: Command, zones: Sequence[int]) -> bool | None:
        """Take a tick in; return at the end of a window whether the policy was worse, else ``None``.

        Args:
            reward: Of the tick.
            had: ``[Z, 3]``, what zones had in it.
            heuristic: What the heuristic asked for before it.
            zones: Rows of those that the policy decided about.
        """
        rows = reward.zones[0][list(zones)]
        asked, had = heuristic.allocation[0][list(zones)], had[list(zones)]
        quality, resource = rows["quality_eur"], rows["resource_eur"] + rows["change_eur"]
        hours = self.scenario.tick_s / SECONDS_PER_HOUR
        more = (asked > _MORE * had).any(axis=1)
        self.actual_eur += float(np.nansum(quality + resource))
        self.heuristic_eur += float(np.nansum(np.where(more, 0.0, quality) + price_of(asked, self.scenario) * hours))
        self.cycles += 1
        return self._judged() if self.cycles >= self.window else None

    def _judged(self) -> bool:
        worse = self.actual_eur > (1.0 + self.margin) * self.heuristic_eur
        self.cycles, self.actual_eur, self.heuristic_eur = 0, 0.0, 0.0
        return worse
