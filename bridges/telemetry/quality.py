"""Whether a measured value may be used: pure functions from values and times to readings.

Substitutions for pods without metrics are those of Kubernetes' HorizontalPodAutoscaler
(``pkg/controller/podautoscaler/replica_calculator.go``): missing pods never make a zone grow or shrink.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from bridges.contracts import Pod, Reading
from metaverse_env.errors import ConfigurationError

GONE_PHASES: Final = ("Failed", "Succeeded")


class Sample(NamedTuple):
    """A value as a source gave it: when it was taken (Unix time), and over how long a rate was measured."""

    value: float
    taken_unix_s: float
    window_s: float = 0.0


@dataclass(frozen=True)
class QualityLimits:
    """What is still believed.

    Attributes:
        scrape_interval_s: How often values are taken; older than two intervals is stale (T6).
        ahead_s: A value from further in the future tells of a wrong clock (T7).
        starting_s: For so long after its start a pod's CPU is that of starting up; the HPA's ``cpu-initialization-
            period`` (T12).
        readiness_s: A pod that was never ready for so long after its start is still starting.
    """

    scrape_interval_s: float = 15.0
    ahead_s: float = 30.0
    starting_s: float = 300.0
    readiness_s: float = 30.0

    def __post_init__(self) -> None:
        for name in ("scrape_interval_s", "ahead_s", "starting_s", "readiness_s"):
            value = getattr(self, name)
            if not 0.0 <= value < math.inf:
                raise ConfigurationError(f"{name} = {value} s; must be a finite number of seconds, at least 0")

    @property
    def stale_s(self) -> float:
        """From this age on a value is stale."""
        return 2.0 * self.scrape_interval_s


def missing(code: str) -> Reading:
    """Return the reading of what is not there."""
    return Reading(None, None, "missing", code)


def rejected(code: str, age_s: float | None = None) -> Reading:
    """Return the reading of what cannot be true."""
    return Reading(None, age_s, "rejected", code)


def judged(sample: Sample | None, now_unix_s: float, limits: QualityLimits, code: str = "NoSamples") -> Reading:
    """Return a sample as a reading.

    Args:
        sample: What a source gave; ``None`` is missing for the reason ``code``.
        now_unix_s: Unix time of reading.
        limits: What is still believed.
        code: Why there is none.

    >>> judged(Sample(3.0, 90.0), 100.0, QualityLimits())
    Reading(value=3.0, age_s=10.0, quality='fresh', code='')
    >>> judged(Sample(3.0, 60.0), 100.0, QualityLimits()).quality
    'stale'
    """
    if sample is None:
        return missing(code)
    age_s = now_unix_s - sample.taken_unix_s
    if not math.isfinite(age_s) or age_s < -limits.ahead_s:
        return rejected("ClockSkew")
    if not math.isfinite(sample.value):
        return rejected("NotANumber", age_s)
    if sample.value < 0.0:
        return rejected("Negative", age_s)
    if age_s > limits.stale_s:
        return Reading(sample.value, age_s, "stale", "Stale")
    return Reading(sample.value, max(age_s, 0.0), "fresh")


def without_false_zeros(now: Mapping[str, Reading], before: Mapping[str, Reading], ready: bool) -> dict[str, Reading]:
    """Refuse zeros of an outage: what was used a moment ago and now is not, with the traffic that there was (T5).

    Memory of a zone that serves is never 0. CPU, egress and latency may fall to 0 only with the traffic; traffic itself
    may, unless CPU goes on being used.

    Args:
        now: Field to reading of a zone.
        before: The same, of the last look.
        ready: Whether the zone serves.
    """
    traffic = _value(now, "requests_per_s"), _value(before, "requests_per_s")
    users = _value(now, "users"), _value(before, "users")
    carries_on = any(new is not None and new > 0.0 for new in (traffic[0], users[0]))
    unknown = traffic[0] is None and users[0] is None
    judged_zero = dict(now)
    for field, reading in now.items():
        if reading.value != 0.0 or reading.quality != "fresh" or not (_value(before, field) or 0.0) > 0.0:
            continue
        of_traffic = field in ("users", "requests_per_s", "violated_share")
        false = (ready and field == "memory_mb") or (not of_traffic and (carries_on or unknown))
        if false:
            judged_zero[field] = rejected("SuspiciousZero", reading.age_s)
    return judged_zero


def _value(readings: Mapping[str, Reading], field: str) -> float | None:
    reading = readings.get(field)
    return None if reading is None or reading.quality != "fresh" else reading.value


def counted(pods: Sequence[Pod]) -> tuple[Pod, ...]:
    """Return the pods that count: those that run or are to run; metrics of deleted or ended ones are ignored (T10)."""
    return tuple(pod for pod in pods if not pod.deleting and pod.phase not in GONE_PHASES)


def is_starting(pod: Pod, sample: Sample | None, now_unix_s: float, limits: QualityLimits) -> bool:
    """Tell whether a pod's CPU is that of starting up, by the HPA's rules (T12)."""
    if pod.phase == "Pending" or pod.started_s is None or pod.ready_since_s is None:
        return True
    if pod.started_s + limits.starting_s > now_unix_s:
        early = sample is not None and sample.taken_unix_s < pod.ready_since_s + sample.window_s
        return not pod.ready or early
    return not pod.ready and pod.started_s + limits.readiness_s > pod.ready_since_s


class Usage(NamedTuple):
    """What pods use together.

    Attributes:
        known: Of those that were measured.
        requested: By those that were measured.
        missing: Requested by those that were not.
        starting: Requested by those that start up, whose use does not count.
    """

    known: float
    requested: float
    missing: float
    starting: float


def substituted(usage: Usage, target: float) -> float:
    """Return what pods are taken to use where some were not measured, by the HPA's rules (T9, T11).

    Above the target, pods without metrics count as idle, below it as using all they request; where that would turn the
    decision round, or settles it, the use is that at which nothing changes.

    Args:
        usage: Of the pods, in the unit of the resource.
        target: Utilisation at which nothing changes, of what is requested.

    >>> substituted(Usage(0.5, 1.0, 1.0, 0.0), target=0.8)  # 50 % of one pod, the other unknown
    1.5
    >>> substituted(Usage(1.0, 1.0, 1.0, 0.0), target=0.8)  # 100 % of one pod, the other unknown: 50 % would shrink
    1.6
    """
    ratio = usage.known / (usage.requested * target)
    fills = usage.missing * max(1.0, target) if ratio < 1.0 else 0.0
    idle = usage.starting if ratio > 1.0 else 0.0
    total, everything = usage.known + fills, usage.requested + usage.missing + idle
    again = total / (everything * target)
    turned = ratio == 1.0 or (ratio < 1.0 < again) or (ratio > 1.0 > again)
    return target * everything if turned else total


def usage_of(
    pods: Sequence[Pod],
    samples: Mapping[str, Sample],
    now_unix_s: float,
    limits: QualityLimits,
    target: float,
    resource: str = "cpu_cores",
    container: str = "",
) -> Reading:
    """Return what a zone's pods use together, as one reading; as old as its oldest part.

    Args:
        pods: Of the zone.
        samples: Pod to what was measured of it.
        now_unix_s: Unix time.
        limits: What is still believed.
        target: Utilisation at which nothing changes, for pods that were not measured.
        resource: ``"cpu_cores"`` or ``"memory_mb"``.
        container: For the code of one without a request (T14).
    """
    readings, requests, starting = {}, {}, 0.0
    for pod in counted(pods):
        request = getattr(pod.requests, resource)
        sample = samples.get(pod.name)
        if resource == "cpu_cores" and is_starting(pod, sample, now_unix_s, limits):
            starting += request or 0.0
            continue
        readings[pod.name], requests[pod.name] = judged(sample, now_unix_s, limits), request
    usable = {name: reading for name, reading in readings.items() if reading.quality == "fresh"}
    if not usable:
        worst = next((reading for reading in readings.values() if reading.quality != "missing"), None)
        return worst or missing("NoPodMetrics" if readings else "PodsStarting")
    total = math.fsum(reading.value or 0.0 for reading in usable.values())
    age_s = max(reading.age_s or 0.0 for reading in usable.values())
    if len(usable) == len(readings):
        return Reading(total, age_s, "fresh")
    if not all(requests.values()):
        return rejected(f"NoRequest:{container}" if container else "NoRequest", age_s)
    known = math.fsum(requests[name] for name in usable)
    absent = math.fsum(request for name, request in requests.items() if name not in usable)
    return Reading(substituted(Usage(total, known, absent, starting), target), age_s, "fresh", "PodsMissing")
