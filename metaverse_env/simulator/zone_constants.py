"""What is constant about each zone: where it is, how popular it is, and what it would be given for its peak."""

import numpy as np

from metaverse_env.scenario.root import Scenario
from metaverse_env.simulator import demand
from metaverse_env.simulator.records import ZONE_CONSTANTS
from metaverse_env.units import SECONDS_PER_HOUR
from metaverse_env.zones import ZoneGraph

Array = np.ndarray

_PEAK_UTILISATION = 0.6
"""Share of its static provisioning that a zone's peak demand takes [choice]."""


def zone_constants(
    scenario: Scenario,
    graph: ZoneGraph,
    rules: Array,
    mean_users: Array | None = None,
    peak_demand: Array | None = None,
) -> Array:
    """Return a record ``[Z]`` of :data:`~metaverse_env.simulator.records.ZONE_CONSTANTS`.

    Args:
        scenario: The constants of the world.
        graph: Its zones.
        rules: The same constants, packed, record ``[1]``.
        mean_users: ``[Z]`` mean users of each zone, when a trace says so and not the scenario.
        peak_demand: ``[Z, 3]`` largest demand that a trace has, NaN where the formulas say it.
    """
    random = np.random.default_rng([scenario.layout.seed, 2])
    zones = np.zeros(len(graph), dtype=ZONE_CONSTANTS)
    zones["node"] = graph.node
    zones["base_rtt_ms"] = random.uniform(*scenario.service.base_rtt_ms, size=len(graph))
    zones["mean_users"] = _popularity(scenario, random) if mean_users is None else mean_users
    trough = scenario.workload.week_peak_to_trough
    zones["peak_users"] = zones["mean_users"] * scenario.cost.peak_factor * 2.0 * trough / (1.0 + trough)
    peak = _computed_peak(scenario, zones["peak_users"], rules)
    peak = peak if peak_demand is None else np.where(np.isnan(peak_demand), peak, peak_demand)
    limits = scenario.actuation.allocation_min, scenario.actuation.allocation_max
    zones["peak_allocation"] = np.clip(peak / _PEAK_UTILISATION, *limits)
    zones["peak_eur_per_h"] = zones["peak_allocation"] @ rules["price_eur_per_s"][0] * SECONDS_PER_HOUR
    return zones


def _computed_peak(scenario: Scenario, peak_users: Array, rules: Array) -> Array:
    """Return the demand ``[Z, 3]`` of so many users in an activity between the mean one and the heaviest."""
    names = ("cpu", "memory", "bandwidth")
    heaviest = [max(getattr(activity, name) for activity in scenario.intents.activities) for name in names]
    needs = [demand.demand_of_users(float(users), 1.0, 1.0, 1.0, rules[0]) for users in peak_users]
    return np.array(needs) * np.sqrt(heaviest)


def _popularity(scenario: Scenario, random: np.random.Generator) -> Array:
    """Return mean users per zone: Zipf over a random ranking, averaging what the scenario says."""
    share = np.arange(1, scenario.layout.zones + 1, dtype=float) ** -scenario.workload.zipf_exponent
    return random.permutation(share / share.mean()) * scenario.workload.mean_users_per_zone
