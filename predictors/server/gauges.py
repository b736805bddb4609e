"""The gauges of zones, as everything that forecasts shows them to Prometheus: the server, and a bridge.

The four with the project's units are known by these names; their twins beside them have Prometheus' base units. All
are made when a page is asked for, so that a zone that is forgotten leaves no series behind and none is ever stale.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from metaverse_env.units import BANDWIDTH, CPU, LATENCY, MEMORY, MS_PER_S
from predictors.server.board import Shown

_BYTES_PER_MB: Final = 1e6
_BYTES_PER_S_PER_MBPS: Final = 1e6 / 8.0

ZONE_GAUGES: Final = (
    ("stgnn_cpu_cores", CPU, 1.0, "CPU that the zone is predicted to need, cores."),
    ("stgnn_memory_mb", MEMORY, 1.0, "Memory that the zone is predicted to need, MB of 10^6 bytes (not MiB)."),
    ("stgnn_memory_bytes", MEMORY, _BYTES_PER_MB, "Memory that the zone is predicted to need, bytes."),
    ("stgnn_bandwidth_mbps", BANDWIDTH, 1.0, "Egress that the zone is predicted to need, 10^6 bits per second."),
    (
        "stgnn_bandwidth_bytes_per_second",
        BANDWIDTH,
        _BYTES_PER_S_PER_MBPS,
        "Egress that the zone is predicted to need, bytes per second.",
    ),
    ("stgnn_latency_ms", LATENCY, 1.0, "Predicted p95 of the zone's latency if allocations stay as they are, ms."),
    ("stgnn_latency_seconds", LATENCY, 1.0 / MS_PER_S, "Predicted p95 of the zone's latency, seconds."),
)
"""Name, target, factor and help of what is shown for each zone."""
UPDATED: Final = "stgnn_last_update_timestamp_seconds"
UPDATED_HELP: Final = "Unix time of the zone's last report, seconds."


class ZoneCollector(Collector):
    """Makes the gauges of the zones from what is shown of them.

    Args:
        current: Returns what is to be shown, by zone.
    """

    def __init__(self, current: Callable[[], Mapping[str, Shown]]) -> None:
        self._current = current

    def collect(self) -> Iterator[Metric]:
        """Return one family for each gauge, with one sample for each zone."""
        shown = self._current()
        predicted = {zone: answer.values for zone, answer in shown.items() if answer.values is not None}
        for name, target, factor, text in ZONE_GAUGES:
            family = GaugeMetricFamily(name, text, labels=["zone"])
            for zone, values in predicted.items():
                if math.isfinite(value := values[target] * factor):
                    family.add_metric([zone], value)
            yield family
        updated = GaugeMetricFamily(UPDATED, UPDATED_HELP, labels=["zone"])
        for zone, answer in shown.items():
            updated.add_metric([zone], answer.reported_s)
        yield updated
