"""CPU, memory and egress straight from the kubelets' ``/stats/summary``: no Prometheus and no metrics API needed."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import urllib3

from bridges.clock import SystemClock
from bridges.contracts import Clock, Reading, Readings, Workload
from bridges.telemetry.quality import QualityLimits, Sample, judged, missing, usage_of
from metaverse_env.errors import ConfigurationError

MOST_BYTES: Final = 32 * 2**20
_MBIT_PER_BYTE: Final = 8e-6


class _Summary(NamedTuple):
    """What kubelets said: (namespace, pod) to a sample, for each field; counters of bytes sent; and why some failed."""

    cpu_cores: dict[tuple[str, str], Sample]
    memory_mb: dict[tuple[str, str], Sample]
    sent_bytes: dict[tuple[str, str], Sample]
    failures: tuple[str, ...]


class KubeletSource:
    """A :class:`~bridges.contracts.TelemetrySource` that asks the nodes' kubelets.

    Its account needs ``get`` on ``nodes/stats``.

    Args:
        addresses: Such as ``["https://10.0.0.1:10250"]``, of every node with zones.
        token_file: A file with a bearer token, read anew for every read.
        ca_file: Certificates that kubelets are checked with.
        clock: The time.
        limits: What is still believed; cAdvisor refreshes about every 10 to 20 s.
        target: Utilisation at which nothing changes, for pods that were not measured.
        timeout_s: For one kubelet.

    Raises:
        ConfigurationError: An address that is not ``https``.
    """

    def __init__(
        self,
        addresses: Sequence[str],
        token_file: str,
        ca_file: str | None = None,
        *,
        clock: Clock | None = None,
        limits: QualityLimits | None = None,
        target: float = 0.8,
        timeout_s: float = 5.0,
    ) -> None:
        for address in addresses:
            if urlsplit(address).scheme != "https":
                raise ConfigurationError(f"kubelet at {address!r}: give an https address, as it is sent a token")
        self._addresses, self._token_file = tuple(addresses), Path(token_file)
        self._clock, self._limits, self._target = clock or SystemClock(), limits or QualityLimits(), target
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(timeout_s), ca_certs=ca_file)
        self._sent: dict[tuple[str, str], Sample] = {}

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def read(self, workloads: Sequence[Workload]) -> Readings:
        """Return CPU, memory and egress, or why there is none."""
        summary = self._summary({workload.container for workload in workloads})
        rates = rates_of(summary.sent_bytes, self._sent)
        self._sent = {**self._sent, **summary.sent_bytes}
        return {workload.zone: self._of(workload, summary, rates) for workload in workloads}

    def _of(self, workload: Workload, summary: _Summary, rates: Mapping[tuple[str, str], Sample]) -> dict[str, Reading]:
        now_s = self._clock.unix_s()
        names = [pod.name for pod in workload.pods]
        readings = {}
        for field, samples in (("cpu_cores", summary.cpu_cores), ("memory_mb", summary.memory_mb)):
            own = {name: samples[workload.namespace, name] for name in names if (workload.namespace, name) in samples}
            common = self._limits, self._target, field, workload.container
            reading = usage_of(workload.pods, own, now_s, *common)
            failed = reading.code == "NoPodMetrics" and summary.failures
            readings[field] = missing(summary.failures[0]) if failed else reading
        sent = [rates[workload.namespace, name] for name in names if (workload.namespace, name) in rates]
        total = Sample(sum(s.value for s in sent), min(s.taken_unix_s for s in sent)) if sent else None
        return {**readings, "bandwidth_mbps": judged(total, now_s, self._limits, "NoRateYet")}

    def _summary(self, containers: set[str]) -> _Summary:
        found, failures = _Summary({}, {}, {}, ()), []
        for address in self._addresses:
            code = self._ask(address, found, containers)
            if code:
                failures.append(code)
        return found._replace(failures=tuple(failures))

    def _ask(self, address: str, found: _Summary, containers: set[str]) -> str:
        """Add what one kubelet says; return why not, in one word."""
        headers = {"Authorization": f"Bearer {self._token_file.read_text(encoding='utf-8').strip()}"}
        try:
            answer = self._pool.request("GET", f"{address}/stats/summary", headers=headers, preload_content=False)
            with answer:
                content = answer.read(MOST_BYTES + 1)
        except urllib3.exceptions.NewConnectionError:
            return "Unreachable"
        except urllib3.exceptions.TimeoutError:
            return "Timeout"
        except (urllib3.exceptions.HTTPError, OSError):
            return "Unreachable"
        if answer.status != 200:
            return {401: "Unauthorised", 403: "RBACDenied"}.get(answer.status, "HTTPError")
        return "TooLarge" if len(content) > MOST_BYTES else add_summary(content, found, containers)


def add_summary(content: bytes, found: _Summary, containers: set[str]) -> str:
    """Add the pods of a kubelet's answer; return ``"Malformed"`` for what is none, else ``""``."""
    try:
        for pod in json.loads(content)["pods"]:
            key = pod["podRef"]["namespace"], pod["podRef"]["name"]
            for container in pod.get("containers") or ():
                if container["name"] in containers:
                    _add(found.cpu_cores, key, container.get("cpu"), "usageNanoCores", 1e-9)
                    _add(found.memory_mb, key, container.get("memory"), "workingSetBytes", 1e-6)
            _add(found.sent_bytes, key, pod.get("network"), "txBytes", 1.0)
    except (ValueError, TypeError, KeyError, AttributeError):
        return "Malformed"
    return ""


def _add(samples: dict[tuple[str, str], Sample], key: tuple[str, str], part: Any, name: str, scale: float) -> None:
    if part and name in part:
        samples[key] = Sample(float(part[name]) * scale, datetime.fromisoformat(part["time"]).timestamp())


def rates_of(
    now: Mapping[tuple[str, str], Sample], before: Mapping[tuple[str, str], Sample]
) -> dict[tuple[str, str], Sample]:
    """Return what was sent between two looks, Mbps; a counter that fell began anew and has no rate yet."""
    rates = {}
    for key, sample in now.items():
        old = before.get(key)
        if old is not None and sample.taken_unix_s > old.taken_unix_s and sample.value >= old.value:
            passed_s = sample.taken_unix_s - old.taken_unix_s
            rates[key] = Sample((sample.value - old.value) * _MBIT_PER_BYTE / passed_s, sample.taken_unix_s, passed_s)
    return rates
