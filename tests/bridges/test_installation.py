"""The files of an installation on a real API server, and their zones on a real node."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from bridges.kubernetes.client import ApiClient
from bridges.kubernetes.resources import (
    Resource,
)
from bridges.manifests.settings import Settings
from bridges.manifests.writing import make
from tests.bridges.control_plane import ControlPlane, wait_for
from tests.bridges.installation import FOREIGN, documents, installed

LATER = {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
"""Kinds that the server at hand does not have."""
BETA = {"policy/v1": "policy/v1beta1"}
"""Groups that it has in an earlier version."""


@pytest.fixture(scope="module")
def settings(control_plane: ControlPlane) -> Iterator[Settings]:
    """Return the settings of an installation whose accounts, rights and zones are there, for real."""
    with installed(control_plane) as chosen:
        yield chosen


def plurals(control_plane: ControlPlane, api_version: str) -> dict[str, str]:
    path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    listed = control_plane.get(path)["resources"]
    return {entry["kind"]: entry["name"] for entry in listed if "/" not in entry["name"]}


def test_the_server_takes_every_object(control_plane: ControlPlane, settings: Settings) -> None:
    checked = set()
    with ApiClient.from_kubeconfig(control_plane.kubeconfig) as client:
        for path, document in documents(make(settings)):
            kind, api_version = document["kind"], BETA.get(document["apiVersion"], document["apiVersion"])
            if kind in FOREIGN | LATER:
                continue
            group, _, version = api_version.rpartition("/")
            namespaced = "namespace" in document["metadata"]
            resource = Resource(group, version, plurals(control_plane, api_version)[kind], kind, namespaced)
            target = resource.at(settings.namespace if namespaced else "", document["metadata"]["name"])
            answer = client.apply(target, {**document, "apiVersion": api_version}, dry_run=True)
            assert kept(document.get("spec", {}), answer.get("spec", {})), path
            checked.add(kind)
    assert checked == {
        "Namespace", "ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "NetworkPolicy",
        "Deployment", "Service", "PodDisruptionBudget", "ConfigMap",
    }  # fmt: skip


def kept(asked: Any, answered: Any) -> bool:
    """Return whether everything that was asked for came back: old servers drop what they do not know."""
    if isinstance(asked, dict):
        return all(key in answered and kept(value, answered[key]) for key, value in asked.items())
    if isinstance(asked, list):
        return len(asked) == len(answered) and all(map(kept, asked, answered))
    return asked == answered or str(asked) == str(answered)


def test_zones_run_and_serve_under_the_restricted_standard(kube_node: ControlPlane, settings: Settings) -> None:
    base = f"/apis/apps/v1/namespaces/{settings.namespace}/deployments"
    for zone in settings.names:
        wait_for(lambda zone=zone: kube_node.get(f"{base}/{zone}")["status"].get("readyReplicas") == 1, zone, 90.0)
    pods = kube_node.get(f"/api/v1/namespaces/{settings.namespace}/pods")["items"]
    assert len(pods) == settings.zones
    for pod in pods:
        assert pod["status"]["phase"] == "Running"
        context = pod["spec"]["containers"][0]["securityContext"]
        assert (context["readOnlyRootFilesystem"], context["capabilities"]) == (True, {"drop": ["ALL"]})
        zone = pod["metadata"]["labels"]["metaverse-env.dev/zone"]
        page = httpx.get(f"http://{pod['status']['podIP']}:8080/metrics", trust_env=False, timeout=5.0).text
        assert f'zone_requests_total{{zone="{zone}",code="200"}}' in page
