"""The threshold rule of Kubernetes' HorizontalPodAutoscaler, for each resource of each zone.

``desired = allocation x utilisation / target``, nothing within the tolerance, up at once, down only to the highest that
was recommended within the stabilisation window. Where the autoscaler counts pods this rule sizes allocations; a world
with ``scaling="horizontal"`` rounds them up to whole pods, by the resource that needs most, as the autoscaler does.

Source: "Algorithm details" and "Stabilization window" in Kubernetes' documentation of horizontal pod autoscaling [V].
"""

from collections import deque
from typing import ClassVar

import numpy as np

from agents.baselines.parameters import controller, parameter
from agents.baselines.seeing import known
from metaverse_env.contracts import View
from metaverse_env.telemetry import Command
from metaverse_env.units import MEMORY
from metaverse_env.zones import ZoneGraph

Array = np.ndarray


def recommend(utilisation: Array, in_effect: Array, pending: Array, target: Array, tolerance: float) -> Array:
    """Return the allocation that would bring utilisation to its target; what is pending within the tolerance of it.

    Args:
        utilisation: Usage over the allocation in effect, any shape.
        in_effect: That allocation.
        pending: The allocation asked for last.
        target: Utilisation to aim at.
        tolerance: Relative deviation of utilisation from its target that is let pass.

    >>> two = np.array([0.9, 0.52])  # utilisation of 2 cores each, 0.5 wanted: grow to 3.6; within 10 %, leave alone
    >>> recommend(two, np.full(2, 2.0), np.full(2, 2.0), np.full(2, 0.5), 0.1)
    array([3.6, 2. ])
    """
    ratio = utilisation / target
    return np.where(np.abs(ratio - 1.0) <= tolerance, pending, in_effect * ratio)


@controller("threshold")
class Threshold:
    """The rule of the module, with hold where nothing is known.

    A zone is held as it is while its metrics are missing or older than ``max_age_s``, and while it is not ready: what
    is pending stays pending, and nothing is recommended for it. Memory, which cannot be throttled, is never asked for
    below ``memory_margin`` times its usage.
    """

    reads_forecast: ClassVar[bool] = False
    cpu_target: float = parameter(
        0.5,
        0.01,
        1.0,
        "Utilisation of CPU to aim at; of 0.5, 0.6 and 0.7 the best in multi_zone, 8 seeds [M].",
        search=(0.3, 0.95),
    )
    memory_target: float = parameter(
        0.8, 0.01, 1.0, "The same of memory; 0.7 and 0.8 differ by less than the seeds do [M].", search=(0.5, 1.0)
    )
    bandwidth_target: float = parameter(
        0.5, 0.01, 1.0, "The same of egress; of 0.3 to 0.6 the best together with 0.4 [M].", search=(0.3, 0.98)
    )
    tolerance: float = parameter(0.1, 0.0, 1.0, "Relative deviation that is let pass [V].", search=(0.0, 0.3))
    stabilisation_s: float = parameter(
        300.0,
        0.0,
        86_400.0,
        "How long a recommendation keeps the allocation from shrinking below it [V].",
        unit="s",
        search=(0.0, 600.0),
    )
    memory_margin: float = parameter(1.1, 1.0, 10.0, "Least memory over its usage [choice].", search=(1.0, 1.5))
    max_age_s: float = parameter(60.0, 0.0, 3600.0, "Older metrics count as missing; four ticks [choice].", unit="s")

    def __post_init__(self) -> None:
        self._target = np.array([self.cpu_target, self.memory_target, self.bandwidth_target], dtype=np.float32)
        self._window: deque[Array] = deque()

    def reset(self, zones: ZoneGraph, worlds: int) -> None:
        """Forget all recommendations."""
        self._window.clear()

    def act(self, view: View) -> Command:
        """Recommend, stabilise, and keep to the floor of memory and the limits."""
        pending = view.pending.allocation
        if not self._window:  # as the autoscaler does, so that the first thing it does is not to shrink
            self._window = deque([pending], maxlen=1 + int(self.stabilisation_s / view.tick_s))
        seen = known(view, self.max_age_s)[:, :, None]
        telemetry = view.telemetry
        utilisation = telemetry.usage / telemetry.allocation
        wish = recommend(utilisation, telemetry.allocation, pending, self._target, self.tolerance)
        wish[:, :, MEMORY] = np.maximum(wish[:, :, MEMORY], self.memory_margin * telemetry.usage[:, :, MEMORY])
        allocation = np.where(seen, self._stabilised(np.clip(wish, *view.limits), seen, pending), pending)
        return Command.of(allocation)

    def _stabilised(self, wish: Array, seen: Array, pending: Array) -> Array:
        """Return what is pending, raised to the wish, or lowered to the highest wish of the window."""
        self._window.append(np.where(seen, wish, 0.0))
        stabilised: Array = np.clip(pending, wish, np.max(self._window, axis=0))
        return stabilised
