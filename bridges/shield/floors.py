"""What a pod's memory must not fall below: what it uses, and what a kill showed it to need.

After a kill the next memory is 100 MiB more, or 1.2 times, what was asked for or in use, whichever is larger, as in
Kubernetes' vertical autoscaler [V]; it stays there until a cool-off is over.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from bridges.shield.clamps import MEMORY
from bridges.shield.facts import Facts, peak_memory
from bridges.shield.memory import Kill, Memory
from bridges.shield.rules import Ruled
from bridges.shield.settings import ShieldSettings
from metaverse_env.autoscaling.memory import bumped

Array = np.ndarray
BYTES: Final = 1e6
"""In a MB."""


def noticed(facts: Facts, memory: Memory, now_s: float) -> Mapping[str, tuple[Kill, ...]]:
    """Return the kills of each zone that were not known yet, with what follows from them (T52)."""
    peaks, new = peak_memory(facts), {}
    for index, zone in enumerate(facts.zones):
        known = {one.killed_unix_s for one in memory.kills.get(zone, ())}
        fresh = {one for one in facts.killed if one.zone == zone and one.unix_s not in known} if facts.killed else ()
        if fresh:
            had_mb, most_mb = max(one.had_mb for one in fresh), facts.most[index, MEMORY]
            asked_mb = float(np.fmax(np.fmax(facts.now[index, MEMORY], peaks[index]), 0.0))
            floor_mb = max(float(bumped(asked_mb * BYTES, 0.0)) / BYTES, had_mb)
            at_most = bool(max(had_mb, asked_mb) >= most_mb)
            new[zone] = tuple(Kill(now_s, unix_s, floor_mb, at_most) for unix_s in sorted({o.unix_s for o in fresh}))
    return new


def hopeless(memory: Memory, settings: ShieldSettings, now_s: float) -> tuple[str, ...]:
    """Return the zones killed so often with all the memory allowed that more of the same will not help (T53)."""
    since_s = now_s - settings.kill_window_s
    return tuple(
        zone
        for zone, kills in memory.kills.items()
        if sum(one.at_most and one.noticed_s > since_s for one in kills) >= settings.kills_to_stop
    )


def above_kills(wish: Array, facts: Facts, memory: Memory, stopped: tuple[str, ...]) -> Ruled:
    """Raise memory to what kills within the cool-off ask for, whether anybody wished for it or not.

    A zone that is :func:`hopeless` stays as it is.
    """
    floors = np.array([max((one.floor_mb for one in memory.kills.get(z, ())), default=-np.inf) for z in facts.zones])
    still = np.array([zone in stopped for zone in facts.zones], dtype=np.bool_)
    asked, now = wish[:, MEMORY], facts.now[:, MEMORY]
    higher = np.where((floors > np.fmax(asked, -np.inf)) & ((floors > now) | ~np.isnan(asked)), floors, asked)
    values = wish.copy()
    fixed = np.isnan(now) | facts.mask()[:, MEMORY]
    values[:, MEMORY] = np.where(fixed, asked, np.where(still, now, higher))
    return Ruled(values, np.where(still[:, None], "killed again and again at the most", "killed for less memory"))


def above_usage(wish: Array, facts: Facts, margin: float) -> Ruled:
    """Take no memory away that is in use, nor the margin above it (T54); none at all where use is not known."""
    kept = np.fmin(facts.now[:, MEMORY], facts.memory_used_mb * (1.0 + margin))  # fmin: what there is, without a use
    values = wish.copy()
    asked = wish[:, MEMORY]
    values[:, MEMORY] = np.where(asked < kept, kept, asked)
    return Ruled(values, "less than the memory in use and its margin, or its use is not known")
