"""Domain randomisation: worlds that differ in what no operator knows exactly, so that a policy relies on none of it."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from metaverse_env.scenario import Scenario, load_scenario

SPREADS: Final[Mapping[str, Mapping[str, tuple[float, float]]]] = {
    "workload": {
        "mean_users_per_zone": (3.0, 2.0),
        "week_peak_to_trough": (1.5, 5.0),
        "event_per_day": (3.0, 3.0),
        "migration_per_h": (2.0, 2.0),
        "own_ou_sigma": (1.5, 1.5),
    },
    "demand": {
        "cpu_per_user_mcores": (1.3, 1.3),
        "bandwidth_per_user_mbps": (1.3, 1.3),
        "memory_per_user_mb": (1.3, 1.3),
    },
    "actuation": {"resize_median_s": (2.0, 2.0)},
    "monitoring": {"missing_per_h": (2.0, 2.0)},
    "disturbances": {
        "flash_crowd_per_day": (3.0, 3.0),
        "node_loss_per_day": (2.0, 2.0),
        "outage_per_day": (2.0, 2.0),
        "degradation_per_day": (2.0, 2.0),
        "price_sigma": (1.5, 1.5),
        "drift_sigma": (2.0, 2.0),
    },
}
"""A variant's value lies between the scenario's over the first and times the second, uniform in the logarithm [choice].

Peaks may lie up to five times higher over troughs: a zone that is sized for its crowds may be empty most of its life.
"""


def variants(scenario: str | Scenario, count: int, seed: int, hardness: float = 1.0) -> list[Scenario]:
    """Return a scenario and ``count - 1`` random variants of it; the same for the same seed.

    Args:
        scenario: A name, a file or a scenario.
        count: How many, the scenario itself included.
        seed: Of what is drawn.
        hardness: From 0 to 1, multiplies the rates of all disturbances: a curriculum goes from little to all.
    """
    base = eased(load_scenario(scenario), hardness)
    random = np.random.default_rng([seed, count])
    return [base, *(_variant(base, random) for _ in range(count - 1))]


def eased(scenario: Scenario, hardness: float) -> Scenario:
    """Return the scenario with the rates of all disturbances multiplied."""
    if hardness == 1.0:
        return scenario
    rates = {name: hardness * getattr(scenario.disturbances, name) for name in SPREADS["disturbances"]}
    return scenario.with_changes(disturbances=scenario.disturbances.model_copy(update=rates))


def _variant(base: Scenario, random: np.random.Generator) -> Scenario:
    changes: dict[str, Any] = {}
    for group, spreads in SPREADS.items():
        spec = getattr(base, group)
        drawn = {name: getattr(spec, name) * _factor(spread, random) for name, spread in spreads.items()}
        changes[group] = type(spec).model_validate({**spec.model_dump(), **drawn})
    return base.with_changes(**changes)


def _factor(spread: tuple[float, float], random: np.random.Generator) -> float:
    """Draw a factor between one over the first and the second, uniform in the logarithm."""
    down, up = spread
    return float(np.exp(random.uniform(-np.log(down), np.log(up))))
