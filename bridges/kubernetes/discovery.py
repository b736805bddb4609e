"""What a server offers, told by what it lists; never by the version that it says it is."""

from collections.abc import Callable
from typing import NamedTuple

from bridges.errors import MalformedError
from bridges.kubernetes.resources import Json

Get = Callable[[str], Json]


class Features(NamedTuple):
    """What matters to us. A version is ``""`` where the server has none that we can speak.

    Attributes:
        resize: Whether pods can be resized in place.
        autoscaling: Version of HorizontalPodAutoscalers.
        policy: Version of PodDisruptionBudgets and evictions.
        metrics: Version of metrics.k8s.io; that it is listed does not say that it answers.
        gateway: Version of HTTPRoutes.
        vertical: Version of VerticalPodAutoscalers.
        keda: Version of ScaledObjects.
    """

    resize: bool = False
    autoscaling: str = ""
    policy: str = ""
    metrics: str = ""
    gateway: str = ""
    vertical: str = ""
    keda: str = ""


SPOKEN = {
    "autoscaling": ("autoscaling", ("v2", "v2beta2", "v1")),
    "policy": ("policy", ("v1", "v1beta1")),
    "metrics": ("metrics.k8s.io", ("v1", "v1beta1")),
    "gateway": ("gateway.networking.k8s.io", ("v1", "v1beta1")),
    "vertical": ("autoscaling.k8s.io", ("v1",)),
    "keda": ("keda.sh", ("v1alpha1",)),
}
"""Feature to API group and the versions that we speak, the best first."""


def read_features(groups: Json, core: Json) -> Features:
    """Return the features of a server.

    Args:
        groups: ``/apis``: an APIGroupList.
        core: ``/api/v1``: an APIResourceList.

    Raises:
        MalformedError: They are not that.
    """
    try:
        served = {group["name"]: {entry["version"] for entry in group["versions"]} for group in groups["groups"]}
        resize = any(entry["name"] == "pods/resize" for entry in core["resources"])
    except (KeyError, TypeError) as error:
        raise MalformedError(f"the server does not list its APIs as it should: {error!r} is missing") from error
    best = {
        feature: next((version for version in spoken if version in served.get(group, ())), "")
        for feature, (group, spoken) in SPOKEN.items()
    }
    return Features(resize, **best)


class Discovery:
    """Remembers a server's features until it has been away."""

    def __init__(self) -> None:
        self._features, self._epoch = Features(), -1

    def features(self, get: Get, epoch: int) -> Features:
        """Return the features.

        Args:
            get: Reads an address.
            epoch: How often the server came back.
        """
        if epoch != self._epoch:
            self._features, self._epoch = read_features(get("/apis"), get("/api/v1")), epoch
        return self._features
