"""The order of resources and targets, and every unit conversion of the simulator.

An array axis of length three is always ``cpu_cores, memory_mb, bandwidth_mbps``; one of four adds ``latency_ms``.
MB is 10^6 bytes and Mbps is 10^6 bits per second everywhere. Conversions to Kubernetes quantities and to Prometheus
base units belong to the bridges, at the edge, and not here.
"""

from typing import Final

CPU: Final = 0
MEMORY: Final = 1
BANDWIDTH: Final = 2
LATENCY: Final = 3

RESOURCES: Final = ("cpu_cores", "memory_mb", "bandwidth_mbps")
TARGETS: Final = (*RESOURCES, "latency_ms")
RESOURCE_UNITS: Final = ("cores", "MB", "Mbps")
QUANTILES: Final = (0.5, 0.9, 0.99)

SECONDS_PER_HOUR: Final = 3600.0
SECONDS_PER_DAY: Final = 86_400.0
SECONDS_PER_WEEK: Final = 604_800.0
HOURS_PER_WEEK: Final = 168
MB_PER_GB: Final = 1000.0
MS_PER_S: Final = 1000.0
