"""The HorizontalPodAutoscaler as a controller of zones.

Where a zone has whole pods it has one number of replicas, the largest that CPU, memory and egress propose, as an
autoscaler with three metrics does. Where its pods change their size, each resource is counted in shares of the least
allocation and scaled by an autoscaler of its own.

Telemetry is by zone, so all pods in effect share one utilisation. Pods that are asked for and not yet in effect are the
unready ones. It decides in every tick, whatever its length; the autoscaler does so every 15 s.
"""

from typing import Any, ClassVar

import numpy as np

from agents.baselines.hpa.replicas import proposed, proposed_again
from agents.baselines.parameters import controller, down_window_parameter, parameter
from agents.baselines.seeing import known, most_replicas, replica_size, replicas_of
from metaverse_env.autoscaling.behaviour import Behaviour, RatePolicy, Rules, limited_by_rates
from metaverse_env.autoscaling.stabilising import Change, Log, Recommended, stabilised
from metaverse_env.autoscaling.tolerance import Tolerance
from metaverse_env.contracts import View
from metaverse_env.telemetry import Command
from metaverse_env.units import CPU
from metaverse_env.zones import ZoneGraph

Array = np.ndarray


def zone_proposals(utilisation: Array, target: Array, ready: Array, current: Array, tolerance: Tolerance) -> Array:
    """Return the replicas that each resource's utilisation proposes.

    Args:
        utilisation: Usage over what the ready replicas have, cut to whole per cent as the autoscaler does.
        target: To aim at.
        ready: Replicas in effect.
        current: Replicas asked for; those that are not ready count as idle when utilisation says up.
        tolerance: What is let pass.

    >>> zone_proposals(np.array([0.9]), np.array([0.5]), np.array([4]), np.array([6]), Tolerance())
    array([8.])
    """
    ratio = np.floor(100.0 * utilisation + _CUT) / np.round(100.0 * target)
    again = np.floor(100.0 * utilisation * ready / np.maximum(current, 1.0) + _CUT) / np.round(100.0 * target)
    waiting = (current > ready) & (ratio > 1.0)
    damped = proposed_again(ratio, again, current, current, tolerance)
    wish: Array = np.where(waiting, damped, proposed(ratio, ready, current, tolerance))
    return wish


def largest_valid(proposals: Array, current: Array) -> Array:
    """Combine proposals ``[W, Z, 3]`` to ``[W, Z, 1]``; ``nan`` is an invalid one, and with it there is no way down.

    >>> largest_valid(np.array([[[3.0, np.nan, 2.0], [7.0, np.nan, 2.0]]]), np.array([[[5.0], [5.0]]]))
    array([[[nan],
            [ 7.]]])
    """
    largest = np.fmax.reduce(proposals, axis=-1, keepdims=True)
    invalid = np.isnan(proposals).any(axis=-1, keepdims=True)
    valid: Array = np.where(invalid & (largest < current), np.nan, largest)
    return valid


_CUT = 1e-4
"""50 % computed in float32 is 50, not 49."""


@controller("hpa")
class Hpa:
    """The autoscaler with CPU, memory and egress utilisation as its metrics.

    The rates are those of ``behavior``: up by the larger of ``up_pods`` and ``up_percent``, down by ``down_percent``.
    A zone that is not ready or whose metrics are missing has no valid metric, and stays as it is.
    """

    reads_forecast: ClassVar[bool] = False
    cpu_target: float = parameter(0.5, 0.01, 1.0, "Utilisation of CPU to aim at.", search=(0.3, 0.95))
    memory_target: float = parameter(0.8, 0.01, 1.0, "The same of memory.", search=(0.5, 1.0))
    bandwidth_target: float = parameter(0.5, 0.01, 1.0, "The same of egress.", search=(0.3, 0.98))
    tolerance_up: float = parameter(
        0.1, 0.0, 10.0, "Excess of utilisation over its target let pass [V].", search=(0.0, 0.3)
    )
    tolerance_down: float = parameter(0.1, 0.0, 1.0, "Lack of utilisation let pass [V].", search=(0.0, 0.3))
    up_window_s: float = parameter(
        0.0, 0.0, 3600.0, "Stabilisation window of scaling up [V].", unit="s", search=(0.0, 60.0)
    )
    down_window_s: float = down_window_parameter()
    up_pods: float = parameter(
        4.0,
        1.0,
        1e6,
        "Replicas that may be added in 15 s [V].",
        unit="replicas",
        search=(1, 1000),
        logarithmic=True,
        whole=True,
    )
    up_percent: float = parameter(
        100.0,
        1.0,
        1e6,
        "Per cent that may be added in 15 s [V].",
        unit="%",
        search=(20, 900),
        logarithmic=True,
        whole=True,
    )
    down_percent: float = parameter(
        100.0, 1.0, 100.0, "Per cent that may go in 15 s [V].", unit="%", search=(5, 100), whole=True
    )
    cpu_initialisation_s: float = parameter(
        300.0, 0.0, 3600.0, "How long a started pod's CPU is distrusted [V].", unit="s"
    )
    window_s: float = parameter(15.0, 0.0, 3600.0, "What a metric is measured over [E].", unit="s")
    max_age_s: float = parameter(60.0, 0.0, 3600.0, "Older metrics count as missing; four ticks [choice].", unit="s")

    def __post_init__(self) -> None:
        self._target = np.array([self.cpu_target, self.memory_target, self.bandwidth_target])
        self._tolerance = Tolerance(self.tolerance_down, self.tolerance_up)
        rates = RatePolicy("Pods", self.up_pods, 15.0), RatePolicy("Percent", self.up_percent, 15.0)
        down = Rules((RatePolicy("Percent", self.down_percent, 15.0),), window_s=self.down_window_s)
        self._behaviour = Behaviour(Rules(rates, window_s=self.up_window_s), down)
        self._forget()

    def _forget(self) -> None:
        self._now_s = 0.0
        self._log: Log = ()
        self._ups: list[Change] = []
        self._downs: list[Change] = []
        self._since_ready_s: Any = np.inf

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Forget all recommendations and changes."""
        self._forget()

    def act(self, view: View) -> Command:
        """Propose, stabilise, and keep to rates and limits."""
        self._now_s += view.tick_s
        current = replicas_of(view.pending.allocation, view)
        if not self._log:  # the autoscaler too starts with what it finds, so that it does not begin by shrinking
            self._log = (Recommended(current, self._now_s),)
        wish = self._proposals(view, current)
        steady, self._log = stabilised(
            self._log, current, wish, self._now_s, self._behaviour.up.window_s, self._behaviour.down.window_s
        )
        steady = np.where(np.isnan(wish), current, steady)
        changes = self._ups, self._downs
        least, most = np.minimum(current, 1.0), most_replicas(view)
        new = limited_by_rates(current, steady, least, most, self._behaviour, *changes, self._now_s).replicas
        self._remember(new - current)
        sized = np.clip(new * replica_size(view), *view.limits)
        return Command.of(np.where(new == current, view.pending.allocation, sized))

    def _proposals(self, view: View, current: Array) -> Array:
        """Return what the metrics ask for; ``nan`` where they say nothing."""
        telemetry = view.telemetry
        ready = replicas_of(telemetry.allocation, view)
        utilisation = telemetry.usage / np.maximum(telemetry.allocation, np.finfo(np.float32).tiny)
        wish = zone_proposals(utilisation, self._target, ready, current, self._tolerance)
        wish = np.where(self._valid(view), wish, np.nan)
        return wish if view.pod_size is None else largest_valid(wish, current)

    def _valid(self, view: View) -> Array:
        """Tell which metrics ``bool [W, Z, 3]`` there are; CPU not before a started zone has a whole window of it."""
        zones = view.telemetry.zones
        self._since_ready_s = np.where(zones["ready"] > 0, self._since_ready_s + view.tick_s, 0.0)
        valid = np.repeat(known(view, self.max_age_s)[:, :, None], 3, axis=2)
        young = self._since_ready_s < self.cpu_initialisation_s
        valid[:, :, CPU] &= ~(young & (self._since_ready_s < zones["age_s"] + self.window_s))
        return valid

    def _remember(self, change: Array) -> None:
        """Keep the changes that a rate policy still counts."""
        since_s = self._now_s - max(policy.period_s for policy in self._behaviour.up.policies)
        self._ups = [past for past in self._ups if past.time_s > since_s]
        self._downs = [past for past in self._downs if past.time_s > since_s]
        self._ups.append(Change(np.maximum(change, 0.0), self._now_s))
        self._downs.append(Change(np.maximum(-change, 0.0), self._now_s))
