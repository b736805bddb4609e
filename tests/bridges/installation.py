"""The files of an installation with the default settings, as documents."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import yaml

from bridges.manifests.settings import Settings
from bridges.manifests.writing import make
from tests.bridges.control_plane import ControlPlane

Json = dict[str, Any]
FILES = make(Settings())
NEWER = ("1.33", "1.34", "1.35", "1.36", "1.37")
TEMPLATED = {"Deployment"}
FOREIGN = {"ServiceMonitor", "PrometheusRule", "Kustomization", "Component"}


def documents(files: dict[str, str]) -> list[tuple[str, Json]]:
    return [
        (path, document)
        for path, text in files.items()
        if path.endswith(".yaml")
        for document in yaml.load_all(text, yaml.CSafeLoader)
    ]


DOCUMENTS = documents(FILES)


@contextmanager
def installed(plane: ControlPlane) -> Iterator[Settings]:
    """Make the namespace, accounts, rights and zones of an installation on a real API server, and take them away."""
    chosen = Settings(namespace=f"mall-{secrets.token_hex(3)}", zones=2, zone="zone:1", pull="Never", zone_cpu="50m")
    files = make(chosen)
    paths = ["namespace.yaml", "rbac.yaml", "stgnn-zones.yaml"]
    plane.apply(*(document for path in paths for document in yaml.safe_load_all(files[path])))
    try:
        yield chosen
    finally:
        plane.send("DELETE", f"/api/v1/namespaces/{chosen.namespace}")


def named(*kinds: str) -> list[Json]:
    return [document for _, document in DOCUMENTS if document["kind"] in kinds]


def pods() -> Iterator[tuple[str, Json]]:
    for document in named(*TEMPLATED):
        yield document["metadata"]["name"], document["spec"]["template"]["spec"]
