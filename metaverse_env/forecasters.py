"""Beliefs about the future by name. ``"stgnn"``, the default, lives in an upper storey and is reached as a string."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from metaverse_env.contracts import Predictor
from metaverse_env.errors import ConfigurationError, UnknownNameError
from metaverse_env.history import History
from metaverse_env.plugins import resolve
from metaverse_env.telemetry import Forecast
from metaverse_env.units import QUANTILES

HORIZON: Final = 16
"""Ticks that are forecast: 4 minutes of 15 s."""

FORECASTERS: Final = {
    "stgnn": "predictors.stgnn:load_default",
    "stgnn_without_intents": "predictors.stgnn:load_without_intents",
    "perfect": "predictors.perfect:PerfectForecaster",
    "persistence": "metaverse_env.forecasters:PersistenceForecaster",
}
"""Names for ``forecaster=``, beside ``"none"``; those but ``"stgnn"`` are baselines and bounds."""


class PersistenceForecaster:
    """What is, will be: the last observation at every horizon and every quantile. The baseline of all forecasts."""

    horizon = HORIZON
    needs_intents = False

    def forecast(self, history: History, ticks: Sequence[int] | None = None) -> Forecast:
        """Repeat the last values: ``[W, Z, len(ticks), 4, 3]``; zeros where nothing was ever observed."""
        ahead = tuple(range(1, self.horizon + 1)) if ticks is None else tuple(ticks)
        last = history.values[-1, :, :, 1:5]
        shape = (*last.shape[:2], len(ahead), 4, len(QUANTILES))
        return Forecast(np.broadcast_to(last[:, :, None, :, None], shape).copy(), ahead)


def load_forecaster(forecaster: "str | Predictor | None") -> Predictor | None:
    """Return a forecaster by name; an object is returned as it is, ``"none"`` and ``None`` give ``None``.

    Raises:
        UnknownNameError: No forecaster has this name.
        ConfigurationError: A file in place of a name.
        MissingDependencyError: It needs a package that is not installed.
    """
    if forecaster is None or forecaster == "none":
        return None
    if not isinstance(forecaster, str):
        return forecaster
    if forecaster not in FORECASTERS and ("/" in forecaster or Path(forecaster).suffix):
        raise ConfigurationError(
            f"forecaster {forecaster!r} is a file, and no name; pass the network itself: from predictors.stgnn import "
            f"StgnnForecaster, then forecaster=StgnnForecaster({forecaster!r})"
        )
    if forecaster not in FORECASTERS:
        raise UnknownNameError("forecaster", forecaster, (*FORECASTERS, "none"))
    predictor: Predictor = resolve("forecaster", forecaster, FORECASTERS, extra="predictors")()
    return predictor
