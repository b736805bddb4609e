"""What the autoscaler remembers: recommendations, which keep it from flapping, and changes, which limit its rate.

Source: ``stabilizeRecommendation``, ``stabilizeRecommendationWithBehaviors`` and ``getReplicasChangePerPeriod`` in
Kubernetes' ``horizontal.go`` [V]. Replicas are numbers or arrays; ``nan`` stands for no recommendation. A log is a
tuple, and what follows from it is a new one.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np


class Recommended(NamedTuple):
    """Replicas that were recommended, before any limit, and when."""

    replicas: Any
    time_s: float


class Change(NamedTuple):
    """By how many replicas a workload was scaled up, or down, and when; not negative."""

    replicas: Any
    time_s: float


Log = tuple[Recommended, ...]


def stabilised_down(log: Log, desired: Any, now_s: float, window_s: float) -> tuple[Any, Log]:
    """Return the highest recommendation within the window, the new one included, and the log with the new one.

    This is how an autoscaler without ``behavior`` stabilises.

    >>> replicas, log = stabilised_down((Recommended(5, 0.0),), 3, now_s=60.0, window_s=300.0)
    >>> float(replicas), len(log)
    (5.0, 2)
    """
    recent = [entry.replicas for entry in log if entry.time_s >= now_s - window_s]
    return _extreme(np.fmax, recent, desired), _with(log, desired, now_s, lambda entry: entry.time_s < now_s - window_s)


def stabilised(
    log: Log, current: Any, desired: Any, now_s: float, up_window_s: float, down_window_s: float
) -> tuple[Any, Log]:
    """Return the current replicas, moved only as far as every recommendation of the windows agrees, and the new log.

    Args:
        log: Recommendations so far.
        current: Replicas asked for now.
        desired: The new recommendation.
        now_s: The time.
        up_window_s: Up to the lowest of this window.
        down_window_s: Down to the highest of this window.
    """
    up = _extreme(np.fmin, [entry.replicas for entry in log if entry.time_s > now_s - up_window_s], desired)
    down = _extreme(np.fmax, [entry.replicas for entry in log if entry.time_s > now_s - down_window_s], desired)
    oldest_s = now_s - max(up_window_s, down_window_s)
    return np.minimum(np.maximum(current, up), down), _with(log, desired, now_s, lambda entry: entry.time_s < oldest_s)


def _extreme(choose: Callable[[Any, Any], Any], recent: Sequence[Any], desired: Any) -> Any:
    """Return the extreme of recommendations and the new one; ``nan`` only where there is none at all."""
    for replicas in recent:
        desired = choose(desired, replicas)
    return desired


def _with(log: Log, desired: Any, now_s: float, outdated: Callable[[Recommended], bool]) -> Log:
    """Record a recommendation: in place of the last outdated one, so that the log does not grow, or at the end."""
    new = Recommended(desired, now_s)
    old = [place for place, entry in enumerate(log) if outdated(entry)]
    return (*log[: old[-1]], new, *log[old[-1] + 1 :]) if old else (*log, new)


def changed_within(changes: Sequence[Change], period_s: float, now_s: float) -> Any:
    """Return by how many replicas a workload was changed in less than a period.

    >>> changed_within([Change(4, 0.0), Change(2, 50.0)], period_s=60.0, now_s=60.0)
    2
    """
    return sum(change.replicas for change in changes if change.time_s > now_s - period_s)
