"""The writes of a bridge that acts, one by one."""

import secrets
from collections.abc import Callable

from bridges.errors import ConflictError
from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.lease import LEASE
from bridges.kubernetes.resources import DEPLOYMENTS, EVENTS, LEASES
from bridges.manifests.settings import Settings
from tests.bridges.control_plane import ControlPlane, Json, wait_for


def writes(client: ApiClient, control_plane: ControlPlane, settings: Settings) -> list[Callable[[], Json]]:
    """Return the writes of a bridge that acts."""
    namespace, zone = settings.namespace, DEPLOYMENTS.at(settings.namespace, "zone-1")
    amounts = {"cpu": "60m", "memory": "64M"}
    container = {"name": "zone", "resources": {"requests": amounts, "limits": amounts}}
    spec = {"template": {"spec": {"containers": [container]}}}
    lease = {"metadata": {"name": LEASE, "namespace": namespace}, "spec": {"holderIdentity": "me"}}
    event = {
        "metadata": {"name": f"zone-1.{secrets.token_hex(6)}", "namespace": namespace},
        "eventTime": "2026-01-01T00:00:00.000001Z",
        "reportingController": "metaverse-env.dev/bridge",
        "reportingInstance": "test",
        "action": "Resize",
        "reason": "Resized",
        "type": "Normal",
        "regarding": {"kind": "Deployment", "namespace": namespace, "name": "zone-1"},
    }

    def scale_once() -> Json | None:
        seen = {"resourceVersion": control_plane.get(zone.path)["metadata"]["resourceVersion"]}
        target = DEPLOYMENTS.at(namespace, "zone-1", "scale")
        try:
            return client.patch(target, {"metadata": seen, "spec": {"replicas": 1}}, kind="merge")
        except ConflictError:  # the rollout's progress came between
            return None

    def scale() -> Json:
        return dict(wait_for(scale_once, "a moment in which nobody else writes"))

    return [
        lambda: client.apply(zone, {"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec}, force=True),
        scale,
        lambda: client.create(LEASES.at(namespace), {"apiVersion": LEASES.api_version, "kind": "Lease", **lease}),
        lambda: client.create(EVENTS.at(namespace), {"apiVersion": EVENTS.api_version, "kind": "Event", **event}),
    ]
