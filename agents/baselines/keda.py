"""A scaler on an external metric, as KEDA drives the HorizontalPodAutoscaler: so many users per replica.

The metric is polled; between the polls the last value counts. A zone whose metric is at or below the activation
threshold is taken down to its idle replicas, after a cooldown. When more than ``failure_threshold`` polls in a row
fail, the metric is reported as ``target x fallback replicas``, so that the zone gets these. Everything in between is
the autoscaler's: tolerance, stabilisation and rates (:mod:`agents.baselines.hpa`).

A replica is a pod; where pods change their size, it is a share of all three resources that the parameters give.

Source: KEDA's ScaledObject specification and its fallback [V].
"""

from typing import ClassVar, NamedTuple

import numpy as np

from agents.baselines.hpa.replicas import proposed_per_replica
from agents.baselines.parameters import controller, down_window_parameter, parameter
from agents.baselines.seeing import known
from metaverse_env.autoscaling.behaviour import DEFAULT_UP, Behaviour, RatePolicy, Rules, limited_by_rates
from metaverse_env.autoscaling.stabilising import Log, Recommended, stabilised
from metaverse_env.autoscaling.tolerance import Tolerance
from metaverse_env.contracts import View
from metaverse_env.telemetry import Command
from metaverse_env.zones import ZoneGraph

Array = np.ndarray
ROUNDING = 1e-4


class Polled(NamedTuple):
    """What polling has found of each zone ``[W, Z]``: the metric, failures in a row, and when it was last active."""

    users: Array
    failures: Array
    active_s: Array


def polled(before: Polled, users: Array, seen: Array, activation: float, now_s: float) -> Polled:
    """Poll once.

    Args:
        before: What was found so far.
        users: The metric.
        seen: Where the poll succeeds.
        activation: A zone is active above this.
        now_s: The time.
    """
    latest = np.where(seen, users, before.users)
    failures = np.where(seen, 0.0, before.failures + 1.0)
    return Polled(latest, failures, np.where(seen & (users > activation), now_s, before.active_s))


@controller("keda")
class Keda:
    """Users per replica, with activation, cooldown and fallback."""

    reads_forecast: ClassVar[bool] = False
    users_per_replica: float = parameter(12.0, 0.1, 1e6, "Target [choice].", search=(0.5, 100.0), logarithmic=True)
    replica_cpu_cores: float = parameter(
        0.5,
        0.01,
        1e4,
        "A replica where there are no pods [choice].",
        unit="cores",
        search=(0.05, 1.0),
        logarithmic=True,
    )
    replica_memory_mb: float = parameter(
        512.0, 1.0, 1e7, "The same.", unit="MB", search=(16.0, 1024.0), logarithmic=True
    )
    replica_bandwidth_mbps: float = parameter(
        100.0, 0.1, 1e6, "The same.", unit="Mbps", search=(1.0, 200.0), logarithmic=True
    )
    least_replicas: float = parameter(
        2.0, 1.0, 1e6, "Of an active zone [choice].", unit="replicas", search=(1, 30), logarithmic=True, whole=True
    )
    idle_replicas: float = parameter(1.0, 0.0, 1e6, "Of one that is not [choice].", unit="replicas", whole=True)
    activation_users: float = parameter(0.0, 0.0, 1e6, "A zone is active above this [V].", unit="users")
    polling_s: float = parameter(30.0, 1.0, 3600.0, "Interval of the polls [V].", unit="s", search=(15.0, 60.0))
    cooldown_s: float = parameter(300.0, 0.0, 86_400.0, "From the last activity to idle [V].", unit="s")
    failure_threshold: float = parameter(3.0, 0.0, 1e6, "Failed polls that are let pass [V].", unit="polls", whole=True)
    fallback_replicas: float = parameter(
        6.0, 1.0, 1e6, "While polls fail [choice].", unit="replicas", search=(1, 100), logarithmic=True, whole=True
    )
    tolerance: float = parameter(0.1, 0.0, 1.0, "Deviation that is let pass [V].", search=(0.0, 0.3))
    down_window_s: float = down_window_parameter()
    max_age_s: float = parameter(60.0, 0.0, 3600.0, "Older metrics fail the poll; four ticks [choice].", unit="s")

    def __post_init__(self) -> None:
        down = Rules((RatePolicy("Percent", 100.0, 15.0),), window_s=self.down_window_s)
        self._behaviour = Behaviour(DEFAULT_UP, down)
        self._replica = np.array([self.replica_cpu_cores, self.replica_memory_mb, self.replica_bandwidth_mbps])
        self._forget((0, 0))

    def _forget(self, shape: tuple[int, int]) -> None:
        self._now_s = self._next_poll_s = 0.0
        self._log: Log = ()
        self._polled = Polled(np.full(shape, np.nan), np.zeros(shape), np.zeros(shape))

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Forget every poll and recommendation."""
        self._forget((worlds, len(zones)))

    def act(self, view: View) -> Command:
        """Poll when it is time, and scale."""
        self._now_s += view.tick_s
        size = self._replica if view.pod_size is None else view.pod_size
        current = self._current(view, size)
        if self._now_s >= self._next_poll_s:
            self._next_poll_s = self._now_s + self.polling_s
            seen = known(view, self.max_age_s)
            self._polled = polled(self._polled, view.telemetry.users, seen, self.activation_users, self._now_s)
        replicas = self._scaled(current, view.limits[1] / size)
        sized = np.clip(replicas[:, :, None] * size, *view.limits)
        unchanged = (replicas == current) | ~(view.telemetry.zones["ready"] > 0)
        return Command.of(np.where(unchanged[:, :, None], view.pending.allocation, sized))

    def _current(self, view: View, size: Array) -> Array:
        """Return the replicas ``[W, Z]`` asked for so far, which at first are a recommendation too."""
        found: Array = np.ceil(view.pending.allocation / size - ROUNDING).max(axis=-1)
        if not self._log:
            self._log = (Recommended(found, self._now_s),)
        return found

    def _scaled(self, current: Array, most: Array) -> Array:
        """Return the replicas to ask for now."""
        failing = self._polled.failures > self.failure_threshold
        metric = np.where(failing, self.users_per_replica * self.fallback_replicas, self._polled.users)
        wish = proposed_per_replica(metric, self.users_per_replica, current, Tolerance(self.tolerance, self.tolerance))
        steady, self._log = stabilised(
            self._log, current, wish, self._now_s, self._behaviour.up.window_s, self._behaviour.down.window_s
        )
        steady = np.where(np.isnan(wish), current, np.maximum(steady, self.least_replicas))
        idle = (self._now_s - self._polled.active_s > self.cooldown_s) & ~failing
        steady = np.where(idle, self.idle_replicas, steady)
        limited: Array = limited_by_rates(
            current, steady, 0.0, np.floor(most.min() + ROUNDING), self._behaviour
        ).replicas
        return limited
