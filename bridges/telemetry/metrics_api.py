"""CPU and memory from ``metrics.k8s.io``, which metrics-server or an adapter serves beside the API server."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from bridges.contracts import Reading, Readings, Workload
from bridges.errors import DeniedError, MalformedError, NotFoundError, UnauthorisedError, UnavailableError
from bridges.kubernetes.objects import Objects
from bridges.kubernetes.quantities import parse
from bridges.kubernetes.resources import POD_METRICS, Json
from bridges.telemetry.quality import QualityLimits, Sample, missing, rejected, usage_of
from metaverse_env.errors import ClusterError, ConfigurationError

FIELDS: Final = {"cpu_cores": ("cpu", 1.0), "memory_mb": ("memory", 1e-6)}
_CODES: Final[tuple[tuple[type[ClusterError], str], ...]] = (
    (NotFoundError, "NoMetricsAPI"),
    (UnavailableError, "Unavailable"),
    (UnauthorisedError, "Unauthorised"),
    (DeniedError, "RBACDenied"),
    (MalformedError, "Malformed"),
)


class MetricsApiSource:
    """A :class:`~bridges.contracts.TelemetrySource` that lists pod metrics, one call for each namespace.

    A cluster without the API answers 404 in plain text (T3): that is a missing value, not an error.

    Args:
        client: The API.
        limits: What is still believed; metrics-server takes values every 15 s by default, some every 60 s.
        target: Utilisation at which nothing changes, for pods that were not measured.
    """

    def __init__(self, client: Objects, limits: QualityLimits | None = None, target: float = 0.8) -> None:
        self._client, self._limits, self._target = client, limits or QualityLimits(scrape_interval_s=30.0), target

    def read(self, workloads: Sequence[Workload]) -> Readings:
        """Return CPU and memory, or why there is none."""
        found: dict[str, dict[str, Reading]] = {}
        for namespace in sorted({workload.namespace for workload in workloads}):
            own = [workload for workload in workloads if workload.namespace == namespace]
            try:
                items = self._client.list(POD_METRICS.at(namespace)).items
            except ClusterError as error:
                reading = missing(code_of(error))
                found |= {workload.zone: dict.fromkeys(FIELDS, reading) for workload in own}
            else:
                found |= {workload.zone: self._of(workload, items) for workload in own}
        return found

    def _of(self, workload: Workload, items: Sequence[Json]) -> dict[str, Reading]:
        now_s = self._client.clock.unix_s()
        names = {pod.name for pod in workload.pods}
        readings = {}
        for field, (quantity, scale) in FIELDS.items():
            try:
                samples = samples_of(items, names, workload.container, quantity, scale)
            except MalformedError:
                readings[field] = rejected("Malformed")
                continue
            common = self._limits, self._target, field, workload.container
            readings[field] = usage_of(workload.pods, samples, now_s, *common)
        return readings


def code_of(error: ClusterError) -> str:
    """Return one word for why a cluster gave no metrics."""
    return next((code for kind, code in _CODES if isinstance(error, kind)), type(error).__name__)


def samples_of(items: Sequence[Any], names: set[str], container: str, quantity: str, scale: float) -> dict[str, Sample]:
    """Return what was measured of a container in pods of these names; pods without it are left out.

    Args:
        items: ``PodMetrics`` objects.
        names: Of the pods.
        container: Its name.
        quantity: ``"cpu"`` or ``"memory"``.
        scale: To our unit.

    Raises:
        MalformedError: An object is not what the API promises.
    """
    samples = {}
    for item in items:
        try:
            name = item["metadata"]["name"]
            if name not in names:
                continue
            usage = {one["name"]: one["usage"] for one in item["containers"]}
            if quantity in usage.get(container, {}):
                taken_s = datetime.fromisoformat(item["timestamp"]).timestamp()
                window_s = float(item.get("window", "0s").removesuffix("s"))
                samples[name] = Sample(float(parse(usage[container][quantity])) * scale, taken_s, window_s)
        except (KeyError, TypeError, ValueError, AttributeError, ConfigurationError) as error:
            raise MalformedError(f"pod metrics {item!r:.200}: {error!r}") from error
    return samples
