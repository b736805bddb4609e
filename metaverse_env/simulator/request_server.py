"""Requests under a CPU quota, simulated one by one: where the quota model's latencies come from.

A pod takes requests as they come and gives each a thread. Threads share the cores equally, and all of them freeze when
the quota of the kernel's period is spent, until the next one begins ([V] CFS bandwidth control). So a request that
finds quota runs at full speed, and one that does not waits for whole periods: the median hardly shows a quota of less
than a core, and the 95th percentile is nothing but it. No fluid has both.

The table is simulated for a scenario when it is first needed, in about a second.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from metaverse_env.compiling import compiled, entry_point, stage
from metaverse_env.simulator.interpolating import bilinear, locate
from metaverse_env.units import MS_PER_S

Array = np.ndarray

RHO_GRID: Final = np.linspace(0.05, 0.98, 32)
"""Demand over quota."""
LOG_DEMAND_GRID: Final = np.linspace(-5.0, 4.0, 16)
"""Binary logarithm of a pod's demand, cores: from 1/32 to 16."""
QUANTILES: Final = (0.5, 0.95, 0.99)
REQUESTS: Final = 8_000
SEED: Final = 20
MOST_AT_ONCE: Final = 512
"""Requests in a pod; more are turned away, as any server does."""
_WARM_UP: Final = 500
_NOTHING_MS: Final = 1e-9
_MOST_LOAD: Final = 0.98  # of the threads: beyond it the steady state ends


@dataclass(frozen=True, eq=False)
class RequestSurface:
    """Response times of one kind of request server.

    Attributes:
        rho_grid: ``float64 [R]``, ascending and evenly spaced: demand over quota.
        log_demand_grid: ``float64 [D]``, likewise: binary logarithm of the demand, cores.
        latency_ms: ``float32 [R, D, 3]``: p50, p95, p99 of arrival to end of a request; never falls along R.
    """

    rho_grid: Array
    log_demand_grid: Array
    latency_ms: Array


def response_times_ms(
    arrivals_ms: Array, work_ms: Array, quota_ms: float, threads: float, period_ms: float = 100.0
) -> Array:
    """Return the response time ``[N]`` of every request, ms; NaN for one that was turned away.

    Args:
        arrivals_ms: ``[N]``, ascending.
        work_ms: ``[N]``, CPU time of each.
        quota_ms: CPU time that a period allows; positive.
        threads: Cores that can be used at once.
        period_ms: Length of a period.

    >>> response_times_ms(np.array([0.0, 0.0]), np.array([20.0, 20.0]), quota_ms=30.0, threads=2.0)
    array([105., 105.])
    """
    response_ms = np.full_like(work_ms, np.nan)
    left_ms = np.zeros(MOST_AT_ONCE)
    who = np.zeros(MOST_AT_ONCE, dtype=np.int64)
    _run(arrivals_ms, work_ms, quota_ms, threads, period_ms, response_ms, left_ms, who)
    return response_ms


@compiled
def _until_end_ms(left_ms: Any, running: int, pace: float, budget_ms: float) -> float:
    """Return how long it takes until the first of the running requests ends, or the quota does."""
    shortest_ms = left_ms[0]
    for n in range(1, running):
        shortest_ms = min(shortest_ms, left_ms[n])
    return min(shortest_ms, budget_ms / running) / pace


@compiled
def _work_off(left_ms: Any, who: Any, running: int, done_ms: float, clock_ms: float, arrivals_ms: Any, out: Any) -> int:
    """Let every running request advance; write down those that end, and return how many go on."""
    kept = 0
    for n in range(running):
        rest_ms = left_ms[n] - done_ms
        if rest_ms > _NOTHING_MS:
            left_ms[kept], who[kept] = rest_ms, who[n]
            kept += 1
        else:
            out[who[n]] = clock_ms - arrivals_ms[who[n]]
    return kept


@entry_point
def _run(
    arrivals_ms: Any,
    work_ms: Any,
    quota_ms: float,
    threads: float,
    period_ms: float,
    response_ms: Any,
    left_ms: Any,
    who: Any,
) -> None:
    """Let time go from event to event: an arrival, an end, a quota that is spent, a period that begins."""
    clock_ms, budget_ms, period_end_ms, running, following = 0.0, quota_ms, period_ms, 0, 0
    while following < len(arrivals_ms) or running > 0:
        until_ms = arrivals_ms[following] if following < len(arrivals_ms) else np.inf
        if running > 0:
            pace = min(1.0, threads / running) if budget_ms > 0.0 else 0.0
            until_ms = min(until_ms, period_end_ms)
            if pace > 0.0:
                until_ms = min(until_ms, clock_ms + _until_end_ms(left_ms, running, pace, budget_ms))
            done_ms = (until_ms - clock_ms) * pace
            budget_ms -= done_ms * running
            budget_ms = 0.0 if budget_ms < _NOTHING_MS else budget_ms
            running = _work_off(left_ms, who, running, done_ms, until_ms, arrivals_ms, response_ms)
        clock_ms = until_ms
        if clock_ms >= period_end_ms:
            period_end_ms += period_ms * (math.floor((clock_ms - period_end_ms) / period_ms) + 1.0)
            budget_ms = quota_ms
        if following < len(arrivals_ms) and clock_ms >= arrivals_ms[following]:
            if running < len(left_ms):
                left_ms[running], who[running] = work_ms[following], following
                running += 1
            following += 1


def point_latency_ms(
    demand_cores: float,
    quota_cores: float,
    service_ms: float,
    arrival_cv: float,
    service_cv: float,
    threads: float,
    period_ms: float = 100.0,
) -> Array:
    """Return p50, p95 and p99 of the response times ``[3]`` of one pod, simulated, ms.

    Args:
        demand_cores: Mean CPU asked for, cores.
        quota_cores: CPU allowed, cores; positive.
        service_ms: Mean CPU time of a request.
        arrival_cv: CV of the time between requests: gamma distributed, 1 is Poisson.
        service_cv: CV of the CPU time: lognormal.
        threads: Cores that the pod can use at once.
        period_ms: Period of the CPU quota.
    """
    gaps, works = _draws(arrival_cv, service_cv)
    arrivals_ms = np.cumsum(gaps) * service_ms / demand_cores
    found = response_times_ms(arrivals_ms, service_ms * works, quota_cores * period_ms, threads, period_ms)
    quantiles: Array = np.nanquantile(found[_WARM_UP:], QUANTILES)
    return quantiles


@lru_cache(maxsize=8)
def load_request_surface(
    service_ms: float, arrival_cv: float, service_cv: float, threads: float, period_ms: float
) -> RequestSurface:
    """Return the surface of a request server, simulated.

    Args:
        service_ms: Mean CPU time of a request.
        arrival_cv: CV of the time between requests: gamma distributed, 1 is Poisson.
        service_cv: CV of the CPU time: lognormal.
        threads: Cores that a pod can use at once.
        period_ms: Period of the CPU quota.
    """
    latency_ms = np.empty((len(RHO_GRID), len(LOG_DEMAND_GRID), 3))
    for column, log_demand in enumerate(LOG_DEMAND_GRID):
        demand = min(2.0**log_demand, _MOST_LOAD * threads)
        for row, rho in enumerate(RHO_GRID):
            kind = service_ms, arrival_cv, service_cv, threads, period_ms
            latency_ms[row, column] = point_latency_ms(demand, demand / rho, *kind)
    rising = np.maximum.accumulate(latency_ms, axis=0).astype(np.float32)
    return RequestSurface(RHO_GRID, LOG_DEMAND_GRID, rising)


@lru_cache(maxsize=8)
def _draws(arrival_cv: float, service_cv: float) -> tuple[Array, Array]:
    """Return gaps and works of mean 1; the same draws for every load and quota, so that only these make differences."""
    random = np.random.default_rng(SEED)
    shape = 1.0 / max(arrival_cv, 1e-3) ** 2
    gaps = random.gamma(shape, 1.0 / shape, REQUESTS)
    sigma = math.sqrt(math.log1p(service_cv**2))
    works = np.exp(sigma * random.standard_normal(REQUESTS) - 0.5 * sigma * sigma)
    return gaps / gaps.mean(), works / works.mean()


@stage
def quota_latency_ms(
    demand_cores: float, quota_cores: float, backlog_s: float, rho_axis: Any, log_demand_axis: Any, surface: Any
) -> tuple[float, float, float]:
    """Return p50, p95 and p99 of the time from a request's arrival to its end under a quota spent in bursts, ms.

    Bilinear in ``demand / quota`` and the binary logarithm of the demand, so that more quota never gives more latency.

    Args:
        demand_cores: Mean CPU asked of one pod, cores.
        quota_cores: CPU allowed to it, cores; positive.
        backlog_s: Delay of the work left over from before.
        rho_axis: The grid along ``demand / quota``.
        log_demand_axis: That along the logarithm.
        surface: ``[R, D, 3]``, ms.
    """
    row, down = locate(rho_axis, demand_cores / quota_cores)
    column, right = locate(log_demand_axis, math.log2(max(demand_cores, 1e-9)))
    delay_ms = MS_PER_S * backlog_s
    return (
        delay_ms + bilinear(surface, row, down, column, right, 0),
        delay_ms + bilinear(surface, row, down, column, right, 1),
        delay_ms + bilinear(surface, row, down, column, right, 2),
    )
