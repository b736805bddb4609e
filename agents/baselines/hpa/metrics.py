"""Replicas that follow from each kind of metric the autoscaler knows.

``ceil(ready x usage / target)`` is the idea; most of the rest is about what cannot be measured. Pods without metrics
are taken to use nothing when the others say up and all they request when the others say down, so that what is not
known only ever dampens. Source: ``replica_calculator.go`` in Kubernetes [V].
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from agents.baselines.hpa.pods import (
    CPU,
    Groups,
    MetricsError,
    Pod,
    PodSample,
    Readiness,
    group_pods,
    ready_and_running,
    requests,
    trusted,
)
from agents.baselines.hpa.replicas import Proposal, ceiling, proposed, proposed_again, proposed_per_replica
from metaverse_env.autoscaling.tolerance import Tolerance

DEFAULT_TOLERANCE: Final = Tolerance()
DEFAULT_READINESS: Final = Readiness()


class _Measured(NamedTuple):
    ratio: float
    usage: int
    raw_usage_milli: int


def utilisation_replicas(
    pods: Sequence[Pod],
    samples: Mapping[str, PodSample],
    target_percent: int,
    current: int,
    *,
    now_s: float,
    resource: str = CPU,
    container: str = "",
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    readiness: Readiness = DEFAULT_READINESS,
) -> Proposal:
    """Propose replicas for a target utilisation of a resource (``Resource`` and ``ContainerResource`` metrics).

    Args:
        pods: The workload's pods.
        samples: Usage of each, by name.
        target_percent: Usage over requests to aim at.
        current: Replicas asked for now, ``scale.spec.replicas``.
        now_s: The time.
        resource: ``"cpu"`` distrusts pods that have just started.
        container: The only container whose requests count; all when empty.
        tolerance: What is let pass.
        readiness: How long the CPU of a young pod is distrusted.

    Raises:
        MetricsError: Nothing follows from these metrics.
    """
    groups = group_pods(_found(pods), samples, now_s, readiness, resource == CPU)
    values, requested = trusted(samples, groups), requests(pods, container)
    highest = max(100, target_percent)

    def measured(values: Mapping[str, int]) -> _Measured:
        return _utilisation(values, requested, target_percent)

    def replaced(name: str, ratio: float) -> int | None:
        return requested[name] * highest // 100 if ratio < 1.0 else 0 if ratio > 1.0 else None

    return _replicas(groups, values, measured, replaced, current, tolerance)


def _found(pods: Sequence[Pod]) -> Sequence[Pod]:
    if not pods:
        raise MetricsError("no pods returned by selector while calculating replica count")
    return pods


def _utilisation(values: Mapping[str, int], requested: Mapping[str, int], target_percent: int) -> _Measured:
    known = [name for name in values if name in requested]
    used, asked = sum(values[name] for name in known), sum(requested[name] for name in known)
    if asked == 0:
        raise MetricsError("no metrics returned matched known pods")
    percent = used * 100 // asked
    return _Measured(percent / target_percent, percent, used // len(known))


def pods_replicas(
    pods: Sequence[Pod],
    samples: Mapping[str, PodSample],
    target_milli: int,
    current: int,
    *,
    now_s: float,
    resource: str = "",
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    readiness: Readiness = DEFAULT_READINESS,
) -> Proposal:
    """Propose replicas for a target mean per pod: ``Pods`` metrics, and a resource's ``AverageValue``.

    Arguments are those of :func:`utilisation_replicas`; only ``resource="cpu"`` distrusts young pods.

    Raises:
        MetricsError: Nothing follows from these metrics.
    """
    groups = group_pods(_found(pods), samples, now_s, readiness, resource == CPU)

    def measured(values: Mapping[str, int]) -> _Measured:
        mean = sum(values.values()) // len(values)
        return _Measured(mean / target_milli, mean, mean)

    def replaced(name: str, ratio: float) -> int:
        return target_milli if ratio < 1.0 else 0

    return _replicas(groups, trusted(samples, groups), measured, replaced, current, tolerance)


def _replicas(
    groups: Groups,
    values: Mapping[str, int],
    measured: Callable[[Mapping[str, int]], _Measured],
    replaced: Callable[[str, float], int | None],
    current: int,
    tolerance: Tolerance,
) -> Proposal:
    """Propose from known metrics, and once more with replacements for those that are missing or not to be trusted."""
    first = measured(values)
    waiting = groups.unready if first.ratio > 1.0 else ()
    if not waiting and not groups.missing:
        return Proposal(int(proposed(first.ratio, groups.ready, current, tolerance)), *first[1:])
    guesses = {name: replaced(name, first.ratio) for name in groups.missing} | dict.fromkeys(waiting, 0)
    filled = {**values, **{name: guess for name, guess in guesses.items() if guess is not None}}
    replicas = proposed_again(first.ratio, measured(filled).ratio, len(filled), current, tolerance)
    return Proposal(int(replicas), *first[1:])


def value_replicas(
    usage_milli: int,
    target_milli: int,
    current: int,
    pods: Sequence[Pod],
    tolerance: Tolerance = DEFAULT_TOLERANCE,
) -> Proposal:
    """Propose replicas for one value of the whole workload (``Object`` and ``External`` with ``Value``).

    Args:
        usage_milli: The value; of several series their sum.
        target_milli: The value to aim at.
        current: ``scale.spec.replicas``; 0 asks for ``ceil(usage / target)`` whatever the pods.
        pods: Of which the running and ready ones count.
        tolerance: What is let pass.

    Raises:
        MetricsError: There are no pods.
    """
    ratio = usage_milli / target_milli
    if current == 0:
        return Proposal(int(ceiling(ratio)), usage_milli, usage_milli)
    if tolerance.holds(ratio):
        return Proposal(current, usage_milli, usage_milli)
    return Proposal(int(ceiling(ratio * ready_and_running(_found(pods)))), usage_milli, usage_milli)


def average_value_replicas(
    usage_milli: int,
    target_milli: int,
    current: int,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
) -> Proposal:
    """Propose replicas for a value per replica (``Object`` and ``External`` with ``AverageValue``).

    ``current`` is ``scale.status.replicas``. No replicas and no usage propose none.

    >>> average_value_replicas(8600, 2867, 5).replicas
    3
    """
    mean = -(-usage_milli // current) if current else 0
    return Proposal(int(proposed_per_replica(usage_milli, target_milli, current, tolerance)), mean, mean)
