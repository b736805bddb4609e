"""What every zone last said, as one history that a forecaster reads.

A report stands for the current tick of its zone; of several in a tick the last one counts. A zone that was silent for
as long as the history reaches is forgotten: nothing that is remembered speaks of it.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable

import numpy as np

from metaverse_env.history import TICKS, History
from metaverse_env.telemetry import Telemetry
from metaverse_env.zones import ZoneGraph
from predictors.server.graphs import joined
from predictors.server.observing import held, nothing_known, observe
from predictors.server.requests import Observation
from predictors.stgnn.features import EMBEDDING


class FullError(Exception):
    """There is no room for one more zone."""


class LiveZones:
    """The zones of one world, live. Not for two threads at once.

    Args:
        graph: Zones that are always there, silent or not.
        tick_s: Length of a tick, s.
        most: Zones at most.
        clock: Unix time that never goes back, s.
    """

    def __init__(self, graph: ZoneGraph, tick_s: float, most: int, clock: Callable[[], float] | None = None) -> None:
        self._fixed, self._tick_s, self._most = graph, tick_s, most
        self._clock = clock or steady_clock()
        self._index = {name: zone for zone, name in enumerate(graph.names)}
        self._last_tick: dict[str, int] = {}
        self._tick = self._now()
        self._ticks = deque([nothing_known(len(graph), self._end_s())], TICKS)
        self._history: History | None = None

    def __len__(self) -> int:
        return len(self._index)

    @property
    def history(self) -> History:
        """The last ticks of all zones, with everything that was reported until now."""
        if self._history is None:
            self._history = self._remember()
        else:
            self._history.rewrite(self._ticks[-1])
        return self._history

    def report(self, name: str, observation: Observation) -> int:
        """Take what a zone says as its current tick; return its index, which holds until time goes on.

        Raises:
            FullError: The zone is new and there is no room.
        """
        if name not in self._index:
            self._add(name)
        self._last_tick[name] = self._tick
        observe(self._ticks[-1], self._index[name], observation)
        return self._index[name]

    def advance(self) -> list[str]:
        """Let the ticks pass that have passed; return the zones that are forgotten thereby."""
        now = self._now()
        for tick in range(max(self._tick + 1, now - TICKS + 1), now + 1):
            history = self.history  # with the last words of the tick that ends
            self._tick = tick
            self._ticks.append(held(self._ticks[-1], self._tick_s, self._end_s()))
            history.append(self._ticks[-1])
        return self.forget([name for name, tick in self._last_tick.items() if now - tick >= TICKS])

    def forget(self, names: Iterable[str]) -> list[str]:
        """Forget zones, and return those that were known; the fixed graph's stay, as if never observed."""
        known = [name for name in names if self._last_tick.pop(name, None) is not None]
        if not known:
            return []
        zones = [self._index[name] for name in known]
        left = [zone for zone in zones if zone >= len(self._fixed)]
        for tick in self._ticks:
            tick.zones[0, zones], tick.intents[0, zones] = 0, 0.0
        self._ticks = deque((_without(tick, left) for tick in self._ticks), TICKS)
        gone = set(known) - set(self._fixed.names)
        self._index = {name: zone for zone, name in enumerate(name for name in self._index if name not in gone)}
        self._history = None
        return known

    def _add(self, name: str) -> None:
        if len(self._index) >= self._most:
            raise FullError
        self._index[name] = len(self._index)
        self._ticks = deque((_with_one_more(tick) for tick in self._ticks), TICKS)
        self._history = None

    def _remember(self) -> History:
        graph = joined(self._fixed, list(self._index)[len(self._fixed) :])
        history = History(1, graph, EMBEDDING)
        for tick in self._ticks:
            history.append(tick)
        return history

    def _now(self) -> int:
        return int(self._clock() // self._tick_s)

    def _end_s(self) -> float:
        return (self._tick + 1) * self._tick_s


def steady_clock() -> Callable[[], float]:
    """Return a clock that starts at the Unix time and then goes on whatever becomes of the system's."""
    offset_s = time.time() - time.monotonic()
    return lambda: offset_s + time.monotonic()


def _with_one_more(tick: Telemetry) -> Telemetry:
    more = nothing_known(1, 0.0)
    zones = np.concatenate([tick.zones, more.zones], axis=1)
    return Telemetry(zones, tick.weather, np.concatenate([tick.intents, more.intents], axis=1))


def _without(tick: Telemetry, zones: list[int]) -> Telemetry:
    return Telemetry(np.delete(tick.zones, zones, axis=1), tick.weather, np.delete(tick.intents, zones, axis=1))
