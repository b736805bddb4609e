"""Constants of what serves the users: demand, service, actuation, monitoring, cost, disturbances."""

from typing import Literal

from pydantic import model_validator

from metaverse_env.scenario.fields import Spec, choice, interval, quantity
from metaverse_env.scenario.workload import Interval


class DemandSpec(Spec):
    """What n users need (world model, section 3): ``c0 + a n + b n min(n - 1, k)`` and its noise."""

    cpu_base_cores: float = quantity(0.1, "cores", "E", "An empty zone's CPU; 0.05-0.3.", ge=0, le=64)
    cpu_per_user_mcores: float = quantity(4.0, "mcores/user", "E", "Linear part; 2-10.", ge=0, le=1e4)
    cpu_per_pair_mcores: float = quantity(0.08, "mcores/pair", "E", "Pairwise part; 0.02-0.2.", ge=0, le=1e3)
    bandwidth_per_user_mbps: float = quantity(
        0.057, "Mbps/user", "M", "Linear part of egress, Mozilla Hubs.", ge=0, le=1e3
    )
    bandwidth_per_pair_mbps: float = quantity(
        0.052, "Mbps/pair", "M", "Pairwise part of egress, Mozilla Hubs.", ge=0, le=1e3
    )
    area_of_interest_users: float = quantity(
        25.0, "users", "E", "Others of whom a user receives updates; 20-60.", ge=1, le=1e4
    )
    memory_base_mb: float = quantity(400.0, "MB", "E", "An empty zone's memory; 200-1000.", gt=0, le=1e6)
    memory_per_user_mb: float = quantity(6.0, "MB/user", "E", "2-20.", ge=0, le=1e5)
    memory_up_s: float = quantity(30.0, "s", "E", "Time constant of growing memory; 10-60.", gt=0)
    memory_down_s: float = quantity(900.0, "s", "E", "Time constant of shrinking memory; 300-1800.", gt=0)
    noise_cv: tuple[float, float, float] = interval(
        (0.20, 0.03, 0.15), "1", "M", "CV of the lognormal noise; pods 0.16-0.9."
    )
    noise_autocorrelation_1min: float = quantity(0.5, "1", "M", "Of the noise; pods 0.1-0.8.", ge=0, lt=1)
    noisy_neighbour_per_h: float = quantity(0.5, "1/h", "E", "Episodes per node in which CPU is stolen.", ge=0, le=60)
    noisy_neighbour_steal: Interval = interval((0.10, 0.20), "1", "E", "Share of CPU that such an episode takes.")
    noisy_neighbour_s: Interval = interval((60.0, 300.0), "s", "E", "Its length.")


class ServiceSpec(Spec):
    """What an allocation gives (world model, section 4)."""

    model: Literal["tick", "request", "quota"] = choice(
        "tick", "A world server with frames, a queue of requests, or requests under a quota that is spent in bursts."
    )
    latency_objective_ms: float = quantity(100.0, "ms", "V", "The p95 that users must not exceed.", gt=0)
    down_latency_ms: float = quantity(
        2000.0, "ms", "choice", "Latency reported for a zone that is down or hopeless.", gt=0
    )
    base_rtt_ms: Interval = interval(
        (10.0, 30.0), "ms", "E", "Network round trip to a zone, drawn per zone; edge 10-30."
    )
    handover_rtt_ms: Interval = interval((5.0, 15.0), "ms", "E", "Extra round trip between neighbours, drawn per edge.")
    server_tick_hz: float = quantity(30.0, "1/s", "V", "Frames of the world server; 20-60.", ge=20, le=60)
    server_threads: float = quantity(32.0, "threads", "E", "Cores that one pod can use at once.", ge=1, le=128)
    server_cv: float = quantity(0.3, "1", "E", "CV of the work in a frame.", ge=0.1, le=0.8)
    cfs_period_ms: float = quantity(100.0, "ms", "V", "Period of the CPU quota; threads freeze when it is spent.", gt=0)
    backlog_limit_s: float = quantity(
        5.0, "s", "E", "Unfinished work beyond this is dropped (frames are skipped).", gt=0
    )
    request_service_ms: float = quantity(12.0, "ms", "M", "CPU time of one request of the request model.", gt=0)
    request_arrival_cv: float = quantity(1.0, "1", "E", "CV of the time between requests (1 is Poisson).", ge=0, le=10)
    request_service_cv: float = quantity(0.5, "1", "E", "CV of the CPU time of a request.", ge=0, le=10)
    buffer_ms: float = quantity(100.0, "ms", "E", "Egress buffer that fills above capacity; 50-200.", gt=0, le=1000)
    retransmit_ms: float = quantity(300.0, "ms", "E", "Delay added per unit of loss.", ge=0)
    restart_s: Interval = interval((3.0, 10.0), "s", "V", "Restart of a killed pod.")
    backoff_s: Interval = interval((10.0, 300.0), "s", "V", "Crash back-off: first, doubling up to the last.")
    backoff_reset_s: float = quantity(600.0, "s", "V", "Healthy time after which the back-off starts anew.", gt=0)
    oom_leave_share: float = quantity(0.5, "1", "E", "Share of a killed zone's users that leave for good.", ge=0, le=1)


class ActuationSpec(Spec):
    """How and within what limits a command takes effect (world model, section 5)."""

    mode: Literal["resize", "rollout"] = choice("resize", "In-place resize, or rollout of a changed template.")
    resize_median_s: float = quantity(2.0, "s", "E", "Median delay of an in-place resize; lognormal.", gt=0)
    resize_sigma: float = quantity(0.5, "1", "E", "Its sigma.", ge=0, le=3)
    rollout_floor_s: float = quantity(3.0, "s", "M", "Least delay of a rollout.", ge=0)
    rollout_median_s: float = quantity(8.0, "s", "M", "Median of what comes on top; lognormal.", gt=0)
    rollout_sigma: float = quantity(0.7, "1", "M", "Its sigma.", ge=0, le=3)
    rollout_limits_s: Interval = interval((5.0, 90.0), "s", "M", "A rollout's delay is clipped to this.")
    allocation_min: tuple[float, float, float] = interval(
        (0.1, 256.0, 2.0), "cores, MB, Mbps", "choice", "Least per zone."
    )
    allocation_max: tuple[float, float, float] = interval(
        (32.0, 65536.0, 10000.0), "cores, MB, Mbps", "choice", "Most per zone."
    )
    pod_size: tuple[float, float, float] = interval(
        (0.5, 1024.0, 100.0), "cores, MB, Mbps", "choice", "One replica (horizontal)."
    )
    initial_utilisation: Interval = interval(
        (0.35, 0.75), "1", "choice", "Demand over allocation at reset, drawn per zone."
    )
    factors: tuple[float, ...] = interval(
        (0.7, 0.9, 1.0, 1.2, 1.6), "1", "choice", "Discrete actions multiply a resource by these."
    )
    handover_shares: tuple[float, ...] = interval(
        (0.0, 0.1, 0.25, 0.5), "1", "choice", "Shares of new sessions that can be handed over."
    )

    @model_validator(mode="after")
    def _possible(self) -> "ActuationSpec":
        for least, most, pod in zip(self.allocation_min, self.allocation_max, self.pod_size, strict=True):
            if not 0 < least <= pod <= most:
                raise ValueError(f"needs 0 < allocation_min <= pod_size <= allocation_max, got {least}, {pod}, {most}")
        if 1.0 not in self.factors or min(self.factors) <= 0:
            raise ValueError(f"factors must be positive and contain 1.0 (hold), got {self.factors}")
        if self.handover_shares[:1] != (0.0,) or not all(0 <= share <= 1 for share in self.handover_shares):
            raise ValueError(f"handover_shares must start with 0.0 and lie in [0, 1], got {self.handover_shares}")
        return self


class MonitoringSpec(Spec):
    """How old and how complete the telemetry is (world model, section 5)."""

    metric_age_s: Interval = interval((15.0, 30.0), "s", "V", "Age of a metric when it is read.")
    missing_per_h: float = quantity(0.0, "1/h", "E", "Episodes per zone in which metrics are missing.", ge=0, le=240)
    missing_s: Interval = interval((30.0, 180.0), "s", "E", "Length of such an episode.")


class CostSpec(Spec):
    """Prices and the weights of the reward (world model, section 6)."""

    cpu_eur_per_core_h: float = quantity(0.04, "EUR/core-h", "E", "Price of allocated CPU.", ge=0)
    memory_eur_per_gb_h: float = quantity(0.005, "EUR/GB-h", "E", "Price of allocated memory.", ge=0)
    bandwidth_eur_per_mbps_h: float = quantity(0.0004, "EUR/Mbps-h", "E", "Price of allocated egress.", ge=0)
    change_eur: float = quantity(
        0.0001, "EUR", "E", "Charge for changing one zone's allocation (a rollout costs ten).", ge=0
    )
    violated_eur_per_user_h: float = quantity(0.5, "EUR/user-h", "E", "Charge for users above the objective.", ge=0)
    fairness_weight: float = quantity(0.1, "1", "E", "Weight of the spread over zones of the violated share.", ge=0)
    peak_factor: float = quantity(
        2.0, "1", "E", "Static provisioning for the peak: users over the weekly mean peak.", ge=1
    )


class DisturbanceSpec(Spec):
    """What goes wrong in the complex scenario; all rates are 0 unless a scenario sets them."""

    flash_crowd_per_day: float = quantity(0.0, "1/day", "E", "Flash crowds per zone.", ge=0, le=1000)
    flash_crowd_peak: Interval = interval(
        (4.0, 10.0), "1", "M", "Arrivals at their peak over normal; measured up to 10."
    )
    flash_crowd_doubling_s: Interval = interval((120.0, 180.0), "s", "E", "Faster than measured crowds, on purpose.")
    node_loss_per_day: float = quantity(
        0.0, "1/day", "E", "Losses per node; its zones restart elsewhere, squeezed.", ge=0
    )
    node_loss_capacity: float = quantity(
        0.5, "1", "E", "Share of the lost capacity that other nodes lend meanwhile.", gt=0, le=1
    )
    node_replacement_s: Interval = interval((60.0, 180.0), "s", "E", "Until a replacement node serves.")
    outage_per_day: float = quantity(0.0, "1/day", "E", "Outages per zone.", ge=0, le=1000)
    outage_s: Interval = interval((30.0, 180.0), "s", "E", "Length of an outage.")
    degradation_per_day: float = quantity(0.0, "1/day", "E", "Network degradations per node.", ge=0, le=1000)
    degradation_rtt_ms: Interval = interval((10.0, 30.0), "ms", "E", "Round trip that a degradation adds.")
    degradation_s: Interval = interval((300.0, 900.0), "s", "E", "Length of a degradation.")
    price_sigma: float = quantity(0.0, "1", "E", "Std of hourly log-price steps (spot market).", ge=0, le=2)
    drift_sigma: float = quantity(0.0, "1", "E", "Std per hour of the random walk of log demand per user.", ge=0, le=2)
