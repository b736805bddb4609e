"""The files of an installation, and their way to a folder."""

import os
from collections.abc import Iterable
from importlib.resources import files as packaged
from pathlib import Path
from string import Template
from typing import Any, Final

import yaml

from bridges.manifests import admission, grafana, network, permissions, prometheus, services, zones
from bridges.manifests.parts import CONTROLLER_PORT, GRAFANA_PORT, PROMETHEUS_PORT, SERVER_PORT, ZONE_PORT, Json
from bridges.manifests.settings import Settings
from metaverse_env import __version__
from metaverse_env.errors import ConfigurationError
from metaverse_env.folders import writable

IMAGE_FILES: Final = ("server.Dockerfile", "controller.Dockerfile", "zone.Dockerfile", "zone.c")
COMPONENTS: Final = ("acting", "admission", "capacity", "prometheus-operator")


def make(settings: Settings) -> dict[str, str]:
    """Return all files by their path, in order: the same for the same settings."""
    base = {
        "namespace.yaml": zones.namespace(settings),
        "rbac.yaml": permissions.accounts(settings),
        "network-policies.yaml": network.policies(settings),
        "stgnn-zones.yaml": zones.zones(settings),
        "zone-services.yaml": zones.services(settings),
        "server.yaml": services.server(settings),
        "controller.yaml": services.controller(settings),
        "prometheus-configmap.yaml": prometheus.configured(settings),
        "prometheus.yaml": prometheus.prometheus(settings),
        "grafana-configmap.yaml": grafana.configured(settings),
        "grafana.yaml": grafana.grafana(settings),
    }
    return {
        "README.md": _filled("README.md", settings),
        "kustomization.yaml": dump([_kustomization("Kustomization", list(base))]),
        **{path: dump(documents) for path, documents in base.items()},
        **_components(settings),
        **{f"dashboards/{name}": text for name, text in grafana.boards().items()},
        **{f"images/{name}": _packaged(name) for name in IMAGE_FILES},
    }


def _components(settings: Settings) -> dict[str, str]:
    made: dict[str, dict[str, list[Json]]] = {
        "acting": {"role.yaml": services.acting(settings)},
        "admission": {"policy.yaml": admission.admission(settings)},
        "capacity": {"cluster-role.yaml": services.capacity(settings)},
        "prometheus-operator": {"monitor.yaml": prometheus.operator(settings)},
    }
    patches = {"acting": [_patch("controller", services.acting_patch(settings))]}
    return {
        f"components/{component}/{path}": dump(documents)
        for component, files in made.items()
        for path, documents in {
            "kustomization.yaml": [_kustomization("Component", list(files), patches.get(component, []))],
            **files,
        }.items()
    }


def _kustomization(kind: str, resources: list[str], patches: Iterable[Json] = ()) -> Json:
    version = "v1beta1" if kind == "Kustomization" else "v1alpha1"
    found: Json = {"apiVersion": f"kustomize.config.k8s.io/{version}", "kind": kind, "resources": resources}
    return {**found, "patches": list(patches)} if patches else found


def _patch(name: str, operations: list[Json]) -> Json:
    target = {"group": "apps", "version": "v1", "kind": "Deployment", "name": name}
    return {"target": target, "patch": yaml.safe_dump(operations, sort_keys=False, width=120)}


def write(files: dict[str, str], folder: Path, force: bool) -> None:
    """Write the files, each at once or not at all.

    Raises:
        ConfigurationError: A file is there already and may not be replaced, or the folder takes none.
    """
    writable(folder)
    there = [path for path in files if os.path.lexists(folder / path)]
    if there and not force:
        raise ConfigurationError(
            f"--out {folder}: {there[0]}{f' and {len(there) - 1} more are' if there[1:] else ' is'} there already;"
            " --force replaces them"
        )
    for path, text in files.items():
        _replace(folder / path, text)


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


class _Dumper(yaml.SafeDumper):
    """Texts of several lines as such, and nothing by reference."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out: a reader should not have to look up."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def dump(documents: list[Json]) -> str:
    """Return documents as YAML."""
    return yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, width=120)


def _packaged(name: str) -> str:
    return packaged("bridges.manifests").joinpath("files", name).read_text(encoding="utf-8")


def _filled(name: str, settings: Settings) -> str:
    """Return a packaged text with the settings in the place of their names."""
    ports = {
        "controller_port": CONTROLLER_PORT, "grafana_port": GRAFANA_PORT, "prometheus_port": PROMETHEUS_PORT,
        "server_port": SERVER_PORT, "zone_port": ZONE_PORT,
    }  # fmt: skip
    known = {**vars(settings), **ports, "version": __version__, "secret": services.KEY_SECRET}
    return Template(_packaged(name)).substitute(known)
