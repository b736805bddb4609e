"""What the agent of one zone sees, cut from the observation of its world: the same for 3 zones and for 300.

A row is ``own features | world features | mean of the neighbours' features``, and for a critic, which is only needed
while learning, ``| mean over all zones | largest over all zones``: of fixed size, so a world of more zones costs a
critic no more, and nobody gets a copy of the whole world.

Who learned among many zones may be asked about one alone: that zone stands in for its neighbours, and so is like one
among its like. Who learned about a zone alone never heard a neighbour, and hears none later.
"""

import numpy as np

from metaverse_env.observation import WORLD_FEATURES
from metaverse_env.zones import NO_ZONE, ZoneGraph

Array = np.ndarray


class ZoneRows:
    """Cuts observations into rows.

    Args:
        zones: Who neighbours whom.
        features: How many each zone has in the observation, ``F``.
        heard: Whether neighbours are heard; otherwise their mean is 0. By default, if any zone has some.
    """

    def __init__(self, zones: ZoneGraph, features: int, heard: bool | None = None) -> None:
        self.heard = bool((zones.neighbours != NO_ZONE).any()) if heard is None else heard
        self._slots = _slots(zones) if self.heard else []
        self.zones, self.features = len(zones), features
        self.actor_size = 2 * features + len(WORLD_FEATURES)
        self.critic_size = self.actor_size + 2 * features

    def actor(self, observation: Array) -> Array:
        """Return ``float32 [W x Z, actor_size]`` of observations ``[W, size]``."""
        own, world = self._split(observation)
        return np.concatenate([own, world, self._neighbours(own)], axis=2).reshape(-1, self.actor_size)

    def critic(self, observation: Array) -> Array:
        """Return ``float32 [W x Z, critic_size]``: the actor's row, then what all zones together are like."""
        own, world = self._split(observation)
        pooled = np.concatenate([own.mean(axis=1), own.max(axis=1)], axis=1)[:, None]
        everyone = np.broadcast_to(pooled, (*own.shape[:2], pooled.shape[2]))
        parts = [own, world, self._neighbours(own), everyone]
        return np.concatenate(parts, axis=2).reshape(-1, self.critic_size)

    def _split(self, observation: Array) -> tuple[Array, Array]:
        """Return the zones' features ``[W, Z, F]`` and the world's, ``[W, Z, 5]``."""
        edge = self.zones * self.features
        own = observation[:, :edge].reshape(len(observation), self.zones, self.features)
        world = observation[:, None, edge:]
        return own, np.broadcast_to(world, (*own.shape[:2], world.shape[2]))

    def _neighbours(self, own: Array) -> Array:
        """Return the mean over each zone's neighbours, ``[W, Z, F]``; of itself without any; 0 where none is heard."""
        total: Array = np.zeros_like(own)
        for neighbour, share in self._slots:
            total += own[:, neighbour] * share
        return total


def _slots(zones: ZoneGraph) -> list[tuple[Array, Array]]:
    """Return neighbours ``[Z]`` and their shares of the mean ``[Z, 1]``, one pair for each that a zone may have."""
    there = zones.neighbours != NO_ZONE
    shares = (there / np.maximum(there.sum(axis=1, keepdims=True), 1)).astype(np.float32)
    slots = [
        (np.where(there[:, slot], zones.neighbours[:, slot], 0), shares[:, slot, None])
        for slot in range(there.shape[1])
    ]
    alone = ~there.any(axis=1)
    if alone.any():
        slots.append((np.arange(len(zones)), alone[:, None].astype(np.float32)))
    return slots
