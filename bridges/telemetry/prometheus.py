"""Telemetry from Prometheus, over its HTTP API; everything that can go wrong has its own code and is no value."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import urllib3

from bridges.clock import SystemClock
from bridges.contracts import Clock, Reading, Readings, Workload
from bridges.telemetry.quality import QualityLimits, Sample, judged, missing, rejected, usage_of, without_false_zeros
from bridges.telemetry.queries import Queries, Query, load_queries
from metaverse_env.errors import ConfigurationError

MOST_BYTES: Final = 32 * 2**20
Series = dict[str, Sample]


class _QueryError(Exception):
    """Why there is no answer, in one word."""


class PrometheusSource:
    """A :class:`~bridges.contracts.TelemetrySource` that asks a Prometheus.

    Args:
        url: Such as ``"http://127.0.0.1:9090"``.
        queries: A preset of :mod:`bridges.telemetry.queries`, a TOML file, or queries.
        clock: The time.
        limits: What is still believed.
        window_s: Over how long rates are taken, s: at least two scrapes, by default four.
        objective_ms: The latency objective, for the share of requests above it; a bound of the histogram.
        target: Utilisation at which nothing changes, for pods that were not measured.
        timeout_s: For one query.
        token_file: A file with a bearer token, read anew for every read.
        ca_file: Certificates that an ``https`` address is checked with; the system's by default.

    Raises:
        ConfigurationError: An address that is none, or a token without ``https``.
    """

    def __init__(
        self,
        url: str,
        queries: str | Queries = "zone",
        *,
        clock: Clock | None = None,
        limits: QualityLimits | None = None,
        window_s: float | None = None,
        objective_ms: float = 100.0,
        target: float = 0.8,
        timeout_s: float = 5.0,
        token_file: str | None = None,
        ca_file: str | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ConfigurationError(f"Prometheus at {url!r}: give an address such as http://127.0.0.1:9090")
        if token_file is not None and parts.scheme != "https":
            raise ConfigurationError(f"Prometheus at {url!r}: a token is sent over https only")
        self._url, self._clock, self._limits = url.rstrip("/"), clock or SystemClock(), limits or QualityLimits()
        self._queries = load_queries(queries) if isinstance(queries, str) else queries
        window_s = 4.0 * self._limits.scrape_interval_s if window_s is None else window_s
        self._fixed = {"window": f"{max(1, round(window_s))}s", "objective_s": f"{objective_ms / 1e3:g}"}
        self._target, self._token_file = target, token_file
        self._pool = urllib3.PoolManager(
            num_pools=1, retries=False, timeout=urllib3.Timeout(timeout_s), ca_certs=ca_file
        )
        self._before: dict[str, dict[str, Reading]] = {}

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def read(self, workloads: Sequence[Workload]) -> Readings:
        """Return what is known now of every field that is asked for."""
        found: dict[str, dict[str, Reading]] = {workload.zone: {} for workload in workloads}
        stamps: dict[str, Series] = {}
        for field, query in self._queries.items():
            for group in _by_container(workloads):
                for zone, reading in self._field(field, query, group, stamps).items():
                    found[zone][field] = reading
        for workload in workloads:
            now = _idle(found[workload.zone])
            serves = workload.ready_replicas > 0
            found[workload.zone] = without_false_zeros(now, self._before.get(workload.zone, {}), serves)
        self._remember(found)
        return found

    def _remember(self, found: Mapping[str, Mapping[str, Reading]]) -> None:
        """Keep the last fresh value of each field, to tell false zeros by."""
        for zone, readings in found.items():
            fresh = {field: reading for field, reading in readings.items() if reading.quality == "fresh"}
            self._before[zone] = {**self._before.get(zone, {}), **fresh}

    def _field(
        self, field: str, query: Query, workloads: Sequence[Workload], stamps: dict[str, Series]
    ) -> dict[str, Reading]:
        pods = "|".join(pod.name for workload in workloads for pod in workload.pods)
        place = {"namespace": workloads[0].namespace, "container": workloads[0].container, "pods": pods}
        filled = query.filled({**self._fixed, **place})
        try:
            series = self._stamped(filled, stamps)
        except _QueryError as error:
            code = str(error)
            bad = rejected(code) if code in ("DuplicateSeries", "PartialResponse") else missing(code)
            return {workload.zone: bad for workload in workloads}
        return {workload.zone: self._reading(field, filled, series, workload) for workload in workloads}

    def _reading(self, field: str, query: Query, series: Series, workload: Workload) -> Reading:
        now_s = self._clock.unix_s()
        if query.by == "zone":
            return judged(series.get(workload.zone), now_s, self._limits, "NoSeries")
        if field in ("cpu_cores", "memory_mb"):
            arguments = self._limits, self._target, field, workload.container
            return usage_of(workload.pods, series, now_s, *arguments)
        own = [series[pod.name] for pod in workload.pods if pod.name in series]
        total = sum(sample.value for sample in own)
        oldest = min((sample.taken_unix_s for sample in own), default=0.0)
        return judged(Sample(total, oldest) if own else None, now_s, self._limits, "NoSeries")

    def _stamped(self, query: Query, stamps: dict[str, Series]) -> Series:
        values = self._ask(query.value, query.key)
        if not query.stamp:
            return values
        if query.stamp not in stamps:
            stamps[query.stamp] = self._ask(query.stamp, query.key)
        taken = stamps[query.stamp]
        known = ((name, sample, taken.get(name)) for name, sample in values.items())
        return {name: Sample(s.value, t.value if t else s.taken_unix_s) for name, s, t in known}

    def _ask(self, promql: str, label: str) -> Series:
        body = urlencode({"query": promql})
        try:
            answer = self._pool.request(
                "POST", f"{self._url}/api/v1/query", body=body, headers=self._headers(), preload_content=False
            )
            with answer:
                content = answer.read(MOST_BYTES + 1)
        except urllib3.exceptions.NewConnectionError as error:
            raise _QueryError("Unreachable") from error
        except urllib3.exceptions.TimeoutError as error:
            raise _QueryError("Timeout") from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _QueryError("Unreachable") from error
        if len(content) > MOST_BYTES:
            raise _QueryError("TooLarge")
        return series_of(answer.status, content, label)

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if self._token_file is not None:
            headers["Authorization"] = f"Bearer {Path(self._token_file).read_text(encoding='utf-8').strip()}"
        return headers


def series_of(status: int, content: bytes, label: str) -> Series:
    """Return the series of an answer by their label.

    Raises:
        _QueryError: Each failure with its own code (T13).
    """
    try:
        answer = json.loads(content)
        state = answer["status"]
    except (ValueError, TypeError, KeyError) as error:
        raise _QueryError("HTTPError" if status >= 400 else "Malformed") from error
    if state != "success":
        raise _QueryError("QueryError")
    if answer.get("warnings"):
        raise _QueryError("PartialResponse")
    data = answer.get("data")
    if not isinstance(data, dict) or data.get("resultType") != "vector":
        raise _QueryError("NotAVector")
    return _collect(data.get("result"), label)


def _collect(result: Any, label: str) -> Series:
    if not result:
        raise _QueryError("NoSeries")
    series: Series = {}
    for entry in result:
        try:
            name, (taken_s, value) = entry["metric"].get(label, ""), entry["value"]
            sample = Sample(float(value), float(taken_s))
        except (TypeError, KeyError, ValueError, AttributeError) as error:
            raise _QueryError("Malformed") from error
        if name in series:
            raise _QueryError("DuplicateSeries")
        series[name] = sample
    return series


def _by_container(workloads: Sequence[Workload]) -> list[list[Workload]]:
    """Return groups that share namespace and container, since a query names both."""
    groups: dict[tuple[str, str], list[Workload]] = {}
    for workload in workloads:
        groups.setdefault((workload.namespace, workload.container), []).append(workload)
    return list(groups.values())


def _idle(readings: dict[str, Reading]) -> dict[str, Reading]:
    """Name what is no number for want of requests: a zone that nobody asks has no latency, and violates nothing."""
    requests = readings.get("requests_per_s")
    if requests is None or requests.quality != "fresh" or requests.value != 0.0:
        return readings
    return {
        field: missing("NoRequests") if reading.code == "NotANumber" else reading for field, reading in readings.items()
    }
