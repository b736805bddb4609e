"""A server with a forecaster that behaves as a test needs it: ``python serving_with.py FORECASTER OPTIONS-AS-JSON``.

The server is the real one, in a process of its own; only what it serves is replaced.
"""

import json
import sys
import time
from collections.abc import Sequence

import numpy as np

from metaverse_env.history import HISTORY_FEATURES, History
from metaverse_env.scenario import load_scenario
from metaverse_env.telemetry import Forecast
from metaverse_env.units import QUANTILES
from metaverse_env.zones import NO_ZONE, build_graph
from predictors.server.access import load_keys
from predictors.server.commands import start
from predictors.server.graphs import NO_ZONES
from predictors.server.logs import start_logging
from predictors.server.service import Service
from predictors.server.settings import Settings

USERS, AGE, SIGNALS = (HISTORY_FEATURES.index(name) for name in ("users", "age_s", "signals"))
BAD = 666.0
"""So many users, and a forecaster does what it should not."""


class Echo:
    """Forecasts what can be checked by hand.

    CPU is the zone's users; memory the sum of its users over the history; bandwidth the sum of its neighbours' users;
    latency 1 + the age of its last report. A quantile of .9 adds 0.9, and every tick ahead 1000.
    """

    horizon = 16

    def forecast(self, history: History, ticks: Sequence[int] | None = None) -> Forecast:
        ahead = tuple(range(1, 17)) if ticks is None else tuple(ticks)
        users = history.values[:, 0, :, USERS]
        around = np.where(history.graph.neighbours == NO_ZONE, 0.0, users[-1][history.graph.neighbours]).sum(axis=1)
        seen = np.stack([users[-1], users.sum(axis=0), around, 1.0 + history.values[-1, 0, :, AGE]], axis=1)
        values = np.zeros((1, len(history.graph), len(ahead), 4, 3), dtype=np.float32)
        values += seen[None, :, None, :, None] + np.array([0.0, QUANTILES[1], QUANTILES[2]])
        values += 1000.0 * (np.array(ahead)[None, None, :, None, None] - 1.0)
        return Forecast(values, ahead)


class Slow(Echo):
    """Takes half a second."""

    def forecast(self, history: History, ticks: Sequence[int] | None = None) -> Forecast:
        time.sleep(0.5)
        return super().forecast(history, ticks)


class NotFinite(Echo):
    """Gives NaN for a zone with the bad number of users, and an infinity to its latency."""

    def forecast(self, history: History, ticks: Sequence[int] | None = None) -> Forecast:
        found = super().forecast(history, ticks)
        bad = history.values[-1, 0, :, USERS] == BAD
        found.values[0, bad, :, 0], found.values[0, bad, :, 3] = np.nan, np.inf
        return found


class Raising(Echo):
    """Raises while a zone has the bad number of users."""

    def forecast(self, history: History, ticks: Sequence[int] | None = None) -> Forecast:
        if (history.values[-1, 0, :, USERS] == BAD).any():
            raise RuntimeError("nobody expects this")
        return super().forecast(history, ticks)


def late() -> Echo:
    """Take two seconds to load."""
    time.sleep(2.0)
    return Echo()


def never() -> Echo:
    """Do not load."""
    raise OSError("the disk is gone")


LOADS = {"echo": Echo, "slow": Slow, "not_finite": NotFinite, "raising": Raising, "late": late, "never": never}

if __name__ == "__main__":
    options = json.loads(sys.argv[2])
    drain_s = options.pop("drain_s", 0.0)
    if "scenario" in options:
        options["graph"] = build_graph(load_scenario(options.pop("scenario")))
    settings = Settings(**{"graph": NO_ZONES, "tick_s": 3600.0, "keys": load_keys(None), **options})
    start_logging("info", True)
    start(Service(settings, LOADS[sys.argv[1]]), "127.0.0.1", 0, drain_s, True)
