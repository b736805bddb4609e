"""What a trial found: requests above the objective, and CPU time that was allocated, arm by arm."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from benchmarks.trial.load import Answer

WINDOW_S: Final = 5.0
"""Latencies are drawn, and told to be above the objective, over so long [choice]."""

Array = np.ndarray


class Score(NamedTuple):
    """How an arm did.

    Attributes:
        requests: Sent.
        failed: Not answered, or not with 200.
        violated: Above the objective, failed ones included.
        violated_request_s: Requests that waited, times how long beyond the objective each did, s.
        p50_ms: Latency.
        p95_ms: Latency.
        core_s: CPU time allocated: limits of all pods, those of a rollout that come and go included.
    """

    requests: int
    failed: int
    violated: int
    violated_request_s: float
    p50_ms: float
    p95_ms: float
    core_s: float


class Sample(NamedTuple):
    """What every zone may use at a moment."""

    at_s: float
    cores: Mapping[str, float]


def core_seconds(samples: Sequence[Sample], zone: str) -> float:
    """Return the integral of what a zone may use, by trapezoids.

    >>> core_seconds([Sample(0.0, {"a": 1.0}), Sample(2.0, {"a": 3.0})], "a")
    4.0
    """
    moments = np.array([sample.at_s for sample in samples])
    cores = np.array([sample.cores.get(zone, 0.0) for sample in samples])
    return float(np.trapezoid(cores, moments))


def score(answers: Sequence[Answer], core_s: float, objective_ms: float) -> Score:
    """Return how an arm did.

    >>> score([Answer(0.0, 0.05, True), Answer(1.0, 0.35, True)], 3.0, objective_ms=100.0).violated_request_s
    0.25
    """
    latency_ms = np.array([1000.0 * answer.latency_s for answer in answers])
    beyond_ms = np.maximum(latency_ms - objective_ms, 0.0)
    middle, high = np.quantile(latency_ms, [0.5, 0.95]) if answers else (np.nan, np.nan)
    return Score(
        requests=len(answers),
        failed=sum(not answer.ok for answer in answers),
        violated=int((beyond_ms > 0.0).sum()),
        violated_request_s=float(beyond_ms.sum()) / 1000.0,
        p50_ms=float(middle),
        p95_ms=float(high),
        core_s=core_s,
    )


def p95_by_window(answers: Sequence[Answer], seconds: float, window_s: float = WINDOW_S) -> tuple[Array, Array]:
    """Return the middles of windows, s, and the p95 latency of the requests due in each, ms; NaN without any."""
    edges = np.arange(0.0, seconds + window_s, window_s)
    due, latency = np.array([(answer.due_s, answer.latency_s) for answer in answers]).reshape(-1, 2).T
    values = np.full(len(edges) - 1, np.nan)
    for index, (start, end) in enumerate(pairwise(edges)):
        inside = latency[(due >= start) & (due < end)]
        if len(inside):
            values[index] = 1000.0 * np.quantile(inside, 0.95)
    return (edges[:-1] + edges[1:]) / 2.0, values


def recovered_s(answers: Sequence[Answer], step_s: float, seconds: float, objective_ms: float) -> float | None:
    """Return how long after a step of the load the p95 went back under the objective for good, s; ``None``: never."""
    middles, p95 = p95_by_window(answers, seconds)
    above = middles[(middles >= step_s) & (p95 > objective_ms)]
    if not len(above):
        return 0.0
    last = float(above.max()) + WINDOW_S / 2.0
    return None if last > seconds - WINDOW_S else last - step_s
