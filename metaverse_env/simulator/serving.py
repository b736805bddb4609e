"""One zone's tick of service: its demand meets its allocation (world model, section 4).

The formulas are in :mod:`.service`; this module feeds them a zone's state and keeps what outlasts a tick: backlog,
memory, kills and restarts.
"""

from typing import Any

from metaverse_env.compiling import compiled, stage
from metaverse_env.simulator import rows, service, streams
from metaverse_env.simulator.arithmetic import exp
from metaverse_env.simulator.counts import binomial
from metaverse_env.simulator.demand import (
    autoregress,
    demand_of_users,
    lognormal_factor,
    sticky,
)
from metaverse_env.simulator.request_server import quota_latency_ms
from metaverse_env.simulator.rng import bell, between, draw, uniform
from metaverse_env.units import (
    BANDWIDTH,
    CPU,
    MEMORY,
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
)


@stage
def advance_noise(zones: Any, first: int, some: int, factor: Any, rules: Any) -> None:
    """Move the noise of some zones' demand one tick on; write the factors that it makes, three for each zone."""
    key, noise, sigma = rows.keys(), rows.floats(), rows.floats()
    for n in range(some):
        zone = zones[first + n]
        for resource in range(3):
            key[3 * n + resource], noise[3 * n + resource] = zone.noise_key, zone.noise[resource]
            sigma[3 * n + resource] = rules.noise_sigma[resource]
    for n in range(3 * some):
        shock = bell(draw(key[n], streams.NOISE + n % 3))
        noise[n] = autoregress(noise[n], rules.noise_keep, rules.noise_gain, shock)
        factor[n] = lognormal_factor(noise[n], sigma[n])
    for n in range(some):
        for resource in range(3):
            zones[first + n].noise[resource] = noise[3 * n + resource]


@compiled
def first_noise(zone: Any, factor: Any, rules: Any) -> None:
    """Write the factors ``[3]`` that a zone's noise makes as it is."""
    for resource in range(3):
        factor[resource] = lognormal_factor(zone.noise[resource], rules.noise_sigma[resource])


@compiled
def wander(zone: Any, rules: Any) -> None:
    """Move the drift of a zone's demand per user one tick on."""
    step = rules.drift_sigma * (rules.tick_s / SECONDS_PER_HOUR) ** 0.5
    zone.drift += step * bell(draw(zone.noise_key, streams.DRIFT))


@stage
def demand_at_home(zone: Any, users: float, factor: Any, demand: Any, rules: Any) -> None:
    """Write the demand of a zone's own users, with noise factors ``[3]``: cores, MB (where memory tends to), Mbps."""
    drift = exp(zone.drift) if rules.drift_sigma > 0.0 else 1.0
    cpu, memory, bandwidth = zone.blend[0] * drift, float(zone.blend[1]), zone.blend[2] * drift
    cores, megabytes, mbps = demand_of_users(float(users), cpu, memory, bandwidth, rules)
    demand[CPU], demand[MEMORY], demand[BANDWIDTH] = cores * factor[0], megabytes * factor[1], mbps * factor[2]


@stage
def draw_demand(zones: Any, outcomes: Any, rules: Any) -> None:
    """Write what the users of all zones need in this tick."""
    factor = rows.floats()
    for first in range(0, len(zones), rows.ZONES):
        some = min(rows.ZONES, len(zones) - first)
        advance_noise(zones, first, some, factor, rules)
        for n in range(some):
            zone, outcome = zones[first + n], outcomes[first + n]
            if rules.drift_sigma > 0.0:
                wander(zone, rules)
            demand_at_home(zone, outcome.users, factor[3 * n : 3 * n + 3], outcome.demand, rules)


@stage
def threads_of(zone: Any, rules: Any) -> float:
    """Return how many cores a zone can use at once; each pod brings its own threads."""
    pods = max(1.0, zone.current[CPU] / rules.pod_size[CPU]) if rules.horizontal > 0.0 else 1.0
    return rules.server_threads * pods


@stage
def respond_ms(zone: Any, cores: float, quota_cores: float, constants: Any) -> tuple[float, float, float]:
    """Return p50, p95 and p99 of the time the CPU takes to answer, by the scenario's service model."""
    rules = constants.rules[0]
    threads = threads_of(zone, rules)
    backlog_s = service.backlog_delay_s(zone.backlog_core_s, quota_cores, threads)
    if rules.request_model > 0.0:
        return service.request_latency_ms(
            cores,
            quota_cores,
            threads,
            rules.request_service_ms,
            rules.request_arrival_cv**2,
            rules.request_service_cv**2,
            backlog_s,
        )
    axes = constants.rho_axis, constants.threads_axis
    if rules.quota_model > 0.0:
        pods = threads / rules.server_threads
        return quota_latency_ms(cores / pods, quota_cores / pods, backlog_s, axes[0], axes[1], constants.surface)
    return service.tick_latency_ms(cores, quota_cores, threads, backlog_s, axes[0], axes[1], constants.surface)


@stage
def serve(zone: Any, rtt_ms: float, outcome: Any, constants: Any) -> None:
    """Let a running zone serve ``outcome.served`` with ``outcome.allocation``; write latency, backlog, loss."""
    rules = constants.rules[0]
    cores, quota = outcome.served[CPU], outcome.allocation[CPU]
    threads = threads_of(zone, rules)
    zone.backlog_core_s = service.backlog_after(
        zone.backlog_core_s, cores, quota, threads, rules.tick_s, rules.backlog_limit_s
    )
    p50, p95, p99 = respond_ms(zone, cores, quota, constants)
    mbps, capacity = outcome.served[BANDWIDTH], outcome.allocation[BANDWIDTH]
    sending = service.bandwidth_delay_ms(mbps, capacity, rules.frame_ms, rules.buffer_ms, rules.retransmit_ms)
    waiting_frame_ms = 0.0 if rules.request_model + rules.quota_model > 0.0 else rules.frame_ms
    cap_ms = rules.down_latency_ms
    outcome.latency_p50_ms = service.user_latency_ms(rtt_ms, sending, waiting_frame_ms, p50, cap_ms)
    outcome.latency_ms = service.user_latency_ms(rtt_ms, sending, waiting_frame_ms, p95, cap_ms)
    outcome.latency_p99_ms = service.user_latency_ms(rtt_ms, sending, waiting_frame_ms, p99, cap_ms)
    outcome.backlog_s = service.backlog_delay_s(zone.backlog_core_s, quota, threads)
    outcome.time_dilation = service.time_dilation(cores, quota, threads)
    outcome.bandwidth_loss = service.bandwidth_loss(mbps, capacity)


@compiled
def lie_down(zone: Any, outcome: Any, rules: Any) -> None:
    """Write the outcome of a zone that serves nobody in this tick."""
    outcome.latency_p50_ms = rules.down_latency_ms
    outcome.latency_ms = rules.down_latency_ms
    outcome.latency_p99_ms = rules.down_latency_ms
    outcome.time_dilation, outcome.down = 0.0, 1.0
    zone.backlog_core_s = 0.0
    zone.healthy_s = 0.0


@stage
def grow_memory(zone: Any, goal_mb: float, rules: Any) -> None:
    """Let memory follow its demand, up fast and down slowly."""
    zone.memory_mb = sticky(zone.memory_mb, goal_mb, rules.memory_up_gain, rules.memory_down_gain)


@compiled
def kill(zone: Any, key: int, outcome: Any, rules: Any) -> None:
    """Kill a zone that outgrew its memory: a share of its users leave for good, and it restarts after a back-off."""
    zone.kills += 1
    zone.kills_total += 1
    low, high = rules.restart_s
    first, last = rules.backoff_s
    zone.down_s = service.restart_delay_s(zone.kills, uniform(draw(key, streams.RESTART)), low, high, first, last)
    drop_users(zone, key, rules.oom_leave_share, outcome)
    zone.memory_mb = rules.memory_base_mb
    outcome.out_of_memory = 1.0


@compiled
def drop_users(zone: Any, key: int, share: float, outcome: Any) -> None:
    """Let a share of a killed zone's users leave for good."""
    for phase in range(2):
        gone = binomial(draw(key, streams.KILLED + 100 * (phase + 1)), zone.users[phase], share)
        zone.users[phase] -= gone
        outcome.dropped += gone


@stage
def advance_health(zone: Any, key: int, rules: Any) -> None:
    """Count down restarts and outages, let an outage begin, forgive old kills."""
    zone.down_s = max(0.0, zone.down_s - rules.tick_s)
    zone.outage_s = max(0.0, zone.outage_s - rules.tick_s)
    zone.healthy_s += rules.tick_s
    if zone.healthy_s > rules.backoff_reset_s:
        zone.kills = 0
    chance = rules.outage_per_day * rules.tick_s / SECONDS_PER_DAY
    if zone.outage_s <= 0.0 and chance > 0.0 and uniform(draw(key, streams.OUTAGE)) < chance:
        low, high = rules.outage_s
        zone.outage_s = between(draw(key, streams.OUTAGE_TIME), low, high)


@stage
def is_running(zone: Any, key: int, outcome: Any, rules: Any) -> bool:
    """Tell whether a zone serves in this tick; write the outcome of one that is down or outgrew its memory just now."""
    running = zone.down_s <= 0.0 and zone.outage_s <= 0.0
    if running and service.out_of_memory(zone.memory_mb, zone.current[MEMORY]):
        kill(zone, key, outcome, rules)
        running = False
    if not running:
        lie_down(zone, outcome, rules)
    return running
