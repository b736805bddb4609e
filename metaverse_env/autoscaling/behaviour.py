"""How fast and how far an autoscaler may go: ``behavior`` with its rate policies, and the limits without one.

Source: ``convertDesiredReplicasWithRules``, ``convertDesiredReplicasWithBehaviorRate`` and the limits they use, in
Kubernetes' ``horizontal.go``; defaults of the API [V]. Replicas are numbers or arrays.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from metaverse_env.autoscaling.stabilising import Change, changed_within
from metaverse_env.autoscaling.tolerance import MOST_REPLICAS
from metaverse_env.errors import ConfigurationError, UnknownNameError

PolicyType = Literal["Pods", "Percent"]
Select = Literal["Max", "Min", "Disabled"]
LONGEST_PERIOD_S: Final = 1800.0
LONGEST_WINDOW_S: Final = 3600.0
UP_FACTOR: Final = 2.0
"""Without ``behavior`` replicas may double in a sync [V]."""
UP_LEAST: Final = 4.0
"""… or reach four [V]."""


@dataclass(frozen=True, slots=True)
class RatePolicy:
    """At most so many pods, or so many per cent of the pods at the period's start, in one period.

    Attributes:
        type: ``"Pods"`` or ``"Percent"``.
        value: How many; more than 0.
        period_s: In which time; at most 1800 s.

    Raises:
        ConfigurationError: A value or period that Kubernetes' API refuses, or another type.
    """

    type: PolicyType
    value: float
    period_s: float

    def __post_init__(self) -> None:
        if self.type not in ("Pods", "Percent"):
            raise UnknownNameError("type of a rate policy", self.type, ("Pods", "Percent"))
        if not self.value > 0:
            raise ConfigurationError(f"a rate policy's value = {self.value!r} {self.type}; must be above 0")
        if not 0 < self.period_s <= LONGEST_PERIOD_S:
            raise ConfigurationError(f"a rate policy's period_s = {self.period_s!r} s; must be in (0, 1800]")

    def up(self, start: Any) -> Any:
        """Return the most replicas, from those at the period's start; a percentage is rounded up."""
        return start + self.value if self.type == "Pods" else np.ceil(start * (1.0 + self.value / 100.0))

    def down(self, start: Any) -> Any:
        """Return the least replicas, from those at the period's start; a percentage is cut off."""
        return start - self.value if self.type == "Pods" else np.trunc(start * (1.0 - self.value / 100.0))


@dataclass(frozen=True, slots=True)
class Rules:
    """One direction's part of ``behavior``.

    Attributes:
        policies: At least one.
        select: Which of them counts: ``"Max"`` the greatest change, ``"Min"`` the least, ``"Disabled"`` no change.
        window_s: Stabilisation window; at most 3600 s.

    Raises:
        ConfigurationError: What Kubernetes' API refuses.
    """

    policies: tuple[RatePolicy, ...]
    select: Select = "Max"
    window_s: float = 0.0

    def __post_init__(self) -> None:
        if self.select not in ("Max", "Min", "Disabled"):
            raise UnknownNameError("selectPolicy", self.select, ("Max", "Min", "Disabled"))
        if not self.policies:
            raise ConfigurationError("a direction's behaviour needs at least one rate policy")
        if not 0 <= self.window_s <= LONGEST_WINDOW_S:
            raise ConfigurationError(f"a stabilisation window_s = {self.window_s!r} s; must be in [0, 3600]")


DEFAULT_UP: Final = Rules((RatePolicy("Pods", 4, 15.0), RatePolicy("Percent", 100, 15.0)))
DEFAULT_DOWN: Final = Rules((RatePolicy("Percent", 100, 15.0),), window_s=300.0)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Both directions' rules; Kubernetes' defaults [V]."""

    up: Rules = DEFAULT_UP
    down: Rules = DEFAULT_DOWN


class Limited(NamedTuple):
    """Replicas within limits, and the reason that the ``ScalingLimited`` condition gives."""

    replicas: Any
    reason: Any


def up_limit(current: Any, ups: Sequence[Change], downs: Sequence[Change], rules: Rules, now_s: float) -> Any:
    """Return the most replicas that the rules allow, before the maximum; it may lie below the current ones."""
    if rules.select == "Disabled":
        return current
    choose = np.minimum if rules.select == "Min" else np.maximum
    return _chosen(choose, [policy.up(_start(current, ups, downs, policy, now_s)) for policy in rules.policies])


def down_limit(current: Any, ups: Sequence[Change], downs: Sequence[Change], rules: Rules, now_s: float) -> Any:
    """Return the least replicas that the rules allow, before the minimum; it may lie above the current ones."""
    if rules.select == "Disabled":
        return current
    choose = np.maximum if rules.select == "Min" else np.minimum
    return _chosen(choose, [policy.down(_start(current, ups, downs, policy, now_s)) for policy in rules.policies])


def _chosen(choose: Callable[[Any, Any], Any], offers: Sequence[Any]) -> Any:
    best = offers[0]
    for offer in offers[1:]:
        best = choose(best, offer)
    return best


def _start(current: Any, ups: Sequence[Change], downs: Sequence[Change], policy: RatePolicy, now_s: float) -> Any:
    """Return the replicas at the start of a policy's period."""
    return current - changed_within(ups, policy.period_s, now_s) + changed_within(downs, policy.period_s, now_s)


def limited_by_rates(
    current: Any,
    desired: Any,
    least: Any,
    most: Any,
    behaviour: Behaviour,
    ups: Sequence[Change] = (),
    downs: Sequence[Change] = (),
    now_s: float = 0.0,
) -> Limited:
    """Keep a stabilised recommendation within rates and limits, as with ``behavior``.

    Args:
        current: Replicas asked for now.
        desired: The recommendation.
        least: ``minReplicas``.
        most: ``maxReplicas``.
        behaviour: The rates.
        ups: Earlier scale-ups.
        downs: Earlier scale-downs.
        now_s: The time.

    >>> twenty = limited_by_rates(10, 50, 1, 1000, Behaviour())
    >>> float(twenty.replicas), str(twenty.reason)
    (20.0, 'ScaleUpLimit')
    """
    rate_up = np.maximum(up_limit(current, ups, downs, behaviour.up, now_s), current)
    rate_down = np.minimum(down_limit(current, ups, downs, behaviour.down, now_s), current)
    ceiling, floor = np.minimum(most, rate_up), np.maximum(least, rate_down)
    too_many = (desired > current) & (desired > ceiling)
    too_few = (desired < current) & (desired < floor)
    up_reason = np.where(most > rate_up, "ScaleUpLimit", "TooManyReplicas")
    down_reason = np.where(least < rate_down, "ScaleDownLimit", "TooFewReplicas")
    replicas = np.where(too_many, ceiling, np.where(too_few, floor, desired))
    return Limited(replicas, np.where(too_many, up_reason, np.where(too_few, down_reason, "DesiredWithinRange")))


def limited(current: Any, desired: Any, least: Any, most: Any) -> Limited:
    """Keep a recommendation within limits, as without ``behavior``: at most twice the replicas, or four.

    >>> six = limited(3, 50, 1, 100)
    >>> float(six.replicas), str(six.reason)
    (6.0, 'ScaleUpLimit')
    """
    doubled = np.maximum(UP_FACTOR * current, UP_LEAST)
    ceiling = np.minimum(most, doubled)
    above = np.where(most > doubled, "ScaleUpLimit", "TooManyReplicas")
    reason = np.where(desired < least, "TooFewReplicas", np.where(desired > ceiling, above, "DesiredWithinRange"))
    return Limited(np.where(desired < least, least, np.minimum(desired, ceiling)), reason)


def without_metrics(current: int, least: int, most: int) -> int | None:
    """Return what follows from the limits alone, or ``None`` where the metrics decide.

    Nothing is done about a workload without replicas that should have some: it was switched off (``ScalingDisabled``).

    >>> without_metrics(0, 1, 10), without_metrics(12, 1, 10), without_metrics(5, 1, 10)
    (0, 10, None)
    """
    if current == 0 and least != 0:
        return 0
    clipped = min(max(current, least), most, MOST_REPLICAS)
    return clipped if clipped != current else None
