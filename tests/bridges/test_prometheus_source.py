"""Telemetry from a real Prometheus: every failure has its own code, and no failure is a value."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridges.clock import SystemClock
from bridges.contracts import Amounts, Pod, TelemetrySource, Workload
from bridges.telemetry.prometheus import PrometheusSource, _QueryError, series_of
from bridges.telemetry.quality import QualityLimits
from bridges.telemetry.queries import PRESETS, Query, load_queries
from metaverse_env.errors import ConfigurationError, UnknownNameError

ZONE = Workload(
    "zone-1",
    "default",
    "zone-1",
    "u",
    "zone",
    "1",
    2,
    2,
    Amounts(0.5, 64.0),
    Amounts(0.5, 64.0),
    pods=tuple(
        Pod(name, started_s=0.0, ready_since_s=0.0, requests=Amounts(0.5, 64.0)) for name in ("zone-1-a", "zone-1-b")
    ),
)


@pytest.fixture(scope="module")
def address(start_prometheus: Callable[..., str]) -> str:
    """Return a Prometheus that scrapes nothing: what it answers is all in the queries."""
    return start_prometheus({"global": {"scrape_interval": "1s"}})


def series(value: str, zone: str = "zone-1", label: str = "zone") -> str:
    return f'label_replace({value}, "{label}", "{zone}", "", "")'


def read(
    address: str, value: str, stamp: str = "", by: Any = "zone", field: str = "latency_ms", **limits: float
) -> Any:
    source = PrometheusSource(address, {field: Query(value, by, stamp)}, limits=QualityLimits(**limits))
    try:
        return source.read([ZONE])["zone-1"][field]
    finally:
        source.close()


def test_a_value_is_read_with_the_age_of_its_sample(address: str) -> None:
    reading = read(address, series("vector(42)"), series("vector(time() - 10)"))
    assert (reading.value, reading.quality) == (42.0, "fresh")
    assert 9.0 < reading.age_s < 20.0


def test_t06_a_value_older_than_two_scrapes_is_stale(address: str) -> None:
    reading = read(address, series("vector(42)"), series("vector(time() - 31)"), scrape_interval_s=15.0)
    assert (reading.value, reading.quality) == (42.0, "stale")
    assert reading.age_s > 30.0


def test_t07_a_value_from_the_future_is_clock_skew(address: str) -> None:
    assert read(address, series("vector(42)"), series("vector(time() + 60)")).code == "ClockSkew"


@pytest.mark.parametrize(
    ("value", "code"),
    [("vector(0) / vector(0)", "NotANumber"), ("vector(1) / vector(0)", "NotANumber"), ("vector(-3)", "Negative")],
)
def test_t08_what_cannot_be_is_rejected(address: str, value: str, code: str) -> None:
    reading = read(address, series(f"({value})"))
    assert (reading.value, reading.quality, reading.code) == (None, "rejected", code)


@pytest.mark.parametrize(
    ("value", "code", "quality"),
    [
        ("this is no promql", "QueryError", "missing"),
        ("no_such_metric", "NoSeries", "missing"),
        ("vector(1)", "NoSeries", "missing"),
        ("scalar(vector(1))", "NotAVector", "missing"),
    ],
)
def test_t13_every_failure_has_its_own_code(address: str, value: str, code: str, quality: str) -> None:
    reading = read(address, value)
    assert (reading.value, reading.quality, reading.code) == (None, quality, code)


def test_t13_two_series_of_a_zone_are_refused(address: str) -> None:
    both = " or ".join(series(f'label_replace(vector({n}), "n", "{n}", "", "")') for n in (1, 2))
    assert read(address, both).code == "DuplicateSeries"


def test_t13_a_prometheus_that_is_away_is_missing() -> None:
    assert read("http://127.0.0.1:9", series("vector(1)")).code == "Unreachable"


@pytest.mark.parametrize(
    ("status", "answer", "code"),
    [
        (200, {"status": "success", "warnings": ["a store is away"], "data": {}}, "PartialResponse"),
        (422, {"status": "error", "errorType": "execution"}, "QueryError"),
        (200, {"status": "success", "data": {"resultType": "vector", "result": [{"value": "x"}]}}, "Malformed"),
        (200, [], "Malformed"),
    ],
)
def test_t13_what_an_answer_says(status: int, answer: Any, code: str) -> None:
    with pytest.raises(_QueryError, match=code):
        series_of(status, json.dumps(answer).encode(), "zone")


def test_t13_a_page_of_a_proxy_is_an_http_error() -> None:
    with pytest.raises(_QueryError, match="HTTPError"):
        series_of(502, b"<html>Bad Gateway</html>", "zone")


def test_pods_are_added_up_and_others_pods_left_out(address: str) -> None:
    pods = " or ".join(
        series(f"vector({n})", name, "pod") for n, name in ((0.2, "zone-1-a"), (0.3, "zone-1-b"), (9, "old"))
    )
    reading = read(address, pods, by="pod", field="cpu_cores")
    assert (reading.value, reading.quality) == (pytest.approx(0.5), "fresh")


def test_t09_a_pod_without_metrics_is_filled_in(address: str) -> None:
    reading = read(address, series("vector(0.1)", "zone-1-a", "pod"), by="pod", field="cpu_cores")
    assert (reading.value, reading.code) == (pytest.approx(0.6), "PodsMissing")


def test_t05_a_zero_after_use_is_refused_while_requests_go_on(address: str) -> None:
    since = int(SystemClock().unix_s())
    cpu = series(f"(vector(0.4) * (vector(time()) < bool vector({since + 2})))", "zone-1-a", "pod")
    queries = {
        "cpu_cores": Query(cpu, "pod"),
        "requests_per_s": Query(series("vector(20)")),
    }
    one = ZONE._replace(pods=ZONE.pods[:1])
    source = PrometheusSource(address, queries)
    clock = SystemClock()
    assert source.read([one])["zone-1"]["cpu_cores"].value == pytest.approx(0.4)
    clock.wait_until(clock.monotonic_s() + 2.5)
    assert source.read([one])["zone-1"]["cpu_cores"].code == "SuspiciousZero"
    source.close()


def test_a_zone_that_nobody_asks_has_no_latency_and_that_is_no_failure(address: str) -> None:
    queries = {
        "requests_per_s": Query(series("vector(0)")),
        "latency_ms": Query(series("(vector(0) / vector(0))")),
    }
    source = PrometheusSource(address, queries)
    readings = source.read([ZONE])["zone-1"]
    source.close()
    assert (readings["requests_per_s"].value, readings["latency_ms"].code) == (0.0, "NoRequests")


def test_is_a_source() -> None:
    source = PrometheusSource("http://127.0.0.1:9")
    assert isinstance(source, TelemetrySource)
    source.close()


@pytest.mark.parametrize("url", ["", "127.0.0.1:9090", "ftp://x", "file:///etc/passwd"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="give an address"):
        PrometheusSource(url)


def test_a_token_goes_over_https_only(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="https"):
        PrometheusSource("http://127.0.0.1:9", token_file=str(tmp_path / "token"))


def test_queries_come_from_presets_or_files(tmp_path: Path) -> None:
    assert load_queries("zone") is PRESETS["zone"]
    path = tmp_path / "queries.toml"
    path.write_text('preset = "cadvisor"\n[users]\nvalue = "sum by (zone) (game_players)"\n', encoding="utf-8")
    found = load_queries(str(path))
    assert found["users"] == Query("sum by (zone) (game_players)")
    assert set(found) == {*PRESETS["cadvisor"], "users"}


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("[usres]\nvalue='x'", UnknownNameError, "users"),
        ("preset = 'zones'", UnknownNameError, "zone"),
        ("[users]\nby='zone'", ConfigurationError, "value"),
        ("[users]\nvalue='x'\nby='node'", ConfigurationError, "node"),
        ("[users", ConfigurationError, "queries"),
    ],
)
def test_a_wrong_file_of_queries_is_refused(tmp_path: Path, text: str, error: type[Exception], says: str) -> None:
    path = tmp_path / "queries.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=says):
        load_queries(str(path))


def test_a_placeholder_that_there_is_not_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"\$window"):
        Query("x{$nonsense}").filled({"window": "30s"})
