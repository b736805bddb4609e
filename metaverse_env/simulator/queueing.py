"""Queueing theory as closed formulas: waits and sojourns of requests in a steady queue.

The request model of :mod:`~metaverse_env.simulator.service` stands on these. Times are in the unit of the service time,
``rho`` is the load per server, and ``scv`` a squared coefficient of variation (1 for Poisson arrivals or exponential
service, 0 for regular ones). Compiled, scalar, and held against discrete-event simulations in the tests.
"""

import math
from typing import Final

from metaverse_env.compiling import compiled

_RHO_FLOOR: Final = 1e-6  # keeps the logarithm of an idle queue finite
_LOG_2: Final = math.log(2.0)
_LOG_20: Final = math.log(20.0)
_LOG_100: Final = math.log(100.0)


@compiled
def erlang_wait_share(rho: float, servers: float) -> float:
    """Return the approximate share of requests that must wait: ``rho^(sqrt(2(c+1)) - 1)``, for c servers, whole or not.

    Exact for one server, where it is ``rho``; otherwise it stands for Erlang's C. [V] Sakasegawa, *An approximation
    formula*, Annals of the Institute of Statistical Mathematics 29, 1977.

    >>> erlang_wait_share(0.5, 1.0)
    0.5
    """
    return math.pow(rho, math.sqrt(2.0 * (servers + 1.0)) - 1.0)


@compiled
def sakasegawa_mean_wait_ms(
    service_ms: float, rho: float, servers: float, arrival_scv: float, service_scv: float
) -> float:
    """Return the mean wait in a G/G/c queue, ms, for ``rho`` below 1; exact for M/G/1.

    ``(S/c) (ca² + cs²)/2 rho^(sqrt(2(c+1)) - 1) / (1 - rho)`` [V] Sakasegawa 1977.

    >>> sakasegawa_mean_wait_ms(10.0, 0.5, 1.0, 1.0, 1.0)
    10.0
    """
    variability = 0.5 * (arrival_scv + service_scv)
    return service_ms / servers * variability * erlang_wait_share(rho, servers) / (1.0 - rho)


@compiled
def processor_sharing_mean_sojourn_ms(service_ms: float, rho: float) -> float:
    """Return the mean sojourn in an M/G/1 queue that serves all its requests at once, ms: ``S / (1 - rho)``.

    It does not depend on the distribution of the service time. [V] Kleinrock, *Queueing Systems II*, 1976.

    >>> processor_sharing_mean_sojourn_ms(10.0, 0.75)
    40.0
    """
    return service_ms / (1.0 - rho)


@compiled
def sojourn_quantiles_ms(
    service_ms: float, rho: float, servers: float, arrival_scv: float, service_scv: float
) -> tuple[float, float, float]:
    """Return p50, p95 and p99 of the sojourn (wait and service) in a G/G/c queue, ms, for ``rho`` below 1.

    The wait W has Sakasegawa's mean and an exponential tail, ``P(W > t) = C exp(-t C / mean)``, C the share that waits.
    A service time of coefficient of variation v is a constant ``(1 - v) S`` and an exponential of mean ``v S`` (v above
    1 counts as 1 here; its weight is in the wait). A quantile is the constant plus the larger of

    - the quantile of the wait alone: exact for that tail when v is 0;
    - the quantile of one exponential with the mean of all that varies: exact for M/M/1, whose sojourn is exponential.

    Both grow with the load and with the service time and shrink with servers, and so does the result. For M/M/c with 2
    to 16 servers and rho up to 0.95 p95 is 0 to 17 % too high, p99 up to 26 %, and p50 up to 14 % too low.
    """
    rho = max(rho, _RHO_FLOOR)
    share = erlang_wait_share(rho, servers)
    wait_ms = sakasegawa_mean_wait_ms(service_ms, rho, servers, arrival_scv, service_scv)
    constant_ms = service_ms * max(0.0, 1.0 - math.sqrt(service_scv))
    varying_ms, tail_ms, log_share = service_ms - constant_ms + wait_ms, wait_ms / share, math.log(share)
    return (
        constant_ms + max(_LOG_2 * varying_ms, (_LOG_2 + log_share) * tail_ms),
        constant_ms + max(_LOG_20 * varying_ms, (_LOG_20 + log_share) * tail_ms),
        constant_ms + max(_LOG_100 * varying_ms, (_LOG_100 + log_share) * tail_ms),
    )
