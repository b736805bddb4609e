"""What a tick was worth: cost, charges for changes, lost quality; for each zone and for the whole world.

Local reward = -(resource + change + quality EUR of the tick) / (EUR of provisioning that zone statically for its peak).
Global reward = the same for the whole world, minus a fairness term. All terms are reported in units people know.
"""

from typing import Any, NamedTuple

import numpy as np

from metaverse_env.compiling import compiled, entry_point
from metaverse_env.scenario import Scenario
from metaverse_env.simulator.constants import Constants
from metaverse_env.simulator.records import REWARD, WORLD_REWARD
from metaverse_env.simulator.stock import Stock
from metaverse_env.telemetry import Outcome, Telemetry
from metaverse_env.threads import over_worlds
from metaverse_env.units import SECONDS_PER_HOUR

Array = np.ndarray


@compiled
def resource_eur(charged: Any, price_eur_per_s: Any, price_factor: float, tick_s: float) -> float:
    """Return the price of an allocation (cores, MB, Mbps) for one tick, EUR."""
    total = 0.0
    for resource in range(3):
        total += charged[resource] * price_eur_per_s[resource]
    return total * price_factor * tick_s


@compiled
def quality_eur(violated_user_s: float, eur_per_user_h: float) -> float:
    """Return the charge for users above the latency objective, EUR."""
    return violated_user_s * eur_per_user_h / SECONDS_PER_HOUR


@compiled
def local_reward(eur: float, peak_eur_per_h: float, tick_s: float) -> float:
    """Return the negative cost of a tick, relative to static provisioning for the peak: of order -1."""
    return -eur / (peak_eur_per_h * tick_s / SECONDS_PER_HOUR)


@compiled
def _score_zone(outcome: Any, peak_eur_per_h: float, price_factor: float, rules: Any, reward: Any) -> None:
    reward.resource_eur = resource_eur(outcome.charged, rules.price_eur_per_s, price_factor, rules.tick_s)
    reward.change_eur = outcome.changed * rules.change_eur * (10.0 if rules.rollout_mode > 0.0 else 1.0)
    reward.quality_eur = quality_eur(outcome.violated_user_s, rules.violated_eur_per_user_h)
    total = reward.resource_eur + reward.change_eur + reward.quality_eur
    reward.local = local_reward(total, peak_eur_per_h, rules.tick_s)
    present = outcome.users * rules.tick_s
    reward.violated_share = outcome.violated_user_s / present if present > 0.0 else 0.0


@compiled
def _score_world(outcomes: Any, peaks_eur_per_h: Any, rewards: Any, rules: Any, world: Any) -> None:
    per_hour, peak, mean, square, violated = SECONDS_PER_HOUR / rules.tick_s, 0.0, 0.0, 0.0, 0.0
    world.resource_eur_per_h = world.change_eur_per_h = world.quality_eur_per_h = world.users = 0.0
    world.changes = world.out_of_memory_kills = world.mean_latency_ms = world.violated_user_share = 0.0
    for z in range(len(outcomes)):
        outcome, reward = outcomes[z], rewards[z]
        world.resource_eur_per_h += reward.resource_eur * per_hour
        world.change_eur_per_h += reward.change_eur * per_hour
        world.quality_eur_per_h += reward.quality_eur * per_hour
        world.users += outcome.users
        world.changes += outcome.changed
        world.out_of_memory_kills += outcome.out_of_memory
        world.mean_latency_ms += outcome.felt_latency_ms * outcome.users
        violated += outcome.violated_user_s
        peak += peaks_eur_per_h[z]
        mean += reward.violated_share / len(outcomes)
        square += reward.violated_share**2 / len(outcomes)
    if world.users > 0.0:
        world.mean_latency_ms /= world.users
        world.violated_user_share = violated / (world.users * rules.tick_s)
    world.fairness_penalty = rules.fairness_weight * np.sqrt(max(square - mean * mean, 0.0))
    eur_per_h = world.resource_eur_per_h + world.change_eur_per_h + world.quality_eur_per_h
    world.reward = -eur_per_h / peak - world.fairness_penalty


@entry_point
def _score(outcomes: Any, weather: Any, rewards: Any, worlds: Any, peaks_eur_per_h: Any, rules: Any) -> None:
    for w in range(outcomes.shape[0]):
        for z in range(outcomes.shape[1]):
            _score_zone(outcomes[w, z], peaks_eur_per_h[z], weather[w].price_factor, rules[0], rewards[w, z])
        _score_world(outcomes[w], peaks_eur_per_h, rewards[w], rules[0], worlds[w])


class Reward(NamedTuple):
    """The value of a tick.

    Attributes:
        zones: Record ``[W, Z]``: ``resource_eur``, ``change_eur``, ``quality_eur`` of the tick, ``local`` reward and
            ``violated_share`` of the zone's user-seconds.
        worlds: Record ``[W]``: global ``reward``, EUR per hour of each kind, ``fairness_penalty``,
            ``violated_user_share``, user-weighted ``mean_latency_ms`` (p95), ``users``, ``changes``,
            ``out_of_memory_kills``.
    """

    zones: Array
    worlds: Array

    def mixed(self, global_weight: float) -> Array:
        """Return ``float32 [W, Z]``: ``(1 - g) local + g global``, what each agent of a team receives."""
        return (1.0 - global_weight) * self.zones["local"] + global_weight * self.worlds["reward"][:, None]


class RewardFunction:
    """Computes :class:`Reward` with the prices and weights of a scenario."""

    def __init__(self, scenario: Scenario, constants: Constants) -> None:
        self.scenario = scenario
        self._fixed = (np.ascontiguousarray(constants.zones["peak_eur_per_h"]), constants.rules)
        self._rewards = Stock((2, REWARD), (1, WORLD_REWARD))

    def __call__(self, outcome: Outcome, telemetry: Telemetry) -> Reward:
        """Value what happened in a tick, at the prices that held in it."""
        zones, worlds = self._rewards.take(outcome.zones.shape)
        over_worlds(_score, (outcome.zones, telemetry.weather, zones, worlds), self._fixed)
        return Reward(zones, worlds)
