"""Whether a pod is worth updating. Source: ``updater/priority`` in Kubernetes' autoscaler [V]."""

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray


class Priority(NamedTuple):
    """How far a pod is from its recommendation.

    Attributes:
        outside: Whether a request lies outside [lower bound, upper bound], or is missing.
        scale_up: Whether any target is above its request.
        difference: Sum over resources of ``|target - request| / request``, each summed over containers first.
    """

    outside: Array
    scale_up: Array
    difference: Array


def priority(request: Any, target: Any, lower: Any, upper: Any) -> Priority:
    """Compare pods with their recommendation.

    Args:
        request: ``[…, containers, resources]``; ``nan`` where nothing is requested.
        target: The same shape; ``nan`` where there is no recommendation.
        lower: Bound below; ``nan`` for none.
        upper: Bound above; ``nan`` for none.

    >>> priority([[2000.0]], [[10000.0]], np.nan, np.nan)
    Priority(outside=np.False_, scale_up=np.True_, difference=np.float64(4.0))
    """
    request, target = np.asarray(request, dtype=np.float64), np.asarray(target, dtype=np.float64)
    recommended = ~np.isnan(target)
    unset = np.isnan(request) & recommended
    outside = ((request < lower) | (request > upper)) & recommended | unset
    scale_up = (target > request) | unset
    asked = np.maximum(np.nansum(np.where(recommended, request, np.nan), axis=-2), 1.0)
    difference = np.abs(asked - np.nansum(target, axis=-2)) / asked
    difference = np.where(recommended.any(axis=-2), difference, 0.0).sum(axis=-1)
    return Priority(outside.any(axis=(-2, -1)), scale_up.any(axis=(-2, -1)), difference)
