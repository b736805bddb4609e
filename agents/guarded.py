"""A learned policy that is relieved where the world is no longer the one it knows, and comes back when it is again."""

import numpy as np

import agents
from agents.drift import Cusum, standardised_errors
from metaverse_env.contracts import Policy, View
from metaverse_env.errors import ConfigurationError
from metaverse_env.telemetry import Command, Forecast
from metaverse_env.zones import ZoneGraph

Array = np.ndarray


class Guarded:
    """Lets one policy decide, and a safe one for every zone whose demand is no longer what forecasts say.

    Both see every view, so that either can take over at once. A zone that drifts gets the larger of what both ask for,
    for who relieves must not take away; nothing of it is handed over.

    Args:
        policy: Who decides as a rule.
        safe: Who takes over: one that needs no forecast.
        detector: Tells when.

    Example:
        >>> guarded = Guarded(agents.load("forecast"), agents.load("threshold"))
        >>> guarded.detector.threshold
        12.0
    """

    def __init__(self, policy: Policy, safe: Policy, detector: Cusum | None = None) -> None:
        self.policy, self.safe, self.detector = policy, safe, detector or Cusum()
        self.drifting: Array = np.zeros((0, 0), dtype=np.bool_)
        self._foretold: Forecast | None = None

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Start both policies anew, and forget all errors."""
        self.policy.reset(zones, worlds)
        self.safe.reset(zones, worlds)
        self.detector.reset(worlds, len(zones))
        self.drifting, self._foretold = np.zeros((worlds, len(zones)), dtype=np.bool_), None

    def act(self, view: View) -> Command:
        """Decide; :attr:`drifting` then tells for which zones ``bool [W, Z]`` the safe policy did.

        Raises:
            ConfigurationError: The view has no forecast.
        """
        if view.forecast is None:
            raise ConfigurationError("a guarded policy judges forecasts; choose a forecaster other than 'none'")
        if self._foretold is not None:
            self.drifting = self.detector.update(standardised_errors(view, self._foretold))
        self._foretold = Forecast(view.forecast.values.copy(), view.forecast.ticks)
        usual, safe = self.policy.act(view), self.safe.act(view)
        larger = np.maximum(usual.allocation, safe.allocation)
        allocation = np.where(self.drifting[:, :, None], larger, usual.allocation)
        return Command.of(allocation, np.where(self.drifting, 0.0, usual.handover))


def guarded(policy: str = "mappo@complex", safe: str = "threshold") -> Guarded:
    """Return a guarded policy of two by name."""
    return Guarded(agents.load(policy), agents.load(safe))
