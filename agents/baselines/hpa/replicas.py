"""From a ratio of usage to target to a proposal of replicas, and from several proposals to one.

Source: ``replica_calculator.go`` and ``computeReplicasForMetrics`` in Kubernetes [V]. :func:`proposed` and
:func:`proposed_again` take numbers or arrays.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from metaverse_env.autoscaling.tolerance import MOST_REPLICAS, Tolerance


class Proposal(NamedTuple):
    """Replicas that a metric asks for, and what it was based on.

    Attributes:
        replicas: The proposal.
        usage: Utilisation in per cent of requests, or the mean per pod in milli-units.
        raw_usage_milli: Mean usage per pod, milli-units.
    """

    replicas: int
    usage: int
    raw_usage_milli: int


def ceiling(replicas: Any) -> Any:
    """Round up to whole replicas, at most :data:`MOST_REPLICAS`.

    >>> float(ceiling(2.1)), float(ceiling(1e30))
    (3.0, 2147483647.0)
    """
    return np.minimum(np.ceil(replicas), MOST_REPLICAS)


def proposed(ratio: Any, ready: Any, current: Any, tolerance: Tolerance) -> Any:
    """Return what follows when every pod's metric is known: ``ceil(ratio x ready)`` outside the tolerance.

    >>> float(proposed(1.5, ready=4, current=4, tolerance=Tolerance()))
    6.0
    """
    return np.where(tolerance.holds(ratio), current, ceiling(ratio * ready))


def proposed_per_replica(usage: Any, target: Any, current: Any, tolerance: Tolerance) -> Any:
    """Return what follows from a value to be shared out: ``ceil(usage / target)`` outside the tolerance.

    >>> float(proposed_per_replica(8600, 2867, current=5, tolerance=Tolerance()))
    3.0
    """
    with np.errstate(divide="ignore", invalid="ignore"):  # no replicas: any ratio is outside the tolerance
        ratio = np.divide(usage, target * np.asarray(current, dtype=np.float64))
    return np.where(tolerance.holds(ratio), current, ceiling(usage / target))


def proposed_again(ratio: Any, again: Any, counted: Any, current: Any, tolerance: Tolerance) -> Any:
    """Return what follows once unknown metrics have been replaced: no change if that turned the direction.

    Args:
        ratio: Usage over target of the metrics that are known.
        again: The same with the replaced ones.
        counted: How many pods ``again`` is the mean of.
        current: Replicas asked for now.
        tolerance: What is let pass.
    """
    new = ceiling(again * counted)
    turned = ((ratio < 1.0) & (again > 1.0)) | ((ratio > 1.0) & (again < 1.0))
    against = ((again < 1.0) & (new > current)) | ((again > 1.0) & (new < current))
    return np.where(tolerance.holds(again) | turned | against, current, new)


class Combined(NamedTuple):
    """What several metrics ask for together.

    Attributes:
        replicas: The largest proposal, or the current replicas where that is not to be trusted.
        decided: Whether it is: not if all metrics are invalid, nor if some are and the others say down.
        invalid: How many metrics proposed nothing.
    """

    replicas: int
    decided: bool
    invalid: int


def combined(proposals: Sequence[int | None], current: int) -> Combined:
    """Take the largest proposal; ``None`` is an invalid metric, and with one of them there is no way down.

    >>> combined([3, None], current=5)
    Combined(replicas=5, decided=False, invalid=1)
    """
    valid = [proposal for proposal in proposals if proposal is not None]
    invalid = len(proposals) - len(valid)
    decided = bool(valid) and (invalid == 0 or max(valid) >= current)
    return Combined(max(valid) if decided else current, decided, invalid)
