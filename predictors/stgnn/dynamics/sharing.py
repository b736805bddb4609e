"""Who serves whose users, turned around: from where zones send demand to where it comes from.

A zone's row of the table of neighbours begins with the zone itself, whose share is what it sends away, negative: so the
demand that a zone serves is its own plus one weighted sum.
"""

import numpy as np

from metaverse_env.zones import NO_ZONE, ZoneGraph

Array = np.ndarray


def slots_back(neighbours: Array) -> Array:
    """Return for every neighbour of every zone in which of its own slots it has that zone, ``int64 [Z, D]``.

    It is 0 where there is no neighbour.

    >>> slots_back(np.array([[1, -1], [0, 2], [1, -1]]))
    array([[0, 0],
           [0, 0],
           [1, 0]])
    """
    own = np.arange(len(neighbours))[:, None, None]
    back: Array = (neighbours[np.maximum(neighbours, 0)] == own).argmax(axis=2)
    return back


def shares(remote: Array, neighbours: Array, back: Array) -> Array:
    """Return what of whose demand a zone serves beside its own, ``float32 [W, Z, 1 + D]``, itself first.

    Args:
        remote: ``[W, Z, D]``, what share of a zone's demand goes to each neighbour.
        neighbours: ``[Z, D]``.
        back: Their :func:`slots_back`.

    >>> pair = np.array([[1], [0]])
    >>> shares(np.array([[[0.25], [0.0]]], dtype=np.float32), pair, slots_back(pair)).tolist()
    [[[-0.25, 0.0], [-0.0, 0.25]]]
    """
    comes = np.where(neighbours != NO_ZONE, remote[:, np.maximum(neighbours, 0), back], np.float32(0.0))
    return np.concatenate([-remote.sum(axis=2, keepdims=True), comes], axis=2)


def sharing_table(graph: ZoneGraph, worlds: int) -> Array:
    """Return whose demand :func:`shares` are of, ``int64 [W Z, 1 + D]``: rows of ``worlds`` disjoint graphs."""
    zones, first = np.arange(len(graph))[:, None], len(graph) * np.arange(worlds, dtype=np.int64)[:, None, None]
    others = np.where(graph.neighbours != NO_ZONE, graph.neighbours, zones)
    table = np.concatenate([zones, others], axis=1) + first
    return table.reshape(worlds * len(graph), -1)
