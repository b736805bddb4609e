"""Kinds of objects and where they live in the API."""

import re
from typing import Any, NamedTuple

from metaverse_env.errors import ConfigurationError

Json = dict[str, Any]
_SEGMENT = re.compile(r"[A-Za-z0-9_.:-]{0,253}")


class Resource(NamedTuple):
    """A kind of object.

    Attributes:
        group: API group, ``""`` for the core's.
        version: Of the API.
        plural: As addresses and roles name it.
        kind: As manifests name it.
        namespaced: Whether it lives in a namespace.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """Return the group and version as manifests write them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def title(self) -> str:
        """Return the name that messages and roles use, such as ``"deployments.apps"``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def at(self, namespace: str = "", name: str = "", subresource: str = "") -> "Target":
        """Return one object, or all of a namespace, or all that there are.

        >>> print(DEPLOYMENTS.at("default", "zone-1", "scale"))
        deployments.apps/scale default/zone-1

        Raises:
            ConfigurationError: A part cannot be one of an address.
        """
        for text, what in ((namespace, "namespace"), (name, f"name of {self.kind}"), (subresource, "subresource")):
            if text in {".", ".."} or not _SEGMENT.fullmatch(text):
                raise ConfigurationError(f"{what} {text!r} cannot be: up to 253 letters, digits and -_.: are")
        return Target(self, namespace if self.namespaced else "", name, subresource)


class Target(NamedTuple):
    """Where in the API something is; made by :meth:`Resource.at`."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    def __str__(self) -> str:
        what = "/".join(filter(None, (self.resource.title, self.subresource)))
        return " ".join(filter(None, (what, "/".join(filter(None, (self.namespace, self.name))))))

    @property
    def path(self) -> str:
        """Return the address.

        >>> DEPLOYMENTS.at("default", "zone-1", "scale").path
        '/apis/apps/v1/namespaces/default/deployments/zone-1/scale'
        """
        group, version, plural = self.resource[:3]
        root = f"/apis/{group}/{version}" if group else f"/api/{version}"
        middle = f"/namespaces/{self.namespace}" if self.namespace else ""
        return "/".join(filter(None, (f"{root}{middle}/{plural}", self.name, self.subresource)))


PODS = Resource("", "v1", "pods", "Pod")
NODES = Resource("", "v1", "nodes", "Node", namespaced=False)
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
LIMIT_RANGES = Resource("", "v1", "limitranges", "LimitRange")
RESOURCE_QUOTAS = Resource("", "v1", "resourcequotas", "ResourceQuota")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
REPLICA_SETS = Resource("apps", "v1", "replicasets", "ReplicaSet")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")
EVENTS = Resource("events.k8s.io", "v1", "events", "Event")
HORIZONTAL_POD_AUTOSCALERS = Resource("autoscaling", "v1", "horizontalpodautoscalers", "HorizontalPodAutoscaler")
VERTICAL_POD_AUTOSCALERS = Resource("autoscaling.k8s.io", "v1", "verticalpodautoscalers", "VerticalPodAutoscaler")
SCALED_OBJECTS = Resource("keda.sh", "v1alpha1", "scaledobjects", "ScaledObject")
POD_DISRUPTION_BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget")
POD_METRICS = Resource("metrics.k8s.io", "v1beta1", "pods", "PodMetrics")
HTTP_ROUTES = Resource("gateway.networking.k8s.io", "v1", "httproutes", "HTTPRoute")
ACCESS_REVIEWS = Resource(
    "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview", namespaced=False
)
