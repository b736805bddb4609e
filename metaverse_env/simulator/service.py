"""What an allocation gives: latency, backlog, loss and restarts as pure scalar formulas (world model, section 4).

Every function is compiled and takes and returns plain numbers, so that the simulator's kernel can call it in its inner
loop and a reader can check it by hand. Policy: allocations are positive; one that is larger never gives more latency.
Three service models stand side by side. The *tick* model is a world server that must finish its frame: it reads the
table of :mod:`~metaverse_env.simulator.tick_surface`. The *request* model is a queue of independent requests with a
fluid quota. The *quota* model reads the table of :mod:`~metaverse_env.simulator.request_server`, whose quota is spent
in bursts, as a kernel's is. All are steady states below saturation; beyond it a backlog carries what they cannot.
"""

import math
from typing import Any, Final

from metaverse_env.compiling import compiled, stage
from metaverse_env.simulator.interpolating import bilinear, locate
from metaverse_env.simulator.queueing import sojourn_quantiles_ms
from metaverse_env.units import MS_PER_S

RHO_CAP: Final = 0.98
"""Utilisation at which the steady state of the request model ends and the backlog takes over. [E]"""


@compiled
def utilisation(demand: float, allocation: float) -> float:
    """Return demand over allocation, both in the unit of the resource.

    >>> utilisation(3.0, 4.0)
    0.75
    """
    return demand / allocation


@compiled
def capacity_cores(quota_cores: float, threads: float) -> float:
    """Return what a pod can use in the long run: its quota, unless it has fewer threads."""
    return min(quota_cores, threads)


@compiled
def request_latency_ms(
    demand_cores: float,
    quota_cores: float,
    threads: float,
    service_ms: float,
    arrival_scv: float,
    service_scv: float,
    backlog_s: float,
) -> tuple[float, float, float]:
    """Return p50, p95 and p99 of the time from a request's arrival to its end, ms.

    The quota is a fluid: below one core it stretches a request to ``service_ms / quota``; above, it is that many
    servers of the queue in :func:`~metaverse_env.simulator.queueing.sojourn_quantiles_ms`. Above ``RHO_CAP`` the steady
    state is that at the cap, and ``backlog_s`` carries the overload.

    Against one real pod [M] (15 requests/s of 12 ms each, constant): p95 164 ms where 306 ms were measured with 300m,
    and 21 where 27 with 1000m. p50 is 61 where 18 was measured with 300m: the real quota is spent in bursts, so most
    requests run at full speed and a few wait for whole periods, which no fluid shows.

    Args:
        demand_cores: Mean CPU asked for, cores.
        quota_cores: CPU allowed, cores; positive.
        threads: Cores that can be used at once.
        service_ms: Mean CPU time of one request.
        arrival_scv: Squared coefficient of variation of the time between requests; 1 is Poisson.
        service_scv: Squared coefficient of variation of the CPU time.
        backlog_s: Delay of the work left over from before.
    """
    capacity = capacity_cores(quota_cores, threads)
    rho = min(utilisation(demand_cores, capacity), RHO_CAP)
    servers, stretched_ms = max(1.0, capacity), service_ms / min(1.0, capacity)
    p50, p95, p99 = sojourn_quantiles_ms(stretched_ms, rho, servers, arrival_scv, service_scv)
    delay_ms = MS_PER_S * backlog_s
    return delay_ms + p50, delay_ms + p95, delay_ms + p99


@stage
def tick_latency_ms(
    demand_cores: float,
    quota_cores: float,
    threads: float,
    backlog_s: float,
    rho_axis: Any,
    threads_utilisation_axis: Any,
    surface: Any,
) -> tuple[float, float, float]:
    """Return p50, p95 and p99 of the time from a frame's scheduled start to its end, ms.

    Bilinear in ``rho = demand / quota`` and ``u = demand / threads``. For a given demand u does not change with the
    quota, so that the surface never falls along rho *is* that more quota never gives more latency. Where the quota
    exceeds the threads (rho < u) the surface does not change with rho: nothing is throttled. Beyond its ends the
    surface is clipped and ``backlog_s`` carries the overload.

    Args:
        demand_cores: Mean CPU asked for, cores.
        quota_cores: CPU allowed, cores; positive.
        threads: Cores that can be used at once.
        backlog_s: Delay of the work left over from before.
        rho_axis: The grid along rho, see :func:`~metaverse_env.simulator.tick_surface.axis_of`.
        threads_utilisation_axis: That along u.
        surface: ``[R, U, 3]``, ms.
    """
    row, down = locate(rho_axis, utilisation(demand_cores, quota_cores))
    column, right = locate(threads_utilisation_axis, utilisation(demand_cores, threads))
    delay_ms = MS_PER_S * backlog_s
    return (
        delay_ms + bilinear(surface, row, down, column, right, 0),
        delay_ms + bilinear(surface, row, down, column, right, 1),
        delay_ms + bilinear(surface, row, down, column, right, 2),
    )


@compiled
def backlog_after(
    backlog_core_s: float, demand_cores: float, quota_cores: float, threads: float, dt_s: float, limit_s: float
) -> float:
    """Return the unfinished work after ``dt_s``, core-seconds.

    It grows by demand less capacity, is never negative, and what would take longer than ``limit_s`` is dropped.

    >>> backlog_after(1.0, 3.0, 2.0, 4.0, 2.0, 5.0)
    3.0
    """
    capacity = capacity_cores(quota_cores, threads)
    return min(max(backlog_core_s + (demand_cores - capacity) * dt_s, 0.0), limit_s * capacity)


@compiled
def backlog_delay_s(backlog_core_s: float, quota_cores: float, threads: float) -> float:
    """Return how long the unfinished work holds up what comes next, s.

    >>> backlog_delay_s(3.0, 2.0, 4.0)
    1.5
    """
    return backlog_core_s / capacity_cores(quota_cores, threads)


@compiled
def time_dilation(demand_cores: float, quota_cores: float, threads: float) -> float:
    """Return the speed of the world's clock, 1 unless demand exceeds capacity: then frames stretch to what is done.

    >>> time_dilation(4.0, 3.0, 8.0)
    0.75
    """
    return min(1.0, capacity_cores(quota_cores, threads) / demand_cores)


@compiled
def bandwidth_loss(demand_mbps: float, allocation_mbps: float) -> float:
    """Return the share of traffic that is lost: what exceeds the allocation.

    >>> bandwidth_loss(100.0, 75.0)
    0.25
    """
    return max(0.0, 1.0 - allocation_mbps / demand_mbps)


_FRAME_BYTES_SCV: Final = 0.25**2
"""Squared coefficient of variation of the bytes in a frame; CV 0.15-0.25 [M]."""
_P95_OF_EXPONENTIAL: Final = math.log(20.0)
"""The 95th percentile of an exponential distribution, in means."""


@compiled
def bandwidth_delay_ms(
    demand_mbps: float, allocation_mbps: float, frame_ms: float, buffer_ms: float, retransmit_ms: float
) -> float:
    """Return the delay of egress, ms.

    Below capacity a frame's updates leave as one burst of ``rho frame_ms``, one burst each frame. It waits for the ones
    before it like a customer of a D/G/1 queue: p95 of an exponential tail whose mean is Kingman's
    ``rho / (1 - rho) scv / 2 burst`` [V], the CV of a frame's bytes 0.25 [M], but no longer than the buffer is deep.
    Above capacity the buffer is full and what is lost is sent again. Continuous at capacity for ``frame_ms`` above 0.

    >>> round(bandwidth_delay_ms(50.0, 100.0, 40.0, 100.0, 300.0), 3)
    21.872
    """
    rho = utilisation(demand_mbps, allocation_mbps)
    if rho >= 1.0:
        return frame_ms + buffer_ms + retransmit_ms * bandwidth_loss(demand_mbps, allocation_mbps)
    burst_ms = rho * frame_ms
    return burst_ms + min(buffer_ms, _P95_OF_EXPONENTIAL * rho / (1.0 - rho) * 0.5 * _FRAME_BYTES_SCV * burst_ms)


@compiled
def user_latency_ms(rtt_ms: float, bandwidth_ms: float, frame_ms: float, response_ms: float, cap_ms: float) -> float:
    """Return what a user waits, ms: round trip, egress, half a frame until the next one starts, response; capped.

    >>> user_latency_ms(20.0, 5.0, 50.0, 30.0, 2000.0)
    80.0
    """
    return min(cap_ms, rtt_ms + bandwidth_ms + 0.5 * frame_ms + response_ms)


@compiled
def out_of_memory(memory_mb: float, limit_mb: float) -> bool:
    """Tell whether the kernel kills the pod: its memory exceeds the limit."""
    return memory_mb > limit_mb


@compiled
def restart_delay_s(
    kills: float, u: float, restart_low_s: float, restart_high_s: float, backoff_first_s: float, backoff_last_s: float
) -> float:
    """Return how long a killed pod is away, s: its restart, plus the crash back-off from the second kill on.

    The back-off doubles from ``backoff_first_s`` to ``backoff_last_s``. [V] Kubernetes' CrashLoopBackOff.

    Args:
        kills: Kills since the pod was last healthy for long, this one included.
        u: Uniform variate that places the restart between its limits.
        restart_low_s: Shortest restart.
        restart_high_s: Longest restart.
        backoff_first_s: Back-off after the second kill.
        backoff_last_s: Longest back-off.

    >>> restart_delay_s(3.0, 0.5, 3.0, 10.0, 10.0, 300.0)
    26.5
    """
    restart_s = restart_low_s + (restart_high_s - restart_low_s) * u
    if kills < 2.0:
        return restart_s
    return restart_s + min(backoff_last_s, backoff_first_s * math.pow(2.0, kills - 2.0))
