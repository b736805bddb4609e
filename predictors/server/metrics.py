"""The page that Prometheus scrapes: what was last predicted for each zone, and how the server does.

There is one process and so one series for each zone.
"""

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from metaverse_env import __version__
from predictors.server.board import Board
from predictors.server.gauges import ZoneCollector

_BUCKETS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_METHODS: Final = frozenset({"GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"})

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Meters:
    """Everything that is measured of the server itself, and the registry of the page.

    Args:
        board: Of the predictions.
    """

    def __init__(self, board: Board) -> None:
        registry = self.registry = CollectorRegistry()
        registry.register(ZoneCollector(board.current))
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self.requests = Counter(
            "stgnn_http_requests", "Requests that were answered.", ["method", "route", "status"], registry=registry
        )
        self.request_s = Histogram(
            "stgnn_http_request_duration_seconds", "From request to answer.", ["route"], registry=registry,
            buckets=_BUCKETS_S,
        )  # fmt: skip
        self.forecast_s = Histogram(
            "stgnn_forecast_duration_seconds", "One call of the forecaster.", registry=registry, buckets=_BUCKETS_S
        )
        self.batch = Histogram(
            "stgnn_batch_size", "Reports that were answered together.", registry=registry,
            buckets=tuple(2**power for power in range(11)),
        )  # fmt: skip
        self.failures = Counter(
            "stgnn_forecast_failures", "Predictions that could not be made.", ["reason"], registry=registry
        )
        self.waiting = Gauge("stgnn_queue_length", "Reports that wait for the forecaster.", registry=registry)
        self.ready = Gauge("stgnn_ready", "1 while the server answers, 0 before and after.", registry=registry)
        Gauge("stgnn_build_info", "Always 1.", ["version"], registry=registry).labels(__version__).set(1)
        self._counted: dict[tuple[str, str, int], tuple[Any, Any]] = {}

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        key = (method if method in _METHODS else "other", route, status)
        if key not in self._counted:
            self._counted[key] = (self.requests.labels(*key), self.request_s.labels(route))
        counter, histogram = self._counted[key]
        counter.inc()
        histogram.observe(seconds)


class Measured:
    """An ASGI application whose requests are counted by route: a path of nobody's has none.

    Args:
        application: The application.
        meters: Where they are counted.
    """

    def __init__(self, application: Application, meters: Meters) -> None:
        self._application, self._meters = application, meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and count it."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        status, start_s = 500, perf_counter()

        async def watched(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._application(scope, receive, watched)
        finally:
            route = getattr(scope.get("route"), "path", "unknown")
            self._meters.count(scope["method"], route, status, perf_counter() - start_s)
