"""What a bridge shows to Prometheus: set once a cycle by the loop, read by any number of scrapes.

What is known of zones is handed over as a whole, and gauges are made of it when a page is asked for: a zone that is
gone leaves no series behind, a value that is missing is not shown, and when cycles stop, so do the zones. Everything
else is raised or set by name; the names are those of :mod:`bridges.metric_names`.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from bridges.contracts import Clock
from bridges.metric_names import BRIDGE, FORECAST, MODES, MetricName
from metaverse_env import __version__
from metaverse_env.errors import ConfigurationError
from predictors.server.board import Shown
from predictors.server.gauges import ZoneCollector

AGE: Final = "metaverse_bridge_metrics_age_seconds"
ZONE_NAMES: Final = {
    name: metric
    for name, metric in BRIDGE.items()
    if metric.kind == "gauge" and metric.labels == ("zone",) and metric not in FORECAST
}
"""Gauges that a zone's report may have, by name."""

_MADE_FOR_A_PAGE: Final = {*ZONE_NAMES, AGE, *(metric.name for metric in FORECAST)}
_SERIES_PER_NAME: Final = 64
"""Combinations of labels other than ``zone`` that one name may have; more are ``"other"``."""
_OTHER: Final = "other"

Made = TypeVar("Made", bound=MetricWrapperBase)


class ZoneReport(NamedTuple):
    """What is known of a zone after a cycle.

    Attributes:
        reported_s: Unix time of what was measured last, s.
        gauges: Values by name, of :data:`ZONE_NAMES`; ``None`` or nothing where there is none.
        forecast: In the order of the targets, or ``None``.
        ages_s: Age of what was measured, s, by field.
    """

    reported_s: float
    gauges: Mapping[str, float | None] = {}
    forecast: Sequence[float] | None = None
    ages_s: Mapping[str, float] = {}


class Exporter:
    """The page of a bridge.

    Args:
        clock: Of the loop.
        policy: Whose proposals are made.
        keep_s: How long zones are shown without a new cycle, s.
        max_zones: Zones shown at most, the first by name.

    Raises:
        ConfigurationError: For a bound that is not positive.
    """

    def __init__(self, clock: Clock, policy: str, keep_s: float = 60.0, max_zones: int = 256) -> None:
        if not (keep_s > 0.0 and math.isfinite(keep_s) and max_zones >= 1):
            raise ConfigurationError(
                f"metrics kept for {keep_s:g} s of at most {max_zones} zones; both have to be positive"
            )
        self._clock, self._keep_s, self._max_zones = clock, keep_s, max_zones
        self._shown: tuple[float, dict[str, ZoneReport]] = (clock.monotonic_s(), {})
        self._seen: dict[str, set[tuple[str, ...]]] = {}
        registry = self.registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        registry.register(ZoneCollector(self._forecasts))
        registry.register(_ReportCollector(self.current))
        self._metrics = {name: made.make(registry) for name, made in BRIDGE.items() if name not in _MADE_FOR_A_PAGE}
        self.set("metaverse_bridge_build_info", 1.0, version=__version__, policy=policy)
        self.mode("off")

    def publish(self, zones: Mapping[str, ZoneReport]) -> None:
        """Show these zones and no others.

        Raises:
            ConfigurationError: For a name that a zone does not have.
        """
        for zone, report in zones.items():
            if unknown := sorted(set(report.gauges) - set(ZONE_NAMES)):
                raise ConfigurationError(f"zone {zone!r} has no metric {unknown[0]!r}")
        kept = {zone: zones[zone] for zone in sorted(zones)[: self._max_zones]}
        for zone in self._shown[1].keys() - kept.keys():
            self._forget(zone)
        self._shown = (self._clock.monotonic_s(), kept)
        self.set("metaverse_bridge_zones", len(zones))
        self.set("metaverse_bridge_hidden_zones", len(zones) - len(kept))
        self.set("metaverse_bridge_last_cycle_timestamp_seconds", self._clock.unix_s())

    def current(self) -> dict[str, ZoneReport]:
        """Return the zones of the latest cycle, unless it is too long ago."""
        published_s, zones = self._shown
        return zones if self._clock.monotonic_s() - published_s <= self._keep_s else {}

    def mode(self, mode: str) -> None:
        """Show which mode the controller is in."""
        for name in MODES:
            self.set("metaverse_bridge_mode", float(name == mode), mode=name)

    def count(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Raise a counter. Of a zone that is not shown nothing is counted, nor an amount that is not finite."""
        if not math.isfinite(amount) or ("zone" in labels and labels["zone"] not in self._shown[1]):
            return
        self._labelled(Counter, name, labels).inc(amount)

    def set(self, name: str, value: float | None, **labels: str) -> None:
        """Set a gauge; ``None`` takes the series away where it has labels."""
        if value is None or not math.isfinite(value):
            if labels:
                self._metrics[name].remove_by_labels(labels)
            return
        self._labelled(Gauge, name, labels).set(value)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Add to a histogram."""
        self._labelled(Histogram, name, labels).observe(seconds)

    def page(self, accept: str = "") -> tuple[bytes, str]:
        """Return the page, and its content type, in the format that is asked for."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    def _labelled(self, kind: type[Made], name: str, labels: Mapping[str, str]) -> Made:
        metric = self._metrics.get(name)
        if not isinstance(metric, kind):
            where = "; it belongs into a ZoneReport" if name in _MADE_FOR_A_PAGE else ""
            raise ConfigurationError(f"there is no {kind.__name__.lower()} {name!r} to be set{where}")
        if not labels:
            return metric
        others = tuple(value for label, value in labels.items() if label != "zone")
        seen = self._seen.setdefault(name, set())
        if others not in seen and len(seen) >= _SERIES_PER_NAME:
            return metric.labels(**{label: value if label == "zone" else _OTHER for label, value in labels.items()})
        seen.add(others)
        return metric.labels(**labels)

    def _forget(self, zone: str) -> None:
        for name, metric in self._metrics.items():
            if "zone" in BRIDGE[name].labels:
                metric.remove_by_labels({"zone": zone})

    def _forecasts(self) -> dict[str, Shown]:
        return {zone: Shown(_finite(report.forecast), report.reported_s) for zone, report in self.current().items()}


class _ReportCollector(Collector):
    """Makes gauges of the zones' reports."""

    def __init__(self, current: Callable[[], Mapping[str, ZoneReport]]) -> None:
        self._current = current

    def collect(self) -> Iterator[Metric]:
        """Return one family for each gauge, with one sample for each zone that has a value."""
        shown = self._current()
        for metric in ZONE_NAMES.values():
            yield _family(metric, (((zone,), report.gauges.get(metric.name)) for zone, report in shown.items()))
        ages = [((zone, field), age) for zone, report in shown.items() for field, age in report.ages_s.items()]
        yield _family(BRIDGE[AGE], ages)


def _family(metric: MetricName, samples: Iterable[tuple[tuple[str, ...], float | None]]) -> Metric:
    family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, value in samples:
        if value is not None and math.isfinite(value):
            family.add_metric(labels, value)
    return family


def _finite(values: Sequence[float] | None) -> Sequence[float] | None:
    return values if values is not None and all(map(math.isfinite, values)) else None
