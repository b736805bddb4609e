"""Who hears whom: a panel's edges with weights that sum to one, and the same as a padded table for ONNX."""

import numpy as np
from numpy.typing import NDArray

from metaverse_env.panels import Panel


def edges(panel: Panel) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return edges ``[2, E]``, from and to, and weights ``[E]`` that sum to one over what a zone hears.

    >>> pairs = np.array([[0, 1, 2], [1, 2, 1]])
    >>> edges(Panel(np.zeros((1, 3, 1)), ("users",), ("a", "b", "c"), edge_index=pairs))[1]
    array([0.5, 1. , 0.5], dtype=float32)
    """
    if panel.edge_index is None:
        return np.zeros((2, 0), np.int64), np.zeros(0, np.float32)
    weight = np.ones(panel.edge_index.shape[1]) if panel.edge_weight is None else np.abs(panel.edge_weight)
    heard = np.bincount(panel.edge_index[1], weights=weight, minlength=len(panel.names))
    return panel.edge_index, (weight / np.maximum(heard, 1e-9)[panel.edge_index[1]]).astype(np.float32)


def neighbour_table(panel: Panel) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return neighbours ``[N, D]`` and weights ``[N, D]``; where a zone has fewer stands zone 0 with weight 0.

    >>> pairs = np.array([[0, 1, 2], [1, 2, 1]])
    >>> neighbour_table(Panel(np.zeros((1, 3, 1)), ("users",), ("a", "b", "c"), edge_index=pairs))[0]
    array([[0, 0],
           [0, 2],
           [1, 0]])
    """
    (senders, hearers), weight = edges(panel)
    order = np.argsort(hearers, kind="stable")
    senders, hearers, weight = senders[order], hearers[order], weight[order]
    count = np.bincount(hearers, minlength=len(panel.names))
    place = np.arange(len(hearers)) - np.repeat(np.cumsum(count) - count, count)
    shape = (len(panel.names), max(int(count.max()), 1))
    neighbours, weights = np.zeros(shape, np.int64), np.zeros(shape, np.float32)
    neighbours[hearers, place], weights[hearers, place] = senders, weight
    return neighbours, weights
