"""What several classical controllers read from a view in the same way."""

import numpy as np

from metaverse_env.contracts import View

Array = np.ndarray
_ROUNDING = 1e-4
"""Five pods in float32 are five, not a little more; the world's own tolerance."""


def known(view: View, max_age_s: float) -> Array:
    """Tell which zones ``bool [W, Z]`` are ready and have metrics no older than ``max_age_s``."""
    telemetry = view.telemetry
    fresh = telemetry.zones["age_s"] <= max_age_s
    seen: Array = telemetry.observed & fresh & (telemetry.zones["ready"] > 0)
    return seen


def replica_size(view: View) -> Array:
    """Return ``float32 [3]``, what one replica has: a pod where a zone has whole pods, else the least allocation.

    Where pods change their size each resource is a number of such shares of its own, so that the arithmetic of replicas
    sizes it to within one share.
    """
    return view.limits[0] if view.pod_size is None else view.pod_size


def replicas_of(allocation: Array, view: View) -> Array:
    """Return replicas ``[W, Z, 1]`` of whole pods, or ``[W, Z, 3]`` shares of each resource, rounded up.

    Args:
        allocation: ``[W, Z, 3]``.
        view: Tells what a replica is.
    """
    shares: Array = np.ceil(allocation / replica_size(view) - _ROUNDING)
    return shares if view.pod_size is None else np.max(shares, axis=-1, keepdims=True)


def most_replicas(view: View) -> Array:
    """Return ``[1]`` or ``[3]``, how many replicas the limits allow."""
    most: Array = np.floor(view.limits[1] / replica_size(view) + _ROUNDING)
    return most if view.pod_size is None else np.min(most, keepdims=True)
