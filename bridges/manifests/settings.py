"""Everything that can be chosen about an installation, checked before anything is written."""

import re
from dataclasses import dataclass
from typing import Final

from metaverse_env import __version__
from metaverse_env.errors import ConfigurationError

MOST_ZONES: Final = 1000
_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_IMAGE: Final = re.compile(
    r"(?P<name>([a-z0-9.-]+(:\d+)?/)?[a-z0-9]+([._/-]+[a-z0-9]+)*)(:(?P<tag>[\w][\w.-]{0,127}))?(@sha256:(?P<digest>[0-9a-f]{64}))?"
)
_RESERVED: Final = ("kube-system", "kube-public", "kube-node-lease")


@dataclass(frozen=True)
class Settings:
    """What is installed, and where.

    Attributes:
        namespace: Of everything.
        zones: How many, named ``zone-1`` and so on.
        server: Image of the prediction server.
        controller: Image of the controller.
        zone: Image of the zones.
        prometheus: Image of Prometheus.
        grafana: Image of Grafana.
        pull: When images are pulled; ``"IfNotPresent"``, or ``"Never"`` for those that a node has already.
        policy: What the controller asks what to do.
        tick_s: Length of a tick, s.
        zone_cpu: CPU request of a zone to begin with; its limit is the same.
        zone_memory: Likewise of memory.

    Raises:
        ConfigurationError: A value is outside its limits.
    """

    namespace: str = "metaverse"
    zones: int = 30
    server: str = f"metaverse-server:{__version__}"
    controller: str = f"metaverse-controller:{__version__}"
    zone: str = f"metaverse-zone:{__version__}"
    prometheus: str = "prom/prometheus:v3.5.0"
    grafana: str = "grafana/grafana:12.1.1"
    pull: str = "IfNotPresent"
    policy: str = "threshold"
    tick_s: float = 15.0
    zone_cpu: str = "100m"
    zone_memory: str = "64M"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the zones, in order."""
        return tuple(f"zone-{number}" for number in range(1, self.zones + 1))

    def __post_init__(self) -> None:
        if not _LABEL.fullmatch(self.namespace):
            raise ConfigurationError(
                f"--namespace {self.namespace!r}: a to z, 0 to 9 and -, at most 63, no - at the ends"
            )
        if self.namespace in _RESERVED:
            raise ConfigurationError(f"--namespace {self.namespace!r} is Kubernetes' own; choose another")
        if not 1 <= self.zones <= MOST_ZONES:
            raise ConfigurationError(f"--zones {self.zones}: between 1 and {MOST_ZONES}")
        for part in IMAGES:
            check_image(part, getattr(self, part))


IMAGES: Final = ("server", "controller", "zone", "prometheus", "grafana")
"""Parts that have an image."""


def check_image(part: str, image: str) -> None:
    """Take an image that always means the same.

    Raises:
        ConfigurationError: It is no image, or has neither version nor digest.
    """
    found = _IMAGE.fullmatch(image) if len(image) <= 255 else None
    if found is None:
        raise ConfigurationError(f"--image {part}={image!r} is no image, such as registry.example.org/zone:1.0.0")
    if found["digest"] is None and found["tag"] in {None, "latest"}:
        raise ConfigurationError(f"--image {part}={image!r} may change: name a version, or @sha256: and a digest")


def parse_images(given: list[str]) -> dict[str, str]:
    """Return images by part, of words such as ``zone=registry.example.org/zone:1.0.0``.

    Raises:
        ConfigurationError: A word is not of this form, names no part, or names one twice.
    """
    images: dict[str, str] = {}
    for word in given:
        part, equals, image = word.partition("=")
        if not equals or part not in IMAGES:
            raise ConfigurationError(f"--image {word!r}: PART=IMAGE, where PART is one of {', '.join(IMAGES)}")
        if part in images:
            raise ConfigurationError(f"--image {part} is given twice")
        images[part] = image
    return images
