"""How unlike those of training an observation is (T70).

A learned policy is right only about what it has seen. Of every feature of a zone it is kept between which values most
of what was seen in training lay; the score of a zone is the share of its features that lie outside now, by more than a
margin. It is 0 for an observation of training and 1 for one that has nothing in common with it.

``python -m bridges.shield.training_range SCENARIO FILE`` makes the range of a scenario.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from metaverse_env.envs.shell import Shell
from metaverse_env.errors import ConfigurationError
from metaverse_env.observation import FORECAST_FEATURES, WORLD_FEATURES, ZONE_FEATURES
from metaverse_env.plugins import resolve_own
from metaverse_env.recording import play

Array = np.ndarray

FOLDER: Final = Path(__file__).parent / "ranges"
MARGIN: Final = 0.1
"""Beyond the range by less than this share of its width, or of [-1, 1] in part, is no matter [choice]."""
MOST: Final = 0.25
"""A zone with a greater share of strange features is unlike those of training [choice]."""
OUTER: Final = (0.001, 0.999)
"""Quantiles that bound a range [choice]."""


@dataclass(frozen=True, eq=False)
class TrainingRange:
    """Between which values the features of a zone lay.

    Attributes:
        features: Their names, in order.
        low: ``[F]``.
        high: ``[F]``.
        most: A higher score is unlike those of training.
    """

    features: tuple[str, ...]
    low: Array
    high: Array
    most: float = MOST

    def scores(self, observation: Array, zones: int) -> Array:
        """Return ``[Z]``, the share of each zone's features outside the range.

        Args:
            observation: ``float32 [1, size]``, zones first.
            zones: ``Z``.

        Raises:
            ConfigurationError: The observation has other features.
        """
        width = len(self.features)
        if observation.shape[1] != zones * width + len(WORLD_FEATURES):
            raise ConfigurationError(
                f"an observation of {observation.shape[1]} numbers is not of {zones} zones with {width} features; "
                f"choose the forecaster that the policy was trained with"
            )
        rows = observation[0, : zones * width].reshape(zones, width)
        room = MARGIN * np.maximum(self.high - self.low, MARGIN)
        outside: Array = (rows < self.low - room) | (rows > self.high + room)
        scores: Array = outside.mean(axis=1)
        return scores


def load_range(scenario: str) -> TrainingRange:
    """Return the range of a scenario's observations.

    Raises:
        ConfigurationError: None is shipped for it, or the file is damaged.
    """
    path = FOLDER / f"{scenario}.json"
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        low, high = (np.array(told[name], dtype=np.float64) for name in ("low", "high"))
        features = tuple(str(name) for name in told["features"])
    except FileNotFoundError as error:
        raise ConfigurationError(f"no range of observations is shipped for scenario {scenario!r}") from error
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(f"{path.name}: is no range of observations: {error!r}") from error
    if not len(features) == len(low) == len(high):
        raise ConfigurationError(f"{path.name}: has {len(features)} features, {len(low)} and {len(high)} bounds")
    return TrainingRange(features, low, high)


def measured_range(scenario: str, worlds: int = 16, ticks: int = 240, policy: str = "random") -> dict[str, Any]:
    """Return the range of what a policy sees in a scenario's worlds, as JSON."""
    shell = Shell(scenario, worlds, dynamics="physics")
    zones, width = len(shell.world.zones), len(ZONE_FEATURES) + len(FORECAST_FEATURES)
    decider = resolve_own("policies", "agents:load")(policy)
    seen = [
        turn.view.observation[:, : zones * width].reshape(-1, width)
        for turn in play(shell, decider, list(range(10_000, 10_000 + worlds)), ticks)
        if turn.view.observation is not None
    ]
    low, high = np.quantile(np.concatenate(seen), OUTER, axis=0)
    names = [feature.name for feature in (*ZONE_FEATURES, *FORECAST_FEATURES)]
    bounds = {"low": np.round(low, 4).tolist(), "high": np.round(high, 4).tolist()}
    return {"scenario": scenario, "policy": policy, "worlds": worlds, "ticks": ticks, "features": names, **bounds}


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(measured_range(sys.argv[1])) + "\n", encoding="utf-8")
